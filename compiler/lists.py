"""Files of JSON that a spec names: vocabularies, and words of a data set. They are untrusted."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.compiler.plain_json import NotPlain, require_shallow
from circ.lang.diagnostic import CircError
from circ.lang.errors.data import not_json
from circ.lang.headers import Json
from circ.lang.span import Span

LARGEST = 1 << 25
"""A file of more bytes than this is refused."""


@dataclass(frozen=True, slots=True)
class ReadList:
    """What a file says, and the SHA-256 of its bytes."""

    value: Json
    sha256: str


class Unfit(ValueError):
    """What no list of words holds, in words."""


def read_list(path: Path, text: str, span: Span) -> ReadList:
    """The JSON in a file, which a spec names as `text` at `span`.

    Raises `CircError` (E0401-E0403, E0416).
    """
    with opened(path, Place(text, span), ".json") as file:
        data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise CircError(not_json(span, text, f"it has more than {LARGEST:,} bytes"))
    try:
        return ReadList(parsed(data), sha256(data).hexdigest())
    except Unfit as error:
        raise CircError(not_json(span, text, str(error))) from error


def parsed(data: bytes) -> Json:
    """The JSON in `data`; raises `Unfit`."""
    try:
        found: Json = json.loads(data.decode("utf-8-sig"), object_pairs_hook=unrepeated)
    except Unfit:
        raise
    except RecursionError as error:
        raise Unfit("its lists stand too deep inside one another") from error
    except UnicodeDecodeError as error:
        raise Unfit(f"it is not UTF-8 at byte {error.start:,}") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise Unfit(f"it is malformed at {place}") from error
    except ValueError as error:  # a number of more digits than Python reads
        raise Unfit("it holds a number that is far too long") from error
    try:
        require_shallow(found)
    except NotPlain as error:
        raise Unfit(str(error)) from error
    require_characters(found)
    return found


def unrepeated(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    """An object, none of whose keys stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        ((again, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise Unfit(f"{json.dumps(again)} stands twice in it")
    return found


def require_characters(listed: Json) -> None:
    """Raise `Unfit` for half of a surrogate pair, which is no character."""
    waiting = [listed]
    while waiting:
        value = waiting.pop()
        match value:
            case str():
                if any("\ud800" <= char <= "\udfff" for char in value):
                    raise Unfit(f"{json.dumps(value)} is half of a character")
            case list():
                waiting.extend(value)
            case dict():
                waiting.extend(value)
                waiting.extend(value.values())
            case _:
                pass

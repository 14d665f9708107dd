"""JSON from files that are not trusted: finite numbers, every key once, and nothing too deep to be written again."""

from __future__ import annotations

import json
from collections.abc import Callable
from math import isfinite

from circ.lang.headers import Json

DEEPEST = 64
"""So many lists and objects may stand inside one another."""

Pairs = list[tuple[str, Json]]


class NotPlain(ValueError):
    """What a text has that is no such JSON, in words."""


def unrepeated(pairs: Pairs) -> dict[str, Json]:
    """An object, none of whose keys stands twice."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotPlain("a key stands twice in an object")
    return found


def loaded(text: str, pairs: Callable[[Pairs], dict[str, Json]] = unrepeated) -> Json:
    """What a text says; raises `NotPlain`, and what `pairs` raises of the members of an object."""
    try:
        found: Json = json.loads(
            text, object_pairs_hook=pairs, parse_float=finite, parse_constant=no_number
        )
    except NotPlain:
        raise
    except RecursionError as error:
        raise NotPlain("its lists stand too deep inside one another") from error
    except ValueError as error:
        raise NotPlain(str(error)) from error
    require_shallow(found)
    return found


def finite(text: str) -> float:
    """A number that a double holds."""
    found = float(text)
    if not isfinite(found):
        raise NotPlain("it has a number that no double holds")
    return found


def no_number(word: str) -> float:
    """`NaN` and `Infinity`, which are no JSON."""
    raise NotPlain(f"`{word}` is no number")


def require_shallow(found: Json) -> None:
    """Raise `NotPlain` where lists and objects stand deeper inside one another than any file needs."""
    level: list[Json] = [found]
    for _ in range(DEEPEST):
        level = [inner for value in level for inner in inside(value)]
    if any(isinstance(value, dict | list) for value in level):
        raise NotPlain("its lists stand too deep inside one another")


def inside(value: Json) -> list[Json]:
    """The members of an object or a list; none of anything else."""
    match value:
        case dict():
            return [*value.values()]
        case list():
            return value
        case _:
            return []

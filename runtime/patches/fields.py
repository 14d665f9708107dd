"""The fields of what is read back as JSON: each of the kind that it is to be."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import cast

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.compiler.ir import Shape
from circ.compiler.plain_json import NotPlain, loaded

LARGEST = 1 << 25
"""A text of more bytes than this is refused."""

Json = Mapping[str, object]


class Malformed(ValueError):
    """What is wrong in a receipt."""


def json_in(path: Path) -> object:
    """What a file of JSON says; raises `Malformed`, and `CircError` (E0401-E0403) for what is no regular file."""
    with opened(path, Place(str(path), None), path.suffix) as stream:
        data = stream.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise Malformed(f"it has more than {LARGEST:,} bytes")
    try:
        return json_of(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise Malformed(f"it is not UTF-8 at byte {error.start:,}") from error


def json_of(text: str) -> object:
    """What a text of JSON says; raises `Malformed`."""
    if len(text) > LARGEST:
        raise Malformed(f"it has more than {LARGEST:,} characters")
    try:
        return loaded(text)
    except NotPlain as error:
        raise Malformed(str(error)) from error


def as_object(found: object) -> Json:
    """A JSON object."""
    match found:
        case dict():
            return cast("Json", found)
        case _:
            raise Malformed("an object is missing")


def as_list(found: object) -> list[object]:
    """A JSON array."""
    match found:
        case list():
            return cast("list[object]", found)
        case _:
            raise Malformed("an array is missing")


def expect_fields(found: Json, kind: type) -> None:
    """Exactly the fields of the dataclass `kind`."""
    wrong = set(found) ^ {field.name for field in fields(kind)}
    if wrong:
        names = ", ".join(sorted(wrong))
        raise Malformed(f"fields missing or unknown in its {kind.__name__}: {names}")


def text_at(found: Json, field: str) -> str:
    """A field that holds text."""
    match found[field]:
        case str(value):
            return value
        case _:
            raise Malformed(f"`{field}` is no text")


def hash_at(found: Json, field: str) -> str:
    """A field that holds a SHA-256 in hexadecimal."""
    value = text_at(found, field)
    if re.fullmatch("[0-9a-f]{64}", value) is None:
        raise Malformed(f"`{field}` is no SHA-256")
    return value


def norm_at(found: Json, field: str) -> float:
    """A field that holds a finite number that is not negative."""
    match found[field]:
        case float(value) if 0 <= value < math.inf:
            return value
        case _:
            raise Malformed(f"`{field}` is no norm")


def shape_at(found: Json, field: str) -> Shape:
    """A field that holds the sides of a tensor."""
    return tuple(side_in(side) for side in as_list(found[field]))


def side_in(found: object) -> int:
    """One side of a shape."""
    match found:
        case int(side) if side >= 0 and found is not True and found is not False:
            return side
        case _:
            raise Malformed("a shape is made of sizes")


def whole_at(found: Json, field: str) -> int:
    """A field that holds a whole number that is not negative."""
    match found[field]:
        case int(value) if value >= 0 and value is not True and value is not False:
            return value
        case _:
            raise Malformed(f"`{field}` is no whole number")

"""Verdicts as JSON and back, exactly.

A record is an object with its fields and the name of its type, a tuple a list, a fraction `{"q": "p/q"}`.
Floats are written with as many digits as tell them apart.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from fractions import Fraction
from typing import cast

from circ.compiler.obligation import Witness
from circ.compiler.verdict import (
    ByLength,
    Counted,
    Example,
    Proved,
    Refuted,
    Replay,
    Shown,
    Size,
    Straying,
    Vacuous,
    Verdict,
)
from circ.runtime.cache.refused import Damaged, NotKept


@dataclass(frozen=True, slots=True)
class Asked:
    """One form in which a claim was asked: at a length of its word, or `alike` for all lengths."""

    alike: bool
    length: int | None
    digest: str


@dataclass(frozen=True, slots=True)
class Row:
    """A verdict that is kept, with all that was asked on the way to it.

    `length` is that of the word that the verdict shows, where it may have several. `timeout` was the
    limit that it was decided under, and `seconds` what it took.
    """

    asked: tuple[Asked, ...]
    length: int | None
    verdict: Verdict
    timeout: float
    seconds: float


KINDS = (
    *(Row, Asked, Proved, Refuted, Vacuous),
    *(ByLength, Counted, Example, Replay, Shown, Size, Straying, Witness),
)
NAMED: Mapping[str, Callable[..., object]] = {kind.__name__: kind for kind in KINDS}


def text_of(row: Row) -> bytes:
    """A row as JSON; raises `NotKept` where a number is too long to be written."""
    try:
        return json.dumps(encoded(row), separators=(",", ":")).encode()
    except ValueError as error:
        raise NotKept(f"the verdict cannot be written: {error}") from error


def row_of(text: bytes) -> Row:
    """The row that was written so; raises `Damaged` for any other text."""
    try:
        found = decoded(json.loads(text))
    except (KeyError, RecursionError, TypeError, ValueError, ZeroDivisionError) as error:
        raise Damaged("a kept verdict cannot be read") from error
    match found:
        case Row(verdict=Proved() | Refuted() | Vacuous()):
            return found
        case _:
            raise Damaged("what is kept is no verdict")


def encoded(value: object) -> object:
    """A value as JSON has it."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Fraction():
            return {"q": f"{value.numerator}/{value.denominator}"}
        case tuple():
            return [encoded(part) for part in cast("tuple[object, ...]", value)]
        case _ if is_dataclass(value) and type(value).__name__ in NAMED:
            parts = {field.name: encoded(getattr(value, field.name)) for field in fields(value)}
            return {"is": type(value).__name__, **parts}
        case _:
            raise TypeError(f"a verdict holds a {type(value).__name__}")


def decoded(value: object) -> object:
    """The value that was encoded so."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case list():
            return tuple([decoded(part) for part in cast("list[object]", value)])
        case dict():
            return decoded_object(cast("Mapping[str, object]", value))
        case _:
            raise ValueError("a value of no known type")


def decoded_object(parts: Mapping[str, object]) -> object:
    """The fraction or the record that an object is; raises `ValueError` for others."""
    match [*parts.items()]:
        case [("q", str(text))]:
            return Fraction(text)
        case [("is", str(name)), *others]:
            return NAMED[name](**{key: decoded(part) for key, part in others})
        case _:
            raise ValueError("an object of no known type")

"""A certificate's file: a line of JSON for the header, then one for each class of words.

Whatever the file says is checked for its form here, and for nothing else. Lengths, depths and
numbers are bounded, so that reading a hostile file takes bounded memory.
"""

from __future__ import annotations

import base64
import json
import sys
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite
from typing import BinaryIO, cast

from circ.compiler.audit.entries import Known
from circ.compiler.audit.machine import DEAD, MOST_STATES, Step
from circ.compiler.audit.rejected import Rejected, require

FORMAT = "circ certificate 1"

LONGEST_LINE = 1 << 28
"""Bytes."""

DEEPEST = 256
"""Splits within splits."""

Data = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Header:
    """What is claimed proved, by which kind of proof: hashes of the claim and of what it reads.

    `rest` has the fields of that kind.
    """

    tool: str
    claim: str
    by: str
    obligation: str
    tensors: Mapping[str, str]
    rest: Data


@dataclass(frozen=True, slots=True)
class ByPaths:
    """How words are cut up, for a proof by paths.

    `fixed` is the position whose letter is gone through, if there is one; `witness` a word that meets
    the conditions, where these are about the network.
    """

    words: int
    classes: int
    fixed: int | None
    witness: tuple[int, ...] | None


@dataclass(frozen=True, slots=True)
class ClassRecord:
    """A class by the values that it fixes, an automaton of its words, and the proof, still as data."""

    values: str
    steps: tuple[Step, ...]
    states: tuple[int, ...]
    proof: Data


def lines(stream: BinaryIO) -> Iterator[Data]:
    """The records of a file."""
    while line := stream.readline(LONGEST_LINE + 1):
        require(len(line) <= LONGEST_LINE, "a line is too long")
        require(line.endswith(b"\n"), "the last line is cut off")
        try:
            found: object = json.loads(
                line, object_pairs_hook=once_each, parse_constant=refused, parse_float=finite
            )
        except (ValueError, RecursionError, MemoryError) as error:
            raise Rejected("a line is no JSON") from error
        yield an_object(found)


def first_of(records: Iterator[Data]) -> Data:
    """The first record; raises `Rejected` where there is none."""
    first = next(records, None)
    if first is None:
        raise Rejected("the file is empty")
    return first


def once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """An object without a name twice."""
    found = dict(pairs)
    require(len(found) == len(pairs), "a field is there twice")
    return found


def refused(name: str) -> float:
    """No number is infinite."""
    raise Rejected(f"{name} is no number")


def finite(text: str) -> float:
    """A number that a double can hold."""
    value = float(text)
    require(isfinite(value), f"{text[:20]} is no number")
    return value


# --- parts of a record ----------------------------------------------------------------------------


def an_object(value: object) -> Data:
    """An object."""
    require(isinstance(value, dict), "an object is expected")
    return cast("dict[str, object]", value)


def a_list(value: object) -> Sequence[object]:
    """A list."""
    require(isinstance(value, list), "a list is expected")
    return cast("list[object]", value)


def a_number(value: object, below: int) -> int:
    """A whole number from 0, less than that."""
    if type(value) is not int or not 0 <= value < below:
        raise Rejected("a whole number is out of its range")
    return value


def numbers(value: object, below: int) -> list[int]:
    """A list of different whole numbers."""
    found = [a_number(entry, below) for entry in a_list(value)]
    require(len({*found}) == len(found), "a number is there twice")
    return found


def pair_of(part: object, below: int) -> tuple[list[int], Data]:
    """Rows or letters, and the proof for them."""
    found = a_list(part)
    require(len(found) == 2, "a part is some numbers and a proof")
    entries = numbers(found[0], below)
    require(entries != [], "a part has no rows, or no letters")
    return entries, an_object(found[1])


def a_text(value: object) -> str:
    """A text."""
    if type(value) is not str:
        raise Rejected("a text is expected")
    return value


def only(data: Data, *names: str) -> list[object]:
    """The fields of an object that has these and no others."""
    require({*data} == {*names}, f"the fields {', '.join(names)} are expected")
    return [data[name] for name in names]


def header_of(data: Data) -> Header:
    """The first record."""
    require(data.get("format") == FORMAT, f"it is no certificate of the format `{FORMAT}`")
    fields = ("format", "tool", "claim", "by", "obligation", "tensors")
    require({*fields} <= {*data}, f"the fields {', '.join(fields)} are expected")
    _, tool, claim, by, obligation, tensors = (data[name] for name in fields)
    return Header(
        a_text(tool),
        a_text(claim),
        a_text(by),
        a_text(obligation),
        {key: a_text(value) for key, value in an_object(tensors).items()},
        {name: value for name, value in data.items() if name not in fields},
    )


def by_paths(rest: Data) -> ByPaths:
    """The header of a proof by paths."""
    words, classes, fixed, witness = only(rest, "words", "classes", "fixed", "witness")
    largest = 1 << 63
    return ByPaths(
        a_count(words),
        a_number(classes, largest),
        None if fixed is None else a_number(fixed, largest),
        None if witness is None else tuple(a_number(c, largest) for c in a_list(witness)),
    )


def a_count(value: object) -> int:
    """How many words, of whatever size, as text."""
    text = a_text(value)
    require(text.isdecimal() and text.isascii() and len(text) < 4000, "a count is no number")
    return int(text)


def class_of(data: Data, letters: int, length: int) -> ClassRecord:
    """A record of a class, its automaton well-formed."""
    values, steps, proof = only(data, "class", "steps", "proof")
    found = [[edges(row, letters) for row in a_list(step)] for step in a_list(steps)]
    require(len(found) == length, "an automaton has another length than the words")
    states = [*map(len, found), 1 + max((max(row) for row in found[-1]), default=DEAD)]
    require(states[0] == 1, "an automaton has one start")
    require(states[-1] <= MOST_STATES, "an automaton has too many states")
    for layer, below in zip(found, states[1:], strict=True):
        require(all(max(row) < below for row in layer), "an edge leads to no state")
    text = json.dumps(a_list(values), separators=(",", ":"))
    return ClassRecord(text, tuple(found), tuple(states), an_object(proof))


def class_text(values: Sequence[Known]) -> str:
    """The values that a class fixes: indices and truths as numbers, rationals as texts."""
    return json.dumps([plain(value) for value in values], separators=(",", ":"))


def plain(value: Known) -> int | str:
    """One value."""
    return str(value) if isinstance(value, Fraction) else int(value)


def edges(row: object, letters: int) -> list[int]:
    """Where the letters lead from a state."""
    found = a_list(row)
    require(len(found) == letters, "an edge is missing, or one too many")
    states: list[int] = []
    for state in found:
        if type(state) is not int or state < DEAD:
            raise Rejected("a state is expected")
        states.append(state)
    return states


def potentials_of(text: object, kind: str) -> Sequence[float]:
    """Numbers as base64 of little-endian float32 (`f4`) or float64 (`f8`)."""
    try:
        data = base64.b64decode(a_text(text), validate=True)
        found: array[float] = array("f" if kind == "f4" else "d")
        found.frombytes(data)
    except ValueError as error:
        raise Rejected("potentials are not base64 of floating-point numbers") from error
    if sys.byteorder == "big":
        found.byteswap()
    require(all(map(isfinite, found)), "a potential is not finite")
    return found


def multipliers_of(value: object, count: int) -> tuple[Fraction, ...]:
    """As many numbers that are not negative and not all zero."""
    found: list[Fraction] = []
    for entry in a_list(value):
        if type(entry) not in (int, float):
            raise Rejected("a multiplier is expected")
        found.append(Fraction(cast("float", entry)))
    require(len(found) == count, "there is a multiplier for each comparison")
    require(all(x >= 0 for x in found) and any(found), "multipliers are not negative, not all zero")
    return tuple(found)

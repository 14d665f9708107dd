"""What encoding a circuit gives: a script, and the terms of its inputs and outputs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations
from typing import assert_never

from circ.compiler.smt.formula import (
    Affine,
    Command,
    Formula,
    Sign,
    Truth,
    Values,
    conjunction,
    difference,
    disjunction,
    holds,
    implication,
    negation,
    number,
)

OneHot = tuple[Formula, ...]
"""For each value of an index, whether it has it."""


@dataclass(frozen=True, slots=True)
class Numbers:
    """A real tensor's entries, row-major."""

    entries: tuple[Affine, ...]


@dataclass(frozen=True, slots=True)
class Truths:
    """A Boolean tensor's entries."""

    entries: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Codes:
    """An index tensor's entries."""

    entries: tuple[OneHot, ...]


Value = Numbers | Truths | Codes


class Unsupported(Exception):
    """A circuit has an op that real arithmetic cannot say: its name, and why."""

    def __init__(self, op: str, reason: str) -> None:
        super().__init__(f"{op}: {reason}")
        self.op = op
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Choice:
    """An `Argmax` or a `TopK` that is not decided: its scores, and which of them are chosen.

    So many are; the one that an `Argmax` names is the one that a `TopK` of one keeps.
    """

    scores: tuple[Affine, ...]
    chosen: tuple[Formula, ...]
    count: int = 1


@dataclass(frozen=True, slots=True)
class Encoding:
    """A script, and what it says of the inputs and of the outputs that were asked for.

    The script leaves out that choices agree (`agreements`). `undecided` counts, for each kind of
    phase, those left open and those there are; `multiplied` the products beyond linear arithmetic.
    """

    commands: tuple[Command, ...]
    inputs: Mapping[str, Value]
    outputs: Mapping[str, Value]
    choices: tuple[Choice, ...]
    undecided: Mapping[str, tuple[int, int]]
    multiplied: int

    def truth(self, output: str) -> Formula:
        """A scalar truth."""
        (formula,) = truths(self.outputs[output])
        return formula

    def agreements(self) -> Iterator[Formula]:
        """Equal scores, equal choice: for each two choices of as many among equally many."""
        for first, second in combinations(self.choices, 2):
            if len(first.scores) == len(second.scores) and first.count == second.count:
                yield agreement(first, second)


def agreement(first: Choice, second: Choice) -> Formula:
    """That two choices are the same where all their scores are."""
    scores = zip(first.scores, second.scores, strict=True)
    chosen = zip(first.chosen, second.chosen, strict=True)
    same = conjunction(implication(a, b) for a, b in chosen)
    return disjunction([*(differ(a, b) for a, b in scores), same])


def differ(left: Affine, right: Affine) -> Formula:
    """left != right."""
    gap = difference(left, right)
    return Truth(gap.constant != 0) if gap.known else negation(Sign("==", gap))


def numbers(value: Value) -> tuple[Affine, ...]:
    """The entries of a real tensor."""
    assert isinstance(value, Numbers)
    return value.entries


def truths(value: Value) -> tuple[Formula, ...]:
    """The entries of a Boolean tensor."""
    assert isinstance(value, Truths)
    return value.entries


def codes(value: Value) -> tuple[OneHot, ...]:
    """The entries of an index tensor."""
    assert isinstance(value, Codes)
    return value.entries


def entries_at(value: Value, values: Values) -> tuple[Fraction | int, ...]:
    """The entries of a tensor where variables have these values: truths and indices as integers."""
    match value:
        case Numbers(entries=entries):
            return tuple(number(term, values) for term in entries)
        case Truths(entries=entries):
            return tuple(int(holds(truth, values)) for truth in entries)
        case Codes(entries=entries):
            return tuple(member(entry, values) for entry in entries)
        case _:
            assert_never(value)


def member(entry: OneHot, values: Values) -> int:
    """The one value that an index has."""
    (code,) = [i for i, flag in enumerate(entry) if holds(flag, values)]
    return code

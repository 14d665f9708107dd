"""A property's cases: boxes of inputs, with what else is asked of inputs and outputs in each.

A disjunction that reads inputs is divided; one about outputs alone stays whole. Cases that agree in
what they ask of the inputs are one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from circ.compiler.obligation import Box
from circ.compiler.vnnlib.formula import Atom, Both, Either, Formula, Property, reads_inputs
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import too_many_cases, too_many_parts, unbounded_input

MOST_CASES = 1 << 14
"""Boxes that are gone through."""

MOST_PARTS = 1 << 22
"""Comparisons, and disjunctions of outputs alone, that all of them have together."""


@dataclass(frozen=True, slots=True)
class Case:
    """A box of inputs, further conditions on inputs alone, and what is looked for there."""

    box: Box
    conditions: tuple[Atom, ...]
    sought: Formula


def cases(asked: Property) -> list[Case]:
    """The cases whose boxes are not empty; raises `CircError` (E0813, E0816)."""
    found: dict[tuple[Box, tuple[Atom, ...]], list[Formula]] = {}
    for parts in divided(asked.formula, asked):
        box = bounding(parts, asked)
        if all(low <= high for low, high in box):
            conditions, sought = sorted_out(parts, box)
            found.setdefault((box, conditions), []).append(Both(sought))
    return [
        Case(box, conditions, options[0] if len(options) == 1 else Either(tuple(options)))
        for (box, conditions), options in found.items()
    ]


def divided(formula: Formula, asked: Property) -> list[list[Formula]]:
    """The formula as a disjunction of lists, in which nothing but comparisons reads inputs."""
    match formula:
        case Atom():
            return [[formula]]
        case Both(parts=parts):
            whole: list[list[Formula]] = [[]]
            for part in parts:
                whole = crossed(whole, divided(part, asked), asked)
            return whole
        case Either(parts=parts):
            if not reads_inputs(formula):
                return [[formula]]
            options = [option for part in parts for option in divided(part, asked)]
            return bounded(options, asked)
        case _:
            assert_never(formula)


def crossed(
    first: list[list[Formula]], second: list[list[Formula]], asked: Property
) -> list[list[Formula]]:
    """Each list of the one followed by each of the other."""
    many = sum(map(len, first)) * len(second) + sum(map(len, second)) * len(first)
    if len(first) > 1 and many > MOST_PARTS:
        raise CircError(too_many_parts(asked.span, len(first) * len(second), MOST_PARTS))
    if len(second) == 1:
        for left in first:
            left.extend(second[0])
        return first
    if len(first) * len(second) > MOST_CASES:
        raise CircError(too_many_cases(asked.span, MOST_CASES))
    return [[*left, *right] for left in first for right in second]


def bounded(options: list[list[Formula]], asked: Property) -> list[list[Formula]]:
    """Options, if they are few enough."""
    if len(options) > MOST_CASES:
        raise CircError(too_many_cases(asked.span, MOST_CASES))
    return options


def bounding(parts: list[Formula], asked: Property) -> Box:
    """The box that comparisons of one input with a constant make."""
    lows: dict[int, Fraction] = {}
    highs: dict[int, Fraction] = {}
    for entry, below, bound in bounds(parts):
        if below:
            lows[entry] = max(lows.get(entry, bound), bound)
        else:
            highs[entry] = min(highs.get(entry, bound), bound)
    for entry in range(asked.inputs):
        for known, side in ((lows, "below"), (highs, "above")):
            if entry not in known:
                name, span = asked.names[entry], asked.declared[entry]
                raise CircError(unbounded_input(span, name, side))
    return tuple((lows[entry], highs[entry]) for entry in range(asked.inputs))


def bounds(parts: list[Formula]) -> Iterator[tuple[int, bool, Fraction]]:
    """An input, whether it is bounded from below, and by what."""
    for part in parts:
        match part:
            case Atom(inputs=((entry, factor),), outputs=(), bound=bound):
                yield entry, factor < 0, bound / factor
            case _:
                pass


def sorted_out(parts: list[Formula], box: Box) -> tuple[tuple[Atom, ...], tuple[Formula, ...]]:
    """What the box does not say: of inputs alone, and of outputs."""
    conditions: dict[Atom, None] = {}
    sought: list[Formula] = []
    for part in parts:
        match part:
            case Atom(inputs=((entry, factor),), outputs=(), bound=bound, strict=strict):
                low, high = box[entry]
                at_the_end = bound / factor == (low if factor < 0 else high)
                if strict and at_the_end:
                    conditions[part] = None
            case Atom(outputs=()):
                conditions[part] = None
            case _:
                sought.append(part)
    return tuple(conditions), tuple(sought)

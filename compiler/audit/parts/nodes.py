"""What a certificate says of one part of the box: the steps of its proof, and how it is split.

Only the form is checked here. All numbers are doubles, as the fractions that they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from circ.compiler.audit.parts.units import Name
from circ.compiler.audit.record import Data, a_list, a_number, an_object
from circ.compiler.audit.rejected import Rejected, require

LARGEST = 1 << 62
"""Wires and numbers are below this."""


@dataclass(frozen=True, slots=True)
class Tighten:
    """The units of these wires are bounded anew, where they are still open; of all wires where None."""

    wires: frozenset[int] | None


@dataclass(frozen=True, slots=True)
class Weighed:
    """The rows of a clause, times `rows`, and what is known of phases, times `phases`.

    Without a clause there are no rows.
    """

    clause: int | None
    rows: tuple[Fraction, ...]
    phases: tuple[tuple[Name, Fraction], ...]


@dataclass(frozen=True, slots=True)
class Shut:
    """No input breaks the clause, because the sum is above zero; without a clause, there is no input."""

    by: Weighed


@dataclass(frozen=True, slots=True)
class Cut:
    """Inputs at which the sum is above zero are left out."""

    by: Weighed


Step = Tighten | Shut | Cut


@dataclass(frozen=True, slots=True)
class AtInput:
    """Two parts: the input at most the number, and at least."""

    place: int
    at: Fraction


@dataclass(frozen=True, slots=True)
class AtUnit:
    """Two parts: what the unit is of at least 0, and at most 0 (of a step: below 0)."""

    unit: Name


@dataclass(frozen=True, slots=True)
class Node:
    """A part of the box."""

    steps: tuple[Step, ...]
    split: AtInput | AtUnit | None


def node_of(data: Data) -> Node:
    """A line of a certificate."""
    fields = {*data}
    known = ({"steps"}, {"steps", "input"}, {"steps", "unit"})
    require(fields in known, "a part has its steps, and at most one split")
    steps = tuple(step_of(an_object(step)) for step in a_list(data["steps"]))
    if "input" in data:
        place, at = pair(data["input"])
        return Node(steps, AtInput(a_number(place, LARGEST), a_double(at)))
    if "unit" in data:
        wire, number = pair(data["unit"])
        return Node(steps, AtUnit((a_number(wire, LARGEST), a_number(number, LARGEST))))
    return Node(steps, None)


def step_of(data: Data) -> Step:
    """One step."""
    require(len(data) == 1, "a step is one thing")
    match next(iter(data)):
        case "bounds":
            listed = data["bounds"]
            own = None if listed is None else (a_number(w, LARGEST) for w in a_list(listed))
            return Tighten(None if own is None else frozenset(own))
        case "shut":
            return Shut(weighed(data["shut"]))
        case "cut":
            return Cut(weighed(data["cut"]))
        case _:
            raise Rejected("a step of no known kind")


def weighed(value: object) -> Weighed:
    """A clause, a multiplier for each of its rows, and those of phases."""
    parts = a_list(value)
    require(len(parts) == 3, "a clause, its multipliers and those of phases are expected")
    clause = None if parts[0] is None else a_number(parts[0], LARGEST)
    rows = tuple(a_multiplier(entry) for entry in a_list(parts[1]))
    phases = list[tuple[Name, Fraction]]()
    for entry in a_list(parts[2]):
        found = a_list(entry)
        require(len(found) == 3, "a wire, a number and a multiplier are expected")
        name = a_number(found[0], LARGEST), a_number(found[1], LARGEST)
        phases.append((name, a_multiplier(found[2])))
    return Weighed(clause, rows, tuple(phases))


def pair(value: object) -> Sequence[object]:
    """A list of two."""
    found = a_list(value)
    require(len(found) == 2, "two numbers are expected")
    return found


def a_double(value: object) -> Fraction:
    """A number; a whole one is the double next to it, so that all arithmetics read the same."""
    if type(value) not in (int, float):
        raise Rejected("a number is expected")
    require(abs(cast("float", value)) < LARGEST, "a number is too large")
    return Fraction(float(cast("float", value)))


def a_multiplier(value: object) -> Fraction:
    """A number that is not negative."""
    found = a_double(value)
    require(found >= 0, "a multiplier is negative")
    return found

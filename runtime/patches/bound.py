"""How small a change can be: a lower bound by multipliers, computed in exact arithmetic.

Wherever a requirement must hold and its goal is a conjunction about numbers affine in the edited tensors, each of these
numbers, `L(change) >= 0`, is a half-space that every change lies in. Their sum with multipliers that are not negative is
another, `c + g·change >= 0`, and the change is at least `-c / |g|` in size, with the dual norm of g (Boyd and
Vandenberghe, *Convex Optimization*, 2004, section 5.2). Multipliers come from a solver and are not trusted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isqrt
from typing import assert_never

from circ.compiler.conjuncts import with_conjuncts
from circ.compiler.freeze import dependent, freeze
from circ.compiler.ir import Circuit, Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.patching import Norm
from circ.compiler.readings.choices import TRUE, Choices
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.gradients import Affine, NotAffine, Way, affine, way_back
from circ.compiler.readings.reference import Value, at_point, constants, intervals
from circ.compiler.readings.slopes import Slope, Total, over, plus
from circ.compiler.rounding import at_least
from circ.compiler.tensor import Weights
from circ.compiler.trial import fits

Free = Mapping[str, frozenset[int]]
"""By tensor, the offsets of the entries that may change."""

FINE = 64
"""Bits of a square root."""


@dataclass(frozen=True, slots=True)
class Multiplier:
    """`factor` times one part of a requirement (its title) at an input, which is to meet its assumptions.

    `input` has the entries of each binder as text, `3` or `-1/2`, as a receipt has them.
    """

    requirement: str
    input: Mapping[str, tuple[str, ...]]
    part: int
    factor: int


@dataclass(frozen=True, slots=True)
class DualBound:
    """The change is of the size `size` at most, and any that meets the requirements of `least` at least."""

    norm: Norm
    size: float
    least: float
    multipliers: tuple[Multiplier, ...]

    @property
    def gap(self) -> float:
        """By which share of the least the change may be larger than it need be, rounded up; 0 where nothing changed."""
        return at_least(Fraction(self.size) / Fraction(self.least) - 1, "F64") if self.size else 0.0


@dataclass(frozen=True, slots=True)
class NoBound:
    """No lower bound is known, because of `reason`."""

    norm: Norm
    size: float
    reason: str


Bound = DualBound | NoBound


class Unfounded(Exception):
    """Multipliers that prove nothing, and why."""


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A requirement, cut where the edited tensors come in: `before` has the conditions besides what `parts` reads.

    `way` leads from the wire of `parts` that has them to these tensors, `strict` says which of them have to be above 0;
    what no input reaches is known already.
    """

    obligation: Obligation
    before: Circuit
    parts: Circuit
    way: Way
    strict: tuple[bool, ...]
    known: Mapping[Wire, Value]
    known_parts: Mapping[Wire, Value]


@dataclass(frozen=True, slots=True)
class HalfSpace:
    """Where every change lies that does what is required: `c + g·change >= 0`, and above 0 if `strict`, in units of 2^-BITS.

    c is at most `constant`, and |g| at most `sides` at an entry of a tensor; entries that g does not move are left out.
    """

    constant: int
    sides: Mapping[tuple[str, int], int]
    strict: bool = False


def least_size(
    norm: Norm,
    obligations: Sequence[Obligation],
    free: Free,
    weights: Weights,
    multipliers: Sequence[Multiplier],
) -> Fraction:
    """Every change of the free entries with which the obligations hold is of this size at least; it is not negative.

    `weights` are those before the change. Raises `Unfounded`, also where no change does it.
    """
    parts = affine_parts(obligations, tuple(free), weights, multipliers)
    weighed = ((part, multipliers[k].factor) for k, part, _ in parts)
    found = distance(norm, together(weighed, free, weights))
    if found is None:
        raise Unfounded("no change moves what is required")
    return found


def affine_parts(
    obligations: Sequence[Obligation],
    keys: Sequence[str],
    weights: Weights,
    multipliers: Sequence[Multiplier],
) -> Iterator[tuple[int, Affine, bool]]:
    """The number of each multiplier, with the part that it is of as a function of the edited tensors, and whether that has
    to be above 0; raises `Unfounded`.
    """
    asked = {o.title: o for o in obligations}
    cut: dict[str, Asked] = {}
    for (title, _), numbers in by_input(multipliers).items():
        if title not in asked:
            raise Unfounded("a multiplier is of no requirement")
        if title not in cut:
            cut[title] = cut_at(asked[title], keys, weights)
        known = still_at(cut[title], witness_in(multipliers[numbers[0]].input), weights)
        for k in numbers:
            part = multipliers[k].part
            yield k, part_at(cut[title], part, known), cut[title].strict[part]


Place = tuple[str, tuple[tuple[str, tuple[str, ...]], ...]]
"""A requirement and an input."""


def by_input(multipliers: Sequence[Multiplier]) -> dict[Place, list[int]]:
    """The numbers of those of one requirement at one input together: what no edit moves is the same for all parts there."""
    found: dict[Place, list[int]] = {}
    for k, multiplier in enumerate(multipliers):
        at = multiplier.requirement, tuple(sorted(multiplier.input.items()))
        found.setdefault(at, []).append(k)
    return found


def together(parts: Iterable[tuple[Affine, int]], free: Free, weights: Weights) -> HalfSpace:
    """The sum of parts, each so many times; raises `Unfounded` where a factor is negative."""
    constant, slopes = (0, 0), {key: Total() for key in free}
    for row, factor in parts:
        if factor < 0:
            raise Unfounded("a multiplier is negative")
        constant = plus(constant, scaled(row.constant, factor))
        for key, slope in row.slopes.items():
            slopes[key].add(slope, factor)
    for key in free:
        constant = plus(constant, at_start(slopes[key].slopes(), weights[key].values))
    sides = {
        (key, place): max(-low, high)
        for key, places in free.items()
        for place, (low, high) in slopes[key].slopes()
        if place in places and (low, high) != (0, 0)
    }
    return HalfSpace(constant[1], sides)


def distance(norm: Norm, space: HalfSpace) -> Fraction | None:
    """How far it is from no change to the half-space, at least; None where no change lies in it."""
    sides = space.sides.values()
    if not sides and (space.constant < 0 or (space.strict and space.constant == 0)):
        return None
    if space.constant >= 0:
        return Fraction(0)
    match norm:
        case "l2":
            length = isqrt(sum(side * side for side in sides)) + 1
        case "l1":
            length = max(sides)
        case "linf":
            length = sum(sides)
        case _:
            assert_never(norm)
    return Fraction(-space.constant, length)


def scaled(slope: Slope, factor: int) -> Slope:
    """An enclosed number, `factor` times; that is not negative."""
    return slope[0] * factor, slope[1] * factor


def at_start(slopes: Iterable[tuple[int, Slope]], values: Sequence[float]) -> Slope:
    """What the entries of a tensor add to an affine function of them."""
    total = (0, 0)
    for place, slope in slopes:
        above, below = values[place].as_integer_ratio()
        total = plus(total, over(slope, (above, above), below))
    return total


# --- one part of a requirement at one input --------------------------------------------------


def cut_at(obligation: Obligation, keys: Sequence[str], weights: Weights) -> Asked:
    """A requirement, ready to be looked at; raises `Unfounded` where what it assumes rests on the edit itself."""
    circuit = obligation.circuit
    names = {name: circuit.outputs[name] for name in obligation.conditions}
    if dependent(circuit, [Wire(i) for i in range(len(circuit.ops))], keys) & set(names.values()):
        raise Unfounded(f"what {obligation.title} assumes rests on what is edited")
    cut = freeze(circuit, keys)
    before = Circuit(circuit.ops, circuit.types, {**cut.before.outputs, **names})
    whole, strict = with_conjuncts(cut.after)
    way = way_back(whole, whole.outputs["slack"], keys)
    parts = Circuit(whole.ops, whole.types, {f"still {wire}": wire for wire in way.still})
    known = constants(before, weights), constants(parts, weights)
    return Asked(obligation, before, parts, way, strict, *known)


def part_at(asked: Asked, part: int, known: Mapping[Wire, Value]) -> Affine:
    """One part as a function of the edited tensors, at an input where this is known; raises `Unfounded`."""
    if not 0 <= part < asked.parts.types[asked.way.wire].entries:
        raise Unfounded("a multiplier is of no part of its requirement")
    try:
        return affine(asked.way, part, known)
    except NotAffine as error:
        raise Unfounded(f"{asked.obligation.title} is not affine in what is edited") from error


def as_text(witness: Witness) -> Mapping[str, tuple[str, ...]]:
    """An input as a multiplier has it."""
    return {name: tuple(map(str, entries)) for name, entries in witness.values}


def witness_in(text: Mapping[str, tuple[str, ...]]) -> Witness:
    """The input of a multiplier."""
    return Witness(tuple((name, tuple(map(Fraction, entries))) for name, entries in text.items()))


def still_at(asked: Asked, witness: Witness, weights: Weights) -> Mapping[Wire, Value]:
    """What no edit moves, at an input; raises `Unfounded` where that is not sure to meet the assumptions."""
    if not fits(asked.obligation, witness):
        raise Unfounded("an input is none of its requirement")
    wires = asked.before.inputs
    point = at_point(asked.before, {name: witness[name] for name in wires})
    try:
        found = intervals(asked.before, point, weights, known=asked.known)
        for name in asked.obligation.conditions:
            truth = found[asked.before.outputs[name]]
            if not isinstance(truth, Choices) or truth.sets != (TRUE,):
                raise Unfounded("an input does not meet what its requirement assumes")
        inputs = {name: found[asked.before.outputs[name]] for name in asked.parts.inputs}
        return intervals(asked.parts, inputs, weights, known=asked.known_parts)
    except Undefined as error:
        raise Unfounded("a requirement is undefined at an input") from error


# --- sizes -----------------------------------------------------------------------------------


def size_of(norm: Norm, moved: Sequence[tuple[float, float]]) -> Fraction:
    """How large a change is at most: each entry before and after."""
    absolute = [
        abs(Fraction(after) - Fraction(before)) for before, after in moved if before != after
    ]
    match norm:
        case "l1":
            return sum(absolute, Fraction(0))
        case "linf":
            return max(absolute, default=Fraction(0))
        case "l2":
            return root_above(sum((x * x for x in absolute), Fraction(0)))
        case _:
            assert_never(norm)


def root_above(x: Fraction) -> Fraction:
    """A number that is not below √x, and close to it."""
    if x == 0:
        return x
    shift = max(FINE - (x.numerator.bit_length() - x.denominator.bit_length()) // 2, 0)
    whole = -(-(x.numerator << 2 * shift) // x.denominator)
    return Fraction(isqrt(whole) + 1, 1 << shift)

"""A box that contains a domain, read off its top-level linear conditions.

Every condition that must hold becomes linear inequalities over the input's entries
(`circ.compiler.linear_forms`), and the inequalities tighten each entry's bounds in turn. Every step
is exact, or rounds outwards: the box contains the domain.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import accumulate

from circ.compiler.ir import All, Circuit, Compare, Real, Reindex, Wire
from circ.compiler.linear_forms import Forms, Linear, source
from circ.compiler.slabs import turned_box
from circ.compiler.tensor import Weights

ROUNDS = 32
"""Tightening that has not settled by then is cut short; the box is sound at any time."""

KEPT_BITS = 128
"""A bound with a longer denominator is rounded to as many bits, outwards."""

Bound = tuple[Fraction | None, Fraction | None]
Bounds = list[Bound]


def bounding_box(
    circuit: Circuit, conditions: Sequence[Wire], variables: Sequence[Wire], weights: Weights
) -> dict[Wire, Bounds]:
    """Bounds for each entry of the inputs `variables` where all `conditions` hold; None is unbounded.

    Tensors that `weights` lacks count as unknown.
    """
    sides = [circuit.types[variable].entries for variable in variables]
    starts = dict(zip(variables, accumulate(sides, initial=0), strict=False))
    forms = Forms(circuit, starts, weights)
    compared = (pair for condition in conditions for pair in held(circuit, condition))
    rows = [row for op, entry in compared for row in at_most_zero(forms, op, entry)]
    bounds: Bounds = [(None, None)] * sum(sides)
    settle(bounds, rows)
    if any(low is None or high is None for low, high in bounds):
        for entry, ends in turned_box(rows).items():
            bounds[entry] = within(bounds[entry], ends)
        settle(bounds, rows)
    return {
        variable: bounds[start : start + side]
        for (variable, start), side in zip(starts.items(), sides, strict=True)
    }


# --- from conditions to inequalities ----------------------------------------------------------


def held(circuit: Circuit, condition: Wire) -> Iterator[tuple[Compare, int]]:
    """The comparisons, entry by entry, that hold wherever a scalar truth does."""
    waiting = [(condition, 0)]
    while waiting:
        wire, entry = waiting.pop()
        op = circuit.ops[wire]
        match op:
            case All(operand=x):
                side = circuit.types[x].shape[-1]
                waiting.extend((x, entry * side + k) for k in reversed(range(side)))
            case Reindex():
                waiting.append(source(circuit, op, entry))
            case Compare():
                yield op, entry
            case _:
                pass


def at_most_zero(forms: Forms, op: Compare, entry: int) -> Iterator[Linear]:
    """Linear functions that a comparison of reals keeps at or below zero."""
    if forms.circuit.types[op.left].sort != Real():
        return
    one = Fraction(1)
    yield from forms.below([(one, op.left, entry), (-one, op.right, entry)])
    if op.op == "==":
        yield from forms.below([(one, op.right, entry), (-one, op.left, entry)])


# --- from inequalities to bounds --------------------------------------------------------------


def settle(bounds: Bounds, rows: list[Linear]) -> None:
    """Tighten by every row in turn until nothing changes."""
    for _ in range(ROUNDS):
        before = list(bounds)
        for row in rows:
            tighten(bounds, row)
        if bounds == before:
            return


def within(bound: Bound, ends: tuple[Fraction, Fraction]) -> Bound:
    """The tighter of two bounds, on either side."""
    low, high = bound
    return (
        ends[0] if low is None else max(low, ends[0]),
        ends[1] if high is None else min(high, ends[1]),
    )


def tighten(bounds: Bounds, row: Linear) -> None:
    """Use `row <= 0` to bound each entry by the least the others can contribute."""
    least = {entry: smallest(c, bounds[entry]) for entry, c in row.coefficients.items()}
    open_entries = [entry for entry, value in least.items() if value is None]
    if len(open_entries) > 1:
        return
    known = sum((value for value in least.values() if value is not None), row.constant)
    for entry, c in row.coefficients.items():
        if open_entries and entry != open_entries[0]:
            continue
        own = least[entry]
        limit = outward(-(known - (own if own is not None else 0)) / c, c > 0)
        low, high = bounds[entry]
        if c > 0:
            bounds[entry] = (low, limit if high is None else min(high, limit))
        else:
            bounds[entry] = (limit if low is None else max(low, limit), high)


def outward(limit: Fraction, upwards: bool) -> Fraction:
    """A long fraction rounded to `KEPT_BITS` significant bits, away from what it bounds.

    Each round multiplies denominators: kept in full they would grow to thousands of bits.
    """
    numerator, denominator = limit.as_integer_ratio()
    if denominator.bit_length() <= KEPT_BITS:
        return limit
    scale = 1 << KEPT_BITS + max(0, denominator.bit_length() - abs(numerator).bit_length())
    whole = -(-numerator * scale // denominator) if upwards else numerator * scale // denominator
    return Fraction(whole, scale)


def smallest(c: Fraction, bound: Bound) -> Fraction | None:
    """The least value of c · x."""
    side = bound[0] if c > 0 else bound[1]
    return None if side is None else c * side

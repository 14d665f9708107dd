"""`Contract` on enclosures: what is known goes into each part; softmax entries are read as averages.

Rows of a softmax are multiplied by values before they are divided by their sum. What is read so lies
between the least and the largest value, whatever the scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

import numpy as np

from circ.compiler.ir import Contract
from circ.compiler.readings import arrays, balls, quotients, relaxed
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import Ball
from circ.compiler.readings.enclosed import Enclosed
from circ.compiler.readings.floats import summands
from circ.compiler.readings.forms import (
    Edges,
    Form,
    contracted_edges,
    contraction,
    flipped,
    interval,
)
from circ.compiler.readings.quotients import ABSENT, MIXED, Ratio, Sums

MOST_ROWS = 1 << 40
"""More rows than a softmax has."""


def contracted(op: Contract, found: Enclosed) -> Sums:
    """`Contract`: of what is known with sums, part by part, or of two forms."""
    types = found.recipe.circuit.types
    terms = summands(op.spec, types[op.left].shape)
    for known, other, spec in (
        (op.left, op.right, op.spec),
        (op.right, op.left, flipped(op.spec)),
    ):
        weight = found.known(known)
        if weight is not None:
            return weighed(spec, terms, weight, found.of(other), found)
    left, right = found.of(op.left), found.of(op.right)
    if op.left == op.right and len(set(op.spec.split("->")[0].split(","))) == 1:
        x = found.divided(left)
        return Sums(relaxed.squared(op.spec, terms, x, found.losses))
    if shares(left) and not shares(right):
        return multiplied(flipped(op.spec), terms, found.divided(right), left, found)
    right = right if shares(right) else Sums(found.divided(right))
    return multiplied(op.spec, terms, found.divided(left), right, found)


def shares(x: Sums) -> bool:
    """Whether these are entries of softmaxes, and zeros: what is multiplied before it is divided."""
    return x.plain is None and all((ratio.part >= ABSENT).all() for ratio in x.over.values())


def weighed(spec: str, terms: int, weight: Ball, x: Sums, found: Enclosed) -> Sums:
    """The product of what is the same on every word, on the left, with each part of sums."""
    x, times = apart(x, spec, found), contraction(spec, terms, found.sets)
    shape = weight.mid.shape[:-1]

    def ratio(part: Ratio) -> Ratio:
        top, row = times(weight, part.top), moved_rows(spec, shape, part)
        rad = balls.radius(weight)
        hull = averaged(spec, (weight.mid - rad, weight.mid + rad), part)
        if hull is None and part.hull is not None:
            hull = contracted_edges(spec, terms, weight, part.hull)
        return Ratio(top, row, np.full_like(row, MIXED), hull, part.side)

    return quotients.mapped(x, lambda part: times(weight, part), ratio)


def multiplied(spec: str, terms: int, form: Form, x: Sums, found: Enclosed) -> Sums:
    """The product of a form, on the left, with each part of sums."""
    x = apart(x, spec, found)

    def times(part: Form) -> Form:
        return relaxed.multiplied(spec, terms, form, part, found.losses)

    def ratio(part: Ratio) -> Ratio:
        row = moved_rows(spec, form.shape, part)
        hull = averaged(spec, interval(form, found.sets), part)
        return Ratio(times(part.top), row, np.full_like(row, MIXED), hull, part.side)

    return quotients.mapped(x, times, ratio)


def averaged(spec: str, edges: Edges, ratio: Ratio) -> Edges | None:
    """Bounds on what a softmax reads of values with these bounds: an average, or part of one.

    The entries that are added up are different entries of the softmax, and zeros.
    """
    inputs, output = spec.split("->")
    values, shares = inputs.split(",")
    summed = [letter for letter in shares if letter not in output]
    if len(summed) != 1 or (ratio.part < ABSENT).any():
        return None
    parts = np.moveaxis(ratio.part, shares.index(summed[0]), -1)
    ordered = np.sort(parts, axis=-1)
    if ((ordered[..., 1:] == ordered[..., :-1]) & (ordered[..., 1:] != ABSENT)).any():
        return None
    letters = output + summed[0]
    present = arrays.placed((ratio.part != ABSENT)[..., None], shares, letters)
    low, high = (arrays.placed(edge, values, letters) for edge in edges)
    least, most = np.where(present, low, inf).min(-2), np.where(present, high, -inf).max(-2)
    sides = dict(zip(shares, ratio.part.shape, strict=True))
    whole = present.all() and sides[summed[0]] == ratio.side  # then the shares add up to 1
    if not whole:
        least, most = np.minimum(least, 0), np.maximum(most, 0)
    slack = (np.abs(least) + np.abs(most)) * 2.0**-50
    return least - slack, most + slack


def apart(x: Sums, spec: str, found: Enclosed) -> Sums:
    """Sums divided out where the contraction adds up entries over unlike denominators.

    They are the second operand.
    """
    inputs, output = spec.split("->")
    letters = inputs.split(",")[1]
    summed = tuple(axis for axis, letter in enumerate(letters) if letter not in output)
    alike = all(
        (largest_row(ratio, summed) <= least_row(ratio, summed)).all() for ratio in x.over.values()
    )
    return x if alike else Sums(found.divided(x))


def largest_row(ratio: Ratio, axes: tuple[int, ...]) -> IntArray:
    """The last denominator that entries along these axes are over; what is zero may be over any."""
    return np.asarray(np.where(ratio.part == ABSENT, 0, ratio.row).max(axes, initial=0))


def least_row(ratio: Ratio, axes: tuple[int, ...]) -> IntArray:
    """The first one."""
    rows = np.where(ratio.part == ABSENT, MOST_ROWS, ratio.row)
    return np.asarray(rows.min(axes, initial=MOST_ROWS))


def moved_rows(spec: str, left: Sequence[int], ratio: Ratio) -> IntArray:
    """Which denominator each entry of a contraction is over: that of the second operand's entries."""
    inputs, output = spec.split("->")
    first, letters = inputs.split(",")
    sides = dict(zip(first, left, strict=True)) | dict(zip(letters, ratio.row.shape, strict=True))
    summed = tuple(axis for axis, letter in enumerate(letters) if letter not in output)
    lone = largest_row(ratio, summed)
    rest = "".join(letter for letter in letters if letter in output)
    placed = arrays.placed(lone[..., None], rest, output)[..., 0]
    return np.broadcast_to(placed, tuple(sides[letter] for letter in output)).copy()

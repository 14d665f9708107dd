"""Products of tensors of a net: einsums, entry by entry or summed up."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import prod

import numpy as np

from circ.compiler.boxes.affine import Affine, Product, combined, mapped, picked, stored
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.net import BoolArray, IntArray
from circ.compiler.boxes.squares import gated, squared
from circ.compiler.ir import Shape

ONE = Fraction(1)

MOST_PRODUCTS = 1 << 14
"""Most pairs of values that are multiplied in one op."""


def times(growing: Growing, left: Affine, right: Affine) -> Affine:
    """The products of entries; where one side is known, no unit is made."""
    both = np.flatnonzero(has(left) & has(right))
    second = np.flatnonzero(~has(left))
    first = np.flatnonzero(has(left) & ~has(right))
    parts = [
        scaled(growing, picked([left], second), picked([right], second)),
        scaled(growing, picked([right], first), picked([left], first)),
    ]
    if len(both):
        parts.append(varying(growing, picked([left], both), picked([right], both)))
    return picked(parts, np.argsort(np.concatenate([second, first, both]), kind="stable"))


def varying(growing: Growing, left: Affine, right: Affine) -> Affine:
    """The products of entries that both have units in them: those that are one unit, and the others."""
    waiting, parts, order = np.arange(left.entries), list[Affine](), list[IntArray]()
    for whole, first, second in (
        (squared, left, right),
        (gated, left, right),
        (gated, right, left),
    ):
        if not len(waiting):
            break
        places, found = whole(growing, picked([first], waiting), picked([second], waiting))
        if found is not None:
            parts.append(found)
            order.append(waiting[places])
            waiting = np.delete(waiting, places)
    if len(waiting):
        pair = picked([left, right], np.concatenate([waiting, left.entries + waiting]))
        parts.append(growing.applied("product", pair))
        order.append(waiting)
    return picked(parts, np.argsort(np.concatenate(order), kind="stable"))


def scaled(growing: Growing, known: Affine, x: Affine) -> Affine:
    """Entries times known ones."""
    shape = (x.entries,)
    fixed = Affine({}, known.const, known.slack)
    return mapped(Product("a", "a", "a", shape, shape), fixed, x, growing.reach)


def einsum(
    growing: Growing, spec: str, sides: tuple[Affine, Affine], shapes: tuple[Shape, Shape]
) -> Affine:
    """An einsum: a matrix product where one side is known, else a sum of product units."""
    left, right = sides
    letters, output = spec.split("->")
    first, second = letters.split(",")
    if left.fixed:
        plan = Product(first, second, output, *shapes)
        return mapped(plan, left, right, growing.reach)
    if right.fixed:
        plan = Product(second, first, output, shapes[1], shapes[0])
        return mapped(plan, right, left, growing.reach)
    return multiplied(growing, (first, left), (second, right), output, shapes)


def multiplied(
    growing: Growing,
    first: tuple[str, Affine],
    second: tuple[str, Affine],
    output: str,
    shapes: tuple[Shape, Shape],
) -> Affine:
    """An einsum of two tensors that both have units in them: products, then sums of them."""
    sides = dict(zip(first[0], shapes[0], strict=True))
    sides |= dict(zip(second[0], shapes[1], strict=True))
    order = [*output, *(letter for letter in sides if letter not in output)]
    lengths = [sides[letter] for letter in order]
    grid = np.indices(lengths).reshape(len(order), prod(lengths))
    if grid.shape[1] > MOST_PRODUCTS:
        raise Beyond(f"it multiplies more than {MOST_PRODUCTS:,} pairs of values")
    at = dict(zip(order, grid, strict=True))
    left, right = (
        picked([x], flat_places([at[letter] for letter in letters], shape, grid.shape[1]))
        for (letters, x), shape in zip((first, second), shapes, strict=True)
    )
    every = times(growing, left, right)
    entries = prod(sides[letter] for letter in output)
    if not grid.shape[1]:
        return stored(np.zeros(entries))
    runs = grid.shape[1] // entries
    terms = [(ONE, picked([every], np.arange(k, every.entries, runs))) for k in range(runs)]
    return combined(terms, growing.reach)


def flat_places(at: Sequence[IntArray], shape: Shape, count: int) -> IntArray:
    """The row-major places of coordinates."""
    if not shape:
        return np.zeros(count, np.int64)
    return np.asarray(np.ravel_multi_index(tuple(at), shape), np.int64)


def has(x: Affine) -> BoolArray:
    """Whether an entry has a unit in it."""
    found = np.zeros(x.entries, np.bool_)
    for rows in x.maps.values():
        found |= rows.any(1)
    return found

"""Products that are one unit: x times itself, and x / (1 + e^-x).

Two functions that floats give the same numbers may still differ by what floats leave of them; that is
charged for.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import Affine, Product, combined, mapped, picked, size
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.net import UNIT, BoolArray, FloatArray, IntArray

ONE = Fraction(1)

AS_GOOD_AS = 2.0**-40
"""Two functions differ by no more than this of their size, if one may stand for the other."""

MORE = 1 + 16 * UNIT


def same(left: Affine, right: Affine) -> BoolArray:
    """In which entries both have the same numbers."""
    found = left.const == right.const
    for j in {*left.maps, *right.maps}:
        rows = [x.maps.get(j) for x in (left, right)]
        if rows[0] is None or rows[1] is None:
            some = rows[0] if rows[1] is None else rows[1]
            found &= ~np.asarray(some).any(1)
        else:
            found &= (rows[0] == rows[1]).all(1)
    return np.asarray(found)


def squared(growing: Growing, left: Affine, right: Affine) -> Affine:
    """The products of functions with the same numbers.

    The second is the first and something of size at most both slacks.
    """
    found = growing.applied("square", left)
    sizes = size(left, growing.reach) + left.slack
    apart = sizes * (left.slack + right.slack) * MORE
    return replace(found, slack=found.slack + apart)


def gates(growing: Growing, x: Affine) -> list[tuple[int, int] | None]:
    """For each entry that is one unit 1 / (1 + e^-p) and nothing else, its layer and place."""
    found: list[tuple[int, int] | None] = [None] * x.entries
    many = np.zeros(x.entries, np.int64)
    for rows in x.maps.values():
        many += (rows != 0).sum(1)
    alone = (many == 1) & (x.const == 0)
    for j, rows in x.maps.items():
        if j and growing.layers[j - 1].kind == "sigmoid":
            for k in np.flatnonzero(alone & (rows == 1).any(1)):
                found[k] = (j, int(rows[k].argmax()))
    return found


def gated(growing: Growing, left: Affine, right: Affine) -> tuple[IntArray, Affine | None]:
    """The entries where `right` is 1 / (1 + e^-p) and `left` a multiple of p, and their products.

    With left = c p + d, the product is c p / (1 + e^-p) and something of size at most |d|.
    """
    places, chosen, factors = list[int](), list[Affine](), list[float]()
    off = list[float]()
    for k, gate in enumerate(gates(growing, right)):
        if gate is None:
            continue
        mine = picked([left], np.array([k]))
        inner = before(growing, *gate)
        factor = ratio(mine, inner)
        apart = combined([(ONE, mine), (-Fraction(factor), inner)], growing.reach)
        mass = size(mine, growing.reach) + mine.slack
        loose = size(apart, growing.reach) + apart.slack
        if factor and loose[0] <= mass[0] * AS_GOOD_AS:
            places.append(k)
            chosen.append(inner)
            factors.append(factor)
            off.append(float((loose + mass * right.slack[k])[0]) * MORE)
    if not places:
        return np.zeros(0, np.int64), None
    units = growing.applied("swish", picked(chosen, np.arange(len(places))))
    whole = times_known(growing, np.array(factors), units)
    return np.array(places), replace(whole, slack=(whole.slack + np.array(off)) * MORE)


def before(growing: Growing, layer: int, place: int) -> Affine:
    """The pre-activation of a unit."""
    found = growing.layers[layer - 1]
    chosen = slice(place, place + 1)
    maps = {j: matrix[chosen] for j, matrix in found.sources if matrix[chosen].any()}
    return Affine(maps, found.bias[chosen], found.slack[chosen])


def ratio(x: Affine, y: Affine) -> float:
    """About how many times x is y, if it is a multiple of it; else any number, 0 where there is none."""
    most, found = 0.0, 0.0
    for j, rows in y.maps.items():
        place = int(np.abs(rows[0]).argmax())
        if abs(rows[0, place]) > most and j in x.maps:
            most = float(abs(rows[0, place]))
            found = float(x.maps[j][0, place] / rows[0, place])
    return found if np.isfinite(found) else 0.0


def times_known(growing: Growing, factors: FloatArray, x: Affine) -> Affine:
    """Entries times floats."""
    plan = Product("a", "a", "a", (x.entries,), (x.entries,))
    return mapped(plan, Affine({}, factors, np.zeros(x.entries)), x, growing.reach)

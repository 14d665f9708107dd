"""The softmax over some entries of each row: those left out are 0, and count for nothing in the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import prod

from circ.compiler.builder import Builder, flatten, reals, reindex
from circ.compiler.ir import Shape, Softmax, Wire

Places = tuple[int, ...]
"""The entries that a row keeps, by their places in it."""


def softmax_of_kept(b: Builder, scores: Wire, rows: Sequence[Sequence[int]]) -> Wire:
    """The softmax of each row along the last axis over the entries that it keeps, of which each has some.

    Rows that keep the same entries are one op.
    """
    groups: dict[Places, list[int]] = {}
    for row, places in enumerate(rows):
        groups.setdefault(tuple(places), []).append(row)
    return assembled(b, flatten(b, scores), groups, b.shape(scores))


def assembled(
    b: Builder, scores: Wire, groups: Mapping[Places, Sequence[int]], shape: Shape
) -> Wire:
    """The softmax of each group of rows, put where its entries stand, and 0 everywhere else."""
    side = shape[-1]
    wires, source, first = [reals(b, (Fraction(0),), (1,))], [0] * prod(shape), 1
    for places, rows in groups.items():
        picked = [row * side + place for row in rows for place in places]
        wires.append(weights(b, scores, picked, len(places)))
        for offset, target in enumerate(picked):
            source[target] = first + offset
        first += len(picked)
    return reindex(b, wires, source, shape)


def weights(b: Builder, scores: Wire, picked: Sequence[int], width: int) -> Wire:
    """The softmax of rows of `width` scores, flat; of a single score it is 1."""
    if width == 1:
        return reals(b, (Fraction(1),) * len(picked), (len(picked),))
    rows = reindex(b, [scores], picked, (len(picked) // width, width))
    return flatten(b, b.add(Softmax(rows)))

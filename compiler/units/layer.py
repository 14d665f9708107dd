"""Functions with hinges as one hidden layer: a unit each hinge, and as few as can be for what is affine."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from circ.compiler.ir import Circuit
from circ.compiler.linear_forms import Linear, total
from circ.compiler.obligation import Box
from circ.compiler.tensor import Weights
from circ.compiler.units.affine import Directions, at, directions, extent, power_at_least
from circ.compiler.units.hidden import HiddenUnits, Vector
from circ.compiler.units.hinges import Hinges
from circ.compiler.units.reading import HingeReading

MOST_TURNED = 64
"""Hinges that are tried the other way round."""


def compiled(circuit: Circuit, weights: Weights, box: Box, margin: Fraction | None) -> HiddenUnits:
    """The output `goal` of a circuit with one input, on a box, as a layer.

    Exact wherever every guard that it follows has a slack of at least `margin`, on either side. Raises
    `NotOneLayer` where no layer is read off.
    """
    hinges = Hinges(box, margin)
    rows = HingeReading(circuit, weights, hinges).read(circuit.outputs["goal"])
    return as_units(rows, hinges)


def as_units(rows: Sequence[Linear], hinges: Hinges) -> HiddenUnits:
    """Functions as units; what is affine in them becomes units that are never shut on the box."""
    split = [hinges.parts(row) for row in rows]
    affine = [row for row, _ in split]
    used = sorted({k for _, bends in split for k in bends})
    columns = {k: tuple(bends.get(k, Fraction(0)) for _, bends in split) for k in used}
    bent = {k: hinges.rows[k] for k in used}
    affine, turned = turned_round(affine, bent, columns)
    found = [(turned[k], columns[k]) for k in used]
    constant = [row.constant for row in affine]
    spanning = directions([without_constant(row) for row in affine])
    for number, place in enumerate(spanning.places):
        row, column = without_constant(affine[place]), column_of(spanning, number)
        low, _ = extent(row, hinges.box)
        lift = power_at_least(-low) if low < 0 else Fraction(0)
        found.append((Linear(row.coefficients, lift), column))
        constant = [c - lift * share for c, share in zip(constant, column, strict=True)]
    width = range(len(hinges.box))
    return HiddenUnits(
        rows=tuple(tuple(at(row, entry) for entry in width) for row, _ in found),
        biases=tuple(row.constant for row, _ in found),
        columns=tuple(column for _, column in found),
        constant=tuple(constant),
    )


def turned_round(
    affine: list[Linear], bent: dict[int, Linear], columns: dict[int, Vector]
) -> tuple[list[Linear], dict[int, Linear]]:
    """Hinges the other way round, relu(h) = h + relu(-h), where that leaves less that is affine."""
    rank = rank_of(affine)
    for k in list(bent)[:MOST_TURNED]:
        if not rank:
            break
        row = bent[k]
        trial = [
            total([(Fraction(1), before), (c, row)])
            for before, c in zip(affine, columns[k], strict=True)
        ]
        less = rank_of(trial)
        if less < rank:
            affine, rank, bent = trial, less, {**bent, k: total([(Fraction(-1), row)])}
    return affine, bent


def rank_of(rows: Sequence[Linear]) -> int:
    """How many units the affine functions take, constants aside."""
    return len(directions([without_constant(row) for row in rows]).places)


def without_constant(row: Linear) -> Linear:
    """The part that depends on the input."""
    return Linear(row.coefficients, Fraction(0))


def column_of(spanning: Directions, number: int) -> Vector:
    """What a direction gives to each function."""
    return tuple(share.get(number, Fraction(0)) for share in spanning.shares)

"""The row of a data set that a witness names by its number."""

from __future__ import annotations

from fractions import Fraction

from circ.compiler.obligation import Obligation, Witness
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.tensor import Weights


def row_at(
    obligation: Obligation, witness: Witness, weights: Weights, name: str
) -> tuple[Fraction | int, ...]:
    """The entries of the row that the binder of this name is at a witness, row-major."""
    circuit, shown = obligation.circuit, f"show {name}"
    point = at_point(circuit, {name: witness[name]})
    match enclose(circuit, point, weights, outputs=[shown])[shown]:
        case Reals(box=box):
            return tuple(low for low, _ in box)
        case Choices(sets=sets):
            return tuple(code for codes in sets for code in codes)

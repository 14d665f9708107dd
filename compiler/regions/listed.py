"""Regions of a circuit on a box, as they are told: cells with what bounds them and their affine functions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

from circ.compiler.finding import Progress, silent
from circ.compiler.obligation import Obligation
from circ.compiler.regions.cell import Cut
from circ.compiler.regions.cells import Search, State
from circ.compiler.regions.maps import Map
from circ.compiler.regions.polytope import Point
from circ.compiler.regions.reading import NotPiecewise
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Region:
    """A cell, the affine function that the circuit is on it, and how far inside its middle lies.

    `map` has a row for each entry of the value: a coefficient for each input and the constant. `cuts` are
    those that its closure reaches, without the ends of the box. `radius` is half the side of the largest cube
    (of as many dimensions as the box) inside, `middle` its middle; a `flat` region has a radius of its own,
    the least distance of `middle` from what bounds it, and no inside.
    """

    cuts: tuple[Cut, ...]
    map: tuple[tuple[Fraction, ...], ...]
    middle: Point
    radius: Fraction
    flat: bool

    def holds(self, point: Point) -> bool:
        """Whether a point of the domain lies in it."""
        return all(cut.holds(point) for cut in self.cuts)

    def at(self, point: Point) -> tuple[Fraction, ...]:
        """The value there."""
        return tuple(
            sum((a * x for a, x in zip(row, point, strict=False)), row[-1]) for row in self.map
        )


def regions(
    question: Obligation, weights: Weights, most: int, progress: Progress
) -> tuple[Region, ...]:
    """All regions of the goal, a real tensor, on the domain; raises `NotPiecewise`, `TooMany`."""
    search = Search(question, weights, most)
    found = list[Region]()
    for state in search.cells(progress):
        found.append(region_of(search, state))
        progress(0.0, f"{len(found):,} regions")
    return tuple(found)


def region_of(search: Search, state: State) -> Region:
    """The region of a cell that was gone through."""
    value, layout = state.known[search.goal], search.layout
    assert isinstance(value, Map)
    radius, middle = state.cell.middle() if layout.free else (Fraction(0), ())
    cuts = tuple(
        replace(cut, row=tuple(map(int, layout.widened(cut.row))))
        for cut in state.cell.touched()
        if cut.kind != "box"
    )
    rows = tuple(layout.widened(row) for row in value.rows)
    return Region(cuts, rows, layout.point(middle), radius, state.cell.flat)


def highest(question: Obligation, weights: Weights, point: Point) -> Point | None:
    """Where a number is largest in the closure of the cell that has a point, which is in the domain.

    None where the circuit is not read, or no input varies.
    """
    try:
        search = Search(question, weights, 1)
        free = tuple(point[k] for k in search.layout.free)
        search.aim = free
        state = next(search.cells(silent), None)
    except NotPiecewise:
        return None
    if state is None or not free:
        return None
    value = state.known[search.goal]
    assert isinstance(value, Map)
    return search.layout.point(state.cell.reach(value.row(0)).point)

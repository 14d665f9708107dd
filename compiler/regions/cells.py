"""The cells of a box on which a circuit is one affine function.

A circuit is read op by op on a cell, in exact affine functions of the inputs. Where the sign of one decides
what an op does, and it has both signs on the cell, the cell is parted in two and each is gone on with. Whether
it has is decided by exact linear programs. So the cells are those of the circuit as it is written: every point
of the domain is in exactly one, boundaries of guards included.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import assert_never

import numpy as np

from circ.compiler.finding import Progress
from circ.compiler.ir import Circuit, Compare, Comparison, Max, Real, Relu, Wire, operands
from circ.compiler.obligation import Obligation
from circ.compiler.regions.cell import Cell, Cut, Kind, negative, within_box
from circ.compiler.regions.maps import Map, combined, picked
from circ.compiler.regions.polytope import Point, Row, coprime
from circ.compiler.regions.reading import Layout, Reading, Value, laid_out, plain
from circ.compiler.tensor import Weights


class TooMany(Exception):
    """There are more cells than were asked for."""


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """A cell on its way through the ops: those before `place` are known on it, of the next one the first
    outcomes are `decided`."""

    cell: Cell
    known: dict[Wire, Value] = field(repr=False)
    place: int = 0
    decided: tuple[int, ...] = ()


@dataclass(slots=True)
class Search:
    """Goes through the cells depth first, or to that of one point alone, if there is an `aim`.

    `waiting` are those that are still to be gone through.
    """

    question: Obligation
    weights: Weights
    most: int
    aim: Point | None = None
    layout: Layout = field(init=False)
    reading: Reading = field(init=False)
    conditional: frozenset[Wire] = field(init=False)
    order: list[Wire] = field(init=False)
    waiting: list[State] = field(init=False)
    done: int = 0

    def __post_init__(self) -> None:
        self.layout = laid_out(self.question)
        circuit = self.question.circuit
        self.reading = Reading(circuit, self.weights, self.layout)
        conditions = needed(circuit, [circuit.outputs[name] for name in self.question.conditions])
        rest = [wire for wire in needed(circuit, [self.goal]) if wire not in conditions]
        self.conditional = frozenset(conditions)
        self.order = [*conditions, *rest]
        empty = any(low > high for low, high in self.layout.ends)
        box = [self.layout.ends[k] for k in self.layout.free]
        self.waiting = [] if empty else [State(within_box(box), {})]

    @property
    def goal(self) -> Wire:
        """The tensor whose regions are looked for."""
        return self.question.circuit.outputs["goal"]

    def cells(self, progress: Progress) -> Iterator[State]:
        """Each cell of the domain, with all that is known on it."""
        while self.waiting:
            state: State | None = self.waiting.pop()
            while state is not None and state.place < len(self.order):
                progress(0.0, f"{self.done:,} regions")
                state = self.advanced(state)
            if state is not None:
                self.done += 1
                yield state
            if self.done + len(self.waiting) > self.most:
                raise TooMany

    def advanced(self, state: State) -> State | None:
        """One op further, or one part of the cell with its op less open; None outside the domain."""
        wire = self.order[state.place]
        op = self.question.circuit.ops[wire]
        match op:
            case Relu(operand=x):
                return self.relu(state, wire, x)
            case Max(operand=x):
                return self.largest(state, wire, x)
            case Compare(left=left, right=right) if (
                self.question.circuit.types[left].sort == Real()
            ):
                return self.compared(state, wire, op, left, right)
            case _:
                return self.with_value(state, wire, plain(self.reading, wire, state.known))

    def with_value(self, state: State, wire: Wire, value: Value) -> State | None:
        """The state behind an op; None where a condition of the domain turns out not to hold."""
        for name in self.question.conditions:
            if self.question.circuit.outputs[name] == wire:
                assert not isinstance(value, Map)
                if not value.all():
                    return None
        return State(state.cell, {**state.known, wire: value}, state.place + 1)

    # --- ops that part a cell -------------------------------------------------------------------

    def relu(self, state: State, wire: Wire, x: Wire) -> State | None:
        """Each entry is on where it is not below 0, or off."""
        given = state.known[x]
        assert isinstance(given, Map)
        decided = list(state.decided)
        for entry in range(len(decided), len(given.nums)):
            row = given.row(entry)
            low, high = state.cell.signs(row)
            if low < 0 < high:
                return self.parted(state, decided, Cut(row, "relu"), (1, 0))
            decided.append(int(low >= 0))
        on = np.array(decided, dtype=object).reshape(-1, 1)
        return self.with_value(state, wire, Map(given.nums * on, given.den))

    def largest(self, state: State, wire: Wire, x: Wire) -> State | None:
        """The largest of each run: `decided` says of each further one whether it is larger than those
        before it."""
        given = state.known[x]
        assert isinstance(given, Map)
        width = self.question.circuit.types[x].shape[-1]
        decided = list(state.decided)
        chosen = [run * width for run in range(len(given.nums) // width)]
        tried = 0
        for run in range(len(chosen)):
            for entry in range(run * width + 1, (run + 1) * width):
                if tried == len(decided):
                    row = coprime((given.nums[entry] - given.nums[chosen[run]]).tolist())
                    low, high = state.cell.signs(row)
                    if low < 0 < high:
                        return self.parted(state, decided, Cut(row, "max"), (1, 0))
                    decided.append(int(low >= 0))
                chosen[run] = entry if decided[tried] else chosen[run]
                tried += 1
        return self.with_value(state, wire, picked([given], chosen))

    def parted(
        self, state: State, decided: Sequence[int], cut: Cut, outcomes: tuple[int, int]
    ) -> State:
        """The part where a cut holds, and that where it does not."""
        other = Cut(negative(cut.row), cut.kind, strict=not cut.strict)
        return self.apart(state, decided, [(cut, outcomes[0]), (other, outcomes[1])])

    def apart(
        self, state: State, decided: Sequence[int], parts: Sequence[tuple[Cut, int]]
    ) -> State:
        """The first part of a cell; the others are left for later. With an aim, the part that has it."""
        if self.aim is not None:
            parts = [part for part in parts if part[0].holds(self.aim)]
        for cut, outcome in parts[1:]:
            rest = replace(state, cell=state.cell.cut(cut), decided=(*decided, outcome))
            self.waiting.append(rest)
        cut, outcome = parts[0]
        return replace(state, cell=state.cell.cut(cut), decided=(*decided, outcome))

    def compared(
        self, state: State, wire: Wire, op: Compare, left: Wire, right: Wire
    ) -> State | None:
        """Whether each entry of the comparison holds."""
        sides = state.known[right], state.known[left]
        above = combined([(c, x) for c, x in zip(SIGNS, sides, strict=True) if isinstance(x, Map)])
        kind: Kind = "domain" if wire in self.conditional else "guard"
        decided = list(state.decided)
        for entry in range(len(decided), len(above.nums)):
            row = above.row(entry)
            parts = list(outcomes(op.op, state.cell, row, kind))
            cuts = [(cut, outcome) for cut, outcome in parts if cut is not None]
            if cuts:
                return self.apart(state, decided, cuts)
            decided.append(parts[0][1])
        return self.with_value(state, wire, np.array(decided, np.int64))


SIGNS = (Fraction(1), Fraction(-1))


def outcomes(op: Comparison, cell: Cell, row: Row, kind: Kind) -> Iterator[tuple[Cut | None, int]]:
    """The parts of a cell in which a comparison holds, or not, where `row` is its right side less its left.

    No cut: all of the cell. A part of fewer dimensions comes last.
    """
    low, high = cell.signs(row)
    over, under = Cut(row, kind), Cut(negative(row), kind)
    touched = low <= 0 <= high and low < high and cell.meets(row)
    at = Cut(row, kind, flat=True)
    match op:
        case "<=":
            if low < 0 < high:
                yield over, 1
                yield replace(under, strict=True), 0
            elif high == 0 and touched:
                yield replace(under, strict=True), 0
                yield at, 1
            else:
                yield None, int(low >= 0)
        case "<":
            if low < 0 < high:
                yield replace(over, strict=True), 1
                yield under, 0
            elif low == 0 and touched:
                yield replace(over, strict=True), 1
                yield at, 0
            else:
                yield None, int(high > 0 and low >= 0)
        case "==":
            if not touched:
                yield None, int(low == high == 0)
                return
            for side, there in ((over, high > 0), (under, low < 0)):
                if there:
                    yield replace(side, strict=True), 0
            yield at, 1
        case _:
            assert_never(op)


def needed(circuit: Circuit, wanted: Iterable[Wire]) -> list[Wire]:
    """The wires that these depend on, in order."""
    found, waiting = set[Wire](), list(wanted)
    while waiting:
        wire = waiting.pop()
        if wire not in found:
            found.add(wire)
            waiting.extend(operands(circuit.ops[wire]))
    return sorted(found)

"""A question about a box, as a net and rows: what is met where, in affine functions of units.

The reading is one `match`. Real wires are affine functions of units; truths that a value depends on
are units of 0 and 1. Only what the clauses compare is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod

import numpy as np

from circ.compiler.boxes.affine import (
    Affine,
    combined,
    constant,
    enclosed,
    picked,
    stored,
    units,
)
from circ.compiler.boxes.clauses import Atom, Beyond, refuting
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.live import live
from circ.compiler.boxes.marks import kept
from circ.compiler.boxes.net import LARGEST, TOO_LARGE, BoolArray, Net, Row
from circ.compiler.boxes.products import einsum, times
from circ.compiler.boxes.smooth import fused, reads, smooth, softmax
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Reindex,
    Relu,
    Select,
    Shape,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
)
from circ.compiler.obligation import Obligation, Reals
from circ.compiler.signs import sign_of
from circ.compiler.tensor import Weights

ONE = Fraction(1)

WIDER = 1.001
"""Intervals that are wider than others by no more than this factor say as much."""


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """No input of the box may meet a clause: all of its rows at most 0, or below 0 where `strict`.

    `clauses` hold numbers of rows; the input is the binders' entries in order.
    """

    net: Net
    rows: tuple[Row, ...]
    strict: tuple[bool, ...]
    clauses: tuple[tuple[int, ...], ...]


def read(obligation: Obligation, weights: Weights) -> Problem:
    """The problem of an obligation over boxes; raises `Beyond` where it has none."""
    clauses = refuting(obligation, weights)
    reading = begin(obligation, weights)
    atoms = list(dict.fromkeys(atom for clause in clauses for atom in sorted_atoms(clause)))
    rows = reading.rows(atoms)
    number = {atom: k for k, atom in enumerate(atoms)}
    told = tuple(tuple(number[atom] for atom in sorted_atoms(clause)) for clause in clauses)
    return Problem(*live(reading.growing.net, rows), tuple(atom.strict for atom in atoms), told)


def sorted_atoms(clause: Iterable[Atom]) -> list[Atom]:
    """The atoms of a clause in a fixed order."""
    return sorted(clause, key=lambda a: (a.left, a.entry, a.right, a.other, a.strict))


def begin(obligation: Obligation, weights: Weights) -> Reading:
    """A reading that knows the box of the inputs, and nothing else yet."""
    low, high = list[float](), list[float]()
    places = dict[str, tuple[int, int]]()
    for binder in obligation.binders:
        if not isinstance(binder.values, Reals):
            raise Beyond(f"`{binder.name}` is a word")
        places[binder.name] = (len(low), binder.type.entries)
        if any(max(abs(low), abs(high)) >= LARGEST for low, high in binder.values.box):
            raise Beyond(TOO_LARGE)
        low += [outward(end, -1) for end, _ in binder.values.box]
        high += [outward(end, 1) for _, end in binder.values.box]
    growing = Growing([np.array(low)], [np.array(high)])
    return Reading(obligation.circuit, weights, places, growing)


def outward(end: Fraction, side: int) -> float:
    """The nearest float that is not inside an interval with that end (its lower one: -1)."""
    near = float(end)
    if (Fraction(near) - end) * side >= 0:
        return near
    return float(np.nextafter(near, side * np.inf))


@dataclass(slots=True)
class Reading:
    """Wires read so far, by number; `places` has where each binder's entries stand in the input."""

    circuit: Circuit
    weights: Weights
    places: Mapping[str, tuple[int, int]]
    growing: Growing
    known: dict[Wire, Affine] = field(default_factory=dict[Wire, Affine])

    def rows(self, atoms: Sequence[Atom]) -> tuple[Row, ...]:
        """What each atom says is at most 0."""
        for wire in self.needed({w for atom in atoms for w in (atom.left, atom.right)}):
            self.known[wire] = self.wire(wire)
        return tuple(self.row(atom) for atom in atoms)

    def row(self, atom: Atom) -> Row:
        """Its left side less its right side."""
        left = picked([self.known[atom.left]], np.array([atom.entry]))
        right = picked([self.known[atom.right]], np.array([atom.other]))
        x = combined([(ONE, left), (-ONE, right)], self.growing.reach)
        maps = tuple((j, rows[0]) for j, rows in sorted(x.maps.items()))
        return Row(maps, float(x.const[0]), float(x.slack[0]))

    def needed(self, wanted: Iterable[Wire]) -> list[Wire]:
        """The wires that these depend on, in order; indices are read where they are used."""
        found, waiting = set[Wire](), list(wanted)
        while waiting:
            wire = waiting.pop()
            if wire not in found:
                found.add(wire)
                waiting.extend(reads(self.circuit, wire))
        return sorted(w for w in found if not isinstance(self.circuit.types[w].sort, Index))

    def wire(self, wire: Wire) -> Affine:
        """What a wire is, its operands being known."""
        op, grown = self.circuit.ops[wire], self.growing
        match op:
            case Input(name=name):
                start, entries = self.places[name]
                return units(0, np.arange(start, start + entries), len(grown.low[0]))
            case Const(values=values):
                return constant(values)
            case Weight(key=key):
                return stored(np.frombuffer(self.weights[key].values, np.float64))
            case Reindex(operands=wires, source=source):
                return picked([self.known[x] for x in wires], np.array(source, np.int64))
            case Sum(terms=terms):
                return combined([(c, self.known[x]) for c, x in together(terms)], grown.reach)
            case Contract():
                return self.einsum(op)
            case Relu(operand=x):
                return self.relu(self.known[x])
            case Max(operand=x):
                return self.largest(self.known[x], self.circuit.types[x].shape[-1])
            case Smooth():
                unit, ops = fused(self.circuit, op), self.circuit.ops
                sign = sign_of(ops, self.circuit.types, unit.wire)
                return smooth(grown, unit, self.known[unit.wire], sign)
            case Softmax(operand=x):
                return softmax(grown, self.known[x], self.circuit.types[x].shape[-1])
            case Compare():
                return self.compared(op)
            case Not(operand=x):
                return self.negated(self.known[x])
            case All(operand=x):
                return self.all(self.known[x], self.circuit.types[x].shape)
            case Any(operand=x):
                fails = self.negated(self.known[x])
                return self.negated(self.all(fails, self.circuit.types[x].shape))
            case Select(condition=condition, then=then, otherwise=otherwise):
                chosen = [self.known[x] for x in (condition, then, otherwise)]
                return self.selected(chosen[0], chosen[1], chosen[2])
            case TopK(count=count, operand=x):
                return self.kept(self.known[x], self.circuit.types[x].shape[-1], count)
            case Lookup(table=table, indices=indices):
                return self.looked_up(table, indices)
            case _:
                raise Beyond(f"{type(op).__name__} has no bounds on boxes")

    # --- piecewise affine units -------------------------------------------------------------

    def relu(self, x: Affine) -> Affine:
        """max(0, x); what the box decides is no unit."""
        low, high = self.growing.bounds(x)
        on, undecided = low >= 0, (low < 0) & (high > 0)
        return self.spliced(x, on, undecided, lambda part: self.growing.applied("relu", part))

    def step(self, x: Affine) -> Affine:
        """1 where x >= 0, else 0."""
        low, high = self.growing.bounds(x)
        on, undecided = low >= 0, (low < 0) & (high >= 0)
        ones = Affine({}, np.ones(x.entries), np.zeros(x.entries))
        return self.spliced(ones, on, undecided, lambda part: self.growing.applied("step", part), x)

    def spliced(
        self,
        kept: Affine,
        on: BoolArray,
        undecided: BoolArray,
        unit: Callable[[Affine], Affine],
        asked: Affine | None = None,
    ) -> Affine:
        """Entries of `kept` where `on`, units of `asked` where undecided, 0 elsewhere."""
        places = np.flatnonzero(undecided)
        source = np.full(kept.entries, 2 * kept.entries)
        source[on] = np.flatnonzero(on)
        parts = [kept, stored(np.zeros(kept.entries)), stored(np.zeros(1))]
        if len(places):
            parts[1] = unit(picked([kept if asked is None else asked], places))
            parts[1] = padded(parts[1], kept.entries)
            source[places] = kept.entries + np.arange(len(places))
        return picked(parts, source)

    def largest(self, x: Affine, width: int) -> Affine:
        """The maximum of each run of `width` entries, by max(a, b) = b + max(0, a - b)."""
        grown = self.growing
        while width > 1:
            half = width // 2
            runs = np.arange(x.entries).reshape(-1, width)
            first = picked([x], runs[:, :half].reshape(-1))
            second = picked([x], runs[:, half : 2 * half].reshape(-1))
            over = self.relu(combined([(ONE, first), (-ONE, second)], grown.reach))
            most = combined([(ONE, second), (ONE, over)], grown.reach)
            places = np.arange(most.entries).reshape(-1, half)
            rest = most.entries + np.arange(len(runs) * (width % 2)).reshape(len(runs), -1)
            last = picked([x], runs[:, 2 * half :].reshape(-1))
            x = picked([most, last], np.concatenate([places, rest], axis=1).reshape(-1))
            width = half + width % 2
        return x

    # --- truths as 0 and 1 ----------------------------------------------------------------------

    def compared(self, op: Compare) -> Affine:
        """1 where the comparison holds."""
        if op.left not in self.known:
            raise Beyond("a value depends on an index")
        left, right = self.known[op.left], self.known[op.right]
        above = combined([(ONE, right), (-ONE, left)], self.growing.reach)
        below = combined([(ONE, left), (-ONE, right)], self.growing.reach)
        match op.op:
            case "<=":
                return self.step(above)
            case "<":
                return self.negated(self.step(below))
            case "==":
                sides = [(ONE, self.step(above)), (ONE, self.step(below))]
                ones = stored(np.ones(left.entries))
                return combined([*sides, (-ONE, ones)], self.growing.reach)

    def negated(self, x: Affine) -> Affine:
        """1 where x is 0."""
        return combined([(ONE, stored(np.ones(x.entries))), (-ONE, x)], self.growing.reach)

    def all(self, x: Affine, shape: Shape) -> Affine:
        """1 where each run along the last axis is all 1: max(0, Σ x - (width - 1))."""
        entries, width = prod(shape[:-1]), shape[-1]
        if not width:
            return stored(np.ones(entries))
        runs = [picked([x], np.arange(k, x.entries, width)) for k in range(width)]
        rest = stored(np.full(entries, width - 1.0))
        terms = [*((ONE, run) for run in runs), (-ONE, rest)]
        return self.relu(combined(terms, self.growing.reach))

    def selected(self, condition: Affine, then: Affine, otherwise: Affine) -> Affine:
        """`otherwise`, and what `then` differs by times the condition; within the hull of both."""
        low, high = self.growing.bounds(condition)
        if low[0] > 0:
            return then
        if high[0] < 1:
            return otherwise
        apart = combined([(ONE, then), (-ONE, otherwise)], self.growing.reach)
        gates = picked([condition], np.zeros(then.entries, np.int64))
        more = times(self.growing, gates, apart)
        either = combined([(ONE, otherwise), (ONE, more)], self.growing.reach)
        return self.between(either, then, otherwise)

    def between(self, x: Affine, first: Affine, second: Affine) -> Affine:
        """Numbers each of which is one of two, as units where their intervals alone would be wider."""
        grown = self.growing
        own, *both = (enclosed(part, grown.low, grown.high) for part in (x, first, second))
        low = np.minimum(both[0][0], both[1][0])
        high = np.maximum(both[0][1], both[1][1])
        wide = (own[1] - own[0]) > (high - low) * WIDER
        return grown.held(x, (low, high)) if wide.any() else x

    # --- tables ---------------------------------------------------------------------------------

    def looked_up(self, table: Wire, indices: Sequence[Wire]) -> Affine:
        """Rows of a table at known places."""
        known = [self.circuit.ops[wire] for wire in indices]
        match known:
            case [Argmax(operand=scores)]:
                return self.chosen(table, scores)
            case _:
                pass
        codes = [np.array(op.values, np.int64) for op in known if isinstance(op, Const)]
        if len(codes) < len(known):
            raise Beyond("a value depends on an index that the input decides")
        shape = self.circuit.types[table].shape
        rows = np.ravel_multi_index(codes, shape[: len(codes)])
        width = prod(shape[len(codes) :])
        source = (rows[:, None] * width + np.arange(width)).reshape(-1)
        return picked([self.known[table]], source)

    def chosen(self, table: Wire, scores: Wire) -> Affine:
        """For each row of scores, the row of a table at the place of a largest one."""
        *outer, width = self.circuit.types[scores].shape
        rows, inner = prod(outer), prod(self.circuit.types[table].shape[1:])
        marks = self.kept(self.known[scores], width, 1)
        sides, shapes = (marks, self.known[table]), ((rows, width), (width, inner))
        return einsum(self.growing, "ab,bc->ac", sides, shapes)

    def einsum(self, op: Contract) -> Affine:
        """An einsum of two wires."""
        sides = self.known[op.left], self.known[op.right]
        shapes = self.circuit.types[op.left].shape, self.circuit.types[op.right].shape
        return einsum(self.growing, op.spec, sides, shapes)

    def kept(self, scores: Affine, width: int, count: int) -> Affine:
        """1 for each of the `count` largest of each run of scores, else 0."""
        if not 0 < count < width:
            return stored(np.full(scores.entries, float(count > 0)))
        units = self.step, self.relu
        return kept(scores, width, count, units, lambda: self.growing.reach)


def padded(x: Affine, entries: int) -> Affine:
    """The first entries of a tensor of that many, the rest 0."""
    source = np.minimum(np.arange(entries), x.entries)
    return picked([x, stored(np.zeros(1))], source)


def together(terms: Sequence[tuple[Fraction, Wire]]) -> list[tuple[Fraction, Wire]]:
    """The terms with one coefficient a wire, without those that cancel (one is kept, times 0)."""
    found = dict[Wire, Fraction]()
    for coefficient, wire in terms:
        found[wire] = found.get(wire, Fraction(0)) + coefficient
    kept = [(coefficient, wire) for wire, coefficient in found.items() if coefficient]
    return kept or [(Fraction(0), terms[0][1])]

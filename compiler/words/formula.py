"""A truth about real numbers as clauses of comparisons: what a proof has to show, and how it may.

`argmax(x) == c` says that x[c] exceeds every rival: with a tie, another index might be chosen. What
the rest of a circuit makes of an `argmax` is gone through index by index: for each one that would
make the truth false, some index that would not must exceed it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import product
from math import prod

import numpy as np

from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Input,
    Not,
    Real,
    Reindex,
    Select,
    Wire,
    operands,
    taken_from,
)
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.roundoff import DOUBLE

MOST_CLAUSES = 1 << 16
"""Of one formula."""

MOST_OUTCOMES = 1 << 12
"""Combinations of indices that are gone through for one truth."""


class NotClauses(Exception):
    """A truth is no formula of reasonable size; the message says why."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a real wire, row-major."""

    wire: Wire
    place: int


@dataclass(frozen=True, slots=True)
class Exceeds:
    """`more` is larger than `less`, or at least as large where not `strict`."""

    more: Entry
    less: Entry
    strict: bool


Clause = tuple[Exceeds, ...]
"""Some one of these holds; of none, nothing does."""

Formula = tuple[Clause, ...]
"""All of these hold."""


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads truths of a circuit, each once."""

    circuit: Circuit
    known: dict[tuple[Wire, int, bool], Formula] = field(
        default_factory=dict[tuple[Wire, int, bool], Formula]
    )

    def formula(self, wire: Wire, place: int = 0, wanted: bool = True) -> Formula:
        """When one entry of a truth is as wanted, whatever choice function breaks ties.

        Raises `NotClauses`.
        """
        key = wire, place, wanted
        if key not in self.known:
            self.known[key] = self.read(wire, place, wanted)
        return self.known[key]

    def read(self, wire: Wire, place: int, wanted: bool) -> Formula:
        """As `formula`, worked out."""
        op = self.circuit.ops[wire]
        match op:
            case Const(values=values):
                return () if values[place] == wanted else ((),)
            case Not(operand=x):
                return self.formula(x, place, not wanted)
            case Reindex():
                return self.formula(*taken_from(op, place, self.circuit.types), wanted)
            case All(operand=x) | Any(operand=x):
                side = self.circuit.types[x].shape[-1]
                parts = (self.formula(x, place * side + k, wanted) for k in range(side))
                return both(parts) if isinstance(op, All) == wanted else either(parts)
            case Compare() if self.circuit.types[op.left].sort == Real():
                return self.compared(op, place, wanted)
            case Select(condition=c, then=then, otherwise=otherwise):
                return both(
                    [
                        either([self.formula(c, 0, False), self.formula(then, place, wanted)]),
                        either([self.formula(c, 0, True), self.formula(otherwise, place, wanted)]),
                    ]
                )
            case _:
                return self.by_index(wire, place, wanted)

    def entry(self, wire: Wire, place: int) -> Entry:
        """An entry of a real wire, looked for where it comes from."""
        op = self.circuit.ops[wire]
        while isinstance(op, Reindex):
            wire, place = taken_from(op, place, self.circuit.types)
            op = self.circuit.ops[wire]
        return Entry(wire, place)

    def compared(self, op: Compare, place: int, wanted: bool) -> Formula:
        """A comparison of reals."""
        left, right = self.entry(op.left, place), self.entry(op.right, place)
        strict = (op.op == "<") == wanted
        if op.op == "==":
            sides = [(left, right), (right, left)]
            parts = [((Exceeds(a, b, strict=not wanted),),) for a, b in sides]
            return both(parts) if wanted else either(parts)
        more, less = (right, left) if wanted else (left, right)
        return ((Exceeds(more, less, strict),),)

    # --- what depends on an index ----------------------------------------------------------

    def by_index(self, wire: Wire, place: int, wanted: bool) -> Formula:
        """A truth that is a function of `argmax`es: no outcome that makes it false may come about."""
        leaders = sorted(self.leaders(wire))
        sides = [self.circuit.types[self.scores(leader)].shape[-1] for leader in leaders]
        if prod(sides) > MOST_OUTCOMES:
            raise NotClauses(f"it depends on {len(leaders)} indices in {prod(sides):,} ways")
        outcomes = list(product(*map(range, sides)))
        held = self.outcomes(wire, leaders, outcomes)[place]
        false = [outcome for outcome, truth in zip(outcomes, held, strict=True) if truth != wanted]
        if len(leaders) == 1:
            return self.kept_from(leaders[0], [k for (k,) in false], sides[0])
        return both(
            either(
                self.kept_from(leader, [k], side)
                for leader, k, side in zip(leaders, outcome, sides, strict=True)
            )
            for outcome in false
        )

    def leaders(self, wire: Wire) -> set[Wire]:
        """The `argmax`es behind a discrete wire."""
        found, seen, waiting = set[Wire](), set[Wire](), [wire]
        while waiting:
            x = waiting.pop()
            op = self.circuit.ops[x]
            if x in seen:
                continue
            seen.add(x)
            if isinstance(op, Argmax):
                if self.circuit.types[x].shape:
                    raise NotClauses("it reads a row of indices")
                found.add(x)
            elif any(self.circuit.types[y].sort == Real() for y in operands(op)):
                raise NotClauses("what it compares decides an index")
            elif isinstance(op, Input):
                raise NotClauses("a letter decides an index")
            else:
                waiting.extend(operands(op))
        return found

    def scores(self, leader: Wire) -> Wire:
        """What an `argmax` goes over."""
        op = self.circuit.ops[leader]
        assert isinstance(op, Argmax)
        return op.operand

    def outcomes(
        self, wire: Wire, leaders: Sequence[Wire], outcomes: Sequence[tuple[int, ...]]
    ) -> list[list[bool]]:
        """The entries of a truth, each for all outcomes: the indices that the `argmax`es choose."""
        columns = np.array(outcomes, np.int64).reshape(len(outcomes), len(leaders)).T
        given = {x: Discrete(column) for x, column in zip(leaders, columns, strict=True)}
        plan = prepare(self.circuit, {}, [wire], DOUBLE, leaders)
        held = read(plan, Values({}, given)).discrete[wire].values
        entries = self.circuit.types[wire].entries
        rows = np.broadcast_to(held.reshape(entries, -1), (entries, len(outcomes)))
        return [list(map(bool, row)) for row in rows]

    def kept_from(self, leader: Wire, barred: Sequence[int], side: int) -> Formula:
        """For each barred index, some index that is not barred exceeds it."""
        scores = self.scores(leader)
        entries = [self.entry(scores, k) for k in range(side)]
        others = [k for k in range(side) if k not in set(barred)]
        return tuple(
            tuple(Exceeds(entries[k], entries[bar], strict=True) for k in others) for bar in barred
        )


def both(parts: Iterable[Formula]) -> Formula:
    """All of these formulas, each clause once; just the empty clause if one of them has it."""
    clauses = tuple(dict.fromkeys(clause for part in parts for clause in part))
    if () in clauses:
        return ((),)
    return bounded(clauses)


def either(parts: Iterable[Formula]) -> Formula:
    """Some one of these formulas: every way to take a clause of each, joined."""
    found: Formula = ((),)
    for part in parts:
        if len(found) * len(part) > MOST_CLAUSES:
            raise NotClauses("it has too many alternatives")
        joined = (tuple(dict.fromkeys(a + b)) for a in found for b in part)
        found = tuple(dict.fromkeys(clause for clause in joined if not certain(clause)))
    return found


def certain(clause: Clause) -> bool:
    """Whether a clause says of two entries that one is larger or the other at least as large."""
    literals = set(clause)
    return any(
        Exceeds(x.less, x.more, strict) in literals
        for x in clause
        for strict in (False, True)
        if not (x.strict and strict)
    )


def bounded(clauses: Formula) -> Formula:
    """The clauses, if they are not too many."""
    if len(clauses) > MOST_CLAUSES:
        raise NotClauses("it has too many parts")
    return clauses

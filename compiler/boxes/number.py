"""A number over a box as a problem: which inputs of the domain have a value that is not below a threshold.

The first row of every clause is the threshold less the number, the others are the domain's conditions. So a
part of the box whose clauses are closed has no value at the threshold or above.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import combined
from circ.compiler.boxes.clauses import refuting
from circ.compiler.boxes.judge import Asked
from circ.compiler.boxes.live import live
from circ.compiler.boxes.net import FloatArray, Row
from circ.compiler.boxes.points import Run
from circ.compiler.boxes.read import Problem, begin, sorted_atoms
from circ.compiler.builder import Builder, truth
from circ.compiler.ir import Wire
from circ.compiler.obligation import Obligation
from circ.compiler.passes.drop_dead import copied, keep
from circ.compiler.tensor import Weights

FIRST = 0
"""The place of the number's row in every clause, and among the rows."""

NEARLY = 1e-9
"""How far, by its size, a condition may seem missed at an input that is still tried."""


def read_number(question: Obligation, weights: Weights) -> Problem:
    """Where the goal, a real scalar, is at least 0 in the domain; raises `Beyond`."""
    asked, value = conditioned(question)
    clauses = refuting(asked, weights)
    reading = begin(asked, weights)
    atoms = list(dict.fromkeys(atom for clause in clauses for atom in sorted_atoms(clause)))
    reading.rows(atoms)
    for wire in reading.needed({value}):
        if wire not in reading.known:
            reading.known[wire] = reading.wire(wire)
    x = combined([(Fraction(-1), reading.known[value])], reading.growing.reach)
    maps = tuple((j, rows[0]) for j, rows in sorted(x.maps.items()))
    first = Row(maps, float(x.const[0]), float(x.slack[0]))
    rows = (first, *(reading.row(atom) for atom in atoms))
    place = {atom: k for k, atom in enumerate(atoms, 1)}
    told = tuple((FIRST, *(place[a] for a in sorted_atoms(clause))) for clause in clauses)
    strict = (False, *(atom.strict for atom in atoms))
    return Problem(*live(reading.growing.net, rows), strict, told)


def conditioned(question: Obligation) -> tuple[Obligation, Wire]:
    """The same with a goal that every input of the domain misses, and the wire of the number."""
    b = Builder()
    kept = copied(question.circuit, b, keep)
    outputs = {name: kept.outputs[name] for name in question.conditions}
    value = kept.outputs["goal"]
    return replace(question, circuit=b.circuit({**outputs, "goal": truth(b, False)})), value


def raised(problem: Problem, threshold: Fraction) -> tuple[Problem, Fraction]:
    """The problem with another threshold, near that one: which it is exactly is told."""
    first, *others = problem.rows
    moved = float(np.float64(first.const) + np.float64(threshold))
    exact = Fraction(moved) - Fraction(first.const)
    return replace(problem, rows=(replace(first, const=moved), *others)), exact


def seeming(asks: Asked, at: Run) -> FloatArray:
    """In floats, how far the number is above the threshold at points; -inf where a condition is missed."""
    rows = np.broadcast_to(asks.const, (len(at.values[0]), *asks.const.shape)).copy()
    for j, maps in asks.maps.items():
        rows += np.einsum("cru,pu->pcr", maps, at.values[j], optimize=True)
    rows[:, ~asks.there] = -np.inf
    height = -rows[:, 0, FIRST]
    if rows.shape[2] == 1:
        return np.asarray(height)
    room = NEARLY * (1.0 + float(np.abs(asks.const).max()))
    inside = (rows[:, :, FIRST + 1 :].max(2) <= room).any(1)
    return np.where(inside, height, -np.inf)


def row_of(asks: Asked) -> Asked:
    """The number's row alone, as the one clause."""
    maps = {j: rows[:1, : FIRST + 1] for j, rows in asks.maps.items()}
    first = (slice(1), slice(FIRST + 1))
    const, slack, lost = asks.const[first], asks.slack[first], asks.lost[first]
    return Asked(maps, const, slack, lost, asks.there[first], asks.strict[first])

"""One class of words with all comparisons that its clauses make, ready to be bounded and tested."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate

import numpy as np

from circ.compiler.builder import Builder, matmul, reals
from circ.compiler.ir import Circuit, Reindex, Sum, Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray, radius
from circ.compiler.readings.decisions import BoolArray, Discrete
from circ.compiler.readings.enclosed import Recipe
from circ.compiler.readings.floats import Plan, Values, prepare, read
from circ.compiler.readings.roundoff import DOUBLE
from circ.compiler.readings.separables import recipe
from circ.compiler.tensor import Weights
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.formula import Entry, Exceeds, Formula
from circ.runtime.engines.alternatives import Outcome, Word
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.shortest import Graph, graph


@dataclass(frozen=True, slots=True, eq=False)
class ClassQuestion:
    """The words of a class, and the clauses that each of them has to meet.

    Of the comparisons in them, `wire` has the differences, `strict` says which have to be positive
    (the others not negative), and `clauses` which of them each clause has: [clause, comparison]. With
    them stands the mean of the comparisons of each clause that has several: where it is positive, one
    of them is, and what they share cancels in it.
    """

    language: Automaton
    paths: Graph
    word: Wire
    wire: Wire
    strict: BoolArray
    clauses: BoolArray
    plan: Plan
    recipe: Recipe
    judge: Callable[[Word], Outcome]


def asked(
    circuit: Circuit,
    weights: Weights,
    word: Wire,
    language: Automaton,
    formula: Formula,
    judge: Callable[[Word], Outcome],
) -> ClassQuestion:
    """A class made ready, its formula not empty; raises `NotEnclosed`."""
    literals = tuple(dict.fromkeys(literal for clause in formula for literal in clause))
    members = np.array([[literal in set(clause) for literal in literals] for clause in formula])
    wider, wire = differences(circuit, literals, members)
    letters = int(language.steps[0].shape[1])
    several = members.sum(axis=1) > 1
    return ClassQuestion(
        language,
        graph(language, Alphabet(letters, len(language.steps), ())),
        word,
        wire,
        np.array([literal.strict for literal in literals] + [True] * int(several.sum())),
        np.concatenate([members, np.eye(len(formula), dtype=np.bool_)[:, several]], axis=1),
        prepare(wider, weights, [wire], DOUBLE),
        recipe(wider, weights, [wire], word),
        judge,
    )


def differences(
    circuit: Circuit, literals: Sequence[Exceeds], members: BoolArray
) -> tuple[Circuit, Wire]:
    """The circuit with a wire of all differences, `more - less`, and of the means of some of them."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update({op: Wire(i) for i, op in enumerate(circuit.ops)})
    more = collected(b, [literal.more for literal in literals])
    less = collected(b, [literal.less for literal in literals])
    wire = b.add(Sum(((Fraction(1), more), (Fraction(-1), less))))
    rows = [row for row in members.tolist() if sum(row) > 1]
    if rows:
        shares = [Fraction(int(entry), sum(row)) for row in rows for entry in row]
        means = matmul(b, reals(b, shares, (len(rows), len(literals))), wire)
        total = len(literals) + len(rows)
        wire = b.add(Reindex((wire, means), tuple(range(total)), (total,)))
    return b.circuit(circuit.outputs), wire


def collected(b: Builder, entries: Sequence[Entry]) -> Wire:
    """Some entries of real wires, in one row."""
    wires = tuple(dict.fromkeys(entry.wire for entry in entries))
    sizes = [b.types[wire].entries for wire in wires]
    starts = dict(zip(wires, accumulate(sizes, initial=0), strict=False))
    source = tuple(starts[entry.wire] + entry.place for entry in entries)
    return b.add(Reindex(wires, source, (len(entries),)))


# --- words ----------------------------------------------------------------------------------


def margins(question: ClassQuestion, words: IntArray) -> tuple[FloatArray, FloatArray]:
    """Bounds on what each clause leaves at each word [position, word]: [clause, word].

    A clause leaves the most that one of its comparisons does.
    """
    shape = question.recipe.circuit.types[question.word].shape
    given = Values({}, {question.word: Discrete(words.reshape(*shape, -1))})
    ball = read(question.plan, given).reals[question.wire]
    rad = np.where(np.isnan(ball.mid), np.inf, radius(ball))
    mid = np.where(np.isnan(ball.mid), 0.0, ball.mid)
    sides = [np.broadcast_to(x, (mid.shape[0], words.shape[1])) for x in (mid - rad, mid + rad)]
    low, high = (of_clauses(question, side) for side in sides)
    return low, high


def of_clauses(question: ClassQuestion, values: FloatArray) -> FloatArray:
    """What the clauses leave [clause, …], from what the comparisons do [comparison, …]."""
    found: FloatArray = np.stack([values[mine].max(axis=0) for mine in question.clauses])
    return found


def held(question: ClassQuestion, least: FloatArray) -> BoolArray:
    """Which clauses hold [clause, …], where the comparisons are at least so large."""
    strict = question.strict.reshape(-1, *(1,) * (least.ndim - 1))
    true = np.where(strict, least > 0, least >= 0)
    found: BoolArray = np.stack([true[mine].any(axis=0) for mine in question.clauses])
    return found

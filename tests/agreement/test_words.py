"""What makes going through words fast changes nothing: narrowing, tables, and how they are decoded."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, matmul, reals, transpose
from circ.compiler.ir import (
    Circuit,
    Index,
    Input,
    Lookup,
    Real,
    Reindex,
    Relu,
    Softmax,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Words
from circ.compiler.positions import reads
from circ.compiler.readings.balls import radius
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.decisions import Discrete
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, enclose
from circ.compiler.readings.roundoff import COARSE
from circ.compiler.rewrite import rewrite
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.tables import filled, tabulated
from circ.runtime.engines.words import all_words
from tests.agreement.circuits import SMOOTH, Sample, binders_of, circuits, points


def picking(data: st.DataObject, circuit: Circuit) -> Circuit:
    """The circuit with a few entries of `out` as its one output."""
    b = Builder()
    same = rewrite(circuit, b, lambda wire, op: None, ["out"])
    for wire in circuit.inputs.values():
        b.add(circuit.ops[wire])
    out = same.outputs["out"]
    entries = b.types[out].entries
    assume(entries > 0)
    source = tuple(data.draw(st.lists(st.integers(0, entries - 1), min_size=1, max_size=2)))
    return b.circuit({"out": b.add(Reindex((out,), source, (len(source),)))})


def alike(first: Value, second: Value) -> bool:
    """Whether two readings of the reference are the same."""
    match first, second:
        case Reals(), Reals():
            return first.shape == second.shape and first.box == second.box
        case Choices(), Choices():
            return first == second
        case _:
            return False


class TestNarrowing:
    """Entries that nothing reads are left out; the others keep their values."""

    @given(data=st.data())
    @settings(max_examples=200, deadline=None)
    def test_it_keeps_the_meaning(self, data: st.DataObject) -> None:
        """At any input the outputs are what they were, ties and all, and no wire has grown."""
        sample: Sample = data.draw(circuits(SMOOTH, steps=14))
        circuit = picking(data, sample.circuit)
        row = data.draw(points(data.draw(binders_of(circuit))))
        small = narrowed(circuit, ["out"])
        try:
            exact = enclose(circuit, at_point(circuit, row), sample.weights)["out"]
        except Undefined:
            assume(False)
            raise

        assert alike(enclose(small, at_point(small, row), sample.weights)["out"], exact)
        assert small.inputs.keys() == circuit.inputs.keys()

    def test_one_row_of_attention_is_computed_alone(self) -> None:
        """Where the last position is read, only its scores and its pattern are there."""
        b = Builder()
        x = b.add(Input("x", WireType(Real(), (5, 3))))
        pattern = b.add(Softmax(matmul(b, x, transpose(b, x, [1, 0]))))
        mixed = matmul(b, pattern, x)
        last = b.add(Reindex((mixed,), (12, 13, 14), (3,)))
        small = narrowed(b.circuit({"last": last}), ["last"])
        shapes = [small.types[i].shape for i, op in enumerate(small.ops) if isinstance(op, Softmax)]

        assert shapes == [(1, 5)]


LENGTH, MEMBERS = 4, 3


def first_layer(b: Builder, s: Wire) -> tuple[Wire, Wire, Wire]:
    """Embeddings, attention scores of all pairs, and a ReLU of the mixed values."""
    table = reals(b, [Fraction(n, 3) for n in (3, -5, 7, 1, -2, 6)], (MEMBERS, 2))
    x = b.add(Lookup(table, (s,)))
    scores = matmul(b, x, transpose(b, x, [1, 0]))
    return x, scores, b.add(Relu(matmul(b, b.add(Softmax(scores)), x)))


class TestTables:
    """Wires that read few positions are tabulated; what is computed from them is the same."""

    def test_positions_are_followed_entry_by_entry(self) -> None:
        """An embedding reads its position, a score two, and what attention mixes all."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(MEMBERS), (LENGTH,))))
        x, scores, mixed = first_layer(b, s)
        found = reads(b.circuit({"mixed": mixed}), [mixed], s)

        assert found[x].tolist() == [[1 << p] * 2 for p in range(LENGTH)]
        assert found[scores].tolist() == [
            [(1 << p) | (1 << q) for q in range(LENGTH)] for p in range(LENGTH)
        ]
        assert np.all(found[mixed] == (1 << LENGTH) - 1)

    def test_the_last_wires_of_two_positions_are_tabulated(self) -> None:
        """Attention scores, and the embeddings beside them: all of a word would be too many rows."""
        b = Builder()
        s = b.add(Input("s", WireType(Index(MEMBERS), (LENGTH,))))
        x, scores, mixed = first_layer(b, s)
        tables = tabulated(b.circuit({"mixed": mixed}), {}, [mixed], s, MEMBERS, 600)

        assert set(tables.reals) == {x, scores}
        assert not tables.codes

    @given(data=st.data())
    @settings(max_examples=200, deadline=None)
    def test_they_hold_what_they_stand_for(self, data: st.DataObject) -> None:
        """With and without tables, balls meet and decisions agree, on every word at once."""
        sample: Sample = data.draw(circuits(SMOOTH, inputs="words"))
        circuit = sample.circuit
        assume(len(circuit.inputs) == 1)
        ((name, word),) = circuit.inputs.items()
        known = circuit.types[word]
        assert isinstance(known.sort, Index)
        bound = Bound(name, known, Words(tuple(map(str, range(known.sort.size)))))
        source = all_words(bound, 1 << 10)
        words = source.batch(0, source.count)[name]
        wanted = list(circuit.outputs.values())
        tables = tabulated(circuit, sample.weights, wanted, word, known.sort.size, 1 << 20)
        given_wires = [word, *tables.reals, *tables.codes]

        fast = read(
            prepare(circuit, sample.weights, wanted, COARSE, given_wires), filled(tables, words)
        )
        slow = read(prepare(circuit, sample.weights, wanted), Values({}, {word: words}))

        for wire in wanted:
            assert overlap(fast, slow, wire)


def overlap(first: Values, second: Values, wire: Wire) -> bool:
    """Whether two readings of a wire can both be right."""
    if wire in first.reals:
        x, y = first.reals[wire], second.reals[wire]
        apart = np.abs(x.mid - y.mid)
        return bool((apart <= (radius(x) + radius(y)) * 1.001).all())
    return same_decisions(first.discrete[wire], second.discrete[wire])


def same_decisions(x: Discrete, y: Discrete) -> bool:
    """Whether what both decide is the same."""
    both = np.ones(1, np.bool_)
    for known in (x, y):
        both = both & (True if known.slack is None else known.slack > 0)
    return bool(((x.values == y.values) | ~both).all())


@pytest.mark.parametrize("step", [1, 2, 5, 9, 100])
def test_words_come_in_order_and_once(step: int) -> None:
    """Batches of any size, one after the other, are all words in lexicographic order."""
    known = WireType(Index(MEMBERS), (LENGTH,))
    source = all_words(Bound("s", known, Words(("a", "b", "c"))), step)
    parts = [
        source.batch(start, min(start + source.step, source.count))["s"].values
        for start in range(0, source.count, source.step)
    ]
    found = np.concatenate(parts, axis=1).T.tolist()

    assert found == [list(word) for word in product(range(MEMBERS), repeat=LENGTH)]
    assert source.witnesses(np.array([5]))[0]["s"] == (0, 0, 1, 2)
    assert source.point(5) == {"s": [0, 0, 1, 2]}

"""Passes keep the meaning of a circuit, do what they are for, and leave it well formed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.builder import Builder, codes, combine, number, reals, truth
from circ.compiler.infer import IllFormed
from circ.compiler.ir import (
    Argmax,
    Bool,
    Circuit,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Smooth,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.passes import PASSES, run_passes
from circ.compiler.passes.drop_dead import drop_dead
from circ.compiler.passes.fold_constants import MOST_ENTRIES
from circ.compiler.passes.invariants import check_invariants
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, enclose
from circ.compiler.rewrite import live
from tests.agreement.circuits import SMOOTH, binders_of, circuits, points


def bounds(value: Value) -> object:
    """What a value says, whatever its denominator."""
    return value.box if isinstance(value, Reals) else value.sets


@given(st.data(), st.sampled_from([*PASSES, run_passes]))
def test_passes_keep_the_meaning(
    data: st.DataObject, simplify: Callable[[Circuit], Circuit]
) -> None:
    """On any input the outputs' enclosures, ties included, are what they were before."""
    sample = data.draw(circuits(SMOOTH))
    point = data.draw(points(data.draw(binders_of(sample.circuit))))
    simpler = simplify(sample.circuit)
    before = enclose(sample.circuit, at_point(sample.circuit, point), sample.weights)
    after = enclose(simpler, at_point(simpler, point), sample.weights)
    assert {name: bounds(value) for name, value in after.items()} == {
        name: bounds(value) for name, value in before.items()
    }


@given(st.data(), st.sampled_from([*PASSES, run_passes]))
def test_passes_leave_circuits_well_formed(
    data: st.DataObject, simplify: Callable[[Circuit], Circuit]
) -> None:
    """Invariants hold after each pass, and the inputs all stay; a second run of all of them changes
    nothing."""
    sample = data.draw(circuits(SMOOTH))
    simpler = simplify(sample.circuit)
    check_invariants(simpler)
    assert simpler.inputs.keys() == sample.circuit.inputs.keys()
    settled = run_passes(simpler)
    assert run_passes(settled) == settled


@given(st.data())
def test_only_inputs_are_ever_dead(data: st.DataObject) -> None:
    """After `drop_dead` each op is an input, or some output depends on it."""
    simpler = drop_dead(data.draw(circuits()).circuit)
    needed = live(simpler, simpler.outputs.values())
    dead = [op for number, op in enumerate(simpler.ops) if Wire(number) not in needed]
    assert all(isinstance(op, Input) for op in dead)


# --- folding --------------------------------------------------------------------------------


def folded(b: Builder, wire: Wire) -> Op:
    """What drives `wire` once constants are folded."""
    circuit = run_passes(b.circuit({"y": wire}))
    return circuit.ops[circuit.outputs["y"]]


def test_known_arithmetic_is_done() -> None:
    """An op on constants, and the ops on it, become one constant, in exact rationals."""
    b = Builder()
    third = number(b, Fraction(1, 3))
    y = b.add(Relu(combine(b, (2, third), (Fraction(1, 6), number(b, 1)))))
    assert folded(b, y) == Const(WireType(Real(), ()), (Fraction(5, 6),))


def test_known_truths_are_truths() -> None:
    """A folded truth is a bool and a folded index an int, each a member of its sort."""
    b = Builder()
    scores = reals(b, [Fraction(1), Fraction(3)], (2,))
    assert folded(b, b.add(Argmax(scores))) == Const(WireType(Index(2), ()), (1,))
    flags = b.add(Const(WireType(Bool(), (2,)), (True, False)))
    flag = folded(b, b.add(Lookup(flags, (codes(b, [1], 2, ()),))))
    assert flag == Const(WireType(Bool(), ()), (False,))
    assert isinstance(flag, Const) and isinstance(flag.values[0], bool)


def test_what_is_not_known_exactly_stays() -> None:
    """Ties, irrational and undefined values, and checkpoint tensors are not folded; e^0 is."""
    b = Builder()
    tie = b.add(Argmax(reals(b, [Fraction(1)] * 2, (2,))))
    for op in (
        b.ops[tie],
        Smooth("exp", number(b, 1)),
        Smooth("recip", number(b, 0)),
        Relu(b.add(Weight("m/w", (2,)))),
    ):
        assert type(folded(b, b.add(op))) is type(op)
    assert folded(b, b.add(Smooth("exp", number(b, 0)))) == Const(WireType(Real(), ()), (1,))


def test_large_constants_are_not_made() -> None:
    """A constant grows to `MOST_ENTRIES` and no further, and a large einsum is left alone."""
    b = Builder()
    one = number(b, 1)
    assert isinstance(folded(b, b.add(Reindex((one,), (0,) * 100, (100,)))), Const)
    wide = b.add(Reindex((one,), (0,) * (MOST_ENTRIES + 1), (MOST_ENTRIES + 1,)))
    assert isinstance(folded(b, wide), Reindex)
    square = reals(b, [Fraction(1)] * 50**2, (50, 50))
    assert isinstance(folded(b, b.add(Contract("ab,bc->ac", square, square))), Contract)


@pytest.mark.parametrize("flag", [True, False])
def test_a_known_condition_takes_its_branch(flag: bool) -> None:
    """A `Select` that is decided is the branch itself, whatever that reads."""
    b = Builder()
    x, z = (b.add(Input(name, WireType(Real(), ()))) for name in "xz")
    y = b.add(Select(truth(b, flag), x, z))
    assert folded(b, y) == Input("x" if flag else "z", WireType(Real(), ()))


def test_known_indices_take_their_entries() -> None:
    """A `Lookup` at known indices only moves entries, row by row."""
    b = Builder()
    table = b.add(Weight("m/embed", (2, 3, 2)))
    rows = b.add(Lookup(table, (codes(b, [1, 0], 2, (2,)), codes(b, [2, 1], 3, (2,)))))
    assert folded(b, rows) == Reindex((Wire(0),), (10, 11, 2, 3), (2, 2))


# --- invariants -----------------------------------------------------------------------------

REAL = WireType(Real(), ())
SOUND = Circuit((Input("x", REAL), Relu(Wire(0))), (REAL, REAL), {"y": Wire(1)})


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (replace(SOUND, types=(REAL,)), "differ in number"),
        (replace(SOUND, ops=(Input("x", REAL), Relu(Wire(1)))), "not before"),
        (replace(SOUND, ops=(Relu(Wire(-1)), Input("x", REAL))), "not before"),
        (replace(SOUND, types=(REAL, WireType(Real(), (1,)))), "not of type"),
        (replace(SOUND, ops=(Input("x", REAL), Input("x", REAL))), "one name"),
        (replace(SOUND, outputs={"y": Wire(2)}), "no wire"),
        (replace(SOUND, outputs={"y": Wire(-1)}), "no wire"),
        (
            Circuit((Const(WireType(Index(2), ()), (2,)),), (WireType(Index(2), ()),), {}),
            "another sort",
        ),
        (
            Circuit((Const(WireType(Bool(), ()), (2,)),), (WireType(Bool(), ()),), {}),
            "another sort",
        ),
    ],
)
def test_broken_circuits_are_caught(broken: Circuit, words: str) -> None:
    """Each invariant, broken alone, is named; the circuit they were broken in is sound."""
    check_invariants(SOUND)
    with pytest.raises(IllFormed, match=words):
        check_invariants(broken)


def test_passes_start_from_a_sound_circuit() -> None:
    """A fault of lowering is caught before any pass hides it."""
    with pytest.raises(IllFormed, match="no wire"):
        run_passes(replace(SOUND, outputs={"y": Wire(2)}))

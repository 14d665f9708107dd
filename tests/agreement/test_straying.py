"""No execution strays further than its bound: PyTorch, sums in random orders, sums run together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from math import inf, isfinite
from random import Random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, combine, matmul, reals, take, truth
from circ.compiler.ir import Circuit, Const, Input, Real, Relu, Wire, WireType
from circ.compiler.obligation import Bound, Obligation
from circ.compiler.obligation import Reals as Box
from circ.compiler.over import in_every, in_some, strayed
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.executions import programs
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, enclose
from circ.compiler.readings.straying import Strayed, straying
from circ.compiler.readings.torch import DTYPES, module, numbers
from circ.compiler.rounding import SPELLED
from circ.compiler.tensor import Weights
from circ.lang.words import FLOATS
from tests.agreement.circuits import (
    PIECEWISE,
    SMOOTH,
    Kind,
    Point,
    Sample,
    binders_of,
    circuits,
    points,
)
from tests.agreement.networks import networks
from tests.agreement.orders import Orders, run_in
from tests.unit.obligations import NOWHERE


def everything(circuit: Circuit) -> Circuit:
    """The circuit with every wire as an output."""
    return replace(circuit, outputs={str(k): Wire(k) for k in range(len(circuit.ops))})


def thirds(circuit: Circuit) -> Circuit:
    """The circuit with a third of each real constant, which no format has."""
    ops = [
        replace(op, values=tuple(Fraction(v) / 3 for v in op.values))
        if isinstance(op, Const) and op.type.sort == Real()
        else op
        for op in circuit.ops
    ]
    return replace(circuit, ops=tuple(ops))


def drawn(data: st.DataObject, kinds: Sequence[Kind]) -> Sample:
    """A random circuit, of numbers that every format has or of such that none has."""
    sample = data.draw(st.one_of(circuits(kinds), networks()))
    return replace(sample, circuit=thirds(sample.circuit)) if data.draw(st.booleans()) else sample


def exactly(circuit: Circuit, weights: Weights, point: Point) -> Mapping[str, Value] | None:
    """Every wire in exact arithmetic, equal scores going to the first; None where one is undefined."""
    try:
        known = at_point(circuit, point)
        return enclose(circuit, known, weights, choose=lambda _, tied: min(tied))
    except Undefined:
        return None


def in_torch(circuit: Circuit, weights: Weights, point: Point, name: str) -> dict[str, list[float]]:
    """Every wire as PyTorch computes it in a format."""
    dtype = DTYPES[SPELLED[name]]
    inputs: dict[str, torch.Tensor] = {}
    for each, wire in circuit.inputs.items():
        known = circuit.types[wire]
        kind = dtype if known.sort == Real() else torch.int64
        entries = torch.tensor([float(x) for x in point[each]], dtype=torch.float64)
        inputs[each] = entries.to(kind).reshape(1, *known.shape)
    with torch.no_grad():
        found = module(circuit, weights, dtype)(inputs)
    return {each: numbers(value) for each, value in found.items()}


def check(found: Strayed, exact: Mapping[str, Value], ran: Mapping[str, Sequence[float]]) -> None:
    """Each wire's exact value is where it is said to be, and the execution's is no further off."""
    for name, values in ran.items():
        wire, meant = Wire(int(name)), exact[name]
        if isinstance(meant, Reals):
            stray = found.reals[wire]
            sides = (stray.extent.lo, stray.extent.hi, stray.err)
            rows = zip(meant.box, values, *(x.reshape(-1) for x in sides), strict=True)
            for (low, high), got, lo, hi, err in rows:
                assert lo <= high and low <= hi
                assert err == inf or isfinite(got)
                assert err == inf or low - Fraction(err) <= Fraction(got) <= high + Fraction(err)
        else:
            options = found.discrete[wire]
            may = options.may[..., 0].reshape(len(values), options.may.shape[-2])
            agree = options.agree.reshape(-1)
            for got, row, same, sure in zip(values, may, agree, meant.sets, strict=True):
                assert row[int(got)]
                assert any(row[int(code)] for code in sure)
                assert not same or int(got) in sure


@pytest.mark.parametrize("name", FLOATS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_pytorch_strays_no_further_than_its_bound(name: str, data: st.DataObject) -> None:
    """On random circuits, at random inputs of a random box, for every wire and in each format.

    What is said to be the same in every execution is.
    """
    sample = drawn(data, SMOOTH)
    circuit = everything(sample.circuit)
    binders = data.draw(binders_of(circuit))
    wires = [*circuit.outputs.values()]
    found = straying(circuit, sample.weights, binders, programs(name), wires)

    for point in data.draw(st.lists(points(binders), min_size=1, max_size=3)):
        exact = exactly(circuit, sample.weights, point)
        if exact is not None:
            check(found, exact, in_torch(circuit, sample.weights, point, name))


def goal_of(circuit: Circuit, weights: Weights, point: Point) -> bool:
    """The goal in exact arithmetic."""
    found = exactly(circuit, weights, point)
    assert found is not None
    goal = found["goal"]
    assert isinstance(goal, Choices) and goal.exact
    return goal.sets[0] == frozenset({1})


@pytest.mark.parametrize("name", FLOATS)
@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_a_truth_lies_between_its_sides(name: str, data: st.DataObject) -> None:
    """What is sure in every execution is true in PyTorch's, and what is true there is possible.

    The sides are truths about exact numbers, and are evaluated exactly.
    """
    sample = drawn(data, PIECEWISE)
    binders = data.draw(binders_of(sample.circuit))
    b = Builder(list(sample.circuit.ops), list(sample.circuit.types))
    outputs = {"goal": sample.circuit.outputs["goal"], "where": truth(b, True)}
    claim = Obligation("claim", "forall", b.circuit(outputs), binders, NOWHERE, over=name)
    found = strayed(claim, sample.weights, name)
    every, some = in_every(claim, found).circuit, in_some(claim, found).circuit

    for point in data.draw(st.lists(points(binders), min_size=1, max_size=3)):
        ran = in_torch(claim.circuit, sample.weights, point, name)["goal"] == [1]
        sure, maybe = (goal_of(side, sample.weights, point) for side in (every, some))
        assert ran or not sure
        assert maybe or not ran


# --- orders of summation ----------------------------------------------------------------------

Matrix = Sequence[Sequence[float]]


def two_layers(draw: st.DrawFn, entries: st.SearchStrategy[float]) -> tuple[Circuit, Bound]:
    """W2 relu(W1 x + b1) + b2 with these weights, and x added again, on a box of three dimensions."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (3,))))

    def tensor(*shape: int) -> Wire:
        count = int(np.prod(shape))
        return reals(b, [Fraction(v) for v in draw(st.tuples(*[entries] * count))], shape)

    hidden = b.add(Relu(combine(b, (1, matmul(b, tensor(4, 3), x)), (1, tensor(4)))))
    out = combine(b, (1, matmul(b, tensor(3, 4), hidden)), (1, tensor(3)))
    residual = combine(b, (1, out), (-1, x), (Fraction(1, 3), hidden_part(b, hidden)))
    ends = sorted((draw(entries), draw(entries)))
    box = Box(tuple((Fraction(ends[0]), Fraction(ends[1])) for _ in range(3)))
    return b.circuit({"out": residual}), Bound("x", WireType(Real(), (3,)), box)


def hidden_part(b: Builder, hidden: Wire) -> Wire:
    """Three of the hidden entries."""
    return take(b, hidden, [range(3)])


PLAIN = st.floats(-4, 4, width=32)
WILD = st.one_of(
    st.floats(-4, 4, width=32),
    st.sampled_from([2.0**k * s for k in (-149, -140, -126, -60, 30, 60) for s in (1, -1)]),
    st.floats(-(2.0**-120), 2.0**-120, width=32),
)


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("entries", [PLAIN, WILD], ids=["plain", "wild"])
@given(data=st.data(), seed=st.integers(0, 2**32))
@settings(max_examples=25, deadline=None)
def test_any_order_of_sums_stays_within_the_bound(
    name: str, entries: st.SearchStrategy[float], data: st.DataObject, seed: int
) -> None:
    """Sums by twos in any order, products fused or not, biases and residuals added within them.

    Numbers far apart, and so small that they are subnormal, included.
    """
    circuit, bound = data.draw(st.composite(two_layers)(entries))
    circuit = everything(circuit)
    wires = [*circuit.outputs.values()]
    found = straying(circuit, {}, [bound], programs(name), wires)
    assert isinstance(bound.values, Box)
    orders = Orders(SPELLED[name], "F32", Random(seed))
    for _ in range(3):
        share = [Fraction(orders.chance.randrange(0, 65), 64) for _ in bound.values.box]
        near = [
            low + t * (high - low) for t, (low, high) in zip(share, bound.values.box, strict=True)
        ]
        point: Point = {"x": tuple(Fraction(x) for x in map(orders.rounded, near) if isfinite(x))}
        inside = all(a <= x <= b for x, (a, b) in zip(point["x"], bound.values.box, strict=False))
        if len(point["x"]) == 3 and inside:
            exact = exactly(circuit, {}, point)
            ran = run_in(orders, circuit, {}, point)
            assert exact is not None
            check(found, exact, {str(wire): values for wire, values in ran.items()})

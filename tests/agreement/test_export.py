"""A claim that is written as ONNX and VNN-LIB, and read again, is refuted by the same inputs."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from circ.compiler.export.problem import Exported, exported
from circ.compiler.export.sought import Unsayable
from circ.compiler.ir import Bool, Circuit, Wire, WireType
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.onnx.network import read_network
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.vnnlib.problem import INPUT, Problem, problem, read_property
from circ.lang.span import Source
from tests.agreement.circuits import (
    AFFINE,
    BILINEAR,
    SMOOTH,
    Kind,
    Point,
    Sample,
    binders_of,
    circuits,
    points,
)
from tests.unit.obligations import NOWHERE
from tests.unit.onnx_models import run

PLAIN: tuple[Kind, ...] = (*AFFINE, "product", "relu", "max", "compare", "not", "all", "any")
KINDS: dict[str, tuple[Kind, ...]] = {"plain": PLAIN, "chosen": BILINEAR, "smooth": SMOOTH}


@st.composite
def obligations(draw: st.DrawFn, sample: Sample) -> Obligation:
    """A claim about a sample; truths in its circuit are its conditions, now and then."""
    circuit = sample.circuit
    truths = [Wire(i) for i, t in enumerate(circuit.types) if t == WireType(Bool(), ())]
    outputs = {"goal": circuit.outputs["goal"]}
    if draw(st.booleans()):
        outputs["where"] = draw(st.sampled_from(truths))
    binders = draw(binders_of(circuit))
    claim = Circuit(circuit.ops, circuit.types, outputs)
    return Obligation("claim", "forall", claim, binders, NOWHERE)


def said(obligation: Obligation, weights: Weights) -> Exported:
    """The problem, if the formats can say it."""
    try:
        return exported(obligation, weights)
    except Unsayable:
        assume(False)
        raise


def read_again(made: Exported, version: int) -> Problem:
    """The problem as its two files say it."""
    text = made.property(1 if version == 1 else 2)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "claim.onnx"
        path.write_bytes(made.model())
        return problem(read_network(path), read_property(Source("claim.vnnlib", text)))


def row(obligation: Obligation, point: Point) -> Witness:
    """A point as an input of the problem."""
    return Witness(((INPUT, tuple(x for b in obligation.binders for x in point[b.name])),))


@pytest.mark.parametrize("kinds", KINDS.values(), ids=KINDS.keys())
@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_the_same_inputs_refute_it(kinds: tuple[Kind, ...], data: st.DataObject) -> None:
    """At every input of the box exact arithmetic says the same of the claim and of what was written."""
    sample = data.draw(circuits(kinds, inputs="reals"))
    obligation = data.draw(obligations(sample))
    made = said(obligation, sample.weights)
    again = [read_again(made, version) for version in (1, 2)]
    for _ in range(3):
        point = data.draw(points(obligation.binders))
        witness = Witness(tuple((name, entries) for name, entries in point.items()))
        refuted = trial(obligation, sample.weights, witness).refutes
        for found in again:
            inner = row(obligation, point)
            assert refuted == any(trial(o, found.weights, inner).refutes for o in found.obligations)


@settings(deadline=None, max_examples=50)
@given(data=st.data())
def test_the_network_computes_what_is_compared(data: st.DataObject) -> None:
    """Read again it has the very numbers, and onnxruntime computes them without rounding."""
    sample = data.draw(circuits(PLAIN, inputs="reals", bits=20))
    obligation = data.draw(obligations(sample))
    made = said(obligation, sample.weights)
    assume(made.found.outputs)
    point = data.draw(points(obligation.binders))
    inputs = at_point(obligation.circuit, point)
    wanted: list[float] = []
    for wire, entry in made.found.outputs:
        circuit = Circuit(obligation.circuit.ops, obligation.circuit.types, {"it": wire})
        value = enclose(circuit, inputs, sample.weights)["it"]
        assert isinstance(value, Reals)
        wanted.append(float(value.box[entry][0]))
    (_, entries), *_ = row(obligation, point).values
    kind = np.float32 if made.graph.inputs[0].dtype == "F32" else np.float64
    computed = run(made.model(), "X", np.array([[float(x) for x in entries]], kind))
    assert computed.ravel().tolist() == wanted


def test_words_are_not_said() -> None:
    """A claim about words has no box of reals."""

    @settings(deadline=None, max_examples=5)
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        sample = data.draw(circuits(inputs="words"))
        with pytest.raises(Unsayable, match="ranges over words"):
            exported(data.draw(obligations(sample)), sample.weights)

    check()

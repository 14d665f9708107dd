"""The PyTorch reading is held to the exact reference."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from fractions import Fraction
from typing import Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from circ.compiler.builder import Builder, matmul, reals
from circ.compiler.ir import Circuit, Input, Real, Relu, Smooth, Softmax, Weight, WireType
from circ.compiler.readings.choices import Choices
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Value, at_point, enclose
from circ.compiler.readings.torch import DTYPES, module, numbers, whole_numbers
from circ.compiler.tensor import Tensor as Stored
from tests.agreement.circuits import (
    BILINEAR,
    PIECEWISE,
    Point,
    Sample,
    binders_of,
    circuits,
    points,
)

KINDS = {"piecewise": PIECEWISE, "bilinear": BILINEAR}


def first_of_tied(_scores: object, tied: frozenset[int]) -> int:
    """The choice function that PyTorch's argmax happens to be."""
    return min(tied)


def batch_of(circuit: Circuit, rows: Sequence[Point], dtype: torch.dtype) -> dict[str, Tensor]:
    """Points as a batch."""
    batch: dict[str, Tensor] = {}
    for name, wire in circuit.inputs.items():
        known = circuit.types[wire]
        entries = [[float(entry) for entry in row[name]] for row in rows]
        values = torch.tensor(entries, dtype=torch.float64).reshape(len(rows), *known.shape)
        batch[name] = values.to(dtype if known.sort == Real() else torch.int64)
    return batch


def same(value: Value, computed: Tensor) -> bool:
    """Whether PyTorch computed exactly what the reference says, in the same shape."""
    match value:
        case Reals(shape=shape):
            exact = [low for low, _ in value.box]
            return value.exact and tuple(computed.shape) == shape and exact == numbers(computed)
        case Choices(shape=shape, sets=sets):
            decided = [min(options) for options in sets]
            alike = tuple(computed.shape) == shape and decided == whole_numbers(computed)
            return value.exact and alike


@pytest.mark.parametrize("kinds", KINDS)
@pytest.mark.parametrize(("dtype", "bits"), [(torch.float64, 48), (torch.float32, 20)])
@given(data=st.data())
@settings(max_examples=100, deadline=None)
def test_on_dyadic_circuits_the_two_are_equal(
    data: st.DataObject, dtype: torch.dtype, bits: int, kinds: Literal["piecewise", "bilinear"]
) -> None:
    """Where no step needs more digits than the dtype has, PyTorch computes the exact value.

    Ties are broken alike: the first of the largest. Every row of a batch stands by itself.
    """
    sample: Sample = data.draw(circuits(KINDS[kinds], bits=bits))
    circuit = sample.circuit
    rows = data.draw(st.lists(points(data.draw(binders_of(circuit))), min_size=1, max_size=3))

    with torch.no_grad():
        computed = module(circuit, sample.weights, dtype)(batch_of(circuit, rows, dtype))

    for place, row in enumerate(rows):
        point = at_point(circuit, row)
        exact = enclose(circuit, point, sample.weights, choose=first_of_tied)
        assert all(same(exact[name], computed[name][place]) for name in circuit.outputs)


@pytest.mark.parametrize("function", ["exp", "recip", "sqrt", "softmax"])
@given(entries=st.lists(st.integers(1, 4000), min_size=1, max_size=5))
@settings(max_examples=30, deadline=None)
def test_smooth_functions_are_close(
    function: Literal["exp", "recip", "sqrt", "softmax"], entries: list[int]
) -> None:
    """A smooth function in float64 is within a few units in the last place of the exact value."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), (len(entries),))))
    circuit = b.circuit(
        {"out": b.add(Softmax(x) if function == "softmax" else Smooth(function, x))}
    )
    row: Point = {"x": tuple(Fraction(entry, 64) for entry in entries)}

    computed = module(circuit, {})(batch_of(circuit, [row], torch.float64))["out"][0]
    exact = enclose(circuit, at_point(circuit, row), {})["out"]

    assert isinstance(exact, Reals)
    for (low, high), found in zip(exact.box, numbers(computed), strict=True):
        assert float(low) * (1 - 1e-13) <= found <= float(high) * (1 + 1e-13)


def stored(dtype: str, shape: tuple[int, ...], *values: float) -> Stored:
    """A checkpoint's tensor."""
    return Stored(shape, dtype, array("d", values))


@pytest.fixture
def affine() -> Circuit:
    """x ↦ relu(W x) with a weight whose name has dots in it."""
    b = Builder()
    w = b.add(Weight("m/layers.0.W", (2, 3)))
    x = b.add(Input("x", WireType(Real(), (3,))))
    return b.circuit({"y": b.add(Relu(matmul(b, w, x)))})


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_module_computes_in_the_dtype_of_its_checkpoint(affine: Circuit, dtype: str) -> None:
    """Unless told otherwise, weights and results keep the dtype of the file."""
    weights = {"m/layers.0.W": stored(dtype, (2, 3), 1, 2, 3, -1, -2, -3)}
    circuit = module(affine, weights)
    y = circuit({"x": torch.ones(4, 3, dtype=DTYPES[dtype])})["y"]

    assert circuit.dtype == y.dtype == DTYPES[dtype]
    assert numbers(y) == [6, 0] * 4


def test_gradients_reach_weights_and_inputs(affine: Circuit) -> None:
    """The derivative of a row of `relu(W x)` is x for the weights and W for the input."""
    circuit = module(affine, {"m/layers.0.W": stored("F64", (2, 3), 1, 2, 3, -1, -2, -3)})
    x = torch.tensor([[1.0, 2.0, 4.0]], dtype=torch.float64, requires_grad=True)
    circuit({"x": x})["y"].sum().backward()
    weight = circuit.parameter_of("m/layers.0.W")

    assert weight.grad is not None
    assert x.grad is not None
    assert numbers(weight.grad) == [1, 2, 4, 0, 0, 0]
    assert numbers(x.grad) == [1, 2, 3]


def test_a_constant_is_rounded_once() -> None:
    """From the exact number to the dtype, and not by way of a double.

    This number lies so little above the middle of two float32 neighbours that a double holds the
    middle, which would go down to the even one.
    """
    middle = 1 + Fraction(1, 2**24)
    b = Builder()
    circuit = b.circuit({"k": reals(b, [middle + Fraction(1, 2**80)], ())})

    assert numbers(module(circuit, {}, torch.float32)({})["k"]) == [1 + 2.0**-23]


def test_an_empty_batch_gives_empty_outputs(affine: Circuit) -> None:
    """No rows in, no rows out, also for outputs that no input reaches."""
    circuit = module(affine, {"m/layers.0.W": stored("F32", (2, 3), *range(6))})

    assert circuit({"x": torch.zeros(0, 3)})["y"].shape == (0, 2)

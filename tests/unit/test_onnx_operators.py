"""Each operator of ONNX means what onnxruntime computes, up to rounding; on whole numbers, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from tests.unit.onnx_models import Array, by_runtime, exactly, model, node, read

RANDOM = np.random.default_rng(7)
LARGEST = float(np.finfo(np.float32).max)


def small(*shape: int) -> Array:
    """Small whole numbers as float32."""
    return RANDOM.integers(-3, 4, shape).astype(np.float32)


def real(*shape: int) -> Array:
    """Numbers around 0 as float32."""
    return RANDOM.normal(size=shape).astype(np.float32)


def floats(values: object) -> Array:
    """Known numbers as float32."""
    return np.array(values, np.float32)


def whole(*entries: int) -> Array:
    """Known whole numbers."""
    return np.array(entries, np.int64)


Case = tuple[onnx.ModelProto, tuple[int, ...]]


def case(
    operator: str,
    shape: Sequence[int],
    others: dict[str, Array] | None = None,
    opset: int = 17,
    **attributes: Any,
) -> Case:
    """A network of one node that reads `x` first."""
    found = others or {}
    return model([node(operator, ["x", *found], **attributes)], shape, found, opset), tuple(shape)


def chain(shape: Sequence[int], *nodes: onnx.NodeProto, opset: int = 17, **tensors: Array) -> Case:
    """A network of several nodes, the last of which makes `y`."""
    return model(nodes, shape, tensors, opset), tuple(shape)


# Where all weights and inputs are small whole numbers, a float32 runtime makes no rounding at all.
EXACT: dict[str, Case] = {
    "abs": case("Abs", (2, 3)),
    "add": case("Add", (2, 3), {"w": small(3)}),
    "add two inputs": chain((1, 4), node("Add", ["x", "x"])),
    "add in more axes": case("Add", (3,), {"w": small(2, 1)}),
    "average": case("AveragePool", (1, 2, 4, 4), kernel_shape=[2, 2], strides=[2, 2]),
    "average of one axis": case("AveragePool", (1, 2, 8), kernel_shape=[4], strides=[2]),
    "clip": case("Clip", (2, 5), {"low": floats(-1), "high": floats(2)}),
    "clip above": chain((6,), node("Clip", ["x", "", "h"]), h=np.array(1, np.float32)),
    "clip crossed": case("Clip", (5,), {"low": floats(2), "high": floats(1)}),
    "clip by attributes": case("Clip", (5,), opset=7, min=-1.0, max=1.0),
    "clip without bounds": case("Clip", (5,), opset=7),
    "clip from the largest float on": case("Clip", (5,), opset=7, min=LARGEST),
    "clip to the least float": case("Clip", (5,), opset=7, max=-LARGEST),
    "concat": chain((2, 3), node("Concat", ["x", "w", "x"], axis=1), w=small(2, 2)),
    "constant": chain(
        (1, 3),
        node("Constant", [], "c", value=onnx.numpy_helper.from_array(small(3))),
        node("Mul", ["x", "c"]),
    ),
    "constant by floats": chain(
        (2,), node("Constant", [], "c", value_floats=[1.0, 2.0]), node("Add", ["x", "c"])
    ),
    "conv": case("Conv", (1, 2, 5, 5), {"w": small(3, 2, 3, 3), "b": small(3)}),
    "conv padded": case(
        "Conv", (1, 2, 5, 4), {"w": small(3, 2, 3, 2)}, pads=[1, 0, 2, 1], strides=[2, 1]
    ),
    "conv in groups": case("Conv", (1, 4, 4, 4), {"w": small(6, 2, 2, 2)}, group=2),
    "conv dilated": case("Conv", (1, 1, 6, 7), {"w": small(2, 1, 2, 3)}, dilations=[3, 2]),
    "conv of one axis": case("Conv", (2, 3, 7), {"w": small(2, 3, 3), "b": small(2)}, strides=[2]),
    "conv same upper": case("Conv", (1, 1, 5, 5), {"w": small(1, 1, 2, 2)}, auto_pad="SAME_UPPER"),
    "conv same lower": case("Conv", (1, 1, 5, 5), {"w": small(1, 1, 2, 2)}, auto_pad="SAME_LOWER"),
    "div by one": chain((2, 3), node("Div", ["x", "w"]), w=floats([4])),
    "div by many": case("Div", (2, 2), {"w": floats([[2, -4]])}),
    "dropout": chain((3,), node("Dropout", ["x"], "y", "mask")),
    "equal": chain(
        (4,),
        node("Equal", ["x", "w"], "c"),
        node("Where", ["c", "x", "o"]),
        w=floats([0, 1, 2, 3]),
        o=floats([9]),
    ),
    "expand": case("Expand", (3, 1), {"s": whole(2, 1, 4)}),
    "flatten": case("Flatten", (2, 3, 2), axis=1),
    "flatten all": case("Flatten", (2, 3), axis=0),
    "gather": case("Gather", (2, 4), {"k": np.array([[0, -1], [2, 2]], np.int64)}, axis=1),
    "gather one": case("Gather", (2, 4), {"k": np.array(1, np.int64)}, axis=0),
    "gemm": case("Gemm", (2, 3), {"w": small(3, 4), "b": small(4)}),
    "gemm transposed": case(
        "Gemm",
        (3, 2),
        {"w": small(4, 3), "b": small(2, 1)},
        transA=1,
        transB=1,
        alpha=2.0,
        beta=-1.0,
    ),
    "gemm without a bias": case("Gemm", (1, 3), {"w": small(3, 2)}),
    "global average": case("GlobalAveragePool", (1, 2, 2, 2)),
    "global maximum": case("GlobalMaxPool", (1, 2, 3, 2)),
    "greater": chain(
        (4,), node("Greater", ["x", "w"], "c"), node("Cast", ["c"], to=1), w=floats([0])
    ),
    "identity": case("Identity", (2, 2)),
    "leaky": case("LeakyRelu", (2, 4), alpha=0.5),
    "less or equal": chain(
        (4,),
        node("LessOrEqual", ["x", "w"], "c"),
        node("Not", ["c"], "d"),
        node("And", ["d", "d"], "e"),
        node("Or", ["e", "c"], "f"),
        node("Where", ["f", "x", "w"]),
        w=floats([0]),
    ),
    "matmul": case("MatMul", (2, 3), {"w": small(3, 2)}),
    "matmul from the left": chain((3, 2), node("MatMul", ["w", "x"]), w=small(4, 3)),
    "matmul of vectors": case("MatMul", (3,), {"w": small(3)}),
    "matmul of a vector": case("MatMul", (3,), {"w": small(2, 3, 4)}),
    "matmul by a vector": case("MatMul", (2, 4, 3), {"w": small(3)}),
    "matmul in batches": case("MatMul", (2, 1, 2, 3), {"w": small(4, 3, 2)}),
    "matmul of inputs": chain((2, 2), node("MatMul", ["x", "x"])),
    "max": chain((2, 3), node("Max", ["x", "w", "v"]), w=small(3), v=small(2, 1)),
    "max pool": case(
        "MaxPool", (1, 2, 5, 5), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "max pool dilated": case("MaxPool", (1, 1, 7), kernel_shape=[3], dilations=[2]),
    "mean of several": chain((2,), node("Mean", ["x", "w"]), w=small(2)),
    "min": case("Min", (2, 3), {"w": small(2, 3)}),
    "mul": case("Mul", (1, 3, 2, 2), {"w": small(3, 1, 1)}),
    "mul by one": chain((1, 3), node("Mul", ["w", "x"]), w=floats([[[3]]])),
    "mul of inputs": chain((2, 1), node("Mul", ["x", "x"])),
    "neg": case("Neg", (2, 2)),
    "pad": case("Pad", (2, 3), {"p": whole(1, 0, 0, 2), "v": floats(5)}),
    "pad by zeros": case("Pad", (2, 3), {"p": whole(0, 1, 0, 1)}),
    "pad mirrored": case("Pad", (2, 4), {"p": whole(0, 2, 1, 1)}, mode="reflect"),
    "pad by the edge": case("Pad", (2, 4), {"p": whole(0, 2, 1, 1)}, mode="edge"),
    "pad by attributes": case("Pad", (2, 3), opset=10, pads=[0, 1, 1, 0], value=2.0),
    "pow": case("Pow", (3,), {"k": floats(3)}),
    "prelu": case("PRelu", (1, 2, 3), {"w": small(2, 1)}),
    "reduce max": case("ReduceMax", (2, 3, 2), axes=[1], keepdims=0),
    "reduce mean": case("ReduceMean", (2, 4), axes=[-1]),
    "reduce min": case("ReduceMin", (2, 3), axes=[0]),
    "reduce sum": case("ReduceSum", (2, 3, 2), {"a": whole(0, 2)}, keepdims=0),
    "reduce sum of all": case("ReduceSum", (2, 3)),
    "reduce max, axes as an operand": case("ReduceMax", (2, 3), {"a": whole(1)}, opset=18),
    "relu": case("Relu", (2, 3)),
    "reshape": case("Reshape", (2, 3, 2), {"s": whole(0, -1)}),
    "reshape by a shape": chain(
        (2, 3, 2),
        node("Shape", ["x"], "s"),
        node("Gather", ["s", "zero"], "n", axis=0),
        node("Unsqueeze", ["n", "zero1"], "m"),
        node("Concat", ["m", "rest"], "k", axis=0),
        node("Reshape", ["x", "k"]),
        zero=np.array(0, np.int64),
        zero1=whole(0),
        rest=whole(-1),
    ),
    "shape arithmetic": chain(
        (2, 6),
        node("Shape", ["x"], "s"),
        node("ReduceProd", ["s"], "n", keepdims=1),
        node("Div", ["n", "three"], "m"),
        node("Sub", ["m", "one"], "a"),
        node("Add", ["a", "one"], "b"),
        node("Concat", ["b", "three"], "k", axis=0),
        node("Cast", ["k"], "f", to=1),
        node("Cast", ["f"], "i", to=7),
        node("Reshape", ["x", "i"]),
        three=whole(3),
        one=whole(1),
    ),
    "constant of a shape": chain(
        (2, 3),
        node("Shape", ["x"], "s"),
        node("ConstantOfShape", ["s"], "c", value=onnx.numpy_helper.from_array(floats([4]))),
        node("Add", ["x", "c"]),
    ),
    "range": chain(
        (1, 4),
        node("Range", ["a", "b", "c"], "k"),
        node("Gather", ["x", "k"], axis=1),
        a=np.array(3, np.int64),
        b=np.array(-1, np.int64),
        c=np.array(-2, np.int64),
    ),
    "sign": case("Sign", (2, 4)),
    "slice": case(
        "Slice", (3, 6), {"s": whole(1, -1), "e": whole(9, -9), "a": whole(0, 1), "t": whole(1, -1)}
    ),
    "slice by attributes": case("Slice", (3, 6), opset=9, starts=[1, 0], ends=[3, -1]),
    "split": chain(
        (2, 6),
        node("Split", ["x", "n"], "a", "b", axis=1),
        node("Concat", ["b", "a"], axis=1),
        n=whole(2, 4),
    ),
    "split in equal parts": chain(
        (6,), node("Split", ["x"], "a", "b", "c"), node("Sub", ["c", "a"]), opset=11
    ),
    "squeeze": case("Squeeze", (1, 3, 1), {"a": whole(0)}),
    "squeeze all": case("Squeeze", (1, 3, 1)),
    "squeeze by attributes": case("Squeeze", (1, 3, 1), opset=11, axes=[2]),
    "sub": chain((2, 3), node("Sub", ["w", "x"]), w=small(3)),
    "sum": chain((2, 3), node("Sum", ["x", "w", "x"]), w=small(3)),
    "transpose": case("Transpose", (2, 3, 4), perm=[2, 0, 1]),
    "transpose of a weight": chain(
        (1, 3), node("Transpose", ["w"], "t"), node("MatMul", ["x", "t"]), w=small(2, 3)
    ),
    "unsqueeze": case("Unsqueeze", (2, 3), {"a": whole(0, -1)}),
    "where by constants": chain(
        (2, 3), node("Where", ["c", "x", "w"]), c=np.array([True, False, True]), w=small(2, 1)
    ),
}

REAL: dict[str, Case] = {
    "normalised": case(
        "BatchNormalization",
        (1, 3, 2, 2),
        {"s": real(3), "b": real(3), "m": real(3), "v": np.abs(real(3)) + floats(0.1)},
    ),
    "average padded": case(
        "AveragePool", (1, 2, 5, 5), kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]
    ),
    "average with padding": case(
        "AveragePool", (1, 1, 5, 5), kernel_shape=[3, 3], pads=[1, 0, 1, 0], count_include_pad=1
    ),
    "exp": case("Exp", (2, 3)),
    "leaky by default": case("LeakyRelu", (2, 3)),
    "mean of three": case("ReduceMean", (2, 3), axes=[1]),
    "root of a constant": chain(
        (2, 2), node("Sqrt", ["v"], "r"), node("Div", ["x", "r"]), v=floats([2, 3])
    ),
    "sigmoid": case("Sigmoid", (2, 3)),
    "softmax": case("Softmax", (2, 3, 2), axis=1),
    "softmax of the rest": case("Softmax", (2, 3, 2), opset=11, axis=1),
    "tanh": case("Tanh", (2, 3)),
    "two layers": chain(
        (1, 4),
        node("Gemm", ["x", "w", "b"], "h"),
        node("Relu", ["h"], "r"),
        node("MatMul", ["r", "v"]),
        w=real(4, 5),
        b=real(5),
        v=real(5, 2),
    ),
}


@pytest.mark.parametrize("name", EXACT)
def test_on_whole_numbers_it_is_what_the_runtime_computes(name: str, tmp_path: Path) -> None:
    """Where no float is rounded the runtime has the exact value, and the circuit has it too."""
    found, shape = EXACT[name]
    network = read(tmp_path, found)
    for _ in range(3):
        x = small(*shape)
        wanted = by_runtime(found, x)
        bounds = exactly(network, x)
        assert network.outputs[0][1] == wanted.shape
        assert [low for low, _ in bounds] == wanted.ravel().tolist()
        assert all(low == high for low, high in bounds)


@pytest.mark.parametrize("name", [*EXACT, *REAL])
def test_on_any_numbers_it_is_what_the_runtime_computes_up_to_rounding(
    name: str, tmp_path: Path
) -> None:
    """The float32 runtime strays from the exact value by some rounding, and by no more."""
    found, shape = (EXACT | REAL)[name]
    network = read(tmp_path, found)
    for _ in range(3):
        x = real(*shape)
        wanted = by_runtime(found, x)
        middle = np.array([float((low + high) / 2) for low, high in exactly(network, x)])
        assert network.outputs[0][1] == wanted.shape
        np.testing.assert_allclose(wanted.ravel(), middle, rtol=2e-5, atol=2e-5)

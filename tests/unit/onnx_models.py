"""Small ONNX networks, made in memory, and what onnxruntime computes with them."""
# onnxruntime has no type stubs.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

from circ.compiler.onnx.network import Network, read_network
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose

Array = npt.NDArray[Any]

ELEMENTS: dict[str, int] = {
    "float32": TensorProto.FLOAT,
    "float64": TensorProto.DOUBLE,
    "float16": TensorProto.FLOAT16,
    "int64": TensorProto.INT64,
}


def node(operator: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> onnx.NodeProto:
    """One use of an operator, making `y` by default."""
    return helper.make_node(operator, list(inputs), list(outputs or ("y",)), **attributes)


def model(
    nodes: Sequence[onnx.NodeProto],
    shape: Sequence[int | str],
    tensors: Mapping[str, Array] | None = None,
    opset: int = 17,
    output: str = "y",
    dtype: str = "float32",
) -> onnx.ModelProto:
    """A network from `x`, of this shape, to `output`; one from whole numbers makes float32."""
    kind = ELEMENTS[dtype]
    made = ELEMENTS["float32"] if dtype == "int64" else kind
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", kind, list(shape))],
        [helper.make_tensor_value_info(output, made, None)],
        [numpy_helper.from_array(values, name) for name, values in (tensors or {}).items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)


def saved(folder: Path, found: onnx.ModelProto, name: str = "net.onnx") -> Path:
    """The network in a file."""
    path = folder / name
    path.write_bytes(found.SerializeToString())
    return path


def read(folder: Path, found: onnx.ModelProto) -> Network:
    """The network as a circuit."""
    return read_network(saved(folder, found))


def exactly(network: Network, x: Array) -> list[tuple[Fraction, Fraction]]:
    """Bounds on each output at one input: the same where it is rational."""
    point = {network.inputs[0][0]: [Fraction(float(v)) for v in x.ravel()]}
    (name, _), *_ = network.outputs
    found = enclose(network.circuit, at_point(network.circuit, point), network.weights)[name]
    assert isinstance(found, Reals)
    return list(found.box)


def by_runtime(found: onnx.ModelProto, x: Array) -> Array:
    """What onnxruntime computes of `x`."""
    return run(found.SerializeToString(), "x", x)


def run(data: bytes, name: str, x: Array) -> Array:
    """What onnxruntime computes with a file's first output, its input of this name."""
    import onnxruntime  # type: ignore[import-untyped]

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options)
    return np.asarray(session.run(None, {name: x})[0])

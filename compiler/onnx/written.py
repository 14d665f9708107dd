"""A graph as the bytes of an ONNX file."""
# What onnx generates of its format is typed in part; nothing untyped leaves this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from circ.compiler.ir import Shape
from circ.compiler.onnx.graph import Attribute, Graph, Node, Stored
from circ.lang.diagnostic import CircError
from circ.lang.errors.networks import not_written
from circ.lang.errors.standard import no_library

try:
    from circ.compiler.onnx.format import (
        AttributeProto,
        ModelProto,
        NodeProto,
        TensorProto,
        ValueInfoProto,
    )
except ImportError as error:
    raise CircError(no_library("ONNX", "onnx")) from error

IR_VERSION = 8
"""The version of the file format that came with the operators written."""

TYPES = {
    "F32": (1, "<f4"),
    "F64": (11, "<f8"),
    "I64": (7, "<i8"),
    "BOOL": (9, "?"),
    "I32": (6, "<i4"),
}
"""How each dtype is numbered, and its bytes."""


def to_bytes(graph: Graph, shape: Shape) -> bytes:
    """The file of a graph with one output, of this shape, and of the type of the inputs if it has none of its own."""
    model = ModelProto(ir_version=IR_VERSION, producer_name="circ")
    model.opset_import.add(domain="", version=graph.opset)
    model.graph.name = "circ"
    model.graph.node.extend(node_proto(node) for node in graph.nodes)
    model.graph.initializer.extend(tensor_proto(tensor) for tensor in graph.tensors.values())
    for given in graph.inputs:
        sides = [side or 1 for side in given.shape or ()]
        describe(model.graph.input.add(name=given.name), given.dtype, sides)
    (output,) = graph.outputs
    dtype = graph.dtype or graph.inputs[0].dtype
    describe(model.graph.output.add(name=output), dtype, shape)
    return bytes(model.SerializeToString(deterministic=True))


def network_bytes(name: str, graph: Graph, shape: Shape) -> bytes:
    """The file of a network; raises `CircError` (E0824) where a file cannot hold it as it is."""
    for node in graph.nodes:
        for value in node.attributes.values():
            if isinstance(value, float) and float(np.float32(value)) != value:
                reason = f"{node.called} has the number {value!r}, and there numbers are float32"
                raise CircError(not_written(name, f"{node.told}: {reason}"))
    return to_bytes(graph, shape)


def with_values(data: bytes, names: Sequence[str]) -> bytes:
    """A file whose outputs are these values besides its own."""
    model = ModelProto()
    model.ParseFromString(data)
    known = {output.name for output in model.graph.output}
    for name in names:
        if name not in known:
            model.graph.output.add(name=name)
    return bytes(model.SerializeToString(deterministic=True))


def describe(info: ValueInfoProto, dtype: str, sides: Sequence[int]) -> None:
    """Say what an input or an output is."""
    info.type.tensor_type.elem_type, _ = TYPES[dtype]
    for side in sides:
        info.type.tensor_type.shape.dim.add(dim_value=side)
    if not sides:
        info.type.tensor_type.shape.SetInParent()


def node_proto(node: Node) -> NodeProto:
    """One node."""
    made = NodeProto(op_type=node.operator, name=node.name, input=node.inputs, output=node.outputs)
    made.attribute.extend(attribute_proto(name, value) for name, value in node.attributes.items())
    return made


def attribute_proto(name: str, value: Attribute) -> AttributeProto:
    """One attribute: a number, a word, or whole numbers in a row."""
    match value:
        case int():
            return AttributeProto(name=name, type=AttributeProto.INT, i=value)
        case float():
            return AttributeProto(name=name, type=AttributeProto.FLOAT, f=value)
        case str():
            return AttributeProto(name=name, type=AttributeProto.STRING, s=value.encode())
        case tuple():
            return AttributeProto(name=name, type=AttributeProto.INTS, ints=map(int, value))
        case _:
            raise AssertionError("an attribute that no graph of Circ has")


def tensor_proto(tensor: Stored) -> TensorProto:
    """One tensor, as bytes."""
    kind, form = TYPES[tensor.dtype]
    data = np.ascontiguousarray(tensor.values).astype(form).tobytes()
    return TensorProto(name=tensor.name, data_type=kind, dims=tensor.values.shape, raw_data=data)

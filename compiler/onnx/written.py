"""A graph as the bytes of an ONNX file."""
# What onnx generates of its format is typed in part; nothing untyped leaves this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportMissingTypeStubs=false

from __future__ import annotations

import numpy as np

from circ.compiler.onnx.graph import Attribute, Graph, Node, Stored
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import no_library

try:
    from circ.compiler.onnx.format import AttributeProto, ModelProto, NodeProto, TensorProto
except ImportError as error:
    raise CircError(no_library("ONNX", "onnx")) from error

IR_VERSION = 8
"""The version of the file format that came with the operators written."""

TYPES = {"F32": (1, "<f4"), "F64": (11, "<f8"), "I64": (7, "<i8"), "BOOL": (9, "?")}
"""How each dtype is numbered, and its bytes."""


def to_bytes(graph: Graph, outputs: int) -> bytes:
    """The file of a graph with one input and one output, which has a row of so many entries."""
    model = ModelProto(ir_version=IR_VERSION, producer_name="circ")
    model.opset_import.add(domain="", version=graph.opset)
    model.graph.name = "circ"
    model.graph.node.extend(node_proto(node) for node in graph.nodes)
    model.graph.initializer.extend(tensor_proto(tensor) for tensor in graph.tensors.values())
    (declared,) = graph.inputs
    (output,) = graph.outputs
    kind, _ = TYPES[declared.dtype]
    sides = [side or 1 for side in declared.shape or ()]
    for field, name, shape in (
        (model.graph.input, declared.name, sides),
        (model.graph.output, output, [1, outputs]),
    ):
        info = field.add(name=name)
        info.type.tensor_type.elem_type = kind
        for side in shape:
            info.type.tensor_type.shape.dim.add(dim_value=side)
    return bytes(model.SerializeToString(deterministic=True))


def node_proto(node: Node) -> NodeProto:
    """One node."""
    made = NodeProto(op_type=node.operator, name=node.name, input=node.inputs, output=node.outputs)
    made.attribute.extend(attribute_proto(name, value) for name, value in node.attributes.items())
    return made


def attribute_proto(name: str, value: Attribute) -> AttributeProto:
    """One attribute; those that are written are whole numbers, alone or in a row."""
    match value:
        case int():
            return AttributeProto(name=name, type=AttributeProto.INT, i=value)
        case tuple():
            return AttributeProto(name=name, type=AttributeProto.INTS, ints=map(int, value))
        case _:
            raise AssertionError("an attribute that no graph of Circ has")


def tensor_proto(tensor: Stored) -> TensorProto:
    """One tensor, as bytes."""
    kind, form = TYPES[tensor.dtype]
    data = np.ascontiguousarray(tensor.values).astype(form).tobytes()
    return TensorProto(name=tensor.name, data_type=kind, dims=tensor.values.shape, raw_data=data)

"""An ONNX file in, records out.

The library is used to take apart a protocol buffer, and for nothing else: it opens no file, checks
nothing and runs nothing.
"""
# What onnx generates of its format is typed in part; nothing untyped leaves this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false, reportAttributeAccessIssue=false
# pyright: reportMissingTypeStubs=false

from __future__ import annotations

from pathlib import Path

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.compiler.onnx.graph import Attribute, Declared, Graph, Node, Outside, Stored
from circ.compiler.onnx.limits import LARGEST_FILE, MOST_NODES, OPSETS
from circ.compiler.onnx.stored import BITS, NUMBERS, Payload, decoded, read_outside
from circ.lang.diagnostic import CircError
from circ.lang.errors.standard import no_library, not_onnx, not_this_way, too_large, unsupported

try:
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

    from circ.compiler.onnx.format import (
        AttributeProto,
        ModelProto,
        NodeProto,
        TensorProto,
        ValueInfoProto,
    )
except ImportError as error:
    raise CircError(no_library("ONNX", "onnx")) from error

STANDARD = ("", "ai.onnx")
"""The names of the domain of the standard operators."""


def read_graph(path: Path) -> Graph:
    """The network in a file; raises `CircError` (E0401-E0403, E0801-E0807)."""
    name = str(path)
    with opened(path, Place(name, None), ".onnx") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise CircError(too_large(name, "it is a large file", f"{LARGEST_FILE:,} bytes"))
    model = ModelProto()
    try:
        model.ParseFromString(data)
    except (DecodeError, RecursionError) as error:
        raise CircError(not_onnx(name, "it is broken, or of another format")) from error
    return File(path).graph(model)


class File:
    """The file that is being taken apart."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def wrong(self, reason: str) -> CircError:
        """What to raise where the file is not a network."""
        return CircError(not_onnx(str(self.path), reason))

    def graph(self, model: ModelProto) -> Graph:
        """The whole network."""
        found = model.graph
        if not found.node and not found.output:
            raise self.wrong("it has no graph")
        if len(found.node) > MOST_NODES:
            what = f"it has {len(found.node):,} nodes"
            raise CircError(too_large(str(self.path), what, f"{MOST_NODES:,} nodes"))
        if model.functions:
            raise self.wrong("it defines operators of its own, which are not read")
        if found.sparse_initializer:
            raise self.wrong("it has sparse tensors, which are not read")
        tensors = [self.stored(tensor) for tensor in found.initializer]
        known = {tensor.name: tensor for tensor in tensors}
        if len(known) < len(tensors):
            raise self.wrong("two of its tensors have one name")
        return Graph(
            self.opset(model),
            tuple(self.node(node) for node in found.node),
            known,
            tuple(self.declared(x) for x in found.input if x.name not in known),
            tuple(x.name for x in found.output),
        )

    def opset(self, model: ModelProto) -> int:
        """The version of the standard operators."""
        versions = {int(x.version) for x in model.opset_import if x.domain in STANDARD}
        if len(versions) != 1:
            raise self.wrong("it does not say which version of the operators it uses")
        (version,) = versions
        if version not in OPSETS:
            known = f"{OPSETS.start} to {OPSETS.stop - 1} are read"
            raise self.wrong(f"it uses version {version} of the operators; {known}")
        return version

    def declared(self, info: ValueInfoProto) -> Declared:
        """An input, with as much of its shape as is given."""
        if not info.type.HasField("tensor_type"):
            raise self.wrong(f"its input `{info.name}` is no tensor")
        kind = info.type.tensor_type
        dtype = NUMBERS.get(kind.elem_type, f"type {kind.elem_type}")
        if not kind.HasField("shape"):
            return Declared(info.name, dtype, None)
        sides = [x.dim_value if x.dim_value > 0 else None for x in kind.shape.dim]
        return Declared(info.name, dtype, tuple(sides))

    def node(self, node: NodeProto) -> Node:
        """One use of an operator."""
        inputs, outputs = tuple(node.input), tuple(node.output)
        bare = Node(node.op_type, node.name, inputs, outputs, {})
        if node.domain not in STANDARD:
            operator = f"{node.domain}.{node.op_type}"
            only = ["those of ONNX itself"]
            raise CircError(unsupported(str(self.path), bare.told, operator, only))
        attributes = {a.name: self.attribute(a, bare) for a in node.attribute}
        return Node(node.op_type, node.name, inputs, outputs, attributes)

    def attribute(self, found: AttributeProto, node: Node) -> Attribute:
        """An attribute's value; a graph inside a node is not read."""
        kinds = AttributeProto
        match found.type:
            case kinds.INT:
                return int(found.i)
            case kinds.FLOAT:
                return float(found.f)
            case kinds.STRING:
                return found.s.decode(errors="replace")
            case kinds.INTS:
                return tuple(map(int, found.ints))
            case kinds.FLOATS:
                return tuple(map(float, found.floats))
            case kinds.TENSOR:
                return self.stored(found.t, node.outputs[0] if node.outputs else "")
            case _:
                reason = f"its attribute `{found.name}` is of a kind that is not read"
                where = (str(self.path), node.told, node.operator)
                raise CircError(not_this_way(*where, reason))

    def stored(self, tensor: TensorProto, name: str | None = None) -> Stored:
        """A tensor, by its own name or the one given."""
        name = tensor.name if name is None else name
        dtype = NUMBERS.get(tensor.data_type)
        if dtype is None:
            raise self.wrong(f"the entries of its tensor `{name}` are of a type that is not read")
        shape = tuple(map(int, tensor.dims))
        if any(side < 0 for side in shape):
            raise self.wrong(f"its tensor `{name}` has a negative side")
        return Stored(name, *decoded(self.path, name, shape, self.payload(tensor, name, dtype)))

    def payload(self, tensor: TensorProto, name: str, dtype: str) -> Payload:
        """What the file has of a tensor: its bytes, or its entries one by one."""
        if tensor.data_location == TensorProto.EXTERNAL:
            told = {entry.key: entry.value for entry in tensor.external_data}
            try:
                length = int(told["length"]) if "length" in told else None
                outside = Outside(told["location"], int(told.get("offset", "0")), length)
            except (KeyError, ValueError) as error:
                raise self.wrong(f"it does not say where its tensor `{name}` is kept") from error
            return Payload(dtype, read_outside(self.path, name, outside))
        if tensor.HasField("raw_data"):
            return Payload(dtype, bytes(tensor.raw_data))
        match dtype:
            case "F32":
                return Payload(dtype, None, list(tensor.float_data))
            case "F64":
                return Payload(dtype, None, list(tensor.double_data))
            case "I64":
                return Payload(dtype, None, list(tensor.int64_data))
            case "U32" | "U64":
                return Payload(dtype, None, list(tensor.uint64_data))
            case _:
                patterns = list(tensor.int32_data)
                return Payload(dtype, None, patterns, patterns=dtype in BITS)

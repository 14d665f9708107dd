"""ONNX files from anywhere: each is a network, or a diagnostic that says why not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from circ.compiler.onnx.limits import MOST_NODES
from circ.compiler.onnx.network import OPERATORS, read_network
from circ.compiler.tensor import Tensor
from circ.lang.diagnostic import CircError
from tests.unit.onnx_models import Array, exactly, model, node, read, saved


def code(found: onnx.ModelProto | bytes, folder: Path) -> str:
    """The code that a file earns."""
    path = folder / "net.onnx"
    path.write_bytes(found if isinstance(found, bytes) else found.SerializeToString())
    with pytest.raises(CircError) as caught:
        read_network(path)
    (diagnostic,) = caught.value.diagnostics
    return diagnostic.code


def gemm() -> onnx.ModelProto:
    """A network of one layer."""
    w, b = np.ones((2, 3), np.float32), np.ones(3, np.float32)
    return model([node("Gemm", ["x", "w", "b"])], [1, 2], {"w": w, "b": b})


class TestBrokenFiles:
    """A file that was cut off, or never was a network."""

    @pytest.mark.parametrize("data", [b"", b"\0" * 100, b"(declare-const X_0 Real)", b"\x0a\xff"])
    def test_of_another_format(self, data: bytes, tmp_path: Path) -> None:
        """What is no protocol buffer, or one without a graph."""
        assert code(data, tmp_path) == "E0802"

    def test_cut_off_anywhere(self, tmp_path: Path) -> None:
        """Every prefix of a network is a diagnostic, or happens to be a network."""
        data = gemm().SerializeToString()
        for size in range(len(data)):
            path = tmp_path / "net.onnx"
            path.write_bytes(data[:size])
            try:
                read_network(path)
            except CircError as error:
                assert error.diagnostics[0].code in {"E0802", "E0804"}

    def test_with_any_byte_changed(self, tmp_path: Path) -> None:
        """So is every network with a byte overwritten."""
        data = gemm().SerializeToString()
        for place in range(len(data)):
            for byte in (0, 0x7F, 0xFF):
                path = tmp_path / "net.onnx"
                path.write_bytes(data[:place] + bytes([byte]) + data[place + 1 :])
                try:
                    read_network(path)
                except CircError as error:
                    assert error.diagnostics[0].code.startswith("E08")

    def test_that_is_not_there(self, tmp_path: Path) -> None:
        """Or is a folder."""
        for path, wanted in ((tmp_path / "none.onnx", "E0401"), (tmp_path, "E0402")):
            with pytest.raises(CircError) as caught:
                read_network(path)
            assert caught.value.diagnostics[0].code == wanted

    def test_with_nested_graphs(self, tmp_path: Path) -> None:
        """Graphs inside graphs, thousands deep, do not exhaust the stack."""
        graph = b""
        for _ in range(5_000):
            graph = inside(1, inside(5, inside(6, graph)))  # a node's attribute's graph
        assert code(inside(7, graph), tmp_path) == "E0802"


def inside(number: int, data: bytes) -> bytes:
    """A field of a protocol buffer that holds these bytes."""
    length, prefix = len(data), bytearray([number << 3 | 2])
    while length > 0x7F:
        prefix.append(length & 0x7F | 0x80)
        length >>= 7
    return bytes(prefix) + bytes([length]) + data


class TestHostileSizes:
    """Small files that ask for more than fits in memory."""

    @pytest.mark.parametrize("dims", [[10**9, 10**9], [3, 2], [-1], [2**62] * 4])
    def test_of_tensors(self, dims: list[int], tmp_path: Path) -> None:
        """A tensor has as many entries as its shape says."""
        found = gemm()
        del found.graph.initializer[0].dims[:]
        found.graph.initializer[0].dims.extend(dims)
        assert code(found, tmp_path) in {"E0802", "E0804"}

    def test_of_inputs(self, tmp_path: Path) -> None:
        """An input of more entries than anyone lists."""
        found = model([node("Relu", ["x"])], [10**9, 10**9])
        assert code(found, tmp_path) == "E0805"

    @pytest.mark.parametrize(
        "nodes",
        [
            [node("Expand", ["x", "s"])],
            [node("ConstantOfShape", ["s"], "c"), node("Add", ["x", "c"])],
            [node("Pad", ["x", "p"])],
            [node("MatMul", ["x", "x"], "a"), node("Expand", ["a", "s"])],
            [node("Range", ["zero", "big", "one"], "r"), node("Gather", ["x", "r"])],
        ],
    )
    def test_of_what_is_computed(self, nodes: list[onnx.NodeProto], tmp_path: Path) -> None:
        """Shapes inside a network are bounded before anything is made of them."""
        tensors = {
            "s": np.array([10**6, 10**6], np.int64), "p": np.array([0, 0, 10**9, 10**9], np.int64),
            "zero": np.array(0), "one": np.array(1), "big": np.array(10**12),
        }  # fmt: skip
        assert code(model(nodes, [1, 1], tensors), tmp_path) == "E0805"

    def test_of_moves_together(self, tmp_path: Path) -> None:
        """Many moves, none of them too large, are too large together."""
        nodes = [node("Expand", ["x", "s"], f"a{k}") for k in range(20)]
        shape = np.array([1 << 10, 1 << 11], np.int64)
        assert (
            code(model([*nodes, node("Relu", ["a0"])], [1, 1], {"s": shape}), tmp_path) == "E0805"
        )

    def test_of_nodes(self, tmp_path: Path) -> None:
        """So are many nodes."""
        nodes = [node("Relu", ["x"], f"a{k}") for k in range(MOST_NODES + 1)]
        assert code(model(nodes, [1], output="a0"), tmp_path) == "E0805"


class TestWhatIsNotRead:
    """A network that says something Circ gives no meaning to."""

    @pytest.mark.parametrize(
        ("found", "wanted"),
        [
            (node("LSTM", ["x", "w", "w"]), "E0803"),
            (node("Erf", ["x"]), "E0803"),
            (node("Relu", ["x"], domain="com.example"), "E0803"),
            (node("MaxPool", ["x"], kernel_shape=[2], storage_order=1), "E0804"),
            (node("Relu", ["x"], slope=2.0), "E0804"),
            (node("Relu", ["x", "x"]), "E0804"),
            (node("Div", ["w", "x"]), "E0804"),
            (node("Div", ["x", "zero"]), "E0804"),
            (node("Div", ["far", "none"]), "E0804"),
            (node("BatchNormalization", ["x", "one", "one", "one", "one"], "y", "m", "v"), "E0804"),
            (node("Add", ["x", "w"]), "E0804"),
            (node("MatMul", ["x", "x"]), "E0804"),
            (node("Gather", ["x", "far"]), "E0804"),
            (node("Gather", ["x", "x"]), "E0804"),
            (node("Reshape", ["x", "far"]), "E0804"),
            (node("Conv", ["x", "w"]), "E0804"),
            (node("Add", ["x", "far"]), "E0804"),
            (node("Gemm", ["x", "x"]), "E0804"),
            (node("Transpose", ["x"], perm=[5]), "E0804"),
            (node("Concat", ["x", "x"]), "E0804"),
            (node("Softmax", ["x"], axis=7), "E0804"),
            (node("Add", ["x", "nothing"]), "E0802"),
            (node("Relu", ["y"]), "E0802"),
            (node("Add", ["x", "nan"]), "E0807"),
        ],
    )
    def test_is_a_diagnostic(self, found: onnx.NodeProto, wanted: str, tmp_path: Path) -> None:
        """Operators, attributes, shapes and numbers; nothing is ignored."""
        tensors = {
            "w": np.ones((5, 5), np.float32), "zero": np.zeros(1, np.float32),
            "far": np.array([9]), "none": np.array([0]), "one": np.ones(1, np.float32), "nan": np.array([np.nan], np.float32),
        }  # fmt: skip
        assert code(model([found], [1, 1, 4], tensors), tmp_path) == wanted

    @pytest.mark.parametrize(
        ("found", "opset"),
        [
            (node("Clip", ["x"], max=1.0), 11),
            (node("Clip", ["x", "w"]), 10),
            (node("Pad", ["x", "places"], value=1.0), 11),
            (node("Slice", ["x", "places"], starts=[0], ends=[1]), 9),
            (node("Split", ["x"], "y", "z", axis=2, split=[1, 3]), 13),
            (node("Squeeze", ["x"], axes=[0]), 13),
        ],
    )
    def test_of_another_version_is_refused(
        self, found: onnx.NodeProto, opset: int, tmp_path: Path
    ) -> None:
        """What is an attribute before some version is an operand from then on, and not the other way."""
        tensors: dict[str, Array] = {"w": np.ones(1, np.float32), "places": np.zeros(6, np.int64)}
        assert code(model([found], [1, 1, 4], tensors, opset), tmp_path) == "E0804"

    @pytest.mark.parametrize("kind", [TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32])
    def test_whole_numbers_of_a_type_that_has_them(self, kind: int, tmp_path: Path) -> None:
        """A number that a type has not becomes another one in the runtime."""
        steps = [node("Cast", ["many"], "i", to=kind), node("Cast", ["i"], "f", to=1)]
        tensors = {"many": np.array([1 << 40])} if kind == TensorProto.INT32 else {}
        tensors = tensors or {"many": np.array([300.0], np.float32)}
        found = model([*steps, node("Mul", ["x", "f"])], [2], tensors)
        assert code(found, tmp_path) == "E0804"

    def test_names_what_is_supported(self, tmp_path: Path) -> None:
        """The message names the node and the operator, the help what there is."""
        with pytest.raises(CircError, match=r"the operator LSTM \(node `encoder`\)") as caught:
            read(tmp_path, model([node("LSTM", ["x"], name="encoder")], [1]))
        (diagnostic,) = caught.value.diagnostics
        assert all(name in diagnostic.help for name in OPERATORS)

    def test_an_attribute_of_every_operator_is_known_to_onnx(self) -> None:
        """No operator here has an attribute that ONNX never gave it."""
        schemas = onnx.defs.get_all_schemas_with_history()
        known: dict[str, set[str]] = {}
        for schema in schemas:
            if schema.domain == "":
                known.setdefault(schema.name, set()).update(schema.attributes)
        for name, operator in OPERATORS.items():
            assert operator.attributes <= known[name], name

    def test_inputs_of_other_types(self, tmp_path: Path) -> None:
        """Whole numbers, and shapes that are open beyond the batch."""
        found = model([node("Relu", ["x"])], [2])
        found.graph.input[0].type.tensor_type.elem_type = TensorProto.INT64
        assert code(found, tmp_path) == "E0802"
        assert code(model([node("Relu", ["x"])], [1, "width"]), tmp_path) == "E0802"

    def test_a_name_that_is_made_twice(self, tmp_path: Path) -> None:
        """One name is one value."""
        nodes = [node("Relu", ["x"]), node("Abs", ["x"])]
        assert code(model(nodes, [2]), tmp_path) == "E0802"


class TestTensors:
    """Weights are the numbers that the file holds, whatever it holds them as."""

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
    @pytest.mark.parametrize("raw", [True, False])
    def test_are_exact(self, dtype: str, raw: bool, tmp_path: Path) -> None:
        """As bytes, or one by one."""
        values = np.array([0.1, -3.5, 2.0**-14], dtype)
        found = model([node("Add", ["x", "w"])], [3], {"w": values}, dtype=dtype)
        if not raw:
            kind = found.graph.initializer[0].data_type
            found.graph.initializer[0].CopyFrom(helper.make_tensor("w", kind, [3], values.tolist()))
        network = read(tmp_path, found)
        assert list(network.weights["w"].values) == values.astype(float).tolist()

    def test_of_brain_floats(self, tmp_path: Path) -> None:
        """BF16 has the upper half of an F32."""
        found = model([node("Add", ["x", "w"])], [2], {"w": np.zeros(2, np.float32)})
        bits = np.array([0x3FC0, 0xC000], np.uint16)
        tensor = TensorProto(name="w", dims=[2], data_type=TensorProto.BFLOAT16)
        tensor.raw_data = bits.tobytes()
        found.graph.initializer[0].CopyFrom(tensor)
        weight = read(tmp_path, found).weights["w"]
        assert (list(weight.values), weight.dtype) == ([1.5, -2.0], "BF16")

    def test_stay_arrays(self, tmp_path: Path) -> None:
        """A matrix is a weight of the circuit, not a constant written out in it."""
        network = read(tmp_path, gemm())
        assert isinstance(network.weights["w"], Tensor)
        assert set(network.circuit.weights) == {"w", "b"}

    def test_in_another_file(self, tmp_path: Path) -> None:
        """Bytes beside the network are read, from their place to their length."""
        values = np.array([1.5, -2.0], np.float32)
        (tmp_path / "w.data").write_bytes(b"1234" + values.tobytes() + b"56")
        network = read(tmp_path, elsewhere("w.data", "4", "8"))
        assert list(network.weights["w"].values) == [1.5, -2.0]

    @pytest.mark.parametrize(
        ("place", "wanted"),
        [(("../w.data", "0", "8"), "E0806"), (("/etc/hostname", "0", "8"), "E0806"),
         (("link.data", "0", "8"), "E0806"), (("none.data", "0", "8"), "E0401"),
         (("w.data", "-1", "8"), "E0806"), (("w.data", "4", "8"), "E0802"),
         (("w.data", "x", "8"), "E0802"), ((".", "0", "8"), "E0402")],
    )  # fmt: skip
    def test_nowhere_else(self, place: tuple[str, str, str], wanted: str, tmp_path: Path) -> None:
        """A network cannot have files outside its folder read, not even by a link."""
        inner = tmp_path / "inner"
        inner.mkdir()
        (tmp_path / "w.data").write_bytes(b"12345678")
        (inner / "w.data").write_bytes(b"12345678")
        (inner / "link.data").symlink_to(tmp_path / "w.data")
        assert code(elsewhere(*place), inner) == wanted

    def test_of_one_name_and_two_shapes(self, tmp_path: Path) -> None:
        """A weight that is used moved and as it is stays exact in both uses."""
        w = np.array([[1, 2], [3, 4]], np.float32)
        nodes = [
            node("Transpose", ["w"], "t"), node("MatMul", ["x", "t"], "a"),
            node("MatMul", ["x", "w"], "b"), node("Concat", ["a", "b"], axis=0),
        ]  # fmt: skip
        network = read(tmp_path, model(nodes, [1, 2], {"w": w}))
        found = [low for low, _ in exactly(network, np.array([1.0, 10.0]))]
        assert found == [21, 43, 31, 42]


def elsewhere(file: str, offset: str, length: str) -> onnx.ModelProto:
    """A network that keeps its weight in another file."""
    found = model([node("Add", ["x", "w"])], [2], {"w": np.zeros(2, np.float32)})
    tensor = found.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", file), ("offset", offset), ("length", length)):
        tensor.external_data.add(key=key, value=value)
    return found


def test_a_batch_that_is_left_open_is_one(tmp_path: Path) -> None:
    """The first axis of an input may have no size."""
    network = read_network(saved(tmp_path, model([node("Relu", ["x"])], ["batch", 3])))
    assert (network.inputs, network.outputs) == ((("x", (1, 3)),), (("y", (1, 3)),))


def test_a_default_of_an_input_is_a_weight(tmp_path: Path) -> None:
    """Older files list their weights among the inputs too."""
    found = gemm()
    for tensor in found.graph.initializer:
        kind = helper.make_tensor_value_info(tensor.name, TensorProto.FLOAT, list(tensor.dims))
        found.graph.input.append(kind)
    assert [name for name, _ in read(tmp_path, found).inputs] == ["x"]


def test_a_network_of_several_inputs_keeps_their_order(tmp_path: Path) -> None:
    """Inputs and outputs stand as in the file."""
    kinds = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, [2]) for n in ("b", "a")]
    results = [helper.make_tensor_value_info(n, TensorProto.DOUBLE, [2]) for n in ("p", "q")]
    nodes = [node("Sub", ["b", "a"], "q"), node("Add", ["a", "b"], "p")]
    w = numpy_helper.from_array(np.zeros(1), "unused")
    graph = helper.make_graph(nodes, "net", kinds, results, [w])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    network = read(tmp_path, made)
    assert [name for name, _ in network.inputs] == ["b", "a"]
    assert [name for name, _ in network.outputs] == ["p", "q"]
    assert network.dtypes == ("F64", "F64")


@pytest.mark.parametrize(
    ("operator", "entries"),
    [
        ("Add", np.array([[2**31 - 1], [1]], np.int32)),
        ("Mul", np.array([[2**40], [2**40]], np.int64)),
        ("Sub", np.array([[3], [5]], np.uint8)),
        ("Div", np.array([[-(2**31)], [-1]], np.int32)),
        ("Neg", np.array([[-128]], np.int8)),
    ],
)
@pytest.mark.parametrize("move", ["Identity", "Squeeze", "Concat", "Where"])
def test_whole_numbers_stay_within_their_type(
    tmp_path: Path, operator: str, entries: Array, move: str
) -> None:
    """What a runtime makes of a sum that its type does not have is another number: such a network is refused,
    whatever the numbers went through before. What their type has is read."""
    operands = {"Concat": ["{}", "{}"], "Where": ["all", "{}", "{}"]}.get(move, ["{}"])
    axis = {"axis": 0} if move == "Concat" else {}

    def network(values: Array) -> onnx.ModelProto:
        own = {f"a{k}": row for k, row in enumerate(values)}
        nodes = [node(move, [x.format(a) for x in operands], f"{a} moved", **axis) for a in own]
        nodes.append(node(operator, [f"{a} moved" for a in own], "sum"))
        nodes += [node("Cast", ["sum"], "real", to=1), node("Add", ["x", "real"])]
        return model(nodes, (2,), {**own, "all": np.array([True])})

    with pytest.raises(CircError, match="outside of what"):
        read(tmp_path, network(entries))
    read(tmp_path, network(np.ones_like(entries)))

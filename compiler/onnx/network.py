"""A network as a circuit: its nodes one after the other, each by the meaning of its operator.

Floats are the rationals they denote, and arithmetic is exact: what the network means, not what a
runtime makes of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from circ.compiler.infer import IllFormed
from circ.compiler.ir import Circuit, Index, Input, Real, Shape, Wire, WireType
from circ.compiler.onnx.arithmetic import ARITHMETIC
from circ.compiler.onnx.conditions import CONDITIONS
from circ.compiler.onnx.constants import CONSTANTS
from circ.compiler.onnx.graph import Declared, Graph, Node, entries
from circ.compiler.onnx.limits import MOST_ENTRIES
from circ.compiler.onnx.moves import MOVES
from circ.compiler.onnx.norms import NORMS
from circ.compiler.onnx.products import PRODUCTS
from circ.compiler.onnx.reductions import REDUCTIONS
from circ.compiler.onnx.step import Operator, Step
from circ.compiler.onnx.stored import FLOATS
from circ.compiler.onnx.tokens import TOKENS, WHOLE, vocabularies
from circ.compiler.onnx.values import Growing, Held, Numbers, Tokens, Value, of
from circ.compiler.onnx.windows import WINDOWS
from circ.compiler.tensor import Weights
from circ.lang.diagnostic import CircError, told_at
from circ.lang.errors.standard import not_onnx, too_large, unsupported

OPERATORS: dict[str, Operator] = {
    **ARITHMETIC, **CONDITIONS, **CONSTANTS, **MOVES, **NORMS, **PRODUCTS, **REDUCTIONS, **TOKENS,
    **WINDOWS,
}  # fmt: skip


COARSEST = ("F16", "F32", "F64")
"""Floats that networks compute in, the coarsest first."""


@dataclass(frozen=True, slots=True)
class Network:
    """A network read: a circuit with one output for each of its own, and the tensors that reads.

    `inputs` and `outputs` list names and shapes in the order of the file; `dtypes` has what its inputs are
    declared as, and `vocabularies`, by the name of an input of tokens, how many these are. `sites` are the values that depend on inputs, by name. Where values
    were cut out, these are inputs of the circuit called `site …`, and `before` has what they would have been.
    """

    circuit: Circuit
    weights: Weights
    inputs: tuple[tuple[str, Shape], ...]
    outputs: tuple[tuple[str, Shape], ...]
    sites: Mapping[str, Wire]
    before: Mapping[str, Wire]
    dtypes: tuple[str, ...]
    vocabularies: Mapping[str, int]

    @property
    def format(self) -> str:
        """The floats that it computes in: those of an input, or else the coarsest that it stores."""
        stored = {tensor.dtype for tensor in self.weights.values()}
        given = [dtype for dtype in self.dtypes if dtype in FLOATS]
        return [*given, *(dtype for dtype in COARSEST if dtype in stored), "F32"][0]


def read_network(path: Path) -> Network:
    """The network in an ONNX file; raises `CircError` (E0401-E0403, E0801-E0807)."""
    from circ.compiler.onnx.file import read_graph  # needs an extra

    return Reading(str(path), read_graph(path)).network()


@dataclass(frozen=True, slots=True)
class Reading:
    """A graph being read; `counts` says how many tokens inputs have, where that is not what tables have."""

    path: str
    graph: Graph
    cut: frozenset[str] = frozenset()
    counts: Mapping[str, int] = field(default_factory=dict[str, int])
    before: dict[str, Wire] = field(default_factory=dict[str, Wire])

    def wrong(self, reason: str) -> CircError:
        """What to raise where the file is not a network."""
        return CircError(not_onnx(self.path, reason))

    def network(self) -> Network:
        """All nodes in turn."""
        growing = Growing()
        known = {name: self.stored(name, of(x), growing) for name, x in self.graph.tensors.items()}
        counts = {**vocabularies(self.graph), **self.counts}
        inputs: list[tuple[str, Shape]] = []
        for declared in self.graph.inputs:
            shape = self.input_shape(declared)
            inputs.append((declared.name, shape))
            self.make(known, declared.name, self.given(declared, shape, counts, growing), growing)
        for node in self.graph.nodes:
            with told_at(node.span):
                self.read(node, known, growing)
        outputs = {name: self.output(name, known, growing) for name in self.graph.outputs}
        if not outputs or not inputs:
            raise self.wrong("it has no inputs or no outputs")
        wires = {name: wire.wire for name, wire in outputs.items()}
        return Network(
            growing.b.circuit(wires),
            growing.weights,
            tuple(inputs),
            tuple((name, growing.b.shape(wire)) for name, wire in wires.items()),
            self.sites(known, growing),
            self.before,
            tuple(declared.dtype for declared in self.graph.inputs),
            counts,
        )

    def given(
        self, declared: Declared, shape: Shape, counts: Mapping[str, int], growing: Growing
    ) -> Value:
        """An input: real numbers, or tokens."""
        name = declared.name
        if declared.dtype in FLOATS:
            return Numbers(growing.b.add(Input(name, WireType(Real(), shape))))
        if not 1 <= counts.get(name, 0) <= MOST_ENTRIES:
            reason = f"its input `{name}` is of whole numbers, and no table says how many there are"
            raise self.wrong(f"{reason}: tokens are looked up in one")
        return Tokens(growing.b.add(Input(name, WireType(Index(counts[name]), shape))))

    def stored(self, name: str, value: Value, growing: Growing) -> Value:
        """A tensor of the file, or an input in its place."""
        if name not in self.cut or not isinstance(value, Held):
            return value
        step = Step(self.path, self.graph.opset, Node("the tensor", name, (), (), {}), (), growing)
        return self.cut_out(name, step.on_wire(value, "the tensor"), growing)

    def cut_out(self, name: str, wire: Wire, growing: Growing) -> Numbers:
        """An input in the place of a value."""
        self.before[name] = wire
        kind = growing.b.types[wire]
        return Numbers(growing.b.add(Input(f"site {name}", kind)))

    def input_shape(self, declared: Declared) -> Shape:
        """The shape of an input; a batch of any size is one of 1."""
        if declared.dtype not in (*FLOATS, *WHOLE):
            reason = f"is of {declared.dtype}, not of floats or tokens"
            raise self.wrong(f"its input `{declared.name}` {reason}")
        if declared.shape is None:
            raise self.wrong(f"its input `{declared.name}` has no shape")
        if None in declared.shape[1:]:
            raise self.wrong(f"the shape of its input `{declared.name}` is left open")
        shape = tuple(1 if side is None else side for side in declared.shape)
        if entries(shape) > MOST_ENTRIES:
            what = f"its input `{declared.name}` has {entries(shape):,} entries"
            raise CircError(too_large(self.path, what, f"{MOST_ENTRIES:,}"))
        return shape

    def sites(self, known: Mapping[str, Value], growing: Growing) -> dict[str, Wire]:
        """The values of real numbers that depend on an input, by name."""
        wires = {name: value.wire for name, value in known.items() if isinstance(value, Numbers)}
        return {name: wire for name, wire in wires.items() if not growing.fixed(wire)}

    def make(self, known: dict[str, Value], name: str, value: Value, growing: Growing) -> None:
        """Keep a value, or an input in its place; each name is made once."""
        if name in known:
            raise self.wrong(f"`{name}` is made twice")
        if name in self.cut and isinstance(value, Numbers):
            value = self.cut_out(name, value.wire, growing)
        known[name] = value

    def read(self, node: Node, known: dict[str, Value], growing: Growing) -> None:
        """One node."""
        found = OPERATORS.get(node.operator)
        if found is None:
            raise CircError(unsupported(self.path, node.told, node.called, sorted(OPERATORS)))
        operands = tuple(self.operand(name, known) for name in node.inputs)
        step = Step(self.path, self.graph.opset, node, operands, growing)
        if len(operands) not in found.operands(self.graph.opset):
            step.refuse(f"it has {len(operands)} operands")
        for name in node.attributes:
            if name not in found.named(self.graph.opset):
                step.refuse(f"its attribute `{name}` is not read")
        try:
            results = found.meaning(step)
        except (IllFormed, ValueError, IndexError) as error:
            raise CircError(step.misfit()) from error
        # Outputs beyond those that are made (a mask, say) are missed where something reads them.
        for name, value in zip(node.outputs, results, strict=False):
            if name:
                self.make(known, name, value, growing)

    def operand(self, name: str, known: Mapping[str, Value]) -> Value | None:
        """The value of this name, which an earlier node made; None where it is left out."""
        if name and name not in known:
            raise self.wrong(f"a node reads `{name}`, which nothing before it makes")
        return known[name] if name else None

    def output(self, name: str, known: Mapping[str, Value], growing: Growing) -> Numbers:
        """An output of the network."""
        value = self.operand(name, known)
        if value is None:
            raise self.wrong("an output has no name")
        node = Node("the output", name, (), (name,), {})
        step = Step(self.path, self.graph.opset, node, (value,), growing)
        return Numbers(step.real(0))

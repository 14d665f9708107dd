"""A network's graph being written: nodes, tensors, and names for what is made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

import numpy as np

from circ.compiler.export.numbers import in_singles, quotient
from circ.compiler.ir import Shape
from circ.compiler.onnx.graph import Attribute, Declared, Flags, Floats, Graph, Node, Stored, Wholes

OPSET = 17
INPUT = "X"
OUTPUT = "Y"


@dataclass(frozen=True, slots=True)
class Made:
    """A tensor of the graph: its name and shape; `values` where it is a constant of floats."""

    name: str
    shape: Shape
    values: Floats | None = field(default=None, repr=False, compare=False)


@dataclass(slots=True)
class Growing:
    """The graph so far."""

    nodes: list[Node] = field(default_factory=list[Node])
    tensors: dict[str, Stored] = field(default_factory=dict[str, Stored])
    taken: set[str] = field(default_factory=lambda: {INPUT, OUTPUT})
    wholes: dict[tuple[int, ...], str] = field(default_factory=dict[tuple[int, ...], str])

    def name(self, wanted: str) -> str:
        """A name like this that nothing has yet."""
        while wanted in self.taken:
            wanted += "_"
        self.taken.add(wanted)
        return wanted

    def node(
        self,
        operator: str,
        inputs: Sequence[str],
        shape: Shape,
        output: str = "",
        **attributes: Attribute,
    ) -> Made:
        """One node with one output."""
        made = output or self.name(f"t{len(self.nodes)}")
        label = f"{operator}_{len(self.nodes)}"
        self.nodes.append(Node(operator, label, tuple(inputs), (made,), attributes))
        return Made(made, shape)

    # --- constants ----------------------------------------------------------------------------

    def floats(self, wanted: str, values: Floats) -> Made:
        """A constant of doubles."""
        name = self.name(wanted)
        self.tensors[name] = Stored(name, "F64", values)
        return Made(name, tuple(map(int, values.shape)), values)

    def numbers(self, entries: Sequence[Fraction], shape: Shape) -> Made:
        """A constant of exact numbers: of floats, or a quotient of such; raises `Unsayable`."""
        parts = [quotient(entry) for entry in entries]
        tops = np.array([float(top) for top, _ in parts], np.float64).reshape(shape)
        top = self.floats("c", tops)
        if all(bottom == 1 for _, bottom in parts):
            return top
        bottoms = np.array([float(bottom) for _, bottom in parts], np.float64).reshape(shape)
        return self.node("Div", [top.name, self.floats("c", bottoms).name], shape)

    def places(self, entries: Sequence[int], shape: Shape | None = None) -> str:
        """A constant of whole numbers, in a row by default."""
        key = (*entries, *(shape or (-1,)))
        if key not in self.wholes:
            values: Wholes = np.array(entries, np.int64)
            name = self.name("k")
            self.tensors[name] = Stored(
                name, "I64", values if shape is None else values.reshape(shape)
            )
            self.wholes[key] = name
        return self.wholes[key]

    def truths(self, entries: Sequence[bool], shape: Shape) -> Made:
        """A constant of truths."""
        name = self.name("c")
        values: Flags = np.array(entries, np.bool_).reshape(shape)
        self.tensors[name] = Stored(name, "BOOL", values)
        return Made(name, shape)

    # --- moves --------------------------------------------------------------------------------

    def reshaped(self, made: Made, shape: Shape) -> Made:
        """The same entries in another shape."""
        if made.shape == shape:
            return made
        if made.values is not None:
            return self.floats(made.name, made.values.reshape(shape))
        return self.node("Reshape", [made.name, self.places(shape)], shape)

    def transposed(self, made: Made, order: Sequence[int]) -> Made:
        """Axis `order[i]` becomes axis `i`."""
        if list(order) == list(range(len(order))):
            return made
        if made.values is not None:
            return self.floats(made.name, np.ascontiguousarray(made.values.transpose(order)))
        shape = tuple(made.shape[axis] for axis in order)
        return self.node("Transpose", [made.name], shape, perm=tuple(order))

    def gathered(self, parts: Sequence[Made], source: Sequence[int], shape: Shape) -> Made:
        """Entries of these, laid end to end, by their place."""
        rows = [self.reshaped(part, (int(np.prod(part.shape, dtype=int)),)) for part in parts]
        count = sum(row.shape[0] for row in rows)
        row = rows[0]
        if len(rows) > 1:
            row = self.node("Concat", [x.name for x in rows], (count,), axis=0)
        if list(source) != list(range(count)):
            row = self.node("Gather", [row.name, self.places(source)], (len(source),), axis=0)
        return self.reshaped(row, shape)

    # --- the end ------------------------------------------------------------------------------

    def finished(self, inputs: int) -> Graph:
        """The graph, without the tensors that nothing reads; of float32, if that holds them all."""
        read = {name for node in self.nodes for name in node.inputs}
        tensors = {name: x for name, x in self.tensors.items() if name in read}
        floats = [x.values for x in tensors.values() if x.dtype == "F64"]
        singles = all(in_singles(values.ravel().tolist()) for values in floats)
        dtype = "F32" if singles else "F64"
        kept = {
            name: Stored(name, dtype if x.dtype == "F64" else x.dtype, x.values)
            for name, x in tensors.items()
        }
        declared = Declared(INPUT, dtype, (1, inputs))
        return Graph(OPSET, tuple(self.nodes), kept, (declared,), (OUTPUT,))

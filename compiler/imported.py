"""A network that a spec names: its values by name, and its circuit with some of them cut out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from circ.compiler.agreement import Agreement
from circ.compiler.ir import Shape
from circ.compiler.onnx.graph import Graph, Stored
from circ.compiler.onnx.network import Network, Reading
from circ.compiler.tensor import Tensor

Cut = frozenset[str]
Counts = tuple[tuple[str, int], ...]
"""How many tokens a spec has for inputs of a network, by name."""

Asked = tuple[Cut, Counts]


@dataclass(slots=True)
class Imported:
    """A graph, and the networks that it is with values cut out, each read when it is first asked for.

    `file` is what the spec calls it, and `told` what messages do; `path` is the file, if it came from one.
    `weights` has the tensors that these read, `agreement` what its reading was held against when it was opened.
    """

    file: str
    told: str
    graph: Graph
    path: Path | None = None
    known: dict[Asked, Network] = field(default_factory=dict[Asked, Network])
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])
    agreement: Agreement | None = None

    @property
    def network(self) -> Network:
        """The network as it is."""
        return self.cut(frozenset())

    def cut(self, names: Cut, counts: Counts = ()) -> Network:
        """The network in which the values and tensors of these names are inputs; raises `CircError` where it is not read.

        `counts` says of inputs that they take fewer tokens than their tables have: the first ones.
        """
        if (names, counts) not in self.known:
            reading = Reading(self.told, self.graph, names, dict(counts))
            self.known[names, counts] = reading.network()
        return self.known[names, counts]

    def kept(self, key: str, tensor: Tensor) -> str:
        """The name under which a tensor is kept: its own, unless another one has it."""
        while key in self.weights and self.weights[key] != tensor:
            key += "'"
        self.weights[key] = tensor
        return key

    @property
    def inputs(self) -> Sequence[tuple[str, Shape]]:
        """The names and shapes of its inputs."""
        return self.network.inputs

    @property
    def outputs(self) -> Sequence[tuple[str, Shape]]:
        """The names and shapes of its outputs."""
        return self.network.outputs

    @property
    def vocabularies(self) -> Mapping[str, int]:
        """By the name of an input that takes tokens, how many of these its tables have."""
        return self.network.vocabularies

    @property
    def sites(self) -> Mapping[str, Shape]:
        """The shapes of the values inside that depend on an input, by their names and those of their nodes."""
        network, inputs = self.network, {name for name, _ in self.inputs}
        shapes = {name: network.circuit.types[wire].shape for name, wire in network.sites.items()}
        own = {name: shape for name, shape in shapes.items() if name not in inputs}
        return own | {node: own[name] for node, name in self.values.items() if name in own}

    @property
    def tensors(self) -> Mapping[str, Shape]:
        """The shapes of the floats that the file stores, by their names."""
        stored = self.graph.tensors.items()
        return {name: shape_of(x) for name, x in stored if x.values.dtype == np.float64}

    @property
    def values(self) -> Mapping[str, str]:
        """The first value that each node with a name makes; a value's own name is not a node's."""
        made = {name for node in self.graph.nodes for name in node.outputs} | {*self.graph.tensors}
        named = (node for node in self.graph.nodes if node.name not in made and node.outputs)
        return {node.name: node.outputs[0] for node in named if node.name}

    @property
    def reads(self) -> Mapping[str, Sequence[str]]:
        """By the name of a value, those of the values that it is computed from."""
        return {name: node.inputs for node in self.graph.nodes for name in node.outputs}


def shape_of(stored: Stored) -> Shape:
    """The shape of a tensor of a file."""
    return tuple(map(int, stored.values.shape))


def imported(path: Path, file: str) -> Imported:
    """The network in an ONNX file; raises `CircError` (E0401-E0403, E0801-E0807)."""
    from circ.compiler.onnx.file import read_graph  # needs an extra

    found = Imported(file, str(path), read_graph(path), path)
    found.cut(frozenset())
    return found

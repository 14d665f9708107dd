"""A claim as a standard problem: a network and a property of it, which belong together."""

from __future__ import annotations

from dataclasses import dataclass

from circ.compiler.export.network import network
from circ.compiler.export.property import Version, property_text
from circ.compiler.export.sought import Sought, sought
from circ.compiler.obligation import Obligation
from circ.compiler.onnx.graph import Graph
from circ.compiler.tensor import Weights

DTYPES = {"F32": "float32", "F64": "float64"}


@dataclass(frozen=True, slots=True)
class Exported:
    """What is sought, and the network that computes what is compared."""

    obligation: Obligation
    found: Sought
    graph: Graph

    def property(self, version: Version) -> str:
        """The property's text."""
        (declared,) = self.graph.inputs
        return property_text(self.found, self.obligation, version, DTYPES[declared.dtype])

    def model(self) -> bytes:
        """The network's file; raises `CircError` (E0801) where onnx is not installed."""
        from circ.compiler.onnx.written import to_bytes

        return to_bytes(self.graph, (1, max(len(self.found.outputs), 1)))


def exported(obligation: Obligation, weights: Weights) -> Exported:
    """The problem of an obligation; raises `Unsayable`."""
    found = sought(obligation, weights)
    return Exported(obligation, found, network(obligation, weights, found.outputs))

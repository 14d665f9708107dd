"""Networks of a spec held against onnxruntime when the spec is opened."""

from __future__ import annotations

from collections.abc import Iterator

from circ.compiler.agreement import Compared, Uncompared
from circ.compiler.driver import Program, networks
from circ.compiler.imported import Imported
from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.networks import read_otherwise
from circ.lang.span import Span
from circ.runtime.agreement import POINTS, Points, apart, drawn, first_apart
from circ.runtime.onnx_values import Missing, Runtime, opened


def compare(program: Program) -> None:
    """Report the networks that onnxruntime runs otherwise, and note what each was held against."""
    for decl in networks(program.typed).values():
        if decl in program.typed.facts.networks:  # it could be read
            found = program.files.network(decl)
            if found.path is not None and found.agreement is None:
                for told in compared(found, program.files.named(decl)):
                    program.diagnostics.report(told)


def compared(found: Imported, span: Span) -> Iterator[Diagnostic]:
    """What is wrong with the reading of a network, which is noted as compared, or why it is not."""
    network = found.network
    runtime = opened(found.path, network)
    if isinstance(runtime, Missing):
        found.agreement = Uncompared(runtime.reason)
        return
    points = drawn(network)
    outputs = runtime.at(points)
    if isinstance(outputs, Missing):
        found.agreement = Uncompared(outputs.reason)
        return
    found.agreement = Compared(f"onnxruntime {runtime.version} on {POINTS} inputs")
    for name, wire in network.circuit.outputs.items():
        difference = apart(network, wire, points, outputs[name])
        if difference is not None:
            first = first_of(found, runtime, points)
            distance, allowed = difference.distance, difference.allowed
            yield read_otherwise(found.file, "onnxruntime", distance, allowed, first, span)


def first_of(found: Imported, runtime: Runtime, points: Points) -> str:
    """The first value inside that differs, where onnxruntime tells what it makes of them."""
    names = [name for node in found.graph.nodes for name in node.outputs if name]
    known = [name for name in names if name in found.network.sites]
    inside = runtime.inside(known, points)
    if isinstance(inside, Missing):
        return ""
    first = first_apart(found.network, known, points, inside.get)
    makers = {name: node for node in found.graph.nodes for name in node.outputs}
    return "" if first is None else f"`{first}` ({makers[first].operator})"

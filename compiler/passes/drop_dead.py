"""Leaving out what no output depends on."""

from __future__ import annotations

from circ.compiler.builder import Builder
from circ.compiler.ir import Circuit, Op, Wire
from circ.compiler.rewrite import Replace, copy_live


def drop_dead(circuit: Circuit) -> Circuit:
    """`circuit` without the ops that no output reads; its inputs all stay, being its binders."""
    return copied(circuit, Builder(), keep)


def copied(circuit: Circuit, b: Builder, replace: Replace) -> Circuit:
    """The live ops and all inputs, copied into `b` with ops replaced on the way; same outputs."""
    roots = [*circuit.inputs.values(), *circuit.outputs.values()]
    moved = copy_live(circuit, b, replace, roots)
    return b.circuit({name: moved[wire] for name, wire in circuit.outputs.items()})


def keep(_wire: Wire, _op: Op) -> None:
    """Replaces nothing."""

"""What is done to every circuit between lowering and deciding; each pass keeps its meaning."""

from __future__ import annotations

from collections.abc import Callable

from circ.compiler.ir import Circuit
from circ.compiler.passes.drop_dead import drop_dead
from circ.compiler.passes.fold_constants import fold_constants
from circ.compiler.passes.invariants import check_invariants

PASSES: tuple[Callable[[Circuit], Circuit], ...] = (fold_constants, drop_dead)
"""In order: folding leaves operands behind that nothing reads any more."""


def run_passes(circuit: Circuit) -> Circuit:
    """`circuit` after all passes; raises `IllFormed` when one of them, or lowering, is at fault."""
    check_invariants(circuit)
    for simplify in PASSES:
        circuit = simplify(circuit)
        check_invariants(circuit)
    return circuit

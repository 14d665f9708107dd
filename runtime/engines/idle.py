"""What a claim turns out to say nothing about: empty domains, idle premises, arms never reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from circ.compiler.ir import Const
from circ.compiler.obligation import Obligation


def emptiness(obligation: Obligation, never: Callable[[str], bool]) -> str:
    """Which condition nothing meets: a binder's own, by its output, or else `where`."""
    for bound in obligation.binders:
        name = f"in {bound.name}"
        if name in obligation.conditions and never(name):
            return f"the domain of `{bound.name}` is empty"
    where = obligation.circuit.outputs.get("where")
    if where is None or isinstance(obligation.circuit.ops[where], Const):
        return "the domains exclude one another, however ties are broken"
    return "nothing meets the `where`"


def idle(obligation: Obligation, never: Callable[[str], bool]) -> Iterator[str]:
    """A warning for a premise that never holds, and for each arm of `cases` never reached."""
    outputs = obligation.circuit.outputs
    if "premise" in outputs and never("premise"):
        yield "the left side of `implies` never holds on the domain"
    for number, span in enumerate(obligation.arms):
        if f"arm {number}" in outputs and never(f"arm {number}"):
            yield f"arm at {span.place} is never reached"

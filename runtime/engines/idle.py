"""What a claim turns out to say nothing about: empty domains, idle premises, arms never reached."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from circ.compiler.ir import Const
from circ.compiler.obligation import Obligation


def emptiness(obligation: Obligation, never: Callable[[str], bool]) -> str:
    """Which condition nothing meets: that of a domain, by its output, or else `where`."""
    for name in obligation.conditions:
        if name != "where" and never(name):
            return f"the domain of `{name.removeprefix('in ')}` is empty"
    ops, outputs = obligation.circuit.ops, obligation.circuit.outputs
    left = [x for x in obligation.joint_conditions if not isinstance(ops[outputs[x]], Const)]
    match left:
        case []:
            return "the domains exclude one another, however ties are broken"
        case ["where"]:
            return "nothing meets the `where`"
        case [only]:
            return f"the domain of `{only.removeprefix('in ')}` is empty"
        case _:
            return "no input meets all conditions"


def idle(obligation: Obligation, never: Callable[[str], bool]) -> Iterator[str]:
    """A warning for a premise that never holds, and for each arm of `cases` never reached."""
    outputs = obligation.circuit.outputs
    if "premise" in outputs and never("premise"):
        yield "the left side of `implies` never holds on the domain"
    for number, span in enumerate(obligation.arms):
        if f"arm {number}" in outputs and never(f"arm {number}"):
            yield f"arm at {span.place} is never reached"

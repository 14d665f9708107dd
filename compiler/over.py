"""A claim `over float32` as claims about exact numbers, that engines can decide.

`in_every` holds where no execution can miss the goal, `in_some` fails only where every one does.
Conditions of a domain are about the input, and stay as they are. A `where` is read both ways: what is
proved holds where it is met exactly, and where an execution may find it met.
"""

from __future__ import annotations

from dataclasses import replace
from math import inf

from circ.compiler.builder import Builder
from circ.compiler.ir import (
    All,
    Any,
    Circuit,
    Compare,
    Const,
    Not,
    Op,
    Reindex,
    Select,
    Smooth,
    Softmax,
    Wire,
)
from circ.compiler.margin import connectives
from circ.compiler.obligation import Obligation
from circ.compiler.passes import run_passes
from circ.compiler.readings.executions import model_text, programs
from circ.compiler.readings.straying import Strayed, straying
from circ.compiler.strengthen import grown, sides
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Straying

SHOW = "show "

DECIDED = ("goal", "where")
"""The outputs that an execution computes."""


def strayed(obligation: Obligation, weights: Weights, over: str) -> Strayed:
    """How far executions stray on the domain, in all that the claim compares and shows."""
    wanted = [
        wire
        for name, wire in obligation.circuit.outputs.items()
        if name in DECIDED or name.startswith(SHOW)
    ]
    return straying(obligation.circuit, weights, obligation.binders, programs(over), wanted)


def in_every(obligation: Obligation, found: Strayed) -> Obligation:
    """The claim that every execution meets the goal, wherever some may meet the `where`."""
    return rebuilt(obligation, found, every=True)


def in_some(obligation: Obligation, found: Strayed) -> Obligation:
    """The claim that some execution may meet the goal, where all meet the `where`."""
    return rebuilt(obligation, found, every=False)


def rebuilt(obligation: Obligation, found: Strayed, *, every: bool) -> Obligation:
    """The claim about exact numbers, with the sides of its goal and its `where`."""
    circuit = obligation.circuit
    s = grown(circuit, found)
    goal, where = (sides(s, circuit.outputs[name]) for name in DECIDED)
    outputs: dict[str, Wire] = dict(circuit.outputs)
    outputs["goal"] = goal.sure if every else goal.maybe
    outputs["where"] = where.maybe if every else where.sure
    return replace(obligation, circuit=run_passes(s.b.circuit(outputs)), over=None)


def never_met(obligation: Obligation) -> bool:
    """Whether a goal is false by itself."""
    op = obligation.circuit.ops[obligation.circuit.outputs["goal"]]
    return isinstance(op, Const) and op.values == (False,)


# --- what is told ---------------------------------------------------------------------------


def told(obligation: Obligation, found: Strayed, over: str, margin: float | None) -> Straying:
    """How far executions stray in what the claim compares, and whether a proof with `margin` is theirs.

    Comparisons that hold by more than both sides stray hold in every execution, and `and`, `or` and
    `not` keep that: the margin of the goal falls by no more than the most that one of them loses.
    """
    circuit = obligation.circuit
    shown = {n.removeprefix(SHOW): w for n, w in circuit.outputs.items() if n.startswith(SHOW)}
    goal, where = (circuit.outputs[name] for name in DECIDED)
    lost = most_lost(obligation, found)
    enough = found.agrees(goal) or (margin is not None and margin > lost)
    most = {name: found.most(wire) for name, wire in shown.items() if wire in found.reals}
    decided = {name: wire for name, wire in shown.items() if wire in found.discrete}
    return Straying(
        format=over,
        model=model_text(over, exp=any(map(uses_exp, circuit.ops))),
        most=tuple(most.items()),
        changed=tuple(name for name, wire in decided.items() if not found.agrees(wire)),
        kept=tuple(name for name, wire in decided.items() if found.agrees(wire)),
        meets=enough and found.agrees(where),
        margin=lost,
        reason=unbounded(circuit, found, over) if inf in most.values() else "",
    )


def uses_exp(op: Op) -> bool:
    """Whether an operation is computed by way of `exp`."""
    match op:
        case Smooth(function=function):
            return function == "exp"
        case _:
            return isinstance(op, Softmax)


def most_lost(obligation: Obligation, found: Strayed) -> float:
    """The most that any comparison of the goal may lose; infinite where others than these decide it."""
    circuit, lost = obligation.circuit, 0.0
    b = Builder(list(circuit.ops), list(circuit.types))
    for wire in connectives(b, circuit.outputs["goal"]):
        match circuit.ops[wire]:
            case Compare(left=left, right=right) if left in found.reals:
                lost = max(lost, (found.most(left) + found.most(right)) * (1 + 2.0**-50))
            case Not() | All() | Any() | Reindex() | Const():
                pass
            case Select(condition=condition) if found.agrees(condition):
                pass
            case _:
                return inf
    return lost


def unbounded(circuit: Circuit, found: Strayed, over: str) -> str:
    """Why there is no bound: the first wire that may stray any distance."""
    for wire, stray in sorted(found.reals.items()):
        if stray.err.max(initial=0.0) == inf:
            return cause(circuit.ops[wire], over)
    return ""


def cause(op: Op, over: str) -> str:
    """What may go wrong at an op in floats."""
    match op:
        case Smooth(function="recip"):
            return "a divisor may come too close to zero"
        case Smooth(function="sqrt"):
            return "what stands under a root may become negative, or comes too close to zero"
        case Smooth() | Softmax():
            return f"an exponential may exceed the largest {over}"
        case _:
            return f"numbers may exceed the largest {over}"

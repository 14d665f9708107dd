"""Wires that are computed alike: what a comprehension, a count or a fold was unfolded to.

`[ W @ v for v in x ]` is one op for each row of `x` and a stack of them all, and `fold` one step for each.
Written out, the first of them stands for all, in a comprehension or a loop of Python's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from circ.compiler.ir import Circuit, Op, Reindex, Sum, Wire, operands
from circ.compiler.obligation import Site
from circ.compiler.pytorch.columns import Aligned, Readers, align

FEWEST = 3
"""Parts that are worth a comprehension."""


@dataclass(frozen=True, slots=True)
class Repeat:
    """Parts that are alike and end up in one value: `gathered` is the function that makes it of them."""

    gathered: str
    parts: Aligned

    @property
    def reads(self) -> list[Wire]:
        """The wires that have to be there before it."""
        return self.parts.reads


@dataclass(frozen=True, slots=True)
class Loop:
    """Steps that are alike, each of which reads the state after the one before it: `first` is the first state."""

    first: Wire
    parts: Aligned

    @property
    def reads(self) -> list[Wire]:
        """The wires that have to be there before it."""
        return [self.first, *self.parts.reads]


def repeat_of(circuit: Circuit, wire: Wire, readers: Readers) -> Repeat | None:
    """What a wire repeats, if it is made of wires that are computed alike and read by nothing else."""
    gathered = gathered_by(circuit, circuit.ops[wire])
    if gathered is None:
        return None
    roots = operands(circuit.ops[wire])
    parts = align(circuit, roots, readers, [[wire]] * len(roots))
    return None if parts is None else Repeat(gathered, parts)


def gathered_by(circuit: Circuit, op: Op) -> str | None:
    """The function that makes a value of several others, if that is what an op does."""
    match op:
        case Reindex(operands=wires) if len(wires) >= FEWEST and is_stack(circuit, op):
            return "stack"
        case Sum(terms=terms) if len(terms) >= FEWEST and all(c == 1 for c, _ in terms):
            return "added"
        case _:
            return None


def is_stack(circuit: Circuit, op: Reindex) -> bool:
    """Whether its operands, all of one type, only stand one after the other along a new axis."""
    first = circuit.types[op.operands[0]]
    return (
        op.shape == (len(op.operands), *first.shape)
        and all(circuit.types[wire] == first for wire in op.operands)
        and prod(op.shape) > 0
        and [*op.source] == [*range(prod(op.shape))]
    )


# --- loops ----------------------------------------------------------------------------------


def loop_of(
    circuit: Circuit, wire: Wire, sites: Mapping[Wire, Site], readers: Readers
) -> Loop | None:
    """The loop that a wire is the last state of, if there is one; only steps read the states before."""
    if wire not in sites:
        return None
    states = [wire]
    while (before := state_before(circuit, states[-1], sites)) is not None:
        states.append(before)
    states.reverse()
    if len(states) <= FEWEST:
        return None
    roots, carried = tuple(states[1:]), tuple(states[:-1])
    parts = align(circuit, roots, readers, [readers[root] for root in roots], carried)
    if parts is None:
        return None
    alone = all(
        {*part}.issuperset(readers[state]) for part, state in zip(parts.parts, carried, strict=True)
    )
    return Loop(states[0], parts) if alone else None


def state_before(circuit: Circuit, wire: Wire, sites: Mapping[Wire, Site]) -> Wire | None:
    """The one state of the same site that a state is computed from, if it is from one."""
    found, seen = set[Wire](), set[Wire]()
    waiting = [*operands(circuit.ops[wire])]
    while waiting:
        read = waiting.pop()
        if sites.get(read) == sites[wire]:
            found.add(read)
        elif read not in seen:
            seen.add(read)
            waiting += operands(circuit.ops[read])
    return found.pop() if len(found) == 1 else None

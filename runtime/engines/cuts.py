"""Cutting a circuit where several binders meet: what each contributes, and what is left to decide.

`f(s) == f(t)` sees a word through `f` alone. The last truths and indices that read a single binder
are cut; the rest of the circuit reads these instead of words, and decides every pair with the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from circ.compiler.builder import Builder
from circ.compiler.ir import Circuit, Input, Op, Real, Wire, operands
from circ.compiler.rewrite import live, rewrite


@dataclass(frozen=True, slots=True)
class Cut:
    """`values`: for each binder, its wires that the rest reads, by the name of the input they become.

    `own`: the circuit with those wires as outputs. `rest`: the circuit that reads them.
    """

    values: Mapping[str, tuple[str, ...]]
    own: Circuit
    rest: Circuit


def cut(circuit: Circuit, roots: Sequence[str]) -> Cut:
    """The circuit cut for computing these outputs; every input is discrete."""
    readers = binders_read(circuit, [circuit.outputs[name] for name in roots])
    edge = last_discrete(circuit, [circuit.outputs[name] for name in roots], readers)
    names = {wire: f"value {wire}" for wire in edge}
    parts = {
        binder: tuple(names[wire] for wire in edge if binder in readers[wire])
        for binder in circuit.inputs
    }

    def replaced(wire: Wire, _op: Op) -> Wire | None:
        return b.add(Input(names[wire], circuit.types[wire])) if wire in names else None

    b = Builder()
    rest = rewrite(circuit, b, replaced, roots)
    outputs = {**circuit.outputs, **{name: wire for wire, name in names.items()}}
    own = Circuit(circuit.ops, circuit.types, outputs)
    return Cut(parts, own, rest)


def binders_read(circuit: Circuit, roots: Sequence[Wire]) -> dict[Wire, frozenset[str]]:
    """The inputs that each live wire depends on."""
    found: dict[Wire, frozenset[str]] = {}
    for wire in sorted(live(circuit, roots)):
        op = circuit.ops[wire]
        if isinstance(op, Input):
            found[wire] = frozenset({op.name})
        else:
            found[wire] = frozenset[str]().union(*(found[w] for w in operands(op)))
    return found


def last_discrete(
    circuit: Circuit, roots: Sequence[Wire], readers: Mapping[Wire, frozenset[str]]
) -> list[Wire]:
    """The truths and indices of one binder that nothing but such a binder's wires lies behind."""
    found: set[Wire] = set()
    seen: set[Wire] = set()
    waiting = list(roots)
    while waiting:
        wire = waiting.pop()
        if wire in seen or not readers[wire]:
            continue
        seen.add(wire)
        if len(readers[wire]) == 1 and circuit.types[wire].sort != Real():
            found.add(wire)
        else:
            waiting.extend(operands(circuit.ops[wire]))
    return sorted(found)

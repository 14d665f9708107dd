"""Cutting a circuit where several binders meet: what each contributes, and what is left to decide.

`f(s) == f(t)` sees a word through `f` alone. The last truths, indices and whole numbers that read a
single binder are cut; the rest of the circuit reads these instead of words, and so decides every pair
of words with the same values at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import assert_never

from circ.compiler.builder import Builder, reals
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Circuit,
    Compare,
    Const,
    Contract,
    Index,
    Input,
    Lookup,
    Max,
    Not,
    Op,
    Real,
    Reindex,
    Relu,
    Select,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Weight,
    Wire,
    WireType,
    operands,
)
from circ.compiler.rewrite import live, rewrite
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Cut:
    """`values`: for each binder, its wires that the rest reads, by the name of the input they become.

    `own`: the circuit with those wires as outputs too. `roots`: the outputs that read them.
    """

    values: Mapping[str, tuple[str, ...]]
    own: Circuit
    roots: tuple[str, ...]


def cut(circuit: Circuit, weights: Weights, roots: Sequence[str]) -> Cut:
    """The circuit cut for computing these outputs; every input is discrete."""
    wires = [circuit.outputs[name] for name in roots]
    readers = binders_read(circuit, wires)
    names = {wire: f"value {wire}" for wire in edge(circuit, weights, wires, readers)}
    values = {
        binder: tuple(name for wire, name in names.items() if binder in readers[wire])
        for binder in circuit.inputs
    }
    outputs = {**circuit.outputs, **{name: wire for wire, name in names.items()}}
    return Cut(values, Circuit(circuit.ops, circuit.types, outputs), tuple(roots))


def rest(parts: Cut, numbers: Mapping[str, Sequence[int]]) -> Circuit:
    """What is left: the roots, from the values where the circuit was cut.

    A value that is a whole number is read as its place among the `numbers` that it may be.
    """
    circuit = parts.own
    names = {circuit.outputs[name]: name for values in parts.values.values() for name in values}
    b = Builder()

    def replaced(wire: Wire, _op: Op) -> Wire | None:
        if wire not in names:
            return None
        known, name = circuit.types[wire], names[wire]
        if known.sort != Real():
            return b.add(Input(name, known))
        table = reals(b, map(Fraction, numbers[name]), (len(numbers[name]),))
        place = b.add(Input(name, WireType(Index(len(numbers[name])), known.shape)))
        return b.add(Lookup(table, (place,)))

    return rewrite(circuit, b, replaced, parts.roots)


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


def edge(
    circuit: Circuit,
    weights: Weights,
    roots: Sequence[Wire],
    readers: Mapping[Wire, frozenset[str]],
) -> list[Wire]:
    """The last wires of one binder each, on every way to the roots, that have finitely many values."""
    whole = whole_numbers(circuit, weights, roots)
    found: set[Wire] = set()
    seen: set[Wire] = set()
    waiting = list(roots)
    while waiting:
        wire = waiting.pop()
        if wire in seen or not readers[wire]:
            continue
        seen.add(wire)
        finite = circuit.types[wire].sort != Real() or wire in whole
        if len(readers[wire]) == 1 and finite:
            found.add(wire)
        else:
            waiting.extend(operands(circuit.ops[wire]))
    return sorted(found)


def whole_numbers(circuit: Circuit, weights: Weights, roots: Sequence[Wire]) -> set[Wire]:
    """Real wires whose entries are whole numbers whatever the input: counts above all."""
    found: set[Wire] = set()
    for wire in sorted(live(circuit, roots)):
        if circuit.types[wire].sort == Real() and is_whole(circuit.ops[wire], found, weights):
            found.add(wire)
    return found


def is_whole(op: Op, whole: set[Wire], weights: Weights) -> bool:
    """Whether whole operands make a whole result."""
    match op:
        case Const(values=values):
            return all(Fraction(value).denominator == 1 for value in values)
        case Weight(key=key):
            return all(map(float.is_integer, weights[key].values))
        case Sum(terms=terms):
            return all(c.denominator == 1 and wire in whole for c, wire in terms)
        case Reindex() | Contract() | Relu() | Max():
            return whole.issuperset(operands(op))
        case Select(then=then, otherwise=otherwise):
            return then in whole and otherwise in whole
        case Lookup(table=table):
            return table in whole
        case TopK():
            return True
        case Input() | Smooth() | Softmax():
            return False
        case Compare() | Not() | All() | Any() | Argmax():
            return False
        case _:
            assert_never(op)

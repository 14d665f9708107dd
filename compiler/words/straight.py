"""ReLUs whose phase is known taken out of a circuit: what is left is linear there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from circ.compiler.builder import Builder, reals, reindex, times
from circ.compiler.ir import Circuit, Compare, Op, Relu, Wire, operands
from circ.compiler.positions import SEVERAL, places
from circ.compiler.rewrite import copy_live
from circ.compiler.words.cases import Options

Phases = tuple[bool, ...]
"""For each entry of a ReLU whether its operand is passed on, or zero is."""


def first_relus(circuit: Circuit, options: Options, word: Wire, fixed: Sequence[int]) -> list[Wire]:
    """The ReLUs of several positions that read no other such ReLU, the positions fixed aside."""
    reads = places(circuit, [wire for wire, _ in options], word, fixed)
    bent: set[Wire] = set()
    found: list[Wire] = []
    for wire in sorted(reads):
        op = circuit.ops[wire]
        behind = not bent.isdisjoint(operands(op))
        relu = isinstance(op, Relu) and bool((reads[wire] == SEVERAL).any())
        if relu and not behind:
            found.append(wire)
        if relu or behind:
            bent.add(wire)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class Straight:
    """A circuit with some ReLUs taken out, and the options there."""

    circuit: Circuit
    options: Options


def straightened(
    circuit: Circuit,
    options: Options,
    phases: Mapping[Wire, Phases],
    doubtful: Mapping[Wire, Phases],
) -> Straight:
    """The options where the ReLUs have these phases; elsewhere they hold too.

    `doubtful` says which phases are assumed and not known: that one of them is not as assumed is
    another option.
    """
    b = Builder()
    for wire in circuit.inputs.values():
        b.add(circuit.ops[wire])
    operand: dict[Wire, Wire] = {}

    def taken_out(wire: Wire, op: Op) -> Wire | None:
        match op:
            case Relu(operand=x) if wire in phases:
                operand[wire] = x
                mask = reals(b, map(Fraction, phases[wire]), b.shape(x))
                return times(b, mask, x)
            case _:
                return None

    moved = copy_live(circuit, b, taken_out, [wire for wire, _ in options])
    kept = [(moved[wire], wanted) for wire, wanted in options]
    for wire, x in operand.items():
        zero = reals(b, [Fraction(0)] * len(phases[wire]), b.shape(x))
        sides = b.add(Compare("<", x, zero)), b.add(Compare("<", zero, x))
        for place, assumed in enumerate(doubtful[wire]):
            if assumed:
                side = sides[0 if phases[wire][place] else 1]
                kept.append((reindex(b, [side], [place], ()), True))
    return Straight(b.circuit({}), tuple(kept))

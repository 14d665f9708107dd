"""The formulas of all classes with every comparison between sums over positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from circ.compiler.builder import Builder
from circ.compiler.ir import Circuit, Wire
from circ.compiler.positions import places
from circ.compiler.words.formula import Clause
from circ.compiler.words.separable import Separation, Terms

Key = tuple[Wire, Wire | None]
"""A wire of the formulas, and the denominator that its terms are written over."""


@dataclass(frozen=True, slots=True, eq=False)
class Separated:
    """`terms` of each wire that a clause compares, over the clause's denominator: `over[clause]`.

    The terms are sums over the positions that are not `fixed`; `circuit` has their wires, and
    `denominators` the terms of each.
    """

    circuit: Circuit
    fixed: tuple[int, ...]
    terms: dict[Key, Terms]
    denominators: dict[Wire, Terms]
    over: dict[Clause, Wire | None]


def attempts(length: int) -> Iterator[tuple[int, ...]]:
    """Which positions to fix: none, the last one, which most often queries, or another one."""
    yield ()
    yield (length - 1,)
    yield from ((position,) for position in range(length - 1))


def split(
    circuit: Circuit, word: Wire, clauses: Iterable[Clause], fixed: Sequence[int]
) -> Separated:
    """The clauses split where these positions are fixed; raises `NotSeparable`."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update({op: Wire(i) for i, op in enumerate(circuit.ops)})
    read = {clause: tuple(compared(clause)) for clause in clauses}
    wires = sorted({wire for group in read.values() for wire in group})
    work = Separation(b, places(circuit, wires, word, fixed))
    groups = {
        group: work.alike([work.terms(wire) for wire in group])
        for group in dict.fromkeys(read.values())
    }
    over = {group: denominator(parts) for group, parts in groups.items()}
    terms = {
        (wire, over[group]): part
        for group, parts in groups.items()
        for wire, part in zip(group, parts, strict=True)
    }
    denominators = {
        x.over.wire: x.over for parts in groups.values() for x in parts if x.over is not None
    }
    return Separated(
        b.circuit({}), tuple(fixed), terms, denominators, {c: over[read[c]] for c in read}
    )


def denominator(parts: Sequence[Terms]) -> Wire | None:
    """What these are all over."""
    return next((x.over.wire for x in parts if x.over is not None), None)


def compared(clause: Clause) -> Iterable[Wire]:
    """The wires that a clause reads, each once."""
    return dict.fromkeys(x.wire for literal in clause for x in (literal.more, literal.less))

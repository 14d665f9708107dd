"""What a truth cannot hold without: real numbers that are not negative wherever it holds.

`a <= b` gives `b - a`, and so does `a < b`; `a == b` gives both differences; `argmax(v) == i` gives the lead of `v[i]` over
every entry of `v`, however ties are broken; a conjunction gives what its parts give, and any
other truth its slack (`surrogate`), where it has one. What is found here is necessary and need not be sufficient.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod

from circ.compiler.builder import Builder, combine, reals, reindex
from circ.compiler.ir import All, Circuit, Compare, Real, Reindex, Select, Wire
from circ.compiler.margin import LARGE, chosen_and_rivals, surrogate


def with_conjuncts(circuit: Circuit) -> Circuit:
    """`circuit` with the one output `slack`: those of its goal, along one axis."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update((op, Wire(i)) for i, op in enumerate(circuit.ops))
    return b.circuit({"slack": conjuncts(b, circuit.outputs["goal"])})


def conjuncts(b: Builder, truth: Wire) -> Wire:
    """Those of each entry of a truth, along a new last axis."""
    match b.ops[truth]:
        case Compare(op="<" | "<=", left=left, right=right):
            return side_by_side(b, [combine(b, (1, right), (-1, left))])
        case Compare(left=left, right=right) if b.types[left].sort == Real():
            one, other = combine(b, (1, right), (-1, left)), combine(b, (1, left), (-1, right))
            return side_by_side(b, [one, other])
        case Compare(left=left, right=right):
            sides = [leads(b, left, right), leads(b, right, left)]
            known = [side for side in sides if side is not None]
            return known[0] if known else as_one(b, truth)
        case All(operand=x):
            inner = conjuncts(b, x)
            *shape, entries, width = b.shape(inner)
            size = prod((*shape, entries, width))
            return reindex(b, [inner], range(size), (*shape, entries * width))
        case Reindex(operands=wires, source=source, shape=shape):
            parts, width = alike(b, [conjuncts(b, wire) for wire in wires])
            return reindex(b, parts, blocks(source, width), (*shape, width))
        case Select(condition=condition, then=then, otherwise=otherwise):
            (one, other), _ = alike(b, [conjuncts(b, then), conjuncts(b, otherwise)])
            return b.add(Select(condition, one, other))
        case _:
            return as_one(b, truth)


def leads(b: Builder, scored: Wire, other: Wire) -> Wire | None:
    """How far the score of `other` stands above every rival's, where `scored` is chosen by score."""
    found = chosen_and_rivals(b, scored, other)
    if found is None:
        return None
    chosen, rivals = found
    shape = b.shape(rivals)
    repeated = blocks_of_one(prod(shape[:-1]), shape[-1])
    return combine(b, (1, reindex(b, [chosen], repeated, shape)), (-1, rivals))


def as_one(b: Builder, truth: Wire) -> Wire:
    """The slack of each entry of another truth; one that has none is passed over, as if it held."""
    found = surrogate(b, truth)
    if found is None:
        found = reals(b, [LARGE] * b.types[truth].entries, b.shape(truth))
    return side_by_side(b, [found])


def side_by_side(b: Builder, wires: Sequence[Wire]) -> Wire:
    """Wires of one shape along a new last axis."""
    shape, count = b.shape(wires[0]), len(wires)
    size = prod(shape)
    source = [part * size + place for place in range(size) for part in range(count)]
    return reindex(b, wires, source, (*shape, count))


def alike(b: Builder, wires: Sequence[Wire]) -> tuple[list[Wire], int]:
    """The same with last axes of one length, which is the longest; what is added is positive."""
    width = max(b.shape(wire)[-1] for wire in wires)
    return [padded(b, wire, width) for wire in wires], width


def padded(b: Builder, wire: Wire, width: int) -> Wire:
    """A wire with a longer last axis."""
    *shape, own = b.shape(wire)
    size = prod(shape) * own
    source = [
        place * own + k if k < own else size for place in range(prod(shape)) for k in range(width)
    ]
    return (
        reindex(b, [wire, reals(b, [LARGE], (1,))], source, (*shape, width))
        if own < width
        else wire
    )


def blocks(source: Sequence[int], width: int) -> list[int]:
    """Where entries come from that are runs of `width`."""
    return [place * width + k for place in source for k in range(width)]


def blocks_of_one(count: int, width: int) -> list[int]:
    """Each of `count` entries, `width` times."""
    return [place for place in range(count) for _ in range(width)]

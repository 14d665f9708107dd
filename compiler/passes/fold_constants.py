"""Computing what is known before any input is: exactly, so that nothing else changes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from math import prod
from operator import mul

from circ.compiler.builder import Builder, reindex
from circ.compiler.infer import wire_type
from circ.compiler.ir import (
    Bool,
    Circuit,
    Const,
    Contract,
    Lookup,
    Op,
    Select,
    Wire,
    WireType,
    operands,
)
from circ.compiler.passes.drop_dead import copied
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import Setting, Value, exact_value, value

MOST_ENTRIES = 100_000
"""No constant larger than this is made, and no einsum of more products is worked out."""

Known = dict[Wire, Const]


def fold_constants(circuit: Circuit) -> Circuit:
    """`circuit` with each op on known operands replaced by its value, where that is exact.

    A `Select` on a known condition becomes its branch, a `Lookup` of known indices a `Reindex`.
    Ties and irrational values stay as they are; the tensors of a checkpoint do not count as known.
    """
    b = Builder()
    return copied(circuit, b, lambda _, op: folded(b, op))


def folded(b: Builder, op: Op) -> Wire | None:
    """The wire of `b` that is equal to `op` and simpler, if there is one."""
    found = ((wire, b.ops[wire]) for wire in operands(op))
    known = {wire: const for wire, const in found if isinstance(const, Const)}
    if known and len(known) == len(set(operands(op))):
        return computed(b, op, known)
    match op:
        case Select(condition=condition, then=then, otherwise=otherwise) if condition in known:
            return then if known[condition].values[0] else otherwise
        case Lookup(table=table, indices=indices) if known.keys() >= set(indices):
            return taken(b, table, [known[wire] for wire in indices], wire_type(op, b.types))
        case _:
            return None


def computed(b: Builder, op: Op, known: Known) -> Wire | None:
    """The constant that `op` is, if it is exact and not too large."""
    wanted = wire_type(op, b.types)
    if max(wanted.entries, products(b, op)) > MOST_ENTRIES:
        return None
    values = {wire: exact_value(const.type, const.values) for wire, const in known.items()}
    with suppress(Undefined):
        result = value(op, values, Setting({}, {}))
        return b.add(constant(wanted, result)) if result.exact else None
    return None


def products(b: Builder, op: Op) -> int:
    """How many products an einsum takes; none for another op."""
    if not isinstance(op, Contract):
        return 0
    left, right = op.spec.split("->")[0].split(",")
    sides = [*zip(left, b.shape(op.left), strict=True), *zip(right, b.shape(op.right), strict=True)]
    return prod(dict(sides).values())


def constant(known: WireType, result: Value) -> Const:
    """A value that leaves nothing open, as a constant."""
    if isinstance(result, Reals):
        return Const(known, tuple(entry for entry, _ in result.box))
    entries = [entry for options in result.sets for entry in options]
    return Const(known, tuple(map(bool if known.sort == Bool() else int, entries)))


def taken(b: Builder, table: Wire, indices: Sequence[Const], result: WireType) -> Wire:
    """The entries of a table at known indices."""
    shape = b.shape(table)
    strides = [prod(shape[axis + 1 :]) for axis in range(len(indices))]
    places = zip(*(map(int, const.values) for const in indices), strict=True)
    starts = [sum(map(mul, place, strides)) for place in places]
    width = strides[-1]
    source = (start + step for start in starts for step in range(width))
    return reindex(b, [table], source, result.shape)

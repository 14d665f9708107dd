"""Indices and slices: known places become a `Reindex`, computed ones a `Lookup`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circ.compiler.builder import take, transpose
from circ.compiler.ir import Const, Lookup, Wire
from circ.compiler.lower.environment import Environment
from circ.lang.check.constants import whole
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import index_range, not_constant, slice_range
from circ.lang.syntax import Expr, Ref, Slice
from circ.lang.syntax import Index as IndexExpr


@dataclass(frozen=True, slots=True)
class Computed:
    """A place that depends on an input."""

    wire: Wire


Place = int | range | Computed


def lower_index(e: IndexExpr, env: Environment) -> Wire:
    """Known places are taken first; one lookup then goes along all computed ones."""
    b = env.b
    base = env.wire(e.base)
    sides = b.shape(base)
    places = [place(item, side, env) for item, side in zip(e.items, sides, strict=False)]
    known = [
        range(side) if isinstance(at, Computed) else at
        for at, side in zip(places, sides, strict=False)
    ]
    part = base if whole_axes(known, sides) else take(b, base, known)
    kept = [at for at in places if not isinstance(at, int)]
    computed = [axis for axis, at in enumerate(kept) if isinstance(at, Computed)]
    if not computed:
        return part
    order = [*computed, *(axis for axis in range(len(b.shape(part))) if axis not in computed)]
    table = part if order == sorted(order) else transpose(b, part, order)
    return b.add(Lookup(table, tuple(at.wire for at in kept if isinstance(at, Computed))))


def whole_axes(places: Sequence[int | range], sides: Sequence[int]) -> bool:
    """Whether nothing is left out: a large table is then read as it stands."""
    return all(at == range(side) for at, side in zip(places, sides, strict=False))


def place(item: Expr | Slice, side: int, env: Environment) -> Place:
    """What an index names on an axis of `side` entries."""
    if isinstance(item, Slice):
        return sliced(item, side, env)
    number = whole(item)
    if number is not None:
        return in_range(item, number, side)
    wire = env.wire(item)
    op = env.b.ops[wire]
    return int(op.values[0]) if isinstance(op, Const) else Computed(wire)


def known_places(
    items: Sequence[Expr | Slice], sides: Sequence[int], env: Environment
) -> list[int | range]:
    """The places of an edit's target; raises `CircError` where one depends on an input."""
    found: list[int | range] = []
    for item, side in zip(items, sides, strict=False):
        at = place(item, side, env)
        if isinstance(at, Computed):
            raise CircError(not_constant(item.span, "the place of an edit"))
        found.append(at)
    return found


def in_range(item: Expr, number: int, side: int) -> int:
    """A written index as an offset; raises `CircError` past the end."""
    if not -side <= number < side:
        raise CircError(index_range(item.span, number, side))
    return number % side


def sliced(item: Slice, side: int, env: Environment) -> range:
    """The entries that `start:stop` keeps; raises `CircError` where the axis has fewer."""
    if isinstance(item.stop, Ref):
        stop = env.dims[item.stop.name]
        if stop > side:
            raise CircError(slice_range(item.span, 0, stop, side))
        return range(stop)
    start = 0 if item.start is None else whole(item.start) or 0
    stop = side if item.stop is None else whole(item.stop) or 0
    return range(start % side if start < 0 else start, stop % side if stop < 0 else stop)

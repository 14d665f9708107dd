"""Indices and slices: known places become a `Reindex`, computed ones a `Lookup`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from circ.compiler.builder import take, transpose
from circ.compiler.ir import Lookup, Wire
from circ.compiler.lower.constants import worked_out
from circ.compiler.lower.environment import Environment, calculated
from circ.compiler.lower.positions import known_code
from circ.lang.check.constants import whole
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import (
    edit_place,
    index_range,
    not_constant,
    place_range,
    slice_range,
)
from circ.lang.polynomials import whole_number
from circ.lang.syntax import Binary, Expr, Number, Ref, Slice, Unary
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
    if is_arithmetic(item, env):
        return computed_place(item, side, env)
    wire = env.wire(item)
    code = known_code(env.b, wire)
    return Computed(wire) if code is None else code


def is_arithmetic(item: Expr, env: Environment) -> bool:
    """Whether an index is a dimension, or arithmetic, which is of dimensions and positions."""
    if isinstance(item, Ref):
        return item.name in env.dims and item.name not in env.locals
    return isinstance(item, Binary | Unary)


def known_places(
    items: Sequence[Expr | Slice], sides: Sequence[int], env: Environment
) -> list[int | range]:
    """The places of an edit's target; raises `CircError` where one depends on an input."""
    return [known_place(item, side, env) for item, side in zip(items, sides, strict=False)]


def known_place(item: Expr | Slice, side: int, env: Environment) -> int | range:
    """The place of an edit on one axis; raises as `known_places`."""
    at = place(item, side, env)
    if not isinstance(at, Computed):
        return at
    code = worked_out(env.b, at.wire)
    if code is None:
        raise CircError(edit_place(item.span))
    return int(code.values[0])


def in_range(item: Expr, number: int, side: int) -> int:
    """A written index as an offset; raises `CircError` past the end."""
    if not -side <= number < side:
        raise CircError(index_range(item.span, number, side))
    return number % side


def computed_place(item: Expr, side: int, env: Environment) -> int:
    """A place by arithmetic, which only a leading minus counts from the back; raises `CircError` outside."""
    at = end(item, side, env)
    if not 0 <= at < side:
        raise CircError(place_range(item.span, at, side))
    return at


def sliced(item: Slice, side: int, env: Environment) -> range:
    """The entries that `start:stop` keeps; raises `CircError` where the axis has others."""
    start = 0 if item.start is None else end(item.start, side, env)
    stop = side if item.stop is None else end(item.stop, side, env)
    if not 0 <= start < stop <= side:
        raise CircError(slice_range(item.span, whole_number(start), whole_number(stop), side))
    return range(start, stop)


def end(e: Expr, side: int, env: Environment) -> int:
    """A place as it is counted from the front of an axis of `side` entries."""
    found = amount(e, env)
    return side + found if isinstance(e, Unary) and e.op == "-" else found


def amount(e: Expr, env: Environment) -> int:
    """Arithmetic on dimensions and positions; raises `CircError` for a position that depends on an input."""
    match e:
        case Number(value=value):
            return int(value)
        case Ref(name=name) if name in env.locals:
            return known_position(e, env)
        case Ref(name=name):
            return env.dims[name]
        case Unary(operand=operand):
            return -amount(operand, env)
        case Binary(op="+" | "-" | "*" as op, left=left, right=right):
            return calculated(op, amount(left, env), amount(right, env))
        case _:
            raise AssertionError(f"no place is made of {type(e).__name__}")


def known_position(e: Ref, env: Environment) -> int:
    """The value of a position that no input changes; raises `CircError` for any other."""
    code = known_code(env.b, env.wire(e))
    if code is None:
        raise CircError(not_constant(e.span, "a position in arithmetic", "known without an input"))
    return code

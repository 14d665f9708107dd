"""Comparisons: of all entries, or entry by entry where `all` and `any` ask for it."""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.builder import axis_last, both, codes, combine, either, every, spread, stack
from circ.compiler.ir import (
    All,
    Bool,
    Compare,
    Const,
    Index,
    Lookup,
    Not,
    Select,
    Wire,
    WireType,
)
from circ.compiler.lower.along import compared_count
from circ.compiler.lower.environment import Environment
from circ.compiler.lower.positions import ORDERS, lower_order
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import position_range
from circ.lang.syntax import Compare as CompareExpr
from circ.lang.syntax import Expr, Member, Number


def lower_compare(e: CompareExpr, env: Environment) -> Wire:
    """A scalar truth: every pair of the chain holds in all entries."""
    operands = sides(e, env)
    held: list[Wire] = []
    for i, op in enumerate(e.ops):
        same = every(env.b, compare(e, i, operands, env))
        held.append(env.b.add(Not(same)) if op == "!=" else same)
    return both(env.b, *held)


def lower_entrywise(e: CompareExpr, env: Environment) -> Wire:
    """A truth for each entry, for `all` and `any`."""
    b = env.b
    operands = sides(e, env)
    rows: list[Wire] = []
    for i, op in enumerate(e.ops):
        row = compare(e, i, operands, env)
        rows.append(b.add(Not(row)) if op == "!=" else row)
    return conjoined(env, rows)


def conjoined(env: Environment, rows: list[Wire]) -> Wire:
    """The truths that hold in every row, entry by entry; scalars are spread."""
    b = env.b
    shape = max(map(b.shape, rows), key=len)
    if len(rows) == 1:
        return rows[0]
    return b.add(All(axis_last(b, stack(b, [spread(b, row, shape) for row in rows]))))


def sides(e: CompareExpr, env: Environment) -> list[Wire]:
    """The values of a chain. Along words of any length nothing is counted beyond what it is held
    against, unless a tolerance (`within`) moves that."""
    if env.low.alike and e.within is None:
        capped = [compared_count(x, [y for y in e.operands if y is not x], env) for x in e.operands]
        if any(wire is not None for wire in capped):
            pairs = zip(e.operands, capped, strict=True)
            return [env.wire(x) if wire is None else wire for x, wire in pairs]
    return lower_operands(e.operands, env)


def lower_operands(operands: Sequence[Expr], env: Environment) -> list[Wire]:
    """The compared values; a number beside a `fin[n]` is one of its codes."""
    wires = [env.wire(operand) for operand in operands]
    sorts = [env.b.types[wire].sort for wire in wires]
    size = next((sort.size for sort in sorts if isinstance(sort, Index)), None)
    if size is None:
        return wires
    return [as_code(x, w, size, env) for x, w in zip(operands, wires, strict=True)]


def as_code(e: Expr, wire: Wire, size: int, env: Environment) -> Wire:
    """The code that a whole number stands for, or the wire itself."""
    if not isinstance(e, Number):
        return wire
    if e.value >= size:
        raise CircError(position_range(e.span, e.span.text, size))
    return codes(env.b, [int(e.value)], size, ())


def compare(e: CompareExpr, i: int, operands: Sequence[Wire], env: Environment) -> Wire:
    """The pair at `i`, entrywise; `!=` is lowered as `==`, which the caller negates."""
    b, op, left, right = env.b, e.ops[i], operands[i], operands[i + 1]
    sort = b.types[left].sort
    if isinstance(sort, Index) and op in ORDERS:
        return lower_order(op, left, right, e.span, env)
    shape = max(b.shape(left), b.shape(right), key=len)
    left, right = spread(b, left, shape), spread(b, right, shape)
    if e.within is not None:
        return close(left, right, spread(b, env.wire(e.within), shape), env)
    if sort == Bool():
        return b.add(Select(left, right, b.add(Not(right))))
    match op:
        case "==" | "!=":
            return b.add(Compare("==", left, right))
        case "<" | "<=":
            return b.add(Compare(op, left, right))
        case ">":
            return b.add(Compare("<", right, left))
        case ">=":
            return b.add(Compare("<=", right, left))


def close(left: Wire, right: Wire, bound: Wire, env: Environment) -> Wire:
    """Whether entries differ by at most `bound`, as two linear conditions."""
    b = env.b
    difference = combine(b, (1, left), (-1, right))
    below = b.add(Compare("<=", difference, bound))
    above = b.add(Compare("<=", combine(b, (-1, difference)), bound))
    return conjoined(env, [below, above])


def lower_member(e: Member, env: Environment) -> Wire:
    """Membership in known values is a table; in computed ones, some equality."""
    b = env.b
    element, *choices = lower_operands((e.element, *e.choices), env)
    sort = b.types[element].sort
    assert isinstance(sort, Index)
    known = [op.values[0] for op in (b.ops[c] for c in choices) if isinstance(op, Const)]
    if len(known) < len(choices):
        return either(b, *(b.add(Compare("==", element, c)) for c in choices))
    held = tuple(code in known for code in range(sort.size))
    return b.add(Lookup(b.add(Const(WireType(Bool(), (sort.size,)), held)), (element,)))

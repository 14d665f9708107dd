"""Arithmetic on dimensions and positions in an index, `w[i*h:(i + 1)*h]`, and `fin[n]` as what `for` goes over."""

from __future__ import annotations

from circ.lang.check.context import Context
from circ.lang.polynomials import Polynomial, combined, variable, whole_number
from circ.lang.syntax import (
    Binary,
    DimBinary,
    DimExpr,
    DimName,
    DimNumber,
    Expr,
    Index,
    Number,
    Ref,
    Slice,
    Unary,
)
from circ.lang.types import Array, FinElement


def amount(e: Expr, ctx: Context) -> Polynomial | None:
    """A whole number made of dimensions and positions; None for anything else.

    A position is a name in brackets, which no dimension has.
    """
    match e:
        case Number(value=value) if value.denominator == 1:
            return whole_number(int(value))
        case Ref(name=name) if name in ctx.locals:
            return variable(f"[{name}]") if is_position(e, ctx) else None
        case Ref(name=name) if name in ctx.dims:
            return variable(name)
        case Unary(op="-", operand=operand):
            return difference(whole_number(0), amount(operand, ctx))
        case Binary(op="+" | "-" | "*" as op, left=left, right=right):
            a, b = amount(left, ctx), amount(right, ctx)
            if a is None or b is None:
                return None
            found = combined(op, a, b)
            return found if found.manageable else None
        case _:
            return None


def difference(a: Polynomial, b: Polynomial | None) -> Polynomial | None:
    """a - b, where that is short enough."""
    found = None if b is None else combined("-", a, b)
    return found if found is not None and found.manageable else None


def is_position(e: Ref, ctx: Context) -> bool:
    """Whether a local is one position `fin[n]`."""
    match ctx.infer(e):
        case Array(element=FinElement(), dims=()):
            return True
        case _:
            return False


def depends_on_place(p: Polynomial) -> bool:
    """Whether a position is a part of it."""
    return any(name.startswith("[") for name in p.names)


def end(e: Expr, side: Polynomial, ctx: Context) -> Polynomial | None:
    """An end of a slice as it is counted from the front; a leading minus counts from the back."""
    found = amount(e, ctx)
    if found is None or not (isinstance(e, Unary) and e.op == "-"):
        return found
    moved = combined("+", side, found)
    return moved if moved.manageable else None


def computes_place(e: Expr, ctx: Context) -> bool:
    """Whether an index is arithmetic on dimensions and positions, or a dimension."""
    if isinstance(e, Ref):
        return e.name in ctx.dims and e.name not in ctx.locals
    return isinstance(e, Binary | Unary) and amount(e, ctx) is not None


# --- all positions ------------------------------------------------------------------------------


def all_positions(e: Expr) -> Expr | None:
    """`n` in `fin[n]`; None for anything else."""
    match e:
        case Index(base=Ref(name="fin"), items=(item,)) if not isinstance(item, Slice):
            return item
        case _:
            return None


def as_dimension(e: Expr) -> DimExpr | None:
    """An expression as a dimension of a type would be written; None where none is."""
    match e:
        case Number(value=value) if value.denominator == 1 and value >= 0:
            return DimNumber(e.span, int(value))
        case Ref(name=name):
            return DimName(e.span, name)
        case Binary(op="+" | "-" | "*" as op, left=left, right=right):
            a, b = as_dimension(left), as_dimension(right)
            return None if a is None or b is None else DimBinary(e.span, op, a, b)
        case _:
            return None

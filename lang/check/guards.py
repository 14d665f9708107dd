"""Guards: circuits to a truth that has a margin, since it is made of comparisons of reals."""

from __future__ import annotations

from collections.abc import Iterator

from circ.lang.check.context import Context
from circ.lang.errors.subspaces import no_condition
from circ.lang.syntax import Binary, Call, CircuitDecl, Compare, Expr, Unary
from circ.lang.types import BOOL, Invalid, is_real


def check_guard(decl: CircuitDecl, ctx: Context) -> None:
    """Report the parts of a guard, whose body is checked, that have no margin."""
    for part in atoms(decl.body):
        if not has_margin(part, ctx):
            ctx.error(no_condition(part.span))


def atoms(e: Expr) -> Iterator[Expr]:
    """The conditions that a truth is made of."""
    match e:
        case Unary(op="not", operand=operand):
            yield from atoms(operand)
        case Binary(op="and" | "or" | "implies", left=left, right=right):
            yield from atoms(left)
            yield from atoms(right)
        case Call(function=function, args=(Compare() as all_of,)) if function.text in (
            "all",
            "any",
        ):
            yield all_of
        case _:
            yield e


def has_margin(e: Expr, ctx: Context) -> bool:
    """Whether a condition is a comparison of reals, or another guard; true of what is no truth anyway."""
    if ctx.facts.types.get(e) != BOOL:
        return True
    match e:
        case Compare(operands=operands):
            kinds = [ctx.facts.types[operand] for operand in operands]
            return all(is_real(t) or isinstance(t, Invalid) for t in kinds)
        case Call(function=function):
            called = ctx.facts.scope.values.get(function.text)
            return isinstance(called, CircuitDecl) and called.is_guard
        case _:
            return False

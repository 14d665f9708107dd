"""Which expressions are known without an input: numbers, params, sizes, and arithmetic on them."""

from __future__ import annotations

from circ.lang.check.context import Context
from circ.lang.syntax import Binary, Call, Expr, Number, ParamDecl, Ref, Unary


def is_constant(e: Expr, ctx: Context) -> bool:
    """Whether `e` has one value, whatever the input."""
    match e:
        case Number():
            return True
        case Ref(name=name):
            if ctx.is_local(name):
                return name not in ctx.locals
            return isinstance(ctx.facts.scope.values.get(name), ParamDecl)
        case Unary(op="-", operand=operand):
            return is_constant(operand, ctx)
        case Binary(op="+" | "-" | "*" | "/", left=left, right=right):
            return is_constant(left, ctx) and is_constant(right, ctx)
        case Call(function=function, args=args) if function.text == "sqrt":
            return all(is_constant(arg, ctx) for arg in args)
        case _:
            return False


def whole(e: Expr) -> int | None:
    """The value of `3` or `-1`; None for anything else."""
    match e:
        case Number(value=value) if value.denominator == 1:
            return int(value)
        case Unary(op="-", operand=Number(value=value)) if value.denominator == 1:
            return -int(value)
        case _:
            return None

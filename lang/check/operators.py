"""Arithmetic, logic and comparisons."""

from __future__ import annotations

from circ.lang.check.constants import is_constant
from circ.lang.check.context import Context
from circ.lang.errors.domains import old_outside
from circ.lang.errors.types import (
    divides_by_zero,
    index_range,
    mismatch,
    not_constant,
    operands_differ,
    product_sizes,
    tensor_order,
    wrong_kind,
)
from circ.lang.syntax import Binary, Compare, Expr, Member, Number, Unary
from circ.lang.types import (
    BOOL,
    INVALID,
    REAL,
    Array,
    BoolElement,
    FinElement,
    Invalid,
    RealElement,
    Type,
    fits,
    is_discrete,
    is_real,
    merge,
    same_dim,
    size,
)


def infer_unary(e: Unary, ctx: Context) -> Type:
    """`-x` of reals, `not p` of a truth, `old e` in a patch."""
    match e.op:
        case "-":
            return expect_real(e.operand, "`-`", ctx)
        case "not":
            return expect_truth(e.operand, "not", "`not`", ctx)
        case "old":
            if not ctx.old:
                return ctx.error(old_outside(e.span))
            return ctx.infer(e.operand)


def expect_real(e: Expr, who: str, ctx: Context) -> Type:
    """The type of `e`, which must be a tensor of reals."""
    t = ctx.infer(e)
    if isinstance(t, Invalid) or is_real(t):
        return t
    return ctx.error(wrong_kind(e.span, t, "reals", who))


def expect_truth(e: Expr, who: str, under: str, ctx: Context) -> Type:
    """A scalar truth; `under` is set where an order of tensors would be ambiguous."""
    t = ctx.infer_under(e, under)
    if not fits(t, BOOL):
        return ctx.error(mismatch(e.span, t, BOOL, f"what `{who}` reads"))
    return BOOL


def infer_binary(e: Binary, ctx: Context) -> Type:
    """The rule of each operator."""
    match e.op:
        case "and" | "or":
            expect_truth(e.left, e.op, ctx.exact_order, ctx)
            return expect_truth(e.right, e.op, ctx.exact_order, ctx)
        case "implies":
            expect_truth(e.left, e.op, "the left side of `implies`", ctx)
            return expect_truth(e.right, e.op, ctx.exact_order, ctx)
        case "@":
            return infer_product(e, ctx)
        case "/":
            return infer_quotient(e, ctx)
        case "+" | "-" | "*":
            left = expect_real(e.left, f"`{e.op}`", ctx)
            right = expect_real(e.right, f"`{e.op}`", ctx)
            return broadcast_type(e, e.op, e.left, e.right, left, right, ctx)


def broadcast_type(
    e: Expr, op: str, first: Expr, second: Expr, left: Type, right: Type, ctx: Context
) -> Type:
    """The joint shape of two reals: equal shapes, or a scalar and anything."""
    if isinstance(left, Invalid) or isinstance(right, Invalid):
        return INVALID
    if left == REAL or right == REAL:
        return right if left == REAL else left
    if fits(left, right):
        return merge(left, right)
    return ctx.error(operands_differ(e.span, op, first.span, second.span, left, right))


def infer_quotient(e: Binary, ctx: Context) -> Type:
    """Division is by a constant that is not zero."""
    left = expect_real(e.left, "`/`", ctx)
    right = expect_real(e.right, "`/`", ctx)
    if not is_constant(e.right, ctx.facts.scope):
        return ctx.error(not_constant(e.right.span, "a divisor"))
    if isinstance(e.right, Number) and e.right.value == 0:
        return ctx.error(divides_by_zero(e.right.span))
    return left if fits(right, REAL) else INVALID


def infer_product(e: Binary, ctx: Context) -> Type:
    """The last axis of the left side against the first of the right."""
    left = expect_real(e.left, "`@`", ctx)
    right = expect_real(e.right, "`@`", ctx)
    if isinstance(left, Invalid) or isinstance(right, Invalid):
        return INVALID
    if isinstance(left, Array) and isinstance(right, Array) and contractible(left, right):
        return Array(RealElement(), left.dims[:-1] + right.dims[1:])
    return ctx.error(product_sizes(e.span, e.left.span, e.right.span, left, right))


def contractible(left: Array, right: Array) -> bool:
    """Whether the inner axes of a product fit."""
    return bool(left.dims and right.dims) and same_dim(left.dims[-1], right.dims[0])


def infer_compare(e: Compare, ctx: Context) -> Type:
    """A chain of comparisons, each pair of one type; `within` goes with `==`."""
    kinds = [ctx.infer(operand) for operand in e.operands]
    for i, op in enumerate(e.ops):
        first, second = e.operands[i], e.operands[i + 1]
        left = counted(first, kinds[i], kinds[i + 1], ctx)
        right = counted(second, kinds[i + 1], kinds[i], ctx)
        check_pair(e, op, (first, left), (second, right), ctx)
    if e.within is not None:
        expect_real(e.within, "`within`", ctx)
        for operand, t in zip(e.operands, kinds, strict=True):
            if not is_real(t) and not isinstance(t, Invalid):
                ctx.error(wrong_kind(operand.span, t, "reals", "`within`"))
    return BOOL


def check_pair(
    e: Compare, op: str, left: tuple[Expr, Type], right: tuple[Expr, Type], ctx: Context
) -> None:
    """Report a comparison of values that cannot be compared."""
    (first, a), (second, b) = left, right
    if isinstance(a, Invalid) or isinstance(b, Invalid):
        return
    scalar = (a == REAL and is_real(b)) or (b == REAL and is_real(a))
    if not scalar and not (isinstance(a, Array) and fits(a, b)):
        ctx.error(operands_differ(e.span, op, first.span, second.span, a, b))
    elif op not in ("==", "!=") and not is_real(a):
        ctx.error(wrong_kind(first.span, a, "reals", f"`{op}`"))
    elif op not in ("==", "!=") and ctx.exact_order and not (a == b == REAL):
        ctx.error(tensor_order(e.span, ctx.exact_order))
    elif isinstance(a, Array) and isinstance(a.element, BoolElement) and a.dims:
        ctx.error(wrong_kind(first.span, a, "a single truth", f"`{op}`"))


def counted(e: Expr, t: Type, other: Type, ctx: Context) -> Type:
    """A whole number beside a `fin[n]` is one of its values."""
    if not isinstance(e, Number) or not isinstance(other, Array):
        return t
    if not isinstance(other.element, FinElement) or other.dims:
        return t
    limit = size(other.element.size)
    if e.value.denominator != 1 or (limit is not None and not 0 <= e.value < limit):
        return ctx.error(index_range(e.span, int(e.value), limit or 0))
    ctx.facts.types[e] = other
    return other


def infer_member(e: Member, ctx: Context) -> Type:
    """`c in [a, b]`: one discrete scalar against values of its type."""
    element = ctx.infer(e.element)
    if not isinstance(element, Invalid) and not is_discrete(element):
        return ctx.error(wrong_kind(e.element.span, element, "a member of an enum", "`in`"))
    for choice in e.choices:
        found = counted(choice, ctx.infer(choice), element, ctx)
        if not fits(found, element):
            ctx.error(mismatch(choice.span, found, element, "what `in` looks for"))
    return BOOL

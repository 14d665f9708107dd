"""Arithmetic, logic and comparisons."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.check.context import Context
from circ.lang.check.meant import as_member
from circ.lang.check.tensors import members
from circ.lang.errors.domains import old_outside
from circ.lang.errors.grown import resized, resized_together
from circ.lang.errors.types import (
    divides_by_zero,
    mismatch,
    operands_differ,
    position_range,
    product_sizes,
    tensor_order,
    within_order,
    wrong_kind,
)
from circ.lang.syntax import Binary, Compare, Expr, Member, Number, Ref, Unary
from circ.lang.types import (
    BOOL,
    INVALID,
    REAL,
    Array,
    BoolElement,
    FinElement,
    Group,
    Invalid,
    RealElement,
    Type,
    fits,
    is_discrete,
    is_ordered,
    is_real,
    merge,
    same_dim,
    same_dims,
    same_element,
    size,
)
from circ.lang.walk import walk


def infer_unary(e: Unary, ctx: Context) -> Type:
    """`-x` of reals, `not p` of a truth, `old e` in a patch."""
    match e.op:
        case "-":
            return expect_real(e.operand, "`-`", ctx)
        case "not":
            ctx.expect_truth(e.operand, "`not`", "under `not`")
            return BOOL
        case "old":
            return infer_old(e, ctx)


def infer_old(e: Unary, ctx: Context) -> Type:
    """`old e` has the type of `e` with the unpatched tensors, which may have other shapes.

    What it reads from outside has to be the same with both.
    """
    found = ctx.infer_under(e.operand, ctx.exact_order)
    if not ctx.old:
        return ctx.error(old_outside(e.span))
    before = ctx.facts.before
    if before is None:
        return found
    for part in walk(e.operand):
        if isinstance(part, Ref) and part.name in ctx.locals:
            then, now = (known.types.get(part, INVALID) for known in (before, ctx.facts))
            if then != now:
                return ctx.error(resized(part.span, part.name, then, now))
    if isinstance(found, Group) and members(found, Context(before)) != members(found, ctx):
        return ctx.error(resized_together(e.span))
    return before.types.get(e, INVALID)


def expect_real(e: Expr, who: str, ctx: Context) -> Type:
    """The type of `e`, which must be a tensor of reals."""
    t = ctx.infer(e)
    if isinstance(t, Invalid) or is_real(t):
        return t
    return ctx.error(wrong_kind(e.span, t, "reals", who))


def infer_binary(e: Binary, ctx: Context) -> Type:
    """The rule of each operator."""
    match e.op:
        case "and" | "or":
            ctx.expect_truth(e.left, f"`{e.op}`", ctx.exact_order)
            ctx.expect_truth(e.right, f"`{e.op}`", ctx.exact_order)
            return BOOL
        case "implies":
            ctx.expect_truth(e.left, "`implies`", "on the left side of `implies`")
            ctx.expect_truth(e.right, "`implies`", ctx.exact_order)
            return BOOL
        case "@":
            return infer_product(e, ctx)
        case "/":
            return infer_quotient(e, ctx)
        case "+" | "-" | "*":
            left = expect_real(e.left, f"`{e.op}`", ctx)
            right = expect_real(e.right, f"`{e.op}`", ctx)
            who = f"the two sides of `{e.op}`"
            return broadcast_type(e, who, e.left, e.right, left, right, ctx)


def broadcast_type(
    e: Expr, who: str, first: Expr, second: Expr, left: Type, right: Type, ctx: Context
) -> Type:
    """The joint shape of two tensors of one element: equal shapes, or a scalar and anything."""
    if not isinstance(left, Array) or not isinstance(right, Array):
        return INVALID
    if same_element(left.element, right.element) and not (left.dims and right.dims):
        return left if left.dims else right
    if fits(left, right):
        return merge(left, right)
    return ctx.error(operands_differ(e.span, who, first.span, second.span, left, right))


def infer_quotient(e: Binary, ctx: Context) -> Type:
    """Division is by a constant, or by what lowering shows to keep clear of zero."""
    left = expect_real(e.left, "`/`", ctx)
    right = expect_real(e.right, "`/`", ctx)
    if isinstance(e.right, Number) and e.right.value == 0:
        return ctx.error(divides_by_zero(e.right.span))
    return broadcast_type(e, "the two sides of `/`", e.left, e.right, left, right, ctx)


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
    kinds = counted(e.operands, [ctx.infer(operand) for operand in e.operands], ctx)
    for i, op in enumerate(e.ops):
        first, second = e.operands[i], e.operands[i + 1]
        check_pair(e, op, (first, kinds[i]), (second, kinds[i + 1]), ctx)
    if e.within is not None:
        check_within(e, e.within, kinds, ctx)
    return BOOL


def check_pair(
    e: Compare, op: str, left: tuple[Expr, Type], right: tuple[Expr, Type], ctx: Context
) -> None:
    """Report a comparison of values that cannot be compared."""
    for operand, t in (left, right):
        if not isinstance(t, Array | Invalid):
            ctx.error(wrong_kind(operand.span, t, "tensors", f"`{op}`"))
    (first, a), (second, b) = left, right
    if not isinstance(a, Array) or not isinstance(b, Array):
        return
    if not comparable(a, b):
        who = f"the two sides of `{op}`"
        found = operands_differ(e.span, who, first.span, second.span, a, b)
        if op in ("==", "!="):
            found = as_member(as_member(found, first, b, ctx), second, a, ctx)
        ctx.error(found)
    elif op not in ("==", "!=") and not is_ordered(a):
        ctx.error(wrong_kind(first.span, a, "reals or positions", f"`{op}`"))
    elif op not in ("==", "!=") and ctx.exact_order and (a.dims or b.dims):
        ctx.error(tensor_order(e.span, ctx.exact_order))
    elif isinstance(a.element, BoolElement) and (a.dims or b.dims):
        tensor, t = (first, a) if a.dims else (second, b)
        ctx.error(wrong_kind(tensor.span, t, "a single truth", f"`{op}`"))


def comparable(a: Array, b: Array) -> bool:
    """Entries of one kind, in equal shapes or a scalar against anything."""
    return same_element(a.element, b.element) and (
        not a.dims or not b.dims or same_dims(a.dims, b.dims)
    )


def check_within(e: Compare, bound: Expr, kinds: list[Type], ctx: Context) -> None:
    """A tolerance is a number, or one for each entry; it goes with `==` of reals."""
    t = expect_real(bound, "`within`", ctx)
    order = next((op for op in e.ops if op not in ("==", "!=")), None)
    if order is not None:
        ctx.error(within_order(bound.span, order))
    for operand, kind in zip(e.operands, kinds, strict=True):
        if not is_real(kind) and not isinstance(kind, Invalid):
            ctx.error(wrong_kind(operand.span, kind, "reals", "`within`"))
    widest = max((k for k in kinds if isinstance(k, Array)), key=lambda k: len(k.dims), default=t)
    if t != REAL and not fits(t, widest):
        ctx.error(mismatch(bound.span, t, widest, "what `within` bounds"))


def counted(operands: Sequence[Expr], kinds: Sequence[Type], ctx: Context) -> list[Type]:
    """The operands' types, where a whole number beside a `fin[n]` is one of its values."""
    elements = [t.element for t in kinds if isinstance(t, Array)]
    positions = next((x for x in elements if isinstance(x, FinElement)), None)
    if positions is None:
        return list(kinds)
    return [
        as_position(e, positions, ctx) if isinstance(e, Number) else t
        for e, t in zip(operands, kinds, strict=True)
    ]


def as_position(e: Number, positions: FinElement, ctx: Context) -> Type:
    """The type of a number among positions; reports one that is none of them."""
    limit = size(positions.size)
    if e.value.denominator != 1 or (limit is not None and e.value >= limit):
        return ctx.error(position_range(e.span, e.span.text, limit))
    ctx.facts.types[e] = Array(positions)
    return Array(positions)


def infer_member(e: Member, ctx: Context) -> Type:
    """`c in [a, b]`: one discrete scalar against values of its type."""
    parts = (e.element, *e.choices)
    element, *choices = counted(parts, [ctx.infer(part) for part in parts], ctx)
    single = isinstance(element, Array) and is_discrete(element) and not element.dims
    if not single and not isinstance(element, Invalid):
        ctx.error(wrong_kind(e.element.span, element, "one member of a finite type", "`in`"))
        return BOOL
    for choice, found in zip(e.choices, choices, strict=True):
        if not fits(found, element):
            wrong = mismatch(choice.span, found, element, "what `in` looks for")
            ctx.error(as_member(wrong, choice, element, ctx))
    return BOOL

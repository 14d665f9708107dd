"""`match` and `cases`: patterns against finite types, exhaustively."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from typing import assert_never

from circ.lang.check.context import Context
from circ.lang.errors.types import (
    no_else,
    not_exhaustive,
    operands_differ,
    unreachable_arm,
    wrong_kind,
    wrong_pattern,
)
from circ.lang.syntax import (
    Cases,
    Expr,
    Match,
    MemberPattern,
    NumberPattern,
    OrPattern,
    Pattern,
    TuplePattern,
    Wildcard,
)
from circ.lang.types import (
    BOOL,
    INVALID,
    Array,
    Element,
    EnumElement,
    FinElement,
    Invalid,
    Tuple,
    Type,
    fits,
    is_discrete,
    merge,
    size,
)

MOST_VALUES = 100_000
"""A match over more values than this is refused: its table would be as large."""

Value = tuple[str | int, ...]


def infer_cases(e: Cases, ctx: Context) -> Type:
    """Guards are truths, the last arm is `else`, all arms have one type."""
    for arm in e.arms:
        if arm.guard is not None:
            ctx.expect(arm.guard, BOOL, "a guard")
    if not e.arms or e.arms[-1].guard is not None:
        ctx.error(no_else(e.span))
    return joined([arm.value for arm in e.arms], ctx)


def joined(values: list[Expr], ctx: Context) -> Type:
    """The one type of several arms; a number stands for a tensor filled with it."""
    kinds = [ctx.infer(value) for value in values]
    result = max(kinds, key=lambda t: len(t.dims) if isinstance(t, Array) else -1, default=INVALID)
    first = values[kinds.index(result)] if values else None
    for value, t in zip(values, kinds, strict=True):
        if isinstance(result, Array) and fits(t, Array(result.element)):
            continue
        if not fits(t, result) and first is not None:
            ctx.error(operands_differ(value.span, "=>", first.span, value.span, result, t))
            return INVALID
        result = merge(result, t)
    return result


def infer_match(e: Match, ctx: Context) -> Type:
    """Every value of the subject has an arm, and every arm a value."""
    subject = ctx.infer(e.subject)
    parts = subject.items if isinstance(subject, Tuple) else (subject,)
    if any(isinstance(part, Invalid) for part in parts):
        return joined([arm.value for arm in e.arms], ctx)
    if not all(is_discrete(p) and isinstance(p, Array) and not p.dims for p in parts):
        help = "use `cases { guard => … }` for conditions on reals"
        return ctx.error(wrong_kind(e.subject.span, subject, "finite values", "`match`", help))
    if all(pattern_fits(arm.pattern, subject, ctx) for arm in e.arms):
        check_cover(e, parts, ctx)
    return joined([arm.value for arm in e.arms], ctx)


def check_cover(e: Match, parts: tuple[Type, ...], ctx: Context) -> None:
    """Report values without an arm and arms without a value."""
    sides = [values_of(part) for part in parts]
    if any(side is None for side in sides):
        return
    left = list(islice(product(*(side for side in sides if side is not None)), MOST_VALUES + 1))
    if len(left) > MOST_VALUES:
        ctx.error(wrong_kind(e.subject.span, Tuple(parts), "fewer values", "`match`"))
        return
    for arm in e.arms:
        rest = [value for value in left if not accepts(arm.pattern, value)]
        if len(rest) == len(left):
            ctx.error(unreachable_arm(arm.pattern.span))
        left = rest
    if left:
        ctx.error(not_exhaustive(e.subject.span, [show_value(value) for value in left]))


def values_of(t: Type) -> list[str | int] | None:
    """All values of a finite scalar type; None where its size is a variable."""
    match t:
        case Array(element=EnumElement(members=members)):
            return list(members)
        case Array(element=FinElement(size=dim)):
            n = size(dim)
            return None if n is None else list(range(n))
        case _:
            return None


def accepts(pattern: Pattern, value: Value) -> bool:
    """Whether the pattern fits a value, a tuple with one part for each part of the subject."""
    match pattern:
        case Wildcard():
            return True
        case MemberPattern(member=member):
            return value == (member,)
        case NumberPattern(value=number):
            return value == (number,)
        case TuplePattern(items=items):
            return all(accepts(p, (v,)) for p, v in zip(items, value, strict=True))
        case OrPattern(options=options):
            return any(accepts(option, value) for option in options)
        case _:
            assert_never(pattern)


def pattern_fits(pattern: Pattern, t: Type, ctx: Context) -> bool:
    """Whether the pattern speaks of values of `t`; reports it where it does not."""
    match pattern:
        case Wildcard():
            return True
        case OrPattern(options=options):
            return all(pattern_fits(option, t, ctx) for option in options)
        case TuplePattern(items=items) if isinstance(t, Tuple) and len(items) == len(t.items):
            return all(pattern_fits(p, part, ctx) for p, part in zip(items, t.items, strict=True))
        case MemberPattern(enum=enum, member=member):
            if isinstance(t, Array) and names_member(t.element, enum, member):
                return True
        case NumberPattern(value=value):
            if isinstance(t, Array) and isinstance(t.element, FinElement):
                n = size(t.element.size)
                if n is None or 0 <= value < n:
                    return True
        case TuplePattern():
            pass
        case _:
            assert_never(pattern)
    ctx.error(wrong_pattern(pattern.span, t))
    return False


def names_member(element: Element, enum: str | None, member: str) -> bool:
    """Whether `enum.member`, or `member` alone, is a value of the element."""
    if not isinstance(element, EnumElement):
        return False
    return member in element.members and enum in (None, element.name)


def show_value(value: Value) -> str:
    """As a pattern writes it."""
    words: Iterator[str] = map(str, value)
    return f"({', '.join(words)})" if len(value) > 1 else next(words)

"""`match` and `cases`: patterns against finite types, exhaustively."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from math import prod
from typing import assert_never

from circ.lang.check.context import Context
from circ.lang.errors.spelling import nearest
from circ.lang.errors.types import (
    no_else,
    not_exhaustive,
    parts_differ,
    too_many_values,
    unreachable_arm,
    wrong_kind,
    wrong_pattern,
)
from circ.lang.syntax import (
    Cases,
    Expr,
    LetterPattern,
    Match,
    MemberPattern,
    NumberPattern,
    OrPattern,
    Pattern,
    TuplePattern,
    Wildcard,
)
from circ.lang.types import (
    INVALID,
    Array,
    EnumElement,
    FinElement,
    Invalid,
    Tuple,
    Type,
    fits,
    is_discrete,
    is_real,
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
            ctx.expect_truth(arm.guard, "a guard")
    if not e.arms or e.arms[-1].guard is not None:
        ctx.error(no_else(e.span))
    return joined([arm.value for arm in e.arms], ctx)


def joined(values: list[Expr], ctx: Context) -> Type:
    """The one type of several arms; a number stands for a tensor filled with it."""
    kinds = [arm_type(value, ctx) for value in values]
    result = max(kinds, key=lambda t: len(t.dims) if isinstance(t, Array) else -1, default=INVALID)
    for value, t in zip(values, kinds, strict=True):
        if isinstance(result, Array) and fits(t, Array(result.element)):
            continue
        if not fits(t, result):
            first = values[kinds.index(result)].span
            return ctx.error(parts_differ(value.span, "the arms", first, result, t))
        result = merge(result, t)
    return result


def arm_type(value: Expr, ctx: Context) -> Type:
    """The type of an arm, which is a tensor."""
    t = ctx.infer_under(value, ctx.exact_order)
    if isinstance(t, Array | Invalid):
        return t
    return ctx.error(wrong_kind(value.span, t, "a tensor", "an arm"))


def infer_match(e: Match, ctx: Context) -> Type:
    """Every value of the subject has an arm, and every arm a value."""
    subject = ctx.infer(e.subject)
    parts = subject.items if isinstance(subject, Tuple) else (subject,)
    if any(isinstance(part, Invalid) for part in parts):
        return joined([arm.value for arm in e.arms], ctx)
    if not all(is_discrete(p) and isinstance(p, Array) and not p.dims for p in parts):
        reals = any(map(is_real, parts))
        help = "use `cases { guard => … }` for conditions on reals" if reals else ""
        ctx.error(wrong_kind(e.subject.span, subject, "members of finite types", "`match`", help))
    elif all_fit(((arm.pattern, subject) for arm in e.arms), ctx):
        check_cover(e, parts, ctx)
    return joined([arm.value for arm in e.arms], ctx)


def check_cover(e: Match, parts: tuple[Type, ...], ctx: Context) -> None:
    """Report values without an arm and arms without a value."""
    numbers = sorted({n for arm in e.arms for n in numbers_of(arm.pattern)})
    sides = [values_of(part, numbers) for part in parts]
    if prod(map(len, sides)) > MOST_VALUES:
        ctx.error(too_many_values(e.subject.span, MOST_VALUES))
        return
    left = list(product(*sides))
    for arm in e.arms:
        rest = [value for value in left if not accepts(arm.pattern, value)]
        if len(rest) == len(left):
            ctx.error(unreachable_arm(arm.pattern.span))
        left = rest
    if left:
        ctx.error(not_exhaustive(e.subject.span, parts, [show_value(value) for value in left]))


def values_of(t: Type, numbers: Sequence[int]) -> Sequence[str | int]:
    """All values of a finite scalar type.

    Where its size is a variable: the `numbers` that patterns name, and one for all others.
    """
    match t:
        case Array(element=EnumElement(members=members)):
            return members
        case Array(element=FinElement(size=dim)):
            n = size(dim)
            return range(n) if n is not None else (*numbers, "any other number")
        case _:
            return ()


def numbers_of(pattern: Pattern) -> set[int]:
    """The numbers that a pattern names."""
    match pattern:
        case NumberPattern(value=value):
            return {value}
        case TuplePattern(items=parts) | OrPattern(options=parts):
            return set[int]().union(*map(numbers_of, parts))
        case Wildcard() | MemberPattern():
            return set()
        case _:
            assert_never(pattern)


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


def all_fit(pairs: Iterable[tuple[Pattern, Type]], ctx: Context) -> bool:
    """Whether each pattern fits its type; reports every one that does not."""
    found = [pattern_fits(pattern, t, ctx) for pattern, t in pairs]
    return all(found)


def pattern_fits(pattern: Pattern, t: Type, ctx: Context) -> bool:
    """Whether the pattern speaks of values of `t`; reports it where it does not."""
    near: str | None = None
    match pattern:
        case OrPattern(options=options):
            return all_fit(((option, t) for option in options), ctx)
        case TuplePattern(items=items):
            if isinstance(t, Tuple) and len(items) == len(t.items):
                return all_fit(zip(items, t.items, strict=True), ctx)
        case Wildcard() | MemberPattern() | NumberPattern():
            if fits_value(pattern, t):
                return True
            near = near_member(pattern, t)
        case _:
            assert_never(pattern)
    ctx.error(wrong_pattern(pattern.span, t, near))
    return False


def fits_value(pattern: LetterPattern, t: Type) -> bool:
    """Whether a pattern of one value speaks of a value of `t`."""
    match pattern:
        case Wildcard():
            return True
        case MemberPattern(enum=enum, member=member):
            if isinstance(t, Array) and isinstance(t.element, EnumElement):
                return member in t.element.members and enum in (None, t.element.name)
        case NumberPattern(value=value):
            if isinstance(t, Array) and isinstance(t.element, FinElement):
                n = size(t.element.size)
                return n is None or value < n
        case _:
            assert_never(pattern)
    return False


def near_member(pattern: LetterPattern, t: Type) -> str | None:
    """The member that was likely meant."""
    if isinstance(pattern, MemberPattern) and isinstance(t, Array):
        members = t.element.members if isinstance(t.element, EnumElement) else ()
        return nearest(pattern.member, members)
    return None


def show_value(value: Value) -> str:
    """As a pattern writes it."""
    words: Iterator[str] = map(str, value)
    return f"({', '.join(words)})" if len(value) > 1 else next(words)

"""What was likely meant where a number stands for something else: a member of an enum, an axis."""

from __future__ import annotations

from typing import Literal

from circ.lang.check.constants import whole
from circ.lang.check.context import Context
from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.meant import goes_along, members_have_names
from circ.lang.syntax import Call, EnumDecl, Expr, Number
from circ.lang.types import Array, EnumElement, Type
from circ.lang.words import quoted, written_name, written_part

ALONG: dict[str, Literal["last", "leading"]] = {
    "softmax": "last",
    "argmax": "last",
    "hardmax": "last",
    "sum": "leading",
    "mean": "leading",
}
"""The axis along which functions go that other libraries tell which."""


def as_member(found: Diagnostic, e: Expr, beside: Type, ctx: Context) -> Diagnostic:
    """`found`, with the member to write where `e` is a number and an enum stands `beside` it."""
    if not isinstance(e, Number) or not isinstance(beside, Array):
        return found
    enum = beside.element
    if not isinstance(enum, EnumElement) or not enum.members:
        return found
    whole_number = e.value.denominator == 1 and 0 <= e.value < len(enum.members)
    meant = written_member(enum, int(e.value), ctx) if whole_number else ""
    return members_have_names(found, e.span, enum, meant)


def written_member(enum: EnumElement, code: int, ctx: Context) -> str:
    """How an expression names a member; empty where nothing names it here."""
    name, scope = enum.members[code], ctx.facts.scope
    if [owner.name.text for owner in scope.members.get(name, ())] == [enum.name]:
        return written_name(name)
    if [owner.name.text for owner in scope.quotable.get(name, ())] == [enum.name]:
        return quoted(name)
    named = isinstance(scope.values.get(enum.name), EnumDecl)
    return f"{enum.name}.{written_part(name)}" if named else ""


def without_axis(found: Diagnostic, e: Call, t: Type) -> Diagnostic:
    """`found`, with help where the second argument says an axis, as elsewhere: `softmax(x, -1)`."""
    along = ALONG.get(e.function.text)
    axis = whole(e.args[1]) if len(e.args) == 2 else None
    if along is None or axis is None or not isinstance(t, Array):
        return found
    last = len(t.dims) - 1
    same = axis in ((-1, last) if along == "last" else (0, -last - 1))
    return goes_along(found, e.function.text, along, e.args[0].span, e.args[1].span, same)

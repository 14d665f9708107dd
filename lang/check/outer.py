"""A quantifier before another, `forall i in fin[8]: exists s in D: …`: one claim for each value of `i`."""

from __future__ import annotations

from math import prod

from circ.lang.check.context import Context, count_rows
from circ.lang.check.formulas import binder_type
from circ.lang.check.quantities import data_set
from circ.lang.errors.names import duplicate
from circ.lang.errors.outer import not_one_by_one, too_many_values
from circ.lang.syntax import Binder, ClaimDecl, Head
from circ.lang.types import (
    Array,
    EnumElement,
    FinElement,
    Invalid,
    Type,
    is_discrete,
    lengths,
    show,
    size,
)

MOST_VALUES = 1024
"""That a quantifier before another goes through."""


def outer_context(claim: ClaimDecl, ctx: Context) -> Context:
    """The context of a claim's formula: with the variables of a quantifier before it, if there is one."""
    head = claim.outer
    if head is None:
        return ctx
    inner = bound_context(head, ctx)
    own = {binder.name.text: binder.name for binder in head.binders}
    for binder in claim.formula.binders:
        if binder.name.text in own:
            ctx.error(duplicate(binder.name, own[binder.name.text].span))
    return inner


def bound_context(head: Head, ctx: Context) -> Context:
    """Binders and an assumption; reports values that cannot be gone through."""
    inner, known = ctx, True
    for number, binder in enumerate(head.binders):
        t = binder_type(binder, head, ctx)
        earlier = [b for b in head.binders[:number] if b.name.text == binder.name.text]
        if earlier:
            ctx.error(duplicate(binder.name, earlier[0].name.span))
        why = why_not(t)
        if why:
            ctx.error(not_one_by_one(binder.name.span, binder.name.text, why))
        known = known and not why and not isinstance(t, Invalid)
        inner = inner.bind(binder.name, t)
    if known and prod(values(binder, ctx) for binder in head.binders) > MOST_VALUES:
        ctx.error(too_many_values(head.span, MOST_VALUES))
    if head.where is not None:
        inner.expect_truth(head.where, "`where`")
    return inner


def why_not(t: Type) -> str:
    """Why values of a type cannot be gone through; empty where they can."""
    if isinstance(t, Invalid):
        return ""
    if not is_discrete(t):
        return f"is a `{show(t)}`: there is no end to these"
    return "" if lengths(t) is None else "may have several lengths"


def values(binder: Binder, ctx: Context) -> int:
    """How many values a binder has before its conditions: those of its type, or the rows of a data set."""
    data = data_set(binder.domain, ctx)
    if data is not None:
        return count_rows(ctx.facts.rows[data]) if data in ctx.facts.rows else 0
    t = ctx.facts.domains[binder.domain]
    assert isinstance(t, Array)
    match t.element:
        case EnumElement(members=names):
            letters = len(names)
        case FinElement(size=dim):
            letters = size(dim) or 0
        case _:
            raise AssertionError("values without end")
    entries = prod(size(dim) or 0 for dim in t.dims)
    return MOST_VALUES + 1 if letters > 1 and entries > MOST_VALUES else letters**entries

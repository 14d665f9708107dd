"""An intervention beside the same call without it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction

from circ.compiler.query import Defined
from circ.compiler.readings.intervals import Reals
from circ.lang.span import Source
from circ.lang.syntax import Attr, Call, Cast, Do, Expr, Index, Unary
from circ.lang.types import show
from circ.runtime.as_data import Data
from circ.runtime.columns import Columns, Shown
from circ.runtime.evaluate import Evaluated
from circ.runtime.report import Line
from circ.runtime.show import between_text
from circ.runtime.value_data import evaluated_data
from circ.runtime.value_lines import (
    DIGITS_OF_MANY,
    DIGITS_OF_ONE,
    MOST_NAMED,
    body,
    computed_entries,
    exact_entries,
    short,
    torch_name,
    value_lines,
)

WITHOUT = "without `do`"


def undone(defined: Defined) -> Source | None:
    """The expression without its `do`, where it is a value of one intervention."""
    found = intervention(defined.expr)
    if found is None:
        return None
    base: Expr = found
    while isinstance(base, Do):
        base = base.base
    text = defined.source.text
    without = text[: found.span.start] + base.span.text + text[found.span.end :]
    return replace(defined.source, text=without)


def intervention(e: Expr) -> Do | None:
    """The outermost `do` of an expression that says something of this call alone."""
    match e:
        case Do():
            return e
        case Call(args=(one,)) | Attr(base=one) | Unary(operand=one) | Cast(operand=one):
            return intervention(one)
        case Index(base=one):
            return intervention(one)
        case _:
            return None


def compared_shown(found: Evaluated, before: Evaluated) -> Iterator[Shown]:
    """Both values with the intervention and without it, and by how much the exact one changes."""
    yield Line("faint", show(found.query.type))
    if found.labels:
        yield by_name(found, before)
    elif len(found.kind.shape) > 1:
        yield from value_lines(found)[1:]
        yield Line("faint", f"  {WITHOUT}")
        yield from (Line(line.style, f"  {line.text}") for line in body(before))
    else:
        digits = DIGITS_OF_MANY if found.kind.shape else DIGITS_OF_ONE
        exact = (short(exact_entries(each, digits), each.kind) for each in (found, before))
        computed = (short(computed_entries(each, digits), each.kind) for each in (found, before))
        yield Columns(
            ("", "with `do`", WITHOUT), (("exact", *exact), (torch_name(found), *computed))
        )
    if found.tie or before.tie:
        yield Line("doubt", "  equal scores tie, and any choice among them is right")


def by_name(found: Evaluated, before: Evaluated) -> Columns:
    """A vector whose entries have names."""
    columns = (
        found.labels,
        exact_entries(found, DIGITS_OF_ONE),
        computed_entries(found, DIGITS_OF_ONE),
        exact_entries(before, DIGITS_OF_ONE),
        changes(found, before),
    )
    head = ("", "exact", torch_name(found), WITHOUT, "change")
    return Columns(head, tuple(zip(*columns, strict=True))[:MOST_NAMED])


def changes(found: Evaluated, before: Evaluated) -> list[str]:
    """How much each exact entry changes, where both are defined."""
    match found.exact, before.exact:
        case Reals() as now, Reals() as was:
            pairs = zip(now.box, was.box, strict=True)
            return [signed(low - top, high - bottom) for (low, high), (bottom, top) in pairs]
        case _:
            return [""] * found.kind.entries


def signed(low: Fraction, high: Fraction) -> str:
    """A number between two with its sign; nothing for none."""
    text = between_text(low, high, DIGITS_OF_MANY)
    return "" if low == high == 0 else f"+{text}" if low > 0 else text


def compared_data(found: Evaluated, before: Evaluated) -> Data:
    """Both for `--json`."""
    return {**evaluated_data(found), "without": evaluated_data(before)}

"""Help for errors of types where a number stands for something else: a member of an enum, an axis."""

from __future__ import annotations

from dataclasses import replace

from circ.lang.diagnostic import Diagnostic, Fix
from circ.lang.span import Span
from circ.lang.types import EnumElement
from circ.lang.words import written_name


def members_have_names(
    found: Diagnostic, number: Span, enum: EnumElement, meant: str
) -> Diagnostic:
    """`found` about a number beside members of an enum; `meant`: the one it counts to, as written."""
    if meant:
        help = f"a member of `{enum.name}` is called by its name: write `{meant}`"
        return replace(found, help=help, fix=Fix(number, meant))
    first, last = written_name(enum.members[0]), written_name(enum.members[-1])
    return replace(
        found, help=f"a member of `{enum.name}` is called by its name, `{first}` to `{last}`"
    )


def goes_along(
    found: Diagnostic, name: str, along: str, value: Span, axis: Span, same: bool
) -> Diagnostic:
    """`found` about an axis that a function is told; `same`: it is the one it goes along anyway."""
    help = f"`{name}` goes along the {along} axis, and is not told which"
    if not same:
        rows = f"; of each row: `[ {name}(row) for row in x ]`" if along == "leading" else ""
        return replace(found, help=help + rows)
    text = axis.source.text
    comma = text.find(",", value.end, axis.start)
    alone = comma >= 0 and not text[comma + 1 : axis.start].strip()
    fix = Fix(Span(axis.source, comma, axis.end), "") if alone else None
    return replace(found, help=f"{help}: leave `{axis.text}` out", fix=fix)

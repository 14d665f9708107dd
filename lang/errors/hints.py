"""What is likely meant where a type does not fit."""

from __future__ import annotations

import re

from circ.lang.span import Span
from circ.lang.types import (
    REAL,
    Array,
    Axis,
    Dim,
    EnumElement,
    FinElement,
    Type,
    is_discrete,
    is_real,
    same_element,
    show,
    size,
)
from circ.lang.words import written_name

BEFORE_INDEX = re.compile(r"([\w.]+)\[\Z")
INDEXED = re.compile(r"\w[\w.]*(\([^()]*\))?")
"""What an index may stand behind as it is written: a name or a path, perhaps called."""


def named_apart(a: Type, b: Type) -> bool:
    """Whether two types differ in the names of their axes alone."""
    if not (isinstance(a, Array) and isinstance(b, Array)):
        return False
    sizes = [size(dim) for dim in a.dims]
    same = same_element(a.element, b.element) and sizes == [size(dim) for dim in b.dims]
    return same and None not in sizes


def size_hint(span: Span, found: Type, wanted: Type) -> str:
    """What to say when only the axes' names differ."""
    return cast_hint(span, wanted) if named_apart(found, wanted) else ""


def cast_hint(span: Span, wanted: Type) -> str:
    """How a value is read along axes of other names."""
    text = (
        span.text
        if INDEXED.fullmatch(span.text)
        else "…"
        if "\n" in span.text
        else f"({span.text})"
    )
    return f"equal sizes are not enough; if this is meant, write `{text} as {show(wanted)}`"


def position_hint(found: Type, wanted: Type) -> str:
    """What to say where a number stands for a position."""
    of_positions = isinstance(wanted, Array) and isinstance(wanted.element, FinElement)
    if not of_positions or not isinstance(found, Array) or found.element != REAL.element:
        return ""
    return "a number is no position: `argmax` gives one, an enum has names for them, and a `real` result has numbers"


def largest_hint(first: Span, second: Span, a: Type, b: Type) -> str:
    """What to say where scores are compared with a member, of which the largest may be meant."""
    for span, scores, member in ((first, a, b), (second, b, a)):
        if not (isinstance(scores, Array) and isinstance(member, Array)) or member.dims:
            continue
        along = [axis.enum for axis in scores.dims[-1:] if isinstance(axis, Axis)]
        element = member.element
        if is_real(scores) and isinstance(element, EnumElement) and along == [element.name]:
            text = "…" if "\n" in span.text else span.text
            return f"the member whose score is the largest is `argmax({text})`"
    return ""


def entry_hint(span: Span, found: Type, wanted: Type) -> str:
    """What to say where one entry of several may be meant."""
    if not (isinstance(found, Array) and isinstance(wanted, Array)) or wanted.dims:
        return ""
    if not found.dims or "\n" in span.text or not same_element(found.element, wanted.element):
        return ""
    index = ", ".join(map(first_index, found.dims))
    text = span.text if INDEXED.fullmatch(span.text) else f"({span.text})"
    return f"name one of its entries, as in `{text}[{index}]`"


def first_index(dim: Dim) -> str:
    """The first place along an axis, as an index is written."""
    return written_name(dim.members[0]) if isinstance(dim, Axis) else "0"


def each_index_hint(span: Span, found: Type) -> str:
    """What to say where a whole word stands as an index, first behind what it indexes."""
    base = BEFORE_INDEX.search(span.source.text, 0, span.start)
    if base and isinstance(found, Array) and found.dims and is_discrete(found):
        return f"one index after the other: `[ {base[1]}[i] for i in {span.text} ]`"
    return ""

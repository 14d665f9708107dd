"""Patterns as nodes: of one value, in the arms of a `match`, and of a whole word."""

from __future__ import annotations

from dataclasses import dataclass

from circ.lang.span import Span

# --- of a value -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Wildcard:
    """`_`."""

    span: Span


@dataclass(frozen=True, slots=True, eq=False)
class MemberPattern:
    """`none`, `Quote.none` or `"and"`: one member of an enum."""

    span: Span
    enum: str | None
    member: str


@dataclass(frozen=True, slots=True, eq=False)
class NumberPattern:
    """`3`: one value of `fin[n]`."""

    span: Span
    value: int


@dataclass(frozen=True, slots=True, eq=False)
class TuplePattern:
    """`(none, single)`."""

    span: Span
    items: tuple[Pattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class OrPattern:
    """`p | q`."""

    span: Span
    options: tuple[Pattern, ...]


Pattern = Wildcard | MemberPattern | NumberPattern | TuplePattern | OrPattern


# --- of a word ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class SequencePattern:
    """`a b`: one part after the other; `()`, without parts, is the empty word."""

    span: Span
    items: tuple[WordPattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ChoicePattern:
    """`a | b c`."""

    span: Span
    options: tuple[WordPattern, ...]


@dataclass(frozen=True, slots=True, eq=False)
class RepeatPattern:
    """`a*`, `a+`, `a?`, `a{2,3}`; without a `most` there is no end to it."""

    span: Span
    part: WordPattern
    least: int
    most: int | None


LetterPattern = Wildcard | MemberPattern | NumberPattern
"""One letter: any, a member, or a number."""

WordPattern = LetterPattern | SequencePattern | ChoicePattern | RepeatPattern

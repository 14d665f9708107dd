"""The members of enums that patterns name; what is matched says which enum is meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import assert_never

from circ.lang.meanings import Declared, Occurrence, OneMember
from circ.lang.scope import Scope
from circ.lang.span import Span
from circ.lang.syntax import (
    ChoicePattern,
    EnumDecl,
    MemberPattern,
    NumberPattern,
    OrPattern,
    Pattern,
    RepeatPattern,
    SequencePattern,
    TuplePattern,
    Wildcard,
    WordPattern,
)
from circ.lang.types import INVALID, Array, EnumElement, Tuple, Type


def pattern_names(pattern: Pattern, subject: Type, scope: Scope) -> Iterator[Occurrence]:
    """The names in a pattern of a value of this type."""
    match pattern:
        case Wildcard() | NumberPattern():
            pass
        case MemberPattern():
            yield from member_names(pattern, subject, scope)
        case TuplePattern(items=items):
            parts = subject.items if isinstance(subject, Tuple) else ()
            for place, item in enumerate(items):
                part = parts[place] if place < len(parts) else INVALID
                yield from pattern_names(item, part, scope)
        case OrPattern(options=options):
            for option in options:
                yield from pattern_names(option, subject, scope)
        case _:
            assert_never(pattern)


def word_names(pattern: WordPattern, word: Type, scope: Scope) -> Iterator[Occurrence]:
    """The names in a pattern of a word of this type."""
    match pattern:
        case Wildcard() | NumberPattern():
            pass
        case MemberPattern():
            yield from member_names(pattern, word, scope)
        case SequencePattern(items=parts) | ChoicePattern(options=parts):
            for part in parts:
                yield from word_names(part, word, scope)
        case RepeatPattern(part=part):
            yield from word_names(part, word, scope)
        case _:
            assert_never(pattern)


def member_names(pattern: MemberPattern, subject: Type, scope: Scope) -> Iterator[Occurrence]:
    """The enum, where it is named, and the member."""
    enum = enum_of(pattern, subject, scope)
    if enum is None:
        return
    written = pattern.span.text
    start, end = pattern.span.start, pattern.span.end
    if pattern.enum is not None:
        yield Occurrence(
            Span(pattern.span.source, start, start + len(pattern.enum)), Declared(enum)
        )
        start = end - len(written.partition(".")[2].lstrip())
    means = member_at(enum, pattern.member)
    if means is not None:
        yield Occurrence(Span(pattern.span.source, start, end), means)


def enum_of(pattern: MemberPattern, subject: Type, scope: Scope) -> EnumDecl | None:
    """The enum that is named, or that of the subject, or the only one with such a member."""
    if pattern.enum is not None:
        item = scope.values.get(pattern.enum)
        return item if isinstance(item, EnumDecl) else None
    owners = scope.members.get(pattern.member, ())
    if isinstance(subject, Array) and isinstance(subject.element, EnumElement):
        members = subject.element.members
        same = (e for e in owners if tuple(m.text for m in e.members) == members)
        return next(same, None)
    return owners[0] if len(owners) == 1 else None


def member_at(enum: EnumDecl, name: str) -> OneMember | None:
    """The member of that name; none where a file lists the members, for there is no name in a text."""
    if enum.file is not None:
        return None
    found = next((member for member in enum.members if member.text == name), None)
    return None if found is None else OneMember(enum, found)

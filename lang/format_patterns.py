"""Patterns of values and of words as canonical text, each on one line."""

from __future__ import annotations

from typing import assert_never

from circ.lang.syntax import (
    ChoicePattern,
    LetterPattern,
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
from circ.lang.words import written_name, written_part

CHOICE, SEQUENCE, REPEAT, LETTER = range(4)
"""How tightly each kind of pattern of a word binds, as in `grammar.lark`."""

SIGNS: dict[tuple[int, int | None], str] = {(0, None): "*", (1, None): "+", (0, 1): "?"}


def format_pattern(p: Pattern) -> str:
    """A pattern of a value."""
    match p:
        case Wildcard() | MemberPattern() | NumberPattern():
            return letter(p)
        case TuplePattern(items=items):
            return f"({', '.join(format_pattern(item) for item in items)})"
        case OrPattern(options=options):
            return " | ".join(
                f"({format_pattern(o)})" if isinstance(o, OrPattern) else format_pattern(o)
                for o in options
            )
        case _:
            assert_never(p)


def letter(p: LetterPattern) -> str:
    """A pattern of one value."""
    match p:
        case Wildcard():
            return "_"
        case MemberPattern(enum=None, member=member):
            return written_name(member)
        case MemberPattern(enum=enum, member=member):
            return f"{enum}.{written_part(member)}"
        case NumberPattern(value=value):
            return str(value)
        case _:
            assert_never(p)


def format_word_pattern(p: WordPattern, least: int = CHOICE) -> str:
    """A pattern of a word, in brackets if it binds less tightly than `least`."""
    tightness, text = bare(p)
    return f"({text})" if tightness < least else text


def bare(p: WordPattern) -> tuple[int, str]:
    """How tightly a pattern of a word binds, and its text without brackets around it."""
    match p:
        case Wildcard() | MemberPattern() | NumberPattern():
            return LETTER, letter(p)
        case SequencePattern(items=()):
            return LETTER, "()"
        case SequencePattern(items=items):
            return SEQUENCE, " ".join(format_word_pattern(item, REPEAT) for item in items)
        case ChoicePattern(options=options):
            return CHOICE, " | ".join(format_word_pattern(option, SEQUENCE) for option in options)
        case RepeatPattern(part=part, least=least, most=most):
            return REPEAT, format_word_pattern(part, LETTER) + times(least, most)
        case _:
            assert_never(p)


def times(least: int, most: int | None) -> str:
    """How often a part is repeated."""
    if least == most:
        return f"{{{least}}}"
    return SIGNS.get((least, most)) or f"{{{least},{'' if most is None else most}}}"

"""From the tree of the grammar to the patterns of `circ.lang.syntax`, of values and of words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from circ.lang.build_names import Place, name, token, tree, whole, whole_number
from circ.lang.diagnostic import CircError
from circ.lang.errors.syntax import counts_out_of_order
from circ.lang.grammar import Part, Token
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


def pattern(part: Part, at: Place) -> Pattern:
    """The pattern that `part` is."""
    if isinstance(part, Token):
        return simple_pattern(part, at)
    whole_pattern = tree(part)
    span = at.span(whole_pattern)
    match whole_pattern.data, whole_pattern.children:
        case "group_pattern", [inner]:
            return pattern(inner, at)
        case "or_pattern", options:
            return OrPattern(span, tuple(pattern(option, at) for option in options))
        case "tuple_pattern", items:
            return TuplePattern(span, tuple(pattern(item, at) for item in items))
        case "member_pattern", [enum, member]:
            return MemberPattern(span, name(enum, at).text, name(member, at).text)
        case rule, _:
            raise AssertionError(f"no pattern is built for the rule `{rule}`")


def simple_pattern(word: Token, at: Place) -> LetterPattern:
    """`_`, a number, or a member."""
    span = at.span(word)
    match word.type:
        case "WILDCARD":
            return Wildcard(span)
        case "INT":
            return NumberPattern(span, whole(word, at))
        case _:
            return MemberPattern(span, None, name(word, at).text)


# --- of a word ---------------------------------------------------------------------------------

SIGNS: dict[str, tuple[int, int | None]] = {"*": (0, None), "+": (1, None), "?": (0, 1)}
"""The fewest and the most repetitions."""

COUNTS = re.compile(r"\{\s*(\d+)\s*(,?)\s*(\d*)\s*\}")


def word_pattern(part: Part, at: Place) -> WordPattern:
    """The pattern of a word that `part` is."""
    if isinstance(part, Token):
        return simple_pattern(part, at)
    whole_pattern = tree(part)
    span = at.span(whole_pattern)
    match whole_pattern.data, whole_pattern.children:
        case "group_pattern", [inner]:
            return word_pattern(inner, at)
        case "word_sequence", items:
            return SequencePattern(span, word_patterns(items, at))
        case "word_choice", options:
            return ChoicePattern(span, word_patterns(options, at))
        case "word_repeat", [inner, sign]:
            return RepeatPattern(span, word_pattern(inner, at), *counts(token(sign), at))
        case "member_pattern", [enum, member]:
            return MemberPattern(span, name(enum, at).text, name(member, at).text)
        case rule, _:
            raise AssertionError(f"no pattern of a word is built for the rule `{rule}`")


def word_patterns(parts: Sequence[Part], at: Place) -> tuple[WordPattern, ...]:
    """Several patterns of words."""
    return tuple(word_pattern(part, at) for part in parts)


def counts(sign: Token, at: Place) -> tuple[int, int | None]:
    """How often a part may be repeated: at least, and at most if there is an end to it."""
    if sign.type == "REPEAT":
        return SIGNS[str(sign)]
    found = COUNTS.fullmatch(str(sign))
    assert found is not None
    span = at.span(sign)
    least = whole_number(found[1], span)
    if not found[2]:
        return least, least
    most = whole_number(found[3], span) if found[3] else None
    if most is not None and most < least:
        raise CircError(counts_out_of_order(span, least, most))
    return least, most

"""From the tokens of the grammar to names, numbers and their places in the source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import cast

from circ.lang.diagnostic import CircError
from circ.lang.errors.syntax import half_a_character, number_too_long
from circ.lang.grammar import Part, Token, Tree
from circ.lang.span import Source, Span
from circ.lang.syntax import Name

LONGEST_NUMBER = 400
"""Digits of a decimal, written out without an exponent; far past any float's."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the text that was parsed starts in its source."""

    source: Source
    offset: int

    def span(self, part: Tree | Token) -> Span:
        """The characters of `part`, brackets around it left out."""
        return Span(self.source, self.offset + part.start, self.offset + part.end)


def token(part: Part) -> Token:
    """`part`, where the grammar has a token."""
    assert isinstance(part, Token)
    return part


def tree(part: Part) -> Tree:
    """`part`, where the grammar has a rule that leaves a tree."""
    assert part is not None and not isinstance(part, Token)
    return part


def name(part: Part, at: Place) -> Name:
    """A bare name, a quoted one, or one part of a path."""
    word = token(part)
    span = at.span(word)
    return Name(unquote(word, span) if word.type == "STRING" else str(word), span)


def unquote(word: Token, span: Span) -> str:
    """The text of a string; half of a surrogate pair is no character, and an error."""
    text = cast(str, json.loads(word))
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise CircError(half_a_character(span))
    return text


def number(word: str, span: Span) -> Fraction:
    """The exact value of a decimal that is not absurdly long."""
    digits, _, exponent = word.lower().partition("e")
    before, _, after = digits.partition(".")
    shift = int(exponent[:8] or 0)
    if max(len(before) + shift, 1) + max(len(after) - shift, 0) > LONGEST_NUMBER:
        raise CircError(number_too_long(span, LONGEST_NUMBER))
    return Fraction(str(word))


def whole(part: Part, at: Place) -> int:
    """A whole number."""
    word = token(part)
    return whole_number(word, at.span(word))


def whole_number(digits: str, span: Span) -> int:
    """The value of digits that are not absurdly many."""
    return int(number(digits, span))

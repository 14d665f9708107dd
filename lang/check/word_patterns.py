"""`matches`: a pattern against the letters of a word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import assert_never

from circ.lang.check.automata import Automaton, Code, Machine, TooLarge, automaton, machine
from circ.lang.check.context import Context
from circ.lang.check.patterns import fits_value, near_member
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import no_word, pattern_decided, pattern_too_large, wrong_letter
from circ.lang.syntax import (
    ChoicePattern,
    LetterPattern,
    Matches,
    MemberPattern,
    NumberPattern,
    RepeatPattern,
    SequencePattern,
    Wildcard,
    WordPattern,
)
from circ.lang.types import BOOL, Array, EnumElement, FinElement, Invalid, Type, is_discrete, size


def infer_matches(e: Matches, ctx: Context) -> Type:
    """A truth, of a word and a pattern of its letters."""
    word = ctx.infer(e.word)
    if isinstance(word, Invalid):
        return BOOL
    if not (isinstance(word, Array) and is_discrete(word) and len(word.dims) == 1):
        ctx.error(no_word(e.word.span, word))
    elif letters_fit(e.pattern, word, ctx):
        warn_if_decided(e, word, ctx)
    return BOOL


def letters_fit(pattern: WordPattern, word: Array, ctx: Context) -> bool:
    """Whether all letters of a pattern are those of the word; reports every one that is not."""
    fitting = True
    for letter in letters_of(pattern):
        if not fits_value(letter, Array(word.element)):
            ctx.error(wrong_letter(letter.span, word, near_member(letter, word)))
            fitting = False
    return fitting


def letters_of(pattern: WordPattern) -> Iterator[LetterPattern]:
    """The letters that a pattern speaks of."""
    match pattern:
        case Wildcard() | MemberPattern() | NumberPattern():
            yield pattern
        case SequencePattern(items=parts) | ChoicePattern(options=parts):
            for part in parts:
                yield from letters_of(part)
        case RepeatPattern(part=part):
            yield from letters_of(part)
        case _:
            assert_never(pattern)


def warn_if_decided(e: Matches, word: Array, ctx: Context) -> None:
    """Report a pattern that tells no two words apart, where sizes are known."""
    length, letters = size(word.dims[0]), alphabet_size(word)
    if length is None or letters is None:
        return
    try:
        decided = automaton_of(e, word, letters, length).decided
    except CircError as error:
        for diagnostic in error.diagnostics:
            ctx.error(diagnostic)
        return
    if decided is not None:
        ctx.error(pattern_decided(e.pattern.span, length, fits=decided))


def alphabet_size(word: Array) -> int | None:
    """How many letters there are; None where a circuit leaves it open."""
    match word.element:
        case EnumElement(members=members):
            return len(members)
        case FinElement(size=dim):
            return size(dim)
        case _:
            return None


def automaton_of(e: Matches, word: Type, letters: int, length: int) -> Automaton:
    """The automaton of a pattern of this many letters, for words of this length.

    Raises `CircError` where it would be too large.
    """
    try:
        return automaton(e.pattern, codes_of(word), letters, length)
    except TooLarge as error:
        raise CircError(pattern_too_large(e.pattern.span, str(error))) from None


def machine_of(e: Matches, word: Type, letters: int) -> Machine:
    """The same for words of any length."""
    try:
        return machine(e.pattern, codes_of(word), letters)
    except TooLarge as error:
        raise CircError(pattern_too_large(e.pattern.span, str(error))) from None


def codes_of(word: Type) -> Code:
    """The codes of the letters of a word."""
    members: Sequence[str] = ()
    if isinstance(word, Array) and isinstance(word.element, EnumElement):
        members = word.element.members

    def code(letter: LetterPattern) -> int | None:
        match letter:
            case Wildcard():
                return None
            case MemberPattern(member=member):
                return members.index(member)
            case NumberPattern(value=value):
                return value
            case _:
                assert_never(letter)

    return code

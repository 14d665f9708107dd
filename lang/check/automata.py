"""Automata of word patterns, for words of one length, and for words of any.

Where the length is known, each position of the word has states of its own, and keeps only what the
rest of the word can still tell apart. The positions of a pattern and what may follow each are those
of Glushkov (The abstract theory of automata, 1961); sets of them are the bits of an int.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import assert_never

from circ.lang.syntax import (
    ChoicePattern,
    LetterPattern,
    MemberPattern,
    NumberPattern,
    RepeatPattern,
    SequencePattern,
    Wildcard,
    WordPattern,
)

MOST_PLACES = 10_000
"""Letters of a pattern, once its counts are written out."""

MOST_STATES = 10_000
"""States at one position of the word, before they are merged."""

MOST_STEPS = 2_000_000
"""Places looked at on the way; it takes seconds."""

Table = tuple[tuple[int, ...], ...]
"""For each state, and each kind of letter, the state after it."""

Code = Callable[[LetterPattern], int | None]
"""The code of the letter that a pattern names; None for any letter."""


class TooLarge(Exception):
    """A pattern needs more room than it is given; the message says of what."""


@dataclass(frozen=True, slots=True)
class Automaton:
    """How a word is read, from state 0: after its letter i, state s becomes `tables[i][s][kind]`.

    `kinds` has the kind of each letter. A state after the last letter is 1 if the word fits, else
    0; a word without letters is as `fits_empty` says. No two states of one position mean the same.
    """

    kinds: tuple[int, ...]
    tables: tuple[Table, ...]
    fits_empty: bool

    @property
    def decided(self) -> bool | None:
        """Whether every word fits, or none does; None where it depends on the word."""
        if not self.tables:
            return self.fits_empty
        last = {end for row in self.tables[-1] for end in row}
        return None if len(last) > 1 else last == {1}


@dataclass(frozen=True, slots=True)
class Machine:
    """How a word of any length is read, from state 0: a letter leads from s to `table[s][kind]`.

    `kinds` has the kind of each letter; `fits[s]` says whether a word that ends in s fits.
    """

    kinds: tuple[int, ...]
    table: Table
    fits: tuple[bool, ...]


def machine(pattern: WordPattern, code: Code, letters: int) -> Machine:
    """The machine of `pattern` for words with codes below `letters`.

    A state is the places that may read the next letter, and whether the word may end here. Raises
    `TooLarge` rather than take long.
    """
    places = Places(code, MOST_PLACES)
    whole = places.add(pattern)
    read = [places.read_by(letter) for letter in range(letters)]
    masks = list(dict.fromkeys(read))
    numbers = {(whole.first, whole.nullable): 0}
    rows: list[tuple[int, ...]] = []
    for state, _ in (states := list(numbers)):
        row: list[int] = []
        for mask in masks:
            here = state & mask
            after = 0
            for place in places.each(here):
                after |= places.follow[place]
            known = (after, here & whole.last != 0)
            if known not in numbers:
                states.append(known)
            row.append(numbers.setdefault(known, len(numbers)))
        if len(numbers) > MOST_STATES:
            raise TooLarge(f"{MOST_STATES:,} states")
        rows.append(tuple(row))
    kinds = tuple(masks.index(mask) for mask in read)
    return Machine(kinds, tuple(rows), tuple(fits for _, fits in states))


def automaton(pattern: WordPattern, code: Code, letters: int, length: int) -> Automaton:
    """The automaton of `pattern` for words of `length` letters with codes below `letters`.

    Raises `TooLarge` rather than take long.
    """
    places = Places(code, length)
    whole = places.add(pattern)
    read = [places.read_by(letter) for letter in range(letters)]
    masks = list(dict.fromkeys(read))
    layers = Layers(places, whole, masks, length)
    return Automaton(
        tuple(masks.index(mask) for mask in read),
        tuple(merged(layers.tables())) if length else (),
        whole.nullable,
    )


# --- the places of a pattern --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a pattern: where a word of it may start and end, and whether it may be empty."""

    first: int
    last: int
    nullable: bool


EMPTY = Piece(0, 0, True)
NOTHING = Piece(0, 0, False)


@dataclass(slots=True)
class Places:
    """The letters of a pattern, numbered; what may follow each, and which letters each reads."""

    code: Code
    length: int
    follow: list[int] = field(default_factory=list[int])
    anything: int = 0
    named: dict[int, int] = field(default_factory=dict[int, int])
    steps: int = 0

    def read_by(self, letter: int) -> int:
        """The places that take a letter."""
        return self.anything | self.named.get(letter, 0)

    def spend(self, steps: int) -> None:
        """Count work; raises `TooLarge` where there is too much."""
        self.steps += steps
        if self.steps > MOST_STEPS:
            raise TooLarge(f"{MOST_STEPS:,} steps of working out")

    def add(self, pattern: WordPattern) -> Piece:
        """The piece of a pattern, its letters added as new places."""
        self.spend(1)
        match pattern:
            case Wildcard() | MemberPattern() | NumberPattern():
                return self.letter(pattern)
            case SequencePattern(items=items):
                piece = EMPTY
                for item in reversed(items):
                    piece = self.joined(self.add(item), piece)
                return piece
            case ChoicePattern(options=options):
                pieces = [self.add(option) for option in options]
                return either(pieces)
            case RepeatPattern():
                return self.repeated(pattern)
            case _:
                assert_never(pattern)

    def letter(self, pattern: LetterPattern) -> Piece:
        """One place more."""
        here = 1 << len(self.follow)
        if len(self.follow) == MOST_PLACES:
            raise TooLarge(f"{MOST_PLACES:,} letters with its counts written out")
        self.follow.append(0)
        code = self.code(pattern)
        if code is None:
            self.anything |= here
        else:
            self.named[code] = self.named.get(code, 0) | here
        return Piece(here, here, False)

    def link(self, ends: int, starts: int) -> None:
        """Let `starts` follow `ends`."""
        for place in self.each(ends):
            self.follow[place] |= starts

    def each(self, places: int) -> Iterator[int]:
        """The numbers of a set of places."""
        self.spend(places.bit_count())
        return bits(places)

    def joined(self, left: Piece, right: Piece) -> Piece:
        """One piece after another."""
        self.link(left.last, right.first)
        return Piece(
            left.first | (right.first if left.nullable else 0),
            right.last | (left.last if right.nullable else 0),
            left.nullable and right.nullable,
        )

    def repeated(self, pattern: RepeatPattern) -> Piece:
        """The copies that a word of this length has room for, the optional ones nested.

        A copy that reads nothing changes nothing, so more copies than letters are of no use.
        """
        piece = self.add(pattern.part)
        least = 0 if piece.nullable else pattern.least
        if least > self.length:
            return NOTHING
        copies = max(least, 1) if pattern.most is None else min(pattern.most, self.length)
        if not piece.first or copies == 0:
            return EMPTY if least == 0 else NOTHING
        if pattern.most is None:
            self.link(piece.last, piece.first)
        found = Piece(piece.first, piece.last, piece.nullable or least < copies)
        for copy in reversed(range(copies - 1)):
            found = self.joined(self.add(pattern.part), found)
            found = Piece(found.first, found.last, found.nullable or copy >= least)
        return found


def either(pieces: Sequence[Piece]) -> Piece:
    """One of several pieces."""
    first, last = 0, 0
    for piece in pieces:
        first, last = first | piece.first, last | piece.last
    return Piece(first, last, any(piece.nullable for piece in pieces))


def bits(places: int) -> Iterator[int]:
    """The numbers of the bits that are set."""
    while places:
        low = places & -places
        yield low.bit_length() - 1
        places ^= low


# --- states -------------------------------------------------------------------------------------


@dataclass(slots=True)
class Layers:
    """The states before each letter: which places may read it, if the rest can still fit."""

    places: Places
    whole: Piece
    masks: Sequence[int]
    length: int

    def tables(self) -> list[Table]:
        """For each letter the table from the states before it to those after it."""
        live = self.live()
        states = [self.whole.first & live[0]]
        found: list[Table] = []
        for after in live[1:]:
            numbers: dict[int, int] = {}
            found.append(self.table(states, after, numbers))
            states = list(numbers)
        found.append(tuple(tuple(int(state & m != 0) for m in self.masks) for state in states))
        return found

    def live(self) -> list[int]:
        """For each letter, the places from which the word can end in time if they read it."""
        found = [self.whole.last]
        while len(found) < self.length:
            self.places.spend(len(self.places.follow))
            follow = enumerate(self.places.follow)
            before = sum(1 << place for place, after in follow if after & found[-1])
            found.append(before)
        return found[::-1]

    def table(self, states: Sequence[int], live: int, numbers: dict[int, int]) -> Table:
        """One letter; new states are given `numbers` as they are met."""
        rows: list[tuple[int, ...]] = []
        for state in states:
            self.places.spend(len(self.masks))
            rows.append(tuple(self.after(state & mask, live, numbers) for mask in self.masks))
        return tuple(rows)

    def after(self, read: int, live: int, numbers: dict[int, int]) -> int:
        """The number of the state that places which read a letter lead to."""
        state = 0
        for place in self.places.each(read):
            state |= self.places.follow[place]
        number = numbers.setdefault(state & live, len(numbers))
        if number == MOST_STATES:
            raise TooLarge(f"{MOST_STATES:,} states")
        return number


def merged(tables: Sequence[Table]) -> Iterator[Table]:
    """The tables with the states that the rest of no word tells apart made one.

    From the last letter to the first; then states are numbered as they are met, so that letters
    that are read alike have equal tables.
    """
    found: list[Table] = []
    same: Mapping[int, int] = {0: 0, 1: 1}
    for table in reversed(tables):
        rows: dict[tuple[int, ...], int] = {}
        kept = [tuple(same[state] for state in row) for row in table]
        same = {state: rows.setdefault(row, len(rows)) for state, row in enumerate(kept)}
        found.append(tuple(rows))
    order = [same[0]]
    for table in reversed(found[1:]):
        numbers: dict[int, int] = {}
        yield tuple(
            tuple(numbers.setdefault(after, len(numbers)) for after in table[state])
            for state in order
        )
        order = list(numbers)
    yield tuple(found[0][state] for state in order)

"""Reading a text by parse tables: its words, and the tree that they make.

The tables are those of an LALR(1) grammar with a contextual lexer: what is a word at a place depends
on the state in which the parser is there (Aho, Lam, Sethi and Ullman, *Compilers*, section 4.7).
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Self

END = "$END"
"""The terminal that follows the last word of a text."""

STRAY = "STRAY"
"""The terminal of a character that starts no word; no state takes it."""


class Token(str):
    """A word of a text: the terminal that it is, and where it stands, `start <= i < end`."""

    __slots__ = ("end", "start", "type")

    type: str
    start: int
    end: int

    def __new__(cls, text: str, kind: str, start: int) -> Self:
        made = str.__new__(cls, text)
        made.type, made.start, made.end = kind, start, start + len(text)
        return made


@dataclass(slots=True, eq=False)
class Tree:
    """A rule with its parts, from the start of its first word to the end of its last.

    An optional part that is absent is None. Nobody changes a tree.
    """

    data: str
    children: list[Tree | Token | None]
    start: int
    end: int


Part = Tree | Token | None

Value = Part | list[Part]
"""What stands on the stack: a part; or the parts of a rule that leaves them to the one above."""


@dataclass(frozen=True, slots=True)
class Terminal:
    """A kind of word, by its regular expression; `literal` where that fits but one text."""

    name: str
    pattern: str
    literal: str | None


@dataclass(frozen=True, slots=True)
class Rule:
    """How many values a rule takes off the stack, and what it leaves there.

    It keeps the values at `parts`, of which -1 is an absent one. A rule without a name leaves its
    parts to the one above, and one that is `alone` leaves a single part instead of a tree of it. One
    that `passes` takes a single value and leaves it as it is.
    """

    origin: str
    size: int
    name: str | None
    alone: bool
    passes: bool
    parts: Sequence[int]

    def left(self, taken: Sequence[Value], start: int, end: int) -> Value:
        """What it leaves of `taken`, which stands there. A list that comes first grows in place."""
        kept: list[Part] = []
        for at in self.parts:
            part = None if at < 0 else taken[at]
            if not isinstance(part, list):
                kept.append(part)
            elif kept:
                kept.extend(part)
            else:
                kept = part
        if self.name is None:
            return kept
        return kept[0] if self.alone and len(kept) == 1 else Tree(self.name, kept, start, end)


@dataclass(frozen=True)
class Tables:
    """A grammar, ready to read by.

    `terminals` stand in the order in which they are tried at a place; those `between` are taken in
    every state, and those `ignored` dropped. `states` has for each state what follows a symbol:
    another state, or below 0 the complement of the rule that ends before it.
    """

    terminals: Sequence[Terminal]
    between: frozenset[str]
    ignored: frozenset[str]
    starts: Mapping[str, int]
    states: Sequence[Mapping[str, int]]
    rules: Sequence[Rule]
    scanners: dict[int, re.Pattern[str]] = field(default_factory=dict[int, re.Pattern[str]])

    @cached_property
    def gap(self) -> re.Pattern[str]:
        """What reads on between two words of a state."""
        return self.scanner(self.between)

    @cached_property
    def anything(self) -> re.Pattern[str]:
        """What reads the next word, whichever state would take it."""
        return self.scanner({found.name for found in self.terminals})

    def words_of(self, state: int) -> re.Pattern[str]:
        """What reads the next word in a state; compiled when the state is first met."""
        found = self.scanners.get(state)
        if found is None:
            found = self.scanners[state] = self.scanner(self.states[state].keys() - self.between)
        return found

    def scanner(self, names: Container[str]) -> re.Pattern[str]:
        """What reads the first of some terminals that fits at a place, under its name."""
        tried = (found for found in self.terminals if found.name in names)
        return re.compile(
            "|".join(f"(?P<{found.name}>{found.pattern})" for found in tried) or "(?!)"
        )


@dataclass(slots=True)
class Parser:
    """A parser on its way through a text. Between the states on its stack lie values."""

    tables: Tables
    states: list[int]
    values: list[Value] = field(default_factory=list[Value])
    starts: list[int] = field(default_factory=list[int])
    end: int = 0

    def words(self, text: str) -> Iterator[Token]:
        """The words of a text, each as the state expects it when it is asked for.

        Where none of those stands there, it is one that another state would take, or else a stray.
        """
        tables, states, at = self.tables, self.states, 0
        gap, ignored = tables.gap.match, tables.ignored
        while at < len(text):
            found = gap(text, at) or tables.words_of(states[-1]).match(text, at)
            found = found or tables.anything.match(text, at)
            if found is None or found.lastgroup is None:
                yield Token(text[at], STRAY, at)
                return
            if found.lastgroup not in ignored:
                yield Token(found[0], found.lastgroup, at)
            at = found.end()

    def take(self, word: Token) -> bool:
        """Whether the word may follow; if so it is on the stack, and what ends before it is closed."""
        rows, states = self.tables.states, self.states
        while (action := rows[states[-1]].get(word.type)) is not None:
            if action >= 0:
                states.append(action)
                self.values.append(word)
                self.starts.append(word.start)
                self.end = word.end
                return True
            rule = self.tables.rules[~action]
            if rule.passes:
                states[-1] = rows[states[-2]][rule.origin]
            else:
                self.close(rule, word)
        return False

    def close(self, rule: Rule, following: Token) -> None:
        """Put what a rule leaves in the place of what it takes; one that takes nothing starts here."""
        below = len(self.values) - rule.size
        taken = self.values[below:]
        start = self.starts[below] if taken else following.start
        del self.values[below:], self.starts[below:], self.states[below + 1 :]
        self.values.append(rule.left(taken, start, self.end))
        self.starts.append(start)
        self.states.append(self.tables.states[self.states[-1]][rule.origin])

    def expected(self) -> Iterator[str]:
        """The terminals that may follow."""
        return (name for name in self.tables.states[self.states[-1]] if self.may_take(name))

    def may_take(self, name: str) -> bool:
        """Whether a terminal may follow, once what ends before it is closed; nothing is changed."""
        rows, states = self.tables.states, [*self.states]
        while (action := rows[states[-1]].get(name)) is not None:
            if action >= 0:
                return name.isupper()
            rule = self.tables.rules[~action]
            del states[len(states) - rule.size :]
            states.append(rows[states[-1]][rule.origin])
        return False

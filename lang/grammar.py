"""From a text to a tree of the rules in `grammar.lark`, or to where it fails.

Compiling the grammar takes longer than all else a short command does, so its parse tables are kept
beside it in `grammar.json`, as plain data. They carry the fingerprint of the grammar; when it
differs, the grammar is compiled anew. `python -m circ.lang.grammar` writes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal

from circ.lang.lalr import END, STRAY, Parser, Part, Rule, Tables, Terminal, Token, Tree

__all__ = ["Failure", "Part", "Start", "Token", "Tree", "read", "trees", "write_tables"]

Start = Literal["one_item", "one_expression", "one_formula", "one_range"]

GRAMMAR = Path(__file__).with_name("grammar.lark")
TABLES = Path(__file__).with_name("grammar.json")
STARTS = ("one_item", "one_expression", "one_formula", "one_range")


def trees(parts: Iterable[Part]) -> Iterator[Tree]:
    """Those of `parts` that have parts of their own."""
    return (part for part in parts if part is not None and not isinstance(part, Token))


@dataclass(frozen=True, slots=True)
class Failure:
    """Where a text leaves the grammar, and what the grammar would take there.

    `expected` holds words and punctuation as they are written, and in capitals the classes NAME,
    PART, INT, NUMBER, STRING, COMPARE, WILDCARD, NEWLINE and END. It is empty at a character that
    starts no word of the language.
    """

    start: int
    end: int
    found: Literal["text", "newline", "end"]
    expected: frozenset[str]


LONGEST_KEPT = 10_000
MOST_KEPT = 512
"""Trees of texts up to so many characters are kept, so many of them: an editor asks again and again."""


def read(text: str, start: Start) -> Tree | Token | Failure:
    """The tree of `text` under the rule `start`; one name alone is a token. Nobody changes a tree."""
    return read_once(text, start) if len(text) <= LONGEST_KEPT else read_anew(text, start)


@lru_cache(maxsize=MOST_KEPT)
def read_once(text: str, start: Start) -> Tree | Token | Failure:
    """The tree of a text, the same each time."""
    return read_anew(text, start)


def read_anew(text: str, start: Start) -> Tree | Token | Failure:
    """The tree of a text, parsed."""
    parser = parser_at(start)
    last = Token("", END, 0)
    for word in counted(parser.words(text)):
        if not parser.take(word):
            return failure_at(text, start, word)
        last = word
    if not parser.take(Token("", END, last.start)):
        return failure_at_end(text, start, last)
    whole = parser.values[0]
    assert isinstance(whole, Tree | Token)
    return whole


def parser_at(start: Start) -> Parser:
    """A parser that has read nothing yet."""
    tables = load()
    return Parser(tables, [tables.starts[start]])


def failure_at(text: str, rule: Start, word: Token) -> Failure:
    """The failure at a word that may not stand there."""
    if word.type == STRAY:
        return Failure(word.start, word.end, "text", frozenset())
    expected = expected_at(text, rule, word.start)
    if word.type == "_NL":
        return Failure(word.start, word.start, "newline", expected)
    return Failure(word.start, word.end, "text", expected)


def failure_at_end(text: str, rule: Start, last: Token) -> Failure:
    """The missing rest of a text lies where its last word ends; before newlines, if it is those."""
    at = last.start if "\n" in last else last.end
    return Failure(at, at, "end", expected_at(text, rule, len(text)))


def expected_at(text: str, rule: Start, at: int) -> frozenset[str]:
    """What could stand at `at`, where a word starts or the text ends.

    By the time a word is refused, the parser has closed constructs that could have gone on; so
    the text is read again, up to that word and no further.
    """
    parser = parser_at(rule)
    for word in counted(parser.words(text)):
        if word.start >= at or not parser.take(word):
            break
    return expected_words(parser.tables, parser.expected())


def expected_words(tables: Tables, names: Iterable[str]) -> frozenset[str]:
    """Terminals as the reader of a message knows them."""
    known = {"$END": ("END",), "_NL": ("NEWLINE",), "_GIVEN": ("[",), "_SPANNED": ("span",)}
    terminals = {found.name: found for found in tables.terminals}
    return frozenset(
        word for name in names for word in known.get(name) or spellings(terminals[name])
    )


def spellings(terminal: Terminal) -> tuple[str, ...]:
    """`let` for `/let\\b/`, both words of `/(forall|exists)\\b/`, else the terminal's own name."""
    if terminal.literal is not None:
        return (terminal.literal,)
    words = re.fullmatch(r"\(?(\w+(?:\|\w+)*)\)?\\b", terminal.pattern)
    if words is None or terminal.name == "WILDCARD":
        return (terminal.name,)
    return tuple(words[1].split("|"))


# --- newlines ----------------------------------------------------------------------------------

NEWLINE = "_NL"
"""Taken in every state; `counted` drops those that end nothing."""

WORDS = frozenset({"NAME", "PART", "INT", "NUMBER", "STRING", "OUTCOME"})
CLOSING = frozenset({"RPAR", "RSQB", "RBRACE"})
ENDING = WORDS | CLOSING | {"WILDCARD", "REPEAT", "TIMES"}
OPENING = frozenset({"LPAR", "LSQB", "LBRACE", "_GIVEN"})
INSIDE = frozenset({"LPAR", "LSQB", "_GIVEN"})


def counted(words: Iterable[Token]) -> Iterator[Token]:
    """The words without the newlines that end nothing: in `()` and `[]`, and in an unfinished item."""
    opened: list[str] = []
    can_end = False
    for word in words:
        kind = word.type
        if kind == NEWLINE:
            if not can_end or (opened and opened[-1] in INSIDE):
                continue
        elif kind in OPENING:
            opened.append(kind)
        elif kind in CLOSING and opened:
            opened.pop()
        can_end = kind in ENDING
        yield word


# --- the tables --------------------------------------------------------------------------------


@cache
def load() -> Tables:
    """The parse tables: those kept if they are of the grammar, else compiled."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    if TABLES.exists():
        kept = json.loads(TABLES.read_text(encoding="utf-8"))
        if kept["fingerprint"] == fingerprint(grammar):
            return as_tables(kept)
    return as_tables(compiled(grammar))


def as_tables(kept: dict[str, Any]) -> Tables:
    """Tables as they are kept in a file."""
    return Tables(
        terminals=[Terminal(*fields) for fields in kept["terminals"]],
        between=frozenset([NEWLINE, *kept["ignored"]]),
        ignored=frozenset(kept["ignored"]),
        starts=kept["starts"],
        states=kept["states"],
        rules=[Rule(*fields) for fields in kept["rules"]],
    )


def compiled(grammar: str) -> dict[str, Any]:
    """The tables of a grammar as plain data. Only here lark is loaded."""
    from circ.lang.parse_tables import compile_grammar, tables

    return tables(compile_grammar(grammar, STARTS, NEWLINE))


def write_tables() -> None:
    """Compile the grammar and write its tables beside it."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    kept = {"fingerprint": fingerprint(grammar), **compiled(grammar)}
    text = json.dumps(kept, separators=(",", ":"), sort_keys=True)
    TABLES.write_text(text + "\n", encoding="utf-8")


def fingerprint(grammar: str) -> str:
    """What tables are good for: this text."""
    return hashlib.sha256(grammar.encode()).hexdigest()


if __name__ == "__main__":
    write_tables()

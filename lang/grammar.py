"""The door to lark: from a text to a tree of the rules in `grammar.lark`, or to where it fails.

Compiling the grammar takes longer than all else a short command does, so its parse tables are kept
beside it in `grammar.json`, as plain data (lark's own cache is a pickle, which is never loaded
here). The tables carry the fingerprint of the grammar and of lark's version; when it differs, the
grammar is compiled anew. `python -m circ.lang.grammar` writes them.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from lark import Lark, Token, UnexpectedCharacters, UnexpectedInput, UnexpectedToken
from lark import Tree as LarkTree
from lark import __version__ as lark_version
from lark.grammar import Rule
from lark.lexer import TerminalDef

__all__ = ["Failure", "Part", "Start", "Token", "Tree", "read", "trees", "write_tables"]

Tree = LarkTree[Token | None]
"""A rule with its parts; an optional part that is absent is None."""

Part = Tree | Token | None
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
    lark = load()
    try:
        return cast(Untyped, lark).parse(text, start)
    except UnexpectedToken as e:
        return failure_at(text, start, cast(Token, e.token))
    except UnexpectedCharacters as e:
        lines = text.split("\n")
        at = sum(len(line) + 1 for line in lines[: e.line - 1]) + e.column - 1
        return Failure(at, at + 1, "text", frozenset())


def failure_at(text: str, rule: Start, token: Token) -> Failure:
    """The failure at `token`; a missing rest of the text lies where its last token ends."""
    start, end = token.start_pos or 0, token.end_pos or 0
    if token.type == "$END":
        last = start if "\n" in text[start:end] else end
        return Failure(last, last, "end", expected_at(text, rule, len(text)))
    expected = expected_at(text, rule, start)
    if token.type == "_NL":
        return Failure(start, start, "newline", expected)
    return Failure(start, end, "text", expected)


def expected_at(text: str, rule: Start, at: int) -> frozenset[str]:
    """What could stand at `at`, where a token starts or the text ends.

    By the time a token is refused, the parser has closed constructs that could have gone on; so
    the text is read again, up to that token and no further.
    """
    lark = load()
    steps = cast(Untyped, lark).parse_interactive(text, rule)
    with suppress(UnexpectedInput):
        for token in steps.iter_parse():
            if (token.start_pos or 0) >= at:
                break
    return expected_words(lark, steps.accepts())


def expected_words(lark: Lark, terminals: Iterable[str]) -> frozenset[str]:
    """Terminals as the reader of a message knows them."""
    known = {"$END": ("END",), "_NL": ("NEWLINE",), "_GIVEN": ("[",)}
    return frozenset(
        word for name in terminals for word in known.get(name) or spellings(lark.get_terminal(name))
    )


def spellings(terminal: TerminalDef) -> tuple[str, ...]:
    """`let` for `/let\\b/`, both words of `/(forall|exists)\\b/`, else the terminal's own name."""
    if terminal.pattern.type == "str":
        return (terminal.pattern.value,)
    words = re.fullmatch(r"\(?(\w+(?:\|\w+)*)\)?\\b", terminal.pattern.value)
    if words is None or terminal.name == "WILDCARD":
        return (terminal.name,)
    return tuple(words[1].split("|"))


class CountedNewlines:
    """Drops the newlines that end nothing: in `()` and `[]`, and after an unfinished item."""

    always_accept = ("_NL",)
    words = frozenset({"NAME", "PART", "INT", "NUMBER", "STRING", "OUTCOME"})
    ending = words | {"WILDCARD", "REPEAT", "TIMES", "RPAR", "RSQB"}
    opening = frozenset({"LPAR", "LSQB", "LBRACE", "_GIVEN"})
    closing = frozenset({"RPAR", "RSQB", "RBRACE"})

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """The tokens of `stream` without those newlines."""
        open_brackets: list[str] = []
        can_end = False
        for token in stream:
            if token.type == "_NL":
                if not can_end or open_brackets[-1:] in (["LPAR"], ["LSQB"], ["_GIVEN"]):
                    continue
            elif token.type in self.opening:
                open_brackets.append(token.type)
            elif token.type in self.closing and open_brackets:
                open_brackets.pop()
            can_end = token.type in self.ending or token.type == "RBRACE"
            yield token


# --- the tables --------------------------------------------------------------------------------


class Steps(Protocol):
    """A parser that takes a token at a time."""

    def iter_parse(self) -> Iterator[Token]:
        """The tokens, each before the parser takes it."""
        ...

    def accepts(self) -> set[str]:
        """The terminals that the parser could take next."""
        ...


class Untyped(Protocol):
    """What lark leaves without full types of its own: parsing, and plain data out and in."""

    def parse(self, text: str, start: str) -> Tree | Token:
        """The tree of `text`, or its one token where every rule above it leaves nothing."""
        ...

    def parse_interactive(self, text: str, start: str) -> Steps:
        """A parser that takes a token at a time."""
        ...

    def load(self, f: object) -> Lark:
        """The parser of `memo_serialize`'s two parts, under the keys `data` and `memo`."""
        ...

    def memo_serialize(self, types_to_memoize: list[type]) -> tuple[dict[str, Any], object]:
        """The parser as dictionaries, lists and sets; shared rules and terminals by number."""
        ...


@cache
def load() -> Lark:
    """The parser: from the tables if they are those of the grammar, else compiled."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    if TABLES.exists():
        tables = json.loads(TABLES.read_text(encoding="utf-8"), object_hook=with_numbers)
        if tables["fingerprint"] == fingerprint(grammar):
            tables["data"]["options"]["postlex"] = CountedNewlines()
            return cast(Untyped, Lark).load(tables)
    return compile_grammar(grammar)


def compile_grammar(grammar: str, *, strict: bool = False) -> Lark:
    """The parser, compiled; `strict` raises on any conflict or collision of terminals."""
    return Lark(
        grammar,
        parser="lalr",
        lexer="contextual",
        start=list(STARTS),
        postlex=CountedNewlines(),
        propagate_positions=True,
        maybe_placeholders=True,
        strict=strict,
    )


def write_tables() -> None:
    """Compile the grammar and write its tables beside it."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    data, memo = cast(Untyped, compile_grammar(grammar)).memo_serialize([TerminalDef, Rule])
    del data["options"]["postlex"]
    tables = {"fingerprint": fingerprint(grammar), "data": data, "memo": memo}
    text = json.dumps(tables, default=sorted, separators=(",", ":"), sort_keys=True)
    TABLES.write_text(text + "\n", encoding="utf-8")


def fingerprint(grammar: str) -> str:
    """What tables are good for: this text, under this version of lark."""
    return hashlib.sha256(f"{lark_version}\n{grammar}".encode()).hexdigest()


def with_numbers(table: dict[str, object]) -> dict[str | int, object]:
    """A table of JSON with its numbers as keys again."""
    return {int(key) if key.isdigit() else key: value for key, value in table.items()}


if __name__ == "__main__":
    write_tables()

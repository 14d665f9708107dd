"""A text is read as lark reads it, by the same grammar: the same trees, places and failures."""

from __future__ import annotations

import random
import re
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
from lark import Lark, Tree, UnexpectedCharacters, UnexpectedToken
from lark import Token as Word

from circ.lang import grammar
from circ.lang.grammar import NEWLINE, STARTS, Failure, Part, Start, counted, read_anew
from circ.lang.lalr import Token
from circ.lang.parse_tables import compile_grammar
from circ.lang.parser import pieces
from tests.unit.whole_language import SPEC

ROOT = Path(__file__).parents[2]
ROOTS: tuple[Start, ...] = ("one_item", "one_item", "one_expression", "one_formula", "one_range")
STRANGE = ("$", "é", "\0", "\\", '"', "1..", "[a =", "*", "{2}", "# x\n", "\r\n", "_")
BROKEN = 1_000


@cache
def lark() -> Lark:
    """Lark's own parser, which drops the newlines that `counted` drops."""
    parser = compile_grammar(grammar.GRAMMAR.read_text(), STARTS, NEWLINE)
    cast(Any, parser).parser.lexer.postlexer.process = counted
    return parser


def by_lark(text: str, start: Start) -> object:
    """What lark finds in a text: its tree, or where it stops."""
    try:
        return of_lark(cast(Any, lark()).parse(text, start))
    except UnexpectedToken as found:
        return stopped(cast(Word, found.token), text)
    except UnexpectedCharacters as found:
        return found.pos_in_stream


def stopped(token: Word, text: str) -> int:
    """Where lark stops; at the end of a text that is where the last word ends or a newline starts."""
    start, end = token.start_pos or 0, token.end_pos or 0
    return end if token.type == "$END" and "\n" not in text[start:end] else start


def of_lark(part: Tree[Word] | Word | None) -> object:
    """Its tree as plain data. Of a rule without words it knows no place."""
    if part is None:
        return None
    if isinstance(part, Word):
        return part.type, str(part), part.start_pos, part.end_pos
    inside = [of_lark(cast(Any, child)) for child in part.children]
    place = None if part.meta.empty else (part.meta.start_pos, part.meta.end_pos)
    return str(part.data), inside, place


def by_tables(text: str, start: Start) -> object:
    """What Circ finds in a text."""
    found = read_anew(text, start)
    return found.start if isinstance(found, Failure) else of_tables(found)


def of_tables(part: Part) -> object:
    """Its tree as plain data."""
    if part is None:
        return None
    if isinstance(part, Token):
        return part.type, str(part), part.start, part.end
    place = None if part.data == "params" and not part.children else (part.start, part.end)
    return part.data, [of_tables(child) for child in part.children], place


@cache
def items() -> tuple[str, ...]:
    """Items of every construct: those of a spec that has them all, and of the standard library."""
    modules = [path.read_text() for path in sorted((ROOT / "stdlib").rglob("*.circ"))]
    return tuple(text[start:end] for text in [SPEC, *modules] for start, end in pieces(text))


def test_items_are_read_as_by_lark() -> None:
    """Whole items have the trees that lark makes of them, each part at its place."""
    for text in items():
        assert by_tables(text, "one_item") == by_lark(text, "one_item"), text


@pytest.mark.parametrize("seed", range(3))
def test_broken_items_are_refused_where_lark_refuses_them(seed: int) -> None:
    """Items with a hole or something strange in them, and halves of two that are put together."""
    rng = random.Random(seed)
    refused = 0
    for _ in range(BROKEN):
        text, start = broken(rng), rng.choice(ROOTS)
        found = by_lark(text, start)
        assert by_tables(text, start) == found, text
        refused += int(isinstance(found, int))
    assert BROKEN // 2 < refused < BROKEN


def broken(rng: random.Random) -> str:
    """An item or its right side, with something taken out, put in, or put in its place."""
    text, other = (rng.choice(items()) for _ in range(2))
    if rng.random() < 0.5:
        text = text.partition("=")[2].strip() or text
    start = rng.randrange(len(text) + 1)
    end = min(len(text), start + rng.randrange(6))
    inside = (
        "",
        " ",
        "\n",
        rng.choice(STRANGE),
        f" {rng.choice(re.findall('[a-z]+|[^ a-z]', other))} ",
    )
    after = rng.choice((text[end:], text[end:], other[rng.randrange(len(other)) :]))
    return rng.choice((text, text[:start] + rng.choice(inside) + after))

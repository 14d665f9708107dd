"""The grammar has one reading, and the tables and word lists beside it agree with it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from circ.lang import grammar
from circ.lang.grammar import NEWLINE, STARTS, Failure, Part, compiled, load, read, write_tables
from circ.lang.lalr import Token
from circ.lang.parse_tables import compile_grammar
from circ.lang.words import RESERVED, is_name

TEXT = grammar.GRAMMAR.read_text()

CONTEXTUAL = "of from expects proved refuted edit require preserve minimize span rows margin to it"


def tree(text: str) -> str:
    """The tree of an item, as text."""
    found = read(text, "one_item")
    return str(found) if isinstance(found, Failure) else shown(found)


def shown(part: Part) -> str:
    """Rules with their parts in brackets, words as they are."""
    if part is None or isinstance(part, Token):
        return repr(part)
    return f"{part.data}({', '.join(map(shown, part.children))})"


def test_the_grammar_is_free_of_conflicts() -> None:
    """Under lark's strict mode any conflict of rules or collision of terminals is an error."""
    parser = compile_grammar(TEXT, STARTS, NEWLINE, strict=True)

    assert parser.options.strict


def test_a_repetition_is_no_operator_anywhere() -> None:
    """No state of the parser takes both the `*` of a pattern and the one of arithmetic.

    Strict mode compares regular expressions alone, and the operators are strings.
    """
    states = load().states

    assert any("REPEAT" in actions for actions in states)
    assert any("STAR" in actions for actions in states)
    assert not any("REPEAT" in actions and {"STAR", "PLUS"} & actions.keys() for actions in states)


def test_strict_mode_would_see_a_conflict() -> None:
    """The check above is not empty: one ambiguous rule more, and it fails."""
    ambiguous = TEXT.replace("?sum: product\n", "?sum: product\n    | sum sum -> glued\n")

    assert ambiguous != TEXT
    with pytest.raises(Exception, match="conflict"):
        compile_grammar(ambiguous, STARTS, NEWLINE, strict=True)


@pytest.mark.parametrize("start", [" ", "\t", "\n", "\r\n", "#", "# x\n", " \n "])
def test_no_word_starts_as_what_stands_between_words(start: str) -> None:
    """So it is tried before words, in every state alike, and no word is lost by that."""
    tables = load()
    words = [found for found in tables.terminals if found.name not in tables.between]

    assert tables.gap.match(start)
    assert not any(
        re.match(found.pattern, f"{start}{rest}") for found in words for rest in ("", "a")
    )


def test_the_tables_are_those_of_the_grammar() -> None:
    """`grammar.json` was written from `grammar.lark` as it is; if not, run `circ.lang.grammar`."""
    kept = json.loads(grammar.TABLES.read_text())

    assert kept == {"fingerprint": grammar.fingerprint(TEXT), **compiled(TEXT)}


def test_stale_tables_are_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables of another grammar are passed over; tables that are written anew are right."""
    sample = "claim a: forall s, t in D: f(s) == match t { 0 => x, _ => -y }"
    expected = tree(sample)
    stale = tmp_path / "grammar.json"
    stale.write_text('{"fingerprint": "of something else"}')
    monkeypatch.setattr(grammar, "TABLES", stale)
    grammar.load.cache_clear()
    try:
        assert tree(sample) == expected
        write_tables()
        grammar.load.cache_clear()
        assert tree(sample) == expected
        assert json.loads(stale.read_text())["fingerprint"] == grammar.fingerprint(TEXT)
    finally:
        grammar.load.cache_clear()


def test_the_reserved_words_are_those_that_no_name_can_be() -> None:
    """The list in `circ.lang.words` is the one in the grammar's NAME."""
    listed = re.search(r"^NAME: /\(\?!\(([\w|]+)\)", TEXT, re.MULTILINE)

    assert listed is not None
    assert set(listed[1].split("|")) == RESERVED | {"_"}


@pytest.mark.parametrize("word", sorted(RESERVED))
def test_a_reserved_word_is_no_name(word: str) -> None:
    """It names nothing and is no member unless quoted; after a dot it is a name like any other."""
    assert not is_name(word)
    assert isinstance(read(f"param {word} = 1", "one_item"), Failure)
    assert isinstance(read(f"enum E = {{ {word} }}", "one_item"), Failure)
    assert not isinstance(read(f'enum E = {{ "{word}" }}', "one_item"), Failure)
    assert not isinstance(read(f"m.{word}.x", "one_expression"), Failure)


@pytest.mark.parametrize("word", CONTEXTUAL.split())
def test_other_words_are_names(word: str) -> None:
    """Words that only clauses and headers use stay free for names."""
    assert is_name(word)
    assert not isinstance(read(f"param {word} = {word} + {word}({word})", "one_item"), Failure)

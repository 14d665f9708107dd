"""Colours: the lexer and the editors' grammar know the words of the language, and no others."""

# mypy: disable-error-code="import-untyped"
# pyright: reportMissingTypeStubs=false, reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pygments.lexers import get_lexer_by_name
from pygments.token import Comment, Error, Keyword, Name, Operator, String, Token

from circ.lang import words
from circ.lang.check.functions import FUNCTIONS
from circ.lang.grammar import GRAMMAR
from circ.runtime.highlighting import CircLexer
from circ.runtime.textmate import textmate, textmate_text
from tests.unit.whole_language import SPEC

ROOT = Path(__file__).resolve().parents[2]
VSCODE = ROOT / "editors" / "vscode"
FILES = sorted(path for part in ("examples", "stdlib") for path in (ROOT / part).rglob("*.circ"))

SOFT = {*words.CLAUSE_WORDS, *words.HEAD_WORDS}


def tokens(text: str) -> list[tuple[Any, str]]:
    """The tokens of a text, blanks left out."""
    return [(kind, part) for kind, part in CircLexer().get_tokens(text) if part.strip()]


def names_of(text: str) -> list[str]:
    """The scopes that the editors' grammar gives to the parts of a line, by its own rules."""
    rules: list[dict[str, Any]] = textmate()["patterns"]  # type: ignore[assignment]
    at, found = 0, list[str]()
    while at < len(text):
        for rule in rules:
            match = re.compile(rule["match"]).match(text, at)
            if match is not None and match.end() > at:
                captures = rule.get("captures", {})
                found += (
                    [rule["name"]] if "name" in rule else [c["name"] for c in captures.values()]
                )
                at = match.end()
                break
        else:
            at += 1
    return [name.removesuffix(".circ") for name in found]


def test_the_words_of_the_grammar_have_a_list() -> None:
    """Each word that the language's grammar spells is reserved, or a word of clauses or heads."""
    spelt = re.findall(r"^_?[A-Z]+: /\(?([a-z|]+)\)?\\b/$", GRAMMAR.read_text(), re.MULTILINE)
    found = {word for group in spelt for word in group.split("|")}

    assert len(found) > 30
    assert found - words.RESERVED == SOFT
    assert not SOFT & words.RESERVED


@pytest.mark.parametrize("word", sorted(words.RESERVED))
def test_a_reserved_word_is_no_name(word: str) -> None:
    """It has a colour of its own everywhere but after a `.`, in the lexer and in the grammar."""
    (kind, part), *_ = tokens(f"{word} x")
    assert part == word
    assert kind in Keyword or kind in Operator
    assert [kind for kind, _ in tokens(f"m.{word}")][-1] is Name.Attribute
    assert names_of(f"({word})")[0].startswith("keyword.")
    assert names_of(f"m.{word}") == [
        "variable.other",
        "punctuation.accessor",
        "variable.other.member",
    ]


@pytest.mark.parametrize("word", ["x", "letx", "claims", "_a", "is", "inside", "forall_"])
def test_a_name_is_no_word(word: str) -> None:
    """A word within a longer name is not seen."""
    assert tokens(word) == [(Name, word)]
    assert names_of(word) == ["variable.other"]


def test_functions_types_and_clauses_have_colours() -> None:
    """A function where it is called, a type anywhere, a clause at the start of a line."""
    for function in FUNCTIONS:
        assert tokens(f"{function}(x)")[0][0] is Name.Builtin
        assert names_of(f"{function}(x)")[0] == "support.function"
    for word in (*words.TYPES, *words.FLOATS):
        assert tokens(word)[0][0] is Keyword.Type
        assert names_of(word) == ["support.type"]
    for word in words.CLAUSE_WORDS:
        assert tokens(f"patch p of f {{\n  {word} x\n}}")[5][0] is Keyword
        assert names_of(f"  {word} x")[0] == "keyword.other.clause"
        assert tokens(f"x + {word}")[-1] == (Name, word)


def test_comments_and_strings_hide_what_is_in_them() -> None:
    """Words in quotes and behind `#` are none."""
    text = '"let # x" # let "y"'

    assert [kind for kind, _ in tokens(text)] == [String.Double, Comment.Single]
    assert names_of(text) == ["string.quoted.double", "comment.line.number-sign"]
    assert tokens("## let")[0][0] is String.Doc
    assert names_of("## let") == ["comment.block.documentation"]


@pytest.mark.parametrize("text", [SPEC, *(path.read_text() for path in FILES)])
def test_the_lexer_knows_every_sign(text: str) -> None:
    """No part of a spec is an error to it, and none is lost."""
    found = [*CircLexer().get_tokens(text)]

    assert [part for kind, part in found if kind in Error] == []
    assert "".join(part for _, part in found).strip() == text.strip()
    assert found[0][0] in Token


def test_the_lexer_is_found_by_name() -> None:
    """Pygments finds it as `circ`, since it is installed with Circ."""
    assert isinstance(get_lexer_by_name("circ"), CircLexer)


def test_the_grammar_of_editors_is_up_to_date() -> None:
    """`python -m circ.runtime.textmate editors/vscode/syntaxes/circ.tmLanguage.json` writes it."""
    assert (VSCODE / "syntaxes" / "circ.tmLanguage.json").read_text() == textmate_text()


def test_the_extension_names_files_that_are_there() -> None:
    """The grammar under the scope it has, the language's configuration, and the client."""
    package = json.loads((VSCODE / "package.json").read_text())
    (grammar,) = package["contributes"]["grammars"]
    (language,) = package["contributes"]["languages"]
    configuration = json.loads((VSCODE / language["configuration"]).read_text())

    assert grammar["scopeName"] == textmate()["scopeName"]
    assert grammar["language"] == language["id"] == "circ"
    assert language["extensions"] == [".circ"]
    assert configuration["comments"]["lineComment"] == "#"
    assert (VSCODE / grammar["path"]).is_file()
    assert (VSCODE / package["main"]).is_file()

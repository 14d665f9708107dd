"""The words of the language by what they are, and the lexer that colours them: the door to Pygments."""

# mypy: disable-error-code="import-untyped, misc"
# pyright: reportMissingTypeStubs=false, reportUntypedBaseClass=false
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from pygments.lexer import RegexLexer, bygroups, words
from pygments.token import (
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    Punctuation,
    String,
    Text,
)

from circ.lang.check.functions import FUNCTIONS
from circ.lang.words import (
    AXIS_WORDS,
    CLAUSE_WORDS,
    FLOATS,
    HEAD_WORDS,
    ITEM_WORDS,
    LOGIC_WORDS,
    RESERVED,
    TYPES,
)

JOINING = (*LOGIC_WORDS, *AXIS_WORDS)
FORMS = tuple(sorted(RESERVED - {*ITEM_WORDS, *JOINING}))
"""Every reserved word that starts no item and joins nothing."""

OPERATORS = r":=|=>|->|==|!=|<=|>=|[-+*/@<>=|?]"
NUMBERS = r"[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
STRINGS = r'"(?:[^"\\\n]|\\.)*"'
NAMES = r"[A-Za-z_][A-Za-z0-9_]*"


def one_of(some: Iterable[str]) -> str:
    """A pattern for whole words."""
    return rf"(?:{'|'.join(some)})\b"


class CircLexer(RegexLexer):
    """Circ for Pygments. After a `.` every word is a name, as in the language."""

    name = "Circ"
    url = "https://pypi.org/project/circ-lang/"
    aliases: ClassVar[Sequence[str]] = ["circ"]
    filenames: ClassVar[Sequence[str]] = ["*.circ"]

    tokens: ClassVar[dict[str, list[object]]] = {
        "root": [
            (r"##(?!#).*", String.Doc),
            (r"#.*", Comment.Single),
            (STRINGS, String.Double),
            (rf"(\.)([ \t]*)({NAMES})", bygroups(Punctuation, Text, Name.Attribute)),
            (rf"^([ \t]*)({one_of(CLAUSE_WORDS)})(?!\()", bygroups(Text, Keyword)),
            (
                rf"({one_of(ITEM_WORDS)})([ \t]+)({NAMES})",
                bygroups(Keyword.Declaration, Text, Name.Class),
            ),
            (words(ITEM_WORDS, suffix=r"\b"), Keyword.Declaration),
            (words(FORMS, suffix=r"\b"), Keyword),
            (words(JOINING, suffix=r"\b"), Operator.Word),
            (rf"({one_of(FUNCTIONS)})(?=\()", Name.Builtin),
            (words(HEAD_WORDS, suffix=r"\b"), Keyword.Pseudo),
            (words((*TYPES, *FLOATS), suffix=r"\b"), Keyword.Type),
            (NUMBERS, Number),
            (NAMES, Name),
            (OPERATORS, Operator),
            (r"[{}()\[\],:.]", Punctuation),
            (r"\n", Text),
            (r"[^\S\n]+", Text),
        ],
    }

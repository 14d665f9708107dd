"""The grammar by which editors colour a spec, made from the words of the language.

python -m circ.runtime.textmate editors/vscode/syntaxes/circ.tmLanguage.json
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from circ.lang.check.functions import FUNCTIONS
from circ.lang.words import CLAUSE_WORDS, FLOATS, HEAD_WORDS, ITEM_WORDS, TYPES
from circ.runtime.highlighting import FORMS, JOINING, NAMES, NUMBERS, OPERATORS, STRINGS

SCOPE = "source.circ"

Rule = dict[str, object]


def textmate() -> Rule:
    """The grammar: the first pattern that matches at a place is taken."""
    return {
        "name": "Circ",
        "scopeName": SCOPE,
        "fileTypes": ["circ"],
        "patterns": [
            colour("comment.block.documentation", r"##(?!#).*$"),
            colour("comment.line.number-sign", r"#.*$"),
            colour("string.quoted.double", STRINGS),
            groups(rf"(\.)[ \t]*({NAMES})", "punctuation.accessor", "variable.other.member"),
            colour("keyword.other.clause", rf"^[ \t]*{any_of(CLAUSE_WORDS)}(?!\()"),
            groups(
                rf"{any_of(ITEM_WORDS)}[ \t]+({NAMES})", "keyword.declaration", "entity.name.type"
            ),
            colour("keyword.declaration", any_of(ITEM_WORDS)),
            colour("keyword.control", any_of(FORMS)),
            colour("keyword.operator.word", any_of(JOINING)),
            groups(rf"{any_of(FUNCTIONS)}(?=\()", "support.function"),
            colour("keyword.other", any_of(HEAD_WORDS)),
            colour("support.type", any_of((*TYPES, *FLOATS))),
            colour("constant.numeric", NUMBERS),
            colour("variable.other", NAMES),
            colour("keyword.operator", OPERATORS),
        ],
    }


def any_of(words: Iterable[str]) -> str:
    """A group for whole words."""
    return rf"\b({'|'.join(words)})\b"


def colour(name: str, pattern: str) -> Rule:
    """A rule with one colour."""
    return {"name": f"{name}.circ", "match": pattern}


def groups(pattern: str, *names: str) -> Rule:
    """A rule with a colour for each group."""
    found = {str(place): {"name": f"{name}.circ"} for place, name in enumerate(names, start=1)}
    return {"match": pattern, "captures": found}


def textmate_text() -> str:
    """The grammar as its file has it."""
    return json.dumps(textmate(), indent=2) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(textmate_text(), encoding="utf-8")

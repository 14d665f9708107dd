"""The words of the language: which are reserved, and how a name is written when it is one."""

from __future__ import annotations

import json
import re

ITEM_WORDS = (
    "use",
    "enum",
    "space",
    "subspace",
    "record",
    "checkpoint",
    "network",
    "param",
    "guard",
    "circuit",
    "domain",
    "claim",
    "patch",
)
"""The words that start an item."""

CLAIM_WORDS = ("forall", "exists", "where", "old")
LOGIC_WORDS = ("implies", "or", "and", "not", "within", "in", "matches")
AXIS_WORDS = ("as", "on", "off")
FORM_WORDS = ("let", "return", "fold", "over", "for", "match", "cases", "else", "count", "do")
LATER_WORDS = ("if", "then")

FLOATS = ("float64", "float32", "bfloat16", "float16")
"""The formats that a claim may be about, after `over`; names everywhere else."""

CLAUSE_WORDS = ("edit", "project", "clamp", "graft", "install", "require", "preserve", "minimize")
HEAD_WORDS = (
    "from",
    "at",
    "of",
    "span",
    "using",
    "rank",
    "expects",
    "proved",
    "refuted",
    "along",
    "to",
    "when",
    "margin",
)
"""Words of a patch's clauses, and of the heads of items; names everywhere else."""

TYPES = ("real", "bool", "fin")
"""The types of the language, which no declaration may be called."""

RESERVED: frozenset[str] = frozenset(
    (
        *ITEM_WORDS,
        *CLAIM_WORDS,
        *LOGIC_WORDS,
        *AXIS_WORDS,
        *FORM_WORDS,
        *LATER_WORDS,
    )
)
"""Words that are never a bare name, except after `.`. `_` alone is the wildcard."""

WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
DIGITS = re.compile(r"[0-9]+")


def is_name(text: str) -> bool:
    """Whether `text` may stand bare where a name is wanted."""
    return text not in RESERVED and text != "_" and WORD.fullmatch(text) is not None


def written_name(text: str) -> str:
    """A name as the source would write it: bare if it may be, else quoted as in JSON."""
    return text if is_name(text) else quoted(text)


def written_part(text: str) -> str:
    """One part of a path, after a `.`: words and numbers stand bare, reserved ones too."""
    bare = WORD.fullmatch(text) or DIGITS.fullmatch(text)
    return text if bare else quoted(text)


def quoted(text: str) -> str:
    """A string in quotes, escaped as in JSON."""
    return json.dumps(text, ensure_ascii=False)

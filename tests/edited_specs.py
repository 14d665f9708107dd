"""Specs that somebody could have written by mistake: right ones with a few words changed.

The right ones are those of `tests/spec/`, the standard library and one spec of all constructs. A change puts a
word where another of its kind stood (a name for a name, a number for a number), or takes out, doubles
or moves words and lines; what comes out mostly parses, and mostly has a wrong type.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from circ.lang.words import RESERVED
from tests.mdtest import Block, sections
from tests.unit.whole_language import SPEC, WEIGHTS

ROOT = Path(__file__).resolve().parents[1]
WORD = re.compile(
    r'##?[^\n]*|"[^"\n]*"|[A-Za-z_]\w*|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\s+|:=|=>|->|[=!<>]=|.'
)
NUMBERS = ("0", "1", "2", "3", "7", "0.5", "1e-9", "64", "100000", "1e400", "99999999999999999999")
SIGNS = (*"+-*/@|,.:=<>()[]{}", ":=", "=>", "->", "==", "!=", "<=", ">=", "\n")
BUILT_IN = (
    *(
        "real",
        "fin",
        "bool",
        "relu",
        "max",
        "min",
        "sum",
        "argmax",
        "topk",
        "softmax",
        "exp",
        "mean",
    ),
    *(
        "dot",
        "sqrt",
        "abs",
        "clamp",
        "hardmax",
        "margin",
        "count",
        "positions",
        "all",
        "any",
        "it",
        "_",
    ),
)
KINDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (r"[A-Za-z_]", (*BUILT_IN, *sorted(RESERVED))),
    (r"\d", NUMBERS),
    (r"[^\s\w\"#]", SIGNS),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A right spec, as words, and the files beside it."""

    words: tuple[str, ...]
    files: tuple[Block, ...]


@cache
def corpus() -> tuple[Written, ...]:
    """Every spec that edits start from."""
    pages = sorted((ROOT / "tests" / "spec").rglob("*.md"))
    found = [(s.source, s.files) for page in pages for s in sections(page.read_text())]
    found += [(path.read_text(), ()) for path in sorted((ROOT / "stdlib").glob("*.circ"))]
    weights = Block("json", "checkpoint", "model.safetensors", json.dumps(WEIGHTS), 0, 0)
    found.append((SPEC, (weights,)))
    return tuple(Written(words_of(text), tuple(files)) for text, files in found)


def words_of(text: str) -> tuple[str, ...]:
    """The words, signs, comments and blanks of a text, all of it."""
    return tuple(WORD.findall(text))


def edited(rng: random.Random) -> tuple[str, tuple[Block, ...]]:
    """A text with one to three changes, and the files beside it."""
    chosen = rng.choice(corpus())
    words = list(chosen.words)
    for _ in range(rng.choice((1, 1, 2, 3))):
        if words:
            rng.choice(EDITS)(words, rng)
    return "".join(words), chosen.files


def put_another(words: list[str], rng: random.Random) -> None:
    """A word becomes another of its kind, of this text or any."""
    at = place(words, rng)
    for pattern, known in KINDS:
        if re.match(pattern, words[at]):
            here = sorted({word for word in words if re.match(pattern, word)})
            words[at] = rng.choice(here if rng.random() < 0.8 else known)
            return


def put_another_name(words: list[str], rng: random.Random) -> None:
    """A name becomes another name of this text, or one that is built in."""
    names = [n for n, word in enumerate(words) if word.isidentifier() and word not in RESERVED]
    if names:
        here = sorted({words[n] for n in names})
        words[rng.choice(names)] = rng.choice(here if rng.random() < 0.8 else BUILT_IN)


def put_another_number(words: list[str], rng: random.Random) -> None:
    """A number becomes another."""
    numbers = [n for n, word in enumerate(words) if word[:1].isdigit()]
    if numbers:
        words[rng.choice(numbers)] = rng.choice(NUMBERS)


def exchange(words: list[str], rng: random.Random) -> None:
    """Two words change places."""
    one, other = place(words, rng), place(words, rng)
    words[one], words[other] = words[other], words[one]


def take_out(words: list[str], rng: random.Random) -> None:
    """A word is gone."""
    words[place(words, rng)] = ""


def put_twice(words: list[str], rng: random.Random) -> None:
    """A few words stand twice."""
    at = place(words, rng)
    words[at:at] = words[at : at + rng.randint(1, 12)]


def take_out_line(words: list[str], rng: random.Random) -> None:
    """What stands between two ends of lines is gone."""
    start, end = line(words, rng)
    del words[start:end]


def move_line(words: list[str], rng: random.Random) -> None:
    """A line stands elsewhere."""
    start, end = line(words, rng)
    moved = words[start:end]
    del words[start:end]
    at = rng.randrange(len(words) + 1)
    words[at:at] = moved


def put_in_line(words: list[str], rng: random.Random) -> None:
    """A line of another spec stands in this one."""
    other = rng.choice(corpus()).words
    start, end = line(other, rng)
    at, _ = line(words, rng)
    words[at:at] = other[start:end]


def put_in_group(words: list[str], rng: random.Random) -> None:
    """What stands in parentheses becomes what stands in others of the same form."""
    other = rng.choice(corpus()).words if rng.random() < 0.3 else tuple(words)
    form = rng.choice("([{")
    start, end = group(words, form, rng)
    first, last = group(other, form, rng)
    words[start:end] = other[first:last]


def place(words: Sequence[str], rng: random.Random) -> int:
    """Where a word that is no blank stands, mostly."""
    for _ in range(9):
        at = rng.randrange(len(words))
        if words[at].strip():
            return at
    return 0


def line(words: Sequence[str], rng: random.Random) -> tuple[int, int]:
    """The range of one line, its end included."""
    ends = [0, *(n + 1 for n, word in enumerate(words) if "\n" in word), len(words)]
    at = rng.randrange(len(ends) - 1)
    return ends[at], ends[at + 1]


def group(words: Sequence[str], form: str, rng: random.Random) -> tuple[int, int]:
    """The range of what stands between two parentheses of a form; nothing where there are none."""
    opened = [n for n, word in enumerate(words) if word == form]
    if not opened:
        return 0, 0
    start, depth = rng.choice(opened), 0
    for n in range(start, len(words)):
        depth += (words[n] in ("(", "[", "{")) - (words[n] in (")", "]", "}"))
        if depth == 0:
            return start + 1, n
    return start, len(words)


EDITS: tuple[Callable[[list[str], random.Random], None], ...] = (
    *(put_another_name, put_another_name, put_another_name, put_another_name, put_another_number),
    *(put_another, exchange, take_out, put_twice, take_out_line, move_line, put_in_line),
    *(put_in_group, put_in_group, put_in_group),
)

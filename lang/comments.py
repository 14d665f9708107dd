"""The `#` lines of a text: where they stand, and where they go in its canonical form.

The syntax tree has no comments but documentation, so these are found in the text itself. A comment
within an item is tied to the word before it, where that ends a line of the source, or else to the
word after it; in the canonical text that word has to end, or to start, a line as well.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from circ.lang.docs import DOC_LINE
from circ.lang.span import Span

TOKEN = re.compile(
    r"""
    (?P<string> "(?:[^"\\\n]|\\.)*" )
  | (?P<comment> \#[^\r\n]* )
  | (?P<word> [A-Za-z_][A-Za-z0-9_]* )
  | (?P<number> [0-9]+ (?: \.[0-9]+ )? (?: [eE][+-]?[0-9]+ )? )
  | (?P<sign> := | => | -> | == | != | <= | >= | [^\s] )
    """,
    re.VERBOSE,
)

LOOSE = frozenset(",()")
"""Signs that canonical text may have where the source has none, and the other way round."""


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment from its first `#` to the end of its line."""

    start: int
    text: str
    alone: bool
    """Whether it has a line of its own."""


@dataclass(frozen=True, slots=True)
class Word:
    """A word, a number or a sign; `means` is the same for two that say the same."""

    start: int
    end: int
    means: str


def comments_in(text: str) -> Iterator[Comment]:
    """The comments of a text, documentation included, in order."""
    for found in TOKEN.finditer(text):
        if found.lastgroup == "comment":
            line = text.rfind("\n", 0, found.start()) + 1
            alone = not text[line : found.start()].strip()
            yield Comment(found.start(), found[0].rstrip(), alone)


def said(text: str) -> list[str]:
    """What the comments of a text say, apart from how documentation is spaced."""
    return [as_written(comment.text) for comment in comments_in(text)]


def as_written(comment: str) -> str:
    """A comment as canonical text has it: a blank after `##`, none at the end of the line."""
    doc = DOC_LINE.fullmatch(comment)
    return comment.strip() if doc is None else f"## {doc[1].rstrip()}".rstrip()


def words_of(text: str) -> list[Word]:
    """The words, numbers and signs of a text, those left out that canonical text may drop or add."""
    found: list[Word] = []
    for match in TOKEN.finditer(text):
        if match.lastgroup != "comment" and match[0] not in LOOSE:
            found.append(Word(match.start(), match.end(), meaning(match)))
    return found


def meaning(match: re.Match[str]) -> str:
    """A quoted name is that name, and a number may be written in several ways."""
    match match.lastgroup:
        case "string":
            try:
                return str(json.loads(match[0]))
            except ValueError:
                return match[0]
        case "number":
            return "0"
        case _:
            return match[0]


# --- within an item ----------------------------------------------------------------------------


def carried(item: Span, canonical: Sequence[str], step: str) -> str:
    """An item in the first of its `canonical` texts that has a place for each of its comments.

    Where none has, the item stays as it is written. `step` is what one level is indented by.
    """
    if "#" not in item.text:
        return canonical[0]
    inside = [*comments_in(item.text)]
    for text in canonical:
        placed = with_comments(item.text, inside, text, step)
        if placed is not None:
            return placed
    return "\n".join(line.rstrip() for line in item.text.split("\n"))


def with_comments(source: str, inside: list[Comment], text: str, step: str) -> str | None:
    """`text` with the comments of the `source` that it is made from; None where one has no place."""
    theirs, ours = words_of(source), words_of(text)
    if [word.means for word in theirs] != [word.means for word in ours]:
        return None
    lines, starts = text.split("\n"), [word.start for word in theirs]
    placed = Placed(lines, line_starts(lines), ours, {}, {})
    for comment in inside:
        after = bisect_right(starts, comment.start)
        fits = (
            placed.above(after, comment, step) if comment.alone else placed.beside(after, comment)
        )
        if not fits:
            return None
    return placed.text()


@dataclass(frozen=True, slots=True)
class Placed:
    """Canonical lines with the words in them, and the comments that have a place so far."""

    lines: list[str]
    starts: list[int]
    words: list[Word]
    before: dict[int, list[str]]
    ending: dict[int, str]

    def line(self, at: int) -> int:
        """The line of a word; none for what lies outside."""
        return bisect_right(self.starts, self.words[at].start) if 0 <= at < len(self.words) else 0

    def above(self, at: int, comment: Comment, step: str) -> bool:
        """Put a comment above the line of a word, unless that is not the first one there."""
        line = self.line(at)
        if line in (0, self.line(at - 1)):
            return False
        shown = self.lines[line - 1]
        closing = step if self.words[at].means == "}" else ""
        indent = shown[: len(shown) - len(shown.lstrip())] + closing
        self.before.setdefault(line, []).append(indent + as_written(comment.text))
        return True

    def beside(self, after: int, comment: Comment) -> bool:
        """Put a comment at the end of a line, unless more follows there, or another comment."""
        line = self.line(after - 1)
        if line in (0, self.line(after)) or line in self.ending:
            return False
        self.ending[line] = f"  {comment.text}"
        return True

    def text(self) -> str:
        """The lines with all comments."""
        return "\n".join(
            each
            for number, line in enumerate(self.lines, start=1)
            for each in (*self.before.get(number, ()), line + self.ending.get(number, ""))
        )


def line_starts(lines: Sequence[str]) -> list[int]:
    """Offset of the first character of each line."""
    return [0, *accumulate(len(line) + 1 for line in lines[:-1])]


# --- between items -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Gap:
    """The comments between two items: groups of lines with blank lines between them.

    `below`: the first group follows the item above without a blank line; `attached`: so does the
    item below the last group. `beside` ends the last line of the item above. `close`: there is no
    line at all.
    """

    groups: tuple[tuple[str, ...], ...]
    below: bool
    attached: bool
    beside: str
    close: bool


def gap(text: str, start: int, end: int, *, first: bool) -> Gap:
    """What stands between an item's end, or the start of the text, and the next item, or its end."""
    lines = text[start:end].split("\n")
    beside = "" if first else lines.pop(0).strip()
    if end < len(text):
        lines = lines[:-1]
    groups: list[list[str]] = []
    blank = True
    for line in lines:
        if line.strip():
            groups.extend([[]] if blank else [])
            groups[-1].append(as_written(line))
        blank = not line.strip()
    below = not first and bool(lines) and bool(lines[0].strip())
    attached = end < len(text) and not blank
    return Gap(tuple(map(tuple, groups)), below, attached, beside, not lines)

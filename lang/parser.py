"""From the text of a spec to its syntax tree, with every syntax error on the way.

A reserved word at the start of a line can only start an item, so a text is cut there and every
item is parsed on its own: one error spoils one item, and no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import TypeVar

from circ.lang.build import item
from circ.lang.build_domains import formula, ranged
from circ.lang.build_expressions import expression
from circ.lang.build_names import Place
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.docs import module_doc
from circ.lang.errors.syntax import not_text, too_deep, too_large, too_many_errors
from circ.lang.explain_failure import explain_failure
from circ.lang.grammar import Failure, Start, Token, Tree, read, trees
from circ.lang.span import Source, Span
from circ.lang.syntax import Expr, Formula, Item, Module, Use
from circ.lang.words import ITEM_WORDS

Node = TypeVar("Node")
Build = Callable[[Tree | Token, Place], Node]

LARGEST_TEXT = 4 * 1024 * 1024
"""Characters; a spec is written by people."""

DEEPEST = 100
"""Levels of the grammar's tree, so that a pass may recurse over what is parsed: with nine calls a
level it stays within Python's bound of 1000."""

MOST_ERRORS = 100

ITEM_START = re.compile(
    rf"^(?:{'|'.join(ITEM_WORDS)})\b"
    rf"|^[ \t]+(?:{'|'.join(ITEM_WORDS)})[ \t]+[A-Za-z_]",
    re.MULTILINE,
)
SILENT = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")


def decode(name: str, data: bytes, diagnostics: Diagnostics) -> Source | None:
    """The text of a file; bytes that are not UTF-8 are reported."""
    try:
        return Source(name, data.decode("utf-8-sig"))
    except UnicodeDecodeError as e:
        diagnostics.report(not_text(name, e.start))
        return None


def parse(source: Source, diagnostics: Diagnostics) -> Module:
    """The module that `source` says, without the items that have errors."""
    items: list[Item | Use] = []
    if fits(source, diagnostics):
        wrong = 0
        for start, end in pieces(source.text):
            found = len(diagnostics.found)
            items.extend(parse_piece(source, start, end, diagnostics))
            wrong += len(diagnostics.found) > found
            if wrong == MOST_ERRORS:
                diagnostics.report(too_many_errors(Span(source, end, end), MOST_ERRORS))
                break
    uses = tuple(found for found in items if isinstance(found, Use))
    declared = tuple(found for found in items if not isinstance(found, Use))
    return Module(Span(source, 0, len(source.text)), module_doc(source), uses, declared)


def parse_expression(source: Source, diagnostics: Diagnostics) -> Expr | None:
    """The one expression that `source` is; None where that fails, which is reported."""
    return parse_whole(source, "one_expression", expression, diagnostics)


def parse_formula(source: Source, diagnostics: Diagnostics) -> Formula | None:
    """The one formula that `source` is; None where that fails, which is reported."""
    return parse_whole(source, "one_formula", formula, diagnostics)


def parse_range(source: Source, diagnostics: Diagnostics) -> Formula | None:
    """The number and the binders of `e over s in D`, its body the number; None where that fails."""
    return parse_whole(source, "one_range", ranged, diagnostics)


def parse_whole(
    source: Source, start: Start, make: Build[Node], diagnostics: Diagnostics
) -> Node | None:
    """What the whole of `source` is under the rule `start`."""
    if not fits(source, diagnostics):
        return None
    found = read(source.text, start)
    if isinstance(found, Failure):
        diagnostics.report(explain_failure(source, 0, found))
        return None
    return built(found, Place(source, 0), make, diagnostics)


# --- pieces ------------------------------------------------------------------------------------


def pieces(text: str) -> Iterator[tuple[int, int]]:
    """The ranges of `text` that may hold an item; all between them is comments and blanks."""
    starts = [match.start() for match in ITEM_START.finditer(text)]
    for start, end in zip((0, *starts), (*starts, len(text)), strict=True):
        silence = SILENT.match(text, start, end)
        if silence is None or silence.end() < end:
            yield start, end


def parse_piece(
    source: Source, start: int, end: int, diagnostics: Diagnostics
) -> Iterator[Item | Use]:
    """The item of one piece. What follows it there on a line of its own is another piece."""
    while start < end:
        text = source.text[start:end]
        outcome, cut = read(text, "one_item"), len(text)
        if isinstance(outcome, Failure):
            cut = line_start(text, outcome)
            before = read(text[:cut], "one_item") if cut else outcome
            if isinstance(before, Failure):
                diagnostics.report(explain_failure(source, start, outcome))
                return
            outcome = before
        made = built(outcome, Place(source, start), item, diagnostics)
        if made is not None:
            yield made
        start += cut


def line_start(text: str, failure: Failure) -> int:
    """Where the line of a failure starts if nothing stands before it there; else 0."""
    start = text.rfind("\n", 0, failure.start) + 1
    first = failure.found == "text" and not text[start : failure.start].strip()
    return start if first else 0


def built(
    found: Tree | Token, place: Place, make: Build[Node], diagnostics: Diagnostics
) -> Node | None:
    """What `make` builds of a tree, unless that is too deep or says what no spec may."""
    deep = beyond(found, DEEPEST)
    if deep is not None:
        diagnostics.report(too_deep(place.span(deep), DEEPEST))
        return None
    try:
        return make(found, place)
    except CircError as error:
        for diagnostic in error.diagnostics:
            diagnostics.report(diagnostic)
        return None


def beyond(found: Tree | Token, levels: int) -> Tree | None:
    """The first part that lies more than `levels` below the root, found level by level."""
    level = [*trees([found])]
    for _ in range(levels):
        level = [part for above in level for part in trees(above.children)]
    return level[0] if level else None


def fits(source: Source, diagnostics: Diagnostics) -> bool:
    """Whether `source` is small enough to be read; if not, that is reported."""
    if len(source.text) <= LARGEST_TEXT:
        return True
    diagnostics.report(too_large(source.name, len(source.text), LARGEST_TEXT))
    return False

"""Canonical text of a source with comments: nothing is lost, and each comment stays where it belongs."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from circ.lang.comments import as_written, comments_in, said
from circ.lang.diagnostic import Diagnostics
from circ.lang.format import format_module
from circ.lang.format_text import format_text
from circ.lang.parser import parse
from circ.lang.render import render
from circ.lang.span import Source
from circ.lang.syntax import Module
from tests.outline import shape
from tests.syntax_trees import modules

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted(
    path for folder in ("examples", "stdlib") for path in (ROOT / folder).rglob("*.circ")
)
PAGES = sorted([*(ROOT / "tests" / "spec").rglob("*.md"), *(ROOT / "docs").rglob("*.md")])

some = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
many = settings(some, max_examples=4000)


def read(text: str) -> Module:
    """A text without errors."""
    diagnostics = Diagnostics()
    module = parse(Source("spec.circ", text), diagnostics)

    assert [render(diagnostic) for diagnostic in diagnostics] == []
    return module


def formatted(text: str) -> str:
    """Its canonical text."""
    return format_text(Source("spec.circ", text), read(text))


def homes(text: str) -> list[tuple[str, int, bool]]:
    """Each comment with the number of the item it stands in, beside, or above, and which it is."""
    module = read(text)
    nodes = sorted((*module.uses, *module.items), key=lambda node: node.span.start)
    found: list[tuple[str, int, bool]] = []
    for comment in comments_in(text):
        before = [node for node in nodes if node.span.start <= comment.start]
        end = text.find("\n", before[-1].span.end) if before else -1
        found.append((as_written(comment.text), len(before), comment.start < end))
    return found


@st.composite
def commented(draw: st.DrawFn) -> str:
    """The canonical text of a module, with comments above and at the ends of some lines."""
    lines = format_module(draw(modules)).split("\n")
    kinds = draw(
        st.lists(
            st.sampled_from(["", "", "", "above", "beside", "apart"]),
            min_size=len(lines),
            max_size=len(lines),
        )
    )
    text: list[str] = []
    for number, (line, kind) in enumerate(zip(lines, kinds, strict=True)):
        indent = draw(st.sampled_from(["", "  ", "\t"]))
        match kind:
            case "above":
                text += [f"{indent}# above {number}", line]
            case "beside":
                text += [f"{line}{indent}# beside {number}  "]
            case "apart":
                text += ["", f"{indent}#apart {number}", "", line]
            case _:
                text += [line]
    return "\n".join(text)


@some
@given(commented())
def test_every_comment_is_kept_where_it_belongs(text: str) -> None:
    """However comments stand among the lines of a module, they are all there, in order, at their items."""
    assert_kept(text)


@pytest.mark.slow
@many
@given(commented())
def test_every_comment_of_many_texts_is_kept(text: str) -> None:
    """The same, for more texts."""
    assert_kept(text)


def assert_kept(text: str) -> None:
    """Formatting keeps the module, and the comments in order at their items; twice is once."""
    again = formatted(text)

    assert shape(read(again)) == shape(read(text))
    assert said(again) == said(text)
    assert homes(again) == homes(text)
    assert formatted(again) == again


@some
@given(modules)
def test_without_comments_the_tree_says_all(module: Module) -> None:
    """A text that the formatter of trees wrote is canonical already."""
    text = format_module(module)

    assert formatted(text) == text


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_the_specs_of_the_project_say_the_same(path: Path) -> None:
    """Every spec that comes with Circ reads back as the same module, with the same comments."""
    assert_kept(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_the_specs_of_the_pages_say_the_same(path: Path) -> None:
    """So does every spec in a page, unless it has errors of syntax."""
    for block in re.findall(
        r"^```circ\n(.*?)^```", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    ):
        diagnostics = Diagnostics()
        parse(Source("block", block), diagnostics)
        if not diagnostics.failed:
            assert shape(read(formatted(block))) == shape(read(block))
            assert formatted(formatted(block)) == formatted(block)


MESSY = """\
# A note for the top.

## What this is about.
use std.attention: attention     # the only head
# of the enum
enum A = { a,   # the first
  b }
enum B = {
  c
  # after all
}
# below B

param x=1    # one
param y=2

##stray

claim c:   # head
  x +  # inner
  y == 3   # tail
use "rules.circ": state
# the end
"""

NEAT = """\
# A note for the top.

## What this is about.

use std.attention: attention  # the only head
use "rules.circ": state
# the end

# of the enum
enum A = {
  a  # the first
  b
}

enum B = {
  c
  # after all
}
# below B

param x = 1  # one
param y = 2

## stray

claim c:  # head
  x +     # inner
  y == 3  # tail
"""


def test_comments_are_carried_along() -> None:
    """Above, beside, within and below; what is used comes first, and takes its comments with it.

    An enum is put on lines of its own for its comments. A claim with a comment inside a sum, where the
    canonical text has no line that ends, stays as it is written.
    """
    assert formatted(MESSY) == NEAT
    assert formatted(NEAT) == NEAT


def test_comments_at_the_ends_of_lines_stand_in_a_column() -> None:
    """Those of lines that follow each other, if none gets too long; a `#` in a string is no comment."""
    text = 'param x = 1 # a\nparam long = 22# b\nparam y = 3\nparam z = 4 # c\n\nclaim c: "#" == x # d\n'
    long = f"param x = 1 # {'a' * 80}\nparam y = 22222222222222 # b\n"

    assert formatted(text) == (
        "param x    = 1   # a\n"
        "param long = 22  # b\n"
        "param y    = 3\n"
        "param z    = 4  # c\n\n"
        'claim c: "#" == x  # d\n'
    )
    assert formatted(long) == long.replace(" #", "  #")


def test_items_stand_in_columns_up_to_a_blank_line_or_a_comment() -> None:
    """A line between two items, of a comment or blank, ends what stands beneath each other."""
    text = "param x = 1\nparam abc = 2\n# of those\nparam abcdef = 3\n\nparam long_name = 4\n"

    assert formatted(text) == (
        "param x   = 1\nparam abc = 2\n\n# of those\nparam abcdef = 3\n\nparam long_name = 4\n"
    )


def test_a_use_stays_where_its_comment_would_document_the_module() -> None:
    """`##` lines above a `use` further down would be the text's own at the top: nothing is moved."""
    text = 'enum A = { a }\n\n## Not of the text.\n\nuse "rules.circ": state\n'

    assert formatted(text) == text
    assert read(formatted(text)).doc == ""


def test_blank_lines_between_short_items_are_the_writers() -> None:
    """Items of one kind that take a line each stand together, or apart, as they were written."""
    together, apart = "param x = 1\nparam y = 2\n", "param x = 1\n\nparam y = 2\n"

    assert formatted(together) == together
    assert formatted(apart) == apart
    assert formatted("param x = 1\n\n\n\nparam y = 2") == apart


@pytest.mark.parametrize("text", ["", "\n\n", "# alone", "## doc", "# a\n\n\n# b\n"])
def test_a_text_without_items_keeps_its_comments(text: str) -> None:
    """There may be nothing but comments."""
    again = formatted(text)

    assert said(again) == said(text)
    assert all(a or b for a, b in pairwise(again.split("\n")))
    assert formatted(again) == again

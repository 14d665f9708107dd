"""The reference: its examples end as it says, and it leaves nothing of the language out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from circ.lang.words import CLAUSE_WORDS, HEAD_WORDS, RESERVED
from tests import mdtest
from tests.views import VIEWS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "reference.md"
SECTIONS = list(mdtest.sections(PAGE.read_text()))


@pytest.fixture(scope="module", autouse=True)
def updated(pytestconfig: pytest.Config) -> None:
    """`--update-golden` rewrites what the views print."""
    if pytestconfig.getoption("--update-golden"):
        mdtest.update(PAGE, VIEWS)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.title)
def test_an_example_is_as_shown(section: mdtest.Section, pytestconfig: pytest.Config) -> None:
    """Each section has a spec, and what a view prints of it."""
    assert section.expectations
    if not pytestconfig.getoption("--update-golden"):
        mdtest.check(section, VIEWS)


def test_every_word_of_the_language_has_a_place() -> None:
    """Each reserved word, and each word of a head or clause, stands in a spec of the page or is named."""
    text = PAGE.read_text()
    code = " ".join(block.body for block in mdtest.blocks(text, 0, len(text)))
    code += " ".join(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text, flags=re.DOTALL)))
    words = set(re.findall(r"\w+", code))
    assert RESERVED | {*CLAUSE_WORDS, *HEAD_WORDS} <= words


def test_each_construct_has_a_section() -> None:
    """A word that starts an item is in the title of a section, between backticks."""
    titles = " ".join(re.findall(r"^## .*$", PAGE.read_text(), re.MULTILINE))
    named = set(re.findall(r"\w+", " ".join(re.findall(r"`([^`]+)`", titles))))
    later, logic = {"if", "then"}, {"where"}
    assert RESERVED - later - logic <= named | {"where"}


def test_every_error_is_listed_with_its_title() -> None:
    """The last table is the titles of the pages of errors, each linked."""
    listed = dict(
        re.findall(r"^\| \[(E\d+)\]\(errors/\1\.md\) \| (.*) \|$", PAGE.read_text(), re.MULTILINE)
    )
    titles = {p.stem: p.read_text().splitlines()[0] for p in (DOCS / "errors").glob("*.md")}
    assert {code: f"# {code}: {title}" for code, title in listed.items()} == titles

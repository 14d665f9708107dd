"""Every code has a page that shows how it is earned, and how it is mended."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from circ.lang.diagnostic import Diagnostics
from circ.lang.parser import LARGEST_TEXT, MOST_ERRORS, decode
from tests import mdtest
from tests.views import diagnose

ROOT = Path(__file__).resolve().parents[2]
PAGES = {path.stem: path for path in sorted((ROOT / "docs" / "errors").glob("*.md"))}
CODE = re.compile(r'"(E\d{4})"')
CODES = sorted(
    {
        code
        for path in (ROOT / "lang" / "errors").glob("*.py")
        for code in CODE.findall(path.read_text())
    }
)


def not_utf_8(folder: Path) -> Diagnostics:
    """A file in another encoding."""
    diagnostics = Diagnostics()
    decode("spec.circ", "enum Mot = { été }".encode("latin-1"), diagnostics)
    return diagnostics


MADE: dict[str, Callable[[Path], Diagnostics]] = {
    "E0007": lambda folder: diagnose(f"param n = {'-' * 200}1", folder),
    "E0010": not_utf_8,
    "E0011": lambda folder: diagnose("#" * (LARGEST_TEXT + 1), folder),
    "E0017": lambda folder: diagnose("claim\n" * (MOST_ERRORS + 1), folder),
}
"""What no page can show in full."""


def examples(page: Path, folder: Path) -> list[str]:
    """The specs of a page, in order, with its files made in `folder`."""
    text = page.read_text()
    blocks = mdtest.blocks(text, 0, len(text))
    mdtest.write_files([block for block in blocks if block.kind], folder)
    return [block.body for block in blocks if block.tag == "circ"]


def codes(diagnostics: Diagnostics) -> set[str]:
    """The codes that were earned."""
    return {diagnostic.code for diagnostic in diagnostics}


def test_every_code_has_a_page_and_every_page_a_code() -> None:
    """A code is written in `lang/errors` once it exists, and its page has its name."""
    assert sorted(PAGES) == CODES


@pytest.mark.parametrize("code", PAGES)
def test_a_page_opens_with_its_code(code: str) -> None:
    """The title is the code and, in a few words, what is wrong."""
    assert re.match(rf"# {code}: \S.{{3,70}}\n", PAGES[code].read_text())


@pytest.mark.parametrize("code", PAGES)
def test_an_example_earns_the_code_and_the_mended_one_is_right(code: str, tmp_path: Path) -> None:
    """The first spec of a page is wrong in just this way, and the last is right.

    A page on what no spec alone can earn shows a command instead, and what it prints.
    """
    shown = examples(PAGES[code], tmp_path)
    if code in MADE:
        assert code in codes(MADE[code](tmp_path))
    elif shown:
        assert code in codes(diagnose(shown[0], tmp_path))
        assert len(shown) >= 2
    else:
        assert "```console\n" in PAGES[code].read_text()
    assert all(not diagnose(text, tmp_path).failed for text in shown[-1:])

"""The recipes: each is a complete spec, and its claims are what the page shows of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from circ.compiler.driver import check
from circ.compiler.finding import Limits
from circ.compiler.stored import Files
from circ.lang.span import Source
from circ.runtime.claim_lines import claim_lines
from circ.runtime.claims import Claims
from tests import mdtest

DOCS = Path(__file__).parents[2] / "docs"
RECIPES = sorted((DOCS / "recipes").glob("*.md"))

SHOWN = re.compile(r"^. \w+: \w+", re.MULTILINE)


def test_the_page_of_the_library_lists_every_recipe() -> None:
    """And no other."""
    found = re.findall(r"\(recipes/(\w+\.md)\)", (DOCS / "stdlib.md").read_text())
    assert sorted(found) == [page.name for page in RECIPES]


@pytest.mark.parametrize("page", RECIPES, ids=lambda page: page.stem)
def test_the_claims_of_a_recipe_are_as_shown(page: Path, tmp_path: Path) -> None:
    """Each claim's verdict is the one in the console below it, and as the claim expects."""
    text = page.read_text()
    blocks = mdtest.blocks(text, 0, len(text))
    mdtest.write_files([block for block in blocks if block.kind], tmp_path)
    (spec,) = (block.body for block in blocks if block.tag == "circ")
    (console,) = (block.body for block in blocks if block.tag == "console")
    program = check(Source("recipe.circ", spec), Files(tmp_path), {})
    assert not program.diagnostics.found

    claims, shown = Claims(program, Limits()), list[str]()
    for name in program.typed.scope.claims:
        shown += SHOWN.findall(claim_lines(claims.answer(name))[0].text)
    assert all(line.startswith("✓") for line in shown)
    assert shown == SHOWN.findall(console)

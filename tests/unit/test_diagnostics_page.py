"""The comparison of diagnostics: what it shows of Circ is what Circ prints."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import mdtest
from tests.views import VIEWS

PAGE = Path(__file__).parents[2] / "docs" / "design" / "0016-diagnostics.md"


def test_ten_mistakes_are_shown_as_they_are_printed(pytestconfig: pytest.Config) -> None:
    """Each section makes one mistake and has the message."""
    if pytestconfig.getoption("--update-golden"):
        mdtest.update(PAGE, VIEWS)
    shown = list(mdtest.sections(PAGE.read_text()))
    assert len(shown) == 10
    for section in shown:
        assert [block.tag for block in section.expectations] == ["diagnostics"]
        mdtest.check(section, VIEWS)
        assert "error[" in section.expectations[0].body

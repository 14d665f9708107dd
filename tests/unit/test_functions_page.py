"""The page of functions names what the language has."""

from __future__ import annotations

import re
from pathlib import Path

from circ.lang.check.functions import FUNCTIONS

PAGE = Path(__file__).parents[2] / "docs" / "functions.md"


def test_every_function_has_its_row_and_no_other() -> None:
    """The first column of the first table calls each function by its name."""
    table = PAGE.read_text().split("| form |")[0]
    firsts = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert set(re.findall(r"`(\w+)\(", "".join(firsts))) == set(FUNCTIONS)

"""The mechanical changes themselves: which are made, of which files, and which are said to be no bugs."""

from __future__ import annotations

import ast
from functools import cache

import pytest

from tests.mutants.copies import ROOT
from tests.mutants.mechanical.changes import Change, changes
from tests.mutants.mechanical.harmless import WHY
from tests.mutants.mechanical.named import TESTS, asked_of
from tests.mutants.mechanical.trusted import TRUSTED

SOURCE = '''
"""Text: 1 < 2."""

Number = int | str


def least(a: "int | str", values: list[int] = ()) -> int | None:
    """More text."""
    assert a > 0, "no change here"
    require(len(values) < 3, f"{a + 1} is text too")
    return min(-a // 2, *values[1:a])
'''

NEW = {
    ("least", "pass"),
    ("least", 'require((len(values) <= 3), f"{a + 1} is text too")'),
    ("least", 'require((len(values) >= 3), f"{a + 1} is text too")'),
    ("least", 'require(len(values) < 2, f"{a + 1} is text too")'),
    ("least", 'require(len(values) < 4, f"{a + 1} is text too")'),
    ("least", "return max(-a // 2, *values[1:a])"),
    ("least", "return min((-(--a // 2)), *values[1:a])"),
    ("least", "return min((a) // 2, *values[1:a])"),
    ("least", "return min(-a // 1, *values[1:a])"),
    ("least", "return min(-a // 3, *values[1:a])"),
    ("least", "return min(-a // 2, *values[0:a])"),
    ("least", "return min(-a // 2, *values[1:a - 1])"),
}


@cache
def of(file: str) -> tuple[Change, ...]:
    """The changes of a file."""
    return tuple(changes(file, (ROOT / file).read_text()))


def test_what_is_computed_changes_and_nothing_else() -> None:
    """Operators, signs, bounds and calls; no text, type or assertion."""
    found = {(change.where, change.new) for change in changes("a.py", SOURCE)}
    assert found == NEW


@pytest.mark.parametrize("file", TRUSTED)
def test_a_change_is_one_and_parses(file: str) -> None:
    """Of every file that is tried: its tests are there, and each change is another text of Python."""
    assert all((ROOT / test).exists() for test in asked_of(file))
    assert all(change.old != change.new for change in of(file))
    for change in of(file)[::25]:
        ast.parse(change.text)


def test_what_is_named_is_there() -> None:
    """Each listed beginning is that of some file."""
    for start in TESTS:
        assert any(file.startswith(start) for file in TRUSTED), start


def test_what_is_harmless_can_still_be_done() -> None:
    """A change that is said to be no bug stands in its file, in so many words; else it says nothing."""
    for key, why in WHY.items():
        assert why
        assert key in {change.key for change in of(key[0])}, key

"""The tour: what its commands print on the page is what they print."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import consoles
from tests.unit.specs import command

TOUR = Path(__file__).parents[2] / "docs" / "tour.md"


def test_the_tour_prints_what_it_shows(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    pytestconfig: pytest.Config,
) -> None:
    """Every command of the page, in its order, in a folder with the page's files."""
    consoles.prepare(TOUR, tmp_path)
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> str:
        command(*consoles.words(line))
        out, error = capsys.readouterr()
        return error + out

    if pytestconfig.getoption("--update-golden"):
        consoles.update(TOUR, run)
        return
    for block in consoles.consoles(TOUR):
        assert consoles.comparable(consoles.printed(block.body, run)) == consoles.comparable(
            block.body
        )


def test_the_tour_says_how_each_claim_ends() -> None:
    """The refutations that the text speaks of are there, and the rest is proved."""
    shown = "".join(block.body for block in consoles.consoles(TOUR))
    for line in ("✗ flips: refuted", "✓ flips_few: proved", "✗ leads: refuted", "✓ flips: proved"):
        assert line in shown

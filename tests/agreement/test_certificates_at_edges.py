"""Certificates whose parts hang by a rounding: whole numbers see what doubles see."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.verify.agreement import compared

AT_EDGES = {
    2685: "a phase's multiplier is thousands of millions of times those of the rows",
    3061: "a half of a box that was cut lies outside of it",
    7039: "units whose bounds end in 0",
    8901: "a cut by such a multiplier",
}


@pytest.mark.parametrize("seed", AT_EDGES)
def test_both_audits_accept(seed: int, tmp_path: Path) -> None:
    """What the search proves has a certificate that the audit accepts in doubles and in whole numbers."""
    found = compared(seed, tmp_path, 20.0)
    assert found.said == {"boxes": "holds", "smt": "holds"}
    assert found.certificate == "accepted, in floats and in whole numbers", AT_EDGES[seed]

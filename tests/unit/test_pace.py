"""How many nodes a round of branch and bound takes, by how long the last ones took."""

from __future__ import annotations

from math import inf

from circ.runtime.engines.pace import LONGEST, Pace


def test_a_round_is_no_longer_than_there_is_time() -> None:
    """As many nodes as fit are taken, never none; without a round before, all of them."""
    pace = Pace()
    assert pace.most(512, 0.0) == 512

    pace.noted(8, 2.0)
    assert pace.each == 0.25
    assert pace.most(512, inf) == LONGEST / 0.25
    assert pace.most(512, 1.0) == 4
    assert pace.most(3, 1.0) == 3
    assert pace.most(512, 0.1) == 1
    assert pace.most(512, -1.0) == 1

"""Parts of a box that a condition leaves next to nothing of: they are cut, and decided by what else is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from circ.compiler.boxes.bounds import tighten
from circ.compiler.boxes.read import read
from circ.compiler.boxes.round import Question, judged, prepared, root, shrink
from circ.compiler.finding import Fails, Finding, Holds, Limits, silent
from circ.runtime.engines.boxes import decide
from circ.runtime.session import checked, settings

SPEC = """
circuit f(x: real[4]) -> real[3] {
  let h = relu([[1, -1, -2, 2], [-1, -2, -4, 4], [3, 2, 1, 0], [-1, -3, 1, -4], [-3, 3, -2, -2],
                [-1, -4, -1, -1]] @ x + [1, -3, -2, -4, 1, -2])
  return [[0, -1, 1, 2, 3, -2], [-3, -3, 0, -3, 1, -3], [-1, -1, 3, 0, 1, -2]] @ h + [6, -2, -3]
}

domain A = { x: real[4] | 0 <= x <= 1 and sum(x[:3]) >= 2 }

claim both: forall x in A: f(x)[0] > f(x)[1] + ROOM and f(x)[0] > f(x)[2] + ROOM
"""


TWO = "claim both: forall x in { x: real | -1 <= x <= 1 }: relu(x) < 0.5 and relu(-x) < 0.25"


def asked(folder: Path, text: str) -> Question:
    """The question whether the claim `both` fails."""
    spec = folder / "spec.circ"
    spec.write_text(text)
    program = checked(spec, settings((), (), False))
    return prepared(read(program.question("both").at(None), program.weights))


def decided(folder: Path, room: str) -> Finding:
    """What bounds make of the claim with so much room."""
    spec = folder / "spec.circ"
    spec.write_text(SPEC.replace("ROOM", room))
    program = checked(spec, settings((), (), False))
    return decide(program.question("both").at(None), program.weights, Limits(timeout=60), silent)


def test_a_box_is_cut_to_what_any_clause_may_be_met_on(tmp_path: Path) -> None:
    """Two ways to fail: where x is at least 1/2, and where it is at most -1/4. One cuts the box on one side,
    the other on the other; both stay in. With one of them open, the box is cut to that."""
    question = asked(tmp_path, TWO)
    for clauses, low, high in (([0, 1], -1, 1), ([0], 0, 1), ([1], -1, 0)):
        nodes = root(question)
        nodes.open[:] = False
        nodes.open[0, clauses] = True
        pairs = judged(question, nodes, tighten(question.net, question.there, nodes))
        shrink(nodes, pairs)
        assert nodes.low[0, 0] == pytest.approx(low, abs=0.6)
        assert nodes.high[0, 0] == pytest.approx(high, abs=0.6)
        assert nodes.low[0, 0] <= low
        assert nodes.high[0, 0] >= high


def test_a_condition_that_a_part_just_meets_says_nothing_of_the_goal(tmp_path: Path) -> None:
    """Where x is at most 1/2 twice, the sum is 2 at one corner of a part: the part is decided all the same,
    and not put to SMT. What is not true there is refuted."""
    found = decided(tmp_path, "0")
    assert isinstance(found, Holds)
    assert "SMT" not in found.method
    assert isinstance(decided(tmp_path, "2"), Fails)

"""Claims for each of several values, held to going through everything by hand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Literal

import pytest

from circ.compiler.finding import Limits
from circ.compiler.verdict import Outcome, outcome
from circ.runtime.cache.recall import Answered
from circ.runtime.claims import Claims
from tests.unit.lowered import lowered

OUTER, INNER = 3, 3
"""Values of the two variables."""

SPECS = 60

Quantifier = Literal["forall", "exists"]
QUANTIFIERS: Sequence[Quantifier] = ("forall", "exists")
Table = Sequence[Sequence[bool]]

WORST: dict[Quantifier, Sequence[Outcome]] = {
    "forall": ("refuted", "unknown", "vacuous", "proved"),
    "exists": ("proved", "unknown", "vacuous", "refuted"),
}


def drawn(random: Random, likely: float) -> Table:
    """A truth about both variables."""
    return [[random.random() < likely for _ in range(INNER)] for _ in range(OUTER)]


def holds(table: Table) -> str:
    """The same as a spec says it, by a table of numbers."""
    rows = [f"[{', '.join('1' if held else '-1' for held in row)}]" for row in table]
    return f"[{', '.join(rows)}][i][j] > 0"


def at_value(inner: Quantifier, where: Sequence[bool], goal: Sequence[bool]) -> Outcome:
    """The verdict at one value of the outer variable."""
    met = [holds for counts, holds in zip(where, goal, strict=True) if counts]
    if not met:
        return "vacuous"
    return "proved" if (all if inner == "forall" else any)(met) else "refuted"


@pytest.mark.parametrize("seed", range(2))
def test_each_value_has_its_verdict_and_the_worst_counts(seed: int, tmp_path: Path) -> None:
    """For both quantifiers, inside and outside, with values that are left out."""
    random, seen = Random(seed), set[tuple[str, str]]()
    for _ in range(SPECS):
        outer, inner = random.choice(QUANTIFIERS), random.choice(QUANTIFIERS)
        where, goal = drawn(random, 0.6), drawn(random, 0.5)
        gone = [random.random() < 0.8 for _ in range(OUTER)]
        kept = f"[{', '.join('1' if x else '-1' for x in gone)}][i] > 0"
        text = (
            f"claim c: {outer} i in {{ i: fin[{OUTER}] | {kept} }}: "
            f"{inner} j in fin[{INNER}] where {holds(where)}: {holds(goal)}"
        )
        program = lowered(text, tmp_path)
        found = Claims(program, Limits()).answer("c")
        wanted = [at_value(inner, where[i], goal[i]) for i in range(OUTER) if gone[i]]
        assert [one.value["i"][0] for one in found.values] == [i for i in range(OUTER) if gone[i]]
        assert [one.outcome for one in found.values] == wanted, text
        assert all(isinstance(one.found, Answered) for one in found.values)
        worst = next((word for word in WORST[outer] if word in wanted), "vacuous")
        assert outcome(found.verdict) == worst, text
        seen.add((outer, worst))
    assert {word for _, word in seen} == {"proved", "refuted", "vacuous"}
    assert len(seen) >= 5

"""Claims by lemmas, held to going through all inputs: nothing is proved but what holds and follows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest

from circ.compiler.finding import Limits
from circ.compiler.verdict import Example, Outcome, Refuted, outcome
from circ.runtime.claims import Claims
from tests.unit.lowered import lowered

SIZE = 4
"""Values of a variable."""

SPECS = 40
"""In one test, of four claims each."""

Table = tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class Said:
    """A claim about one variable: at which of its values which part of it holds."""

    domain: Table
    where: Table
    goal: Table
    using: tuple[str, ...] = ()

    def text(self, name: str) -> str:
        """The claim as a spec has it."""
        using = f" using {', '.join(self.using)}" if self.using else ""
        domain = f"{{ i: fin[{SIZE}] | {holds(self.domain)} }}"
        return f"claim {name}{using}: forall i in {domain} where {holds(self.where)}: {holds(self.goal)}"

    def inputs(self) -> list[int]:
        """The values that it is about."""
        return [i for i in range(SIZE) if self.domain[i] and self.where[i]]

    def fails(self) -> list[int]:
        """Those at which it does not hold."""
        return [i for i in self.inputs() if not self.goal[i]]

    def outcome(self, others: dict[str, Said]) -> Outcome:
        """The verdict that the rules give."""
        lemmas = [others[name] for name in self.using]
        if any(lemma.outcome(others) != "proved" for lemma in lemmas):
            return "unknown"
        if not self.inputs():
            return "vacuous"
        if any(i not in lemma.inputs() for lemma in lemmas for i in self.inputs()):
            return "unknown"
        return "refuted" if self.fails() else "proved"


def holds(table: Table) -> str:
    """A truth about `i` with these values, by a table of numbers."""
    return f"[{', '.join('1' if held else '-1' for held in table)}][i] > 0"


def drawn(random: Random, likely: float) -> Table:
    """A truth at each value."""
    return tuple(random.random() < likely for _ in range(SIZE))


def said(random: Random, *using: str) -> Said:
    """A claim that is as often right as not."""
    return Said(drawn(random, 0.7), drawn(random, 0.7), drawn(random, 0.9), using)


@pytest.mark.parametrize("seed", range(2))
def test_verdicts_by_lemmas_are_those_of_the_rules(seed: int, tmp_path: Path) -> None:
    """A lemma, one that rests on it, and claims with one and with both: proved, refuted, vacuous or unknown.

    What is refuted shows an input at which the claim fails; what is proved holds everywhere.
    """
    random, seen = Random(seed), list[Outcome]()
    for _ in range(SPECS):
        claims = {
            "a": said(random),
            "b": said(random, "a"),
            "c": said(random, "b"),
            "d": said(random, "a", "b"),
        }
        program = lowered("\n".join(c.text(name) for name, c in claims.items()), tmp_path)
        decided = Claims(program, Limits())
        for name, claim in claims.items():
            verdict = decided.answer(name).verdict
            assert outcome(verdict) == claim.outcome(claims), program.source.text
            if isinstance(verdict, Refuted):
                assert isinstance(verdict.example, Example)
                assert verdict.example.witness["i"][0] in claim.fails()
            seen.append(outcome(verdict))
    assert {*seen} == {"proved", "refuted", "vacuous", "unknown"}


BOUNDS = (-2.0, -1.0, 0.0, 0.5, 1.0, 2.0)


def interval(random: Random, low: float = -2.0, high: float = 2.0) -> Sequence[float]:
    """Two bounds between others, in their order; they may be equal."""
    return sorted(random.choices([bound for bound in BOUNDS if low <= bound <= high], k=2))


@pytest.mark.parametrize("seed", range(2))
def test_so_are_those_about_intervals(seed: int, tmp_path: Path) -> None:
    """Of reals: a lemma `x >= low` on one interval, used for `2 * x >= twice` on another."""
    random, seen = Random(seed), set[tuple[Outcome, Outcome]]()
    for _ in range(SPECS):
        (e, f), low, high = interval(random), *random.choices(BOUNDS, k=2)
        c, d = interval(random, e, f) if random.random() < 0.5 else interval(random)
        program = lowered(
            f"claim a: forall x in {{ x: real | {e} <= x <= {f} }}: x >= {low}\n"
            f"claim b using a: forall x in {{ x: real | {c} <= x <= {d} }}: 2 * x >= {2 * high}\n",
            tmp_path,
        )
        lemma: Outcome = "proved" if e >= low else "refuted"
        wanted: Outcome = "proved" if c >= high else "refuted"
        if lemma != "proved" or not e <= c <= d <= f:
            wanted = "unknown"
        decided = Claims(program, Limits())
        found = outcome(decided.answer("a").verdict), outcome(decided.answer("b").verdict)
        assert found == (lemma, wanted), program.source.text
        seen.add(found)
    assert {("proved", "proved"), ("proved", "unknown"), ("refuted", "unknown")} <= seen

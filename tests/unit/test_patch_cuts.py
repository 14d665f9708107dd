"""The search for an edit keeps the cuts that hold a solution in place: it finds what it finds with all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from circ.compiler.obligation import Witness
from circ.compiler.patching import Norm
from circ.runtime.convex import Floats, Least, least, least_change
from circ.runtime.patches import edits
from circ.runtime.patches.edits import SLACK, Begun, Blocked, Cuts, solve_at, thinned
from circ.runtime.patches.instances import Instances
from circ.runtime.patches.unknowns import Unknowns

NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")


@dataclass(slots=True)
class Linear:
    """Instances `rows @ x >= low`, of three parts each: [instances, 3, unknowns] and [instances, 3]."""

    rows: Floats
    low: Floats
    keys: tuple[str, ...] = ("x",)
    convex: bool = True
    obligation: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(title="all"))

    @property
    def room(self) -> list[float]:
        """None is asked for."""
        return [0.0] * len(self.rows)

    @property
    def witnesses(self) -> list[Witness]:
        """A name for each."""
        return [Witness((("s", (number,)),)) for number in range(len(self.rows))]

    def parts(self, tensors: Mapping[str, Floats]) -> Floats:
        """How far each part is from failing."""
        found: Floats = self.rows @ tensors["x"] - self.low
        return found

    def gradients(self, _: object, rows: Sequence[int], parts: Sequence[int]) -> Floats:
        """A row for each."""
        return self.rows[list(rows), list(parts)]

    def first(self, count: int) -> Instances:
        """The first instances."""
        return cast("Instances", Linear(self.rows[:count], self.low[:count]))

    def best(self, norm: Norm) -> Floats | None:
        """The change that is least, with all constraints at once."""
        flat = self.rows.reshape(-1, self.rows.shape[2])
        return least_change(flat, self.low.reshape(-1) + SLACK, norm)


def drawn(rng: np.random.Generator) -> Linear:
    """Forty instances in eight unknowns, mostly with a solution, many of them slack at it."""
    inside = rng.normal(size=8)
    rows = rng.normal(size=(40, 3, 8))
    return Linear(rows, rows @ inside - rng.exponential(size=(40, 3)) + 0.05)


def size(change: Floats, norm: Norm) -> float:
    """Of a change."""
    return float(np.linalg.norm(change, {"l1": 1, "l2": 2, "linf": inf}[norm]))


@pytest.mark.parametrize("norm", NORMS)
def test_what_is_left_out_makes_no_difference(norm: Norm) -> None:
    """Random problems: as small as with all constraints at once, within what an instance may be short of its slack.

    Whether they are seen at once, or in four rounds that each begin where the one before ended.
    """
    rng, solved = np.random.default_rng(7), 0
    for _ in range(25):
        problem, begun = drawn(rng), Begun()
        unknowns = Unknowns({"x": np.zeros(8)}, {"x": np.arange(8)}, norm)
        best = problem.best(norm)
        at_once = solve_at(SLACK, unknowns, [problem.first(40)], inf, Begun())
        rounds = [
            solve_at(SLACK, unknowns, [problem.first(count)], inf, begun)
            for count in (5, 15, 30, 40)
        ]
        for found in (at_once, rounds[-1]):
            assert isinstance(found, Blocked) == (best is None)
            if best is None:
                continue
            assert isinstance(found, np.ndarray)
            assert problem.parts({"x": found}).min() >= SLACK / 2 - 1e-6
            assert size(found, norm) == pytest.approx(size(best, norm), rel=2e-3)
            solved += 1
    assert 20 < solved < 50


def test_only_what_holds_a_solution_in_place_is_kept() -> None:
    """Under l2 that is at most as many cuts as unknowns, and they lead to the same solution."""
    rng = np.random.default_rng(3)
    problem, begun = drawn(rng), Begun()
    unknowns = Unknowns({"x": np.zeros(8)}, {"x": np.arange(8)})
    found = solve_at(SLACK, unknowns, [problem.first(40)], inf, begun)
    assert isinstance(found, np.ndarray)
    assert len(begun.cuts.rows) == len(begun.cuts.at_least) == len(begun.cuts.blamed) <= 8
    again = least_change(np.array(begun.cuts.rows), np.array(begun.cuts.at_least))
    assert again is not None
    assert again == pytest.approx(found, abs=1e-6)


def test_nothing_is_left_out_where_the_change_has_not_grown() -> None:
    """Else two sets of cuts could lead to each other without end."""
    cuts = Cuts([np.ones(2), np.ones(2)], [1.0, 0.5], [("all", Witness(()))] * 2, [0.5, 0.0])
    step = Least(np.full(2, 0.5), np.array([0.5, 0.0]))
    thinned(cuts, step, grown=False)
    assert cuts.at_least == [1.0, 0.5]
    thinned(cuts, step, grown=True)
    assert (cuts.at_least, cuts.multipliers) == ([1.0], [0.5])


def test_a_solver_that_names_no_cut_ends_the_search(monkeypatch: pytest.MonkeyPatch) -> None:
    """A solver is planted that says of every cut that it could be left out: the search ends all the same."""

    def careless(rows: Floats, at_least: Floats, norm: Norm, near: Floats) -> Least | None:
        found = least(rows, at_least, norm, near)
        return None if found is None else Least(found.x, np.zeros(len(rows)))

    monkeypatch.setattr(edits, "least", careless)
    problem = drawn(np.random.default_rng(3))
    unknowns = Unknowns({"x": np.zeros(8)}, {"x": np.arange(8)})
    found = solve_at(SLACK, unknowns, [problem.first(40)], inf, Begun())
    assert isinstance(found, np.ndarray)
    assert problem.parts({"x": found}).min() >= SLACK / 2 - 1e-6


def test_where_a_solver_starts_makes_no_difference() -> None:
    """From the multipliers of a problem with some of the same rows, from random ones and from none: one solution, or none."""
    rng, solved = np.random.default_rng(5), 0
    for count in (6, 12, 30) * 8:
        rows = rng.normal(size=(count, 10))
        at_least = rows @ rng.normal(size=10) - rng.exponential(size=count) + 0.1
        if rng.random() < 0.3:
            rows[1], at_least[1] = -rows[0], 1 - at_least[0]
        cold, some = least(rows, at_least), least(rows[: count // 2], at_least[: count // 2])
        kept = np.zeros(count // 2) if some is None else some.multipliers
        for near in (np.pad(kept, (0, count - count // 2)), rng.exponential(size=count)):
            warm = least(rows, at_least, near=near)
            assert (warm is None) == (cold is None)
            if warm is not None and cold is not None:
                assert warm.x == pytest.approx(cold.x, abs=1e-9)
                assert warm.multipliers @ rows == pytest.approx(warm.x, abs=1e-9)
                solved += 1
    assert 10 < solved < 40

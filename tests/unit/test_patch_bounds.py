"""How small a change can be at least: multipliers from a solver, and a bound in exact arithmetic."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.driver import Program
from circ.compiler.patching import Norm
from circ.runtime.patches.bound import Multiplier, Unfounded, least_size, root_above, size_of
from circ.runtime.patches.bound_text import percent
from circ.runtime.patches.edited import Edited
from tests.unit.forged import forged
from tests.unit.lowered import lowered
from tests.unit.specs import Rows, command, stored, write_spec

NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")

ROWS = """
checkpoint m from "model.safetensors"
circuit f(s: fin[{count}, 1]) -> real = dot(m.w, m.rows[s[0]])
domain All = {{ s: fin[{count}, 1] }}
patch mend of f {{
  edit     m.w
  require  forall s in All: f(s) >= m.least[s[0]]
  minimize {norm}
}}
"""
"""`rows @ w >= least`, from w = 0: all problems with linear constraints."""

Row = tuple[int, ...]


def problem(rows: Sequence[Row], least: Sequence[int], norm: Norm) -> tuple[str, dict[str, Rows]]:
    """The spec and its tensors."""
    weights: dict[str, Rows] = {"w": [0.0] * len(rows[0]), "rows": rows, "least": least}
    return ROWS.format(count=len(rows), norm=norm), weights


def made(
    folder: Path, text: str, weights: Mapping[str, Rows], capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """What `circ patch --json` says of its one patch."""
    spec = write_spec(folder, text, weights)
    command("patch", spec, "--out", folder / "out.safetensors", "--force", "--json")
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    return cast("dict[str, Any]", found)


# --- against closed forms ---------------------------------------------------------------------


@pytest.mark.parametrize(("norm", "distance"), [("l1", 3 / 4), ("l2", 3 / 5), ("linf", 3 / 7)])
def test_one_half_space_is_as_far_as_it_is(
    norm: Norm, distance: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """From 0 to `3 x + 4 y >= 3`: 3 through the dual norm of (3, 4). The bound is just below; the change just above,
    by the margin that is asked for and rounding."""
    bound = made(tmp_path, *problem([(3, 4)], [3], norm), capsys)["bound"]
    assert bound["norm"] == norm
    assert distance * (1 - 1e-9) <= bound["least"] <= distance <= bound["size"]
    assert bound["size"] <= bound["least"] * (1 + bound["gap"])
    assert bound["gap"] < 1e-3


def test_what_holds_already_is_minimal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing changes, and nothing could change less."""
    found = made(tmp_path, *problem([(3, 4)], [-1], "l2"), capsys)
    assert (found["bound"]["size"], found["bound"]["least"], found["bound"]["gap"]) == (0, 0, 0)
    assert found["bound"]["multipliers"] == []


# --- against all vertices, in exact arithmetic ------------------------------------------------


def solve(rows: Sequence[Sequence[Fraction]], right: Sequence[Fraction]) -> list[Fraction] | None:
    """The one solution of as many equations as unknowns, by Gauss and Jordan; None where it is not one."""
    table = [[*row, value] for row, value in zip(rows, right, strict=True)]
    size = len(table)
    for column in range(size):
        pivot = next((k for k in range(column, size) if table[k][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        table[column] = [x / table[column][column] for x in table[column]]
        for k in range(size):
            if k != column:
                factor = table[k][column]
                table[k] = [x - factor * y for x, y in zip(table[k], table[column], strict=True)]
    return [row[-1] for row in table]


def inner(row: Sequence[Fraction | int], x: Sequence[Fraction]) -> Fraction:
    """The inner product."""
    return sum((a * b for a, b in zip(row, x, strict=True)), Fraction(0))


def vertices(
    rows: Sequence[Sequence[Fraction | int]], right: Sequence[Fraction | int]
) -> list[list[Fraction]]:
    """Every point where as many constraints as unknowns are met exactly, and none is missed."""
    exact = [[Fraction(x) for x in row] for row in rows]
    sides = [Fraction(x) for x in right]
    found: list[list[Fraction]] = []
    for picked in combinations(range(len(rows)), len(rows[0])):
        x = solve([exact[k] for k in picked], [sides[k] for k in picked])
        if x is not None and all(inner(r, x) >= b for r, b in zip(exact, sides, strict=True)):
            found.append(x)
    return found


def smallest_l1(rows: Sequence[Row], least: Sequence[int]) -> Fraction | None:
    """A linear program with a difference of two vectors: at one of its corners."""
    size = len(rows[0])
    split = [(*row, *(-x for x in row)) for row in rows]
    signs = [tuple(int(i == j) for j in range(2 * size)) for i in range(2 * size)]
    corners = vertices([*split, *signs], [*least, *[0] * 2 * size])
    return min((sum(x, Fraction(0)) for x in corners), default=None)


def smallest_linf(rows: Sequence[Row], least: Sequence[int]) -> Fraction | None:
    """A linear program with the largest entry as one unknown more."""
    size = len(rows[0])
    one = [tuple(int(i == j) for j in range(size)) for i in range(size)]
    within = [(*(s * x for x in row), 1) for row in one for s in (1, -1)]
    corners = vertices([*((*row, 0) for row in rows), *within], [*least, *[0] * 2 * size])
    return min((x[-1] for x in corners), default=None)


def smallest_l2(rows: Sequence[Row], least: Sequence[int]) -> Fraction | None:
    """The square of it: of the least points of all sets of constraints that are met exactly, those that miss none."""
    found = [Fraction(0)] if max(least) <= 0 else []
    for count in range(1, len(rows[0]) + 1):
        for picked in combinations(range(len(rows)), count):
            chosen = [[Fraction(x) for x in rows[k]] for k in picked]
            gram = [[inner(a, b) for b in chosen] for a in chosen]
            factors = solve(gram, [Fraction(least[k]) for k in picked])
            if factors is None:
                continue
            x = [inner(factors, column) for column in zip(*chosen, strict=True)]
            if all(inner(r, x) >= b for r, b in zip(rows, least, strict=True)):
                found.append(inner(x, x))
    return min(found, default=None)


def smallest(rows: Sequence[Row], least: Sequence[int], norm: Norm) -> float | None:
    """How small a change is, in exact arithmetic up to the last step; None where none does it."""
    match norm:
        case "l1":
            found = smallest_l1(rows, least)
        case "linf":
            found = smallest_linf(rows, least)
        case "l2":
            square = smallest_l2(rows, least)
            found = None if square is None else root_above(square)
    return None if found is None else float(found)


SMALL = st.integers(-3, 3)
PROBLEMS = st.integers(2, 3).flatmap(
    lambda size: st.lists(
        st.tuples(st.tuples(*[SMALL] * size).filter(any), st.integers(-2, 3)),
        min_size=1,
        max_size=4,
    )
)


@given(asked=PROBLEMS, norm=st.sampled_from(NORMS))
@settings(max_examples=60, deadline=None)
def test_the_bound_is_below_the_smallest_change_and_close(
    asked: list[tuple[Row, int]], norm: Norm, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Random half-planes and half-spaces: all their vertices are gone through in rational numbers."""
    rows, least = [row for row, _ in asked], [value for _, value in asked]
    exact = smallest(rows, least, norm)
    folder = tmp_path_factory.mktemp("problem")
    spec = write_spec(folder, *problem(rows, least, norm))
    out = folder / "out.safetensors"
    code = command("patch", spec, "--out", out)
    if code != 0:
        return  # a conflict, or equations in disguise, which no rounded change meets
    assert exact is not None
    bound = json.loads(Path(f"{out}.receipt.json").read_text())["bound"]
    assert bound["least"] <= exact * (1 + 1e-15)
    assert bound["least"] >= exact * (1 - 1e-6)
    assert bound["size"] >= exact * (1 - 1e-15)


@given(asked=PROBLEMS, data=st.data(), norm=st.sampled_from(NORMS))
@settings(max_examples=60, deadline=None)
def test_no_multipliers_lead_above_the_smallest_change(
    asked: list[tuple[Row, int]],
    data: st.DataObject,
    norm: Norm,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Whatever they are, as long as none is negative: they are not trusted."""
    rows, least = [row for row, _ in asked], [value for _, value in asked]
    exact = smallest(rows, least, norm)
    factors = data.draw(st.lists(st.integers(0, 9), min_size=len(rows), max_size=len(rows)))
    text, weights = problem(rows, least, norm)
    program = lowered(text, tmp_path_factory.mktemp("problem"), weights)
    try:
        found = founded(program, norm, [point(k, factor) for k, factor in enumerate(factors)])
    except Unfounded:
        assert exact is None
        return
    assert exact is None or float(found) <= exact * (1 + 1e-15)


def point(letter: int, factor: int) -> Multiplier:
    """A multiplier of the one part of a requirement at a word of one letter."""
    return Multiplier("mend.require[0]", {"s": (str(letter),)}, 0, factor)


def founded(program: Program, norm: Norm, multipliers: Sequence[Multiplier]) -> Fraction:
    """The bound that they give for the patch `mend`, which may change all of `m.w`."""
    plan, base = program.patch("mend"), Edited(program.weights, {})
    free = {e.key: frozenset(range(len(base[e.key].values))) for e in plan.edits}
    return least_size(norm, (*plan.require, *plan.preserve), free, base, multipliers)


# --- what proves nothing ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("multiplier", "why"),
    [
        (point(0, -1), "negative"),
        (point(7, 1), "none of its requirement"),
        (Multiplier("mend.require[1]", {"s": ("0",)}, 0, 1), "of no requirement"),
        (Multiplier("mend.require[0]", {"s": ("0",)}, 1, 1), "no part"),
        (Multiplier("mend.require[0]", {"s": ("0",)}, -1, 1), "no part"),
        (Multiplier("mend.require[0]", {"t": ("0",)}, 0, 1), "none of its requirement"),
    ],
)
def test_wrong_multipliers_are_refused(multiplier: Multiplier, why: str, tmp_path: Path) -> None:
    """Negative ones would turn a half-space round, and others are about nothing that is required."""
    program = lowered(*spread(problem([(3, 4)], [3], "l2"), tmp_path))
    with pytest.raises(Unfounded, match=why):
        founded(program, "l2", [multiplier])


def spread(found: tuple[str, dict[str, Rows]], folder: Path) -> tuple[str, Path, dict[str, Rows]]:
    """The arguments of `lowered`."""
    return found[0], folder, found[1]


def test_an_input_outside_the_assumptions_proves_nothing(tmp_path: Path) -> None:
    """The requirement says nothing of the second letter; by it, the change would have to be twice as large."""
    text, weights = problem([(3, 4), (3, 4)], [3, 6], "l2")
    text = text.replace("in All:", "in All where s[0] == 0:")
    program = lowered(text, tmp_path, weights)
    assert abs(float(founded(program, "l2", [point(0, 1)])) - 0.6) < 1e-9
    with pytest.raises(Unfounded, match="does not meet what its requirement assumes"):
        founded(program, "l2", [point(1, 1)])


BENT = {
    "a scale that changes too": (
        "edit m.w, m.scale",
        "f(s) >= 3",
        "slack of mend.require[0] is not concave",
    ),
    "one of two": (
        "edit m.w",
        "f(s) >= 3 or f(s) <= -7",
        "slack of mend.require[0] is not concave",
    ),
    "an assumption on what is edited": (
        "edit m.w",
        "f(s) >= 3",
        "what mend.preserve[0] assumes rests on what is edited",
    ),
}


@pytest.mark.parametrize("case", BENT)
def test_elsewhere_no_bound_is_claimed(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where the problem is not convex in the edit, or an edit may escape a requirement, the report says so."""
    edit, goal, why = BENT[case]
    text, weights = problem([(3, 4)], [3], "l2")
    text = text.replace("edit     m.w", edit).replace("f(s) >= m.least[s[0]]", goal)
    if "scale" in case:
        text = text.replace("= dot", "= m.scale[0] * dot")
    if "assumption" in case:
        kept = "preserve forall s in All where f(s) <= 1000: f(s) >= 2.9\n  minimize"
        text = text.replace("minimize", kept).replace(
            "require  forall s in All: f(s) >= 3", "require forall s in All: f(s) >= 2"
        )
    found = made(tmp_path, text, {**weights, "scale": [1.0]}, capsys)
    assert found["made"]
    assert why in found["bound"]["reason"]
    assert "least" not in found["bound"]
    command("patch", tmp_path / "spec.circ", "--out", tmp_path / "out.safetensors", "--force")
    said = capsys.readouterr().out
    assert "no lower bound is known, because" in said
    assert "minimal within" not in said


# --- in a receipt -----------------------------------------------------------------------------


LIES: Mapping[str, tuple[str, object]] = {
    "a larger bound": ("least", 0.6000000001),
    "a smaller size": ("size", 0.6),
    "another norm": ("norm", "linf"),
    "no multipliers": ("multipliers", []),
    "a multiplier of another letter": (
        "multipliers",
        [{"requirement": "mend.require[0]", "input": {"s": ["5"]}, "part": 0, "factor": 1}],
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_audit_checks_the_bound(
    lie: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The receipt has the multipliers, and each audit computes anew what follows from them."""
    made(tmp_path, *problem([(3, 4)], [3], "l2"), capsys)
    path = tmp_path / "out.safetensors.receipt.json"
    assert command("audit", path) == 0
    assert "minimal within" in capsys.readouterr().out
    told = json.loads(path.read_text())
    field, value = LIES[lie]
    told["bound"][field] = value
    path.write_text(json.dumps(told))
    out = tmp_path / "out.safetensors"
    forged(out, "w", stored(out)["w"])
    assert command("audit", path) == 1
    said = capsys.readouterr().out
    assert "size of the change" in said or "smaller change" in said or "not founded" in said


MALFORMED: dict[str, dict[str, Any]] = {
    "a bound above the size": {"least": 1.0, "size": 0.5},
    "a bound of nothing": {"least": 0.0},
    "a norm that is none": {"norm": "l3"},
    "a negative factor": {
        "multipliers": [{"requirement": "r", "input": {}, "part": 0, "factor": -1}]
    },
    "a number that is none": {
        "multipliers": [{"requirement": "r", "input": {"s": ["1/0"]}, "part": 0, "factor": 1}]
    },
}


@pytest.mark.parametrize("case", MALFORMED)
def test_what_is_no_bound_is_no_receipt(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every field is of its kind, and a bound is between 0 and the size."""
    made(tmp_path, *problem([(3, 4)], [3], "l2"), capsys)
    path = tmp_path / "out.safetensors.receipt.json"
    told = json.loads(path.read_text())
    told["bound"].update(MALFORMED[case])
    path.write_text(json.dumps(told))
    assert command("audit", path) == 4
    assert "E0656" in capsys.readouterr().err


# --- sizes ------------------------------------------------------------------------------------


@given(st.fractions(0, 10**6))
def test_a_root_is_rounded_up(x: Fraction) -> None:
    """Just above √x."""
    root = root_above(x)
    assert root * root >= x
    assert (root * (1 - Fraction(1, 2**50))) ** 2 <= x


def test_the_size_of_a_change_is_exact() -> None:
    """Of (3, 0, -4) the norms are 7, 5 and 4; the second is rounded up."""
    moved = [(1.0, 4.0), (2.0, 2.0), (0.5, -3.5)]
    assert size_of("l1", moved) == 7
    assert 5 <= size_of("l2", moved) <= 5 + Fraction(1, 2**50)
    assert size_of("linf", moved) == 4


@pytest.mark.parametrize(
    ("share", "told"),
    [
        (0.000129454, "0.013 %"),
        (0.0123001, "1.3 %"),
        (0.5, "50 %"),
        (2.3451, "240 %"),
        (0.0, "0 %"),
    ],
)
def test_a_gap_is_told_in_two_digits(share: float, told: str) -> None:
    """Rounded up."""
    assert percent(share) == told

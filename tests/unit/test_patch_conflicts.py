"""Requirements for which no edit is found: a conflict is said where exact arithmetic shows it, and no more than it shows."""

from __future__ import annotations

import json
from array import array
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from circ.compiler.builder import Builder, number
from circ.compiler.ir import Compare, Smooth, Wire
from circ.compiler.obligation import Witness
from circ.compiler.patching import Norm
from circ.compiler.readings.gradients import Affine
from circ.compiler.readings.slopes import BITS, Row
from circ.compiler.tensor import Tensor
from circ.runtime.convex import contradiction, least_change
from circ.runtime.patches.bound import HalfSpace, Unfounded, together
from circ.runtime.patches.conflicts import admitted
from circ.runtime.patches.edits import Blocked
from circ.runtime.patches.exact_multipliers import candidates
from circ.runtime.patches.excluded import FAR, Excluded, by_sum
from circ.runtime.patches.make import TIGHT
from tests.mdtest import write_checkpoint
from tests.unit.obligations import always, box, obligation, pick
from tests.unit.specs import Rows, command, stored, write_spec

NORMS: tuple[Norm, ...] = ("l1", "l2", "linf")

SPEC = """
checkpoint m from "model.safetensors"
circuit f(s: fin[{count}, 1]) -> real = dot(m.w, m.rows[s[0]])
domain All = {{ s: fin[{count}, 1] }}
domain Some = {{ s in All | s[0] != 0 }}
patch mend of f {{
  edit     m.w
  require  forall s in Some: f(s) >= m.least[s[0]]
}}
"""


def said(
    folder: Path, rows: Rows, least: list[float], capsys: pytest.CaptureFixture[str]
) -> dict[str, Any]:
    """What is said of a patch for `rows @ w >= least`, the first row aside."""
    weights: dict[str, Rows] = {"w": [0.0] * 3, "rows": rows, "least": least}
    spec = write_spec(folder, SPEC.format(count=len(rows)), weights)
    return told(spec, capsys)


def told(spec: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What `circ patch --json` says of the one patch of a spec."""
    out = spec.parent / "out.safetensors"
    command("patch", spec, "--out", out, "--force", "--json")
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    return cast("dict[str, Any]", found)


def in_format(folder: Path, text: str, weights: Mapping[str, Rows], dtype: str) -> Path:
    """A spec and its checkpoint, in another format than float32; the path of the spec."""
    described = {name: {"dtype": dtype, "data": rows} for name, rows in weights.items()}
    write_checkpoint(folder / "model.safetensors", json.dumps(described))
    spec = folder / "spec.circ"
    spec.write_text(text)
    return spec


# --- what is shown ----------------------------------------------------------------------------


def test_no_input_of_a_conflict_can_be_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Random systems: those rows contradict each other, and all but one of them do not, whichever that is."""
    rng, conflicts = np.random.default_rng(2), 0
    for _ in range(12):
        rows = rng.integers(-2, 3, size=(9, 3)).astype(np.float64)
        least = rng.integers(-1, 3, size=9).astype(np.float64)
        found = said(tmp_path, rows.tolist(), least.tolist(), capsys)
        if found["made"]:
            continue
        conflicts += 1
        assert found["excluded"]["changes"] == "all"
        named = [int(each["input"]["s"][0]) for each in found["conflict"]]
        assert 0 not in named
        assert least_change(rows[named], least[named]) is None
        for left in named:
            rest = [k for k in named if k != left]
            assert not rest or least_change(rows[rest], least[rest]) is not None
    assert conflicts > 3


PAIR = """
checkpoint m from "model.safetensors" {{ w: real[2] }}
circuit f(x: real[2]) -> real = dot(m.w, x)
domain Box = {{ x: real[2] | 1 <= x <= 2 }}
patch mend of f {{
  edit     m.w
  require  forall x in Box: f(x) >= {least}
  preserve forall x in Box: f(x) <= 1
  minimize {norm}
}}
"""


@pytest.mark.parametrize("norm", NORMS)
def test_no_edit_at_all(norm: Norm, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Twice as large at an input as it may be at another that is half of it: the exact sum is moved by no edit."""
    spec = write_spec(tmp_path, PAIR.format(norm=norm, least=1), {"w": [0.0, 0.0]})
    found = told(spec, capsys)
    assert found["excluded"] == {"changes": "all", "norm": norm, "least": 0.0}
    assert {each["requirement"] for each in found["conflict"]} == {
        "mend.require[0]",
        "mend.preserve[0]",
    }
    assert command("patch", spec, "--out", tmp_path / "out.safetensors") == 1
    assert "    no edit of these tensors meets these together:\n" in capsys.readouterr().out
    assert not (tmp_path / "out.safetensors").exists()


def test_thirds_are_exact_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Slopes that no binary fraction holds are taken times their denominators, so that their sum is nothing."""
    text = PAIR.replace("dot(m.w, x)", "dot(m.w, x) / 3").replace("f(x) <= 1", "f(x) / 7 <= 1/7")
    spec = write_spec(tmp_path, text.format(norm="l2", least=1), {"w": [0.0, 0.0]})
    assert told(spec, capsys)["excluded"]["changes"] == "all"


SOFT = """
checkpoint m from "model.safetensors" {{ w: real[2] }}
circuit f(s: fin[2, 1]) -> real = dot(m.w, softmax(m.rows[s[0]]))
domain All = {{ s: fin[2, 1] }}
patch mend of f {{
  edit     m.w
  require  forall s in All: f(s) >= 1 and f(s) <= -1
  minimize {norm}
}}
"""


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_what_is_irrational_is_told_as_far_as_it_goes(
    norm: Norm, dtype: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Slopes are enclosed and no sum of them is surely 0: no number of float16 does it, nor any change of 10^30 in float64."""
    text = SOFT.format(norm=norm)
    spec = in_format(tmp_path, text, {"w": [0, 0], "rows": [[0.25, 1], [0.5, -0.25]]}, dtype)
    found = told(spec, capsys)["excluded"]
    command("patch", spec)
    said = capsys.readouterr().out
    if dtype == "float16":
        assert found == {"changes": "held", "norm": norm, "least": 0.0}
        assert "no edit to numbers that the file's dtype holds meets this requirement at" in said
    else:
        assert found["changes"] == "smaller"
        assert found["least"] > 1e30
        assert f"no change with an {norm} norm below " in said


def test_a_number_too_large_for_the_file_is_a_conflict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A million in float16; a sum of two such entries may be a hundred thousand."""
    text = SOFT.format(norm="l2").replace("f(s) >= 1 and f(s) <= -1", "{goal}")
    weights: dict[str, Rows] = {"w": [0, 0], "rows": [[0, 0]] * 2}
    spec = in_format(tmp_path, text.replace("{goal}", "m.w[0] >= 1000000"), weights, "float16")
    assert told(spec, capsys)["excluded"]["changes"] == "held"
    spec.write_text(text.replace("{goal}", "m.w[0] + m.w[1] >= 100000"))
    assert told(spec, capsys)["made"]


def test_another_edit_may_fit_where_the_smallest_does_not(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Twenty entries of float16 add up to 1,200,000, of which the smallest change in l1 puts all into one; no conflict is said."""
    text = """
checkpoint m from "model.safetensors"
circuit f(x: real[1]) -> real = x[0] * sum(m.w)
domain D = { x: real[1] | 1 <= x <= 1 }
patch mend of f {
  edit     m.w
  require  forall x in D: f(x) >= 1200000
  minimize l1
}
"""
    found = told(in_format(tmp_path, text, {"w": [0.0] * 20}, "float16"), capsys)
    assert found["reason"].startswith("the edit cannot be stored")


# --- what is not ------------------------------------------------------------------------------


EQUAL = """
checkpoint m from "model.safetensors" {{ w: real[2] }}
circuit f(s: fin[2, 1]) -> real[2] = m.rows[s[0]] * m.w
domain All = {{ s: fin[2, 1] }}
patch mend of f {{
  edit     m.w
  require  forall s in All: {goal}
  minimize {norm}
}}
"""


@pytest.mark.parametrize("norm", NORMS)
def test_an_equality_without_room_is_met_where_rounding_keeps_it(
    norm: Norm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two entries become the same, and a third of one of them is asked for as well; nothing is said of a conflict."""
    text = EQUAL.format(goal="m.w[0] == m.w[1]", norm=norm)
    spec = write_spec(tmp_path, text, {"w": [0.1, 0.7], "rows": [[1.0, 1.0], [2.0, 2.0]]})
    assert told(spec, capsys)["made"]
    new = stored(tmp_path / "out.safetensors")["w"]
    assert new[0] == new[1]


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("goal", ["m.w[0] == 1/10", "f(s)[0] == 1/10 * m.rows[s[0], 1]"])
def test_an_equality_that_the_dtype_does_not_hold_is_no_conflict(
    goal: str, norm: Norm, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A tenth is no float32, though an edit to it exists: the patch is not made, and what to say instead is told."""
    text = EQUAL.format(goal=goal, norm=norm)
    spec = write_spec(tmp_path, text, {"w": [0.0, 0.0], "rows": [[1.0, 1.0], [2.0, 2.0]]})
    found = told(spec, capsys)
    assert "does not survive rounding to the file's dtype" in found["reason"]
    assert found["reason"].endswith("nothing shows that there is none")
    assert {each["requirement"] for each in found["instances"]} == {"mend.require[0]"}
    assert "`within 1e-6`" in found["help"]
    assert command("patch", spec) == 2
    said = capsys.readouterr().out
    assert "    mend.require[0] at s = [" in said
    assert "    try: an equality leaves no room: say `within 1e-6`, or more\n" in said
    spec.write_text(text.replace("\n  minimize", " within 1e-6\n  minimize"))
    assert command("patch", spec, "--out", tmp_path / "out.safetensors") == 0


def test_edits_without_room_are_not_tried_for_ever(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On a box each that is rounded fails at another input: it ends after some."""
    text = PAIR.replace(": f(x) >= {least}", ": f(x) == x[0] / 3 + x[1] / 7").format(norm="l2")
    found = told(write_spec(tmp_path, text, {"w": [0.0, 0.0]}), capsys)
    assert found["rounds"] <= TIGHT + 2
    assert "nothing shows that there is none" in found["reason"]


AGAINST = "f(s)[0] >= 1\n  preserve forall s in All: f(s)[0] <= -1"


def test_where_it_is_not_convex_nothing_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Products of two edited tensors, which no edit makes more than 1 and less than -1: the search finds none, and no more is said."""
    text = EQUAL.format(goal=AGAINST, norm="l2").replace("edit     m.w", "edit     m.w, m.rows")
    weights: Mapping[str, Rows] = {"w": [0.5, 0.5], "rows": [[1.0, 1.0], [2.0, 2.0]]}
    spec = write_spec(tmp_path, text, weights)
    found = told(spec, capsys)
    why = "the slack of mend.require[0] is not concave in what is edited"
    assert found["reason"].endswith(f"nothing shows that there is none: {why}")
    named = {each["requirement"] for each in found["instances"]}
    assert named == {"mend.require[0]", "mend.preserve[0]"}
    assert found["help"] == "edit more tensors, or ask for less"
    assert command("patch", spec) == 2


def test_where_there_is_none_there_is_none_of_a_rank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same of one tensor, whose change is to be of rank 1; and what only leaves no room is not shown to be impossible."""
    text = EQUAL.format(goal=AGAINST, norm="l2").replace("edit     m.w", "edit     m.w rank 1")
    text = text.replace("w: real[2]", "w: real[2, 2]").replace("* m.w", "* m.w[0]")
    weights: Mapping[str, Rows] = {"w": [[0.5, 0.5]] * 2, "rows": [[1.0, 1.0], [2.0, 2.0]]}
    spec = write_spec(tmp_path, text, weights)
    assert told(spec, capsys)["excluded"]["changes"] == "all"
    spec.write_text(text.replace(AGAINST, "m.w[0, 0] == 1/10"))
    found = told(spec, capsys)
    assert found["reason"].endswith("with room to spare, and nothing shows that there is none")


def test_an_edit_may_escape_what_is_asked_of_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A requirement on inputs that the edit itself chooses: that these conflict at inputs that count now shows nothing."""
    text = PAIR.format(norm="l2", least=1).replace(
        "Box: f(x) <= 1", "Box where f(x) >= -9: f(x) <= 0.5"
    )
    found = told(write_spec(tmp_path, text, {"w": [0.0, 0.0]}), capsys)
    why = "what mend.preserve[0] assumes rests on what is edited"
    assert found["reason"].endswith(f"nothing shows that there is none: {why}")


def test_an_input_that_does_not_count_is_in_no_conflict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One outside the domain is planted where no conflict is shown: the exact reference says so, and it is not named."""

    def planted(*_: object) -> tuple[tuple[str, Witness], ...]:
        return (("mend.require[0]", Witness((("s", (0,)),))),)

    monkeypatch.setattr(Blocked, "in_the_way", planted)
    text = SPEC.format(count=2).replace(">= m.least[s[0]]", "== 1/10")
    weights: dict[str, Rows] = {"w": [0.0], "rows": [[1.0], [1.0]]}
    found = told(write_spec(tmp_path, text, weights), capsys)
    assert found["reason"] == "an input of mend.require[0] was found that may not count"


# --- sums of parts ----------------------------------------------------------------------------


LARGEST = Fraction(2**24 - 1) * 2**104
"""Of float32."""

ONE = 2**BITS


def space(constant: Fraction | int, *sides: Fraction | int) -> HalfSpace:
    """`constant + g·change >= 0`, g of these sizes at the entries of `m/w`."""
    entries = {("m/w", k): int(side * ONE) for k, side in enumerate(sides) if side}
    return HalfSpace(int(constant * ONE), entries)


@pytest.mark.parametrize("norm", NORMS)
def test_a_sum_excludes_what_it_excludes(norm: Norm) -> None:
    """Nothing where 0 lies in it; all where nothing moves it; what the dtype holds; and what is far smaller, from FAR on."""
    weights = {"m/w": float32([3.0, -4.0])}

    def found(constant: Fraction | int, *sides: Fraction | int) -> Excluded | None:
        return by_sum(norm, space(constant, *sides), weights, FAR)

    assert found(0) is None
    assert found(1) is None
    assert found(1, Fraction(1, 2**200)) is None
    assert found(Fraction(-1, ONE)) == Excluded("all", norm)
    assert found(-(LARGEST + 4), 0, 1) != Excluded("held", norm)
    assert found(-(LARGEST + 5), 0, 1) == Excluded("held", norm)
    assert found(-(2 * LARGEST + 7), 1, 1) != Excluded("held", norm)
    assert found(-(2 * LARGEST + 8), 1, 1) == Excluded("held", norm)
    assert found(-(FAR - 1), 1) is None
    far = found(-(FAR + 1), 1)
    assert far is not None
    assert far.changes == "smaller"
    assert FAR < far.least <= FAR + 1


def test_a_sum_is_rounded_outwards() -> None:
    """What is enclosed counts as it is worst for a conflict: the largest constant, and the longest slope. An entry with a slope that may
    be 0 is not left out, one that may not change is."""
    weights = {"m/w": float32([2.0, 5.0, 1.0])}
    first = Affine((-7 * ONE, -5 * ONE), {"m/w": Row({0: -3, 1: 1}, {0: -1, 1: 1}, 1)})
    second = Affine((0, 0), {"m/w": Row({2: -1}, {2: 1}, ONE)})
    free = {"m/w": frozenset({0, 2})}
    found = together([(first, 2), (second, 1)], free, weights)
    assert found.constant == (-10 - 4 + 10) * ONE + 1
    assert found.sides == {("m/w", 0): 6 * ONE, ("m/w", 2): 1}
    with pytest.raises(Unfounded, match="negative"):
        together([(first, 2), (second, -1)], free, weights)


def float32(values: list[float]) -> Tensor:
    """A tensor of a checkpoint."""
    return Tensor((len(values),), "F32", array("d", values))


@given(
    st.lists(
        st.lists(st.integers(-(2**20), 2**20), min_size=3, max_size=3), min_size=3, max_size=3
    ),
    st.lists(st.integers(1, 2**12), min_size=4, max_size=4),
)
def test_ratios_of_whole_numbers_are_read_off(rows: list[list[int]], factors: list[int]) -> None:
    """Three random rows and one more that makes their sum vanish; floats beside the multipliers lead to these."""
    *first, last = factors
    summed = [-sum(f * row[k] for f, row in zip(first, rows, strict=True)) for k in range(3)]
    parts = [part([last * x for x in row]) for row in rows] + [part(summed)]
    if np.linalg.matrix_rank(np.array(rows, dtype=float)) < 3:
        return
    near = np.array(factors) * (1 + 1e-9 * np.array([1.0, -1.0, 1.0, -1.0]))
    found = list(candidates(parts, {"m/w": frozenset(range(3))}, near / near.max()))
    assert [Fraction(x, found[1][-1]) for x in found[1]] == [Fraction(x, last) for x in factors]


def part(slopes: list[int]) -> Affine:
    """A part with these slopes by the entries of `m/w`."""
    exact = dict(enumerate(slopes))
    return Affine((0, 0), {"m/w": Row(exact, exact, 3)})


def test_rows_of_a_contradiction_are_all_of_its_support() -> None:
    """Three half-planes around a point of which no two do, among others that do not matter."""
    rows = np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, -1.0], [1.0, 1.0], [-2.0, 1.0]])
    found = contradiction(rows, np.array([1.0, 1.0, 1.0, -9.0, -9.0]), 10.0)
    assert found is not None
    assert np.flatnonzero(found).tolist() == [0, 1, 2]
    assert np.allclose(found @ rows, 0)
    assert contradiction(rows, np.array([1.0, 1.0, -9.0, -9.0, -9.0]), 10.0) is None


TIED = """
checkpoint m from "model.safetensors" {{ W: real[3, 2] }}
circuit f(s: fin[2, 1]) -> real[3] = m.W @ m.rows[s[0]]
domain All = {{ s: fin[2, 1] }}
domain First = {{ s in All | s[0] == 0 }}
patch mend of f {{
  edit     m.W
  require  forall s in First: {first}
  preserve forall s in All: {second}
}}
"""


@pytest.mark.parametrize(
    ("first", "second", "conflict"),
    [
        ("argmax(f(s)) == 0", "argmax(f(s)) == 1", True),
        ("argmax(f(s)) == 0", "argmax(f(s)) == argmax(old f(s))", True),
        ("f(s)[0] < 0", "f(s)[0] > 0", True),
        ("f(s)[0] < 0", "f(s)[0] >= 0", True),
        ("f(s)[0] > f(s)[1] and f(s)[1] > f(s)[2]", "f(s)[2] >= f(s)[0]", True),
        ("f(s)[0] <= 0", "f(s)[0] >= 0", False),
        ("f(s)[0] >= f(s)[1]", "f(s)[1] >= f(s)[0]", False),
        ("f(s)[0] == 0.5", "f(s)[0] <= 0.5", False),
    ],
)
def test_what_holds_only_beyond_a_tie_conflicts(
    first: str, second: str, conflict: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two scores that are both to be the largest, or a number above 0 and below it: where all that is left is a tie, no
    edit does that. Where a tie is enough, there are edits, and no conflict is said.
    """
    weights: dict[str, Rows] = {
        "W": [[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]],
        "rows": [[1.0, 0.25], [0.5, 2.0]],
    }
    spec = write_spec(tmp_path, TIED.format(first=first, second=second), weights)
    found = told(spec, capsys)
    if conflict:
        assert found["excluded"]["changes"] == "all"
        said = {each["requirement"] for each in found["conflict"]}
        assert said == {"mend.require[0]", "mend.preserve[0]"}
    else:
        assert "excluded" not in found


@pytest.mark.parametrize(("x", "counts"), [(1, True), (0, False), (-1, False)])
def test_an_input_counts_where_what_is_assumed_is_known_to_hold_there(x: int, counts: bool) -> None:
    """Here that a root is at least a half: not where it is less, nor where there is none."""

    def rooted(b: Builder, w: dict[str, Wire]) -> Wire:
        root = b.add(Smooth("sqrt", pick(b, w["x"], 0)))
        return b.add(Compare("<=", number(b, Fraction(1, 2)), root))

    asked = obligation([box("x", (-1, 1))], always, rooted)
    assert admitted(asked, Witness((("x", (Fraction(x),)),)), [], {}) == counts

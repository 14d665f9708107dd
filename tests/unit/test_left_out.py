"""What the `where` of a requirement leaves out of its domain: counted, bounded, or estimated and called so."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.runtime.patches.edited import Edited
from circ.runtime.patches.left_out import left_out
from circ.runtime.patches.left_out_shares import LeftOut, NotKnown, Share, together
from circ.runtime.patches.left_out_text import left_out_lines, told
from tests.unit.lowered import lowered
from tests.unit.specs import Rows, command, write_spec

SPEC = """
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real = dot(m.w, x)
domain Square = {{ x: real[2] | 0 <= x <= 1 }}
domain Triangle = {{ x in Square | x[0] + x[1] <= 1 }}
domain Line = {{ x in Square | x[0] == x[1] }}
domain Cube = {{ x: real[9] | 0 <= x <= 1 }}
domain Words = {{ s: fin[3, 4] }}
enum Letter = {{ a, b, c }}
domain Pairs = {{ p: fin[5], q: fin[7] }}
patch mend of f {{
  edit     m.w
  require  forall x in Square: f(x) <= 1
  preserve forall {asked}: {goal}
}}
"""

WEIGHTS: dict[str, Rows] = {"w": [0.5, 0.25]}


def shares(
    asked: str, folder: Path, goal: str = "f(x) <= 2", seconds: float = 60
) -> tuple[Share, ...]:
    """What is said of the one `preserve`; nothing where it assumes nothing."""
    program = lowered(SPEC.format(asked=asked, goal=goal), folder, WEIGHTS)
    plan = program.patch("mend")
    return left_out(plan.preserve, Edited(program.weights, {}), monotonic() + seconds)


def found(asked: str, folder: Path, goal: str = "f(x) <= 2") -> LeftOut:
    """What the one `preserve` leaves out, where that is known."""
    (share,) = shares(asked, folder, goal)
    assert isinstance(share, LeftOut)
    return share


def unknown(asked: str, folder: Path, goal: str = "f(x) <= 2", seconds: float = 60) -> NotKnown:
    """Why it is not known."""
    (share,) = shares(asked, folder, goal, seconds)
    assert isinstance(share, NotKnown)
    return share


WORDS = {
    "s in Words where s[0] == 0": (54, 81),
    "s in Words where s[0] != s[1] and s[2] != s[3]": (45, 81),
    "s in { s in Words | s[0] == 1 } where s[1] == 0": (18, 27),
    "(p, q) in Pairs where not (p == 2 and q == 3)": (1, 35),
    "(p, q) in { (p, q) in Pairs | p == 0 } where q == 3": (6, 7),
}


@pytest.mark.parametrize("asked", WORDS)
def test_words_are_counted(asked: str, tmp_path: Path) -> None:
    """By hand: 3 letters in 4 places, 5 times 7 pairs."""
    share = found(asked, tmp_path, "f([0, 0]) <= 2")
    out, size = WORDS[asked]
    assert share.how == "counted"
    assert share.inputs == (out, out, size)
    assert share.low <= Fraction(out, size) <= share.high
    assert told(share) == f"leaves out {out} of the {size} inputs of its domain"


LENGTHS = {
    "s in { s: Letter[1..4] } where s[0] == a": (80, 120),
    "s in { s: Letter[1..4] | s[0] == b } where s[0] == a": (40, 40),
    "s in { s: Letter[2..3] } where s[0] == s[1]": (24, 36),
}


@pytest.mark.parametrize("asked", LENGTHS)
def test_words_of_several_lengths_are_counted_together(asked: str, tmp_path: Path) -> None:
    """By hand: of n letters there are 3^n words. What each length leaves out is in the data."""
    share, (out, size) = found(asked, tmp_path, "f([0, 0]) <= 2"), LENGTHS[asked]
    parts = [each for each in share.lengths if isinstance(each, LeftOut)]
    assert share.how == "counted"
    assert share.inputs == (out, out, size)
    assert share.low <= Fraction(out, size) <= share.high
    assert [each.inputs[2] for each in parts] == sorted(each.inputs[2] for each in parts)
    assert sum(each.inputs[0] for each in parts) == out
    first, last = share.lengths[0].length, share.lengths[-1].length
    wanted = (
        f"leaves out {out} of the {size} inputs of its domain, lengths {first} to {last} together"
    )
    assert told(share) == wanted


def test_shares_of_lengths_that_are_estimates_hold_those_of_all_between_them() -> None:
    """However many words each length has; and a length of which nothing is known leaves the whole unknown."""
    one = LeftOut("mend.preserve[0]", 0.2, 0.3, "drawn", draws=100, length=1)
    two = LeftOut("mend.preserve[0]", 0.5, 0.5, "counted", (1, 1, 2), length=2)
    none = LeftOut("mend.preserve[0]", 0.0, 0.0, "empty", length=3)
    mean = together([one, two, none])
    assert isinstance(mean, LeftOut)
    assert (mean.low, mean.high, mean.how, mean.draws) == (0.2, 0.5, "drawn", 100)
    open_ = NotKnown("mend.preserve[0]", "the time for it was up", length=4)
    whole = together([one, two, open_])
    assert told(whole).endswith("not known, because at length 4 the time for it was up")
    assert whole.lengths == (one, two, open_)


EMPTY = {
    "(p, q) in { (p, q) in Pairs | p < 0 } where q == 3",
    "s in { s in Words | s[0] != s[0] } where s[1] == 0",
    "s in { s: Letter[1..4] | s[0] != s[0] } where s[0] == a",
    "x in { x in Square | x[0] >= 2 } where x[0] <= 0.5",
    "s in Words, x in { x in Square | x[0] >= 2 } where s[0] == 0",
    "x in { x in Square | x[0] + x[1] >= 3 } where x[0] <= 0.5",
}


@pytest.mark.parametrize("asked", sorted(EMPTY))
def test_a_domain_without_inputs_is_said_to_have_none(asked: str, tmp_path: Path) -> None:
    """It is no share of nothing."""
    share = found(asked, tmp_path, "f([0, 0]) <= 2")
    assert share.how == "empty"
    assert told(share) == "leaves out nothing: no input is in its domain"


BOXES = {
    "x in Square where x[0] <= 0.4 or x[0] >= 0.6": Fraction(1, 5),
    "x in Square where x[0] + x[1] <= 1": Fraction(1, 2),
    "x in Triangle where x[0] <= 0.5": Fraction(1, 4),
    "x in Triangle where f(x) >= 0.125": Fraction(1, 8),
    "x in Square where x[0] <= 2": Fraction(0),
    "x in Square where x[0] >= 2": Fraction(1),
}


@pytest.mark.parametrize("asked", BOXES)
def test_shares_of_a_box_are_bounded_from_both_sides(asked: str, tmp_path: Path) -> None:
    """Areas by hand; the bounds are near each other."""
    share = found(asked, tmp_path)
    assert share.how == "bounded"
    assert share.low <= BOXES[asked] <= share.high
    assert share.high - share.low <= 0.02


@given(a=st.integers(1, 7), b=st.integers(1, 7), c=st.integers(0, 16))
@settings(max_examples=8, deadline=None)
def test_the_bounds_hold_the_area(
    a: int, b: int, c: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """What a line cuts off a square, worked out exactly."""
    folder = tmp_path_factory.mktemp("square")
    share = found(f"x in Square where {a} * x[0] + {b} * x[1] >= {c}", folder)
    area = below_line(a, b, c)
    assert share.low <= area <= share.high


def below_line(a: int, b: int, c: int) -> Fraction:
    """The area of the unit square where a x + b y < c, for positive a and b: that of a triangle, less its corners outside."""

    def corner(side: int) -> Fraction:
        return Fraction(max(side, 0) ** 2, 2 * a * b)

    return corner(c) - corner(c - a) - corner(c - b) + corner(c - a - b)


def test_an_estimate_is_called_one(tmp_path: Path) -> None:
    """In nine dimensions the bounds are far apart: inputs are drawn, and the share of a half lies where they say."""
    share = found("x in Cube where x[0] + x[1] + x[2] + x[3] <= 2", tmp_path, "f([x[0], 0]) <= 2")
    assert share.how == "drawn"
    assert share.low < 0.5 < share.high < share.low + 0.05
    assert "draws say with 99.9 % confidence" in told(share)


def test_words_beside_a_box_are_drawn(tmp_path: Path) -> None:
    """Two thirds of the words, at every point of the square."""
    share = found("s in Words, x in Square where s[0] == 0", tmp_path)
    assert share.how == "drawn"
    assert share.low < 2 / 3 < share.high


def test_a_domain_without_volume_has_no_share(tmp_path: Path) -> None:
    """No part of the box is in the domain, and no draw hits it: that is what is said."""
    share = unknown("x in Line where x[0] <= 0.5", tmp_path)
    assert share.reason == "none of 32,768 inputs drawn by chance is in its domain"
    (line,) = left_out_lines([share])
    assert line.text == (
        "    mend.preserve[0] leaves out a share of its domain that is not known, "
        "because none of 32,768 inputs drawn by chance is in its domain"
    )


@pytest.mark.parametrize(
    "asked",
    [
        "s in Words, x in Square where s[0] == 0",
        "x in Cube where x[0] <= 0.5",
        "(p, q) in Pairs where p == 3",
    ],
)
def test_where_the_time_is_up_that_is_said(asked: str, tmp_path: Path) -> None:
    """A moment in the past leaves nothing known, of whatever domain."""
    share = unknown(asked, tmp_path, "f([0, 0]) <= 2", seconds=-1)
    assert share.reason.endswith("the time for it was up")


def test_without_an_assumption_nothing_is_left_out(tmp_path: Path) -> None:
    """And nothing is said of it."""
    assert shares("x in Square", tmp_path) == ()
    assert shares("x in Triangle", tmp_path) == ()


def test_the_report_says_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Beside the other lines and in JSON."""
    spec = write_spec(
        tmp_path,
        SPEC.format(asked="(p, q) in Pairs where p == 2", goal="f([0, 0]) <= 2").replace(
            "f(x) <= 1", "f(x) <= 0.5"
        ),
        WEIGHTS,
    )
    out = tmp_path / "out.safetensors"
    assert command("patch", spec, "--out", out) == 0
    said = capsys.readouterr().out
    assert "mend.preserve[0] leaves out 28 of the 35 inputs of its domain" in said
    assert command("patch", spec, "--out", out, "--force", "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["patches"][0]["left_out"]
    assert told["inputs"] == [28, 28, 35]

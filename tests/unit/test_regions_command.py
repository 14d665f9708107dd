"""Regions and margins as their users ask for them: on the command line and in a session."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.unit import specs

SPEC = """
enum Sign = { minus, plus }
circuit f(x: real[2]) -> real[Sign] = [relu(x[0] - x[1]), x[0]]
circuit steep(x: real[2]) -> real = cases { x[0] >= 0 => 1, else => x[1] }
domain Box = { x: real[2] | -1 <= x <= 1 }
"""


def session(folder: Path) -> Session:
    """A session about the spec."""
    path = specs.write_spec(folder, SPEC)
    return Session(path, Request(), checked(path, Request()))


def test_regions_are_told_with_what_bounds_them(tmp_path: Path) -> None:
    """Each with its middle, its affine map, its cuts, and how far the middle is from these."""
    told = session(tmp_path).run("regions f on Box").split("\n")

    assert told[0] == "2 linear regions of f(x) over x in Box"
    assert "1  around x = [0.5, -0.5], by 0.5 in every entry" in told
    assert "   f(x)[0] = x[0] - x[1]" in told
    assert "   relu    x[0] - x[1] >= 0   (1 there)" in told
    assert "   relu    -x[0] + x[1] > 0   (1 there)" in told


def test_regions_as_data_are_exact(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Rationals as text, and strictness as it is: a guard's boundary belongs to where it holds."""
    spec = specs.write_spec(tmp_path, SPEC)

    assert specs.command("regions", spec, "steep(x) / 3 over x in Box", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    met, missed = data["regions"]
    assert met["cuts"] == [
        {"kind": "guard", "sign": ">=", "coefficients": ["1", "0"], "constant": "0"}
    ]
    assert missed["cuts"][0]["sign"] == ">"
    assert met["map"] == [{"coefficients": ["0", "0"], "constant": "1/3"}]
    assert missed["map"] == [{"coefficients": ["0", "1/3"], "constant": "0"}]
    assert (met["radius"], met["middle"]) == ("1/2", ["1/2", met["middle"][1]])


@pytest.mark.parametrize(
    ("question", "code", "says"),
    [
        ("exp(x[0]) over x in Box", 4, "E0330"),
        ("x[0] * x[1] over x in Box", 4, "a product of two values"),
        ("topk(1, f(x)) over x in Box", 4, "`argmax`"),
        ("f on Nowhere", 4, "E0101"),
        ("x[0] > 0 over x in Box", 4, "E0201"),
        ("f on Box --most 1", 4, "there are more than 1"),
        ("f on Box --timeout 0", 4, "the time ran out"),
        ("x over x in Box where x[0] > 2", 3, "no input is in the domain"),
    ],
)
def test_what_has_no_regions_is_refused_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], question: str, code: int, says: str
) -> None:
    """With what stands in the way, and nothing is written."""
    spec = specs.write_spec(tmp_path, SPEC)
    asked, *options = question.split(" --")
    words = [word for option in options for word in f"--{option}".split()]
    out = tmp_path / "pieces.circ"

    assert specs.command("regions", spec, asked, *words, "-o", out) == code
    told = capsys.readouterr()
    assert says in told.out + told.err
    assert not out.exists()


@pytest.mark.parametrize(
    ("truth", "least", "greatest"),
    [
        ("x[0] > 0.5", "-1.5", "0.5"),
        ("x[0] > 0 and x[1] <= 0.5", "-1", "1"),
        ("not x[0] > 0.5 or x[1] < 0", "-0.5", "1.5"),
        ("x[0] == x[1] within 0.25", "-1.75", "0.25"),
        ("argmax(f(x)) == plus", "-1", "1"),
        ("argmax(f(x)) == minus", "-1", "1"),
    ],
)
def test_a_margin_is_a_number_with_a_range(
    tmp_path: Path, truth: str, least: str, greatest: str
) -> None:
    """The slack of comparisons as they are written; of an argmax the lead of its score."""
    told = session(tmp_path).run(f"range margin({truth}) over x in Box").split("\n")

    assert f"least     {least}" in told
    assert f"greatest  {greatest}" in told


def test_a_margin_of_members_is_refused(tmp_path: Path) -> None:
    """They are the same or not, and never nearly so."""
    asked = session(tmp_path)

    assert "E0228" in asked.run("range margin(s == plus) over s in { s: Sign }")
    assert "E0201" in asked.run("range margin(x[0]) over x in Box")


def test_a_tolerance_is_a_number_above_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Written as a decimal or a fraction; anything else is a wrong command line."""
    spec = specs.write_spec(tmp_path, SPEC)

    for share, code in (("1/100", 0), ("0.5", 0), ("0", 4), ("much", 4)):
        assert specs.command("range", spec, "f(x)[0] over x in Box", "--within", share) == code
    assert "greatest  2" in capsys.readouterr().out

"""One value of a quantifier before a claim's own may be named, `c[3]`, wherever a claim may."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.specs import command, write_spec

SPEC = """enum Letter = { a, b }
circuit marks(s: Letter[4]) -> real[4] = [ cases { c == a => 1, else => 0 } for c in s ]
claim reached: forall i in fin[4] where i > 0: exists s in Letter[4]: marks(s)[i] == 1
claim wrong: forall i in fin[4]: forall s in Letter[4] where s[0] == b: marks(s)[i] == 0
claim plain: forall s in Letter[4]: marks(s)[0] <= 1
"""


def test_a_value_is_decided_by_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict is that of the value, which is told; where another is refuted this one may be proved."""
    spec = write_spec(tmp_path, SPEC)
    assert command("prove", spec, "wrong") == 1
    capsys.readouterr()
    assert command("prove", spec, "wrong[0]", "reached[2]") == 0
    shown = capsys.readouterr().out
    assert "✓ wrong[0]: proved" in shown
    assert "at i = 0\n" in shown
    assert "✓ reached[2]: proved" in shown
    assert "at i = 2\n" in shown
    assert command("prove", spec, "wrong[0]", "--json") == 0
    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    assert (claim["claim"], len(claim["values"])) == ("wrong[0]", 1)


def test_its_files_are_those_of_the_value(tmp_path: Path) -> None:
    """A certificate that is audited by the same name, and a script that says the value."""
    spec, certs, scripts = write_spec(tmp_path, SPEC), tmp_path / "certs", tmp_path / "scripts"
    given = "--certificate", certs, "--repro", scripts
    assert command("prove", spec, "reached[2]", *given) == 0
    assert [path.name for path in certs.iterdir()] == ["reached[2].cert"]
    assert command("audit", spec, certs, "reached[2]") == 0
    assert command("audit", spec, certs, "reached") == 1
    script = scripts / "reached[2].py"
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert run.stdout.startswith("at i = 2\n")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("reached[0]", "it has `reached[1]` to `reached[3]`"),
        ("reached[4]", "it has `reached[1]` to `reached[3]`"),
        ("plain[0]", "the spec has no claim `plain[0]`"),
        ("lost[0]", "the spec has no claim `lost[0]`"),
    ],
)
def test_a_value_that_is_not_gone_through_is_refused(
    name: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither one that the conditions leave out, nor one of a claim without values."""
    assert command("prove", write_spec(tmp_path, SPEC), name) == 4
    shown = capsys.readouterr().err
    assert "E0704" in shown
    assert said in shown

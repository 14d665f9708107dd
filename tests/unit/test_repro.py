"""`circ prove --repro DIR`: scripts that replay a witness with PyTorch alone, in a Python without Circ."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from tests.agreement.fresh_python import run_without_circ
from tests.unit.onnx_models import saved
from tests.unit.specs import Rows, command, save, write_spec
from tests.unit.test_networks import layered
from tests.unit.test_torch_text_hostile import run_script, run_scripts

ROOT = Path(__file__).resolve().parents[2]

SPEC = """
enum Bit = { zero, one }
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[2] = m.W @ relu(x) + m.b
domain Box = { x: real[2] | -1 <= x <= 1 }
domain Words = { s: Bit[3] }
domain Some = { s: Bit[1..5] }
claim small: forall x in Box where x[0] >= 0.25: f(x)[0] <= 2
claim found: exists x in Box: f(x)[0] > 2.5
claim proved: forall x in Box: f(x)[0] <= 3
claim nothing: exists x in Box: f(x)[0] > 3.5
claim words: forall s in Words: count { c in s | c == one } <= 2
claim lengths: forall s in Some: count { c in s | c == one } <= 3
claim third: forall x in Box where x[0] == 1/3: x[0] > 1/3
"""

WEIGHTS: dict[str, Rows] = {"W": [[1.0, 2.0], [-1.0, 0.5]], "b": [0.0, 0.0]}

EXAMPLES = {
    "quote_closing/quote.circ": ("wider", "needs_mlp"),
    "guard_bypass/guard.circ": ("behaviour_without_mechanism",),
    "max_of_k/max_4.circ": (),
    "braking/braking.circ": ("keeps",),
}
"""Specs of the repository, and claims of theirs; those of none are all that it has."""

QUICK = "braking/braking.circ"


def test_each_input_that_is_shown_has_a_script(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a refutation and of an `exists` that is proved, not of other verdicts; it prints both sides,
    the comparison, the signed violation, and ends with 0."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    folder = tmp_path / "found" / "here"
    claims = ("small", "found", "proved", "nothing", "words", "lengths")
    assert command("prove", spec, *claims, "--repro", folder) == 1
    said = capsys.readouterr().out
    written = {path.stem for path in folder.iterdir()}
    assert written == {"small", "found", "words", "lengths"}
    assert said.count("replayed with PyTorch alone by") == 4
    told = run_scripts([folder / f"{name}.py" for name in sorted(written)])
    shown = dict(zip(sorted(written), told, strict=True))
    assert all(text.endswith("\nas Circ found\n") for text in shown.values())
    lines = shown["small"].splitlines()
    assert "f(x)[0]: 3.0   (exactly: 3)" in lines
    assert "where x[0] >= 0.25: True" in lines
    assert "the goal, f(x)[0] <= 2: False" in lines
    assert "signed violation, negative where the goal fails: -1.0   (exactly: -1)" in lines
    assert "the goal, f(x)[0] > 2.5: True" in shown["found"].splitlines()


@pytest.mark.parametrize(
    "spec",
    [QUICK, *(pytest.param(other, marks=pytest.mark.slow) for other in EXAMPLES if other != QUICK)],
)
def test_witnesses_of_the_examples_are_replayed(spec: str, tmp_path: Path) -> None:
    """Words and boxes: what is refuted with an input fails in PyTorch alone too."""
    path = ROOT / "examples" / spec
    command("prove", path, *EXAMPLES[spec], "--repro", tmp_path)
    scripts = sorted(tmp_path.glob("*.py"))
    for script in scripts:
        assert run_script(script).endswith("\nas Circ found\n")
    assert {*EXAMPLES[spec]} <= {script.stem for script in scripts}


def test_a_script_ends_with_1_where_the_witness_does_not_fail(tmp_path: Path) -> None:
    """As with another checkpoint, which is named on its command line."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    assert command("prove", spec, "small", "--repro", tmp_path) == 1
    save(
        {"W": [[0.0, 0.0], [0.0, 0.0]], "b": [0.0, 0.0]}, tmp_path / "zero.safetensors", np.float32
    )
    script = (
        "import runpy, sys; sys.modules['circ'] = None\n"
        "for words in [sys.argv[1:], sys.argv[1:2]]:\n"
        "  sys.argv = words\n"
        "  try: runpy.run_path(words[0], run_name='__main__')\n"
        "  except SystemExit as end: print('ends with', end.code)"
    )
    told = run_without_circ(script, tmp_path / "small.py", tmp_path / "zero.safetensors")
    other, own = told.split("ends with 1\n")
    assert other.endswith("NOT as Circ found\n")
    assert own.endswith("as Circ found\nends with 0\n") and "NOT" not in own


def test_where_pytorch_finds_otherwise_it_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A third is no float: its nearest meets neither the condition nor misses the goal as written."""
    spec = write_spec(tmp_path, SPEC.replace("x[0] > 1/3", "3 * x[0] > 1.00000001"), WEIGHTS)
    assert command("prove", spec, "third", "--repro", tmp_path, "--json") == 1
    (claim,) = json.loads(capsys.readouterr().out)["claims"]
    assert claim["repro"] == str(tmp_path / "third.py")
    text = (tmp_path / "third.py").read_text()
    assert "each number rounded to DTYPE" in text
    script = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='x')['main']() and print('otherwise')"
    assert (
        run_without_circ(script, tmp_path / "third.py").endswith("otherwise\n")
        != claim["reproduced"]
    )


def test_scripts_replace_nothing_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is decided; with `--force` they do, but not what was read."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    (tmp_path / "small.py").write_text("mine")
    assert command("prove", spec, "small", "--repro", tmp_path) == 4
    assert "E0650" in capsys.readouterr().err
    assert (tmp_path / "small.py").read_text() == "mine"
    assert command("prove", spec, "small", "--repro", tmp_path, "--force") == 1
    assert run_script(tmp_path / "small.py").endswith("as Circ found\n")
    spec.rename(tmp_path / "found.py")
    assert command("prove", tmp_path / "found.py", "--repro", tmp_path, "--force") == 4
    assert "E0651" in capsys.readouterr().err
    assert (tmp_path / "found.py").read_text() == SPEC


def test_no_folder_is_an_error_before_anything_is_decided(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file stands where it should be."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    assert command("prove", spec, "small", "--repro", spec) == 4
    shown = capsys.readouterr()
    assert "E0653" in shown.err
    assert "refuted" not in shown.out


def test_a_claim_about_a_network_is_replayed_with_its_tensors_beside(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """PyTorch alone reads no ONNX file: what the script reads of it lies in a file of its own."""
    saved(tmp_path, layered())
    spec = tmp_path / "spec.circ"
    spec.write_text(
        'network f(x: real[3]) -> real[2] from "net.onnx"\n'
        "domain D = { x: real[3] | -2 <= x <= 2 }\n"
        "claim it: forall x in D: f(x)[0] <= 0\n"
    )
    folder = tmp_path / "found"
    assert command("prove", spec, "--repro", folder) == 1
    assert {path.name for path in folder.iterdir()} == {"it.py", "it.f.safetensors"}
    (tmp_path / "net.onnx").unlink()
    assert run_script(folder / "it.py").endswith("\nas Circ found\n")


def test_tensors_beside_replace_nothing_unasked(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything is decided, as with scripts; a module on the screen has nothing beside it."""
    saved(tmp_path, layered())
    spec = tmp_path / "spec.circ"
    spec.write_text(
        'network f(x: real[3]) -> real[2] from "net.onnx"\n'
        "circuit g(x: real[3]) -> real[2] = f(x)\n"
        "domain D = { x: real[3] | -2 <= x <= 2 }\n"
        "claim it: forall x in D: f(x)[0] <= 0\n"
    )
    (tmp_path / "it.f.safetensors").write_text("mine")
    assert command("prove", spec, "--repro", tmp_path) == 4
    shown = capsys.readouterr()
    assert "E0650" in shown.err
    assert "refuted" not in shown.out
    assert command("compile", spec, "g", "--to", "torch") == 4
    assert "beside it; name a file (`--out`)" in capsys.readouterr().err
    assert (tmp_path / "it.f.safetensors").read_text() == "mine"

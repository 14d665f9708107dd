"""A patch that computes tensors: written, shown, taken back, and computed again by an audit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circ.runtime.patches.receipt import receipt_path
from tests.unit.forged import forged
from tests.unit.specs import Rows, command, save, stored, write_spec

SPEC = """
space In = real[3]
space Out = real[4]
checkpoint m from "{file}" {{
  W:  In -> Out
  b:  Out
  up: Out
  to: Out
}}
subspace Plane of Out = span [m.up, m.to]
circuit f(x: In) -> Out = m.W @ x + m.b
domain Box = {{ x: In | -1 <= x <= 1 }}
patch quiet of f {{
  project  m.W, m.b off Plane
  require  forall x in Box: norm_inf(f(x) on Plane) <= 0.01
  preserve forall x in Box: f(x) == (old f(x)) off Plane within 0.01
}}
patch small of f {{
  clamp    m.W[:, 1:], m.b along m.up to [-0.25, 0.25]
  require  forall x in Box: norm_inf(f(x)) <= 99
}}
patch both of f {{
  project  m.W off Plane
  edit     m.b
  require  forall x in Box: f(x) <= 1
}}
patch wrong of f {{
  project  m.W off Plane
  require  forall x in Box: f(x) <= -1
}}
"""

RNG = np.random.default_rng(7)
WEIGHTS: dict[str, Rows] = {
    "W": RNG.normal(size=(4, 3)).tolist(),
    "b": RNG.normal(size=4).tolist(),
    "up": RNG.normal(size=4).tolist(),
    "to": RNG.normal(size=4).tolist(),
    "other": [1.5, -0.0],
}


def written(folder: Path, dtype: type[np.floating[Any]] = np.float32) -> Path:
    """The spec beside its checkpoint."""
    save(WEIGHTS, folder / "model.safetensors", dtype)
    spec = folder / "spec.circ"
    spec.write_text(SPEC.format(file="model.safetensors"))
    return spec


def in_shards(folder: Path) -> Path:
    """The same with its checkpoint in two files."""
    parts = {"x-1.safetensors": ("W", "up", "other"), "x-2.safetensors": ("b", "to")}
    for file, names in parts.items():
        save({name: WEIGHTS[name] for name in names}, folder / file, np.float32)
    where = {name: file for file, names in parts.items() for name in names}
    index = folder / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": where}))
    spec = folder / "spec.circ"
    spec.write_text(SPEC.format(file=index.name))
    return spec


def contents(checkpoint: Path) -> dict[str, bytes]:
    """The bytes of each tensor of a checkpoint, of one file or several."""
    if checkpoint.suffix != ".json":
        return {name: values.tobytes() for name, values in stored(checkpoint).items()}
    where: dict[str, str] = json.loads(checkpoint.read_text())["weight_map"]
    return {name: stored(checkpoint.parent / file)[name].tobytes() for name, file in where.items()}


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_what_is_written_is_the_nearest_that_the_file_holds(
    dtype: type[np.floating[Any]], tmp_path: Path
) -> None:
    """Away from the plane, to the precision of the file; no other byte of the data has changed."""
    spec, out = written(tmp_path, dtype), tmp_path / "out.safetensors"
    assert command("patch", spec, "quiet", "--out", out) == 0
    before, after = stored(tmp_path / "model.safetensors"), stored(out)
    basis = np.stack([before["up"], before["to"]]).astype(np.float64)
    off = np.eye(4) - basis.T @ np.linalg.inv(basis @ basis.T) @ basis
    for name in ("W", "b"):
        exact = off @ before[name].astype(np.float64)
        assert after[name].dtype == dtype
        assert np.abs(after[name] - exact).max() <= np.finfo(dtype).eps * 4
    for name in ("up", "to", "other"):
        assert after[name].tobytes() == before[name].tobytes()


def test_only_the_vectors_that_are_named_are_clamped(tmp_path: Path) -> None:
    """The first column is as it was; the coefficients of the others and of the bias lie between the bounds, to rounding."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "small", "--out", out) == 0
    before, after = stored(tmp_path / "model.safetensors"), stored(out)
    assert after["W"][:, 0].tobytes() == before["W"][:, 0].tobytes()
    up = before["up"].astype(np.float64)
    moved = np.concatenate([after["W"][:, 1:].T, after["b"][None]])
    assert np.abs(moved @ up / (up @ up)).max() <= 0.25 + 1e-6
    assert np.abs(before["W"][:, 1:].T @ up / (up @ up)).max() > 0.26


@pytest.mark.parametrize("patch", ["quiet", "small", "both"])
@pytest.mark.parametrize("kind", ["one file", "shards"])
def test_it_is_left_applied_taken_back_and_audited(kind: str, patch: str, tmp_path: Path) -> None:
    """As a patch that is searched for is."""
    spec = in_shards(tmp_path) if kind == "shards" else written(tmp_path)
    model = next(tmp_path.glob("model.*"))
    before, delta = model.read_bytes(), tmp_path / "delta"
    assert command("patch", spec, patch, "--delta", delta) == 0
    assert command("patch", "show", delta) == 0
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    out, back = folder / f"out{''.join(model.suffixes)}", folder / f"back{''.join(model.suffixes)}"
    assert command("patch", "apply", delta, model, "--out", out) == 0
    assert command("audit", receipt_path(out)) == 0
    assert command("patch", "revert", delta, out, "--out", back) == 0
    assert kind == "shards" or back.read_bytes() == before
    assert contents(back) == contents(model) != contents(out)


def test_the_receipt_says_what_was_computed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each form as the patch has it, its tensors and the residue; so do `--json` and `circ patch show`."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "quiet", "--out", out, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["patches"]
    (form,) = json.loads(receipt_path(out).read_text())["computed"]
    assert told["computed"] == told["receipt"]["computed"] == [form]
    assert (form["form"], form["tensors"]) == ("project m.W, m.b off Plane", ["W", "b"])
    assert 0 < form["residue"] < 1e-6
    assert command("patch", "show", out) == 0
    shown = capsys.readouterr().out
    assert f"project m.W, m.b off Plane: residue {form['residue']:.3g} after rounding" in shown


def test_an_edit_starts_from_what_is_computed(tmp_path: Path) -> None:
    """The matrix is that of the form alone, and the bias is found for it."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "both", "--out", out) == 0
    before, after = stored(tmp_path / "model.safetensors"), stored(out)
    plane = np.stack([before["up"], before["to"]]).astype(np.float64)
    assert np.abs(plane @ after["W"]).max() <= 1e-6
    assert (np.abs(after["W"]).sum(axis=1) + after["b"]).max() <= 1


def test_a_patch_whose_requirement_fails_is_not_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The input is shown, as of a claim; nothing is written."""
    spec, out = written(tmp_path), tmp_path / "out.safetensors"
    assert command("patch", spec, "wrong", "--out", out) == 1
    said = capsys.readouterr().out
    assert "✗ wrong.require[0]: refuted" in said
    assert "x = [" in said
    assert not out.exists()
    assert command("patch", spec, "wrong", "--json") == 1
    (told,) = json.loads(capsys.readouterr().out)["patches"]
    assert (told["made"], told["requirements"][0]["verdict"]) == (False, "refuted")


def test_a_result_that_the_file_cannot_hold_is_not_stored(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Half precision ends at 65504; that a form goes beyond it is said, and the exit code is that of what is not made."""
    save({"b": [60000, 0], "v": [1, 1]}, tmp_path / "model.safetensors", np.float16)
    spec = tmp_path / "spec.circ"
    spec.write_text(
        'checkpoint m from "model.safetensors"\n'
        "circuit f(x: real[2]) -> real[2] = x + m.b\n"
        "domain D = { x: real[2] | 0 <= x <= 1 }\n"
        "patch p of f {\n  clamp m.b along m.v to [1e5, 1e5]\n  preserve forall x in D: f(x) >= 0\n}\n"
    )
    assert command("patch", spec, "p") == 2
    assert "what is computed cannot be stored: " in capsys.readouterr().out


class TestAnAudit:
    """Nothing that is computed is believed: it is worked out again from the source."""

    @pytest.mark.parametrize("patch", ["quiet", "small", "both"])
    def test_another_tensor_than_the_form_gives_is_refused(
        self, patch: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Every hash fits and every requirement holds, but one entry is a float beside what it should be."""
        spec, out = written(tmp_path), tmp_path / "out.safetensors"
        assert command("patch", spec, patch, "--out", out) == 0
        right = stored(out)["W"]
        forged(out, "W", right)
        assert command("audit", receipt_path(out)) == 0
        wrong = right.copy()
        wrong[1][2] = np.nextafter(wrong[1][2], np.float32(9))
        forged(out, "W", wrong)
        capsys.readouterr()
        assert command("audit", receipt_path(out)) == 1
        assert "`W` is not what the patch computes" in capsys.readouterr().out

    def test_a_residue_that_is_made_up_is_refused(self, tmp_path: Path) -> None:
        """Also where the file carries it."""
        spec, out = written(tmp_path), tmp_path / "out.safetensors"
        assert command("patch", spec, "quiet", "--out", out) == 0
        told: dict[str, Any] = json.loads(receipt_path(out).read_text())
        told["computed"][0]["residue"] = 0.0
        receipt_path(out).write_text(json.dumps(told))
        forged(out, "W", stored(out)["W"])
        assert command("audit", receipt_path(out)) == 1


def test_two_checkpoints_are_not_patched_at_once(tmp_path: Path) -> None:
    """Their tensors may have the same name, and one file is written."""
    for name in ("a", "b"):
        save({"W": [[2, 0], [0, 2]]}, tmp_path / f"{name}.safetensors", np.float32)
    spec = tmp_path / "spec.circ"
    spec.write_text(
        'checkpoint a from "a.safetensors"\ncheckpoint b from "b.safetensors"\n'
        "circuit f(x: real[2]) -> real[2] = a.W @ x + b.W @ x\n"
        "domain D = { x: real[2] | 0 <= x <= 1 }\n"
        "patch p of f {\n  edit a.W, b.W\n  require forall x in D: f(x) <= 1\n}\n"
    )
    assert command("patch", spec, "p") == 4
    assert not [*tmp_path.glob("*.p.safetensors")]


def test_a_quoted_name_is_the_same_tensor(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is computed is not edited as well, by whichever of its names: `m.mlp.W` is `m."mlp.W"`."""
    spec = write_spec(
        tmp_path,
        """
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[2] = m.mlp.W @ x
patch p of f {
  project m."mlp.W"[:, _] off span [1, 1]
  edit    m.mlp.W
  require forall x in { x: real[2] | -1 <= x <= 1 }: f(x)[0] >= -3
}
""",
        {"mlp.W": [[1.0, 2.0], [3.0, 4.0]]},
    )
    assert command("check", spec) == 4
    assert "E0609" in "".join(capsys.readouterr())

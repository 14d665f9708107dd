"""Requirements that conflict: the inputs that are named stand in the way together, and each of them counts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from circ.compiler.obligation import Witness
from circ.runtime.convex import least_change
from circ.runtime.patches import edits
from tests.unit.specs import Rows, command, write_spec

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
    command("patch", spec, "--out", folder / "out.safetensors", "--force", "--json")
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    return cast("dict[str, Any]", found)


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
        named = [int(each["input"]["s"][0]) for each in found["conflict"]]
        assert 0 not in named
        assert least_change(rows[named], least[named]) is None
        for left in named:
            rest = [k for k in named if k != left]
            assert not rest or least_change(rows[rest], least[rest]) is not None
    assert conflicts > 3


def test_an_input_that_does_not_count_is_in_no_conflict(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One outside the domain is planted: the exact reference says so, and no conflict is claimed."""

    def planted(*_: object) -> tuple[tuple[str, Witness], ...]:
        return (("mend.require[0]", Witness((("s", (0,)),))),)

    monkeypatch.setattr(edits, "conflicting", planted)
    rows = [[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [-1.0, 0.0, 0.0]]
    found = said(tmp_path, rows, [0.0, 1.0, 1.0], capsys)
    assert found["reason"] == "an input of mend.require[0] was found that may not count"

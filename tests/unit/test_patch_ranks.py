"""Changes of a rank: one factor is fixed, and the other solved for."""

from __future__ import annotations

import json
from pathlib import Path
from time import monotonic
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.runtime.convex import Floats
from circ.runtime.patches.ranks import leading, ranks_of, solve, whole
from circ.runtime.patches.unknowns import Factor, Unknowns
from tests.unit.forged import forged
from tests.unit.specs import Rows, command, stored, write_spec

SPEC = """
checkpoint m from "model.safetensors"
circuit f(s: fin[4, 1]) -> real[4] = m.W @ m.keys[s[0]]
domain All = {{ s: fin[4, 1] }}
patch mend of f {{
  edit     m.W{rank}
  require  forall s in All: argmax(f(s)) == s[0]
  minimize l2
}}
"""
"""Four keys of three numbers, each to be told by its own score."""

WEIGHTS: dict[str, Rows] = {
    "W": [[1.0, 0.5, 0.0], [0.25, 0.0, 0.5], [0.0, 0.25, 0.0], [0.5, 0.5, 0.5]],
    "keys": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [-1.0, -1.0, -1.0]],
}


def patched(folder: Path, rank: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """What is said of the patch with this rank behind its edit."""
    spec = write_spec(folder, SPEC.format(rank=rank), WEIGHTS)
    command("patch", spec, "--out", folder / "out.safetensors", "--force", "--json")
    (found,) = json.loads(capsys.readouterr().out)["patches"]
    return cast("dict[str, Any]", found)


@pytest.mark.parametrize("rank", [2, 3])
def test_the_change_that_is_written_is_near_its_rank(
    rank: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each key is told in the file, and the singular values of the change behind the rank are of the size of rounding.

    What is said of them is what numpy finds of the two files.
    """
    found = patched(tmp_path, f" rank {rank}", capsys)
    assert found["made"]
    new = stored(tmp_path / "out.safetensors")["W"].astype(np.float64)
    assert (new @ np.array(WEIGHTS["keys"]).T).argmax(axis=0).tolist() == [0, 1, 2, 3]
    values = [*np.linalg.svd(new - np.array(WEIGHTS["W"]), compute_uv=False), 0.0]
    (told,) = found["ranks"]
    assert (told["tensor"], told["rank"]) == ("W", rank)
    assert abs(told["last"] - values[rank - 1]) < 1e-12
    assert abs(told["next"] - values[rank]) < 1e-12
    assert values[rank] < 1e-6 < values[rank - 1]


def test_an_audit_notices_a_change_of_a_higher_rank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that meets the requirements by a change of another rank is not what the patch allows."""
    patched(tmp_path, " rank 2", capsys)
    out = tmp_path / "out.safetensors"
    assert command("audit", tmp_path / "out.safetensors.receipt.json") == 0
    capsys.readouterr()
    moved = stored(out)["W"] + 0.001 * np.eye(4, 3)
    forged(out, "W", moved.astype(np.float32))
    assert command("audit", tmp_path / "out.safetensors.receipt.json") == 1
    assert "more than a rank of 2" in capsys.readouterr().out


def test_nothing_is_said_of_a_smaller_change_of_that_rank(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The changes of a rank are no convex set; a change of any rank is at least as small as one of rank 2."""
    ranked, free = (patched(tmp_path, rank, capsys) for rank in (" rank 2", ""))
    assert ranked["bound"]["reason"] == "the changes of a rank are no convex set"
    assert free["bound"]["least"] <= ranked["norms"]["l2"]
    assert free["ranks"] == []


def test_the_report_tells_the_singular_values(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And that the rank is one up to rounding."""
    spec = write_spec(tmp_path, SPEC.format(rank=" rank 2"), WEIGHTS)
    assert command("patch", spec, "--out", tmp_path / "out.safetensors") == 0
    said = capsys.readouterr().out
    assert "W: rank 2 up to the rounding of its dtype, singular value 2 is " in said
    assert command("audit", tmp_path / "out.safetensors.receipt.json") == 0


def test_a_rank_that_is_too_low_makes_no_patch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one column times one row four keys cannot be told apart from here; nothing is written, and no conflict is claimed."""
    found = patched(tmp_path, " rank 1", capsys)
    assert (found["made"], found["reason"]) == (False, "no edit was found with a change of rank 1")
    assert not (tmp_path / "out.safetensors").exists()


@given(st.integers(1, 3), st.sampled_from(["left", "right"]), st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_unknowns_of_a_factor_are_those_of_the_change(rank: int, side: Any, seed: int) -> None:
    """A change by the unknowns has their length and the rank, and the slopes by them are those by its entries."""
    rng = np.random.default_rng(seed)
    start = {"a": rng.normal(size=(2, 2)), "w": rng.normal(size=(4, 3))}
    free = {"a": np.array([1, 2]), "w": np.arange(12)}
    plain = Unknowns(start, free)
    factors = leading(plain, {"w": rank}, rng.normal(size=plain.size), side)
    held = Unknowns(start, free, "l2", factors)
    unknowns = rng.normal(size=held.size)
    change = whole(plain, held, unknowns)
    assert np.isclose(np.linalg.norm(change), np.linalg.norm(unknowns))
    assert np.linalg.matrix_rank(change[plain.places["w"]].reshape(4, 3)) == rank
    rows: Floats = rng.normal(size=(5, 16))
    by_entries, by_unknowns = (u.spread(["a", "w"], rows) for u in (plain, held))
    assert np.allclose(by_entries @ change, by_unknowns @ unknowns)


def test_the_singular_values_are_those_at_the_rank() -> None:
    """Of a diagonal matrix; behind the last there is 0."""
    changes: dict[str, Floats] = {"m/w": np.diag([3.0, 2.0])}
    (one,) = ranks_of({"m/w": 1}, changes)
    (two,) = ranks_of({"m/w": 2}, changes)
    assert (one.tensor, two.tensor) == ("w", "w")
    assert np.allclose((one.last, one.next, two.last, two.next), (3, 2, 2, 0))


def test_without_a_rank_nothing_is_factored() -> None:
    """Nothing is asked: the change is none."""
    unknowns = Unknowns({"w": np.zeros((2, 2))}, {"w": np.arange(4)})
    found = solve(unknowns, {}, [], monotonic() + 10)
    assert isinstance(found, np.ndarray)
    assert not found.any()
    assert Factor("left", np.eye(2)).product(np.arange(4.0)).tolist() == [[0, 1], [2, 3]]

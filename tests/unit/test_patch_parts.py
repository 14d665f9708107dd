"""What a patch may change, and in which norm the change is small."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circ.compiler.patching import Norm
from circ.runtime.convex import Floats, Least, least, least_change
from circ.runtime.patches import edits, no_margin
from tests.unit.forged import forged
from tests.unit.specs import Rows, command, stored, write_spec

SPEC = """
checkpoint m from "model.safetensors"
circuit f(x: real[3]) -> real[2] = m.W @ x + m.b
domain Box = {{ x: real[3] | 0.5 <= x <= 1 }}
patch mend of f {{
  edit     {edit}
  require  forall x in Box: f(x) <= -0.25
  minimize {norm}
}}
"""

WEIGHTS: dict[str, Rows] = {"W": [[1.0, 0.5, 0.0], [0.25, 0.0, 0.5]], "b": [0.0, 0.125]}

SIZES: dict[Norm, Callable[[Floats], float]] = {
    "l1": lambda x: float(np.abs(x).sum()),
    "l2": lambda x: float(np.linalg.norm(x)),
    "linf": lambda x: float(np.abs(x).max()),
}


def patched(folder: Path, edit: str, norm: str) -> tuple[int, Path]:
    """The exit code of patching these parts, and the file that it may have written."""
    spec, out = (
        write_spec(folder, SPEC.format(edit=edit, norm=norm), WEIGHTS),
        folder / "out.safetensors",
    )
    return command("patch", spec, "mend", "--out", out, "--force"), out


def change(out: Path) -> dict[str, Floats]:
    """How far each entry has moved."""
    new = {name: stored(out)[name].astype(np.float64) for name in WEIGHTS}
    return {name: new[name] - np.array(rows, np.float64) for name, rows in WEIGHTS.items()}


PARTS = {
    "m.W[0], m.b[1]": {"W": [[1, 1, 1], [0, 0, 0]], "b": [0, 1]},
    "m.W[:, 1], m.b[0]": {"W": [[0, 1, 0], [0, 1, 0]], "b": [1, 0]},
    "m.W[0, 0], m.W[1, 1:], m.W[1, 2]": {"W": [[1, 0, 0], [0, 1, 1]], "b": [0, 0]},
    "m.W[-1], m.b[0:1]": {"W": [[0, 0, 0], [1, 1, 1]], "b": [1, 0]},
}


@pytest.mark.parametrize("norm", SIZES)
@pytest.mark.parametrize("edit", PARTS)
def test_only_the_parts_that_are_named_change(edit: str, norm: str, tmp_path: Path) -> None:
    """And the requirement, which was false, holds of the file at every corner of the box."""
    code, out = patched(tmp_path, edit, norm)
    assert code == 0
    for name, moved in change(out).items():
        assert not np.any(moved[np.array(PARTS[edit][name]) == 0]), name
    new = stored(out)
    corners = np.array(np.meshgrid(*[[0.5, 1]] * 3)).reshape(3, -1)
    assert (new["W"] @ corners + new["b"][:, None]).max() <= -0.25


def test_where_the_parts_cannot_do_it_that_is_a_conflict(tmp_path: Path) -> None:
    """No change of the first row moves the second score."""
    code, out = patched(tmp_path, "m.W[0], m.b[0]", "l2")
    assert code == 1
    assert not out.exists()


def test_each_norm_is_least_in_its_own_measure(tmp_path: Path) -> None:
    """Of the changes for the three norms none is smaller in l1 than that for l1, and so on; up to the slack that is asked."""
    found: dict[str, Floats] = {}
    for norm in SIZES:
        code, out = patched(tmp_path, "m.W, m.b", norm)
        assert code == 0
        found[norm] = np.concatenate([moved.ravel() for moved in change(out).values()])
    for norm, size in SIZES.items():
        least = size(found[norm])
        assert all(least <= size(other) * 1.01 for other in found.values()), norm
    assert np.count_nonzero(found["l1"]) < np.count_nonzero(found["l2"])


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_a_change_is_least_among_those_that_do(norm: Norm) -> None:
    """Random problems: what is found meets every constraint, and no feasible point that is tried is smaller.

    These points are the changes for the other norms, and mixtures with them, which are feasible too.
    """
    rng, size = np.random.default_rng(5), SIZES[norm]
    for _ in range(40):
        rows, at_least = rng.normal(size=(6, 5)), rng.normal(size=6)
        names: tuple[Norm, ...] = ("l1", "l2", "linf")
        found = {other: least_change(rows, at_least, other) for other in names}
        assert len({x is None for x in found.values()}) == 1
        least = found[norm]
        if least is None:
            continue
        assert (rows @ least >= at_least - 1e-6).all()
        for x in found.values():
            assert x is not None
            for share in (0.1, 0.5, 1.0):
                assert size(least) <= size(least + share * (x - least)) + 1e-6


@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_the_impossible_has_no_change(norm: Norm) -> None:
    """Constraints that contradict each other, and one that no entry moves."""
    assert least_change(np.array([[1.0], [-1.0]]), np.array([1.0, 1.0]), norm) is None
    assert least_change(np.zeros((1, 3)), np.array([1.0]), norm) is None


@pytest.mark.parametrize("share", [0.0, 0.5, -1.0])
def test_a_wrong_solution_is_never_written(
    share: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The solver is planted with a fault: it gives a part of what is asked, or the opposite, with room and without. The last proof fails."""
    right = least

    def wrong(rows: Floats, at_least: Floats, norm: Norm, near: Floats) -> Least | None:
        found = right(rows, at_least, norm, near)
        return None if found is None else Least(share * found.x, found.multipliers)

    monkeypatch.setattr(edits, "least", wrong)
    monkeypatch.setattr(no_margin, "least", wrong)
    monkeypatch.setattr(edits, "tangents", once(edits.tangents))
    code, out = patched(tmp_path, "m.W, m.b", "l2")
    assert code == 2
    assert not out.exists()


def once(tangents: Callable[..., Any]) -> Callable[..., Any]:
    """Tangents of the first iterate alone, so that its solution is taken as it is."""

    def first(slack: float, change: Floats, *rest: Any, **how: bool) -> Any:
        found = tangents(slack, change, *rest, **how)
        return 0 if np.any(change) else found

    return first


def test_an_audit_notices_a_change_beside_the_parts(tmp_path: Path) -> None:
    """Every hash fits, and all that is required holds, but an entry that no part names has changed; its sign is enough."""
    code, out = patched(tmp_path, "m.W[:, 0]", "l2")
    receipt = tmp_path / "out.safetensors.receipt.json"
    assert (code, command("audit", receipt)) == (0, 0)
    changed = stored(out)["W"]
    forged(out, "W", changed)
    assert command("audit", receipt) == 0
    changed[0][2] = -0.0
    forged(out, "W", changed)
    assert command("audit", receipt) == 1

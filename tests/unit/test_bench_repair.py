"""The benchmark of repairs: its images are images, and its specs say what the table says."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from benchmarks.repair.data import DIGITS, digits, fogged, untrained
from benchmarks.repair.run import TASKS, answers
from benchmarks.repair.specs import Task, labelled, written
from tests.unit.files import load, save
from tests.unit.specs import command


def test_images_differ_by_digit_and_by_fog() -> None:
    """All are between 0 and 1; each digit has strokes of its own, and fog is no small change."""
    torch.default_generator.manual_seed(0)
    assert len(set(DIGITS)) == 10
    x = digits(torch.arange(10))
    fog = fogged(x)
    assert x.shape == fog.shape == (10, 784)
    assert all(0 <= float(y.min()) <= float(y.max()) <= 1 for y in (x, fog))
    assert float((x - fog).abs().mean()) > 0.05


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)
def test_the_specs_are_specs(task: Task, tmp_path: Path) -> None:
    """Each is checked against its files; it has a requirement for all points, and for each line or plane."""
    torch.default_generator.manual_seed(0)
    save(untrained().state_dict(), tmp_path / "model.safetensors")
    labels = torch.arange(task.images) % 10
    x = digits(labels)
    spec = written(task, tmp_path, x, fogged(x), labels, labelled(x, labels))
    assert command("check", spec) == 0
    text = spec.read_text()
    assert text.count("  require ") == (1 if task.kind == "points" else task.images)
    assert text.count("  preserve ") == int(task.kept > 0)


def test_a_repair_repairs(tmp_path: Path) -> None:
    """Two lines of a network that was never trained: what is written reads both ends and the middle rightly."""
    torch.default_generator.manual_seed(0)
    save(untrained().state_dict(), tmp_path / "model.safetensors")
    labels = torch.tensor([3, 7])
    x = digits(labels)
    fog = fogged(x)
    spec = written(Task("lines", 2), tmp_path, x, fog, labels, labelled(x, labels))
    out = tmp_path / "repaired.safetensors"
    assert command("patch", spec, "--out", out) == 0
    for t in (0.0, 0.5, 1.0):
        assert torch.equal(answers(load(out), x + t * (fog - x)), labels)

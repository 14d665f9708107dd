"""The specs of the repairs: on points, on lines and on planes, and with decisions that have to stay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional

from benchmarks.repair.data import fogged
from tests.unit.files import save

NETWORK = """\
checkpoint m from "model.safetensors"
checkpoint d from "images.safetensors"

circuit net(x: real[784]) -> real[10] {
  let h1 = relu(m.0.weight @ x + m.0.bias)
  let h2 = relu(m.2.weight @ h1 + m.2.bias)
  let h3 = relu(m.4.weight @ h2 + m.4.bias)
  return m.6.weight @ h3 + m.6.bias
}

domain Points: real[794] from "points.safetensors"
domain Kept: real[794] from "kept.safetensors"
domain Unit   = { t: real | 0 <= t <= 1 }
domain Square = { p: real[2] | 0 <= p <= 1 }

patch repair of net {
  edit m.6.weight, m.6.bias
"""
ROWS = "  {} forall r in {}: argmax(net(r[:784])) == argmax(r[784:])"
LINE = "  require forall t in Unit: argmax(net(d.clean[{0}] + t * d.fog[{0}])) == {1}"
PLANE = (
    "  require forall p in Square:"
    " argmax(net(d.clean[{0}] + p[0] * d.fog[{0}] + p[1] * d.more[{0}])) == {1}"
)


@dataclass(frozen=True, slots=True)
class Task:
    """A repair: of what kind, of how many images, and how many others have to keep their decisions."""

    kind: str
    images: int
    kept: int = 0

    @property
    def name(self) -> str:
        """As the table has it."""
        return f"{self.images} {self.kind}" + (f", {self.kept:,} kept" if self.kept else "")


def requirements(task: Task, labels: Sequence[int]) -> list[str]:
    """The lines of the patch."""
    found = {
        "points": [ROWS.format("require", "Points")],
        "lines": [LINE.format(number, label) for number, label in enumerate(labels)],
        "planes": [PLANE.format(number, label) for number, label in enumerate(labels)],
    }[task.kind]
    return [*found, *([ROWS.format("preserve", "Kept")] if task.kept else [])]


def labelled(images: Tensor, labels: Tensor) -> dict[str, Tensor]:
    """The rows of a data set: an image and, as ten more numbers, its label."""
    return {"rows": torch.cat([images, functional.one_hot(labels, 10).float()], 1)}


def written(
    task: Task, folder: Path, images: Tensor, fog: Tensor, labels: Tensor, kept: dict[str, Tensor]
) -> Path:
    """The spec of a task and its files, for images [many, 784] that are wrong in fog; `kept` are other rows."""
    images, fog, labels = images[: task.images], fog[: task.images], labels[: task.images]
    ways = {"clean": images, "fog": fog - images, "more": fogged(images) - images}
    save({name: rows.contiguous() for name, rows in ways.items()}, folder / "images.safetensors")
    save(labelled(fog, labels), folder / "points.safetensors")
    others = {name: rows[: max(task.kept, 1)].clone() for name, rows in kept.items()}
    save(others, folder / "kept.safetensors")
    lines = requirements(task, [int(label) for label in labels])
    spec = folder / "repair.circ"
    spec.write_text(NETWORK + "\n".join(lines) + "\n}\n")
    return spec

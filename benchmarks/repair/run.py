"""A table of repairs of one network.

    OMP_NUM_THREADS=1 python -m benchmarks.repair.run

784-100-100-100-10, trained on images that `data.py` draws; some of them it reads wrongly in fog. `circ patch` changes the last layer
until it reads these (points), all that lie between each and its clear image (lines), or all between that and two fogs
(planes). `time` is what it says, proof included and start-up not; `drawdown` is how many percent of 10,000 other clear images
are read worse than before, `in fog` how many of them are read rightly in fog before and after.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from benchmarks.repair.data import fogged, some, trained
from benchmarks.repair.specs import Task, labelled, written
from tests.unit.files import load, save

SEED, HELD_OUT, POOL = 0, 10_000, 8_000
TASKS = (
    Task("points", 10),
    Task("points", 100),
    Task("points", 100, kept=1_000),
    Task("points", 100, kept=5_000),
    Task("lines", 10),
    Task("lines", 50),
    Task("lines", 50, kept=1_000),
    Task("lines", 50, kept=5_000),
    Task("planes", 10),
    Task("planes", 10, kept=1_000),
)
TIMEOUT = 300
PUBLISHED = """\
published, of other networks and other images, both with a commercial solver of linear programs:
APRNN                     5   s              1.28%
PRDNN, 9x200              5   s              3.92%"""


def answers(m: dict[str, Tensor], x: Tensor) -> Tensor:
    """[many] the digits that a checkpoint reads, without Circ."""
    for layer in ("0", "2", "4"):
        x = torch.relu(x @ m[f"{layer}.weight"].T + m[f"{layer}.bias"])
    return (x @ m["6.weight"].T + m["6.bias"]).argmax(1)


def patched(spec: Path, out: Path) -> dict[str, object]:
    """What `circ patch` says of a spec; the file is written where it was proved."""
    words = ["patch", str(spec), "--out", str(out), "--timeout", str(TIMEOUT), "--json"]
    run = subprocess.run([sys.executable, "-m", "circ", *words], capture_output=True, check=False)
    (answer,) = json.loads(run.stdout)["patches"]
    return dict(answer)


def row(task: Task, answer: dict[str, object], old: dict[str, Tensor], out: Path) -> str:
    """A line of the table: what the repair cost on images that it was not told of."""
    if not answer["made"]:
        return f"{task.name:22} not made in {answer['seconds']:.1f} s"
    new = load(out)
    torch.manual_seed(SEED + 1)
    x, labels = some(HELD_OUT)
    fog = fogged(x)
    right = [
        float((answers(m, at) == labels).float().mean()) for at in (x, fog) for m in (old, new)
    ]
    changed = int((answers(old, x) != answers(new, x)).sum())
    norms = answer["norms"]
    assert isinstance(norms, dict)
    return (
        f"{task.name:22} {answer['seconds']:6.1f} s {norms['l2']:8.3f} {right[0] - right[1]:9.2%}"
        f" {changed:8,} {right[2]:9.1%} -> {right[3]:.1%}"
    )


def main() -> None:
    """Train, repair, print."""
    torch.manual_seed(SEED)
    torch.set_num_threads(1)
    net = trained()
    m = {name: tensor.detach() for name, tensor in net.state_dict().items()}
    x, labels = some(POOL)
    fog = fogged(x)
    right = answers(m, x) == labels
    wrong = right & (answers(m, fog) != labels)
    kept = labelled(x[right & ~wrong], labels[right & ~wrong])
    print("task                      time  l2 norm  drawdown  changed      in fog")
    for task in TASKS:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            save(m, folder / "model.safetensors")
            spec = written(task, folder, x[wrong], fog[wrong], labels[wrong], kept)
            out = folder / "repaired.safetensors"
            print(row(task, patched(spec, out), m, out), flush=True)
    print(PUBLISHED)


if __name__ == "__main__":
    main()

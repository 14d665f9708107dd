"""A table of edits, one fact each: by a patch that is proved, and by two closed forms beside it.

    python examples/fact_edit/table.py [EDITS]

The facts and their new cities are drawn from the seed. Each closed form has the best of its scales, and the
null space the best of three sizes: of those that make the edit at all, the one with the fewest mistakes.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import torch
from closed_form import SCALES, in_null_space, nearest_value, rome, written
from plain import RELATIONS, cities, hidden
from safetensors.torch import load_file
from torch import Tensor

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "fact_edit"
EDITS, SEED = 20, 0
SIZES = (6, 12, 24)
"""How many of the 48 directions count as the null space."""


@dataclass(frozen=True, slots=True)
class Edit:
    """What came of one edit by one method."""

    made: bool
    mistakes: int
    """How many other facts changed."""
    norm: float
    """The l2 norm of the change of `W_out`."""
    seconds: float

    @property
    def rank(self) -> tuple[bool, int, float]:
        """Less is better."""
        return (not self.made, self.mistakes, self.norm)


def judged(m: dict[str, Tensor], weight: Tensor, fact: int, city: int, start: float) -> Edit:
    """What a new `W_out` does to the facts."""
    seconds = time.perf_counter() - start
    before, after = cities(m), cities({**m, "W_out": weight})
    made = int(after[fact]) == city
    mistakes = int((before != after).sum()) - int(before[fact] != after[fact])
    return Edit(made, mistakes, float((weight - m["W_out"]).norm()), seconds)


def closed(m: dict[str, Tensor], fact: int, city: int, sizes: Sequence[int]) -> Edit:
    """The best closed form: in a null space of one of these sizes, or by ROME where none is given."""
    start = time.perf_counter()
    keys, weight = hidden(m), m["W_out"]
    key, moment = keys[fact], keys.T @ keys / len(keys)
    value = weight @ key
    step = nearest_value(m["unembed"], value, city) - value
    ways = [in_null_space(moment, key, size) for size in sizes] or [rome(moment, key)]
    edits = [written(weight, key, value + scale * step, way) for way in ways for scale in SCALES]
    return min((judged(m, edit, fact, city, start) for edit in edits), key=lambda edit: edit.rank)


def patched(m: dict[str, Tensor], fact: int, city: int) -> Edit:
    """The same fact by `circ patch`, on the spec with another fact in its place; the file is read in PyTorch."""
    person, relation = divmod(fact, len(RELATIONS))
    asked = f"p == {person} and r == {RELATIONS[relation]}"
    text = (HERE / "facts.circ").read_text().replace("p == 17 and r == lives", asked)
    spec, out = BUILD / "facts.circ", BUILD / "moved.safetensors"
    spec.write_text(text.replace("== 5\n", f"== {city}\n"))
    command = [
        sys.executable,
        "-m",
        "circ",
        "patch",
        str(spec),
        "--out",
        str(out),
        "--force",
        "--json",
    ]
    run = subprocess.run(command, check=True, capture_output=True)
    (answer,) = json.loads(run.stdout)["patches"]
    weight = load_file(out)["W_out"].double()
    return replace(judged(m, weight, fact, city, 0.0), seconds=answer["seconds"])


def drawn(m: dict[str, Tensor], count: int) -> Iterator[tuple[int, int]]:
    """Facts, and for each a city that is not its own."""
    generator = torch.Generator().manual_seed(SEED)
    known = cities(m)
    for fact in torch.randperm(len(known), generator=generator)[:count]:
        step = torch.randint(1, 40, (), generator=generator)
        yield int(fact), int((known[fact] + step) % 40)


def row(name: str, edits: Sequence[Edit]) -> str:
    """A line of the table."""
    mistakes = [edit.mistakes for edit in edits]
    spoilt = sum(count > 0 for count in mistakes)
    norms, seconds = [edit.norm for edit in edits], [edit.seconds for edit in edits]
    made = sum(edit.made for edit in edits)
    return (
        f"{name:13} {made:4} {max(mistakes):13} {median(mistakes):7} {spoilt:9}"
        f" {median(norms):8.2f} {max(norms):6.2f} {median(seconds):8.2f} {max(seconds):6.2f}"
    )


def main() -> None:
    """Make the edits, print the table."""
    torch.set_num_threads(1)
    BUILD.mkdir(parents=True, exist_ok=True)
    shutil.copy(HERE / "model.safetensors", BUILD)
    m = {name: x.double() for name, x in load_file(HERE / "model.safetensors").items()}
    asked = list(drawn(m, int(sys.argv[1]) if len(sys.argv) > 1 else EDITS))
    print(f"{len(asked)} edits, each of one fact of {len(cities(m)):,}")
    print("              made  others: most  median  in edits  l2: mid    max  seconds    max")
    print(row("circ", [patched(m, *fact) for fact in asked]))
    print(row("ROME", [closed(m, *fact, ()) for fact in asked]))
    print(row("null space", [closed(m, *fact, SIZES) for fact in asked]))


if __name__ == "__main__":
    main()

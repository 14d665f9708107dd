"""A hundred middle-sized questions, the same on every machine up to the last digits of its torch.

    python -m benchmarks.verify.middle FOLDER [--only WORD] [--standard]

Ten of each kind of `kinds.py`. In each half of them are false: the bound lies below a value that is
reached. The others are likely true: the bound lies above the highest value that gradients found, from
far above to a little above. FOLDER gets a spec and a checkpoint for each, and `questions.csv` with
name, kind, expected (`refuted`, which is certain, or `proved`) and spec. `--standard` writes ONNX and
VNN-LIB too, where a claim can be said so, and an `instances.csv` for `benchmarks.verify.run`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from safetensors.numpy import save_file  # pyright: ignore[reportUnknownVariableType]

from benchmarks.verify.instances import TABLE
from benchmarks.verify.kinds import KINDS, Draft
from benchmarks.verify.nets import FloatArray, highest

CLAIM = "question"
QUESTIONS = "questions.csv"
EACH = 10
AMOUNTS = (1.0, 0.5, 0.2, 0.1, 0.05)
"""How far a bound lies above the highest value found, or below, as a share of what that is above the mean."""

LEAST = 0.01
"""What that is taken to be at least, so that a constant function is asked about too."""

Expected = Literal["proved", "refuted"]


@dataclass(frozen=True, slots=True)
class Question:
    """A spec with one claim, and what is expected of it."""

    name: str
    kind: str
    expected: Expected
    text: str
    tensors: dict[str, FloatArray]


def question(kind: str, number: int) -> Question:
    """One question of a kind: those of even numbers are false."""
    draft = KINDS[kind](100 * list(KINDS).index(kind) + number)
    low, high = box(draft, number)
    best, mean = highest(draft.value, low, high, number)
    expected: Expected = "proved" if number % 2 else "refuted"
    amount = AMOUNTS[number // 2 % len(AMOUNTS)] * max(best - mean, LEAST)
    bound = best + amount if expected == "proved" else best - amount / 4
    return Question(
        f"{kind}_{number}",
        kind,
        expected,
        spec(draft, f"{bound:.9f}"),
        {**draft.tensors, "low": low, "high": high},
    )


def box(draft: Draft, number: int) -> tuple[FloatArray, FloatArray]:
    """The ends of a box around a random point."""
    middle = np.random.default_rng(number).uniform(-0.5, 0.5, draft.inputs)
    ends = [(middle + sign * draft.radius).astype(np.float32) for sign in (-1, 1)]
    return ends[0], ends[1]


def spec(draft: Draft, bound: str) -> str:
    """The spec's text."""
    return (
        'checkpoint m from "model.safetensors"\n\n'
        f"{draft.text}\n"
        f"domain Box = {{ x: real[{draft.inputs}] | m.low <= x <= m.high }}\n\n"
        f"claim {CLAIM}: forall x in Box: {draft.claim.format(bound=bound)}\n"
    )


def questions(only: str = "", each: int = EACH) -> Iterator[Question]:
    """Those whose names have `only` in them, one of each kind after the other."""
    for number in range(each):
        for kind in KINDS:
            if only in f"{kind}_{number}":
                yield question(kind, number)


def written(found: Question, folder: Path) -> Path:
    """Where the question's spec lies, beside its checkpoint."""
    place = folder / found.name
    place.mkdir(parents=True, exist_ok=True)
    tensors = {name: np.ascontiguousarray(x) for name, x in found.tensors.items()}
    save_file(tensors, place / "model.safetensors")
    path = place / "spec.circ"
    path.write_text(found.text)
    return path


def as_standard(path: Path) -> bool:
    """Whether a question could be written as ONNX and VNN-LIB, beside its spec."""
    command = [sys.executable, "-m", "circ", "compile", str(path), CLAIM]
    return not any(
        subprocess.run(
            [*command, "--to", to, "--out", str(path.with_name(name))],
            check=False,
            capture_output=True,
        ).returncode
        for to, name in (("onnx", "net.onnx"), ("vnnlib", "question.vnnlib"))
    )


def main(words: Sequence[str] | None = None) -> None:
    """Write the questions."""
    parser = argparse.ArgumentParser(prog="benchmarks.verify.middle")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="WORD", help="names with this in them")
    parser.add_argument("--standard", action="store_true", help="ONNX and VNN-LIB too")
    given = parser.parse_args(words)
    torch.set_num_threads(1)
    rows, instances = list[tuple[str, ...]](), list[tuple[str, ...]]()
    for found in questions(given.only):
        path = written(found, given.folder)
        rows.append((found.name, found.kind, found.expected, f"{found.name}/{path.name}"))
        if given.standard and as_standard(path):
            answer = "sat" if found.expected == "refuted" else "unsat"
            instances.append((found.name, "net.onnx", "question.vnnlib", answer))
    save(given.folder / QUESTIONS, ("name", "kind", "expected", "spec"), rows)
    if given.standard:
        save(given.folder / TABLE, ("family", "network", "property", "answer"), instances)
    print(f"{len(rows)} questions in {given.folder}")


def save(path: Path, head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Write a table."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([head, *rows])


if __name__ == "__main__":
    main()

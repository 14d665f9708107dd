"""A folder of standard problems with known answers.

`instances.csv` has the columns family, network (ONNX), property (VNN-LIB), answer (`sat`, `unsat`, or
nothing where it is not known); the files lie in the folder of the family, or beside the table.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

TABLE = "instances.csv"


@dataclass(frozen=True, slots=True)
class Instance:
    """One problem, `wanted` being its property, and its answer."""

    family: str
    network: Path
    wanted: Path
    answer: str

    @property
    def name(self) -> str:
        """The family, and the files' names without their endings."""
        return f"{self.family}/{self.network.stem}/{self.wanted.stem}"


def instances(folder: Path, only: str = "") -> list[Instance]:
    """The problems of a folder whose names have `only` in them, in the order of the table."""
    with (folder / TABLE).open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = [
        Instance(
            row["family"],
            placed(folder, row["family"], row["network"]),
            placed(folder, row["family"], row["property"]),
            row["answer"],
        )
        for row in rows
    ]
    return [instance for instance in found if only in instance.name]


def placed(folder: Path, family: str, name: str) -> Path:
    """Where a file lies."""
    inside = folder / family / name
    return inside if inside.exists() else folder / name

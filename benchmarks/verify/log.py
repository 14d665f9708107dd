"""Results kept as they come, a line of JSON each, so that a long run can go on where it stopped."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed import DataclassInstance


def logged(log: Path | None) -> list[dict[str, Any]]:
    """What is in a log; nothing where there is none."""
    if log is None or not log.exists():
        return []
    return [json.loads(line) for line in log.read_text().splitlines()]


def append(log: Path | None, result: DataclassInstance) -> None:
    """Add a result to a log, if there is one."""
    if log is not None:
        with log.open("a") as file:
            file.write(json.dumps(asdict(result)) + "\n")

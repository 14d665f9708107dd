"""A table for people: as lines of text, and as HTML in `displays`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from circ.runtime.report import Line


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows of cells below a head; each row has as many cells as the head."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def columns_lines(table: Columns, indent: str = "") -> Iterator[Line]:
    """The head, faint, and the rows, each column as wide as its widest cell; empty columns are left out."""
    kept = [k for k, cells in enumerate(zip(*table.rows, strict=True)) if k == 0 or any(cells)]
    every = [[row[k] for k in kept] for row in (table.head, *table.rows)]
    widths = [max(map(len, column)) for column in zip(*every, strict=True)]
    for place, row in enumerate(every):
        text = f"{indent}{aligned(row, widths)}"
        yield Line("plain" if place else "faint", text)


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Cells side by side."""
    padded = (f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


Shown = Line | Columns
"""What an answer is made of."""


def shown_lines(shown: Sequence[Shown]) -> list[Line]:
    """An answer as lines."""
    lines = list[Line]()
    for part in shown:
        if isinstance(part, Columns):
            lines += columns_lines(part, "  ")
        else:
            lines.append(part)
    return lines

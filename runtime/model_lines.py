"""Where a call of an exported module stands: its operator, its module, and the line of the model."""
# What torch.export returns is typed in part; nothing untyped leaves this file.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import linecache
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import torch
from torch.fx import Node

from circ.lang.span import Source, Span

LIBRARY = Path(torch.__file__).parent
"""Where the files lie whose lines are not the model's."""

PLACE = re.compile(r'File "(?P<file>[^"]+)", line (?P<line>\d+), in ')
"""A place in a trace, as Python writes it."""


def operator_name(target: object) -> str:
    """An operator's name with its overload, without its library."""
    return str(target).removeprefix("aten.")


def module_of(node: Node) -> str:
    """The path of the innermost module around a call; empty for the outermost."""
    layers = cast("Mapping[str, tuple[str, object]]", node.meta.get("nn_module_stack", {}))
    return [*layers.values()][-1][0] if layers else ""


def places_of(node: Node) -> list[tuple[str, int]]:
    """The files and lines that a call was made from, the outermost first."""
    found = PLACE.finditer(node.meta.get("stack_trace") or "")
    return [(place["file"], int(place["line"])) for place in found]


def model_line(places: Sequence[tuple[str, int]]) -> Span | None:
    """The innermost line of these that is the model's own, where its text is there."""
    return next((span for file, line in reversed(places) if (span := line_of(file, line))), None)


def line_of(file: str, number: int) -> Span | None:
    """A line of a text, its margins left out; None for one of the library, or of none."""
    path = Path(file)
    if (
        file.startswith("<")
        or path.is_relative_to(LIBRARY)
        or path.is_relative_to(Path(__file__).parent)
    ):
        return None
    lines = linecache.getlines(file)
    if not 0 < number <= len(lines) or not lines[number - 1].strip():
        return None
    text, line = "".join(lines), lines[number - 1]
    start = sum(map(len, lines[: number - 1])) + len(line) - len(line.lstrip())
    return Span(Source(file, text), start, start + len(line.strip()))

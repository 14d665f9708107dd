"""What other files say, as the type checker needs it: checkpoints, and modules that are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, Use


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """The shape of a stored tensor and the file's name for its dtype."""

    shape: tuple[int, ...]
    dtype: str


Header = Mapping[str, TensorInfo]
"""Tensors by name; the parts of a name are separated by dots."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What stands in the file of a checkpoint, and the file's name: the user's own, if one was given."""

    file: str
    header: Header


OpenHeader = Callable[[CheckpointDecl], Opened]
"""Reads a checkpoint's header; raises `CircError` when the file is missing or foreign."""

OpenModule = Callable[[Use], Source]
"""The text that a `use` names, one record a file; raises `CircError` where there is none."""

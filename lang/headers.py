"""What a checkpoint's header says, as the type checker needs it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from circ.lang.syntax import CheckpointDecl


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """The shape of a stored tensor and the file's name for its dtype."""

    shape: tuple[int, ...]
    dtype: str


Header = Mapping[str, TensorInfo]
"""Tensors by name; the parts of a name are separated by dots."""

OpenHeader = Callable[[CheckpointDecl], Header]
"""Reads a checkpoint's header; raises `CircError` when the file is missing or foreign."""

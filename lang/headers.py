"""What other files say, as the type checker needs it: checkpoints, lists, modules that are used."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, Name, NetworkDecl, Use


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """The shape of a stored tensor and the file's name for its dtype."""

    shape: tuple[int, ...]
    dtype: str


Header = Mapping[str, TensorInfo]
"""Tensors by name; the parts of a name are separated by dots."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What stands in the file of a checkpoint, and the file's name: the user's own, if one was given.

    `tied` has the names that a loader gives to tensors besides their own, and which these are.
    """

    file: str
    header: Header
    tied: Mapping[str, str] = field(default_factory=dict[str, str])


class Signature(Protocol):
    """What a network's file says: shapes by name of its inputs, of its outputs, and of the values inside.

    A node's name stands for the first value that it makes: `values` has these by the nodes' names. `reads` has
    the names of the values that each value is computed from, and `tensors` the shapes of the floats that are stored.
    `vocabularies` has, by the name of an input that takes tokens, how many these are.
    """

    @property
    def file(self) -> str: ...
    @property
    def inputs(self) -> Sequence[tuple[str, tuple[int, ...]]]: ...
    @property
    def outputs(self) -> Sequence[tuple[str, tuple[int, ...]]]: ...
    @property
    def sites(self) -> Mapping[str, tuple[int, ...]]: ...
    @property
    def tensors(self) -> Mapping[str, tuple[int, ...]]: ...
    @property
    def values(self) -> Mapping[str, str]: ...
    @property
    def reads(self) -> Mapping[str, Sequence[str]]: ...
    @property
    def vocabularies(self) -> Mapping[str, int]: ...


OpenNetwork = Callable[[NetworkDecl], Signature]
"""Reads a network's file; raises `CircError` when it is missing, or not read."""

OpenHeader = Callable[[CheckpointDecl], Opened]
"""Reads a checkpoint's header; raises `CircError` when the file is missing or foreign."""

Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None
"""What stands in a file of JSON; no key of an object stands twice."""

OpenList = Callable[[Name], Json]
"""Reads a file of JSON, bounded in size; raises `CircError` when it is missing or foreign."""

OpenModule = Callable[[Use], Source]
"""The text that a `use` names, one record a file; raises `CircError` where there is none."""


@dataclass(frozen=True, slots=True)
class Openers:
    """How the files are opened that a text names."""

    header: OpenHeader
    listed: OpenList
    network: OpenNetwork
    module: OpenModule

"""The files a spec names: which they are, their headers, and their tensors when first needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from circ.compiler.checkpoint import read_header, read_tensor
from circ.compiler.header import Header as FileHeader
from circ.compiler.tensor import Tensor, as_stored
from circ.lang.diagnostic import CircError
from circ.lang.errors.files import outside_folder, unreadable
from circ.lang.headers import Header, TensorInfo
from circ.lang.scope import Scope
from circ.lang.span import Source, Span
from circ.lang.syntax import CheckpointDecl


@dataclass(frozen=True, slots=True)
class Files:
    """Where a spec's checkpoints are.

    A path in a spec stays inside the spec's `folder` unless `outside` allows more; `instead` names
    files that the user gave for a checkpoint, wherever they are.
    """

    folder: Path
    outside: bool = False
    instead: Mapping[str, Path] = field(default_factory=dict[str, Path])
    opened: dict[Path, FileHeader] = field(default_factory=dict[Path, FileHeader])

    def path(self, decl: CheckpointDecl) -> Path:
        """The file of a checkpoint; raises `CircError` when it lies outside the folder or nowhere."""
        if decl.name.text in self.instead:
            return self.instead[decl.name.text]
        try:
            path = (self.folder / decl.file.text).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a zero byte
            reason = "its name leads to no file"
            raise CircError(unreadable(decl.file.span, decl.file.text, reason)) from error
        if not self.outside and not path.is_relative_to(self.folder.resolve()):
            raise CircError(outside_folder(decl.file.span, decl.file.text))
        return self.folder / decl.file.text

    def named(self, decl: CheckpointDecl) -> Span:
        """Where the file of a checkpoint is named: in the spec, or by the user in its stead."""
        given = self.instead.get(decl.name.text)
        if given is None:
            return decl.file.span
        text = f"{decl.name.text}={given}"
        return Span(Source("--checkpoint", text), len(decl.name.text) + 1, len(text))

    def opened_header(self, decl: CheckpointDecl) -> tuple[Path, FileHeader]:
        """The file of a checkpoint and its header, read once."""
        path = self.path(decl)
        if path not in self.opened:
            self.opened[path] = read_header(path, self.named(decl))
        return path, self.opened[path]

    def header(self, decl: CheckpointDecl) -> Header:
        """What the type checker needs of a checkpoint; raises `CircError` for a bad file."""
        _, header = self.opened_header(decl)
        return {name: TensorInfo(t.shape, t.dtype) for name, t in header.tensors.items()}


@dataclass(slots=True)
class StoredWeights(Mapping[str, Tensor]):
    """The tensors of a spec's checkpoints by key (`m/embed`), each read when first asked for.

    A key of the unpatched version (`old m/embed`) is the same tensor.
    """

    scope: Scope
    files: Files
    loaded: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __getitem__(self, key: str) -> Tensor:
        key = as_stored(key)
        if key not in self.loaded:
            checkpoint, _, name = key.partition("/")
            decl = self.scope.values.get(checkpoint)
            if not isinstance(decl, CheckpointDecl):
                raise KeyError(key)
            path, header = self.files.opened_header(decl)
            self.loaded[key] = read_tensor(path, header, name, self.files.named(decl))
        return self.loaded[key]

    def __iter__(self) -> Iterator[str]:
        for decl in self.scope.values.values():
            if isinstance(decl, CheckpointDecl):
                _, header = self.files.opened_header(decl)
                yield from (f"{decl.name.text}/{name}" for name in header.tensors)

    def __len__(self) -> int:
        return sum(1 for _ in self)

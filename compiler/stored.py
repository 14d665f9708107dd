"""The files a spec names: which they are, their headers, and their tensors when first needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from circ.compiler.checkpoint import files_of, read_header, read_tensor
from circ.compiler.header import Header as FileHeader
from circ.compiler.lists import ReadList, read_list
from circ.compiler.tensor import Tensor, as_stored
from circ.compiler.tied_tensors import ties_of, with_both
from circ.lang.diagnostic import CircError, told_at
from circ.lang.errors.files import outside_folder, unreadable
from circ.lang.errors.networks import not_handed_over
from circ.lang.headers import Json, Opened, TensorInfo
from circ.lang.scope import key
from circ.lang.span import Source, Span
from circ.lang.syntax import CheckpointDecl, Name, NetworkDecl

if TYPE_CHECKING:
    from circ.compiler.imported import Imported


@dataclass(frozen=True, slots=True)
class Files:
    """Where the files are that a spec names.

    A path in a spec starts at the folder of the text it stands in, and stays inside the spec's
    `folder` unless `outside` allows more. `instead` names files that the user gave for a
    checkpoint or a network, by its key, and `handed` networks that were handed over; `folders` has those of the texts that a spec uses, by theirs. `texts` are
    those that stand for a file's own, by its resolved path: what an editor has and has not saved. What
    was read once is not read again: `opened` has checkpoints, `lists` other data. `untied`: a tensor that a
    loader uses under two names has both, the second with the entries of the first.
    """

    folder: Path
    outside: bool = False
    instead: Mapping[str, Path] = field(default_factory=dict[str, Path])
    opened: dict[Path, FileHeader] = field(default_factory=dict[Path, FileHeader])
    folders: dict[str, Path] = field(default_factory=dict[str, Path])
    networks: dict[Path, Imported] = field(default_factory=dict[Path, "Imported"])
    handed: Mapping[str, Imported] = field(default_factory=dict[str, "Imported"])
    texts: Mapping[Path, str] = field(default_factory=dict[Path, str])
    lists: dict[Path, ReadList] = field(default_factory=dict[Path, ReadList])
    untied: bool = False

    def path(self, decl: CheckpointDecl) -> Path:
        """The file of a checkpoint; raises `CircError` when it lies outside the folder or nowhere."""
        given = self.instead.get(key(decl))
        return self.inside(decl.file) if given is None else given

    def require_inside(self, shard: Path, decl: CheckpointDecl) -> None:
        """Raise `CircError` (E0411) for a shard that a link leads out of the folder."""
        free = self.outside or key(decl) in self.instead
        if not free and not shard.resolve().is_relative_to(self.folder.resolve()):
            raise CircError(outside_folder(self.named(decl), shard.name))

    def inside(self, file: Name) -> Path:
        """The file that a spec names; raises `CircError` (E0403, E0411)."""
        folder = self.folders.get(file.span.source.key, self.folder)
        try:
            path = (folder / file.text).resolve()
        except (OSError, RuntimeError, ValueError) as error:  # a loop of links, or a zero byte
            reason = "its name leads to no file"
            raise CircError(unreadable(file.span, file.text, reason)) from error
        if not self.outside and not path.is_relative_to(self.folder.resolve()):
            raise CircError(outside_folder(file.span, file.text))
        return folder / file.text

    def listed(self, file: Name) -> Json:
        """What a file of JSON says; raises `CircError` (E0401-E0403, E0411, E0416)."""
        path = self.inside(file)
        if path not in self.lists:
            self.lists[path] = read_list(path, file.text, file.span)
        return self.lists[path].value

    def named(self, decl: CheckpointDecl | NetworkDecl) -> Span:
        """Where a file is named: in the spec, or by the user in its stead."""
        given = self.instead.get(key(decl))
        if given is None:
            return (decl.file or decl.name).span
        text = f"{key(decl)}={given}"
        return Span(Source("--checkpoint", text), len(key(decl)) + 1, len(text))

    def opened_header(self, decl: CheckpointDecl) -> tuple[Path, FileHeader]:
        """The file of a checkpoint and its header, read once."""
        path = self.path(decl)
        if path not in self.opened:
            for shard in files_of(path, self.named(decl))[1:]:
                self.require_inside(shard, decl)
            header = read_header(path, self.named(decl))
            self.opened[path] = with_both(header, ties_of(path, header)) if self.untied else header
        return path, self.opened[path]

    @property
    def shards(self) -> tuple[Path, ...]:
        """The files of checkpoints that are in several."""
        found = (
            path.parent / tensor.file
            for path, header in self.opened.items()
            for tensor in header.tensors.values()
            if tensor.file
        )
        return tuple(dict.fromkeys(found))

    def network(self, decl: NetworkDecl) -> Imported:
        """The network that was handed over, or that is in a file, read once.

        Raises `CircError` for a bad file, and where there is neither (E0821).
        """
        if key(decl) in self.handed:
            return self.handed[key(decl)]
        path = self.network_path(decl)
        if path not in self.networks:
            from circ.compiler.imported import imported  # numpy and onnx, for those who need them

            named = decl.file is not None and key(decl) not in self.instead
            label = decl.file.text if named and decl.file else str(path)
            with told_at(self.named(decl)):
                self.networks[path] = imported(path, label)
        return self.networks[path]

    def network_path(self, decl: NetworkDecl) -> Path:
        """The file of a network; raises `CircError` (E0403, E0411, E0821)."""
        given = self.instead.get(key(decl))
        if given is not None:
            return given
        if decl.file is None:
            raise CircError(not_handed_over(decl.name))
        return self.inside(decl.file)

    def header(self, decl: CheckpointDecl) -> Opened:
        """What the type checker needs of a checkpoint; raises `CircError` for a bad file."""
        _, header = self.opened_header(decl)
        found = {name: TensorInfo(t.shape, t.dtype) for name, t in header.tensors.items()}
        given = self.instead.get(key(decl))
        name = decl.file.text if given is None else str(given)
        return Opened(name, found, self.second_names(*self.opened_header(decl)))

    def second_names(self, path: Path, header: FileHeader) -> Mapping[str, str]:
        """The names that a loader gives to tensors besides their own; none where a config cannot be read."""
        with suppress(CircError):
            found = [tie for tie in ties_of(path, header) if tie.other not in header.tensors]
            return {tie.other: tie.kept for tie in found if tie.other}
        return {}


@dataclass(slots=True)
class StoredWeights(Mapping[str, Tensor]):
    """The tensors of a spec's `checkpoints` by key (`m/embed`), each read when first asked for.

    A key of the unpatched version (`old m/embed`) is the same tensor.
    """

    checkpoints: Mapping[str, CheckpointDecl]
    networks: Mapping[str, NetworkDecl]
    files: Files
    loaded: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    def __getitem__(self, tensor: str) -> Tensor:
        stored = as_stored(tensor)
        if stored not in self.loaded:
            checkpoint, _, name = stored.partition("/")
            if checkpoint in self.networks:
                return self.files.network(self.networks[checkpoint]).weights[name]
            decl = self.checkpoints[checkpoint]
            path, header = self.files.opened_header(decl)
            self.loaded[stored] = read_tensor(path, header, name, self.files.named(decl))
        return self.loaded[stored]

    def __iter__(self) -> Iterator[str]:
        for checkpoint, decl in self.checkpoints.items():
            _, header = self.files.opened_header(decl)
            yield from (f"{checkpoint}/{name}" for name in header.tensors)
        for network, declared in self.networks.items():
            yield from (f"{network}/{name}" for name in self.files.network(declared).weights)

    def __len__(self) -> int:
        return sum(1 for _ in self)

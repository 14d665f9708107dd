"""The config that a loader reads beside a patched checkpoint, where it has to follow the patch.

Two files cannot be replaced at once. So such a checkpoint gets a folder of its own, and its config is there before it is:
whoever finds the checkpoint finds the config that goes with it, at whatever moment the writing ended.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from circ.compiler.config import NAME, Config, read_config
from circ.lang.diagnostic import CircError
from circ.lang.errors.writing import config_there, source_changed
from circ.runtime.atomic import replacing
from circ.runtime.outputs import same


def require_config(folder: Path, before: Config | None) -> None:
    """Raise `CircError` (E0652, E0662) unless the config in a folder is the one that was read."""
    if read_config(folder) != before:
        raise CircError(source_changed(str(folder / NAME)))


def require_config_place(source: Path, target: Path, after: Config, *, force: bool) -> None:
    """Raise `CircError` (E0662, E0663) where a config beside `target` would change what another checkpoint is."""
    path = target.parent / NAME
    if same(source.parent, target.parent):
        raise CircError(
            config_there(str(path), "the one there is that of the checkpoint as it was")
        )
    there = read_config(target.parent)
    if there is None and target.exists():
        raise CircError(config_there(str(path), f"`{target.name}` is there without one"))
    other = there is not None and there.text != after.text
    if other and (target.exists() or not force):
        raise CircError(config_there(str(path), "there is one that says otherwise"))


@contextmanager
def config_beside(target: Path, after: Config) -> Generator[None]:
    """Write a config while the checkpoint beside it is written; where that fails it is taken away again, if it was not there."""
    path = target.parent / NAME
    new = not path.exists()
    with replacing(path, overwrite=True) as stream:
        stream.write(after.text)
    try:
        yield
    except BaseException:
        if new:
            path.unlink(missing_ok=True)
        raise

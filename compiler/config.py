"""The `config.json` beside a checkpoint, by which a loader knows what to make of the tensors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from circ.compiler.checkpoint import opened
from circ.compiler.header import Place
from circ.compiler.lists import LARGEST, Unfit, parsed
from circ.lang.diagnostic import CircError
from circ.lang.errors.writing import bad_config
from circ.lang.headers import Json

NAME = "config.json"


@dataclass(frozen=True, slots=True)
class Config:
    """Its bytes, and the fields that they say."""

    text: bytes
    fields: Mapping[str, Json]

    @property
    def sha256(self) -> str:
        """That of its bytes."""
        return sha256(self.text).hexdigest()


def read_config(folder: Path) -> Config | None:
    """The config in a folder, if there is one; raises `CircError` (E0401-E0403, E0662)."""
    path = folder / NAME
    if not path.exists():
        return None
    with opened(path, Place(str(path), None), ".json") as file:
        text = file.read(LARGEST + 1)
    try:
        found = parsed(text) if len(text) <= LARGEST else None
    except Unfit as error:
        raise CircError(bad_config(str(path), str(error))) from error
    match found:
        case dict():
            return Config(text, found)
        case _:
            raise CircError(bad_config(str(path), "it is no object"))


def with_fields(config: Config, fields: Mapping[str, Json]) -> Config:
    """The same with other values for some fields; what else it says stays, in its order."""
    changed = {**config.fields, **fields}
    text = json.dumps(changed, indent=2, ensure_ascii=False)
    return Config(f"{text}\n".encode(), changed)

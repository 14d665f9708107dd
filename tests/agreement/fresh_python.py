"""Written modules run in a Python of their own, in which there is no Circ.

cases = Cases(tmp_path)
cases.add(text, "Model", [x], {"result": y}, {"m": path})
assert cases.differing() == []
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import torch
from torch import Tensor

SCRIPT = """
import base64, importlib.util, json, pathlib, sys
sys.modules["circ"] = None
import torch

def tensor(told):
    raw = bytearray(base64.b64decode(told["data"]))
    dtype = getattr(torch, told["dtype"])
    flat = torch.frombuffer(raw, dtype=dtype) if raw else torch.empty(0, dtype=dtype)
    return flat.reshape(told["shape"])

def bits(value):
    value = value.contiguous().reshape(-1)
    return bytes(value.view(torch.uint8).tolist()) if value.numel() else b""

differing = []
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.json")):
    case = json.loads(path.read_text())
    spec = importlib.util.spec_from_file_location(path.stem, path.with_suffix(".py"))
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    kind = getattr(written, case["name"])
    module = kind.load(case["files"]) if case["files"] else kind()
    with torch.no_grad():
        found = module(*map(tensor, case["inputs"]))
    found = found if isinstance(found, dict) else {"result": found}
    wanted = {name: tensor(told) for name, told in case["outputs"].items()}
    for name in {*found, *wanted}:
        a, b = found.get(name), wanted.get(name)
        alike = a is not None and b is not None and a.dtype == b.dtype and a.shape == b.shape
        if not alike or bits(a) != bits(b):
            differing.append([path.stem, name, repr(a), repr(b)])
assert not any(name == "circ" or name.startswith("circ.") for name in sys.modules if sys.modules[name])
print(json.dumps(differing))
"""


@dataclass(slots=True)
class Cases:
    """Modules, their inputs, and the outputs that they have to have, to the last bit."""

    folder: Path
    count: int = field(default=0)

    def add(
        self,
        text: str,
        name: str,
        inputs: Sequence[Tensor],
        outputs: Mapping[str, Tensor],
        files: Mapping[str, Path] | None = None,
    ) -> None:
        """A module, the class in it, and what it computes; `files` are those of its checkpoints."""
        stem = f"case_{self.count:04}"
        self.count += 1
        (self.folder / f"{stem}.py").write_text(text)
        told = {
            "name": name,
            "inputs": [as_data(value) for value in inputs],
            "outputs": {key: as_data(value) for key, value in outputs.items()},
            "files": {key: str(path) for key, path in (files or {}).items()},
        }
        (self.folder / f"{stem}.json").write_text(json.dumps(told))

    def differing(self) -> list[object]:
        """The outputs that are not the same: the case, the output, what was found and what was wanted."""
        return cast("list[object]", json.loads(run_without_circ(SCRIPT, self.folder)))


def as_data(value: Tensor) -> dict[str, object]:
    """A tensor's bytes."""
    flat = value.detach().contiguous().reshape(-1)
    entries = cast("list[int]", flat.view(torch.uint8).tolist() if flat.numel() else [])  # pyright: ignore[reportUnknownMemberType]
    data = base64.b64encode(bytes(entries)).decode()
    return {
        "dtype": str(value.dtype).removeprefix("torch."),
        "shape": [*value.shape],
        "data": data,
    }


def run_without_circ(script: str, *arguments: str | Path) -> str:
    """What a script prints in a fresh Python; it has to end well."""
    command = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout

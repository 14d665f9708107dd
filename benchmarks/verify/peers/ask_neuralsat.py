"""NeuralSAT's answer to a standard problem: `ask_neuralsat.py NETWORK PROPERTY SECONDS` prints it.

Behind `sat` it prints the input. It needs `pip install neuralsat`, in an environment of its own: its
modules are called `src`, `setting`, …. It imports torchvision only for an operator that finds overlapping
boxes; where there is a build of torchvision that does not fit the one of torch, an empty module stands in
for it.
"""

from __future__ import annotations

import runpy
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType


def main(network: str, wanted: str, seconds: str) -> None:
    """Run NeuralSAT's own command, on the CPU; it prints the answer and its time."""
    found = find_spec("src")
    assert found is not None and found.submodule_search_locations is not None
    folder = Path(found.submodule_search_locations[0])
    sys.path.insert(0, str(folder))
    sys.modules["torchvision"] = ModuleType("torchvision")
    with TemporaryDirectory() as place:
        told = Path(place, "told")
        flags = ["--timeout", seconds, "--device", "cpu", "--verbosity", "0", "--export_cex"]
        sys.argv = [
            "neuralsat",
            "--net",
            network,
            "--spec",
            wanted,
            "--result_file",
            str(told),
            *flags,
        ]
        runpy.run_path(str(folder / "main.py"), run_name="__main__")
        print(told.read_text())


if __name__ == "__main__":
    main(*sys.argv[1:])

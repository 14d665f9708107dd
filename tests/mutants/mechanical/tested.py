"""Tests run on changed copies of the project, each in a process that is killed when its time is over.

Libraries are loaded before processes part, which takes most of the time off a short test.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module, invalidate_caches
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic

LIBRARIES = ("numpy", "torch", "z3", "lark", "click", "onnx", "hypothesis.strategies", "pytest")
OWN = ("circ", "tests", "benchmarks")
SAID = "said.txt"


@dataclass(frozen=True, slots=True)
class Run:
    """Tests that run in a copy: its process, and when that is killed."""

    folder: Path
    process: BaseProcess
    began: float
    until: float

    def over(self) -> bool:
        """Whether the tests have ended, or are made to."""
        if self.process.exitcode is None and monotonic() > self.until:
            with suppress(ProcessLookupError):
                os.killpg(self.process.ident or 0, signal.SIGKILL)
            self.process.join()
        return self.process.exitcode is not None

    @property
    def failed(self) -> str:
        """Nothing if all tests passed, else the first that did not, or what happened."""
        code = self.process.exitcode
        if code == 0:
            return ""
        if code is None or code < 0:
            return "out of time"
        lines = (self.folder / SAID).read_text(errors="replace").splitlines()
        found = [line.split()[1] for line in lines if line.startswith(("FAILED", "ERROR "))]
        return found[0] if found else f"exit code {code}"


def load() -> None:
    """Load libraries once for all runs to come."""
    os.environ["OMP_NUM_THREADS"] = "1"
    for library in LIBRARIES:
        import_module(library)


def begun(folder: Path, tests: Sequence[str], limit: float) -> Run:
    """Start tests in a copy of the project."""
    process = get_context("fork").Process(target=run, args=(folder, tuple(tests)))
    process.start()
    began = monotonic()
    return Run(folder, process, began, began + limit)


def run(folder: Path, tests: Sequence[str]) -> None:
    """Run tests on the modules of a copy, a file at a time up to one that fails; end with its exit code."""
    os.setsid()
    os.chdir(folder)
    with (folder / SAID).open("w") as said:
        for stream in (1, 2):
            os.dup2(said.fileno(), stream)
    root = str(Path(__file__).parents[3])
    sys.path[:] = [str(folder), *(path for path in sys.path if path not in ("", root))]
    os.environ["PYTHONPATH"] = str(folder)
    for name in [*sys.modules]:
        if name.partition(".")[0] in OWN:
            del sys.modules[name]
    invalidate_caches()
    import pytest

    options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider"]
    code = 0
    for test in tests:
        code = pytest.main([*options, "--hypothesis-profile=no_shrinking", test])
        if code:
            break
    sys.stdout.flush()
    os._exit(int(code))

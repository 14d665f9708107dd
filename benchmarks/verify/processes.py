"""Running a command in a process of its own, and what it took."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import Popen
from tempfile import TemporaryDirectory
from threading import Timer
from time import perf_counter

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")
ONE_THREAD = dict.fromkeys(THREADS, "1")
"""What keeps numpy's and torch's products to one thread a process."""

GRACE = 15.0
"""Seconds beyond its time limit after which a process is killed."""

UNITS = 1 << 20 if sys.platform == "darwin" else 1 << 10
"""How many units of the system's figure for memory are a MiB."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What a process left: its exit code, its output, and what it and its children took.

    `cpu` and `wall` are seconds; `peak` is the most memory that one of them used, in MiB.
    """

    code: int
    out: str
    err: str
    cpu: float
    wall: float
    peak: float
    killed: bool


def ran(command: Sequence[str | Path], limit: float, more: Mapping[str, str] | None = None) -> Ran:
    """Run a command with one thread for each process; kill it `GRACE` seconds after its limit."""
    killed: list[int] = []
    environment = {**os.environ, **ONE_THREAD, **(more or {})}
    with TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        start = perf_counter()
        with out.open("w") as told, err.open("w") as complained:
            process = Popen(
                [str(word) for word in command],
                stdout=told,
                stderr=complained,
                env=environment,
                start_new_session=True,
            )
            timer = Timer(limit + GRACE, end, (process.pid, killed))
            timer.start()
            _, status, used = os.wait4(process.pid, 0)
            timer.cancel()
        wall = perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [path.read_text(errors="replace") for path in (out, err)]
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / UNITS
    return Ran(process.returncode, texts[0], texts[1], cpu, wall, peak, bool(killed))


def end(group: int, killed: list[int]) -> None:
    """Kill a process and its children, and note that it was done."""
    killed.append(group)
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)

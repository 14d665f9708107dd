"""The verifiers that are compared, each a command for a standard problem, and its answer."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from benchmarks.verify.instances import Instance
from benchmarks.verify.processes import Ran, ran

PEERS_PYTHON = "CIRC_PEERS_PYTHON"
"""The environment variable that names the interpreter of the peers' environment."""

PEERS = {"neuralsat": "src.verifier", "marabou": "maraboupy"}
"""The peers, and a module that is there just if they are installed."""

CIRC = [sys.executable, "-m", "circ"]
LONGER = 4.0
"""A certificate, and its audit, may take so many times what an answer may."""

WORD = re.compile(r"^\(?'?(unsat|sat|unknown|timeout)\b", re.IGNORECASE)
ENTRY = re.compile(r"\(X_(\d+) (-?[\d.]+(?:[eE][+-]?\d+)?)\)")
"""An entry of the input that a verifier prints."""

Answer = Literal["sat", "unsat", "unknown", "failed"]
Command = Callable[[Instance, float], Sequence[str | Path]]


@dataclass(frozen=True, slots=True)
class Tool:
    """A verifier, and the command that asks it about an instance within some seconds.

    `certifies`: whether it leaves certificates in a folder that `--certificate` names.
    """

    name: str
    command: Command
    certifies: bool = False


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate's size in bytes, the CPU seconds of its audit, and whether it holds."""

    size: int
    audit: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Result:
    """What a tool said of an instance, and what that took; `point` is the input of a `sat`."""

    answer: Answer
    cpu: float
    wall: float
    peak: float
    certified: Certified | None = None
    why: str = ""
    point: tuple[Fraction, ...] = ()


def answered(found: Ran) -> Answer:
    """The answer is the last line that is one; none, and a bad exit, is a failure."""
    words = [match[1].lower() for line in found.out.splitlines() if (match := WORD.match(line))]
    match words[-1] if words else "":
        case "sat":
            return "sat"
        case "unsat":
            return "unsat"
        case "unknown" | "timeout":
            return "unknown"
        case _:
            return "unknown" if found.killed else "failed"


def asked(tool: Tool, instance: Instance, timeout: float) -> Result:
    """One run of a tool; where it certifies `unsat`, another that leaves a certificate, and the audit.

    So the figures are those of the answer alone.
    """
    command = tool.command(instance, timeout)
    found = ran(command, timeout)
    answer = answered(found)
    left = certified(instance, command, timeout) if tool.certifies and answer == "unsat" else None
    why = reason(found) if answer in ("unknown", "failed") else ""
    return Result(answer, found.cpu, found.wall, found.peak, left, why, pointed(found))


def pointed(found: Ran) -> tuple[Fraction, ...]:
    """The input that was printed, in the order of its entries."""
    entries = {int(match[1]): Fraction(match[2]) for match in ENTRY.finditer(found.out)}
    return tuple(entries[k] for k in sorted(entries))


def reason(found: Ran) -> str:
    """Why there is no answer: the first comment, or the last complaint."""
    if found.killed:
        return "killed long after the time limit"
    comments = [line[1:].strip() for line in found.out.splitlines() if line.startswith(";")]
    complaints = [line.strip() for line in found.err.splitlines() if line.strip()]
    return comments[0] if comments else complaints[-1] if complaints else ""


def certified(
    instance: Instance, command: Sequence[str | Path], timeout: float
) -> Certified | None:
    """What the certificates weigh that a command leaves, and what their audit takes."""
    with TemporaryDirectory() as folder:
        ran([*command, "--certificate", folder], LONGER * timeout)
        files = [path for path in Path(folder).rglob("*") if path.is_file()]
        if not files:
            return None
        checking: list[str | Path] = [
            *CIRC,
            "audit",
            instance.wanted,
            folder,
            "--network",
            instance.network,
        ]
        audit = ran(checking, LONGER * timeout)
        return Certified(sum(path.stat().st_size for path in files), audit.cpu, audit.code == 0)


# --- which there are ----------------------------------------------------------------------------


def circ(jobs: int) -> Tool:
    """Circ itself, in the environment that runs this."""

    def command(instance: Instance, timeout: float) -> Sequence[str | Path]:
        files = [instance.network, instance.wanted]
        return [*CIRC, "vnnlib", *files, "--timeout", f"{timeout:g}", "--jobs", str(jobs)]

    return Tool("circ", command, certifies=True)


def peer(name: str, python: str) -> Tool | None:
    """A peer, if it is installed there."""
    look = f"from importlib.util import find_spec; assert find_spec({PEERS[name]!r})"
    if subprocess.run([python, "-c", look], capture_output=True, check=False).returncode:
        return None
    script = Path(__file__).with_name("peers") / f"ask_{name}.py"

    def command(instance: Instance, timeout: float) -> Sequence[str | Path]:
        return [python, script, instance.network, instance.wanted, f"{timeout:g}"]

    return Tool(name, command)


def peers_python(given: str | None) -> str:
    """The interpreter of the peers' environment: as given, by the environment, or this one."""
    return given or os.environ.get(PEERS_PYTHON) or sys.executable

"""The certificates that `circ vnnlib --certificate` leaves of an `unsat`."""

from __future__ import annotations

import shlex
from pathlib import Path
from time import monotonic

from circ.compiler.vnnlib.problem import Problem
from circ.runtime.as_data import certificate_data
from circ.runtime.certificates.files import clear
from circ.runtime.certificates.folder import Certified, Uncertified
from circ.runtime.certificates.standard import certify_boxes
from circ.runtime.report import Line, certificate_lines
from circ.runtime.standard import Answer, Sat, Unsat
from circ.runtime.terminal import progress, show_lines


def certified(
    files: tuple[Path, Path],
    problem: Problem,
    found: Answer,
    folder: Path,
    timeout: float,
    as_json: bool,
) -> dict[str, object]:
    """Leave the certificates of an `unsat`, and say where, as data too; for `sat`, remove older ones.

    `files` are those of the network and of the property.
    """
    if isinstance(found, Sat):
        clear(folder, problem.asked.name)
    if not isinstance(found, Unsat):
        return {}
    start = monotonic()
    with progress(f"certificate of {problem.asked.name}", as_json):
        left = certify_boxes(problem, folder, timeout)
    seconds = monotonic() - start
    if not as_json:
        network, wanted = map(str, files)
        again = shlex.join(["circ", "audit", wanted, str(folder), "--network", network])
        show_lines(Line("plain", f"; {text}") for text in where(left, seconds, again))
    return certificate_data(left) | {"certificate_seconds": round(seconds, 3)}


def where(left: Certified | Uncertified, seconds: float, again: str) -> list[str]:
    """Where certificates are, and what checks them."""
    if isinstance(left, Certified) and not left.paths:
        return ["no certificate is needed: there are no inputs"]
    told = [line.text.strip() for line in certificate_lines(left, seconds)]
    return told if isinstance(left, Uncertified) else [*told, f"to check it: {again}"]

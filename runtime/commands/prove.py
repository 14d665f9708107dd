"""`circ prove`: decide claims, show each verdict as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.verdict import Refuted, Unknown
from circ.runtime.as_data import cache_data, certificate_data, verdict_data
from circ.runtime.cache.recall import NOWHERE, Answered, Keeping, answered
from circ.runtime.certificates.files import certify, require_apart
from circ.runtime.exits import Exit, exit_of, worst
from circ.runtime.report import Line, certificate_lines, verdict_lines
from circ.runtime.session import Opened, chosen, noted, settings, usable
from circ.runtime.terminal import (
    progress,
    show_data,
    show_diagnostics,
    show_lines,
    show_notes,
)


def run_prove(
    spec: Path,
    claims: Sequence[str],
    opened: Opened,
    limits: Limits,
    listed: int,
    as_json: bool,
    certificates: Path | None = None,
    keeping: Keeping = NOWHERE,
) -> int:
    """The worst claim's exit code; Ctrl-C leaves the claims after it undecided.

    `certificates` is the folder in which proofs are left, if they are to be, and `keeping` says where
    verdicts are kept.
    """
    program = usable(spec, settings(*opened))
    names = chosen(program, claims, "claim")
    if certificates is not None:
        require_apart(certificates, names, program.files_read)
    show_diagnostics(noted(program))
    if not names and not as_json:
        show_lines([Line("plain", f"{spec} has no claims")])
    codes: list[Exit] = []
    found: list[object] = []
    noticed = dict[str, None]()
    for name in names:
        reply = decided(name, program, limits, as_json, keeping.beside(spec))
        verdict = reply.verdict
        codes.append(exit_of(reply.obligation.expects, verdict))
        data = verdict_data(reply.obligation, verdict, reply.seconds)
        data |= cache_data(reply.first)
        if not as_json:
            show_lines(verdict_lines(reply.obligation, verdict, reply.seconds, listed, reply.first))
        noticed |= dict.fromkeys(reply.notes)
        if certificates is not None:
            question, start = program.question(name), monotonic()
            with progress(f"certificate of {name}", as_json) as move:
                move(0.0, f"at most {limits.timeout:g} s")
                left = certify(question, program.weights, verdict, certificates, limits.timeout)
            data |= certificate_data(left) | {"certificate_seconds": round(monotonic() - start, 3)}
            if not as_json:
                show_lines(certificate_lines(left, monotonic() - start))
        found.append(data)
        if isinstance(verdict, Unknown | Refuted) and verdict.interrupted:
            break
    show_notes(noticed)
    if as_json:
        params = {name: str(value) for name, value in program.params.items()}
        data = {"spec": str(spec), "params": params, "claims": found, "exit": int(worst(codes))}
        show_data(data)
    return worst(codes)


def decided(
    name: str, program: Program, limits: Limits, quiet: bool, folder: Path | None
) -> Answered:
    """A claim's verdict."""
    with progress(name, quiet) as move:
        return answered(program.question(name), program.weights, limits, move, folder)

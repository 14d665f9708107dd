"""`circ prove`: decide claims, show each verdict as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.obligation import Obligation
from circ.compiler.verdict import Refuted, Unknown, Verdict
from circ.runtime.answer import answer
from circ.runtime.as_data import certificate_data, verdict_data
from circ.runtime.certificates.files import certify
from circ.runtime.exits import Exit, exit_of, worst
from circ.runtime.report import Line, certificate_lines, verdict_lines
from circ.runtime.session import Opened, chosen, noted, settings, usable
from circ.runtime.terminal import progress, show_data, show_diagnostics, show_lines


def run_prove(
    spec: Path,
    claims: Sequence[str],
    opened: Opened,
    timeout: float,
    listed: int,
    as_json: bool,
    certificates: Path | None = None,
) -> int:
    """The worst claim's exit code; Ctrl-C leaves the claims after it undecided.

    `certificates` is the folder in which proofs are left, if they are to be.
    """
    program = usable(spec, settings(*opened))
    names = chosen(program, claims, "claim")
    show_diagnostics(noted(program))
    if not names and not as_json:
        show_lines([Line("plain", f"{spec} has no claims")])
    codes: list[Exit] = []
    found: list[object] = []
    for name in names:
        obligation, verdict, seconds = timed(name, program, timeout, as_json)
        codes.append(exit_of(obligation.expects, verdict))
        data = verdict_data(obligation, verdict, seconds)
        if not as_json:
            show_lines(verdict_lines(obligation, verdict, seconds, listed))
        if certificates is not None:
            question, start = program.question(name), monotonic()
            with progress(f"certificate of {name}", as_json) as move:
                move(0.0, f"at most {timeout:g} s")
                left = certify(question, program.weights, verdict, certificates, timeout)
            data |= certificate_data(left) | {"certificate_seconds": round(monotonic() - start, 3)}
            if not as_json:
                show_lines(certificate_lines(left, monotonic() - start))
        found.append(data)
        if isinstance(verdict, Unknown | Refuted) and verdict.interrupted:
            break
    if as_json:
        params = {name: str(value) for name, value in program.params.items()}
        data = {"spec": str(spec), "params": params, "claims": found, "exit": int(worst(codes))}
        show_data(data)
    return worst(codes)


def timed(
    name: str, program: Program, timeout: float, quiet: bool
) -> tuple[Obligation, Verdict, float]:
    """A claim's verdict, what it is shown with, and the seconds it took."""
    start = monotonic()
    with progress(name, quiet) as move:
        limits = Limits(timeout=timeout)
        obligation, verdict = answer(program.question(name), program.weights, limits, move)
    return obligation, verdict, monotonic() - start

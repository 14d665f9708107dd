"""`circ audit`: check the certificates of a spec's claims, one after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited
from circ.compiler.audit.rejected import Rejected
from circ.compiler.driver import Program
from circ.compiler.obligation import Question
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_certificate, no_certificates
from circ.runtime.certificates.files import audit_files, certificate_path, some_file
from circ.runtime.exits import Exit, worst
from circ.runtime.report import Line
from circ.runtime.session import Opened, checked, chosen, settings
from circ.runtime.terminal import progress, show_data, show_diagnostics, show_lines

TRUSTED = ("the front end", "Python's whole numbers and fractions")
TRUSTED_FAST = (*TRUSTED, "IEEE arithmetic of numpy")
ALIKE = "that all positions are treated alike"
"""At all lengths at once."""


def run_audit(
    spec: Path, folder: Path, claims: Sequence[str], opened: Opened, exact: bool, as_json: bool
) -> int:
    """0 where every certificate holds, 1 where one does not; one that is named has to be there."""
    program = checked(spec, settings(*opened))
    show_diagnostics(program.diagnostics)
    names = chosen(program.typed.scope.claims, claims, "claim")
    questions = {name: program.question(name) for name in names}
    there = [name for name in names if some_file(folder, questions[name])]
    without = [name for name in names if name not in there]
    if claims and without:
        raise CircError(no_certificate(str(certificate_path(folder, without[0]))))
    if not there:
        raise CircError(no_certificates(str(folder)))
    codes: list[Exit] = []
    found: list[object] = []
    for name in there:
        start = monotonic()
        with progress(f"auditing {name}", as_json):
            outcome = audit(program, folder, questions[name], exact)
        seconds = monotonic() - start
        codes.append(Exit.AS_CLAIMED if isinstance(outcome, Audited) else Exit.REFUTED)
        found.append(outcome_data(name, outcome, exact, seconds))
        if not as_json:
            show_lines(outcome_lines(name, outcome, exact, seconds))
    if as_json:
        data = {"spec": str(spec), "certificates": found, "without": without}
        show_data(data | {"exit": int(worst(codes))})
    elif without:
        show_lines([Line("faint", f"without a certificate: {', '.join(without)}")])
    return worst(codes)


def audit(program: Program, folder: Path, question: Question, exact: bool) -> Audited | str:
    """What the certificates of a claim prove, or the first reason why one does not hold."""
    try:
        return audit_files(question, program.weights, folder, exact=exact)
    except Rejected as reason:
        return str(reason)
    except OSError as error:
        path = error.filename or certificate_path(folder, question.name)
        raise CircError(no_certificate(str(path), error.strerror or "unreadable")) from error


def trusted(outcome: Audited | str, exact: bool) -> tuple[str, ...]:
    """What has to be right for an audit to be right, besides the audit itself."""
    known = TRUSTED if exact else TRUSTED_FAST
    alike = isinstance(outcome, Audited) and outcome.alike
    return (known[0], ALIKE, *known[1:]) if alike else known


def outcome_lines(name: str, outcome: Audited | str, exact: bool, seconds: float) -> list[Line]:
    """The outcome for a reader."""
    if isinstance(outcome, str):
        return [
            Line("bad", f"✗ {name}: rejected  ({seconds:.1f} s)"),
            Line("plain", f"    {outcome}"),
        ]
    holds = "the certificate holds" + (" at every length" if outcome.alike else "")
    return [
        Line("good", f"✓ {name}: {holds}  ({seconds:.1f} s)"),
        Line("plain", f"    {proved_of(outcome)}"),
        Line("faint", f"    trusted: {', '.join(trusted(outcome, exact))}"),
    ]


def proved_of(outcome: Audited) -> str:
    """Of what a certificate proves its claim, and how."""
    match outcome.by:
        case "witness":
            return "by its witness"
        case "inputs":
            return f"on all {outcome.words:,} inputs, one by one"
        case _:
            every = outcome.words is None
            words = (
                "every word of its domain, of whatever length"
                if every
                else f"all {outcome.words:,} words"
            )
            if not outcome.classes:
                return f"on {words}, one by one"
            classes = f"{outcome.classes:,} class" + ("" if outcome.classes == 1 else "es")
            return f"on {words}, in {classes}"


def outcome_data(
    name: str, outcome: Audited | str, exact: bool, seconds: float
) -> dict[str, object]:
    """The outcome as data; `words` is null where they are of every length."""
    data: dict[str, object] = {"claim": name, "holds": isinstance(outcome, Audited)}
    if isinstance(outcome, str):
        data["reason"] = outcome
    else:
        data |= {"by": outcome.by, "words": outcome.words, "classes": outcome.classes}
        data |= {"tool": outcome.tool}
    said = {"trusted": list(trusted(outcome, exact)), "exact": exact}
    return data | said | {"seconds": round(seconds, 3)}

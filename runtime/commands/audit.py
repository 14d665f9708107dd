"""`circ audit`: check the certificates of a spec's claims, one after the other."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited
from circ.compiler.audit.rejected import Rejected
from circ.compiler.driver import Program
from circ.compiler.obligation import Question
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_certificate, no_certificates
from circ.runtime.certificates.auditing import RejectedFile, audit_files
from circ.runtime.certificates.folder import certificate_path, some_file
from circ.runtime.exits import Exit, worst
from circ.runtime.report import Line, Style
from circ.runtime.session import Opened, chosen, noted, settings, usable
from circ.runtime.terminal import progress, show_data, show_diagnostics, show_lines

TRUSTED = ("the front end", "Python's whole numbers and fractions")
TRUSTED_FAST = (*TRUSTED, "IEEE arithmetic of numpy")
ALIKE = "that all positions are treated alike"
"""At all lengths at once."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The first reason why a claim's certificates do not hold, and the file that it is about."""

    reason: str
    path: Path | None


def run_audit(
    spec: Path,
    folder: Path,
    claims: Sequence[str],
    opened: Opened,
    exact: bool,
    as_json: bool,
    strict: bool = False,
) -> int:
    """0 where every certificate holds, 1 where one does not; one that is named has to be there.

    `strict`: 1 where a claim has none, unless it is expected to be refuted.
    """
    program = usable(spec, settings(*opened))
    names = chosen(program, claims, "claim")
    show_diagnostics(noted(program))
    questions = {name: program.question(name) for name in names}
    there = [name for name in names if some_file(folder, questions[name])]
    if claims and len(there) < len(names):
        missing = next(name for name in names if name not in there)
        raise CircError(no_certificate(str(certificate_path(folder, missing))))
    if not there:
        raise CircError(no_certificates(str(folder)))
    without = [name for name in names if name not in there and not refutable(program, name)]
    codes = [Exit.REFUTED] if strict and without else []
    found: list[object] = []
    for name in there:
        start = monotonic()
        with progress(f"auditing {name}", as_json):
            outcome = audit(program, folder, questions[name], exact)
        seconds = monotonic() - start
        codes.append(Exit.AS_CLAIMED if isinstance(outcome, Audited) else Exit.REFUTED)
        again = proving_again(spec, name, opened, folder)
        found.append(outcome_data(name, outcome, exact, seconds, again))
        if not as_json:
            show_lines(outcome_lines(name, outcome, exact, seconds, again))
    if as_json:
        data = {"spec": str(spec), "certificates": found, "without": without}
        show_data(data | {"exit": int(worst(codes))})
    elif without:
        style: Style = "bad" if strict else "doubt"
        show_lines([Line(style, f"without a certificate: {', '.join(without)}")])
    return worst(codes)


def refutable(program: Program, name: str) -> bool:
    """Whether a claim is expected to be refuted, so that no proof of it is wanted."""
    return program.typed.scope.claims[name].expects == "refuted"


def audit(program: Program, folder: Path, question: Question, exact: bool) -> Audited | Refused:
    """What the certificates of a claim prove, or the first reason why one does not hold."""
    return outcome_of(
        lambda: audit_files(question, program.weights, folder, exact=exact),
        certificate_path(folder, question.name),
    )


def outcome_of(check: Callable[[], Audited], path: Path) -> Audited | Refused:
    """What a check finds proved, or why not; `path` is meant where what cannot be read has no name."""
    try:
        return check()
    except RejectedFile as reason:
        return Refused(str(reason), reason.path)
    except Rejected as reason:
        return Refused(str(reason), None)
    except OSError as error:
        raise CircError(
            no_certificate(str(error.filename or path), error.strerror or "unreadable")
        ) from error


def proving_again(spec: Path, claim: str, opened: Opened, folder: Path) -> str:
    """The command that decides a claim and leaves its certificate anew."""
    params, checkpoints, outside = opened
    given = [word for value in params for word in ("--param", value)]
    given += [word for value in checkpoints for word in ("--checkpoint", value)]
    given += ["--allow-outside"] if outside else []
    words = ["circ", "prove", str(spec), claim, *given, "--certificate", str(folder)]
    return shlex.join(words)


def trusted(outcome: Audited | Refused, exact: bool) -> tuple[str, ...]:
    """What has to be right for an audit to be right, besides the audit itself."""
    known = TRUSTED if exact else TRUSTED_FAST
    alike = isinstance(outcome, Audited) and outcome.alike
    return (known[0], ALIKE, *known[1:]) if alike else known


def outcome_lines(
    name: str,
    outcome: Audited | Refused,
    exact: bool,
    seconds: float,
    again: str,
    advice: str = "prove the claim again",
) -> list[Line]:
    """The outcome for a reader; `again` is the command that follows the advice."""
    if isinstance(outcome, Refused):
        where = "" if outcome.path is None else f"{outcome.path}: "
        return [
            Line("bad", f"✗ {name}: rejected  ({seconds:.1f} s)"),
            Line("plain", f"    {where}{outcome.reason}"),
            Line("plain", f"    try: {advice}, with `{again}`"),
        ]
    holds = "the certificate holds" + (" at every length" if outcome.alike else "")
    return [
        Line("good", f"✓ {name}: {holds}  ({seconds:.1f} s)"),
        Line("plain", f"    {proved_of(outcome)}"),
        Line("faint", f"    trusted: {', '.join(trusted(outcome, exact))}"),
    ]


def proved_of(outcome: Audited) -> str:
    """Of what a certificate proves its claim, and how."""
    match outcome.by, outcome.words:
        case "witness", _:
            return "by its witness"
        case "parts", _:
            return f"on its whole domain, in {outcome.classes:,} part" + "s" * (
                outcome.classes != 1
            )
        case "inputs", int(count):
            return f"on all {count:,} inputs, by enumeration"
        case "counts", int(count):
            return f"on all {count:,} words, one for each count of letters"
        case by, count:
            words = "every word of its domain" if count is None else f"all {count:,} words"
            words += ", of whatever length" if by == "lengths" and count is None else ""
            if not outcome.classes:
                return f"on {words}, by enumeration"
            classes = f"{outcome.classes:,} class" + ("" if outcome.classes == 1 else "es")
            return f"on {words}, in {classes}"


def outcome_data(
    name: str, outcome: Audited | Refused, exact: bool, seconds: float, again: str
) -> dict[str, object]:
    """The outcome as data; `words` is null where they are of every length, or not counted.

    `file` is null where a rejection is about no one file, `again` the command that proves again.
    """
    data: dict[str, object] = {"claim": name, "holds": isinstance(outcome, Audited)}
    if isinstance(outcome, Refused):
        file = None if outcome.path is None else str(outcome.path)
        data |= {"reason": outcome.reason, "file": file, "again": again}
    else:
        data |= {"by": outcome.by, "words": outcome.words, "classes": outcome.classes}
        data |= {"tool": outcome.tool}
    said = {"trusted": list(trusted(outcome, exact)), "exact": exact}
    return data | said | {"seconds": round(seconds, 3)}

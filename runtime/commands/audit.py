"""`circ audit`: check the certificates of a spec's claims, one after the other."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited
from circ.compiler.driver import Program, claim_of
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import no_certificate, no_certificates
from circ.runtime.certificates.by_lemmas import audit_claim, has_files
from circ.runtime.certificates.folder import certificate_path
from circ.runtime.commands.audit_outcome import Refused, outcome_data, outcome_lines, outcome_of
from circ.runtime.exits import Exit, worst
from circ.runtime.report import Line, Style
from circ.runtime.session import Opened, chosen, noted, settings, usable
from circ.runtime.terminal import progress, show_data, show_diagnostics, show_lines


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
    there = [name for name in names if has_files(program, name, folder)]
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
            outcome = audit(program, folder, name, exact)
        seconds = monotonic() - start
        codes.append(Exit.AS_CLAIMED if isinstance(outcome, Audited) else Exit.REFUTED)
        again = proving_again(spec, name, opened, folder)
        lemmas = [lemma.name for lemma in program.lemmas(name)]
        found.append(outcome_data(name, outcome, exact, seconds, again) | {"lemmas": lemmas})
        if not as_json:
            show_lines(outcome_lines(name, outcome, exact, seconds, again))
            show_lines(using_lines(outcome, lemmas))
    if as_json:
        data = {"spec": str(spec), "certificates": found, "without": without}
        show_data(data | {"exit": int(worst(codes))})
    elif without:
        style: Style = "bad" if strict else "doubt"
        show_lines([Line(style, f"without a certificate: {', '.join(without)}")])
    return worst(codes)


def refutable(program: Program, name: str) -> bool:
    """Whether a claim is expected to be refuted, so that no proof of it is wanted."""
    return program.typed.scope.claims[claim_of(name)].expects == "refuted"


def audit(program: Program, folder: Path, name: str, exact: bool) -> Audited | Refused:
    """What the certificates of a claim prove, or the first reason why one does not hold."""
    return outcome_of(lambda: audit_claim(program, name, folder, exact=exact))


def using_lines(outcome: Audited | Refused, lemmas: Sequence[str]) -> list[Line]:
    """By which lemmas a claim is proved, where it is."""
    if isinstance(outcome, Refused) or not lemmas:
        return []
    named = ", ".join(f"`{lemma}`" for lemma in lemmas)
    words = "the certificates of these, and of what they are used for, hold too"
    return [Line("plain", f"    using {named}: {words}")]


def proving_again(spec: Path, claim: str, opened: Opened, folder: Path) -> str:
    """The command that decides a claim and leaves its certificate anew."""
    params, checkpoints, outside = opened
    given = [word for value in params for word in ("--param", value)]
    given += [word for value in checkpoints for word in ("--checkpoint", value)]
    given += ["--allow-outside"] if outside else []
    words = ["circ", "prove", str(spec), claim, *given, "--certificate", str(folder)]
    return shlex.join(words)

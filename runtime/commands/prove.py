"""`circ prove`: decide claims, show each verdict as it comes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import monotonic

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.verdict import Refuted, Unknown
from circ.runtime.as_data import Data, certificate_data, repro_data, verdict_data
from circ.runtime.cache.recall import NOWHERE, Answered, Keeping
from circ.runtime.certificates.by_lemmas import certify_claim, parts_of
from circ.runtime.certificates.files import clear, require_apart
from circ.runtime.certificates.folder import Certified, Uncertified
from circ.runtime.claim_lines import claim_data, claim_lines, values_data
from circ.runtime.claims import Claims
from circ.runtime.each import stopped
from circ.runtime.exits import Exit, exit_of, worst
from circ.runtime.outputs import make_folder
from circ.runtime.report import Line, certificate_lines, repro_lines
from circ.runtime.repro import Repros, reproduced_each
from circ.runtime.session import Opened, chosen, noted, settings, uncompared, usable
from circ.runtime.terminal import (
    progress,
    show_data,
    show_diagnostics,
    show_lines,
    show_notes,
)

UNREACHED = Unknown("interrupted before it was looked at", "", interrupted=True)
"""Of a claim that comes after the one at which the user stopped."""


@dataclass(frozen=True, slots=True)
class Reached:
    """What came of a claim, what there is to note of it, and whether the user stopped it."""

    code: Exit
    data: Data
    notes: tuple[str, ...] = ()
    interrupted: bool = False


@dataclass(frozen=True, slots=True)
class Proving:
    """How claims are decided and told.

    `certificates` and `repros` are where proofs and replays of witnesses are left.
    """

    claims: Claims
    listed: int
    as_json: bool
    certificates: Path | None
    repros: Repros | None

    @property
    def program(self) -> Program:
        """The spec."""
        return self.claims.program


def run_prove(
    spec: Path,
    claims: Sequence[str],
    opened: Opened,
    limits: Limits,
    listed: int,
    as_json: bool,
    certificates: Path | None = None,
    keeping: Keeping = NOWHERE,
    repros: Repros | None = None,
) -> int:
    """The worst claim's exit code; Ctrl-C leaves the claims after it undecided.

    `certificates` is the folder in which proofs are left, if they are to be, and `repros` the one of
    files that replay a witness; `keeping` says where verdicts are kept.
    """
    program = usable(spec, settings(*opened))
    names = chosen(program, claims, "claim")
    if certificates is not None:
        parts = (part.name for name in names for part in parts_of(program, name))
        require_apart(certificates, dict.fromkeys(parts), program.files_read)
    if repros is not None:
        repros.require_free(names, program)
        make_folder(repros.folder)
    show_diagnostics(noted(program))
    if not names and not as_json:
        show_lines([Line("plain", f"{spec} has no claims")])
    deciding = Claims(program, limits, keeping.beside(spec))
    how = Proving(deciding, listed, as_json, certificates, repros)
    reached = each(names, how)
    left = names[len(reached) :]
    reached += [unreached(program, name) for name in left]
    if left and not as_json:
        show_lines([Line("doubt", f"? not decided: {', '.join(left)}")])
    notes = [note for one in reached for note in one.notes]
    show_notes(dict.fromkeys([*uncompared(program), *notes]))
    code = worst(one.code for one in reached)
    if as_json:
        params = {name: str(value) for name, value in program.params.items()}
        found = [one.data for one in reached]
        show_data({"spec": str(spec), "params": params, "claims": found, "exit": int(code)})
    return code


def each(names: Sequence[str], how: Proving) -> list[Reached]:
    """What came of the claims, in order, up to the one at which the user stopped."""
    reached = list[Reached]()
    with suppress(KeyboardInterrupt):
        for name in names:
            reached.append(told(name, how))
            if reached[-1].interrupted:
                break
    return reached


def unreached(program: Program, name: str) -> Reached:
    """A claim that was not looked at."""
    each = program.each(name)
    shown = program.question(name).at(None) if each is None else replace(each.head, name=name)
    return Reached(Exit.UNKNOWN, verdict_data(shown, UNREACHED))


def told(name: str, how: Proving) -> Reached:
    """A claim, decided and shown, and its certificate left where one is asked for."""
    reply = decided(name, how)
    verdict = reply.verdict
    data = claim_data(reply)
    if not how.as_json:
        show_lines(claim_lines(reply, how.listed))
    code = exit_of(reply.obligation.expects, verdict)
    interrupted = isinstance(verdict, Unknown | Refuted) and verdict.interrupted
    interrupted = interrupted or stopped(reply.values)
    if how.certificates is not None:
        try:
            data |= certified(name, how, how.certificates)
        except KeyboardInterrupt:
            clear(how.certificates, name)
            data |= certificate_told(Uncertified("interrupted"), how.as_json, 0.0)
            interrupted = True
    if how.repros is not None:
        try:
            data = replayed(name, reply, data, how, how.repros)
        except KeyboardInterrupt:
            interrupted = True
    return Reached(code, data, reply.notes, interrupted)


def decided(name: str, how: Proving) -> Answered:
    """A claim's verdict."""
    with progress(name, how.as_json) as move:
        return how.claims.answer(name, move)


def certified(name: str, how: Proving, folder: Path) -> Data:
    """The certificates of a claim that was decided, left in a folder, and what is told of them."""
    start = monotonic()
    with progress(f"certificate of {name}", how.as_json) as move:
        move(0.0, f"at most {how.claims.limits.timeout:g} s")
        left = certify_claim(how.claims, name, folder)
    return certificate_told(left, how.as_json, monotonic() - start)


def replayed(name: str, reply: Answered, data: Data, how: Proving, repros: Repros) -> Data:
    """What was told of a claim, with the files that replay its witnesses, of one at several values at each."""
    left = reproduced_each(how.program, name, reply, repros)
    there = [repro for repro in left if repro is not None]
    if not how.as_json:
        otherwise = [repro.path for repro in there if not repro.agrees]
        show_lines(repro_lines([repro.path for repro in there], otherwise))
    if reply.head is None:
        return data | repro_data(left[0])
    told = zip(values_data(reply.head, reply.values), left, strict=True)
    return data | {"values": [value | repro_data(repro) for value, repro in told]}


def certificate_told(left: Certified | Uncertified | None, as_json: bool, seconds: float) -> Data:
    """Where a certificate is, as data, and shown where answers are not."""
    if not as_json:
        show_lines(certificate_lines(left, seconds))
    return certificate_data(left) | {"certificate_seconds": round(seconds, 3)}

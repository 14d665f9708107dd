"""Certificates of claims by lemmas: those of the lemmas, of the inclusions, and of what follows from both.

What follows is a claim of its own: the goal holds wherever the lemmas do. The three together prove the claim, and
an audit asks for all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from circ.compiler.aided import aided
from circ.compiler.audit.audit import Audited
from circ.compiler.driver import Program
from circ.compiler.obligation import Obligation, Question
from circ.compiler.verdict import Proved, Verdict
from circ.runtime.certificates.at_values import audit_values, certify_values
from circ.runtime.certificates.auditing import audit_files
from circ.runtime.certificates.files import certify, clear
from circ.runtime.certificates.folder import Certified, Uncertified, some_file
from circ.runtime.claims import Claims

Left = Certified | Uncertified | None


def certify_claim(claims: Claims, name: str, folder: Path) -> Left:
    """Write the certificates of a claim that was decided, those of its lemmas too; raises as `certify`."""
    reply, parts = claims.known[name], list[Certified]()
    each = claims.program.each(name)
    if each is not None:
        weights, timeout = claims.program.weights, claims.limits.timeout
        return certify_values(each, reply, weights, folder, timeout)
    if isinstance(reply.verdict, Proved):
        for lemma, rest in zip(claims.program.lemmas(name), reply.rests, strict=True):
            assert rest.covers is not None
            left = certify_claim(claims, lemma.name, folder)
            if isinstance(left, Certified):
                parts.append(left)
                left = written(claims, lemma.covers, rest.covers, folder)
            if not isinstance(left, Certified):
                forget(claims.program, name, folder)
                reason = left.reason if left is not None else "it is not proved"
                return Uncertified(f"by the lemma `{lemma.name}`: {reason}")
            parts.append(left)
    left = written(claims, following(claims.program, name), reply.verdict, folder)
    return together([left, *parts]) if isinstance(left, Certified) else left


def written(claims: Claims, question: Question, verdict: Verdict, folder: Path) -> Left:
    """Write the certificates of one part of a proof."""
    return certify(question, claims.program.weights, verdict, folder, claims.limits.timeout)


def forget(program: Program, name: str, folder: Path) -> None:
    """Remove what was written of a claim by itself; its lemmas have theirs."""
    clear(folder, name)
    for lemma in program.lemmas(name):
        clear(folder, lemma.covers.name)


def together(parts: list[Certified]) -> Certified:
    """All files as one certificate, each once."""
    paths = dict.fromkeys(path for part in parts for path in part.paths)
    return Certified(tuple(paths), sum(path.stat().st_size for path in paths))


def following(program: Program, name: str) -> Question:
    """A claim, where it has lemmas as one about inputs at which these hold."""
    if not program.lemmas(name):
        return program.question(name)
    asked = program.aided(name)

    def at(length: int | None) -> Obligation:
        return aided(asked.at(length))

    return replace(asked, at=at, alike=at)


def parts_of(program: Program, name: str) -> Iterator[Question]:
    """All that may have to be proved so that a claim is, itself last; or the claim at each value."""
    each = program.each(name)
    if each is not None:
        yield from (at.question for at in each.values)
        return
    for lemma in program.lemmas(name):
        yield from parts_of(program, lemma.name)
        yield lemma.covers
    yield following(program, name)


def has_files(program: Program, name: str, folder: Path) -> bool:
    """Whether a claim has a certificate of its own, at some value or length."""
    each = program.each(name)
    own = [following(program, name)] if each is None else [at.question for at in each.values]
    return any(some_file(folder, question) for question in own)


def audit_claim(program: Program, name: str, folder: Path, *, exact: bool) -> Audited:
    """Check all certificates that a claim is proved by; what that of the claim itself says. Raises as `audit_files`."""
    each = program.each(name)
    if each is not None:
        return audit_values(each, program.weights, folder, exact=exact)
    *others, own = {part.name: part for part in parts_of(program, name)}.values()
    for part in others:
        audit_files(part, program.weights, folder, exact=exact)
    return audit_files(own, program.weights, folder, exact=exact)

"""Auditing a certificate: the obligation is derived again, and the proof checked step by step.

What stands in the certificate is believed of nothing. Its classes have to be those of the claim, its
automata to accept every word of a class, its splits to leave nothing out, and every potential to be
what it says. `Rejected` has the first reason why it is not so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import BinaryIO

from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.divided import divided
from circ.compiler.audit.proofs import Audit, Confirm, audit_of
from circ.compiler.audit.record import Header, class_of, class_text, header_of, lines
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Audited:
    """A claim that a certificate proves: of how many words, in how many classes.

    `words` is None where they are of every length. `alike`: it rests on that all positions are treated
    alike.
    """

    claim: str
    tool: str
    words: int | None
    classes: int
    alike: bool = False


def audited(
    obligation: Obligation,
    weights: Weights,
    stream: BinaryIO,
    quick: Callable[[Audit], Confirm] | None = None,
) -> Audited:
    """Check a certificate of a claim; raises `Rejected` with the first reason why it does not hold.

    What `quick` confirms is not checked again in whole numbers.
    """
    try:
        return checked(obligation, weights, stream, quick)
    except RecursionError as error:
        raise Rejected("the claim, or its proof, is too deep to be audited") from error


def checked(
    obligation: Obligation,
    weights: Weights,
    stream: BinaryIO,
    quick: Callable[[Audit], Confirm] | None,
) -> Audited:
    """As `audited`; a claim or a proof that is too deep raises `RecursionError`."""
    records = lines(stream)
    first = next(records, None)
    if first is None:
        raise Rejected("the file is empty")
    header = header_of(first)
    expected(header, obligation, weights)
    claim = divided(obligation, weights)
    audit = audit_of(claim, weights, header.fixed)
    require(claim.language.count() == header.words, "it counts other words than there are")
    require(header.words > 0, "no word meets the conditions")
    require(len(claim.language.classes) == header.classes, "it counts other classes than there are")
    audit.met(header.witness)
    confirm = quick(audit) if quick else None
    missing = {class_text(values): kind for kind, values in enumerate(claim.language.classes)}
    for data in records:
        record = class_of(data, claim.word.letters, claim.word.length)
        kind = missing.pop(record.values, None)
        if kind is None:
            raise Rejected("a class is not among those of the claim, or is there twice")
        audit.checked(kind, record, confirm)
    require(not missing, "a class is left out")
    return Audited(header.claim, header.tool, header.words, header.classes)


def expected(header: Header, obligation: Obligation, weights: Weights) -> None:
    """Raise `Rejected` where a certificate is about something else."""
    require(header.claim == obligation.name, "it is about another claim")
    require(header.obligation == obligation_digest(obligation), "the claim has changed since")
    require(header.tensors == tensor_digests(obligation, weights), "a tensor has changed since")

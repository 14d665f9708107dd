"""Auditing a certificate: the obligation is derived again, and the proof checked step by step.

What stands in the certificate is believed of nothing. `Rejected` has the first reason why it does not
hold.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from circ.compiler.audit.classes import checked_by_paths
from circ.compiler.audit.counts import checked_by_counts
from circ.compiler.audit.digest import obligation_digest, require_unchanged, tensor_digests
from circ.compiler.audit.inputs import Fast, checked_by_inputs
from circ.compiler.audit.parts import checked as parts
from circ.compiler.audit.potentials import Confirm
from circ.compiler.audit.proofs import Audit
from circ.compiler.audit.record import Data, Header, first_of, header_of, lines
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.witness import checked_by_witness
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Audited:
    """A claim that a certificate proves, by which kind of proof: of how many inputs, in how many classes
    of words or parts of a box.

    A kind without these has none. `words` is None where they are of every length, or not counted;
    `alike`: it rests on that all positions are treated alike.
    """

    claim: str
    tool: str
    by: str
    words: int | None
    classes: int = 0
    alike: bool = False


@dataclass(frozen=True, slots=True)
class Quick:
    """The fast ways to check: what `paths` confirms is not checked again in whole numbers, nor what
    `inputs` is sure of; `parts` turns to whole numbers by itself."""

    paths: Callable[[Audit], Confirm]
    inputs: Fast
    parts: parts.Fast


def audited(
    obligation: Obligation, weights: Weights, stream: BinaryIO, quick: Quick | None = None
) -> Audited:
    """Check a certificate of a claim; raises `Rejected` with the first reason why it does not hold."""
    try:
        return checked(obligation, weights, stream, quick)
    except RecursionError as error:
        raise Rejected("the claim, or its proof, is too deep to be audited") from error


def checked(
    obligation: Obligation, weights: Weights, stream: BinaryIO, quick: Quick | None
) -> Audited:
    """As `audited`; a claim or a proof that is too deep raises `RecursionError`."""
    require(obligation.over is None, "no certificate speaks of float executions")
    records = lines(stream)
    header = header_of(first_of(records))
    expected(header, obligation, weights)
    words, classes = by_kind(header, obligation, weights, records, quick)
    return Audited(header.claim, header.tool, header.by, words, classes)


def by_kind(
    header: Header,
    obligation: Obligation,
    weights: Weights,
    records: Iterator[Data],
    quick: Quick | None,
) -> tuple[int | None, int]:
    """How many inputs a proof of some kind is about, and how many classes; raises `Rejected`."""
    match header.by:
        case "paths":
            confirm = quick.paths if quick else None
            return checked_by_paths(header.rest, records, obligation, weights, confirm)
        case "inputs":
            none_left(records)
            fast = quick.inputs if quick else None
            return checked_by_inputs(header.rest, obligation, weights, fast), 0
        case "counts":
            none_left(records)
            fast = quick.inputs if quick else None
            return checked_by_counts(header.rest, obligation, weights, fast), 0
        case "parts":
            quickly = quick.parts if quick else None
            return None, parts.checked_by_parts(header.rest, records, obligation, weights, quickly)
        case "witness":
            none_left(records)
            return checked_by_witness(header.rest, obligation, weights), 0
        case _:
            raise Rejected("it proves by means that are not known")


def none_left(records: Iterator[Data]) -> None:
    """Raise `Rejected` where more is said than there should be."""
    require(next(records, None) is None, "it has a line too many")


def expected(header: Header, obligation: Obligation, weights: Weights) -> None:
    """Raise `Rejected` where a certificate is about something else."""
    require(header.claim == obligation.name, "it is about another claim")
    require(header.obligation == obligation_digest(obligation), "the claim has changed since")
    require_unchanged(header.tensors, tensor_digests(obligation, weights))

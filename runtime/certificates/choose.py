"""Which kind of proof a certificate has: few inputs are gone through, many go by paths, or by counts; boxes
go by parts."""

from __future__ import annotations

from time import monotonic
from typing import BinaryIO

from circ.compiler.obligation import Obligation, Reals
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved
from circ.runtime.certificates.counts import without_order, write_by_counts
from circ.runtime.certificates.inputs import (
    inputs_of,
    write_by_inputs,
    write_witness,
)
from circ.runtime.certificates.parts import write_by_parts
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate

FEW = 1 << 16
"""So many inputs, or counts of letters, are gone through in a second or two."""

BRIEFLY = 8.0
"""Seconds for paths, where inputs or counts of letters can be gone through instead."""


def write_proof(
    obligation: Obligation, weights: Weights, verdict: Proved, until: float, stream: BinaryIO
) -> None:
    """Write the certificate of a claim that was proved; raises `NoCertificate` with the reason.

    `until` is in seconds of `time.monotonic`.
    """
    if obligation.quantities:
        raise NoCertificate("it is about numbers of inputs")
    if obligation.over is not None:
        raise NoCertificate(f"it is about {obligation.over} executions")
    if obligation.quantifier == "exists":
        if verdict.example is None:
            raise NoCertificate("no input was found")
        write_witness(obligation, weights, verdict.example.witness, stream)
        return
    if any(isinstance(binder.values, Reals) for binder in obligation.binders):
        write_by_parts(obligation, weights, until, stream)
        return
    count = inputs_of(obligation)
    if count is not None and (count <= FEW or len(obligation.binders) != 1):
        write_by_inputs(obligation, weights, until, stream)
    else:
        write_of_many(obligation, weights, count is None, until, stream)


def write_of_many(
    obligation: Obligation, weights: Weights, too_many: bool, until: float, stream: BinaryIO
) -> None:
    """As `write_proof`, for many words of one binder: by counts if these are few, else by paths if they
    are found, else by going through counts, or through the words unless these are `too_many`."""
    orderless = without_order(obligation, weights)
    if orderless is not None and orderless.words.count <= FEW:
        write_by_counts(orderless, obligation, weights, until, stream)
        return
    through = orderless is not None or not too_many
    try:
        briefly = min(until, monotonic() + BRIEFLY) if through else until
        write_certificate(obligation, weights, briefly, stream)
    except NoCertificate:
        if not through:
            raise
        stream.seek(0)
        stream.truncate()
        if orderless is None:
            write_by_inputs(obligation, weights, until, stream)
        else:
            write_by_counts(orderless, obligation, weights, until, stream)

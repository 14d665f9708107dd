"""Which kind of proof a certificate has: few inputs are gone through, many go by paths."""

from __future__ import annotations

from time import monotonic
from typing import BinaryIO

from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved
from circ.runtime.certificates.inputs import (
    inputs_of,
    write_by_inputs,
    write_witness,
)
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate

FEW = 1 << 16
"""So many inputs are gone through in a second or two."""

BRIEFLY = 8.0
"""Seconds for paths, where the inputs can be gone through instead."""


def write_proof(
    obligation: Obligation, weights: Weights, verdict: Proved, until: float, stream: BinaryIO
) -> None:
    """Write the certificate of a claim that was proved; raises `NoCertificate` with the reason.

    `until` is in seconds of `time.monotonic`.
    """
    if obligation.quantities:
        raise NoCertificate("it is about numbers of inputs")
    if obligation.quantifier == "exists":
        if verdict.example is None:
            raise NoCertificate("no input was found")
        write_witness(obligation, weights, verdict.example.witness, stream)
        return
    count = inputs_of(obligation)
    if count is None:
        write_certificate(obligation, weights, until, stream)
    elif count <= FEW or len(obligation.binders) != 1:
        write_by_inputs(obligation, weights, until, stream)
    else:
        try:
            write_certificate(obligation, weights, min(until, monotonic() + BRIEFLY), stream)
        except NoCertificate:
            stream.seek(0)
            stream.truncate()
            write_by_inputs(obligation, weights, until, stream)

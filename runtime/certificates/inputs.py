"""Certificates that say: go through the inputs; or that have the one input that is asked for."""

from __future__ import annotations

from fractions import Fraction
from time import monotonic
from typing import BinaryIO

from circ.compiler.audit.bound import asked
from circ.compiler.audit.in_floats import InFloats
from circ.compiler.audit.inputs import MOST_INPUTS, Tick, gone_through
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.witness import checked_by_witness
from circ.compiler.ir import Index
from circ.compiler.obligation import Obligation, Witness, Words
from circ.compiler.tensor import Weights
from circ.runtime.certificates.opening import opening, put
from circ.runtime.certificates.work import NoCertificate


def inputs_of(obligation: Obligation) -> int | None:
    """How many inputs an audit would go through, whatever their conditions; None for too many.

    Those of several binders count one by one: each is sorted apart from the others.
    """
    counts: list[int] = []
    for bound in obligation.binders:
        if not isinstance(bound.values, Words) or not isinstance(bound.type.sort, Index):
            return None
        counts.append(bound.type.sort.size**bound.type.entries)
    return sum(counts) if all(count <= MOST_INPUTS for count in counts) else None


def before(until: float) -> Tick:
    """What raises `NoCertificate` from some time on, in seconds of `time.monotonic`."""

    def in_time() -> None:
        if monotonic() > until:
            raise NoCertificate("time ran out")

    return in_time


def write_by_inputs(
    obligation: Obligation, weights: Weights, until: float, stream: BinaryIO
) -> None:
    """Write that all inputs are right; raises `NoCertificate` where an audit would not find so."""
    try:
        found = gone_through(asked(obligation, weights), weights, InFloats(), before(until))
    except Rejected as reason:
        raise NoCertificate(str(reason)) from reason
    put(stream, opening(obligation, weights, "inputs") | {"words": str(found)})


def write_witness(
    obligation: Obligation, weights: Weights, witness: Witness, stream: BinaryIO
) -> None:
    """Write an input as what shows that there is one; raises `NoCertificate` where it shows nothing."""
    given = {name: [plain(value) for value in values] for name, values in witness.values}
    record: dict[str, object] = {"input": given}
    try:
        checked_by_witness(record, obligation, weights)
    except Rejected as reason:
        raise NoCertificate(str(reason)) from reason
    put(stream, opening(obligation, weights, "witness") | record)


def plain(value: Fraction | int) -> int | str:
    """A code as a number, a rational number as text."""
    return str(value) if isinstance(value, Fraction) else value

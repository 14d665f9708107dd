"""Certificates of claims about words as bytes: written, audited, and put in the place of others."""

from __future__ import annotations

from array import array
from dataclasses import replace
from functools import partial
from io import BytesIO
from itertools import product
from random import Random
from time import monotonic

from circ.compiler.audit.audit import audited
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.rejected import Rejected
from circ.compiler.finding import Fails, Limits, silent
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate
from circ.runtime.engines import enumeration
from tests.agreement.corruption import Records, proves_nothing, records


def certificate(claim: Obligation, weights: Weights) -> bytes | None:
    """The certificate of a claim, if there is one."""
    stream = BytesIO()
    try:
        write_certificate(claim, weights, monotonic() + 60, stream)
    except NoCertificate:
        return None
    return stream.getvalue()


def accepted(claim: Obligation, weights: Weights, data: bytes, *, exact: bool = True) -> bool:
    """Whether an audit says that a certificate holds."""
    try:
        audited(claim, weights, BytesIO(data), None if exact else QUICK)
    except Rejected:
        return False
    return True


def written(claim: Obligation, weights: Weights) -> Records:
    """The certificate of a claim that has one."""
    data = certificate(claim, weights)
    assert data is not None
    assert accepted(claim, weights, data)
    return records(data)


def stamped(lines: Records, claim: Obligation, weights: Weights) -> Records:
    """The lines of a certificate made to be about a claim."""
    about: dict[str, object] = {
        "obligation": obligation_digest(claim),
        "tensors": tensor_digests(claim, weights),
    }
    return [{**lines[0], **about}, *lines[1:]]


def proves_nothing_false(claim: Obligation, weights: Weights, most: int) -> None:
    """Check that the certificate of a true claim, given the hashes of a false one of the same form, is
    rejected, as it is and after any change."""
    lines, false = written(claim, weights), false_weights(claim, weights)
    proves_nothing(stamped(lines, claim, false), most, partial(accepted, claim, false))


def false_weights(claim: Obligation, weights: Weights) -> dict[str, Tensor]:
    """Weights of which the claim does not hold: one tensor at random."""
    for seed, key in product(range(20), weights):
        chance = Random(seed)
        values = array("d", [value + chance.uniform(-9, 9) for value in weights[key].values])
        others = {**weights, key: replace(weights[key], values=values)}
        if isinstance(enumeration.decide(claim, others, Limits(), silent), Fails):
            return others
    raise AssertionError("no tensor matters")

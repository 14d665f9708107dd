"""What becomes of a proof's certificate: both audits accept it, or one refuses it, or there is none."""

from __future__ import annotations

from io import BytesIO
from time import monotonic

from circ.compiler.audit.audit import audited
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.rejected import Rejected
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.runtime.certificates.parts import write_by_parts
from circ.runtime.certificates.work import NoCertificate

SECONDS = 5.0
"""To write one in."""

REFUSED = "refused"


def certified(asked: Obligation, weights: Weights, proved: bool) -> str:
    """What to count a certificate as; nothing where nothing is proved."""
    if not proved:
        return ""
    stream = BytesIO()
    try:
        write_by_parts(asked, weights, monotonic() + SECONDS, stream)
    except NoCertificate as reason:
        return f"not there: {reason}"
    for name, readings in (("floats", QUICK), ("whole numbers", None)):
        stream.seek(0)
        try:
            audited(asked, weights, stream, readings)
        except Rejected as reason:
            return f"{REFUSED} in {name}: {reason}"
    return "accepted, in floats and in whole numbers"

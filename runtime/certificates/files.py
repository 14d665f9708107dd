"""Certificates as files: one a claim, in a folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from circ.compiler.audit.audit import Audited, audited
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Verdict
from circ.lang.diagnostic import CircError
from circ.lang.errors import writing
from circ.runtime.atomic import replacing


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that was written: its file, and of how many bytes."""

    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Uncertified:
    """Why a claim that was proved has no certificate."""

    reason: str


def certificate_path(folder: Path, claim: str) -> Path:
    """Where the certificate of a claim stands."""
    return folder / f"{claim}.cert"


def certify(
    obligation: Obligation, weights: Weights, verdict: Verdict, folder: Path, timeout: float
) -> Certified | Uncertified | None:
    """Write the certificate of a claim that was proved, if there can be one; None for another.

    Raises `CircError` where the file cannot be written.
    """
    from circ.runtime.certificates.work import NoCertificate
    from circ.runtime.certificates.write import write_certificate

    if not isinstance(verdict, Proved):
        return None
    if obligation.quantifier == "exists":
        return Uncertified("that something exists is shown by the input itself")
    path = certificate_path(folder, obligation.name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with replacing(path, overwrite=True) as stream:
            write_certificate(obligation, weights, monotonic() + timeout, stream)
    except NoCertificate as reason:
        return Uncertified(str(reason))
    except OSError as error:
        why = error.strerror or str(error)
        raise CircError(writing.cannot_write(str(folder), why)) from error
    return Certified(path, path.stat().st_size)


def audit_file(obligation: Obligation, weights: Weights, path: Path, *, exact: bool) -> Audited:
    """Check a certificate; raises `Rejected`, and `OSError` where it cannot be read."""
    with path.open("rb") as stream:
        if exact:
            return audited(obligation, weights, stream)
        from circ.compiler.audit.quick import quick_of

        return audited(obligation, weights, stream, quick_of)

"""The certificates of claims in a folder: what their files are called, and what came of writing them."""

from __future__ import annotations

from dataclasses import dataclass
from glob import escape
from pathlib import Path

from circ.compiler.obligation import Question


@dataclass(frozen=True, slots=True)
class Certified:
    """Certificates that were written: their files, one a length, and how many bytes in all."""

    paths: tuple[Path, ...]
    size: int


@dataclass(frozen=True, slots=True)
class Uncertified:
    """Why a claim that was proved has no certificate."""

    reason: str


def certificate_path(folder: Path, claim: str, length: int | None = None) -> Path:
    """Where the certificate of a claim stands, or that of one length of its word."""
    return folder / (f"{claim}.cert" if length is None else f"{claim}.{length}.cert")


def onwards_path(folder: Path, claim: str) -> Path:
    """Where the certificate for all lengths from some one on stands."""
    return folder / f"{claim}.onwards.cert"


def of_lengths(folder: Path, claim: str) -> list[Path]:
    """The certificates of lengths of a claim's word that are there, that of all from some one on too."""
    names = (path.name.removesuffix(".cert") for path in folder.glob(f"{escape(claim)}.*.cert"))
    lengths = (name.removeprefix(f"{claim}.") for name in names)
    return [folder / f"{claim}.{n}.cert" for n in lengths if n == "onwards" or n.isdecimal()]


def some_file(folder: Path, question: Question) -> bool:
    """Whether a claim has a certificate, at some length of its word."""
    if question.lengths is None:
        return certificate_path(folder, question.name).exists()
    return of_lengths(folder, question.name) != []


def lengths_there(folder: Path, question: Question) -> list[int]:
    """The lengths of a claim's word that have a certificate."""
    names = (path.name.split(".")[-2] for path in of_lengths(folder, question.name))
    plain = (name for name in names if name.isdecimal() and name.isascii() and len(name) < 6)
    found = sorted(int(name) for name in plain if name[0] != "0")
    assert question.lengths is not None
    first, last = question.lengths.first, question.lengths.last
    return [n for n in found if first <= n and (last is None or n <= last)]

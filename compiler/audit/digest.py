"""Hashes of what a certificate is about: the obligation, and the tensors that it reads."""

from __future__ import annotations

import hashlib
import json
import sys
from array import array
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from fractions import Fraction

from circ.compiler.audit.rejected import require
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights


def obligation_digest(obligation: Obligation) -> str:
    """SHA-256 of a claim: its circuit, what its inputs range over, and what it expects."""
    found = hashlib.sha256()
    circuit = obligation.circuit
    outputs = sorted(circuit.outputs.items())
    about = (obligation.name, obligation.quantifier, obligation.expects, obligation.binders)
    for value in (*about, *circuit.ops, *circuit.types, outputs):
        found.update(json.dumps(plain(value), separators=(",", ":")).encode() + b"\n")
    return found.hexdigest()


def plain(value: object) -> object:
    """A value as JSON: records by the names of their types, fractions as text."""
    if is_dataclass(value):
        return [type(value).__name__, *(plain(getattr(value, f.name)) for f in fields(value))]
    if isinstance(value, tuple | list):
        parts: list[object] = [*value]
        return [plain(part) for part in parts]
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    assert isinstance(value, str | int), "a field of another kind"
    return value


def tensor_digests(obligation: Obligation, weights: Weights) -> dict[str, str]:
    """SHA-256 of each tensor that a claim reads, by its key."""
    return {key: tensor_digest(weights[key]) for key in sorted({*obligation.circuit.weights})}


def require_unchanged(found: Mapping[str, str], digests: Mapping[str, str]) -> None:
    """Raise `Rejected` unless hashes that were found are those of the tensors that a claim reads."""
    for key, digest in digests.items():
        require(found.get(key) == digest, f"the tensor {key} has changed since")
    require(found.keys() == digests.keys(), "it names tensors that the claim does not read")


def tensor_digest(tensor: Tensor) -> str:
    """SHA-256 of a tensor's shape, and of its values as little-endian doubles."""
    values: array[float] = array("d", tensor.values)
    if sys.byteorder == "big":
        values.byteswap()
    head = json.dumps([tensor.dtype, list(tensor.shape)], separators=(",", ":"))
    return hashlib.sha256(head.encode() + b"\n" + values.tobytes()).hexdigest()

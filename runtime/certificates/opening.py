"""How every certificate begins, and its lines."""

from __future__ import annotations

import json
from importlib.metadata import version
from typing import BinaryIO

from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.record import FORMAT
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights

Data = dict[str, object]


def tool() -> str:
    """What writes certificates."""
    return f"circ {version('circ-lang')}"


def opening(obligation: Obligation, weights: Weights, by: str) -> Data:
    """What a certificate is about, and the kind of its proof."""
    return {
        "format": FORMAT,
        "tool": tool(),
        "claim": obligation.name,
        "by": by,
        "obligation": obligation_digest(obligation),
        "tensors": tensor_digests(obligation, weights),
    }


def put(stream: BinaryIO, record: Data) -> None:
    """A line of the file."""
    stream.write(json.dumps(record, separators=(",", ":"), allow_nan=False).encode() + b"\n")

"""How many words a second enumeration decides, beside a plain float64 pass over the same words.

    python benchmarks/enumeration.py [positions]

The model is a random one-head, one-layer transformer; the domain are the words with at most two of
two members, and the claim compares its answer with that of a slightly different model.
"""

from __future__ import annotations

import sys
from array import array
from fractions import Fraction

import numpy as np

from circ.compiler.builder import Builder, both, codes, combine, either, matmul, number, stack, take, total
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Index,
    Input,
    Lookup,
    Relu,
    Select,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.tensor import Tensor

MEMBERS, WIDTH, HIDDEN = 6, 16, 32


def weights(positions: int, seed: int) -> dict[str, Tensor]:
    """Random float32 tensors."""
    rng = np.random.default_rng(seed)
    shapes = {
        "embed": (MEMBERS, WIDTH), "pos": (positions, WIDTH), "W_Q": (WIDTH, WIDTH),
        "W_K": (WIDTH, WIDTH), "W_V": (WIDTH, WIDTH), "W_O": (WIDTH, WIDTH),
        "W_in": (HIDDEN, WIDTH), "b_in": (HIDDEN,), "W_out": (WIDTH, HIDDEN), "unembed": (MEMBERS, WIDTH),
    }  # fmt: skip
    found: dict[str, Tensor] = {}
    for name, shape in shapes.items():
        values = rng.normal(size=shape, scale=shape[-1] ** -0.5).astype(np.float32)
        found[f"m/{name}"] = Tensor(shape, "F32", array("d", values.ravel().tolist()))
    return found


def logits(b: Builder, s: Wire, tensors: dict[str, Tensor], full: bool) -> Wire:
    """The transformer's scores for the next member, read at the last position."""

    def w(name: str) -> Wire:
        return b.add(Weight(f"m/{name}", tensors[f"m/{name}"].shape))

    x = combine(b, (1, b.add(Lookup(w("embed"), (s,)))), (1, w("pos")))
    positions = b.shape(x)[0]
    last = take(b, x, [positions - 1])
    keys, values = (matmul(b, x, transpose(b, w(name))) for name in ("W_K", "W_V"))
    if full:
        queries = matmul(b, x, transpose(b, w("W_Q")))
        scores = combine(b, (Fraction(1, 4), matmul(b, queries, transpose(b, keys))))
        mixed = matmul(b, matmul(b, b.add(Softmax(scores)), values), transpose(b, w("W_O")))
        mixed = take(b, mixed, [positions - 1])
    else:
        scores = combine(b, (Fraction(1, 4), matmul(b, keys, matmul(b, w("W_Q"), last))))
        mixed = matmul(b, w("W_O"), matmul(b, b.add(Softmax(scores)), values))
    resid = combine(b, (1, last), (1, mixed))
    hidden = b.add(Relu(combine(b, (1, matmul(b, w("W_in"), resid)), (1, w("b_in")))))
    return matmul(b, w("unembed"), combine(b, (1, resid), (1, matmul(b, w("W_out"), hidden))))


def few(b: Builder, s: Wire, most: int) -> Wire:
    """Whether at most `most` positions hold one of the first two members."""
    flags = []
    positions = b.shape(s)[0]
    marks = b.add(Lookup(real_marks(b), (s,)))
    return b.add(Compare("<=", total(b, marks), number(b, most)))


def real_marks(b: Builder) -> Wire:
    from circ.compiler.builder import reals
    return reals(b, [Fraction(int(k < 2)) for k in range(MEMBERS)], (MEMBERS,))


def transpose(b: Builder, wire: Wire) -> Wire:
    """A matrix with its axes exchanged."""
    from circ.compiler.builder import reindex
    rows, columns = b.shape(wire)
    return reindex(b, [wire], [r * columns + c for c in range(columns) for r in range(rows)], (columns, rows))

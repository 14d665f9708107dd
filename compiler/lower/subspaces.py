"""Projections by the normal equations: B^T (B B^T)^-1 B x, for the vectors B of a subspace; without B^T, coordinates.

The inverse is a constant: it is worked out exactly as the circuit is lowered, from the vectors as they stand there. Vectors that
are very long or very short are made about as long as 1 first, by powers of two, so that no number on the way is far out of what
floats hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from math import sqrt

from circ.compiler.builder import combine, matmul, reals, reindex, transpose
from circ.compiler.inverse import Matrix, inverted
from circ.compiler.ir import Circuit, Contract, Wire
from circ.compiler.lower.environment import Environment, Lowering, Spanning
from circ.compiler.lower.quantities import restricted
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import enclose
from circ.lang.diagnostic import CircError, Diagnostic
from circ.lang.errors.subspaces import dependent, nearly_dependent, not_known, too_many_vectors
from circ.lang.span import Span
from circ.lang.syntax import Coords, Name, Projection, SubspaceDecl

NEARLY = Fraction(1, 10**6)
"""Vectors are nearly dependent where less than this of one's squared length is left off the others."""

FAR = 16
"""Vectors longer than 2 to this, or as much shorter, are scaled."""

MOST_VECTORS = 64
"""Of a subspace: the inverse is worked out in fractions."""


def lower_projection(e: Projection, env: Environment) -> Wire:
    """The part of a tensor in a subspace, along its last axis, or the rest of it."""
    b, x = env.b, env.wire(e.operand)
    span = spanned(e.subspace, env)
    on = matmul(b, shares(x, span, [Fraction(1)] * len(span.scales), env), span.vectors)
    return on if e.side == "on" else combine(b, (1, x), (-1, on))


def lower_coords(e: Coords, env: Environment) -> Wire:
    """How much of each vector, as it is written, adds up to the part of a tensor in a subspace."""
    span = spanned(e.subspace, env)
    return shares(env.wire(e.operand), span, span.scales, env)


def spanned(subspace: Name, env: Environment) -> Spanning:
    """The vectors of a subspace that is named, as they stand here."""
    decl = env.scope.values[subspace.text]
    assert isinstance(decl, SubspaceDecl)
    return spanning(decl.vectors.span, decl.name.text, vectors_of(decl, env), env)


def shares(x: Wire, span: Spanning, times: Sequence[Fraction], env: Environment) -> Wire:
    """How much of each vector adds up to the part of a tensor in their span, (B B^T)^-1 B x, so many times each."""
    b, rows = env.b, span.inverse.rows
    entries = (entry * many for row in rows for entry, many in zip(row, times, strict=True))
    inverse = reals(b, entries, (len(rows), len(rows)))
    return matmul(b, matmul(b, x, transpose(b, span.vectors, [1, 0])), inverse)


def vectors_of(decl: SubspaceDecl, env: Environment) -> Wire:
    """The vectors of a subspace, a row each; tensors that a `do` replaces are those that it puts there."""
    low = env.low
    inside = Environment(low, low.scope_of(decl), old=env.old, tensors=env.tensors)
    return as_rows(inside.wire(decl.vectors), env)


def as_rows(wire: Wire, env: Environment) -> Wire:
    """One vector as the only row of a matrix; a matrix as it is."""
    shape = env.b.shape(wire)
    return wire if len(shape) == 2 else reindex(env.b, [wire], range(shape[0]), (1, *shape))


def shortening(square: Fraction) -> Fraction:
    """What makes a vector of this squared length about as long as 1; 1 where it is so already."""
    twos = (square.numerator.bit_length() - square.denominator.bit_length()) // 2
    return Fraction(1) if abs(twos) <= FAR else Fraction(2) ** -twos


def spanning(span: Span, name: str, vectors: Wire, env: Environment) -> Spanning:
    """The vectors of a subspace that is written at `span`, those far from as long as 1 times a power of two; raises
    `CircError` where they are dependent."""
    low = env.low
    if vectors not in low.spanning:
        gram = gram_of(span, name, vectors, env)
        scales = [shortening(row[k]) for k, row in enumerate(gram)]
        pairs = [zip(row, scales, strict=True) for row in gram]
        scaled = (tuple(a * x * b for x, b in row) for a, row in zip(scales, pairs, strict=True))
        inverse = inverted(tuple(scaled))
        if not inverse.part:
            raise CircError(dependent(span, name, inverse.vector))
        by_scale = times_each(vectors, scales, env)
        low.spanning[vectors] = Spanning(by_scale, tuple(scales), inverse)
    return low.spanning[vectors]


def times_each(vectors: Wire, scales: list[Fraction], env: Environment) -> Wire:
    """Each vector times a number."""
    if all(scale == 1 for scale in scales):
        return vectors
    return env.b.add(Contract("a,ab->ab", reals(env.b, scales, (len(scales),)), vectors))


def gram_of(span: Span, name: str, vectors: Wire, env: Environment) -> Matrix:
    """The inner products of a subspace's vectors; raises `CircError` where they are not known exactly."""
    count, _ = env.b.shape(vectors)
    if count > MOST_VECTORS:
        raise CircError(too_many_vectors(span, count, MOST_VECTORS))
    gram = matmul(env.b, vectors, transpose(env.b, vectors, [1, 0]))
    circuit = restricted(env.low, {"gram": gram})
    if circuit.inputs:
        raise CircError(not_known(span, name, "a `do` makes them depend on one"))
    edited = [key for key in circuit.weights if key not in env.low.weights]
    if edited:
        raise CircError(not_known(span, name, "the patch edits a tensor that they are made of"))
    irrational = not_known(span, name, "their inner products are irrational")
    return matrix(circuit, (count, count), env, irrational)


def matrix(
    circuit: Circuit, shape: tuple[int, int], env: Environment, irrational: Diagnostic
) -> Matrix:
    """The one output of a circuit without inputs; raises `CircError` with `irrational` where it is not known exactly."""
    (found,) = enclose(circuit, {}, env.low.weights).values()
    assert isinstance(found, Reals)
    if not found.exact:
        raise CircError(irrational)
    entries, (count, width) = [low for low, _ in found.box], shape
    return tuple(tuple(entries[k * width : (k + 1) * width]) for k in range(count))


def check_independent(decl: SubspaceDecl, low: Lowering) -> Iterator[Diagnostic]:
    """A warning about vectors that are nearly dependent; raises `CircError` for those that are."""
    env = Environment(low, low.scope_of(decl))
    yield from doubts(decl.vectors.span, decl.name.text, spanned(decl.name, env))


def doubts(span: Span, name: str, found: Spanning) -> Iterator[Diagnostic]:
    """A warning about vectors, which are written at `span`, if they are nearly dependent."""
    inverse = found.inverse
    if inverse.part < NEARLY:
        yield nearly_dependent(span, name, inverse.vector, sqrt(inverse.part))

"""Obligations built by hand, for the tests of engines and replay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction

from circ.compiler.builder import Builder, matmul, number, reals, take, truth
from circ.compiler.ir import Compare, Comparison, Index, Input, Real, Wire, WireType
from circ.compiler.obligation import Bound, Obligation, Reals, Words
from circ.lang.span import Source, Span

NOWHERE = Span(Source("by hand", ""), 0, 0)

Truth = Callable[[Builder, dict[str, Wire]], Wire]


def always(b: Builder, _wires: dict[str, Wire]) -> Wire:
    """No condition."""
    return truth(b, True)


def box(name: str, *bounds: tuple[float | Fraction, float | Fraction]) -> Bound:
    """A real vector in a box."""
    ends = tuple((Fraction(low), Fraction(high)) for low, high in bounds)
    return Bound(name, WireType(Real(), (len(bounds),)), Reals(ends))


def word(name: str, length: int, size: int) -> Bound:
    """A word over an alphabet of this size."""
    members = tuple(f"m{i}" for i in range(size))
    return Bound(name, WireType(Index(size), (length,)), Words(members))


def obligation(
    binders: Sequence[Bound],
    goal: Truth,
    where: Truth = always,
    show: dict[str, Truth] | None = None,
) -> Obligation:
    """`forall binders where where: goal`, with further outputs `show <name>`."""
    b = Builder()
    wires = {bound.name: b.add(Input(bound.name, bound.type)) for bound in binders}
    outputs = {"where": where(b, wires), "goal": goal(b, wires)}
    outputs |= {f"show {name}": build(b, wires) for name, build in (show or {}).items()}
    return Obligation("claim", "forall", b.circuit(outputs), tuple(binders), NOWHERE)


def known(b: Builder, *values: float | Fraction) -> Wire:
    """A constant vector."""
    return reals(b, [Fraction(value) for value in values], (len(values),))


def less(b: Builder, left: Wire, right: float | Fraction, op: Comparison = "<=") -> Wire:
    """Whether a scalar is at most a number, or stands to it as `op` says."""
    return b.add(Compare(op, left, number(b, Fraction(right))))


def pick(b: Builder, wire: Wire, *places: int) -> Wire:
    """An entry of a tensor."""
    return take(b, wire, places)


def weighted(b: Builder, wire: Wire, *coefficients: float | Fraction) -> Wire:
    """The dot product of a vector and constants."""
    return matmul(b, wire, known(b, *coefficients))

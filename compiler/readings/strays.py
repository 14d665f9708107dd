"""How far numbers of an execution are from the exact ones, on whole boxes: linear arithmetic.

A stray is an interval of exact values, and a bound on how far the execution's value is from the exact
one at the same input. A sum is kept open (`Run`): an execution may run it together with a sum that it
is a term of, so what counts is how many numbers are added in all, and what their sizes come to.

Every bound is computed from non-negative numbers and widened by more than the rounding of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import inf

import numpy as np

from circ.compiler.ir import Shape
from circ.compiler.readings import extents
from circ.compiler.readings.arrays import Moves, rearranged
from circ.compiler.readings.balls import FINEST, FloatArray, Product, grain_of
from circ.compiler.readings.executions import Execution, contains, held
from circ.compiler.readings.extents import Extent
from circ.compiler.readings.roundoff import FAINT
from circ.compiler.rounding import nearest


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """A sum whose terms may be added in any order.

    `base`: what the terms' own errors come to; `mass`: at least the sum of their absolute values, as
    executed; `count`: how many are not zero; `product`: whether a term is a product that is rounded.
    """

    base: FloatArray = field(repr=False)
    mass: FloatArray = field(repr=False)
    count: FloatArray = field(repr=False)
    product: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Stray:
    """Exact values within `extent`, executed ones within `err` of them; infinite where not bounded.

    Where `grain` is not None, every exact value is a whole multiple of 2^grain, and grain <= 0.
    `reach`: what values lie within, exact or as executed, where that is known from elsewhere.
    """

    extent: Extent
    err: FloatArray = field(repr=False)
    grain: int | None = None
    run: Run | None = None
    reach: Extent | None = None

    @property
    def size(self) -> FloatArray:
        """At least the absolute value of each entry, as executed."""
        if self.exact:
            return self.extent.size
        found: FloatArray = (self.extent.size + self.err) * WIDE
        return found if self.reach is None else np.minimum(found, self.reach.size)

    @property
    def low(self) -> FloatArray:
        """At most each value, exact or as executed."""
        lo = self.extent.lo
        found = cleaned(np.where(self.err == 0, lo, np.nextafter(lo - self.err, -inf)), -inf)
        return found if self.reach is None else np.maximum(found, self.reach.lo)

    @property
    def high(self) -> FloatArray:
        """At least each value, exact or as executed."""
        hi = self.extent.hi
        found = cleaned(np.where(self.err == 0, hi, np.nextafter(hi + self.err, inf)))
        return found if self.reach is None else np.minimum(found, self.reach.hi)

    @property
    def terms(self) -> Run:
        """The open sum, or one of a single term."""
        if self.run is not None:
            return self.run
        size = self.size
        return Run(self.err, size, ones(size))

    @property
    def exact(self) -> bool:
        """Whether no entry strays."""
        return not self.err.any()


MOST_GRAINS = 1 << 14
"""Tensors that are larger are no tables of whole numbers: looking at each entry is not worth it."""

WIDE = 1 + 2.0**-48
"""Outweighs the rounding of a few operations."""


# --- making ---------------------------------------------------------------------------------


def given(extent: Extent) -> Stray:
    """An input: whatever number of the format it is, the execution reads that."""
    return Stray(extent, np.zeros_like(extent.lo))


def constant(values: Sequence[Fraction], shape: Shape, model: Execution) -> Stray:
    """Known rationals, each rounded once where the format lacks it."""
    off = {value: slip(value, model) for value in set(values)}
    err = np.array([off[value] for value in values], np.float64).reshape(*shape, 1)
    extent = extents.around(values, values, shape)
    return Stray(extent, err, None if err.any() else grain_of(extent.lo))


def slip(value: Fraction, model: Execution) -> float:
    """How far a number is from the nearest of the format, rounded up."""
    near = nearest(value, model.dtype)
    return extents.doubles_around(abs(Fraction(near) - value))[1] if abs(near) < inf else inf


def stored(values: FloatArray, dtype: str, model: Execution) -> Stray:
    """A checkpoint's tensor, rounded where the format is narrower than what it is stored in."""
    if contains(model.dtype, dtype):
        err = np.zeros_like(values)
    else:
        err = np.abs(held(values, model.dtype) - values) * WIDE
    few = values.size <= MOST_GRAINS and not err.any()
    return Stray(Extent(values, values), err, grain_of(values) if few else None)


def moved(plan: Moves, parts: Sequence[Stray]) -> Stray:
    """`Reindex` of reals, open sums included."""

    def entries(arrays: Sequence[FloatArray]) -> FloatArray:
        return rearranged(plan, arrays)

    runs = [x.terms for x in parts] if any(x.run is not None for x in parts) else []
    lo = entries([x.extent.lo for x in parts])
    known = all(x.extent.hi is x.extent.lo for x in parts)
    run = Run(
        entries([r.base for r in runs]),
        entries([r.mass for r in runs]),
        entries([r.count for r in runs]),
        any(r.product for r in runs),
    ) if runs else None  # fmt: skip
    reach = Extent(
        entries([x.low for x in parts]),
        entries([x.high for x in parts]),
    ) if any(x.reach is not None for x in parts) else None  # fmt: skip
    return Stray(
        Extent(lo, lo if known else entries([x.extent.hi for x in parts])),
        entries([x.err for x in parts]),
        coarsest(parts),
        run,
        reach,
    )


def coarsest(parts: Sequence[Stray]) -> int | None:
    """A grain that all parts are multiples of."""
    grains = [x.grain for x in parts if x.grain is not None]
    return min(grains) if len(grains) == len(parts) else None


# --- sums -----------------------------------------------------------------------------------


def closed(extent: Extent, run: Run, grain: int | None, model: Execution) -> Stray:
    """The value of an open sum, once it is added up.

    γ_n with n = terms - 1 additions, and one rounding more where products are rounded; in a narrow
    format the result is rounded too. Sums of multiples of 2^grain that the format holds are exact.
    """
    if grain is not None and not run.base.any() and fits(run.mass, grain, model):
        return Stray(extent, np.zeros_like(run.mass), grain, run)
    roundings = np.maximum(run.count - 1, 0) + float(run.product)
    touched = (run.count > 0) & (roundings > 0)
    mass = run.mass * WIDE
    added = np.where(touched, model.gamma(roundings) * mass, 0.0)
    if run.product:
        added = added + np.where(touched, run.count * model.tiny, 0.0)
    base = run.base
    if model.narrow:
        value = np.minimum(mass, extent.size) + base + added
        base = base + np.where(touched, value * model.unit + model.tiny, 0.0)
    err = widened(base + added)
    partial = (mass + base + added) * WIDE
    err = np.where((partial < model.largest) & ~np.isnan(err), err, inf)
    return Stray(extent, err, None, replace(run, base=base))


def widened(err: FloatArray) -> FloatArray:
    """More than the error, but for what is exactly zero."""
    return np.where(err == 0, 0.0, err * WIDE + FAINT)


def fits(mass: FloatArray, grain: int, model: Execution) -> bool:
    """Whether all sums of multiples of 2^grain, of this size in all, are numbers of the format."""
    room = grain >= FINEST and 2.0**grain >= model.tiny
    limit = min(2.0 ** (model.bits + grain - 1), model.largest / 2)
    return room and bool((mass < limit).all())


def linear(coefficients: Sequence[Fraction], terms: Sequence[Stray], model: Execution) -> Stray:
    """The linear combination; what is added or subtracted as it is may be an open sum itself.

    In a narrow format each of the sums on the way is rounded to it.
    """
    runs = [scaled(c, x, model) for c, x in zip(coefficients, terms, strict=True)]
    run = Run(
        total([r.base for r in runs]),
        total([r.mass for r in runs]),
        total([r.count for r in runs]),
        any(r.product for r in runs),
    )
    if model.narrow and len(terms) > 2:
        sizes = total([r.mass for r in runs])
        run = replace(run, base=run.base + widened((len(terms) - 2) * model.unit * sizes))
    extent = extents.linear(coefficients, [x.extent for x in terms])
    return closed(extent, run, combined_grain(coefficients, terms), model)


def total(parts: Sequence[FloatArray]) -> FloatArray:
    """The sum of non-negative arrays, rounded up by the factor that `closed` allows."""
    found = parts[0]
    for part in parts[1:]:
        found = found + part
    return found * (1 + len(parts) * 2.0**-52)


def scaled(c: Fraction, x: Stray, model: Execution) -> Run:
    """A term of a linear combination: as it is, or as a product."""
    if abs(c) == 1:
        return x.terms
    off = slip(c, model)
    factor = extents.doubles_around(abs(c))[1]
    size = x.size
    base = widened(factor * x.err + off * size)
    mass = (factor + off) * size * WIDE
    if model.narrow and not is_power(c):
        base = base + widened(model.unit * mass) + model.tiny
    return Run(base, mass, ones(mass), not is_power(c))


def is_power(c: Fraction) -> bool:
    """Whether multiplying by a number is exact: ±1, ±2, ±4, …"""
    return c.denominator == 1 and c.numerator.bit_count() == 1


def combined_grain(coefficients: Sequence[Fraction], terms: Sequence[Stray]) -> int | None:
    """The grain of a linear combination with dyadic coefficients."""
    grains: list[int] = []
    for c, x in zip(coefficients, terms, strict=True):
        below = c.denominator
        if x.grain is None or below & (below - 1):
            return None
        grains.append(x.grain - below.bit_length() + 1)
    return min(grains)


# --- products -------------------------------------------------------------------------------


def contracted(
    product: Product, extent: Extent, x: Stray, y: Stray, count: int, model: Execution
) -> Stray:
    """Sums of `count` products, whose exact values lie within `extent`.

    With x̂ = x + δ, ŷ = y + ε: |x̂ŷ - xy| <= |x||ε| + |δ||ŷ|. What is zero is not added.
    """
    own = 1 + (count + 8) * 2.0**-51
    sx, sy = x.size, y.size
    terms = product(ones(sx), ones(sy))
    base = np.zeros_like(terms)
    if not (x.exact and y.exact):
        crossed = product(x.err, sy) + product(sx, y.err)
        base = np.where(terms == 0, 0.0, cleaned(crossed * own + count * FAINT))
    grain = None if x.grain is None or y.grain is None else x.grain + y.grain
    run = Run(base, cleaned(product(sx, sy) * own), terms, not (powers(x) or powers(y)))
    return closed(extent, run, grain, model)


def ones(sizes: FloatArray) -> FloatArray:
    """1 for each entry that is not zero."""
    return (sizes > 0).astype(np.float64)


def cleaned(bound: FloatArray, otherwise: float = inf) -> FloatArray:
    """A bound that is infinite where it is not a number."""
    return np.where(np.isnan(bound), otherwise, bound)


def powers(x: Stray) -> bool:
    """Whether multiplying by any entry is exact: all are 0, ±1, ±2, ±4, …"""
    if not x.exact or x.extent.hi is not x.extent.lo:
        return False
    size = np.abs(x.extent.lo)
    if ((size > 0) & (size < 1)).any():
        return False
    return bool(((size == 0) | (np.frexp(size)[0] == 0.5)).all())


# --- piecewise linear -----------------------------------------------------------------------


def positive_part(x: Stray) -> Stray:
    """max(0, x): no two values get further apart."""
    extent = extents.positive_part(x.extent)
    err = np.where(x.high < 0, 0.0, x.err)
    return Stray(extent, err, x.grain)


def maximum(x: Stray) -> Stray:
    """The largest entry along the last axis before that of boxes.

    One that stays below another, as executed too, has no say.
    """
    behind = x.high < x.low.max(-2, keepdims=True)
    err = np.where(behind, 0.0, x.err).max(-2)
    return Stray(extents.maximum(x.extent), err, x.grain)


def kept(count: int, x: Stray) -> Stray:
    """1 for each of the `count` largest entries along the last axis before that of boxes, else 0.

    An entry that fewer can beat, or that as many surely beat, is marked alike by both; so are all
    where no score strays, since what is chosen of equal ones depends on these alone.
    """
    low, high = x.low, x.high
    rivals = (high[..., None, :, :] >= low[..., :, None, :]).sum(-2) - 1
    beaten = (low[..., None, :, :] > high[..., :, None, :]).sum(-2)
    inside, outside = rivals < count, beaten >= count
    same = inside | outside | (x.err == 0).all(-2, keepdims=True)
    lo, hi = inside.astype(np.float64), (~outside).astype(np.float64)
    return Stray(extents.bounded(lo, hi), np.where(same, 0.0, 1.0), 0)

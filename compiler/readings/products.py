"""Einstein sums of two enclosures: rows are gathered from each side, and multiplied pairwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from math import prod
from operator import add, mul, sub
from typing import TypeVar

from circ.compiler.ir import Shape
from circ.compiler.readings.clock import look
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.intervals import Reals, Row, exactly, rounded

LARGEST = 1 << 20
"""Bits of the longest number that a product may have: squared again and again, one fills any memory."""

Left = TypeVar("Left")
Right = TypeVar("Right")
Joined = TypeVar("Joined")
Pair = tuple[Row, Row]
"""A row's lower and upper bounds."""


@dataclass(frozen=True, slots=True)
class Pairing:
    """Which entries make up each side's rows, batch after batch, and where each product goes."""

    batches: int
    left: tuple[tuple[int, ...], ...] = field(repr=False)
    right: tuple[tuple[int, ...], ...] = field(repr=False)
    order: tuple[int, ...] = field(repr=False)
    shape: Shape


@lru_cache(maxsize=256)
def planned(spec: str, left: Shape, right: Shape) -> Pairing:
    """The plan of an einsum whose letters each stand in both sides, or in one and the output."""
    inputs, output = spec.split("->")
    first, second = inputs.split(",")
    sizes = dict(zip(first, left, strict=True)) | dict(zip(second, right, strict=True))
    shared = "".join(c for c in output if c in first and c in second)
    inner = "".join(c for c in first if c not in output)
    mine = "".join(c for c in output if c not in second)
    other = "".join(c for c in output if c not in first)
    return Pairing(
        prod(sizes[c] for c in shared),
        tuple(gathered(shared + mine, inner, first, sizes)),
        tuple(gathered(shared + other, inner, second, sizes)),
        tuple(offset for (offset,) in gathered(output, "", shared + mine + other, sizes)),
        tuple(sizes[c] for c in output),
    )


def gathered(outer: str, inner: str, axes: str, sizes: dict[str, int]) -> Iterable[tuple[int, ...]]:
    """Row-major offsets in a tensor with these axes: for each place in `outer`, all of `inner`."""
    strides = {c: prod(sizes[d] for d in axes[k + 1 :]) for k, c in enumerate(axes)}

    def offsets(letters: str) -> list[int]:
        steps = ([k * strides[c] for k in range(sizes[c])] for c in letters)
        return [sum(place) for place in product(*steps)]

    along = offsets(inner)
    return (tuple(base + step for step in along) for base in offsets(outer))


def contracted(spec: str, left: Reals, right: Reals, bits: int) -> Reals:
    """The einsum of two tensors that vary independently of each other.

    Raises `Undefined` where a number would have more bits than are worked with.
    """
    if right.exact and not left.exact:
        sides, output = spec.split("->")
        return contracted(f"{','.join(sides.split(',')[::-1])}->{output}", right, left, bits)
    plan, den = planned(spec, left.shape, right.shape), left.den * right.den
    if right.exact:
        entries = joined(plan, rows(left.lo, plan.left), rows(right.lo, plan.right), dot)
        require_handy(den, entries)
        return exactly(plan.shape, entries, den)
    if left.exact:
        bounds = joined(plan, sizes(left, plan.left), spreads(right, plan.right), known_dot)
    else:
        bounds = joined(plan, pairs(left, plan.left), pairs(right, plan.right), dot_bounds)
    return bounded(plan.shape, bounds, den, bits)


def squared(spec: str, x: Reals, bits: int) -> Reals:
    """The einsum of a tensor with itself, its axes named alike on both sides: a sum of squares."""
    plan = planned(spec, x.shape, x.shape)
    bounds = joined(plan, pairs(x, plan.left), pairs(x, plan.right), square_bounds)
    return bounded(plan.shape, bounds, x.den * x.den, bits)


def bounded(shape: Shape, bounds: Sequence[tuple[int, int]], den: int, bits: int) -> Reals:
    """The tensor with these bounds."""
    lo, hi = [low for low, _ in bounds], [high for _, high in bounds]
    require_handy(den, lo, hi)
    return rounded(shape, lo, hi, den, bits)


def require_handy(den: int, *rows: Row) -> None:
    """Raise `Undefined` for numbers that are too long to go on with."""
    longest = max(max(map(int.bit_length, row), default=0) for row in (*rows, [den]))
    if longest > LARGEST:
        raise Undefined("product", f"a number has more than {LARGEST:,} bits")


def rows(entries: Row, places: Sequence[Sequence[int]]) -> list[Row]:
    """The entries at these places."""
    return [[entries[k] for k in row] for row in places]


def pairs(x: Reals, places: Sequence[Sequence[int]]) -> list[Pair]:
    """The bounds at these places."""
    return [*zip(rows(x.lo, places), rows(x.hi, places), strict=True)]


def sizes(x: Reals, places: Sequence[Sequence[int]]) -> list[Pair]:
    """The known entries at these places, and their absolute values."""
    return [(row, [abs(entry) for entry in row]) for row in rows(x.lo, places)]


def spreads(x: Reals, places: Sequence[Sequence[int]]) -> list[Pair]:
    """Twice the middles of the bounds at these places, and twice their radii."""
    middles, radii = [*map(add, x.lo, x.hi)], [*map(sub, x.hi, x.lo)]
    return [*zip(rows(middles, places), rows(radii, places), strict=True)]


def joined(
    plan: Pairing,
    left: Sequence[Left],
    right: Sequence[Right],
    join: Callable[[Left, Right], Joined],
) -> list[Joined]:
    """Every row of the left with every row of the right in its batch, in the output's order.

    Raises `TimeUp` where a moment was set that has passed.
    """
    found: list[Joined] = []
    for batch in range(plan.batches):
        mine, theirs = share(left, batch, plan.batches), share(right, batch, plan.batches)
        for a in mine:
            look()
            found.extend(join(a, b) for b in theirs)
    return [found[k] for k in plan.order]


def share(rows: Sequence[Left], batch: int, batches: int) -> Sequence[Left]:
    """The rows of one batch."""
    each = len(rows) // batches
    return rows[batch * each : (batch + 1) * each]


def dot(a: Row, b: Row) -> int:
    """Σ a b."""
    return sum(map(mul, a, b))


def known_dot(weights: Pair, x: Pair) -> tuple[int, int]:
    """Bounds on Σ w x, from (w, |w|) and twice the middles and radii of the x.

    2 w middle ∓ 2 |w| radius is twice the least and the most of w x, so halving is exact.
    """
    middle, radius = dot(weights[0], x[0]), dot(weights[1], x[1])
    return (middle - radius) // 2, (middle + radius) // 2


def dot_bounds(x: Pair, y: Pair) -> tuple[int, int]:
    """Bounds on Σ x y for x and y that vary independently."""
    low = high = 0
    for a, b, c, d in zip(*x, *y, strict=True):
        if a >= 0:
            low += (a if c >= 0 else b) * c
            high += (b if d >= 0 else a) * d
        elif b <= 0:
            low += (a if d >= 0 else b) * d
            high += (b if c >= 0 else a) * c
        else:
            low += min(a * d, b * c)
            high += max(a * c, b * d)
    return low, high


def square_bounds(x: Pair, _same: Pair) -> tuple[int, int]:
    """Bounds on Σ x x."""
    low = sum(min(a * a, b * b) for a, b in zip(*x, strict=True) if a > 0 or b < 0)
    return low, sum(max(a * a, b * b) for a, b in zip(*x, strict=True))

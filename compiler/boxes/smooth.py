"""Smooth ops of a circuit, as units of a net.

- 1 / (1 + e^x) is one unit, and so is 1 / √x: lines around the whole are closer than around its parts.
- Softmax is 1 / (1 + Σ_j e^{x_j - x_i}), by units e^x and 1/x, or one unit of both where there are two scores.
  Its shares add up to 1, so (1 - their sum) / n is added to each: what is the same for all of them cancels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import Affine, combined, picked, stored
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.curves import DOMAINS, extent
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.net import LARGEST, TOO_LARGE, UNIT, Curve
from circ.compiler.boxes.products import MOST_PRODUCTS, has
from circ.compiler.ir import Circuit, Const, Reindex, Smooth, Sum, Wire, operands, taken_from
from circ.compiler.readings.reference import coefficients
from circ.compiler.signs import Sign

ONE = Fraction(1)

MAY_BE_ZERO = "what is divided by may be 0, as far as bounds on the domain tell"
MAY_BE_NEGATIVE = "what a root is taken of may be negative, as far as bounds on the domain tell"


# --- which ops are one unit -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Fused:
    """An op that is a curve of `factor` times a wire, which may not be its operand."""

    kind: Curve
    factor: Fraction
    wire: Wire


def fused(circuit: Circuit, op: Smooth) -> Fused:
    """The unit that an op is."""
    x = op.operand
    if op.function == "recip":
        inner = circuit.ops[x]
        if isinstance(inner, Smooth) and inner.function == "sqrt":
            return Fused("rsqrt", ONE, inner.operand)
        power = one_more(circuit, x)
        if power is not None:
            return Fused("sigmoid", -ONE, power)
    return Fused(op.function, ONE, x)


def one_more(circuit: Circuit, wire: Wire) -> Wire | None:
    """The x of 1 + e^x."""
    op = circuit.ops[wire]
    if not isinstance(op, Sum):
        return None
    terms = [(x, c) for x, c in coefficients(op) if c]
    rest = [(x, c) for x, c in terms if not isinstance(circuit.ops[x], Smooth)]
    powers = [(circuit.ops[x], c) for x, c in terms if isinstance(circuit.ops[x], Smooth)]
    match powers:
        case [(Smooth(function="exp", operand=x), c)] if c == 1 and add_up_to_one(circuit, rest):
            return x
        case _:
            return None


def add_up_to_one(circuit: Circuit, terms: list[tuple[Wire, Fraction]]) -> bool:
    """Whether known wires, each times its factor, are 1 in every entry."""
    if not terms:
        return False
    entries = circuit.types[terms[0][0]].entries
    return all(
        all(value is not None for value in row)
        and sum((c * value for (_, c), value in zip(terms, row, strict=True) if value), ONE * 0)
        == 1
        for row in ([known(circuit, x, k) for x, _ in terms] for k in range(entries))
    )


def known(circuit: Circuit, wire: Wire, entry: int) -> Fraction | None:
    """An entry of a constant, wherever it was moved to."""
    op = circuit.ops[wire]
    while isinstance(op, Reindex):
        wire, entry = taken_from(op, entry, circuit.types)
        op = circuit.ops[wire]
    return Fraction(op.values[entry]) if isinstance(op, Const) else None


def reads(circuit: Circuit, wire: Wire) -> tuple[Wire, ...]:
    """The wires that a wire's units are made of."""
    op = circuit.ops[wire]
    return (fused(circuit, op).wire,) if isinstance(op, Smooth) else operands(op)


# --- units --------------------------------------------------------------------------------------------


def smooth(growing: Growing, found: Fused, x: Affine, sign: Sign) -> Affine:
    """The entries of a smooth op; `x` is the wire that it is a curve of, of that sign."""
    if found.kind == "sqrt" and sign == Sign.UNKNOWN and np.any(growing.bounds(x)[0] < 0):
        raise Beyond(MAY_BE_NEGATIVE)
    if found.factor != 1:
        x = combined([(found.factor, x)], growing.reach)
    if found.kind == "recip":
        return reciprocals(growing, x)
    return curved(growing, found.kind, x)


def reciprocals(growing: Growing, x: Affine) -> Affine:
    """1/x, and -1/(-x) where x is negative."""
    low, high = growing.bounds(x)
    above, below = np.flatnonzero(low > 0), np.flatnonzero(high < 0)
    if len(above) + len(below) < x.entries:
        raise Beyond(MAY_BE_ZERO)
    if not len(below):
        return curved(growing, "recip", x)
    mirrored = combined([(-ONE, picked([x], below))], growing.reach)
    negative = combined([(-ONE, curved(growing, "recip", mirrored))], growing.reach)
    positive = curved(growing, "recip", picked([x], above))
    order = np.argsort(np.concatenate([above, below]), kind="stable")
    return picked([positive, negative], order)


def curved(growing: Growing, kind: Curve, x: Affine) -> Affine:
    """A curve of each entry; of one that no unit is in, what it is known to be. Raises `Beyond`."""
    low, high = growing.bounds(x)
    least, most = DOMAINS[kind]
    if kind == "sqrt":  # of what is not negative, whatever its bounds are
        low, high = np.maximum(low, 0.0), np.maximum(high, 0.0)
    if not (np.all(low >= least) and np.all(high <= most)):
        raise Beyond(MAY_BE_ZERO if kind in {"recip", "rsqrt"} else TOO_LARGE)
    small, large = extent(kind, low, high)
    if not np.all(np.maximum(-small, large) < LARGEST):
        raise Beyond(TOO_LARGE)
    vary = has(x)
    open_places, fixed = np.flatnonzero(vary), np.flatnonzero(~vary)
    middle = small / 2 + large / 2
    # Half the width, and more than what the middle and this difference round away.
    half = (np.maximum(large - middle, middle - small) + np.abs(middle) * UNIT) * (1 + 8 * UNIT)
    parts = [Affine({}, middle[fixed], half[fixed])]
    if len(open_places):
        parts.append(growing.applied(kind, picked([x], open_places)))
    return picked(parts, np.argsort(np.concatenate([fixed, open_places]), kind="stable"))


# --- softmax ------------------------------------------------------------------------------------------


def softmax(growing: Growing, x: Affine, width: int) -> Affine:
    """The shares of each run of `width` scores."""
    if width < 2:
        return stored(np.ones(x.entries))
    if width == 2:
        return of_two(growing, x)
    rows = x.entries // width
    if rows * width * width > MOST_PRODUCTS:
        raise Beyond(f"it compares more than {MOST_PRODUCTS:,} pairs of scores")
    first, second = np.nonzero(~np.eye(width, dtype=np.bool_))
    start = np.arange(rows)[:, None] * width
    mine, other = (start + first).reshape(-1), (start + second).reshape(-1)
    apart = [(ONE, picked([x], other)), (-ONE, picked([x], mine))]
    powers = curved(growing, "exp", combined(apart, growing.reach))
    ones = stored(np.ones(x.entries))
    terms = [(ONE, ones), *runs(powers, width - 1)]
    shares = curved(growing, "recip", combined(terms, growing.reach))
    return balanced(growing, shares, width)


def runs(x: Affine, width: int) -> Iterator[tuple[Fraction, Affine]]:
    """The first entries of all runs of so many entries, the second ones, and so on."""
    return ((ONE, picked([x], np.arange(k, x.entries, width))) for k in range(width))


def balanced(growing: Growing, shares: Affine, width: int) -> Affine:
    """The shares, which add up to 1, each with the same part of what they lack of it."""
    sums = combined([*runs(shares, width)], growing.reach)
    places = np.repeat(np.arange(sums.entries), width)
    part = Fraction(1, width)
    ones = stored(np.ones(shares.entries))
    terms = [(ONE, shares), (-part, picked([sums], places)), (part, ones)]
    return combined(terms, growing.reach)


def of_two(growing: Growing, x: Affine) -> Affine:
    """1 / (1 + e^{b - a}), and what it lacks of 1."""
    first, second = (picked([x], np.arange(k, x.entries, 2)) for k in range(2))
    apart = combined([(ONE, first), (-ONE, second)], growing.reach)
    share = curved(growing, "sigmoid", apart)
    rest = combined([(ONE, stored(np.ones(share.entries))), (-ONE, share)], growing.reach)
    places = np.arange(x.entries)
    return picked([share, rest], places // 2 + places % 2 * share.entries)

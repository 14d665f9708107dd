"""Products that are one unit: x² and x³, x / (1 + e^-x), and `gelu`.

That one function is a multiple of another one is only so within what floats leave of them; the difference is
charged for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np

from circ.compiler.boxes.affine import Affine, Product, combined, mapped, picked, size, units
from circ.compiler.boxes.curves import DOMAINS, MU
from circ.compiler.boxes.grow import Growing
from circ.compiler.boxes.net import UNIT, Curve, FloatArray, IntArray

ONE = Fraction(1)

AS_GOOD_AS = 2.0**-40
"""Two functions differ by no more than this of their size, if one may stand for the other."""

ALIKE = 2.0**-16
"""The most that the coefficient of a cube may differ from μ."""

ROUGH = 2.0**-34
"""Slack of a function, by its size, that is more than a few roundings."""

MORE = 1 + 16 * UNIT


def multiples(left: Affine, right: Affine) -> FloatArray:
    """For each entry, how many times `left` about `right` is, where it looks like a multiple; else 0."""
    inner, own, other = left.const * right.const, left.const**2, right.const**2
    for j in {*left.maps, *right.maps}:
        rows = left.maps.get(j), right.maps.get(j)
        own = own if rows[0] is None else own + (rows[0] ** 2).sum(1)
        other = other if rows[1] is None else other + (rows[1] ** 2).sum(1)
        if rows[0] is not None and rows[1] is not None:
            inner = inner + (rows[0] * rows[1]).sum(1)
    usable = np.isfinite(own * other) & (own > 2.0**-200) & (inner != 0)
    found = inner**2 >= own * other * (1 - 2.0**-30)
    return np.asarray(np.where(usable & found, inner / np.where(usable, own, 1.0), 0.0))


def squared(growing: Growing, left: Affine, right: Affine) -> tuple[IntArray, Affine | None]:
    """The entries where one is a multiple of the other, and their products.

    With right = f left + d, the product is f left² and something of size at most |left| |d|.
    """
    with np.errstate(over="ignore", invalid="ignore"):  # what overflows is none
        factors = multiples(left, right)
    places = np.flatnonzero(factors)
    x, y, f = picked([left], places), picked([right], places), factors[places]
    rest = combined([(ONE, y), (-ONE, times_known(growing, f, x))], growing.reach)
    off = size(rest, growing.reach) + rest.slack
    sizes = size(x, growing.reach) + x.slack
    good = (off <= AS_GOOD_AS * size(y, growing.reach)) & (sizes < DOMAINS["square"][1])
    if not good.any():
        return np.zeros(0, np.int64), None
    x, f, off = picked([x], np.flatnonzero(good)), f[good], off[good]
    found = times_known(growing, f, growing.applied("square", x))
    apart = (size(x, growing.reach) + x.slack) * off
    return places[good], replace(found, slack=(found.slack + apart) * MORE)


@dataclass(frozen=True, slots=True)
class Gate:
    """An entry that is `scale` times one unit, and `shift`; `size` bounds the unit's size."""

    kind: Curve
    layer: int
    place: int
    size: float
    scale: float
    shift: float


def gates(growing: Growing, x: Affine) -> list[Gate | None]:
    """For each entry that one unit is in, a share 1 / (1 + e^-p) or a square, which one."""
    found: list[Gate | None] = [None] * x.entries
    many = np.zeros(x.entries, np.int64)
    for rows in x.maps.values():
        many += (rows != 0).sum(1)
    alone = many == 1
    for j, rows in x.maps.items():
        kind = growing.layers[j - 1].kind if j else "linear"
        if kind == "sigmoid" or kind == "square":
            for k in np.flatnonzero(alone & (np.abs(rows) > 2.0**-100).any(1)):
                place = int(np.abs(rows[k]).argmax())
                bound, scale = float(growing.reach[j][place]), float(rows[k, place])
                found[k] = Gate(kind, j, place, bound, scale, float(x.const[k]))
    return found


@dataclass(frozen=True, slots=True)
class Part:
    """An entry's factor times its gate's unit: `factor` times a unit of the kind on `inner`, within `off`
    of it."""

    entry: int
    gate: Gate
    kind: Curve
    inner: Affine
    factor: float
    off: float


def gated(growing: Growing, left: Affine, right: Affine) -> tuple[IntArray, Affine | None]:
    """The entries where `right` is a unit and `left` a multiple of what it is applied to, and their
    products."""
    found = list[Part]()
    for k, gate in enumerate(gates(growing, right)):
        if gate is not None:
            mine = picked([left], np.array([k]))
            # scale · unit + shift, within the slack: scale times what is within slack / scale of the unit.
            slack = float(right.slack[k]) / abs(gate.scale) * MORE
            part = whole(growing, k, mine, gate, slack)
            found += [part] if part is not None else []
    if not found:
        return np.zeros(0, np.int64), None
    parts, order = list[Affine](), list[IntArray]()
    kinds: dict[Curve, None] = dict.fromkeys(part.kind for part in found)
    for kind in kinds:
        some = [part for part in found if part.kind == kind]
        entries = np.array([part.entry for part in some])
        parts.append(made(growing, kind, some, picked([left], entries)))
        order.append(entries)
    places = np.concatenate(order)
    sequence = np.argsort(places, kind="stable")
    return places[sequence], picked(parts, sequence)


def made(growing: Growing, kind: Curve, parts: Sequence[Part], left: Affine) -> Affine:
    """The products, as units of one kind times floats, and multiples of the other side."""
    inner = picked([part.inner for part in parts], np.arange(len(parts)))
    units = growing.applied(kind, inner)
    found = times_known(growing, np.array([part.factor for part in parts]), units)
    found = replace(found, slack=(found.slack + np.array([part.off for part in parts])) * MORE)
    scaled = times_known(growing, np.array([part.gate.scale for part in parts]), found)
    shifts = np.array([part.gate.shift for part in parts])
    if shifts.any():
        terms = [(ONE, scaled), (ONE, times_known(growing, shifts, left))]
        scaled = combined(terms, growing.reach)
    return named(growing, scaled)


def named(growing: Growing, x: Affine) -> Affine:
    """The same as units, where its slack is more than rounding: what is a multiple of it is then known."""
    rough = x.slack > ROUGH * size(x, growing.reach)
    return growing.applied("linear", x) if rough.any() else x


def whole(growing: Growing, entry: int, x: Affine, gate: Gate, slack: float) -> Part | None:
    """The product of x and a unit u(p), which is within `slack` of what stands for it.

    With x = c p + d, it is c p u(p) and something of size at most |d| |u| + |x| times the slack.
    """
    inner = before(growing, gate.layer, gate.place)
    factor = ratio(x, inner)
    loose, mass = beside(growing, x, factor, inner), most(growing, x)
    if factor and loose <= mass * AS_GOOD_AS:
        kind: Curve = "swish" if gate.kind == "sigmoid" else "cube"
        if most(growing, inner) >= DOMAINS[kind][1]:
            return None
        return Part(entry, gate, kind, inner, factor, (loose * gate.size + mass * slack) * MORE)
    if gate.kind == "sigmoid":
        return bent(growing, entry, x, gate, inner, slack)
    return None


def bent(
    growing: Growing, entry: int, x: Affine, gate: Gate, p: Affine, slack: float
) -> Part | None:
    """The product of x and 1 / (1 + e^-p), where p is a sum of multiples of x and of its cube.

    With w cubed, p = a w + b w³ + e and x = c w + d. For y = a w and m = b / a³ the product is
    (c/a) y / (1 + e^-(y + m y³)) and what d and e change, at most |d| + |c w| |e| / 4. μ in place of m
    changes y / (1 + …) by at most |m - μ| |y|⁴ e^-|y| <= 4.7 |m - μ|, as both are positive.
    """
    cube = the_cube(growing, p)
    if cube is None:
        return None
    layer, place, b = cube
    w = before(growing, layer, place)
    rest = Affine({j: rows for j, rows in p.maps.items() if j != layer}, p.const, p.slack)
    a, c = ratio(rest, w), ratio(x, w)
    if not (2.0**-20 < a < 2.0**20 and c):
        return None
    apart = abs(Fraction(b) / Fraction(a) ** 3 - Fraction(MU))
    d, mass = beside(growing, x, c, w), most(growing, x)
    terms = [(-Fraction(b), units(layer, np.array([place]), growing.layers[layer - 1].units))]
    e = combined([(ONE, p), (-Fraction(a), w), *terms], growing.reach)
    loose = most(growing, e)
    if apart > ALIKE or d > mass * AS_GOOD_AS or loose > AS_GOOD_AS * most(growing, p):
        return None
    off = d + (mass + d) * loose / 4 + abs(c / a) * 4.7 * float(apart) + mass * slack
    y = combined([(Fraction(a), w)], growing.reach)
    return Part(entry, gate, "gelu", y, c / a, (off + turned(growing, c, a, w)) * MORE)


def turned(growing: Growing, c: float, a: float, w: Affine) -> float:
    """What rounding c/a may change: the quotient times a unit that is no larger than a w."""
    return float(abs(Fraction(c / a) - Fraction(c) / Fraction(a))) * abs(a) * most(growing, w)


def the_cube(growing: Growing, p: Affine) -> tuple[int, int, float] | None:
    """The layer and place of the one cube in a function, and its coefficient."""
    found = [
        (j, int(k), float(rows[0, k]))
        for j, rows in p.maps.items()
        for k in np.flatnonzero(rows[0])
        if j and growing.layers[j - 1].kind == "cube"
    ]
    return found[0] if len(found) == 1 else None


def most(growing: Growing, x: Affine) -> float:
    """A function of one entry is at most this in size."""
    return float((size(x, growing.reach) + x.slack)[0]) * MORE


def beside(growing: Growing, x: Affine, factor: float, y: Affine) -> float:
    """The most that x may differ from so many times y."""
    return most(growing, combined([(ONE, x), (-Fraction(factor), y)], growing.reach))


def before(growing: Growing, layer: int, place: int) -> Affine:
    """The pre-activation of a unit."""
    found = growing.layers[layer - 1]
    chosen = slice(place, place + 1)
    maps = {j: matrix[chosen] for j, matrix in found.sources if matrix[chosen].any()}
    return Affine(maps, found.bias[chosen], found.slack[chosen])


def ratio(x: Affine, y: Affine) -> float:
    """About how many times x is y, if it is a multiple of it; else any number, 0 where there is none."""
    most, found = 0.0, 0.0
    for j, rows in y.maps.items():
        place = int(np.abs(rows[0]).argmax())
        if abs(rows[0, place]) > most and j in x.maps:
            most = float(abs(rows[0, place]))
            found = float(x.maps[j][0, place] / rows[0, place])
    return found if np.isfinite(found) else 0.0


def times_known(growing: Growing, factors: FloatArray, x: Affine) -> Affine:
    """Entries times floats."""
    plan = Product("a", "a", "a", (x.entries,), (x.entries,))
    return mapped(plan, Affine({}, factors, np.zeros(x.entries)), x, growing.reach)

"""Real wires of a word as sums of terms that read one position each, over a common denominator.

An attention read at a known query position is Σ_p e^{s_p} v_p / Σ_p e^{s_p}: numerator and
denominator are sums with one term a position. Linear maps keep that shape, and so does adding what
is known of the query position. So the sign of a read-out is that of a sum over positions, which a
shortest path minimises over all words of a regular language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from itertools import accumulate
from math import prod

import numpy as np

from circ.compiler.builder import LETTERS, Builder, number, reindex
from circ.compiler.ir import (
    Contract,
    Lookup,
    Max,
    Op,
    Reindex,
    Relu,
    Select,
    Smooth,
    Softmax,
    Sum,
    TopK,
    Wire,
)
from circ.compiler.positions import NOWHERE, SEVERAL, Masks
from circ.compiler.readings.reference import coefficients

MOST_PRODUCTS = 1 << 24
"""Of one `Contract`, counted before anything is added up."""


class NotSeparable(Exception):
    """A wire is no sum over positions; the message says what is in the way."""


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """A tensor of shape S: the sum of `wire`, of shape [T, *S], over its first axis.

    `places`, of the same shape, is the position that each entry of `wire` reads, or `NOWHERE`. The
    sum is divided by the sum of `over`, whose terms are positive; None stands for 1.
    """

    wire: Wire
    places: Masks
    over: Terms | None = None


@dataclass(slots=True)
class Separation:
    """Splits the wires of `b` into terms; `places` says what each entry of them reads."""

    b: Builder
    places: Mapping[Wire, Masks]
    found: dict[Wire, Terms] = field(default_factory=dict[Wire, Terms])

    def terms(self, wire: Wire) -> Terms:
        """The terms of a real wire; raises `NotSeparable`."""
        if wire not in self.found:
            self.found[wire] = self.split(wire)
        return self.found[wire]

    def split(self, wire: Wire) -> Terms:
        """As `terms`, worked out."""
        op, places = self.b.ops[wire], self.places[wire]
        if not (places == SEVERAL).any():
            shape = (1, *places.shape)
            return Terms(reindex(self.b, [wire], range(places.size), shape), places[None])
        match op:
            case Reindex(operands=wires):
                return self.rearranged(op, self.alike([self.terms(x) for x in wires]))
            case Sum():
                factors = coefficients(op)
                parts = self.alike([self.terms(x) for x, _ in factors])
                return self.added([(c, x) for (_, c), x in zip(factors, parts, strict=True)])
            case Contract(spec=spec, left=left, right=right):
                return self.product(spec, self.terms(left), self.terms(right))
            case Softmax(operand=x):
                return self.shares(x)
            case _:
                raise NotSeparable(obstacle(op))

    # --- ops ------------------------------------------------------------------------------

    def shares(self, scores: Wire) -> Terms:
        """Softmax of one row of scores, each of which reads one position."""
        shape, places = self.b.shape(scores), self.places[scores]
        if (places == SEVERAL).any():
            raise NotSeparable("a softmax weighs scores that read several positions each")
        if prod(shape[:-1]) != 1:
            raise NotSeparable("attention is read at several positions")
        powers = self.b.add(Smooth("exp", scores))
        row = reindex(self.b, [powers], range(shape[-1]), (shape[-1],))
        over = Terms(row, places.reshape(-1))
        return Terms(reindex(self.b, [powers], range(places.size), (1, *shape)), places[None], over)

    def product(self, spec: str, x: Terms, y: Terms) -> Terms:
        """An einsum: it sums over the axes along which one position is read, and keeps the others."""
        if x.over is not None and y.over is not None:
            raise NotSeparable("what attention reads is multiplied by what it reads")
        (first, second), output = spec.split("->")[0].split(","), spec.split("->")[1]
        t, u = [letter for letter in LETTERS if letter not in spec][:2]
        summed = [letter for letter in first if letter in second and letter not in output]
        letters = [t, u, *summed, *output]
        places = joined(
            aligned(x.places, t + first, letters), aligned(y.places, u + second, letters)
        )
        if (places == SEVERAL).any():
            raise NotSeparable("what two positions say is multiplied")
        for letter in summed:
            axis = letters.index(letter)
            if (places == places.take([0], axis)).all():
                places = np.squeeze(places.take([0], axis), axis)
                letters.remove(letter)
        kept = "".join(letters)
        wire = self.b.add(Contract(f"{t}{first},{u}{second}->{kept}", x.wire, y.wire))
        shape = self.b.shape(wire)
        axes = len(shape) - len(output)
        flat = (prod(shape[:axes]), *shape[axes:])
        wire = reindex(self.b, [wire], range(prod(shape)), flat)
        reads = np.asarray(places, np.int64).reshape(flat)
        return self.merged(Terms(wire, reads, x.over or y.over))

    def added(self, parts: Sequence[tuple[Fraction, Terms]]) -> Terms:
        """A linear combination: the terms of all."""
        scaled = [x.wire if c == 1 else self.b.add(Sum(((c, x.wire),))) for c, x in parts]
        places = np.concatenate([x.places for _, x in parts])
        wire = reindex(self.b, scaled, range(places.size), places.shape)
        return self.merged(Terms(wire, places, parts[0][1].over))

    def rearranged(self, op: Reindex, parts: Sequence[Terms]) -> Terms:
        """`Reindex` of every term; an operand with fewer terms than another lacks some."""
        most = max(x.places.shape[0] for x in parts)
        starts = accumulate((x.places.size for x in parts), initial=0)
        nothing: Masks = np.full(1, NOWHERE, np.int64)
        laid: Masks = np.concatenate([*(x.places.reshape(-1) for x in parts), nothing])
        columns = list[Masks]()
        for x, start in zip(parts, starts, strict=False):
            count, size = len(x.places), prod(map(int, x.places.shape[1:]))
            column = np.full((most, size), laid.size - 1, np.int64)
            inside: Masks = np.arange(start, start + count * size)
            column[:count] = inside.reshape(count, size)
            columns.append(column)
        source: Masks = np.concatenate(columns, axis=1)[:, list(op.source)]
        wires = [*(x.wire for x in parts), number(self.b, 0)]
        shape = (most, *op.shape)
        wire = reindex(self.b, wires, source.reshape(-1).tolist(), shape)
        return Terms(wire, laid[source].reshape(shape), parts[0].over)

    # --- a common denominator ---------------------------------------------------------------

    def alike(self, parts: Sequence[Terms]) -> list[Terms]:
        """The same tensors over one denominator."""
        overs = {x.over.wire: x.over for x in parts if x.over is not None}
        if len(overs) > 1:
            raise NotSeparable("what two attention reads say is put together")
        if not overs:
            return [*parts]
        (over,) = overs.values()
        return [x if x.over else self.over(over, x) for x in parts]

    def over(self, over: Terms, x: Terms) -> Terms:
        """Known numbers c as Σ c·z / Σ z."""
        if (x.places != NOWHERE).any():
            raise NotSeparable("what one position says is added to what attention reads")
        axes = LETTERS[2 : x.places.ndim + 1]
        wire = self.b.add(Contract(f"a{axes},b->ab{axes}", x.wire, over.wire))
        shape = self.b.shape(wire)
        flat = (shape[0] * shape[1], *shape[2:])
        ones = (1,) * (len(shape) - 2)
        places = np.broadcast_to(over.places.reshape(1, -1, *ones), shape).reshape(flat)
        return replace(
            x, wire=reindex(self.b, [wire], range(prod(shape)), flat), places=places, over=over
        )

    # --- terms of one position --------------------------------------------------------------

    def merged(self, x: Terms) -> Terms:
        """The same sum with at most one term a position, wherever entry for entry they allow it."""
        count, size = x.places.shape[0], prod(x.places.shape[1:])
        columns = x.places.reshape(count, size)
        order = np.argsort(columns, axis=0, kind="stable")
        ordered = np.take_along_axis(columns, order, 0)
        fresh = np.ones(columns.shape, np.bool_)
        fresh[1:] = ordered[1:] != ordered[:-1]
        group = np.cumsum(fresh, axis=0) - 1
        rows: Masks = np.arange(count, dtype=np.int64)[:, None]
        rank: Masks = rows - np.maximum.accumulate(np.where(fresh, rows, 0), axis=0)
        groups, most = int(group.max(initial=-1)) + 1, int(rank.max(initial=0)) + 1
        if groups == count:
            return x
        sources = np.full((most, groups, size), count * size, np.int64)
        across: Masks = np.broadcast_to(np.arange(size, dtype=np.int64), columns.shape)
        sources[rank, group, across] = order * size + across
        places = np.full((groups, size), NOWHERE, np.int64)
        places[group, across] = ordered
        shape = (groups, *x.places.shape[1:])
        wires, zero = [x.wire], number(self.b, 0)
        layers = [reindex(self.b, [*wires, zero], s.reshape(-1).tolist(), shape) for s in sources]
        wire = layers[0] if most == 1 else self.b.add(Sum(tuple((Fraction(1), w) for w in layers)))
        return Terms(wire, places.reshape(shape), x.over)


def aligned(places: Masks, letters: str, wanted: Sequence[str]) -> Masks:
    """The places of a tensor whose axes have these letters, its axes in the order wanted."""
    order = [letters.index(letter) for letter in wanted if letter in letters]
    sides = iter(places.transpose(order).shape)
    shape = [next(sides) if letter in letters else 1 for letter in wanted]
    return places.transpose(order).reshape(shape)


def joined(x: Masks, y: Masks) -> Masks:
    """The position that each product reads."""
    if prod(np.broadcast_shapes(x.shape, y.shape)) > MOST_PRODUCTS:
        raise NotSeparable("a product of tensors is too large to be split by positions")
    one = np.where(x == NOWHERE, y, x)
    return np.where((x == NOWHERE) | (y == NOWHERE) | (x == y), one, SEVERAL)


def obstacle(op: Op) -> str:
    """What is in the way, where an op on several positions is no sum."""
    match op:
        case Relu():
            return "a ReLU reads several positions"
        case Max():
            return "a maximum reads several positions"
        case Smooth(function="recip"):
            return (
                "a divisor reads several positions, and not all that is compared is divided by it"
            )
        case Smooth(function=function):
            return f"`{function}` reads several positions"
        case TopK():
            return "which of its scores a `topk` keeps depends on several positions"
        case Select() | Lookup():
            return "a choice that depends on several positions is used as a number"
        case _:
            return "a tensor reads several positions"

"""Lines in place of ReLUs and of what heads read, checked in whole numbers.

What a head reads is N/Z with Z > 0. For any numbers c and q,

    N/Z - c - q(N - cZ) = (N - cZ)(1 - qZ)/Z,

which is not negative where both factors have the same sign: N/Z is then at least c + q(N - cZ), which
is a sum over the positions. A ReLU is at least a·x for any a in [0, 1], and at most u(x - l)/(u - l)
where its operand x is between l < 0 and u > 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from circ.compiler.audit.blends import Blend, Blends, Unit
from circ.compiler.audit.clauses import Formula
from circ.compiler.audit.columns import Head, Total
from circ.compiler.audit.fixed import Fixed, line
from circ.compiler.audit.machine import DEAD
from circ.compiler.audit.maps import dot
from circ.compiler.audit.paths import TooClose, some
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.steps import Bound, Lines, Shown, Step

Bounds = Mapping[Unit, Bound]
"""What is known of the operands of ReLUs."""


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """Checks steps about the words of one row, with few bits first.

    `heads` are the score rows of all heads, `relus` the operands of all ReLUs.
    """

    levels: Sequence[Blends[Fixed]]
    formula: Formula
    heads: Sequence[tuple[int, ...]]
    relus: Mapping[Unit, int]

    def check(self, step: Step, bounds: Bounds, region: Region) -> None:
        """Raise `Rejected` unless a step holds, given `bounds`, its own among them.

        A bound rests on those of ReLUs before its own alone, so that they do not rest on each other.
        """
        for blends in self.levels:
            try:
                Attempt(blends, self, bounds, region).check(step)
                return
            except TooClose:
                if blends is self.levels[-1]:
                    raise


@dataclass(frozen=True, slots=True, eq=False)
class Attempt:
    """A step being checked with so many bits."""

    blends: Blends[Fixed]
    exact: Exact
    bounds: Bounds
    region: Region
    rooms: dict[tuple[int, float, int], bool] = field(
        default_factory=dict[tuple[int, float, int], bool]
    )

    def check(self, step: Step) -> None:
        """Raise `Rejected` unless the step holds."""
        blends, one = self.blends, self.blends.reading.math.one
        for at, bound in step.bounds.items():
            require(at in self.exact.relus, "a bound is of no ReLU")
            operand = blends.blend(self.exact.relus[at])
            self.positive(self.shifted(one, operand, -bound.low), bound.below, strict=False)
            minus = self.number(-1)
            self.positive(self.shifted(minus, operand, bound.high), bound.above, strict=False)
        for shown in step.shown:
            clause = self.exact.formula[shown.clause]
            strict = any(b.strict for b, c in zip(clause, shown.factors, strict=True) if c)
            self.positive(self.weighed(shown), shown.lines, strict=strict)

    def number(self, value: Fraction | float) -> Fixed:
        """A known number."""
        return self.blends.reading.math.number(Fraction(value))

    def shifted(self, factor: Fixed, number: Blend[Fixed], by: float) -> Blend[Fixed]:
        """A multiple of a number and what is added."""
        reading = self.blends.reading
        known = Blend((reading.constant(Fraction(by)),), {})
        return self.blends.added([(factor, number), (reading.math.one, known)])

    def weighed(self, shown: Shown) -> Blend[Fixed]:
        """How far the comparisons of a clause hold, weighted."""
        parts: list[tuple[Fixed, Blend[Fixed]]] = []
        for beats, factor in zip(self.exact.formula[shown.clause], shown.factors, strict=True):
            if factor:
                parts.append((self.number(factor), self.blends.blend(beats.more)))
                parts.append((self.number(-factor), self.blends.blend(beats.less)))
        return self.blends.added(parts)

    # --- from below -----------------------------------------------------------------------------

    def positive(self, number: Blend[Fixed], lines: Lines, *, strict: bool) -> None:
        """Raise `Rejected` unless a number is positive, or not negative, by some lines."""
        one = self.blends.reading.math.one
        parts: list[tuple[Fixed, Total[Fixed]]] = []
        for total in self.straight(number).totals:
            if total.head is None:
                parts.append((one, total))
            else:
                parts.extend(self.below(total, total.head, lines))
        low = least_sum(self.blends.reading.added(parts), self.region)
        if low is not None and (low < 0 or (low == 0 and strict)):
            raise TooClose("lines do not show that a number is positive")

    def straight(self, number: Blend[Fixed]) -> Blend[Fixed]:
        """The number with a line that is below in place of each ReLU, the last ones first."""
        relus, one = self.exact.relus, self.blends.reading.math.one
        while number.bends:
            at = max(number.bends, key=relus.__getitem__)
            others = Blend(number.totals, {k: c for k, c in number.bends.items() if k != at})
            instead = self.instead(at, number.bends[at])
            number = self.blends.added([(one, others), *instead])
        return number

    def instead(self, at: Unit, c: Fixed) -> list[tuple[Fixed, Blend[Fixed]]]:
        """What c times a ReLU is at least: c has a positive part and a negative one, whatever its sign.

        That part of c which is positive counts with the line below, the other with the line above.
        """
        math, operand = self.blends.reading.math, self.blends.blend(self.exact.relus[at])
        if at not in self.bounds:
            raise Rejected("nothing is known of a ReLU")
        bound = self.bounds[at]
        low, high = Fraction(bound.low), Fraction(bound.high)
        if high <= 0:
            return []
        if low >= 0:
            return [(c, operand)]
        up = math.largest([c, math.zero])
        down = math.largest([math.dot([(self.number(-1), c)]), math.zero])
        above = high / (high - low)
        slope = math.dot([(up, self.number(bound.slope)), (down, self.number(-above))])
        known = Blend((self.blends.reading.constant(above * low),), {})
        return [(slope, operand), (down, known)]

    def below(
        self, total: Total[Fixed], head: Head[Fixed], lines: Lines
    ) -> list[tuple[Fixed, Total[Fixed]]]:
        """What is below a number that one head reads: c + q(N - cZ), once the signs are checked."""
        reading, place = self.blends.reading, self.place(head)
        line_of_head = lines[place]
        if line_of_head is None:
            raise Rejected("a head has no line")
        c, q = line_of_head
        one, rest = reading.math.one, total.rest
        numbers = [dot(reading.math, [(one, total.terms.get(k, reading.math.zero)), (one, rest)])
                   for k in range(len(head.places))]  # fmt: skip
        short = reading.added(
            [(one, self.times(head, numbers)), (self.number(-c), self.whole(head))]
        )
        for sign in (1, -1):
            if self.never_negative(reading.added([(self.number(sign), short)])) and self.room(
                place, head, q, sign
            ):
                return [(one, reading.constant(Fraction(c))), (self.number(q), short)]
        raise TooClose("a line is not below what a head reads")

    def room(self, place: int, head: Head[Fixed], q: float, sign: int) -> bool:
        """Whether 1 - qZ has a sign on all words."""
        key = place, q, sign
        if key not in self.rooms:
            reading = self.blends.reading
            known = reading.constant(Fraction(sign))
            parts = [(reading.math.one, known), (self.number(-sign * q), self.whole(head))]
            self.rooms[key] = self.never_negative(reading.added(parts))
        return self.rooms[key]

    def never_negative(self, number: Total[Fixed]) -> bool:
        """Whether a sum over the positions is not negative on any word."""
        low = least_sum(number, self.region)
        return low is None or low >= 0

    def whole(self, head: Head[Fixed]) -> Total[Fixed]:
        """The denominator of a head."""
        return self.times(head, [self.blends.reading.math.one] * len(head.places))

    def times(self, head: Head[Fixed], factors: Sequence[Fixed]) -> Total[Fixed]:
        """The sum of what a head's slots weigh, times so much each, over the positions."""
        reading = self.blends.reading
        pairs: dict[int | None, list[tuple[Fixed, Fixed]]] = {}
        for at, power, factor in zip(head.places, head.powers, factors, strict=True):
            pairs.setdefault(at, []).append((factor, power))
        terms = {at: dot(reading.math, some) for at, some in pairs.items() if at is not None}
        return Total(None, terms, dot(reading.math, pairs.get(None, [])))

    def place(self, head: Head[Fixed]) -> int:
        """Which of the claim's heads it is."""
        reading = self.blends.reading
        for place, row in enumerate(self.exact.heads):
            if head in (reading.heads.get(row), reading.own_heads.get(row)):
                return place
        raise AssertionError("a head that no row has")


def least_sum(number: Total[Fixed], region: Region) -> int | None:
    """A lower bound of a sum over the positions on the words of a region; None where there is no word."""
    (row,) = region.rows
    ahead: list[int | None] = [0] * region.states[-1]
    for position in reversed(range(len(region.steps))):
        letters, kinds = region.kinds_at(position, row)
        weights: Sequence[int] = [0] * len(letters)
        if position in number.terms and letters:
            weights = some(line(number.terms[position].lo, 0), letters)
        mine: list[int | None] = [None] * region.states[position]
        for column, members in kinds:
            lowest = min([weights[place] for place in members])
            for state, after in enumerate(column):
                rest = None if after == DEAD else ahead[after]
                if rest is not None:
                    before = mine[state]
                    mine[state] = lowest + rest if before is None else min(before, lowest + rest)
        ahead = mine
    start = ahead[0]
    return None if start is None else start + line(number.rest.lo, 0)[0]

"""Random claims about one attention head whose read-outs tie exactly on many words, with a norm or not."""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from random import Random

from circ.compiler.builder import codes, combine, matmul, number, reals, take, times
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Comparison,
    Lookup,
    Smooth,
    Softmax,
    Weight,
    Wire,
)
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from tests.agreement.heads import Head, word
from tests.unit.obligations import NOWHERE


@dataclass(slots=True)
class TiedHead(Head):
    """A head with rows of weights that stand twice, or once as they are and once with the other sign.

    `normed`: a norm stands behind it, and perhaps a gain and a shift.
    """

    normed: bool = False
    gaps: list[tuple[Wire, bool]] = field(default_factory=list[tuple[Wire, bool]])

    def tensor(self, *shape: int) -> Wire:
        """A tensor of a checkpoint, in halves, some rows like others or their negatives."""
        key, width = f"m/w{len(self.weights)}", shape[-1]
        rows = list[list[float]]()
        for _ in range(prod(shape[:-1])):
            sign = self.chance.choice([0, 0, 1, -1]) if rows else 0
            fresh = [self.chance.randint(-2, 2) / 2 for _ in range(width)]
            rows.append([sign * x for x in self.chance.choice(rows)] if sign else fresh)
        values = array("d", (x for row in rows for x in row))
        self.weights[key] = Tensor(shape, "F32", values)
        return self.b.add(Weight(key, shape))

    def logits(self) -> Wire:
        """A read-out for each letter."""
        b = self.b
        x = b.add(Lookup(self.tensor(self.letters, self.width), (self.word,)))
        if self.chance.random() < 0.3:
            x = combine(b, (1, x), (1, self.tensor(self.length, self.width)))
        last = take(b, x, [self.length - 1])
        scores = matmul(b, x, last)
        if self.chance.random() < 0.5:
            root = b.add(Smooth("sqrt", number(b, self.chance.choice([2, 3, 8]))))
            scores = times(b, b.add(Smooth("recip", root)), scores)
        read = matmul(b, b.add(Softmax(scores)), matmul(b, x, self.tensor(self.width, self.width)))
        if self.chance.random() < 0.3:
            read = combine(b, (1, read), (1, last))
        if self.normed:
            read = self.norm(read)
        return matmul(b, self.tensor(self.letters, self.width), read)

    def norm(self, x: Wire) -> Wire:
        """x / √(mean of squares + ε), centred or not, times a gain or not."""
        b, share = self.b, Fraction(1, self.width)
        if self.chance.random() < 0.5:
            mean = reals(b, [share] * self.width**2, (self.width, self.width))
            x = combine(b, (1, x), (-1, matmul(b, mean, x)))
        under = combine(b, (share, matmul(b, x, x)), (1, number(b, Fraction(1, 1000))))
        x = times(b, b.add(Smooth("recip", b.add(Smooth("sqrt", under)))), x)
        return times(b, x, self.tensor(self.width)) if self.chance.random() < 0.5 else x

    def goal(self, logits: Wire) -> Wire:
        """A comparison of two logits, or of one with zero, or which is the largest."""
        b, chance = self.b, self.chance
        rows = [take(b, logits, [k]) for k in range(self.letters)]
        first, *others = chance.sample(rows, self.letters)
        way = chance.randrange(3)
        if way == 0:
            self.gaps += [(combine(b, (1, first), (-1, other)), True) for other in others]
            letter = codes(b, [rows.index(first)], self.letters, ())
            return b.add(Compare("==", b.add(Argmax(logits)), letter))
        low = others[0] if way == 1 else number(b, 0)
        op: Comparison = chance.choice(["<", "<=", "<=", "=="])
        self.gaps.append((combine(b, (1, first), (-1, low)), op == "<"))
        if op == "==":
            self.gaps.append((combine(b, (1, low), (-1, first)), False))
        return b.add(Compare(op, low, first))


@dataclass(frozen=True, slots=True)
class Sample:
    """A claim about words, and what it says: that each of these numbers is positive, or not negative.

    `gaps` has a wire of `circuit` each, and whether it has to be positive.
    """

    claim: Obligation
    weights: Weights
    circuit: Circuit
    gaps: tuple[tuple[Wire, bool], ...]


def claim_about_a_tied_head(seed: int, *, normed: bool) -> Sample:
    """The claim that each word of a random language is as a random truth about a head says."""
    chance = Random(seed)
    letters, length = chance.randint(2, 3), chance.randint(3, 5)
    head = TiedHead(chance, letters, length, chance.randint(2, 3), normed=normed)
    domain, goal = head.domain(), head.goal(head.logits())
    circuit = head.b.circuit({"in s": domain, "goal": goal})
    claim = Obligation("c", "forall", circuit, (word(letters, length),), NOWHERE)
    names = {f"gap {k}": wire for k, (wire, _) in enumerate(head.gaps)}
    wider = head.b.circuit({"in s": domain, **names})
    return Sample(claim, head.weights, wider, tuple(head.gaps))

"""Random claims that see a word through its counts of letters alone, and perhaps through one position."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from random import Random

from circ.compiler.builder import (
    both,
    combine,
    either,
    implies,
    matmul,
    reals,
    take,
    transpose,
    truth,
)
from circ.compiler.ir import Lookup, Max, Softmax, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from tests.agreement.heads import Head, word
from tests.unit.obligations import NOWHERE


@dataclass(slots=True)
class Orderless(Head):
    """A network in the making that does not know the order of its letters, and the claim about it."""

    at: int | None = None
    """The position that is told apart: the first or the last."""

    def logits(self) -> Wire:
        """A read-out for each letter, of one way to put the letters together or two."""
        b = self.b
        x = b.add(Lookup(self.tensor(self.letters, self.width), (self.word,)))
        read = combine(b, *((1, self.mixed(x)) for _ in range(self.chance.randint(1, 2))))
        if self.at is not None and self.chance.random() < 0.5:
            read = combine(b, (1, read), (1, take(b, x, [self.at])))
        if self.chance.random() < 0.7:
            read = combine(b, (1, read), (1, self.mlp(read)))
        return matmul(b, self.tensor(self.letters, self.width), read)

    def mixed(self, x: Wire) -> Wire:
        """What is read of all positions: the mean, the largest, by attention from one, or from the mean."""
        b = self.b
        share = reals(b, (Fraction(1, self.length),) * self.length, (self.length,))
        mean = matmul(b, share, matmul(b, x, self.tensor(self.width, self.width)))
        ways: list[Callable[[], Wire]] = [
            lambda: mean,
            lambda: b.add(Max(transpose(b, x, [1, 0]))),
            lambda: self.attended(x, mean if self.at is None else take(b, x, [self.at])),
        ]
        return self.chance.choice(ways)()

    def attended(self, x: Wire, query: Wire) -> Wire:
        """What attention reads that asks for a query."""
        b = self.b
        scores = matmul(b, x, matmul(b, self.tensor(self.width, self.width), query))
        return matmul(b, b.add(Softmax(scores)), x)

    def domain(self) -> Wire:
        """A random condition on the counts of letters, or none."""
        ways: list[Callable[[], Wire]] = [
            lambda: truth(self.b, True),
            self.few,
            lambda: either(self.b, self.few(), self.few()),
        ]
        return self.chance.choice(ways)()

    def goal(self, logits: Wire) -> Wire:
        """A truth about the logits, or about those and counts."""
        b = self.b
        ways: list[Callable[[], Wire]] = [
            lambda: self.leading(logits),
            lambda: self.bounded(logits),
            lambda: both(b, self.bounded(logits), self.bounded(logits)),
            lambda: implies(b, self.few(), self.leading(logits)),
        ]
        return self.chance.choice(ways)()


def claim_without_order(seed: int) -> tuple[Obligation, dict[str, Tensor]]:
    """A random claim and the weights it is about."""
    chance = Random(seed)
    letters, length = chance.choice([(2, 6), (3, 4), (3, 5), (4, 4), (5, 3), (2, 3)])
    at = chance.choice([None, 0, length - 1])
    net = Orderless(chance, letters, length, chance.randint(1, 3), at=at)
    logits = net.logits()
    condition = net.bounded(logits) if chance.random() < 0.2 else truth(net.b, True)
    outputs = {"in s": net.domain(), "where": condition, "goal": net.goal(logits)}
    bound = word(letters, length)
    obligation = Obligation("c", "forall", net.b.circuit(outputs), (bound,), NOWHERE)
    return obligation, net.weights

"""Random claims about networks beyond one attention head: heads added, layers, MLPs, norms."""

from __future__ import annotations

from fractions import Fraction
from random import Random

from circ.compiler.builder import (
    broadcast,
    combine,
    matmul,
    number,
    put,
    reals,
    stack,
    take,
    times,
    total,
    transpose,
    truth,
)
from circ.compiler.ir import Lookup, Max, Relu, Select, Smooth, Softmax, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from tests.agreement.heads import Head, word
from tests.unit.obligations import NOWHERE


class Deep(Head):
    """A network in the making, and the claim about it."""

    def logits(self) -> Wire:
        """A read-out for each letter."""
        b, chance = self.b, self.chance
        x = b.add(Lookup(self.tensor(self.letters, self.width), (self.word,)))
        if chance.random() < 0.7:
            x = combine(b, (1, x), (1, self.tensor(self.length, self.width)))
        layers = chance.choice([1, 1, 2])
        for _ in range(layers):
            reads = [self.attended(x) for _ in range(chance.choice([1, 2, 2]))]
            x = combine(b, (1, x), *((1, read) for read in reads))
            if chance.random() < 0.3:
                x = stack(b, [self.mlp_at(x, p) for p in range(self.length)])
            if chance.random() < 0.15:
                x = stack(b, [self.normed(take(b, x, [p])) for p in range(self.length)])
        at = self.length - 1 if chance.random() < 0.8 else chance.randrange(self.length)
        last = take(b, x, [at])
        if chance.random() < 0.1:
            last = combine(b, (1, last), (1, broadcast(b, b.add(Max(last)), b.shape(last))))
        if chance.random() < 0.1:
            last = self.switched(last, at)
        return matmul(b, self.tensor(self.letters, self.width), last)

    def mlp_at(self, x: Wire, position: int) -> Wire:
        """A ReLU layer at one position, added to what is there."""
        if position == 0:
            self.inner = self.tensor(2, self.width), self.tensor(2), self.tensor(self.width, 2)
        b, here = self.b, take(self.b, x, [position])
        inner = combine(b, (1, matmul(b, self.inner[0], here)), (1, self.inner[1]))
        return combine(b, (1, here), (1, matmul(b, self.inner[2], b.add(Relu(inner)))))

    def attended(self, x: Wire) -> Wire:
        """What one head reads at every position."""
        b, size = self.b, self.width
        keys, values = (matmul(b, x, self.tensor(size, size)) for _ in range(2))
        queries = matmul(b, x, self.tensor(size, size))
        scores = matmul(b, queries, transpose(b, keys, (1, 0)))
        scores = combine(b, (Fraction(self.chance.choice([1, 2, 8]), 4), scores))
        kind = self.chance.random()
        if kind < 0.7:
            return matmul(b, b.add(Softmax(scores)), values)
        return matmul(b, self.causal(scores) if kind < 0.9 else scores, values)

    def causal(self, scores: Wire) -> Wire:
        """Each position reads those up to itself."""
        b, size = self.b, self.length
        nothing = reals(b, [Fraction(0)] * size, (size,))
        rows = [b.add(Softmax(take(b, scores, [p, range(p + 1)]))) for p in range(size)]
        return stack(b, [put(b, nothing, [range(p + 1)], row) for p, row in enumerate(rows)])

    def normed(self, x: Wire) -> Wire:
        """A vector over its root mean square."""
        b, size = self.b, self.width
        mean = combine(b, (Fraction(1, size), total(b, times(b, x, x))))
        root = b.add(Smooth("sqrt", combine(b, (1, mean), (1, number(b, 1)))))
        return times(b, b.add(Smooth("recip", root)), x)

    def switched(self, x: Wire, at: int) -> Wire:
        """Zero where one letter stands."""
        stands = self.among(take(self.b, self.word, [at]), self.letters)
        nothing = reals(self.b, [Fraction(0)] * self.width, (self.width,))
        return self.b.add(Select(stands, x, nothing))


def claim_beyond_one_head(seed: int) -> tuple[Obligation, dict[str, Tensor]]:
    """A random claim and the weights it is about."""
    chance = Random(seed)
    letters, length = chance.choice([(2, 5), (3, 4), (3, 5), (4, 4), (5, 3), (4, 2), (3, 1)])
    net = Deep(chance, letters, length, chance.randint(1, 3))
    logits = net.logits()
    condition = net.bounded(logits) if chance.random() < 0.15 else truth(net.b, True)
    outputs = {"in s": net.domain(), "where": condition, "goal": net.goal(logits)}
    bound = word(letters, length)
    obligation = Obligation("c", "forall", net.b.circuit(outputs), (bound,), NOWHERE)
    return obligation, net.weights

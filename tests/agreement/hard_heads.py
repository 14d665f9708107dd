"""Random claims about a head that reads one position, over the words of a random regular language."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from math import prod
from random import Random

from circ.compiler.builder import combine, matmul, reals, reindex, take, truth
from circ.compiler.ir import Argmax, Compare, Lookup, Smooth, Weight, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from tests.agreement.heads import Head, word
from tests.unit.obligations import NOWHERE

SIZES = [(2, 5), (2, 7), (3, 4), (3, 5), (4, 4), (5, 3), (4, 2), (3, 1)]


@dataclass(slots=True)
class HardHead(Head):
    """A head that reads the position of the largest score; `tied`: of few scores, often equal.

    `written`: some of its tensors are written in the claim, and so are known before any input is.
    """

    tied: bool = False
    written: bool = False

    def tensor(self, *shape: int) -> Wire:
        """A random tensor in eighths."""
        if self.written and self.chance.random() < 0.6:
            entries = [Fraction(self.chance.randint(-12, 12), 8) for _ in range(prod(shape))]
            return reals(self.b, entries, shape)
        key = f"m/w{len(self.weights)}"
        values = array("d", (self.chance.randint(-12, 12) / 8 for _ in range(prod(shape))))
        self.weights[key] = Tensor(shape, "F32", values)
        return self.b.add(Weight(key, shape))

    def logits(self) -> Wire:
        """A read-out for each letter."""
        b, chance = self.b, self.chance
        place, x, at = self.chosen()
        values = matmul(b, x, self.tensor(self.width, self.width))
        read = b.add(Lookup(values, (place,)))
        if chance.random() < 0.6:
            read = combine(b, (1, read), (1, take(b, x, [at])))
        if chance.random() < 0.3:
            mean = matmul(b, self.tensor(self.length), x)
            read = combine(b, (1, read), (1, mean))
        if chance.random() < 0.25:
            read = combine(b, (1, read), (1, self.mlp(read)))
        return matmul(b, self.tensor(self.letters, self.width), read)

    def chosen(self) -> tuple[Wire, Wire, int]:
        """The position that is read, the embedded word, and the position that asks."""
        b, chance = self.b, self.chance
        x = b.add(Lookup(self.tensor(self.letters, self.width), (self.word,)))
        if chance.random() < 0.5:
            x = combine(b, (1, x), (1, self.tensor(self.length, self.width)))
        at = self.length - 1 if chance.random() < 0.8 else chance.randrange(self.length)
        scores = self.scores(x, at)
        if chance.random() < 0.2:
            scores = b.add(Smooth("exp", scores))
        return b.add(Argmax(scores)), x, at

    def scores(self, x: Wire, at: int) -> Wire:
        """One number a position."""
        b, chance = self.b, self.chance
        if self.tied:
            table = self.few_scores(self.letters, self.letters)
            asked = reindex(b, [self.word], [at] * self.length, (self.length,))
            return b.add(Lookup(table, (self.word, asked)))
        if chance.random() < 0.2:
            return matmul(b, x, self.tensor(self.width))
        return matmul(b, x, matmul(b, self.tensor(self.width, self.width), take(b, x, [at])))

    def few_scores(self, *shape: int) -> Wire:
        """A random tensor of a checkpoint with three different entries."""
        key = f"m/w{len(self.weights)}"
        values = array("d", (self.chance.choice([-0.5, 0.25, 1.0]) for _ in range(prod(shape))))
        self.weights[key] = Tensor(shape, "F32", values)
        return self.b.add(Weight(key, shape))

    def copied(self) -> Wire:
        """Whether the letter that is read is one of some, or that of a fold."""
        b = self.b
        place, _, _ = self.chosen()
        letter = b.add(Lookup(self.word, (place,)))
        ways: list[Callable[[], Wire]] = [
            lambda: self.among(letter, self.letters),
            lambda: b.add(Compare("==", letter, self.of_state(self.letters))),
            lambda: b.add(Compare("==", letter, take(b, self.word, [self.length - 1]))),
            lambda: self.among(place, self.length),
        ]
        return self.chance.choice(ways)()


def claim_about_a_hard_head(seed: int) -> tuple[Obligation, dict[str, Tensor]]:
    """A random claim and the weights it is about; every third has ties on purpose."""
    chance = Random(seed)
    letters, length = chance.choice(SIZES)
    head = HardHead(chance, letters, length, chance.randint(1, 3), tied=seed % 3 == 0)
    head.written = seed % 4 == 1
    if chance.random() < 0.15:
        goal = head.copied()
    else:
        logits = head.logits()
        goal = head.goal(logits)
    condition = head.bounded(head.logits()) if chance.random() < 0.1 else truth(head.b, True)
    outputs = {"in s": head.domain(), "where": condition, "goal": goal}
    bound = word(letters, length)
    obligation = Obligation("c", "forall", head.b.circuit(outputs), (bound,), NOWHERE)
    return obligation, head.weights

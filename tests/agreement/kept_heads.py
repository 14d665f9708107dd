"""Random claims about a head that reads the positions of the largest scores, as `topk` marks them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from random import Random

from circ.compiler.builder import combine, matmul, reals, take, truth
from circ.compiler.ir import Argmax, Lookup, TopK, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor
from tests.agreement.hard_heads import SIZES, HardHead
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE


@dataclass(slots=True)
class KeptHead(HardHead):
    """A head that reads each position as much as it is among the largest; `hard`: the largest alone."""

    hard: bool = False

    def logits(self) -> Wire:
        """A read-out for each letter."""
        b, chance = self.b, self.chance
        x = b.add(Lookup(self.tensor(self.letters, self.width), (self.word,)))
        at = self.length - 1 if chance.random() < 0.8 else chance.randrange(self.length)
        read = matmul(b, self.marks(self.scores(x, at)), x)
        if chance.random() < 0.6:
            read = combine(b, (1, read), (1, self.gated(take(b, x, [at]))))
        return matmul(b, self.tensor(self.letters, self.width), read)

    def marks(self, scores: Wire) -> Wire:
        """1 at the positions that are read: by an op, or as a row of a table."""
        b, size = self.b, self.length
        if not self.hard:
            return b.add(TopK(self.chance.randint(0, size), scores))
        eye = reals(b, (Fraction(i == j) for i in range(size) for j in range(size)), (size, size))
        return b.add(Lookup(eye, (b.add(Argmax(scores)),)))

    def gated(self, x: Wire) -> Wire:
        """What one position says, only its largest entries left: of one letter alone."""
        b, chance = self.b, self.chance
        if chance.random() < 0.5:
            return x
        return b.add(TopK(chance.randint(1, self.width), x))


def claim_about_kept_positions(seed: int) -> tuple[Obligation, dict[str, Tensor]]:
    """A random claim and the weights it is about; every other has ties on purpose."""
    chance = Random(seed)
    letters, length = chance.choice(SIZES)
    head = KeptHead(chance, letters, length, chance.randint(1, 3), tied=seed % 2 == 0)
    head.hard = seed % 3 == 0
    head.written = seed % 5 == 1
    goal = head.goal(head.logits())
    condition = head.bounded(head.logits()) if chance.random() < 0.2 else truth(head.b, True)
    outputs = {"in s": head.domain(), "where": condition, "goal": goal}
    bound = word(letters, length)
    obligation = Obligation("c", "forall", head.b.circuit(outputs), (bound,), NOWHERE)
    return obligation, head.weights

"""Random claims about one attention head over the words of a random regular language."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from dataclasses import dataclass, field
from fractions import Fraction
from math import prod
from random import Random

from circ.compiler.builder import (
    Builder,
    both,
    codes,
    combine,
    either,
    implies,
    matmul,
    number,
    reals,
    take,
    truth,
)
from circ.compiler.ir import (
    Argmax,
    Bool,
    Compare,
    Const,
    Index,
    Input,
    Lookup,
    Not,
    Relu,
    Select,
    Softmax,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.tensor import Tensor
from circ.runtime.engines.words import all_words
from tests.unit.obligations import NOWHERE

STATES = 3


@dataclass(slots=True)
class Head:
    """A head in the making, and the claim about it."""

    chance: Random
    letters: int
    length: int
    width: int
    b: Builder = field(default_factory=Builder)
    weights: dict[str, Tensor] = field(default_factory=dict[str, Tensor])

    @property
    def word(self) -> Wire:
        """The word that all is about."""
        return self.b.add(Input("s", WireType(Index(self.letters), (self.length,))))

    def tensor(self, *shape: int) -> Wire:
        """A random tensor of a checkpoint, in eighths."""
        key = f"m/w{len(self.weights)}"
        values = array("d", (self.chance.randint(-12, 12) / 8 for _ in range(prod(shape))))
        self.weights[key] = Tensor(shape, "F32", values)
        return self.b.add(Weight(key, shape))

    # --- the network ------------------------------------------------------------------------

    def logits(self) -> Wire:
        """A read-out for each letter."""
        read = self.read()
        return matmul(self.b, self.tensor(self.letters, self.width), read)

    def read(self) -> Wire:
        """What is read of the word."""
        b = self.b
        x = b.add(Lookup(self.tensor(self.letters, self.width), (self.word,)))
        if self.chance.random() < 0.6:
            x = combine(b, (1, x), (1, self.tensor(self.length, self.width)))
        at = self.length - 1 if self.chance.random() < 0.8 else self.chance.randrange(self.length)
        query = matmul(b, self.tensor(self.width, self.width), take(b, x, [at]))
        scores = combine(b, (self.chance.choice([1, 1, 6]), matmul(b, x, query)))
        values = matmul(b, x, self.tensor(self.width, self.width))
        read = matmul(b, self.pattern(scores), values)
        if self.chance.random() < 0.7:
            read = combine(b, (1, read), (1, take(b, x, [at])))
        if self.chance.random() < 0.25:
            read = combine(b, (1, read), (1, self.mlp(read)))
        return read

    def mlp(self, x: Wire) -> Wire:
        """A ReLU layer of a few units, or two."""
        b, hidden = self.b, self.chance.randint(1, 3)
        inner = matmul(b, self.tensor(hidden, self.width), x)
        inner = b.add(Relu(combine(b, (1, inner), (1, self.tensor(hidden)))))
        if self.chance.random() < 0.3:
            inner = b.add(Relu(matmul(b, self.tensor(hidden, hidden), inner)))
        return matmul(b, self.tensor(self.width, hidden), inner)

    def pattern(self, scores: Wire) -> Wire:
        """How much each position is read: softmax mostly, else alike or linear."""
        kind = self.chance.random()
        if kind < 0.8:
            return self.b.add(Softmax(scores))
        if kind < 0.9:
            share = (Fraction(1, self.length),) * self.length
            return reals(self.b, share, (self.length,))
        return scores

    # --- what is discrete -------------------------------------------------------------------

    def state(self) -> Wire:
        """A random fold over the word with few states."""
        b, chance = self.b, self.chance
        shape = (STATES, self.letters)
        entries = tuple(chance.randrange(STATES) for _ in range(prod(shape)))
        table = codes(b, entries, STATES, shape)
        state = codes(b, [0], STATES, ())
        for position in range(self.length):
            state = b.add(Lookup(table, (state, take(b, self.word, [position]))))
        return state

    def of_state(self, size: int) -> Wire:
        """A letter for each state of a fold."""
        entries = [self.chance.randrange(size) for _ in range(STATES)]
        return self.b.add(Lookup(codes(self.b, entries, size, (STATES,)), (self.state(),)))

    def among(self, wire: Wire, size: int) -> Wire:
        """Whether a code is one of some."""
        entries = tuple(self.chance.random() < 0.6 for _ in range(size))
        table = self.b.add(Const(WireType(Bool(), (size,)), entries))
        return self.b.add(Lookup(table, (wire,)))

    def few(self) -> Wire:
        """Whether one letter occurs at most so often."""
        b, letter = self.b, self.chance.randrange(self.letters)
        one, zero = number(b, 1), number(b, 0)
        same = [
            b.add(Compare("==", take(b, self.word, [p]), codes(b, [letter], self.letters, ())))
            for p in range(self.length)
        ]
        count = combine(b, *((1, b.add(Select(x, one, zero))) for x in same))
        return b.add(Compare("<=", count, number(b, self.chance.randint(0, self.length))))

    def domain(self) -> Wire:
        """A random condition on the word."""
        ways: list[Callable[[], Wire]] = [
            lambda: truth(self.b, True),
            self.few,
            lambda: self.among(self.state(), STATES),
            lambda: both(self.b, self.few(), self.among(self.state(), STATES)),
        ]
        return self.chance.choice(ways)()

    # --- the claim ----------------------------------------------------------------------------

    def goal(self, logits: Wire) -> Wire:
        """A truth about the logits."""
        b, chance = self.b, self.chance
        best = b.add(Argmax(logits))
        ways: list[Callable[[], Wire]] = [
            lambda: b.add(Compare("==", best, self.of_state(self.letters))),
            lambda: b.add(Compare("==", best, self.of_state(self.letters))),
            lambda: b.add(Not(b.add(Compare("==", best, self.of_state(self.letters))))),
            lambda: self.among(best, self.letters),
            lambda: self.leading(logits),
            lambda: self.leading(logits),
            lambda: self.bounded(logits),
            lambda: self.bounded(logits),
            lambda: both(b, self.bounded(logits), self.bounded(logits)),
            lambda: either(b, self.bounded(logits), self.bounded(logits)),
            lambda: implies(b, self.bounded(logits), self.bounded(logits)),
            lambda: implies(b, self.among(self.state(), STATES), self.bounded(logits)),
        ]
        return chance.choice(ways)()

    def bounded(self, logits: Wire) -> Wire:
        """A linear read-out on one side of a threshold that few words pass, or none by very little."""
        b, chance = self.b, self.chance
        one, other = (take(b, logits, [chance.randrange(self.letters)]) for _ in range(2))
        readout = combine(b, (1, one), (-chance.randint(0, 1), other))
        bound = number(b, self.close_to_least(self.values(readout)))
        return b.add(Compare(chance.choice(["<", "<="]), bound, readout))

    def leading(self, logits: Wire) -> Wire:
        """Whether one letter leads, with a bonus that lets it lead on all words but few, or on all by little."""
        b, letter = self.b, self.chance.randrange(self.letters)
        chosen = [self.values(take(b, logits, [k])) for k in range(self.letters)]
        gaps = [
            min(row[letter] - other for k, other in enumerate(row) if k != letter)
            for row in zip(*chosen, strict=True)
        ]
        bonus = [Fraction(0)] * self.letters
        bonus[letter] = -self.close_to_least(gaps)
        best = b.add(Argmax(combine(b, (1, logits), (1, reals(b, bonus, (self.letters,))))))
        return b.add(Compare("==", best, codes(b, [letter], self.letters, ())))

    def close_to_least(self, values: list[float]) -> Fraction:
        """A number that few of these are below, or none by very little."""
        values = sorted(values)
        low, high = values[0], values[min(self.chance.randint(0, 2), len(values) - 1)]
        share = Fraction(self.chance.choice([0.5, 0.5, 1.5, -1e-7]))
        return Fraction(low) + share * Fraction(high - low)

    def values(self, readout: Wire) -> list[float]:
        """About what a read-out is on every word."""
        bound = word(self.letters, self.length)
        circuit = self.b.circuit({})
        source = all_words(bound, self.letters**self.length)
        given = Values({}, {self.word: source.batch(0, source.count)["s"]})
        found = read(prepare(circuit, self.weights, [readout]), given)
        values: list[float] = found.reals[readout].mid.reshape(-1).tolist()
        return values


def word(letters: int, length: int) -> Bound:
    """The binder."""
    names = tuple(f"m{i}" for i in range(letters))
    return Bound("s", WireType(Index(letters), (length,)), Words(names))


def claim_about_a_head(seed: int) -> tuple[Obligation, dict[str, Tensor]]:
    """A random claim and the weights it is about."""
    chance = Random(seed)
    letters, length = chance.choice(
        [(2, 5), (2, 7), (3, 4), (3, 5), (4, 4), (5, 3), (4, 2), (3, 1)]
    )
    head = Head(chance, letters, length, chance.randint(1, 3))
    logits = head.logits()
    condition = head.bounded(logits) if chance.random() < 0.15 else truth(head.b, True)
    outputs = {"in s": head.domain(), "where": condition, "goal": head.goal(logits)}
    bound = word(letters, length)
    obligation = Obligation("c", "forall", head.b.circuit(outputs), (bound,), NOWHERE)
    return obligation, head.weights

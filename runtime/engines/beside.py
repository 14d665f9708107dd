"""Deciding claims about words beside boxes of reals: word by word, where they are few.

With its word known, a claim is one about boxes (`boxes.py`). Every word gets a fair share of the time, first
a little of it, so that what is soon found out is found out of all words; what is left goes to those that
need more.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import reduce
from time import monotonic
from typing import assert_never

from circ.compiler.builder import Builder
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.ir import Circuit, Const, Input, Op, Wire
from circ.compiler.obligation import Obligation, Reals, Witness
from circ.compiler.passes.drop_dead import copied
from circ.compiler.passes.fold_constants import folded
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.runtime.engines import automata, boxes
from circ.runtime.engines.admitted import Word, admitted

METHOD = f"{boxes.METHOD} at each word"
FOLDING = "the folding of constants"

MOST_WORDS = 512
"""Most words beside a box, those aside that the conditions leave out."""

FIRST_SHARE = 0.25
"""Of its fair share, what a word gets before all words had as much."""


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every word, with every input of the boxes, that meets the conditions meets the goal."""
    start = monotonic()
    try:
        known = admitted(obligation, weights, MOST_WORDS, start + limits.timeout)
        if known.count > MOST_WORDS:
            told = f"there are {known.count:,} words beside the box, more than the {MOST_WORDS} that are tried"
            return Stuck(told, METHOD)
        roll = Roll(obligation, weights, limits, progress, start + limits.timeout)
        roll.trusted |= dict.fromkeys(automata.TRUSTED if known.sifted else ())
        return roll.decided([*known.words])
    except KeyboardInterrupt:
        return Stuck("interrupted", METHOD, interrupted=True)


def at_word(obligation: Obligation, word: Word) -> Obligation:
    """The obligation with its words known."""
    b = Builder()

    def known(_wire: Wire, op: Op) -> Wire | None:
        if isinstance(op, Input) and op.name in word:
            return b.add(Const(op.type, word[op.name]))
        return folded(b, op)

    circuit = copied(obligation.circuit, b, known)
    rest = tuple(bound for bound in obligation.binders if bound.name not in word)
    return replace(obligation, circuit=circuit, binders=rest)


def excluded(obligation: Obligation) -> bool:
    """Whether a condition is known to fail."""
    circuit = obligation.circuit
    return any(denied(circuit, circuit.outputs[name]) for name in obligation.conditions)


def denied(circuit: Circuit, wire: Wire) -> bool:
    """Whether a truth is known to be false."""
    op = circuit.ops[wire]
    return isinstance(op, Const) and not op.values[0]


@dataclass(slots=True)
class Roll:
    """What was found of words so far; `held` has the warnings of each where the claim holds."""

    obligation: Obligation
    weights: Weights
    limits: Limits
    progress: Progress
    deadline: float
    held: list[tuple[str, ...]] = field(default_factory=list[tuple[str, ...]])
    trusted: dict[str, None] = field(default_factory=dict[str, None])
    empty: list[Empty] = field(default_factory=list[Empty])

    def decided(self, every: list[Word]) -> Finding:
        """The finding, from those of all words."""
        waiting, many = every, len(every)
        stuck: list[tuple[Word, Stuck]] = []
        for share in (FIRST_SHARE, 1.0):
            stuck = []
            for k, word in enumerate(waiting):
                left = max(0.0, self.deadline - monotonic())
                found = self.ask(word, share * left / (len(waiting) - k))
                self.progress((many - len(waiting) + k + 1) / many, "one word after the other")
                match found:
                    case Fails():
                        return found
                    case Stuck(interrupted=True):
                        return found
                    case Stuck():
                        stuck.append((word, found))
                    case Holds(warnings=warnings, trusted=trusted):
                        self.held.append(warnings)
                        self.trusted |= dict.fromkeys(trusted)
                    case Empty():
                        self.empty.append(found)
                    case None:
                        pass
                    case _:
                        assert_never(found)
            waiting = [word for word, _ in stuck]
        return self.undecided(*stuck[0], len(stuck), many) if stuck else self.settled(many)

    def ask(self, word: Word, seconds: float) -> Finding | None:
        """What is found of one word; None where it is not in the domain."""
        question = at_word(self.obligation, word)
        if excluded(question):
            return None
        limits = replace(self.limits, timeout=seconds)
        found = boxes.decide(question, self.weights, limits, lambda _share, _doing: None)
        if isinstance(found, Fails):
            witness = self.whole(word, found.witness)
            return replace(found, method=METHOD, size=self.size, witness=witness, warnings=())
        return found

    def whole(self, word: Word, found: Witness) -> Witness:
        """An input of the obligation: a word, and what was found beside it."""
        values = {**word, **dict(found.values)}
        return Witness(tuple((bound.name, values[bound.name]) for bound in self.obligation.binders))

    def settled(self, many: int) -> Finding:
        """What all words together say."""
        if not self.held:
            reason = self.empty[0].reason if self.empty else "no word is in the domain"
            return Empty(reason, METHOD)
        shared = reduce(lambda a, b: [x for x in a if x in b], self.held, [*self.held[0]])
        method = f"{boxes.METHOD} at each of {many:,} word{'s' * (many != 1)}"
        return Holds(method, (*self.trusted, FOLDING), self.size, warnings=tuple(shared))

    def undecided(self, word: Word, first: Stuck, left: int, many: int) -> Stuck:
        """What is left, and why the first such word is."""
        reason = f"{left:,} of {many:,} words are undecided; the first one: {first.reason}"
        hardest = None if first.hardest is None else self.whole(word, first.hardest)
        return replace(first, reason=reason, method=METHOD, hardest=hardest)

    @property
    def size(self) -> Size:
        """How large the domain is."""
        reals = [b.type.entries for b in self.obligation.binders if isinstance(b.values, Reals)]
        return Size(None, sum(reals))

"""A claim checked on one word for each count of letters: where their order says nothing (`alike.py`).

A word stands for all with its letters in any order, but for the position that is told apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, islice, product
from math import comb, factorial, prod

from circ.compiler.audit.alike import require_alike
from circ.compiler.audit.alone import Outcome, alone_at
from circ.compiler.audit.bound import Asked, asked, whole_domain
from circ.compiler.audit.inputs import MOST_INPUTS, Fast, Tick, judge_of
from circ.compiler.audit.judged import TABLE, JudgesWords, Letters, OnWords, batch_size
from circ.compiler.audit.record import Data, a_count, a_number, only
from circ.compiler.audit.rejected import NotKnown, require
from circ.compiler.audit.whole_vectors import COARSE, WholeVectors
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Counted:
    """Words of so many letters at so many positions, one of which may be told apart."""

    size: int
    length: int
    apart: int | None

    @property
    def free(self) -> int:
        """How many letters may stand in any order."""
        return self.length - (self.apart is not None)

    @property
    def count(self) -> int:
        """How many words stand for all."""
        ways = comb(self.free + self.size - 1, self.free)
        return ways if self.apart is None else ways * self.size

    def words(self) -> Iterator[Letters]:
        """The words in which the letters that may stand in any order are sorted."""
        found = combinations_with_replacement(range(self.size), self.free)
        if self.apart is None:
            return found
        at = self.apart
        pairs = product(found, range(self.size))
        return ((*some[:at], letter, *some[at:]) for some, letter in pairs)

    def stands_for(self, word: Letters) -> int:
        """How many words are one with its letters in some order."""
        some = [letter for place, letter in enumerate(word) if place != self.apart]
        return factorial(len(some)) // prod(factorial(some.count(c)) for c in {*some})


def checked_by_counts(
    rest: Data, obligation: Obligation, weights: Weights, fast: Fast | None
) -> int:
    """How many words meet the conditions of a claim that holds for all of them; raises `Rejected`."""
    require(obligation.quantifier == "forall", "that something exists is shown by a witness")
    words, apart = only(rest, "words", "apart")
    claim = asked(obligation, weights)
    at = None if apart is None else a_number(apart, len(claim.plan.sizes))
    found = counted_through(claim, weights, at, fast)
    require(found > 0, "no word meets the conditions")
    require(found == a_count(words), "it counts other words than there are")
    return found


def counted_through(
    claim: Asked, weights: Weights, apart: int | None, fast: Fast | None, tick: Tick = lambda: None
) -> int:
    """How many words meet the conditions; raises `Rejected` unless each of them meets the goal, and the
    order of its letters does not matter, that at `apart` aside. `tick` is called now and then."""
    sizes = claim.plan.sizes
    require(len(claim.binders) == 1 and len(sizes) > 0, "it is not about one word")
    require(whole_domain(claim) > 0, "there is no word")
    some = Counted(max(sizes), len(sizes), apart)
    require(some.count <= MOST_INPUTS, "its letters have too many counts to go through")
    require_alike(claim.plan, claim.roots, weights, apart)
    judges: list[JudgesWords] = [fast.words(claim, weights)] if fast else []
    slow = WholeVectors(COARSE)
    judges.append(OnWords(judge_of(claim, weights, slow, 0 if fast else TABLE)))
    size = batch_size(claim.plan, fast.room if fast else slow.room)
    words, found = some.words(), 0
    while batch := list(islice(words, size)):
        tick()
        right = judged(claim, weights, batch, judges, tick)
        found += sum(some.stands_for(word) for word in right)
    return found


def judged(
    claim: Asked,
    weights: Weights,
    words: Sequence[Letters],
    judges: Iterable[JudgesWords],
    tick: Tick,
) -> Iterator[Letters]:
    """The words that meet the conditions; raises `Rejected` unless each of them meets the goal."""
    left = words
    for judge in judges:
        if left:
            right, unsure = told(judge, left)
            yield from (left[place] for place in right)
            left = [left[place] for place in unsure]
    for word in left:
        tick()
        if alone_at(claim, weights, word) is Outcome.RIGHT:
            yield word


def told(judge: JudgesWords, words: Sequence[Letters]) -> tuple[Sequence[int], Sequence[int]]:
    """What a judge says of some words; all are left open where it says nothing."""
    try:
        return judge(words)
    except NotKnown:
        return (), range(len(words))

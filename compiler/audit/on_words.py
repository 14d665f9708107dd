"""A claim's numbers on some words, one by one, and which comparisons hold there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from circ.compiler.audit.clauses import Clause
from circ.compiler.audit.columns import Chosen
from circ.compiler.audit.divided import Claim
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fixed import Fixed, FixedPoint
from circ.compiler.audit.rejected import require
from circ.compiler.audit.sums import Reading
from circ.compiler.tensor import Weights

SomeWords = list[tuple[int, ...]]


def on_words(
    claim: Claim,
    weights: Weights,
    math: FixedPoint,
    given: Mapping[int, Known],
    chosen: Mapping[int, Chosen],
    words: SomeWords,
) -> Reading[Fixed]:
    """A reading with a row for each word, in which every letter is known."""
    fixed = {p: [word[p] for word in words] for p in range(claim.word.length)}
    apart = [True] * len(claim.nodes.nodes)
    return Reading(
        math, claim.nodes, weights, claim.word.letters, fixed, given, {}, apart, {}, {}, chosen
    )


def by_leaders(
    chosen: Mapping[int, Chosen], words: SomeWords
) -> Iterator[tuple[dict[int, Chosen], SomeWords]]:
    """Words together on which leaders may be the same: those entries that read the letter chosen."""
    found: dict[tuple[tuple[int, Chosen], ...], SomeWords] = {}
    for word in words:
        left = tuple((leader, leading(one, word)) for leader, one in chosen.items())
        found.setdefault(left, []).append(word)
    for left, some in found.items():
        yield dict(left), some


def leading(chosen: Chosen, word: tuple[int, ...]) -> Chosen:
    """The entries of which the letter chosen stands in a word; all of them, if it nowhere does."""
    pairs = zip(chosen.slots, chosen.places, strict=True)
    left = [(slot, at) for slot, at in pairs if at is None or word[at] == chosen.letter]
    if not left:
        return chosen
    return Chosen(tuple(slot for slot, _ in left), tuple(at for _, at in left), chosen.letter)


def failing(reading: Reading[Fixed], clause: Clause, words: SomeWords) -> SomeWords:
    """The words on which no comparison is shown to hold."""
    right = [False] * len(words)
    for beats in clause:
        more, less = reading.total(beats.more), reading.total(beats.less)
        require(more.known and less.known, "a number is not known at a word")
        found = reading.math.below(less.rest, more.rest, strict=beats.strict)
        for place in range(len(words)):
            right[place] |= found[place if len(found) > 1 else 0][0] is True
    return [word for word, is_right in zip(words, right, strict=True) if not is_right]

"""The sign of a sum on all words of a language, where it is zero on many of them.

What each letter adds at each position is written as a sum of exponentials, with an exact test for zero
(`compiler/readings/exponentials.py`). Beginnings of words that lead to one state with equal sums so far
are gone on with once, so that the words whose sum is about zero are seen by their sums, of which there
are few where it is zero because letters cancel, however many words they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction

from circ.compiler.positions import NOWHERE
from circ.compiler.readings import exponentials
from circ.compiler.readings.closed import ONE, ClosedForm, Forms, NotClosed
from circ.compiler.readings.exponentials import ExpSum
from circ.compiler.tensor import Weights
from circ.runtime.engines.alternatives import Outcome, Word
from circ.runtime.engines.precise import (
    ExactQuestion,
    Routes,
    compared,
    each_letter,
    ways_of,
    weighed,
)

MOST_BEGINNINGS = 1 << 14
"""Different sums of beginnings that are gone on with."""


def by_sums(
    asked: ExactQuestion, weights: Weights, bits: int, require_time: Callable[[], None]
) -> Outcome:
    """Whether a comparison holds on all words, with one where it fails, or is closest to failing.

    Open where a sum has no closed form, where too many differ, or one is too close to zero.
    """
    nothing: Outcome = "open", asked.language.some_word()
    try:
        forms = letter_sums(asked, weights, bits)
    except NotClosed:
        return nothing
    ways = ways_of(asked, weighed(asked, weights, bits))
    if 0 not in ways.ahead[0]:
        return "holds", ()
    closest = ways.least()
    for sofar in near(ways, forms, require_time):
        sign = None if sofar is None else exponentials.sign(sofar[1])
        if sofar is None or sign is None:
            return nothing
        if sign < 0 or (sign == 0 and asked.literal.strict):
            return "fails", sofar[0]
        closest = sofar[0] if sign == 0 else closest
    return "holds", closest


def letter_sums(asked: ExactQuestion, weights: Weights, bits: int) -> list[list[ExpSum]]:
    """What each letter adds to the difference: `[letter][position]`, and last what none changes.

    Raises `NotClosed`.
    """
    both = compared(asked)
    found = list[list[ExpSum]]()
    for values in each_letter(asked, both.circuit, weights, bits):
        forms = Forms(both.circuit, values)
        sides = [forms.entries(wire) for wire in both.wires]
        found.append(added_up(sides, both.at, asked.alphabet.length))
    return found


def added_up(
    sides: Sequence[Sequence[ClosedForm]], places: Sequence[Sequence[int]], length: int
) -> list[ExpSum]:
    """What each position adds to the first side less the second; raises `NotClosed`."""
    parts: list[list[tuple[Fraction, ExpSum]]] = [[] for _ in range(length + 1)]
    for side, at, sign in zip(sides, places, (1, -1), strict=True):
        for entry, place in zip(side, at, strict=True):
            if entry.scale or entry.below != ONE:
                raise NotClosed
            parts[length if place == NOWHERE else place].append((Fraction(sign), entry.above))
    return [exponentials.combined(terms) for terms in parts]


def near(
    ways: Routes, forms: Sequence[Sequence[ExpSum]], require_time: Callable[[], None]
) -> Iterator[tuple[Word, ExpSum] | None]:
    """The sums that may be zero or less, by lower bounds, each with a word; None if they are too many."""
    alphabet = ways.asked.alphabet
    bound, rest = -ways.weighed[0][alphabet.length], forms[0][alphabet.length]
    waiting: list[tuple[Word, int, Fraction, ExpSum]] = [((), 0, Fraction(0), rest)]
    seen = set[tuple[int, int, ExpSum]]()
    while waiting:
        word, state, total, form = waiting.pop()
        position = len(word)
        if (position, state, form) in seen:
            continue
        if len(seen) == MOST_BEGINNINGS:
            yield None
            return
        seen.add((position, state, form))
        if position == alphabet.length:
            yield word, form
            continue
        require_time()
        for least, letter in ways.onward(position, state):
            if total + least <= bound:
                after = ways.steps[position][state][letter]
                low = total + ways.weighed[letter][position]
                sums = [(Fraction(1), form), (Fraction(1), forms[letter][position])]
                waiting.append(((*word, letter), after, low, exponentials.combined(sums)))

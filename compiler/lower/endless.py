"""Attention to all letters alike, in a claim about words of any length.

Known scores have a known softmax, 1/n each, which would say how long the word is in every number made
of it. Scores of zero that are read off the letters leave it a softmax: a sum over the letters, divided
by another one.
"""

from __future__ import annotations

from fractions import Fraction

from circ.compiler.builder import combine, reals, reindex
from circ.compiler.ir import Index, Lookup, Softmax, Wire
from circ.compiler.lower.environment import Environment


def zeros(env: Environment, side: int) -> Wire | None:
    """Zero for each letter of the word, if there are so many; None unless it may have any length."""
    b, word = env.b, env.low.word
    if word is None or b.shape(word) != (side,):
        return None
    sort = b.types[word].sort
    assert isinstance(sort, Index)
    return b.add(Lookup(reals(b, [Fraction(0)] * sort.size, (sort.size,)), (word,)))


def unfolded(scores: Wire, env: Environment) -> Wire:
    """The same scores; along the word they are not known beforehand."""
    b = env.b
    shape = b.shape(scores)
    nothing = zeros(env, shape[-1])
    if nothing is None:
        return scores
    rows = reindex(b, [nothing], [k % shape[-1] for k in range(b.types[scores].entries)], shape)
    return combine(b, (1, scores), (1, rows))


def shares(side: int, env: Environment) -> Wire | None:
    """1/n for each letter, as a softmax; None unless the word may have any length."""
    nothing = zeros(env, side)
    return None if nothing is None else env.b.add(Softmax(nothing))

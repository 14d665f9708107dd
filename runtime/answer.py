"""A question's answer: one verdict, whatever lengths its word may have."""

from __future__ import annotations

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.obligation import Question
from circ.compiler.tensor import Weights
from circ.runtime.lengths import Decided, one_by_one
from circ.runtime.prover import prove


def answer(
    question: Question, weights: Weights, limits: Limits, progress: Progress = silent
) -> Decided:
    """Decide a claim, at every length of its word where that may have several.

    Raises `CircError` where the claim cannot be lowered at some length.
    """
    several = question.lengths
    if several is None:
        obligation = question.at(None)
        return obligation, prove(obligation, weights, limits, progress)
    if several.last is None:
        from circ.runtime.any_length import every_length

        return every_length(question, several.first, weights, limits, progress)
    lengths = range(several.first, several.last + 1)
    return one_by_one(question, lengths, weights, limits, progress)

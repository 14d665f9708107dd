"""The word of least margin: a sum over positions divided by its denominator, minimised over words.

Source: W. Dinkelbach, On nonlinear fractional programming, Management Science 13 (1967): the word
that minimises N - δ Z, with δ the ratio at the word before, has a smaller ratio, until none has.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.roundoff import NARROWER, WIDER
from circ.runtime.engines.readouts import Readout
from circ.runtime.engines.rivals import Rivals
from circ.runtime.engines.shortest import Graph, best_words, least, path_sums

ROUNDS = 50
"""Ratios fall faster than geometrically; a handful of rounds is the rule."""

SHARES = (1e-12, 1e-10, 1e-8)
"""By how much less than the least margin found a bound is tried."""

LARGE = 1e300
"""In place of weights without a bound, in looking for words."""

CLOSE = 1e-12
"""Ratios that differ by less than this share count as the same."""


@dataclass(frozen=True, slots=True, eq=False)
class Worst:
    """For each of some comparisons the word [position, k] of least margin that was found.

    The numerator lies between `low` and `high` there; `margin` is about the margin.
    """

    words: IntArray
    low: FloatArray
    high: FloatArray
    margin: FloatArray


def worst_words(asked: Rivals, paths: Graph, rows: IntArray, places: IntArray) -> Worst:
    """The words of least margin for row `rows[k]` under the graph's fixing number `places[k]`."""
    fixings = paths.fixings[places]
    low, high = asked.columns(rows, fixings)
    weight = denominators(asked.denominator, fixings, low)
    middle = np.nan_to_num((low + high) / 2, posinf=LARGE, neginf=-LARGE)
    words, total = best_words(paths, middle[:-1], places)
    margin = along(middle, words) / along(weight, words)
    for _ in range(ROUNDS):
        others, _ = best_words(paths, (middle - margin * weight)[:-1], places)
        found = along(middle, others) / along(weight, others)
        better = found < margin - CLOSE * np.abs(margin)
        if not better.any():
            break
        words, margin = np.where(better, others, words), np.where(better, found, margin)
    somewhere = total < inf  # else there is no word
    most = np.where(somewhere, along(high, words), inf)
    return Worst(words, along(low, words), most, np.where(somewhere, margin, inf))


def denominators(known: Readout | None, fixings: IntArray, like: FloatArray) -> FloatArray:
    """What each letter adds to the denominator, about: [position, letter, k]; 1 in all for none."""
    if known is None:
        found = np.zeros_like(like)
        found[-1] = 1
        return found
    about: FloatArray = ((known.low[0] + known.high[0]) / 2)[:, :, fixings]
    return about


def along(weights: FloatArray, words: IntArray) -> FloatArray:
    """The sum of weights along each word, with what no position changes."""
    total: FloatArray = path_sums(weights[:-1], words) + weights[-1, 0]
    return total


# --- a bound ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Least:
    """No margin is below `bound`; about the least is `margin`, at `word`."""

    bound: float
    margin: float
    word: IntArray | None = None


def least_margin(asked: Rivals, paths: Graph, bound: FloatArray, before: Least) -> Least:
    """The least margin of comparisons whose numerators are at least `bound`, and of those `before`.

    `bound` [row, fixing] is not negative, and infinite where there is no word. A comparison whose
    numerator is large beside the largest denominator needs no search.
    """
    with np.errstate(invalid="ignore"):
        surely = bound / largest_denominator(asked, paths) * NARROWER
    surely = np.where(np.isnan(surely), inf, surely)
    if not (surely < before.margin).any():
        return before
    row, place = np.unravel_index(np.argmin(surely), surely.shape)
    worst = worst_words(asked, paths, np.array([row]), np.array([place]))
    rows, places = np.nonzero(surely < min(float(worst.margin[0]), before.margin))
    sure = float(surely.min())
    if rows.size:
        worst = worst_words(asked, paths, rows, places)
        about = max(min(float(worst.margin.min()), before.margin), 0.0)
        sure = max(certified(asked, paths, rows, places, about), sure)
    k = int(worst.margin.argmin())
    found = Least(min(before.bound, sure), float(worst.margin[k]), worst.words[:, k])
    return found if found.margin < before.margin else replace(before, bound=found.bound)


def largest_denominator(asked: Rivals, paths: Graph) -> FloatArray:
    """An upper bound of the denominator under each fixing."""
    known = asked.denominator
    return np.ones(paths.fixings.size) if known is None else -least_of(-known.high, paths) * WIDER


def least_denominator(asked: Rivals, paths: Graph) -> FloatArray:
    """A lower bound of the denominator under each fixing, if not positive of no use."""
    known = asked.denominator
    return np.ones(paths.fixings.size) if known is None else least_of(known.low, paths)


def least_of(weights: FloatArray, paths: Graph) -> FloatArray:
    """The least sum of one read-out's weights [1, position, letter, fixing] under each fixing."""

    def weigh(position: int, letters: IntArray) -> FloatArray:
        return weights[:, position][:, letters][:, :, paths.fixings]

    found: FloatArray = (least(paths, weigh) + weights[:, -1, 0][:, paths.fixings])[0]
    return found


def certified(asked: Rivals, paths: Graph, rows: IntArray, places: IntArray, about: float) -> float:
    """A number near `about`, which is not negative, that no margin of these comparisons is below.

    No margin is below δ where no path of N - δ Z is negative. Where that is too close to call just
    below `about`: if no path is below -τ, then no margin is below δ - τ / Z, for the least Z.
    """
    fixings = paths.fixings[places]
    low, _ = asked.columns(rows, fixings)
    weight = upper_denominators(asked.denominator, fixings, low) * WIDER

    def short(margin: float) -> FloatArray:
        left = low - margin * weight
        total: FloatArray = best_words(paths, left[:-1], places)[1] + left[-1, 0]
        return -total

    for share in SHARES:
        tried = about * (1 - share)
        if (short(tried) <= 0).all():
            return tried
    lost = np.maximum(short(about), 0) / least_denominator(asked, paths)[places]
    if not (lost >= 0).all():
        return -inf
    return about - float(lost.max()) * WIDER - about * 2.0**-50


def upper_denominators(known: Readout | None, fixings: IntArray, like: FloatArray) -> FloatArray:
    """As `denominators`, from above."""
    return denominators(None, fixings, like) if known is None else known.high[0][:, :, fixings]

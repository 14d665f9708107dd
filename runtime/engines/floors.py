"""Lower bounds of differences over regions of a language, and the words and positions behind them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from math import inf

import numpy as np

from circ.compiler.ir import Wire
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import Ball, FloatArray
from circ.compiler.readings.enclosed import Enclosed
from circ.compiler.readings.forms import Form, weighted
from circ.compiler.readings.quotients import Quotient, enclosed, floor, level, quotient
from circ.compiler.readings.relaxed import Losses
from circ.runtime.engines.shortest import Graph, best_words, least

MOST_WAYS = 3
"""Quotients for which every combination of bounds is tried; more are bounded in the same way each."""

KINDS = 4
"""Ways to bound a quotient from below: see `below`."""


@dataclass(frozen=True, slots=True, eq=False)
class Floors:
    """Bounds on L differences from below: in each of several ways a form, and its least value.

    `least` is [way, L, region].
    """

    forms: tuple[Form, ...]
    least: FloatArray
    quotients: tuple[Quotient, ...]
    enclosed: Enclosed

    @property
    def best(self) -> FloatArray:
        """The largest bound: [L, region]."""
        found: FloatArray = self.least.max(axis=0)
        return found


def floors(found: Enclosed, wire: Wire, paths: Graph) -> Floors:
    """The entries of a wire bounded from below, on the words of a language."""
    with np.errstate(all="ignore"):
        sums, sets = found.of(wire), found.sets
        parts = [quotient(ratio, found.below[over], sets) for over, ratio in sums.over.items()]
        options = [below(part, found.losses) for part in parts]
        plain = [] if sums.plain is None else [sums.plain]
        forms = tuple(
            joined([*plain, *(mine[k] for mine, k in zip(options, way, strict=True))], found)
            for way in ways(len(parts))
        )
        bounds = np.stack([lowest(form, found, paths) for form in forms])
        return Floors(forms, bounds, tuple(parts), found)


def ways(count: int) -> Iterator[tuple[int, ...]]:
    """Which way to bound each quotient, in every combination that is tried."""
    if count <= MOST_WAYS:
        return iter(product(range(KINDS), repeat=count))
    return ((kind,) * count for kind in range(KINDS))


def below(part: Quotient, losses: Losses) -> list[Form]:
    """Forms that are nowhere above a quotient, noise and radius aside: two facets, one line through
    its middle, and its least value."""
    sets = losses.sets
    return [
        floor(part, sets, above=False),
        floor(part, sets, above=True),
        enclosed(part, losses),
        level(part, sets),
    ]


def joined(parts: Sequence[Form], found: Enclosed) -> Form:
    """The sum."""
    one = Ball(np.ones(1), None, np.ones(1))
    return parts[0] if len(parts) == 1 else weighted([one] * len(parts), parts, found.sets)


def lowest(form: Form, found: Enclosed, paths: Graph) -> FloatArray:
    """The least value on all words of each region: [L, region]; -inf where it is no number."""
    sets, weights = found.sets, barred(form, found)
    sums = least(paths, lambda position, letters: weights[:, position, letters])
    slack = np.abs(form.noise(sets)).sum(-2) + form.rad
    slack = slack + form.size * (form.coef.shape[-2] + 8) * 2.0**-51
    total = form.const + sums - slack
    return np.where(np.isnan(total), -inf, total)


def barred(form: Form, found: Enclosed) -> FloatArray:
    """The tables, infinite at letters that a region lacks."""
    weights: FloatArray = np.where(found.sets.alive, form.tables(found.sets), inf)
    return weights


# --- what is behind a bound -------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Behind:
    """For each region the word at which the form behind a bound is least, [position, region]; how much
    each position adds to what is lost there, and values by which to part its letters."""

    words: IntArray
    blame: FloatArray
    values: FloatArray


def behind(known: Floors, entries: IntArray, paths: Graph) -> Behind:
    """What is behind the bound of one entry for each region."""
    found, sets = known.enclosed, known.enclosed.sets
    each = np.arange(sets.regions)
    way = known.least[:, entries, each].argmax(axis=0)
    coef = padded_stack(known.forms)[way, entries, :, each].T
    tables = coef[1 : 1 + sets.cells].reshape(sets.alive.shape)
    words, _ = best_words(
        paths, np.where(sets.alive, tables, inf), np.zeros(sets.regions, np.int64)
    )
    noise = np.abs(coef[1 + sets.cells :])
    blame = np.einsum("kz,kpz->pz", noise, found.losses.blame[: noise.shape[0]])
    values = tables * 1e-9
    for part in known.quotients:
        lost, share, table = doubt(part, entries, found)
        blame += lost * share
        values = values + lost * table
    blame = np.where(sets.alive.sum(1) > 1, blame + 1e-12 * np.abs(tables).max(1), -1.0)
    return Behind(words, np.nan_to_num(blame, posinf=1e300), values)


def padded_stack(forms: Sequence[Form]) -> FloatArray:
    """The coefficients of all forms: [way, L, column, region]."""
    columns = max(form.coef.shape[-2] for form in forms)
    found = np.zeros((len(forms), *forms[0].shape, columns, forms[0].coef.shape[-1]))
    for stacked, form in zip(found, forms, strict=True):
        stacked[:, : form.coef.shape[-2]] = form.coef
    return found


def doubt(
    part: Quotient, entries: IntArray, found: Enclosed
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """What is lost about a quotient in each region, each position's share, and the denominator's table."""
    each, sets = np.arange(entries.size), found.sets
    low, high = part.low[entries, each], part.high[entries, each]
    near, far = part.least[entries, each], part.most[entries, each]
    lost = np.nan_to_num((high - low) * (far - near) / far, posinf=1e300)
    shares, tables = np.zeros((sets.alive.shape[0], entries.size)), np.zeros(sets.alive.shape)
    for form, weight in ((part.bottom, 0.5), (part.top, 0.5)):
        coef = form.coef[entries, :, each].T[None]
        lone = Form(coef, form.rad[entries, each][None], form.size[entries, each][None])
        mine = found.losses.influence(lone)[0]
        shares += weight * mine / np.maximum(mine.sum(0), 1e-300)
        if form is part.bottom:
            tables = lone.tables(sets)[0] / np.maximum(mine.sum(0), 1e-300)
    return lost, shares, tables

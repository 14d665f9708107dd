"""Enclosures by sums over positions: lines, products, quotients, and regions of words."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from math import exp, sqrt

import numpy as np
import pytest

from circ.compiler.readings.balls import Ball, FloatArray
from circ.compiler.readings.chords import Line, exp_line, recip_line, relu_line, root_line
from circ.compiler.readings.contractions import averaged
from circ.compiler.readings.decisions import BoolArray
from circ.compiler.readings.forms import Form, Sets, constant, interval, planted, weighted
from circ.compiler.readings.quotients import (
    ABSENT,
    MIXED,
    Quotient,
    Ratio,
    enclosed,
    floor,
    quotient,
)
from circ.compiler.readings.relaxed import Losses, multiplied, relu, smooth
from circ.compiler.words.automaton import DEAD, Automaton
from circ.runtime.engines.regions import drawn, everything, halved, listed, pruned

LENGTH, LETTERS = 3, 4
WORDS = np.array(list(product(range(LETTERS), repeat=LENGTH))).T
ALIVE = np.ones((LENGTH, LETTERS, 1), np.bool_)
SETS = Sets(ALIVE)
ONE = Ball(np.ones(1), None, np.ones(1))


def exactly(values: FloatArray) -> Ball:
    """Known values, one for each letter."""
    return Ball(values, None, np.abs(values))


def sum_over_positions(seed: int, low: float = -1.0) -> tuple[Form, FloatArray]:
    """A random sum of one number a position, as a form and as its values on all words."""
    tables = np.random.default_rng(seed).uniform(low, 1, (LENGTH, LETTERS))
    parts = [planted(exactly(tables[p]), np.array(p), SETS) for p in range(LENGTH)]
    return weighted([ONE] * LENGTH, parts, SETS), tables[np.arange(LENGTH)[:, None], WORDS].sum(0)


def holds(form: Form, values: FloatArray, *, nearly: float) -> bool:
    """Whether these are the values of a form on all words, as far as its noise and radius leave
    open; and whether its bounds are no further off than that, or `nearly` times as far."""
    low, high = interval(form, SETS)
    off = float((np.abs(form.noise(SETS)).sum(-2) + form.rad)[0])
    tables = form.tables(SETS)[:, :, 0]
    linear = form.const[0] + tables[np.arange(LENGTH)[:, None], WORDS].sum(0)
    inside = bool((low[0] <= values).all() and (values <= high[0]).all())
    return inside and nearly * off <= float(np.abs(linear - values).max()) <= off + 1e-12


# --- functions of one variable ----------------------------------------------------------------


def one_over(x: float) -> float:
    """1/x."""
    return 1 / x


def positive_part(x: float) -> float:
    """max(0, x)."""
    return max(x, 0.0)


@pytest.mark.parametrize("seed", range(20))
def test_a_line_and_how_far_the_function_strays(seed: int) -> None:
    """Between its ends each function is above slope·x by no less and no more than is said, and comes
    near both somewhere."""
    chance = np.random.default_rng(seed)
    low = float(chance.uniform(-3, 3))
    high = low + float(10.0 ** chance.uniform(-4, 0.5))
    small, large = abs(low) + 0.01, abs(low) + 0.01 + high - low
    lines: list[tuple[Callable[[float], float], Callable[..., Line], float, float]] = [
        (exp, exp_line, low, high),
        (sqrt, root_line, small, large),
        (one_over, recip_line, small, large),
        (one_over, recip_line, -large, -small),
        (positive_part, relu_line, low, high),
    ]
    for function, line, start, end in lines:
        slope, below, above = (float(x[0]) for x in line(np.array([start]), np.array([end])))
        inside = np.linspace(start, end, 400).clip(start, end)
        gaps = np.array([function(float(x)) - slope * float(x) for x in inside])
        room = 1e-9 * (1 + abs(slope))
        assert below - 1e-15 <= gaps.min() <= below + 0.01 * (above - below) + room
        assert above - 0.01 * (above - below) - room <= gaps.max() <= above + 1e-15


def test_a_function_that_is_undefined_has_no_bounds() -> None:
    """1/x and √x of a form that may be zero, or negative, may be anything."""
    form, _ = sum_over_positions(0)
    with np.errstate(invalid="ignore"):
        assert np.isinf(smooth("recip", form, Losses(SETS)).rad).all()
        assert np.isinf(smooth("sqrt", form, Losses(SETS)).rad).all()


@pytest.mark.parametrize("seed", range(10))
def test_functions_of_forms(seed: int) -> None:
    """e^x and max(0, x) of a sum over positions lie in what encloses them, which is not much wider."""
    form, values = sum_over_positions(seed)
    assert holds(smooth("exp", form, Losses(SETS)), np.exp(values), nearly=0.3)
    assert holds(relu(form, Losses(SETS)), np.maximum(values, 0), nearly=0.3)


def test_what_reads_one_position_loses_nothing() -> None:
    """e^x and x² of a number that one position alone decides are known letter by letter."""
    values = np.linspace(-2, 2, LETTERS)
    form = planted(exactly(values), np.array(1), SETS)
    losses = Losses(SETS)
    for found in (smooth("exp", form, losses), multiplied(",->", 1, form, form, losses)):
        assert found.noise(SETS).size == 0
        assert (found.rad < 1e-12).all()


# --- products and quotients -------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(10))
def test_products_of_forms(seed: int) -> None:
    """The product of two sums over positions lies in what encloses it, which is not much wider."""
    (x, x_values), (y, y_values) = sum_over_positions(seed), sum_over_positions(seed + 100)
    assert holds(multiplied(",->", 1, x, y, Losses(SETS)), x_values * y_values, nearly=0.3)


def divided(seed: int) -> tuple[Quotient, FloatArray]:
    """A random sum over positions over a positive one, and the values on all words."""
    (top, above), (bottom, below) = sum_over_positions(seed), sum_over_positions(seed + 100, 0.25)
    row = np.array(0)
    lone = Form(bottom.coef[None], bottom.rad[None], bottom.size[None])
    return quotient(Ratio(top, row, row + MIXED, None, 1), lone, SETS), above / below


@pytest.mark.parametrize("seed", range(10))
def test_quotients(seed: int) -> None:
    """Bounds on N/Z hold on all words and are nearly reached; a floor is nowhere above N/Z, and comes
    close to it; the line with what it loses holds it."""
    found, values = divided(seed)
    assert found.low[0] <= values.min() <= found.low[0] + 0.2 * np.ptp(values)
    assert found.high[0] - 0.2 * np.ptp(values) <= values.max() <= found.high[0]
    for above in (False, True):
        form = floor(found, SETS, above=above)
        linear = form.const[0] + form.tables(SETS)[np.arange(LENGTH)[:, None], WORDS, 0].sum(0)
        gap = values - (linear - form.rad[0])
        assert (gap >= 0).all()
        assert gap.min() <= 0.05
    assert holds(enclosed(found, Losses(SETS)), values, nearly=0.1)


def test_what_is_read_is_an_average() -> None:
    """A row of a softmax that is read whole gives something between the values; a part of one, or one
    whose entries are not all different, need not."""
    form, _ = sum_over_positions(0)
    top = Form(
        form.coef[None].repeat(2, 0), form.rad[None].repeat(2, 0), form.size[None].repeat(2, 0)
    )
    edges = np.array([[1.0], [2.0]]), np.array([[1.5], [3.0]])

    def read(side: int, *parts: int) -> list[float] | None:
        ratio = Ratio(top, np.zeros(2, np.int64), np.array(parts), None, side)
        found = averaged("a,a->", edges, ratio)
        return None if found is None else [round(float(edge[0]), 9) for edge in found]

    assert read(2, 1, 0) == [1.0, 3.0]
    assert read(3, 1, 0) == [0.0, 3.0]
    assert read(1, 0, ABSENT) == [0.0, 1.5]
    assert read(2, 1, 1) is None
    assert read(2, 1, MIXED) is None


def test_no_number_is_no_bound() -> None:
    """What overflows has an infinite radius, and no bounds."""
    huge = constant(exactly(np.array([1e200])), SETS)
    found = multiplied(",->", 1, huge, huge, Losses(SETS))
    low, high = interval(found, SETS)
    assert (low == -np.inf).all()
    assert (high == np.inf).all()


# --- regions --------------------------------------------------------------------------------


def ascending() -> Automaton:
    """The words of three letters in which no letter is smaller than the one before."""
    states, letters = np.arange(LETTERS)[:, None], np.arange(LETTERS)[None]
    step = np.where(letters >= states, letters, DEAD)
    return Automaton((step[:1], step, step), ((),) * LETTERS)


def spelled(language: Automaton, alive: BoolArray) -> set[tuple[int, ...]]:
    """The words of a region."""
    columns: list[list[int]] = listed(language, alive).T.tolist()
    return {tuple(column) for column in columns}


def test_regions_are_listed_and_parted() -> None:
    """A region has the words of the language with these letters; its halves have each of them once;
    letters that none of them has are taken out."""
    language = ascending()
    alive = everything(language)[:, :, 0]
    assert spelled(language, alive) == {
        word for word in product(range(LETTERS), repeat=LENGTH) if list(word) == sorted(word)
    }
    for position in range(LENGTH):
        parts = halved(alive, position, np.array([0.5, -1.0, 2.0, 0.0]))
        low, high = (spelled(language, part) for part in parts)
        assert low.isdisjoint(high)
        assert low | high == spelled(language, alive)
        assert {word[position] for word in low} == {1, 3}
    late = alive.copy()
    late[1, :2] = False
    kept = pruned(language, np.stack([late, alive & False], axis=-1))
    assert kept.words.tolist() == [len(spelled(language, late)), 0]
    assert kept.alive[2, :, 0].tolist() == [False, False, True, True]
    assert not kept.alive[:, :, 1].any()


def test_random_words_are_of_the_language() -> None:
    """Each is accepted, and in a thousand all twenty come."""
    columns: list[list[int]] = drawn(ascending(), 1000).T.tolist()
    assert {tuple(column) for column in columns} == spelled(
        ascending(), everything(ascending())[:, :, 0]
    )

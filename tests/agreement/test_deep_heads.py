"""Enclosures over sets of words hold what is there, and decide as going through every word does."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress

import numpy as np
import pytest

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.ir import Argmax, Circuit, Compare, Real, Wire, operands
from circ.compiler.readings import balls
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.readings.decisions import BoolArray, Discrete
from circ.compiler.readings.enclosed import Enclosed, NotEnclosed
from circ.compiler.readings.floats import Values, prepare, read
from circ.compiler.readings.forms import Form, Sets, interval
from circ.compiler.readings.separables import enclose, recipe
from circ.compiler.rewrite import live
from circ.compiler.tensor import Weights
from circ.runtime.engines import branching, enumeration, token_sets
from circ.runtime.engines.words import members
from tests.agreement.deep_heads import claim_beyond_one_head

CLAIMS = 20
"""In one test."""

REGIONS, WORDS = 3, 8
"""Of a circuit on which enclosures are tested."""


def both(seed: int) -> tuple[Finding, Finding]:
    """What the two engines find."""
    claim, weights = claim_beyond_one_head(seed)
    few = Limits(timeout=1)
    regions = token_sets.decide(claim, weights, few, silent)
    return regions, enumeration.decide(claim, weights, Limits(), silent)


@pytest.fixture
def by_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hardly any word is looked at by itself."""
    monkeypatch.setattr(branching, "FEW", 1)
    monkeypatch.setattr(branching, "DRAWN", 1)


@pytest.mark.usefixtures("by_bounds")
@pytest.mark.parametrize(
    "start", [0, *(pytest.param(k * CLAIMS, marks=pytest.mark.slow) for k in (1, 2))]
)
def test_regions_and_enumeration_agree(start: int) -> None:
    """The same verdict wherever regions give one, on the same number of words.

    The margin that regions prove is no larger than the least, each word that they list fails, and
    of each class one is listed. Nearly all of these claims are decided.
    """
    seen = Counter[str]()
    for seed in range(start, start + CLAIMS):
        regions, words = both(seed)
        seen[type(regions).__name__] += 1
        match regions, words:
            case Holds(), Holds():
                assert regions.size.exact in (None, words.size.exact), seed
                if regions.margin is not None and words.margin is not None:
                    assert regions.margin <= words.margin + 1e-9 * max(1, words.margin), seed
            case Fails(), Fails():
                assert words.count is None or {*regions.failing} <= {*words.failing}, seed
            case Empty(), Empty():
                assert regions.reason == words.reason, seed
            case Stuck(), _:
                pass
            case _:
                pytest.fail(f"claim {seed}: {regions} but {words}")
    assert seen["Stuck"] <= CLAIMS // 8, seen


@pytest.mark.slow
def test_claims_are_worth_asking() -> None:
    """About half of the claims on which both are held to agree are false."""
    claims = (claim_beyond_one_head(seed) for seed in range(60))
    found = [enumeration.decide(*asked, Limits(), silent) for asked in claims]
    assert sum(isinstance(words, Fails) for words in found) >= 27


def drawn(alive: BoolArray, seed: int) -> IntArray:
    """Random words of each region: [position, region, word]."""
    chance = np.random.default_rng(seed)
    length, _, regions = alive.shape
    found = np.zeros((length, regions, WORDS), np.int64)
    for position in range(length):
        for region in range(regions):
            (letters,) = np.nonzero(alive[position, :, region])
            found[position, region] = chance.choice(letters, WORDS)
    return found


def some_regions(length: int, letters: int, seed: int) -> BoolArray:
    """Random regions: some of nearly all words, some of few."""
    chance = np.random.default_rng(seed)
    alive = chance.random((length, letters, REGIONS)) < [0.25, 0.5, 0.95]
    one = np.arange(letters)[None, :, None] == chance.integers(letters, size=(length, 1, REGIONS))
    return np.asarray(alive | one)


def values_at(form: Form, sets: Sets, words: IntArray) -> tuple[FloatArray, FloatArray]:
    """A form at words of each region, noise aside, and how far off that may be."""
    total = np.repeat(form.const[..., None], words.shape[-1], axis=-1)
    tables = np.moveaxis(form.tables(sets), -2, -1)
    for position, letters in enumerate(words):
        at = np.broadcast_to(letters, (*form.shape, *letters.shape))
        total = total + np.take_along_axis(tables[..., position, :, :], at, -1)
    slack = np.abs(form.noise(sets)).sum(-2) + form.rad + 1e-14 * form.size
    return total, slack[..., None]


def enclosable(circuit: Circuit, weights: Weights, word: Wire) -> list[Wire]:
    """The real wires behind what is compared, where that has an enclosure."""
    found: set[Wire] = set()
    compared = (op for op in circuit.ops if isinstance(op, Compare | Argmax))
    for wire in {x for op in compared for x in operands(op)}:
        if circuit.types[wire].sort == Real():
            with suppress(NotEnclosed):
                recipe(circuit, weights, [wire], word)
                found |= live(circuit, [wire])
    return sorted(wire for wire in found if circuit.types[wire].sort == Real())


def holds_all(enclosed: Enclosed, found: Values, words: IntArray) -> bool:
    """Whether the exact value of every wire, at each of these words, lies within its enclosure."""
    sets = enclosed.sets
    shape = words.shape[1:]
    for wire in enclosed.recipe.wanted:
        form = enclosed.form(wire)
        low, high = interval(form, sets)
        ball = found.reals[wire]
        wide = (*ball.mid.shape[:-1], words[0].size)
        mid = np.broadcast_to(ball.mid, wide).reshape(*form.shape, *shape)
        rad = np.broadcast_to(balls.radius(ball), wide).reshape(*form.shape, *shape)
        inside = (mid + rad >= low[..., None]) & (mid - rad <= high[..., None])
        value, slack = values_at(form, sets, words)
        if not (inside.all() and (np.abs(value - mid) <= slack + rad).all()):
            return False
    return True


@pytest.mark.parametrize("start", range(0, 60, CLAIMS))
def test_every_wire_lies_in_its_enclosure(start: int) -> None:
    """On random words of random regions the exact value of every entry of every wire that has an
    enclosure lies between its bounds, and as near to its form as the form's noise and radius say."""
    for seed in range(start, start + CLAIMS):
        claim, weights = claim_beyond_one_head(seed)
        circuit = claim.circuit
        (word,) = circuit.inputs.values()
        bound = claim.binders[0]
        wanted = enclosable(circuit, weights, word)
        alive = some_regions(bound.type.entries, members(bound), seed)
        words = drawn(alive, seed)
        given = Values({}, {word: Discrete(words.reshape(words.shape[0], -1))})
        found = read(prepare(circuit, weights, wanted), given)
        with np.errstate(all="ignore"):
            enclosed = enclose(recipe(circuit, weights, wanted, word), Sets(alive))
            assert holds_all(enclosed, found, words), seed

"""A limit that is reached makes an engine give up, or bound more loosely; it makes no answer wrong."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from types import ModuleType

import pytest

from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.readings import relaxed
from circ.compiler.words import cases, formula, layers
from circ.compiler.words.formula import Formula
from circ.runtime.engines import alternatives, automata, branching, enumeration, floors, token_sets
from circ.runtime.engines.one_class import Part, Setup
from tests.agreement.deep_heads import claim_beyond_one_head
from tests.agreement.heads import claim_about_a_head

PATHS: list[tuple[ModuleType, str, int]] = [
    (alternatives, "PARTS", 1),
    (alternatives, "ROUNDS", 0),
    (cases, "MOST_CLASSES", 1),
    (formula, "MOST_CLAUSES", 2),
    (formula, "MOST_OUTCOMES", 1),
    (layers, "MOST_STATES", 2),
    (layers, "MOST_ROWS", 8),
]
"""Limits of shortest paths, and how low they are made here."""

REGIONS: list[tuple[ModuleType, str, int]] = [
    (floors, "MOST_WAYS", 0),
    (relaxed, "MOST_NOISE", 0),
]
"""The same of sets of letters."""

CLAIMS = 24
"""In one test."""

SPLIT = range(64, 72)
"""Claims some of which fail in a class that is gone through in pieces."""

BEYOND_ONE_HEAD = (0, 1, 2, 5, 16, 24, 25, 46)
"""Claims that are decided quickly; in some a sum has several quotients, or much noise."""


@cache
def by_paths(seed: int) -> tuple[Finding, Finding]:
    """What paths find of a claim, and going through all words."""
    claim = claim_about_a_head(seed)
    return automata.decide(*claim, Limits(), silent), enumeration.decide(*claim, Limits(), silent)


@pytest.fixture
def by_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sets of letters are bounded, hardly any word is looked at by itself."""
    monkeypatch.setattr(branching, "FEW", 1)
    monkeypatch.setattr(branching, "DRAWN", 1)


@pytest.mark.parametrize(("module", "name", "value"), PATHS)
def test_lower_limits_of_paths_leave_more_open(
    module: ModuleType, name: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What paths still decide is decided as before; and to some claim the limit matters."""
    changed = 0
    for seed in range(CLAIMS):
        usual, words = by_paths(seed)
        with monkeypatch.context() as lowered:
            lowered.setattr(module, name, value)
            low = automata.decide(*claim_about_a_head(seed), Limits(), silent)
        assert isinstance(low, Stuck) or type(low) is type(words), (seed, low, words)
        changed += low != usual
    assert changed, "the limit is not reached"


def test_a_class_that_fails_is_not_gone_through_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the time for worse words is up, every class that fails is still found, with a word of each."""
    looked: list[int] = []
    parts_of = automata.parts_of

    def watched(setup: Setup, kind: int) -> Iterator[tuple[Part, Formula]]:
        for part in parts_of(setup, kind):
            looked.append(kind)
            yield part

    monkeypatch.setattr(automata, "parts_of", watched)
    spared = 0
    for seed in SPLIT:
        asked = (*claim_about_a_head(seed), Limits(), silent)
        usual = automata.decide(*asked)
        before = len(looked)
        looked.clear()
        with monkeypatch.context() as impatient:
            impatient.setattr(automata, "WORSE", -1.0)
            low = automata.decide(*asked)
        assert type(low) is type(usual), seed
        if isinstance(low, Fails) and isinstance(usual, Fails):
            assert low.classes == usual.classes, seed
            assert len(low.failing) == len(usual.failing), seed
        spared += before - len(looked)
        looked.clear()
    assert spared > 0, "there is nothing to be spared"


@pytest.mark.slow
@pytest.mark.usefixtures("by_bounds")
@pytest.mark.parametrize(("module", "name", "value"), REGIONS)
def test_lower_limits_of_regions_bound_more_loosely(
    module: ModuleType, name: str, value: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proof then takes other regions, or is not found; a margin is no larger than the least."""
    changed = 0
    for seed in BEYOND_ONE_HEAD:
        asked = (*claim_beyond_one_head(seed), Limits(timeout=5), silent)
        usual = token_sets.decide(*asked)
        with monkeypatch.context() as lowered:
            lowered.setattr(module, name, value)
            low = token_sets.decide(*asked)
        words = enumeration.decide(*asked[:2], Limits(), silent)
        assert isinstance(low, Stuck) or type(low) is type(words), (seed, low, words)
        if isinstance(low, Holds) and isinstance(words, Holds) and low.margin and words.margin:
            assert low.margin <= words.margin + 1e-9 * max(1, words.margin), seed
        changed += isinstance(low, Holds | Fails | Empty) and low != usual
    assert changed, "the limit is not reached"

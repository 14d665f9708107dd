"""A clause of several comparisons: multipliers with potentials, or the words split by their letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from circ.compiler.audit.clauses import Clause
from circ.compiler.audit.columns import Total
from circ.compiler.audit.fast import Difference, added, potentials_for, summands, weighed
from circ.compiler.audit.floats import Ball, Floats
from circ.compiler.audit.potentials import weighted_sum
from circ.compiler.audit.region import Region
from circ.compiler.readings.arrays import IntArray
from circ.compiler.words.automaton import DEAD, Automaton, minimal
from circ.runtime.certificates.paths import path_proof, positive
from circ.runtime.certificates.work import Case, Data, NoCertificate, Work
from circ.runtime.convex import least_change
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.shortest import Graph, best_words, graph

ROUNDS = 60
"""Multipliers tried for one set of words."""

FEW = 8
"""Words that are rather gone through one by one than split."""

PARTS = 4000
"""Sets of words into which the words of one row are split, at most."""


@dataclass(slots=True, eq=False)
class Search:
    """A clause in one row: what each letter adds to its numbers, and what none changes.

    `low` is [number, position, letter]; `parts` counts the sets of words that were looked at.
    """

    work: Work
    case: Case
    clause: Clause
    low: Floats
    rest: Floats
    parts: int = field(default=0)


def searched(work: Work, case: Case, clause: Clause, region: Region) -> Data:
    """A proof that one of some comparisons holds on each word of one row."""
    count = len(clause)
    numbers = [
        weighted_sum(case.reading, clause, [float(k == place) for k in range(count)])
        for place in range(count)
    ]
    low, rest = tables(over_one_head(numbers), region)
    return found_for(Search(work, case, clause, low, rest), region)


def found_for(search: Search, region: Region) -> Data:
    """As `searched`, for some of the words."""
    search.work.require_time()
    search.parts += 1
    if search.parts > PARTS:
        raise NoCertificate(f"a part of the goal needs more than {PARTS:,} sets of words")
    language = language_of(region)
    if language is None:
        return search.work.by_words(search.case, search.clause, region)
    paths = graph(language, Alphabet(region.letters, len(region.steps), ()))
    low, rest, count = search.low, search.rest, len(search.clause)
    multipliers = np.full(count, 1 / count)
    words = np.unique(np.concatenate([worst(paths, side)[0] for side in low], axis=1), axis=1)
    for _ in range(ROUNDS if np.isfinite(low).all() else 0):
        values = along(low, words) + rest[:, None]
        scale = np.maximum(np.abs(values).max(axis=0), 1e-300)
        rows = np.vstack([(values / scale).T, np.eye(count)])
        better = least_change(rows, np.append(np.ones(words.shape[1]), np.zeros(count)))
        if better is None:
            break
        multipliers = np.maximum(better, 0) / max(float(better.max()), 1e-300)
        found, least = worst(paths, np.tensordot(multipliers, low, 1))
        if least + float(multipliers @ rest) > 0:
            proof = summed(search, multipliers.tolist(), region)
            if proof is not None:
                return proof
        if (words == found).all(axis=0).any():
            break
        words = np.concatenate([words, found], axis=1)
    return split(search, region, language, np.tensordot(multipliers, low, 1))


def summed(search: Search, factors: Sequence[float], region: Region) -> Data | None:
    """A proof that a weighted sum is positive; None where float64 does not say so."""
    number = Difference(weighted_sum(search.case.reading, search.clause, factors))
    sides = weighed([number], region)
    potentials = potentials_for(sides, "f8")
    strict = any(beats.strict for beats, c in zip(search.clause, factors, strict=True) if c)
    sure = positive(sides, potentials, [strict]).all()
    return path_proof(factors, potentials[0], "f8") if sure else None


def split(search: Search, region: Region, language: Automaton, weights: Floats) -> Data:
    """A proof for each part of the words, or for each word."""
    found = halves(region, weights, language)
    if found is None or count_of(region) <= FEW:
        return search.work.by_words(search.case, search.clause, region)
    position, parts = found
    proofs = [[some, found_for(search, region.with_letters(position, some))] for some in parts]
    return {"position": position, "parts": proofs}


def count_of(region: Region) -> int:
    """How many words there are in one row, `FEW` and one at most."""
    found = 0
    for _ in region.words_of(region.rows[0]):
        found += 1
        if found > FEW:
            break
    return found


# --- in numbers -----------------------------------------------------------------------------------


def over_one_head(numbers: Sequence[Total[Ball]]) -> list[Difference]:
    """Numbers of which some are known, those as averages too."""
    head = next((x.head for x in numbers if x.head is not None), None)
    if any(x.head is not head and not x.known for x in numbers):
        raise NoCertificate("alternatives are about two attention reads")
    return [Difference(replace(x, head=head)) for x in numbers]


def tables(numbers: Sequence[Difference], region: Region) -> tuple[Floats, Floats]:
    """What each letter adds to each number [number, position, letter], and what none changes."""
    rows, letters = np.array(region.rows[:1]), np.arange(region.letters)
    found: Floats = np.zeros((len(numbers), len(region.steps), region.letters))
    rest: Floats = np.zeros(len(numbers))
    for summand in summands(numbers):
        part = added(summand, rows, letters)[:, 0]
        if summand.place is None:
            rest += part[:, 0]
        else:
            found[:, summand.place] += part
    return found, rest


def language_of(region: Region) -> Automaton | None:
    """The words of one row, where there are any."""
    steps: list[IntArray] = []
    for position, step in enumerate(region.steps):
        barred = np.ones(region.letters, np.bool_)
        barred[region.letters_at(position, region.rows[0])] = False
        edges: IntArray = np.array(step, np.int64)
        edges[:, barred] = DEAD
        steps.append(edges)
    last = region.states[-1]
    language = minimal(steps, np.arange(last), ((),) * last)
    return None if language.empty else language


def worst(paths: Graph, weights: Floats) -> tuple[IntArray, float]:
    """The word [position, 1] of least sum, and that sum."""
    found, least = best_words(paths, weights[:, :, None], np.zeros(1, np.int64))
    return found, float(least[0])


def along(low: Floats, words: IntArray) -> Floats:
    """The sums [number, word] along words [position, word]."""
    positions = np.arange(int(words.shape[0]))[:, None]
    found: Floats = low[:, positions, words].sum(axis=1)
    return found


def halves(
    region: Region, weights: Floats, language: Automaton | None = None
) -> tuple[int, list[list[int]]] | None:
    """A position, and its letters in two, low and high; None where no position is open.

    It is the one where weights are furthest apart, and the two are parted at the widest gap there, so
    that a letter that outweighs all others stands alone. Of letters that no word of the `language`
    has there, nothing is asked.
    """
    best: tuple[float, int, list[int]] | None = None
    for position in range(len(region.steps)):
        letters = region.letters_at(position, region.rows[0])
        if language is not None:
            alive = (language.steps[position] != DEAD).any(axis=0)
            letters = [letter for letter in letters if alive[letter]]
        if position != region.fixed and len(letters) > 1:
            spread = float(np.ptp(weights[position, letters]))
            if best is None or spread > best[0]:
                best = spread, position, letters
    if best is None:
        return None
    _, position, letters = best
    order = sorted(letters, key=lambda letter: float(weights[position, letter]))
    middle = 1 + int(np.diff(weights[position, order]).argmax())
    low = [c for c in region.letters_at(position, region.rows[0]) if c not in order[middle:]]
    return position, [low, order[middle:]]

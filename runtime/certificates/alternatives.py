"""A clause of several comparisons: multipliers with potentials, or the words split by their letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from circ.compiler.audit.clauses import Clause
from circ.compiler.audit.columns import Total
from circ.compiler.audit.fast import Difference, added, potentials_for, slots, weighed
from circ.compiler.audit.floats import Ball, Floats
from circ.compiler.audit.region import Region
from circ.compiler.readings.arrays import IntArray
from circ.compiler.words.automaton import Automaton
from circ.runtime.certificates.paths import path_proof, positive
from circ.runtime.certificates.work import Case, Data, NoCertificate, Work, total
from circ.runtime.convex import least_change
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.shortest import Graph, best_words, graph

ROUNDS = 60
"""Multipliers tried for one set of words."""

FEW = 8
"""Words that are rather gone through one by one than split."""


def searched(work: Work, case: Case, clause: Clause, region: Region) -> Data:
    """A proof that one of some comparisons holds on each word of one row."""
    work.require_time()
    count = len(clause)
    numbers = [
        total(case.reading, clause, [float(k == place) for k in range(count)])
        for place in range(count)
    ]
    low, rest = tables(over_one_head(numbers), region)
    paths = ways_of(region)
    if paths is None:
        return work.by_words(case, clause, region)
    multipliers = np.full(count, 1 / count)
    words = np.unique(np.concatenate([worst(paths, side) for side in low], axis=1), axis=1)
    for _ in range(ROUNDS if np.isfinite(low).all() else 0):
        values = along(low, words) + rest[:, None]
        scale = np.maximum(np.abs(values).max(axis=0), 1e-300)
        rows = np.vstack([(values / scale).T, np.eye(count)])
        better = least_change(rows, np.append(np.ones(words.shape[1]), np.zeros(count)))
        if better is None:
            break
        multipliers = np.maximum(better, 0) / max(float(better.max()), 1e-300)
        factors: list[float] = multipliers.tolist()
        sides = weighed([Difference(total(case.reading, clause, factors))], region)
        potentials = potentials_for(sides, "f8")
        strict = any(beats.strict for beats, c in zip(clause, factors, strict=True) if c)
        if positive(sides, potentials, [strict]).all():
            return path_proof(factors, potentials[0], "f8")
        found = worst(paths, np.tensordot(multipliers, low, 1))
        if (words == found).all(axis=0).any():
            break
        words = np.concatenate([words, found], axis=1)
    return split(work, case, clause, region, np.tensordot(multipliers, low, 1))


def split(work: Work, case: Case, clause: Clause, region: Region, weights: Floats) -> Data:
    """A proof for each part of the words, or for each word."""
    found = halves(region, weights)
    if found is None or count_of(region) <= FEW:
        return work.by_words(case, clause, region)
    position, parts = found
    proofs = [
        [some, searched(work, case, clause, region.with_letters(position, some))] for some in parts
    ]
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
    for slot in slots(numbers):
        part = added(slot, rows, letters)[:, 0]
        if slot.place is None:
            rest += part[:, 0]
        else:
            found[:, slot.place] += part
    return found, rest


def ways_of(region: Region) -> Graph | None:
    """The words of one row, where there are any."""
    steps: list[IntArray] = [np.array(step, np.int64) for step in region.steps]
    language = Automaton(tuple(steps), ((),) * region.states[-1])
    for position in range(len(steps)):
        letters = region.letters_at(position, region.rows[0])
        language = language.with_letters(position, np.array(letters, np.int64))
        if language.empty:
            return None
    return graph(language, Alphabet(region.letters, len(steps), ()))


def worst(paths: Graph, weights: Floats) -> IntArray:
    """The word [position, 1] of least sum."""
    found, _ = best_words(paths, weights[:, :, None], np.zeros(1, np.int64))
    return found


def along(low: Floats, words: IntArray) -> Floats:
    """The sums [number, word] along words [position, word]."""
    positions = np.arange(int(words.shape[0]))[:, None]
    found: Floats = low[:, positions, words].sum(axis=1)
    return found


def halves(region: Region, weights: Floats) -> tuple[int, list[list[int]]] | None:
    """A position, and its letters in two, low and high; None where no position is open."""
    best: tuple[float, int] | None = None
    for position in range(len(region.steps)):
        letters = region.letters_at(position, region.rows[0])
        if position != region.fixed and len(letters) > 1:
            spread = float(np.ptp(weights[position, letters]))
            best = max(best or (-1.0, 0), (spread, position))
    if best is None:
        return None
    position = best[1]
    letters = region.letters_at(position, region.rows[0])
    order = sorted(letters, key=lambda letter: float(weights[position, letter]))
    middle = len(order) // 2
    return position, [order[:middle], order[middle:]]

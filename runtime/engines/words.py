"""Inputs in batches: all words of a length in order, or a random few of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np

from circ.compiler.ir import Index
from circ.compiler.obligation import Bound, Witness
from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.decisions import Discrete


@dataclass(frozen=True, slots=True)
class Source:
    """The inputs of a question, by number.

    `batch(start, stop)` gives them by name, the batch last; it starts at a multiple of `step`.
    `point` gives one of them; for several numbers, `witnesses` gives an input of the obligation that
    each is the like of, and `stands_for` says how many such inputs there are in all.
    """

    count: int
    step: int
    batch: Callable[[int, int], dict[str, Discrete]]
    point: Callable[[int], Mapping[str, Sequence[int]]]
    witnesses: Callable[[IntArray], list[Witness]]
    stands_for: Callable[[IntArray], int]
    noun: str = "words"


def words_of(bound: Bound) -> int:
    """How many words a binder ranges over, its domain condition aside."""
    count: int = members(bound) ** bound.type.entries
    return count


def members(bound: Bound) -> int:
    """How many values each position has."""
    sort = bound.type.sort
    assert isinstance(sort, Index)
    return sort.size


def all_words(bound: Bound, step: int) -> Source:
    """Every word in lexicographic order, in batches of about `step`.

    The last positions run through the same words again and again; they are decoded once.
    """
    size, length = members(bound), bound.type.entries
    inner = min(length, whole_positions(size, step))
    block = size**inner
    endings = codes(np.arange(block, dtype=np.int64), size, inner)

    def batch(start: int, stop: int) -> dict[str, Discrete]:
        outer = np.arange(start // block, -(-stop // block), dtype=np.int64)
        beginnings = codes(outer, size, length - inner)
        times = beginnings.shape[1]
        values = np.concatenate([np.repeat(beginnings, block, 1), np.tile(endings, (1, times))])
        wanted = values[:, start % block : start % block + stop - start]
        return {bound.name: Discrete(wanted.reshape(*bound.type.shape, stop - start))}

    def point(number: int) -> dict[str, list[int]]:
        return {bound.name: codes(np.array([number]), size, length)[:, 0].tolist()}

    def witnesses(numbers: IntArray) -> list[Witness]:
        return spelled({bound.name: codes(numbers, size, length)})

    whole = block * max(1, step // block)
    return Source(size**length, whole, batch, point, witnesses, itself)


def itself(numbers: IntArray) -> int:
    """Each word stands for itself alone."""
    return numbers.size


def spelled(words: Mapping[str, IntArray]) -> list[Witness]:
    """The columns of each binder's words as witnesses."""
    names = list(words)
    columns = zip(*(map(tuple, words[name].T.tolist()) for name in names), strict=True)
    return [Witness(tuple(zip(names, column, strict=True))) for column in columns]


def whole_positions(size: int, step: int) -> int:
    """How many positions can be run through within `step` words."""
    found = 0
    while size > 1 and size ** (found + 1) <= step:
        found += 1
    return found


def codes(numbers: IntArray, size: int, length: int) -> IntArray:
    """The words of these numbers, one a column: the digits in base `size`."""
    found = np.empty((length, numbers.size), np.int64)
    left = numbers
    for position in reversed(range(length)):
        left, found[position] = np.divmod(left, size)
    return found


def some_words(bounds: Sequence[Bound], count: int, step: int, seed: int = 0) -> Source:
    """Random words for each binder."""
    chance = np.random.default_rng(seed)
    drawn = {
        bound.name: chance.integers(members(bound), size=(bound.type.entries, count))
        for bound in bounds
    }

    def batch(start: int, stop: int) -> dict[str, Discrete]:
        return {
            bound.name: Discrete(
                drawn[bound.name][:, start:stop].reshape(*bound.type.shape, stop - start)
            )
            for bound in bounds
        }

    def point(number: int) -> dict[str, list[int]]:
        return {name: words[:, number].tolist() for name, words in drawn.items()}

    def witnesses(numbers: IntArray) -> list[Witness]:
        if not drawn:
            return [Witness(())] * numbers.size
        return spelled({name: words[:, numbers] for name, words in drawn.items()})

    return Source(count, step, batch, point, witnesses, itself)


def total(bounds: Iterable[Bound]) -> int:
    """How many inputs there are, conditions aside."""
    return prod(words_of(bound) for bound in bounds)

"""Shortest paths through a layered automaton: the word of a language with the least sum of weights.

Letters that an automaton does not tell apart are put together first, so that a layer costs as many
sums as it has states and kinds of letters, and one minimum over the letters. All questions of one
kind (rivals, and letters at the fixed positions) are asked at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from circ.compiler.readings.arrays import IntArray
from circ.compiler.readings.balls import FloatArray
from circ.compiler.words.alike import alike
from circ.compiler.words.automaton import DEAD, Automaton
from circ.runtime.engines.readouts import Alphabet

MANY = 8
"""Letters of a kind."""


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """One position: letters by kind, kind k from `starts[k]` on; it leads from s to `next[s, k]`.

    `barred` says for each fixing which of these letters it excludes, where the position is fixed.
    """

    letters: IntArray
    starts: IntArray
    next: IntArray
    step: IntArray
    barred: FloatArray | None


@dataclass(frozen=True, slots=True, eq=False)
class Graph:
    """The words of a language, for those choices of fixed letters (`fixings`) that occur in it.

    `last`: how many states the words end in. A sum with an infinite weight below may be NaN where no
    word goes; such sums are passed over.
    """

    layers: tuple[Layer, ...]
    fixings: IntArray
    last: int


def graph(language: Automaton, alphabet: Alphabet, some: IntArray | None = None) -> Graph:
    """The graph of a language that is not empty, for those of some fixings that occur in it."""
    fixings = alphabet.fixings
    occurs = np.ones(fixings.shape[1], np.bool_)
    for position, letters in zip(alphabet.fixed, fixings, strict=True):
        occurs &= (language.steps[position] != DEAD).any(axis=0)[letters]
    if some is not None:
        occurs &= np.isin(np.arange(occurs.size), some)
    (kept,) = np.nonzero(occurs)
    chosen = dict(zip(alphabet.fixed, fixings[:, kept], strict=True))
    layers = tuple(
        layer(step, chosen.get(position)) for position, step in enumerate(language.steps)
    )
    return Graph(layers, kept, len(language.outputs))


def narrowed_to(paths: Graph, places: IntArray) -> Graph:
    """The graph for some of its fixings alone."""
    layers = tuple(
        known if known.barred is None else replace(known, barred=known.barred[:, places])
        for known in paths.layers
    )
    return replace(paths, layers=layers, fixings=paths.fixings[places])


def layer(step: IntArray, chosen: IntArray | None) -> Layer:
    """One position, where the fixings have chosen these letters, if it is fixed.

    Kinds are in the order in which letters show them, so that letters mostly keep their own.
    """
    first, kind = alike(step.T)
    order = first.argsort()
    kinds, kind = step[:, first[order]], order.argsort()[kind]
    alive = (kinds != DEAD).any(axis=0)
    letters = np.argsort(kind, kind="stable")
    letters = letters[alive[kind[letters]]]
    _, starts = np.unique(kind[letters], return_index=True)
    barred = None
    if chosen is not None:
        barred = np.where(letters[:, None] == chosen[None, :], 0.0, inf)
    return Layer(letters, starts, kinds[:, alive], step, barred)


Weigh = Callable[[int, IntArray], FloatArray]
"""The weights [question, letter, fixing] of these letters at a position, for a graph's fixings."""


def least(graph: Graph, weigh: Weigh) -> FloatArray:
    """The least sum of weights over all words: [question, fixing]; infinite where there is no word."""
    ahead: FloatArray | None = None
    for position in reversed(range(len(graph.layers))):
        known = graph.layers[position]
        weights = weigh(position, known.letters)
        if known.barred is not None:
            weights = weights + known.barred
        kinds = least_of_kinds(weights, known.starts)
        if ahead is None:
            ahead = np.zeros((graph.last, weights.shape[0], weights.shape[2]))
        ahead = stepped_back(kinds, known.next, ahead)
    assert ahead is not None, "a word has a letter"
    found: FloatArray = ahead[0]
    return found


def least_of_kinds(weights: FloatArray, starts: IntArray) -> FloatArray:
    """The least weight of each kind of letters, kind k from `starts[k]` on: [question, kind, fixing].

    Where a kind has many letters, `reduce` takes half the time of `reduceat`.
    """
    count = weights.shape[1]
    if starts.size * MANY > count:
        found: FloatArray = np.fmin.reduceat(weights, starts, axis=1)
        return found
    ends = [*starts[1:].tolist(), count]
    pieces = zip(starts.tolist(), ends, strict=True)
    return np.stack([np.fmin.reduce(weights[:, a:b], axis=1) for a, b in pieces], axis=1)


def stepped_back(kinds: FloatArray, after: IntArray, ahead: FloatArray) -> FloatArray:
    """The least sum from each state of a layer, given that from each state after it."""
    beyond = np.concatenate([ahead, np.full((1, *ahead.shape[1:]), inf)])
    found = np.full((after.shape[0], *ahead.shape[1:]), inf)
    for kind in range(after.shape[1]):
        np.fmin(found, beyond[after[:, kind]] + kinds[None, :, kind], out=found)
    return found


def best_words(graph: Graph, weights: FloatArray, fixings: IntArray) -> tuple[IntArray, FloatArray]:
    """For each question k of its own, the word [position, k] of least sum, and that sum.

    `weights` is [position, letter, k], and `fixings[k]` the place of its fixing among the graph's.
    """
    count = int(weights.shape[2])
    bounded = bool(np.isfinite(weights).all())
    ahead = np.zeros((graph.last, count))
    choice: list[IntArray] = []
    for position in reversed(range(len(graph.layers))):
        ways = onward(graph.layers[position], weights[position], ahead, fixings)
        if not bounded:
            ways = np.where(np.isnan(ways), inf, ways)
        choice.append(ways.argmin(axis=1))
        ahead = ways.min(axis=1)
    state: IntArray = np.zeros(count, np.int64)
    each: IntArray = np.arange(count)
    word = np.zeros((len(graph.layers), count), np.int64)
    for position, known in enumerate(graph.layers):
        word[position] = known.letters[choice.pop()[state, each]]
        state = known.step[state, word[position]]
    return word, ahead[0]


def onward(known: Layer, weights: FloatArray, ahead: FloatArray, fixings: IntArray) -> FloatArray:
    """[state, letter, k]: the least sum by way of each letter; NaN may stand where no word goes."""
    mine = weights[known.letters]
    if known.barred is not None:
        mine = mine + known.barred[:, fixings]
    beyond = np.concatenate([ahead, np.full((1, ahead.shape[1]), inf)])
    found: FloatArray = beyond[known.step[:, known.letters]] + mine[None]
    return found


def path_sums(weights: FloatArray, words: IntArray) -> FloatArray:
    """The sum of the weights [position, letter, k] along the words [position, k]."""
    along = np.take_along_axis(weights, words[:, None, :], axis=1)
    total: FloatArray = along[:, 0].sum(axis=0)
    return total

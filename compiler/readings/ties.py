"""What a circuit may give where known scores tie: once for every choice function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from circ.compiler.ir import Circuit, Wire
from circ.compiler.readings.choices import Choose
from circ.compiler.readings.intervals import Scores
from circ.compiler.readings.reference import BITS, Value, enclose
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outputs under one choice: the index taken for each vector of tied scores that was met."""

    choice: Mapping[Scores, int]
    outputs: Mapping[str, Value]


def every_choice(
    circuit: Circuit,
    inputs: Mapping[str, Value],
    weights: Weights,
    bits: int = BITS,
    outputs: Iterable[str] | None = None,
    known: Mapping[Wire, Value] | None = None,
) -> Iterator[Outcome]:
    """One outcome for each way to break the ties, the lowest indices first; one, if there is none.

    Equal scores are broken alike, wherever they stand. Scores that are not known exactly are no
    tie: those indices stay open in every outcome. Ties that change no output are left open: what is
    exact with every tied index allowed is so for each.
    """
    names = None if outputs is None else list(outputs)
    waiting: list[dict[Scores, int]] = [{}]
    while waiting:
        choice = waiting.pop()
        met: dict[Scores, frozenset[int]] = {}
        found = enclose(circuit, inputs, weights, bits, following(choice, met), names, known)
        if not met or all(value.exact for value in found.values()):
            yield Outcome(choice, found)
            continue
        for scores, tied in [*met.items()][:1]:
            waiting.extend({**choice, scores: index} for index in sorted(tied, reverse=True))


def following(choice: Mapping[Scores, int], met: dict[Scores, frozenset[int]]) -> Choose:
    """Breaks ties as `choice` says, and notes in `met` those that it says nothing about."""

    def choose(scores: Scores, tied: frozenset[int]) -> int | None:
        if scores not in choice:
            met[scores] = tied
        return choice.get(scores)

    return choose

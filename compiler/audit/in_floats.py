"""The fast path of an audit: float64 first. What that leaves open is left to whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.audit.audit import Quick
from circ.compiler.audit.bound import Asked
from circ.compiler.audit.code_arrays import Codes
from circ.compiler.audit.float_vectors import FloatVectors, Real
from circ.compiler.audit.groups import grouped
from circ.compiler.audit.inputs import judge_of
from circ.compiler.audit.judged import Batches, Judge, JudgesWords, Letters, OnWords
from circ.compiler.audit.parts.windows import in_doubles
from circ.compiler.audit.quick import quick_paths
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class InFloats:
    """Going through inputs in float64."""

    @property
    def room(self) -> int:
        """For how many numbers there is room."""
        return FloatVectors().room

    def judge(self, claim: Asked, weights: Weights) -> Judge:
        """What judges many inputs."""
        return Quiet(judge_of(claim, weights, FloatVectors()))

    def words(self, claim: Asked, weights: Weights) -> JudgesWords:
        """What judges many words."""
        return QuietOnWords(OnWords(judge_of(claim, weights, FloatVectors())))

    def grouped(self, claim: Asked, weights: Weights, tick: Callable[[], None]) -> int:
        """How many inputs of several binders meet the conditions; raises `Rejected`."""
        with np.errstate(all="ignore"):  # what overflows is refused
            return grouped(claim, weights, FloatVectors(), tick)


@dataclass(frozen=True, slots=True)
class Quiet:
    """Judges inputs without a word about overflows, which are refused."""

    inner: Batches[Real, Codes]

    def __call__(self, numbers: Sequence[int] | range) -> tuple[int, list[int]]:
        """As `Judge` says."""
        with np.errstate(all="ignore"):
            return self.inner(numbers)


@dataclass(frozen=True, slots=True)
class QuietOnWords:
    """The same of words."""

    inner: OnWords[Real, Codes]

    def __call__(self, words: Sequence[Letters]) -> tuple[Sequence[int], Sequence[int]]:
        """As `JudgesWords` says."""
        with np.errstate(all="ignore"):
            return self.inner(words)


QUICK = Quick(quick_paths, InFloats(), in_doubles)
"""All fast paths."""

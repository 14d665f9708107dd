"""Deciding claims about boxes of real inputs."""

from __future__ import annotations

from circ.compiler.finding import Finding, Limits, Progress
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """The finding of the engines that there are."""
    from circ.runtime import prover

    return prover.decide(obligation, weights, limits, progress)

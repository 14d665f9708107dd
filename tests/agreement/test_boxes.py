"""Bounds with branch and bound are held to exact arithmetic: the SMT engine's, and single points."""

from __future__ import annotations

from time import monotonic

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.boxes.clauses import Beyond
from circ.compiler.boxes.read import read
from circ.compiler.boxes.round import prepared
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.obligation import Obligation, Reals, Witness
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.runtime.engines import boxes, smt
from circ.runtime.engines.explore import Closed, Exploration
from tests.agreement.box_claims import box_claims, points
from tests.agreement.circuits import BILINEAR, PIECEWISE, circuits
from tests.agreement.networks import networks
from tests.agreement.test_smt import obligations, within

SECONDS = 0.3
SMT_SECONDS = 0.5

Claim = tuple[Obligation, Weights]


@st.composite
def sampled(draw: st.DrawFn, *, bilinear: bool) -> Claim:
    """A claim about a random circuit or network on reals."""
    kinds = BILINEAR if bilinear else PIECEWISE
    nets = networks("reals", bilinear=bilinear)
    sample = draw(st.one_of(circuits(kinds, inputs="reals"), nets))
    return draw(obligations(sample)), sample.weights


def alone(claim: Obligation) -> Claim:
    """A claim that reads no weights."""
    return claim, {}


CLAIMS: dict[str, st.SearchStrategy[Claim]] = {
    "piecewise": sampled(bilinear=False),
    "bilinear": sampled(bilinear=True),
    "hard": box_claims().map(alone),
    "hard bilinear": box_claims(bilinear=True).map(alone),
}
every_claim = pytest.mark.parametrize("claims", CLAIMS.values(), ids=CLAIMS.keys())


def exactly(claim: Claim) -> Finding:
    """What the SMT engine finds."""
    return smt.decide(*claim, Limits(timeout=SMT_SECONDS), silent)


@every_claim
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_its_verdict_is_not_contradicted(
    claims: st.SearchStrategy[Claim], data: st.DataObject
) -> None:
    """What it proves the SMT engine does not refute, nor any point; an input that it gives refutes in
    exact arithmetic; and a domain that it calls empty has no point."""
    claim = data.draw(claims)
    obligation, weights = claim
    tried = data.draw(st.lists(witnesses(obligation), min_size=5, max_size=5))
    found = boxes.decide(*claim, Limits(timeout=SECONDS), silent)

    match found:
        case Stuck():
            return
        case Fails(witness=witness):
            assert trial(obligation, weights, witness).refutes
            assert within(obligation, witness)
            assert not isinstance(exactly(claim), Holds | Empty)
        case Holds():
            assert not isinstance(exactly(claim), Fails | Empty)
        case Empty():
            assert not isinstance(exactly(claim), Fails | Holds)
    if not isinstance(found, Fails):
        for witness in tried:
            assert not trial(obligation, weights, witness).refutes


@every_claim
@settings(deadline=None, max_examples=20)
@given(data=st.data())
def test_bounds_alone_never_close_what_fails(
    claims: st.SearchStrategy[Claim], data: st.DataObject
) -> None:
    """With nobody to accept an input, a claim that the SMT engine refutes stays open: no part that
    has the failing input is thrown away."""
    claim = data.draw(claims)
    if closed(claim):
        assert not isinstance(exactly(claim), Fails)


def closed(claim: Claim) -> bool:
    """Whether bounds leave no part of the box."""
    try:
        problem = read(*claim)
    except Beyond:
        return False
    if not problem.clauses:
        return True
    search = Exploration(
        prepared(problem), lambda _: False, monotonic() + SECONDS / 4, lambda _: None
    )
    return isinstance(search.outcome(), Closed)


def witnesses(obligation: Obligation) -> st.SearchStrategy[Witness]:
    """Inputs within the binders' boxes."""
    each = [
        points(bound.values.box).map(lambda entries, name=bound.name: (name, entries))  # type: ignore[misc]
        for bound in obligation.binders
        if isinstance(bound.values, Reals)
    ]
    return st.tuples(*each).map(Witness)

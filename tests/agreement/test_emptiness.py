"""That no input meets the conditions of a claim is found out fast where float64 can tell."""

from __future__ import annotations

from array import array
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.audit.emptiness import none_meets
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.judged import Batches
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.whole_vectors import Whole, WholeVectors
from circ.compiler.builder import Builder, combine, take, truth
from circ.compiler.ir import Compare, Index, Input, Lookup, Weight, Wire, WireType
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.tensor import Tensor, Weights
from tests.agreement.circuits import SMOOTH, Sample, circuits
from tests.agreement.claims import claims, gone_through, size_of
from tests.unit.obligations import NOWHERE


def empty(claim: Obligation, weights: Weights, *, exact: bool) -> bool | None:
    """Whether an audit finds that no input meets the conditions; None where it cannot tell."""
    try:
        return none_meets(claim, weights, None if exact else QUICK.inputs)
    except Rejected:
        return None


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_empty_has_no_input(data: st.DataObject) -> None:
    """Of random claims about up to three words, none that some input meets is empty, fast or exactly."""
    sample: Sample = data.draw(circuits(SMOOTH, inputs="words", steps=12))
    claim = data.draw(claims(sample))
    if size_of(claim) > 300:
        return
    found = gone_through(claim, sample.weights)
    for exact in (False, True):
        assert not (found.inside and empty(claim, sample.weights, exact=exact))


# --- two words, and a sum of what is stored for their letters -------------------------------------

LETTERS = Index(2)


def above(least: float) -> tuple[Obligation, Weights]:
    """A claim about two words of three letters whose numbers, each 0.1 or 0.3, sum to more than `least`."""
    b = Builder()
    bounds = tuple(Bound(name, WireType(LETTERS, (3,)), Words(("a", "b"))) for name in ("s", "t"))
    words = [b.add(Input(bound.name, bound.type)) for bound in bounds]
    table, limit = b.add(Weight("m/w", (2,))), b.add(Weight("m/least", (1,)))
    numbers = [b.add(Lookup(table, (take(b, word, [p]),))) for word in words for p in range(3)]
    more = b.add(Compare("<", take(b, limit, [0]), combine(b, *((1, x) for x in numbers))))
    outputs: dict[str, Wire] = {f"in {bound.name}": truth(b, True) for bound in bounds}
    circuit = b.circuit({**outputs, "where": more, "goal": truth(b, True)})
    weights = {
        "m/w": Tensor((2,), "F64", array("d", [0.1, 0.3])),
        "m/least": Tensor((1,), "F64", array("d", [least])),
    }
    return Obligation("c", "forall", circuit, bounds, NOWHERE), weights


@pytest.mark.parametrize(
    ("least", "none", "close"),
    [(1.75, False, 0), (1.7999999999999998, False, 1), (1.8, True, 1), (1.85, True, 0)],
)
def test_whole_numbers_are_asked_of_what_is_close(
    least: float, none: bool, close: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The largest sum is just below 1.8: one input is above less, none above 1.8 and more.

    Float64 leaves open that one input where the bound is as close as doubles can be; without float64
    all 64 are looked at in whole numbers.
    """
    asked: list[int] = []
    judged = Batches[Whole, list[int]].judged

    def watched(
        self: Batches[Whole, list[int]], numbers: Sequence[int] | range
    ) -> tuple[list[int], list[int]]:
        if isinstance(self.evaluator.math, WholeVectors):
            asked.append(len(numbers))
        return judged(self, numbers)

    monkeypatch.setattr(Batches, "judged", watched)
    for exact, whole in ((False, close), (True, 64)):
        asked.clear()
        assert empty(*above(least), exact=exact) is none
        assert sum(asked) == whole

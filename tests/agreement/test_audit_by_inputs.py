"""An audit that goes through inputs takes what is true of every input, and nothing else."""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from io import BytesIO
from random import Random
from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.audit import alone as looking
from circ.compiler.audit import groups, inputs
from circ.compiler.audit.audit import audited
from circ.compiler.audit.bound import asked
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.float_vectors import FloatVectors
from circ.compiler.audit.groups import grouped
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.rejected import Rejected
from circ.compiler.audit.vectors import OPEN, R, V, Vectors
from circ.compiler.audit.whole_vectors import WholeVectors
from circ.compiler.builder import Builder, number, take, truth
from circ.compiler.finding import Holds, Limits, silent
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Compare,
    Const,
    Index,
    Input,
    Lookup,
    Not,
    Real,
    Reindex,
    SmoothName,
    Weight,
    Wire,
    WireType,
)
from circ.compiler.obligation import Bound, Obligation, Reals, Words
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.engines import enumeration
from tests.agreement.circuits import SMOOTH, Sample, circuits
from tests.agreement.claims import claims, gone_through, size_of
from tests.agreement.heads import claim_about_a_head
from tests.agreement.orderless import claim_without_order
from tests.unit.obligations import NOWHERE

Data = dict[str, object]


def certificate(claim: Obligation, weights: Weights, by: str, **rest: object) -> bytes:
    """A certificate made by hand, right or wrong."""
    header: Data = {
        "format": "circ certificate 1",
        "tool": "by hand",
        "claim": claim.name,
        "by": by,
        "obligation": obligation_digest(claim),
        "tensors": tensor_digests(claim, weights),
    }
    return json.dumps(header | rest).encode() + b"\n"


def accepted(claim: Obligation, weights: Weights, data: bytes, *, exact: bool) -> bool:
    """Whether an audit says that a certificate holds."""
    try:
        audited(claim, weights, BytesIO(data), None if exact else QUICK)
    except Rejected:
        return False
    return True


def sorted_out(claim: Obligation, weights: Weights, *, exact: bool) -> int | None:
    """How many inputs meet the conditions, by classes of words; None where that is rejected."""
    try:
        if exact:
            return grouped(asked(claim, weights), weights, WholeVectors(96), lambda: None)
        return grouped(asked(claim, weights), weights, FloatVectors(), lambda: None)
    except Rejected:
        return None


# --- random claims --------------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_accepted_is_true_of_every_input(data: st.DataObject) -> None:
    """Of random claims about up to three words, only those are accepted that the exact reference finds
    to hold of each input whatever breaks ties, with the number of inputs that meet the conditions."""
    sample: Sample = data.draw(circuits(SMOOTH, inputs="words", steps=12))
    claim = data.draw(claims(sample))
    if size_of(claim) > 300:
        return
    found = gone_through(claim, sample.weights)
    true = bool(found.inside) and not found.failing and not found.tied
    words = str(len(found.inside))
    right = certificate(claim, sample.weights, "inputs", words=words)
    wrong = certificate(claim, sample.weights, "inputs", words=words + "0")
    for exact in (False, True):
        assert true or not accepted(claim, sample.weights, right, exact=exact)
        assert not accepted(claim, sample.weights, wrong, exact=exact)
        by_classes = sorted_out(claim, sample.weights, exact=exact)
        assert by_classes in (None, 0) or (true and by_classes == len(found.inside))


@pytest.mark.parametrize("draw", [claim_about_a_head, claim_without_order])
def test_true_claims_are_accepted(draw: Callable[[int], tuple[Obligation, Weights]]) -> None:
    """Of the claims that enumeration proves nearly all are accepted, fast and exactly: not those with
    a tie of real numbers. None is that it refutes."""
    proved = taken = 0
    for seed in range(30):
        claim, weights = draw(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        holds = isinstance(found, Holds)
        words = str(found.size.exact) if isinstance(found, Holds) else "1"
        data = certificate(claim, weights, "inputs", words=words)
        for exact in (False, True):
            one = accepted(claim, weights, data, exact=exact)
            assert holds or not one, seed
            proved, taken = proved + holds, taken + one
    assert taken >= 0.8 * proved > 5


# --- claims made by hand --------------------------------------------------------------------------


def letters(name: str, length: int, size: int = 2) -> Bound:
    """A binder of words."""
    names = tuple(f"m{k}" for k in range(size))
    return Bound(name, WireType(Index(size), (length,)), Words(names))


def claim_of(
    goal: Callable[[Builder, list[Wire]], Wire],
    *binders: Bound,
    where: Callable[[Builder, list[Wire]], Wire] | None = None,
) -> Obligation:
    """A claim about words."""
    b = Builder()
    wires = [b.add(Input(bound.name, bound.type)) for bound in binders]
    outputs = {f"in {bound.name}": truth(b, True) for bound in binders}
    if where is not None:
        outputs["where"] = where(b, wires)
    circuit = b.circuit({**outputs, "goal": goal(b, wires)})
    return Obligation("c", "forall", circuit, binders, NOWHERE)


def not_all_ones(b: Builder, wires: list[Wire]) -> Wire:
    """That a letter is the first one."""
    (word,) = wires
    ones = b.add(Const(b.types[word], (1,) * b.types[word].entries))
    return b.add(Not(b.add(All(b.add(Compare("==", word, ones))))))


@pytest.mark.parametrize("exact", [False, True])
def test_the_last_input_counts(exact: bool) -> None:
    """A claim that fails on the very last of many words is rejected, whatever number it states."""
    claim = claim_of(not_all_ones, letters("s", 15))
    for words in (2**15, 2**15 - 1, 2**14):
        data = certificate(claim, {}, "inputs", words=str(words))
        assert not accepted(claim, {}, data, exact=exact)
    held = claim_of(not_all_ones, letters("s", 15), where=not_all_ones)
    data = certificate(held, {}, "inputs", words=str(2**15 - 1))
    assert accepted(held, {}, data, exact=exact)


def scores(b: Builder, word: Wire) -> Wire:
    """Scores of two letters, which tie where both are the same."""
    table = b.add(Const(WireType(Real(), (2,)), (Fraction(0), Fraction(1))))
    return b.add(Lookup(table, (b.add(Reindex((word,), (0, 1), (2,))),)))


def leads(place: int) -> Callable[[Builder, list[Wire]], Wire]:
    """That some score leads."""

    def goal(b: Builder, wires: list[Wire]) -> Wire:
        leader = b.add(Argmax(scores(b, wires[0])))
        return b.add(Compare("==", leader, b.add(Const(b.types[leader], (place,)))))

    return goal


def some_leads(b: Builder, wires: list[Wire]) -> Wire:
    """That the first score leads, or the second."""
    ways = [leads(place)(b, wires) for place in (0, 1)]
    return b.add(Any(b.add(Reindex(tuple(ways), (0, 1), (2,)))))


def alike(b: Builder, wires: list[Wire]) -> Wire:
    """That the first two letters are the same."""
    return b.add(Compare("==", take(b, wires[0], [0]), take(b, wires[0], [1])))


@pytest.mark.parametrize("exact", [False, True])
def test_a_tie_may_break_in_any_way(exact: bool) -> None:
    """Where scores tie, neither of them surely leads; that one of them does is sure. A condition that
    hangs on a tie is not decided."""
    for place in (0, 1):
        tied = claim_of(leads(place), letters("s", 2), where=alike)
        assert not accepted(tied, {}, certificate(tied, {}, "inputs", words="2"), exact=exact)
        hangs = claim_of(lambda b, _: truth(b, True), letters("s", 2), where=leads(place))
        for words in "1234":
            data = certificate(hangs, {}, "inputs", words=words)
            assert not accepted(hangs, {}, data, exact=exact)
    sure = claim_of(some_leads, letters("s", 2), where=alike)
    assert accepted(sure, {}, certificate(sure, {}, "inputs", words="2"), exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_an_empty_domain_proves_nothing(exact: bool) -> None:
    """Where no input meets the conditions, no number of them is accepted."""
    claim = claim_of(not_all_ones, letters("s", 3), where=lambda b, _: truth(b, False))
    for words in ("0", "1", "8"):
        data = certificate(claim, {}, "inputs", words=words)
        assert not accepted(claim, {}, data, exact=exact)


def same_letter(b: Builder, wires: list[Wire]) -> Wire:
    """That two words begin with the same letter."""
    first, second = (take(b, wire, [0]) for wire in wires)
    return b.add(Compare("==", first, second))


@pytest.mark.parametrize("exact", [False, True])
def test_several_words_go_by_classes(exact: bool) -> None:
    """Pairs of words are counted by the classes of their words, however many pairs there are."""
    binders = letters("s", 10), letters("t", 10)
    claim = claim_of(same_letter, *binders, where=same_letter)
    data = certificate(claim, {}, "inputs", words=str(2**19))
    assert accepted(claim, {}, data, exact=exact)
    false = claim_of(same_letter, *binders)
    for words in (2**19, 2**20):
        assert not accepted(
            false, {}, certificate(false, {}, "inputs", words=str(words)), exact=exact
        )


def test_every_field_matters() -> None:
    """A field changed, left out or added: the certificate is rejected; only its tool may change."""
    claim = claim_of(not_all_ones, letters("s", 4), where=not_all_ones)
    header: Data = json.loads(certificate(claim, {}, "inputs", words="15"))

    def taken(changed: Data, more: bytes = b"") -> bool:
        data = json.dumps(changed).encode() + b"\n" + more
        return accepted(claim, {}, data, exact=True)

    assert taken(header)
    assert not taken(header, b"{}\n")
    assert not taken(header | {"more": 0})
    for name in header:
        assert not taken({key: x for key, x in header.items() if key != name})
        others: list[object] = [None, 15, "16", "", [], {"m/w": ""}, "paths", "witness", "none"]
        for other in others:
            harmless = name == "tool" and isinstance(other, str)
            assert harmless or not taken(header | {name: other})


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(
    ("module", "limit", "enough"),
    [(inputs, "MOST_INPUTS", 8), (groups, "MOST_CLASSES", 2), (groups, "MOST_COMBINATIONS", 4)],
)
def test_what_is_gone_through_is_bounded(
    module: ModuleType, limit: str, enough: int, exact: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Words of a binder, their classes, and the combinations of these: one more is refused."""
    claim = claim_of(same_letter, letters("s", 3), letters("t", 3), where=same_letter)
    data = certificate(claim, {}, "inputs", words="32")
    monkeypatch.setattr(inputs, "FEW", 0)
    monkeypatch.setattr(module, limit, enough)
    assert accepted(claim, {}, data, exact=exact)
    monkeypatch.setattr(module, limit, enough - 1)
    assert not accepted(claim, {}, data, exact=exact)


def test_ways_to_break_ties_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The two ways in which two scores may tie are looked at, and what ties before they are told apart."""
    sure = claim_of(some_leads, letters("s", 2), where=alike)
    data = certificate(sure, {}, "inputs", words="2")
    monkeypatch.setattr(looking, "MOST_WAYS", 3)
    assert accepted(sure, {}, data, exact=True)
    monkeypatch.setattr(looking, "MOST_WAYS", 2)
    assert not accepted(sure, {}, data, exact=True)


# --- witnesses ------------------------------------------------------------------------------------


def test_a_witness_is_put_to_the_test() -> None:
    """An `exists` is shown by an input of its domain where the goal holds, and by no other."""
    claim = replace(claim_of(not_all_ones, letters("s", 3), where=alike), quantifier="exists")
    for exact in (False, True):
        for word, right in (([0, 0, 1], True), ([1, 1, 1], False), ([0, 1, 1], False)):
            data = certificate(claim, {}, "witness", input={"s": word})
            assert accepted(claim, {}, data, exact=exact) == right
    no_inputs: list[object] = [
        {"s": [0, 0]}, {"s": [0, 0, 2]}, {"s": [0, 0, -1]}, {"t": [0, 0, 1]}, {}, [],
    ]  # fmt: skip
    for given_input in no_inputs:
        data = certificate(claim, {}, "witness", input=given_input)
        assert not accepted(claim, {}, data, exact=True)
    universal = replace(claim, quantifier="forall")
    data = certificate(universal, {}, "witness", input={"s": [0, 0, 1]})
    assert not accepted(universal, {}, data, exact=True)
    assert not accepted(claim, {}, certificate(claim, {}, "inputs", words="4"), exact=True)


def test_a_witness_that_needs_a_tie_is_none() -> None:
    """An input at which the goal holds for one way to break ties shows nothing."""
    claim = replace(claim_of(leads(0), letters("s", 2)), quantifier="exists")
    for word, right in (([1, 0], True), ([1, 1], False), ([0, 1], False)):
        data = certificate(claim, {}, "witness", input={"s": word})
        assert accepted(claim, {}, data, exact=True) == right


def test_a_real_witness_is_checked_in_fractions() -> None:
    """A number is what its text says, to the last digit, and within its box."""
    b = Builder()
    x = b.add(Input("x", WireType(Real(), ())))
    third = number(b, Fraction(1, 3))
    outputs = {"in x": b.add(Compare("<=", third, x)), "goal": b.add(Compare("<=", x, third))}
    box = ((Fraction(0), Fraction(1)),)
    bound = Bound("x", WireType(Real(), ()), Reals(box))
    claim = Obligation("c", "exists", b.circuit(outputs), (bound,), NOWHERE)
    others = ("333/1000", "1/0", "0x1", "1/", "/3", "1/3/1", "--1", "", "0.5", "-1/3")
    for text in ("1/3", *others):
        data = certificate(claim, {}, "witness", input={"x": [text]})
        assert accepted(claim, {}, data, exact=True) == (text == "1/3")
    shut = replace(claim, binders=(replace(bound, values=Reals(((Fraction(1, 2), Fraction(1)),))),))
    data = certificate(shut, {}, "witness", input={"x": ["1/3"]})
    assert not accepted(shut, {}, data, exact=True)


# --- arithmetic -----------------------------------------------------------------------------------

FINE = 500


def test_floats_enclose_what_finer_numbers_are() -> None:
    """Sums, products, functions and shares in float64 lie around the same in many bits, and what they
    say of an order is so."""
    fast, exact = FloatVectors(), WholeVectors(FINE)
    curves: tuple[SmoothName, ...] = ("exp", "recip", "sqrt")
    for seed in range(150):
        chance = Random(seed)
        values = [Fraction(chance.uniform(0.1, 3)) for _ in range(6)]
        if seed % 2:
            values = [value / 3 for value in values]
        quick = [fast.number(value) for value in values]
        fine = [exact.number(value) for value in values]
        pairs = [
            (fast.dot(list(zip(quick, reversed(quick), strict=True))),
             exact.dot(list(zip(fine, reversed(fine), strict=True)))),
            (fast.combined([(Fraction(-2, 7), x) for x in quick]),
             exact.combined([(Fraction(-2, 7), x) for x in fine])),
            *((fast.curve(name, quick[0]), exact.curve(name, fine[0])) for name in curves),
            (share(fast, quick), share(exact, fine)),
        ]  # fmt: skip
        for rough, true in pairs:
            middle = Fraction(float(rough.mid[0]))
            slack = Fraction(true.rad + 1, 1 << FINE)
            off = abs(Fraction(true.mid[0], 1 << FINE) - middle)
            assert off + slack <= Fraction(rough.off) + 2 * slack, seed
            assert rough.off < 1e-12
        (first, second), (low, high) = pairs[0], pairs[1]
        assert fast.below(first, low, strict=True).tolist() in (
            exact.below(second, high, strict=True),
            [OPEN],
        )


def share(math: Vectors[R, V], scores: list[R]) -> R:
    """What attention reads of the first of some scores."""
    powers = [math.power(x) for x in scores]
    return math.ratio(powers[0], math.total(powers))


def test_a_weight_that_float64_cannot_tell_is_told_exactly() -> None:
    """Two sums that differ in the last bit: the claim is true, and its converse false."""
    weights = {"m/w": Tensor((2,), "F64", array("d", [0.1, 0.1 + 2.0**-56]))}

    def rising(*places: int) -> Callable[[Builder, list[Wire]], Wire]:
        def goal(b: Builder, wires: list[Wire]) -> Wire:
            table = b.add(Weight("m/w", (2,)))
            low, high = (take(b, table, [k]) for k in places)
            return b.add(Compare("<", low, high))

        return goal

    for exact in (False, True):
        for places, right in (((0, 1), True), ((1, 0), False), ((0, 0), False)):
            claim = claim_of(rising(*places), letters("s", 1))
            data = certificate(claim, weights, "inputs", words="2")
            assert accepted(claim, weights, data, exact=exact) == right

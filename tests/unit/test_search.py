"""The search finds violations that are there, and returns nothing that is not one."""

from __future__ import annotations

from array import array
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.builder import Builder, both, combine, matmul
from circ.compiler.builder import codes as indices
from circ.compiler.finding import Limits
from circ.compiler.ir import (
    Argmax,
    Compare,
    Lookup,
    Not,
    Relu,
    Weight,
    Wire,
)
from circ.compiler.margin import distance
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.trial import trial
from circ.runtime.engines.search import search
from tests.agreement.circuits import PIECEWISE, Sample, binders_of, circuits
from tests.unit.obligations import NOWHERE, box, known, less, obligation, pick, weighted, word

Wires = dict[str, Wire]

SQUARE = box("x", (-1, 1), (-1, 1))
LINE = box("x", (-1, 1))


def away_from_a_point(b: Builder, wires: Wires) -> Wire:
    """x stays 1/4096 away, in the sum of distances, from a point that no grid soon meets."""
    gaps = distance(b, wires["x"], known(b, Fraction(37, 101), Fraction(-61, 97)))
    return b.add(Not(less(b, weighted(b, gaps, 1, 1), Fraction(1, 4096), "<")))


def on_a_strip(b: Builder, wires: Wires) -> Wire:
    """|x0 + x1 - 3/10| <= 1/1000: a polytope that is thin beside its box."""
    middle = known(b, Fraction(3, 10))
    total = combine(b, (1, weighted(b, wires["x"], 1, 1)), (-1, pick(b, middle, 0)))
    below = less(b, total, Fraction(1, 1000))
    return both(b, below, b.add(Not(less(b, total, Fraction(-1, 1000), "<"))))


def on_a_line(b: Builder, wires: Wires) -> Wire:
    """x0 + x1 = 1/2: a domain without an interior."""
    return less(b, weighted(b, wires["x"], 1, 1), Fraction(1, 2), "==")


def spread_out(limit: Fraction) -> Obligation:
    """x0 - x1 stays below a limit on the strip, where it reaches 1.701."""
    return obligation([SQUARE], lambda b, w: less(b, weighted(b, w["x"], 1, -1), limit), on_a_strip)


def network(b: Builder, x: Wire) -> Wire:
    """W2 relu(W1 x), from two coordinates to three scores."""
    hidden = b.add(Relu(matmul(b, b.add(Weight("m/W1", (16, 2))), x)))
    return matmul(b, b.add(Weight("m/W2", (3, 16))), hidden)


def random_weights() -> Weights:
    """Weights of the network."""
    chance = Random(7)
    shapes = {"m/W1": (16, 2), "m/W2": (3, 16)}
    return {
        key: Tensor(
            shape, "F64", array("d", (chance.gauss(0, 1) for _ in range(shape[0] * shape[1])))
        )
        for key, shape in shapes.items()
    }


def one_class_wins(b: Builder, wires: Wires) -> Wire:
    """The network always chooses the same class near a point."""
    best = b.add(Argmax(network(b, wires["x"])))
    return b.add(Compare("==", best, indices(b, [0], 3, ())))


def letters(b: Builder, s: Wire) -> Wire:
    """How many positions of a word hold letter 2."""
    return weighted(b, b.add(Lookup(known(b, 0, 0, 1, 0, 0, 0), (s,))), *[1] * 12)


def few_letters(b: Builder, wires: Wires) -> Wire:
    """At most ten of twelve positions hold letter 2: about one word in ten million misses it."""
    return less(b, letters(b, wires["s"]), 10)


def few_letters_beside_a_point(b: Builder, wires: Wires) -> Wire:
    """The count less x0 is at most 12.5: missed by one word, where x0 is small enough."""
    total = combine(b, (1, letters(b, wires["s"])), (-1, pick(b, wires["x"], 0)))
    return less(b, total, Fraction(25, 2))


def same_count(b: Builder, wires: Wires) -> Wire:
    """Two words have equally many letters 2."""
    return b.add(Compare("==", letters(b, wires["s"]), letters(b, wires["t"])))


def same_start(b: Builder, wires: Wires) -> Wire:
    """Two words start alike."""
    pair = (pick(b, wires["s"], 0), pick(b, wires["t"], 0))
    return b.add(Compare("==", *pair))


S, T = word("s", 12, 6), word("t", 12, 6)

FALSE: dict[str, Obligation] = {
    "a point to be met closely": obligation([SQUARE], away_from_a_point),
    "the end of a thin strip": spread_out(Fraction(1699, 1000)),
    "a line": obligation(
        [SQUARE], lambda b, w: less(b, weighted(b, w["x"], 1, -1), Fraction(5, 4)), on_a_line
    ),
    "just inside an open condition": obligation(
        [LINE],
        lambda b, w: b.add(Not(less(b, pick(b, w["x"], 0), Fraction(1, 1024)))),
        lambda b, w: b.add(Not(less(b, pick(b, w["x"], 0), 0))),
    ),
    "a network's class": obligation([SQUARE], one_class_wins),
    "a rare word": obligation([S], few_letters),
    "two words alike": obligation([S, T], same_start, same_count),
    "a word and a point": obligation([S, SQUARE], few_letters_beside_a_point),
}


@pytest.mark.parametrize("case", FALSE)
def test_a_violation_is_found(case: str) -> None:
    """However small the region, however thin the domain: a slope leads there."""
    weights = random_weights()
    witness = search(FALSE[case], weights, Limits())

    assert witness is not None
    assert trial(FALSE[case], weights, witness).refutes


def third_times_three(b: Builder, wires: Wires) -> Wire:
    """x / 3 * 3 == x, which floats round away from."""
    third = weighted(b, wires["x"], Fraction(1, 3))
    return b.add(Compare("==", combine(b, (3, third)), pick(b, wires["x"], 0)))


TRUE: dict[str, Obligation] = {
    "an identity that floats miss": obligation([LINE], third_times_three),
    "a bound that is met": obligation([LINE], lambda b, w: less(b, pick(b, w["x"], 0), 1)),
    "a boundary outside an open condition": obligation(
        [LINE],
        lambda b, w: b.add(Not(less(b, pick(b, w["x"], 0), 0))),
        lambda b, w: b.add(Not(less(b, pick(b, w["x"], 0), 0))),
    ),
    "the end of a strip, outside": spread_out(Fraction(1702, 1000)),
    "an empty domain": obligation(
        [LINE],
        lambda b, w: less(b, pick(b, w["x"], 0), -1),
        lambda b, w: b.add(Not(less(b, pick(b, w["x"], 0), 1))),
    ),
}


@pytest.mark.parametrize("case", TRUE)
def test_nothing_is_found_where_nothing_is(case: str) -> None:
    """What floats take for a violation is put to the exact reference first."""
    assert search(TRUE[case], {}, Limits()) is None


def test_a_witness_is_short() -> None:
    """Of many violations, one with few digits is shown."""
    claim = obligation([SQUARE], lambda b, w: less(b, weighted(b, w["x"], 1, 1), Fraction(7, 8)))
    witness = search(claim, {}, Limits())

    assert witness is not None
    assert all(Fraction(entry).denominator <= 2 for entry in witness["x"])


def test_a_witness_stays_in_a_box_of_thirds() -> None:
    """An end of the box that is no float is met exactly or not passed."""
    third = Fraction(1, 3)
    ends = box("x", (third, third), (-third, third))
    claim = obligation([ends], lambda b, w: less(b, weighted(b, w["x"], 1, 1), Fraction(2, 3), "<"))
    witness = search(claim, {}, Limits())

    assert witness is not None
    assert witness["x"] == (third, third)


def test_the_same_seed_finds_the_same() -> None:
    """A search can be repeated."""
    found = {search(FALSE["a network's class"], random_weights(), Limits(), seed=3) for _ in "ab"}

    assert len(found) == 1


def test_progress_may_stop_it() -> None:
    """What `progress` raises goes through to the caller."""

    def stop(_share: float, _doing: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        search(TRUE["an empty domain"], {}, Limits(), stop)


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_whatever_is_found_is_real(data: st.DataObject) -> None:
    """On any circuit, with any condition: what comes back is in its range and refutes exactly."""
    sample: Sample = data.draw(circuits(PIECEWISE))
    outputs = {"where": sample.circuit.outputs["goal"], "goal": sample.circuit.outputs["goal"]}
    b = Builder(list(sample.circuit.ops), list(sample.circuit.types))
    if data.draw(st.booleans()):
        outputs["where"] = b.add(Not(outputs["goal"]))
    binders = data.draw(binders_of(sample.circuit))
    claim = Obligation("claim", "forall", b.circuit(outputs), binders, NOWHERE)
    witness = search(claim, sample.weights, Limits(timeout=0.2))

    if witness is not None:
        assert outputs["where"] != outputs["goal"]
        assert trial(claim, sample.weights, witness).refutes

"""Replay: exact arithmetic decides, PyTorch is shown beside it."""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction

import pytest

from circ.compiler.builder import Builder, combine, matmul
from circ.compiler.builder import codes as indices
from circ.compiler.ir import (
    Argmax,
    Compare,
    Lookup,
    Not,
    Smooth,
    Softmax,
    Weight,
    Wire,
)
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.tensor import Tensor, Weights
from circ.compiler.verdict import Shown
from circ.runtime.replay import replay, replay_many, replays
from circ.runtime.show import decimal_text
from tests.unit.obligations import box, known, less, obligation, pick, weighted, word

Wires = dict[str, Wire]

PLANE = box("x", (-2, 2), (-2, 2))


def at(*entries: float | Fraction) -> Witness:
    """A witness for the binder `x`."""
    return Witness((("x", tuple(Fraction(entry) for entry in entries)),))


def first(_b: Builder, wires: Wires) -> Wire:
    """The first entry of x."""
    return pick(_b, wires["x"], 0)


def positive(b: Builder, wires: Wires) -> Wire:
    """x0 > 0."""
    return b.add(Not(less(b, first(b, wires), 0)))


def small(b: Builder, wires: Wires) -> Wire:
    """x0 <= 1."""
    return less(b, first(b, wires), 1)


def test_a_true_witness_is_exact() -> None:
    """It meets the conditions and misses the goal; the violation is the goal's margin there."""
    found = replay(obligation([PLANE], small, positive), {}, at(Fraction(3, 2), 0))

    assert (found.exact, found.torch, found.tie, found.rounded) == (True, True, False, False)
    assert found.violation == Fraction(-1, 2)


@pytest.mark.parametrize(
    ("witness", "why"),
    [
        (at(Fraction(1, 2), 0), "it meets the goal"),
        (at(1, 0), "it meets the goal, with nothing to spare"),
        (at(2), "it has too few entries"),
        (Witness(()), "it lacks a binder"),
    ],
)
def test_a_false_witness_is_caught(witness: Witness, why: str) -> None:
    """Whatever an engine says, an input that does not refute is not shown as one."""
    claim = obligation([PLANE], small, positive)

    assert not replay(claim, {}, witness).exact, why
    assert [*replays(claim, {}, [witness])] == [(witness, False)], why


def test_a_boundary_outside_an_open_condition_is_no_witness() -> None:
    """x0 > 0 excludes 0, although engines may close the condition to prove."""
    claim = obligation([PLANE], positive, lambda b, w: b.add(Not(less(b, first(b, w), 0, "<"))))

    assert replay(claim, {}, at(0, 0)).exact
    assert not replay(obligation([PLANE], small, positive), {}, at(0, 0)).exact


def chooses(member: int) -> Obligation:
    """`argmax(x) == member`, with that choice shown."""

    def best(b: Builder, wires: Wires) -> Wire:
        return b.add(Argmax(wires["x"]))

    claim = obligation(
        [PLANE],
        lambda b, w: b.add(Compare("==", best(b, w), indices(b, [member], 2, ()))),
        show={"best": best},
    )
    return replace(claim, members={"show best": ("left", "right")})


def test_a_refutation_that_needs_a_tie_says_so() -> None:
    """Equal scores may be chosen either way: some choice misses the goal, and not every one."""
    found = replay(chooses(0), {}, at(1, 1))

    assert (found.exact, found.tie) == (True, True)
    assert found.shown == (Shown("best", "right", "left"),)
    assert not found.torch


def test_a_refutation_without_a_tie_does_not() -> None:
    """The larger score is chosen, whatever the choice function."""
    found = replay(chooses(0), {}, at(0, 1))

    assert (found.exact, found.tie, found.torch) == (True, False, True)
    assert found.shown == (Shown("best", "right", "right"),)


def test_equal_scores_are_chosen_alike() -> None:
    """Two choices from the same scores are the same, so this goal has no counterexample."""

    def alike(b: Builder, wires: Wires) -> Wire:
        doubled = combine(b, (2, wires["x"]))
        halved = combine(b, (Fraction(1, 2), doubled))
        pair = b.add(Argmax(wires["x"])), b.add(Argmax(halved))
        return b.add(Compare("==", *pair))

    assert not replay(obligation([PLANE], alike), {}, at(1, 1)).exact


def test_a_tie_that_every_choice_fails_is_none() -> None:
    """Both ways of breaking the tie miss the goal, so the refutation needs neither."""

    def neither(b: Builder, wires: Wires) -> Wire:
        best = b.add(Argmax(wires["x"]))
        return b.add(Compare("<=", pick(b, known(b, 5, 7), 0), lookup_number(b, best)))

    found = replay(obligation([PLANE], neither), {}, at(1, 1))

    assert (found.exact, found.tie) == (True, False)


def lookup_number(b: Builder, index: Wire) -> Wire:
    """1 or 2, by an index."""
    return b.add(Lookup(known(b, 1, 2), (index,)))


def third_of_weight(b: Builder, wires: Wires) -> Wire:
    """w · x <= 1/3 for the checkpoint's w."""
    return less(b, matmul(b, b.add(Weight("m/w", (2,))), wires["x"]), Fraction(1, 3))


def stored(dtype: str, *values: float) -> Weights:
    """The checkpoint of one vector."""
    return {"m/w": Tensor((len(values),), dtype, array("d", values))}


def test_pytorch_may_differ_and_exact_arithmetic_decides() -> None:
    """1/3 + 2^-30 exceeds 1/3; in float32 it rounds to the same number, and the goal seems met."""
    claim = obligation([PLANE], third_of_weight)
    found = replay(claim, stored("F32", 1, 0), at(Fraction(1, 3) + Fraction(1, 2**30), 0))

    assert (found.exact, found.torch, found.rounded) == (True, False, True)
    assert found.violation == -Fraction(1, 2**30)


def test_pytorch_runs_in_the_checkpoints_dtype() -> None:
    """1 + 2^-12 is no bfloat16 or float16, but is a float32."""
    claim = obligation([PLANE], third_of_weight)
    rounded = {
        dtype: replay(claim, stored(dtype, 1, 0), at(1 + Fraction(1, 2**12), 0)).rounded
        for dtype in ("F64", "F32", "F16", "BF16")
    }

    assert rounded == {"F64": False, "F32": False, "F16": True, "BF16": True}


def test_what_is_compared_is_shown_exactly_and_as_computed() -> None:
    """Exact decimals are cut off where they go on; a format is shown to its own digits."""
    claim = obligation(
        [PLANE],
        small,
        show={
            "third": lambda b, w: weighted(b, w["x"], Fraction(1, 3), 0),
            "x": lambda _b, w: w["x"],
        },
    )
    found = replay(claim, {}, at(Fraction(1, 2), -1))

    assert found.shown == (
        Shown("third", "0.166666666666…", "0.166666666666667"),
        Shown("x", "[0.5, -1]", "[0.5, -1]"),
    )


def test_smooth_functions_are_decided_by_enclosures() -> None:
    """softmax([0, 1])[1] is 0.7310585786…: above 0.73105, and surely so."""

    def below(limit: Fraction) -> Obligation:
        return obligation([PLANE], lambda b, w: less(b, pick(b, b.add(Softmax(w["x"])), 1), limit))

    found = replay(below(Fraction("0.73105")), {}, at(0, 1))

    assert found.exact
    assert found.violation is not None
    assert abs(found.violation + Fraction("0.0000085786")) < Fraction(1, 10**9)
    assert not replay(below(Fraction("0.73106")), {}, at(0, 1)).exact


def test_where_a_function_is_undefined_nothing_is_refuted() -> None:
    """1/0 has no value, so the goal neither holds nor fails there."""
    claim = obligation(
        [PLANE],
        lambda b, w: less(b, b.add(Smooth("recip", first(b, w))), 1),
        show={"1/x0": lambda b, w: b.add(Smooth("recip", first(b, w)))},
    )
    found = replay(claim, {}, at(0, 0))

    assert not found.exact
    assert found.shown == (Shown("1/x0", "undefined", "inf"),)


def test_many_witnesses_are_run_in_pytorch_at_once() -> None:
    """One answer for each, in their order, however many."""
    claim = obligation([PLANE], small)
    witnesses = [at(Fraction(i, 1000), 0) for i in range(2000)]

    assert replay_many(claim, {}, witnesses) == [i > 1000 for i in range(2000)]


def test_words_are_replayed_by_their_codes() -> None:
    """A word's letters index tables, exactly and in PyTorch."""

    def starts_with_two(b: Builder, wires: Wires) -> Wire:
        return b.add(Not(b.add(Compare("==", pick(b, wires["s"], 0), indices(b, [2], 3, ())))))

    claim = obligation([word("s", 2, 3)], starts_with_two)
    found = replay(claim, {}, Witness((("s", (2, 0)),)))

    assert (found.exact, found.torch, found.violation) == (True, True, None)
    assert not replay(claim, {}, Witness((("s", (3, 0)),))).exact


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(0), "0"),
        (Fraction(-5, 8), "-0.625"),
        (Fraction(1, 3), "0.333333333333…"),
        (Fraction(1000), "1000"),
        (Fraction(1, 10**20), "1e-20"),
        (Fraction(10**30 + 1), "1e+30…"),
    ],
)
def test_a_decimal_is_whole_or_says_that_it_is_cut_off(value: Fraction, text: str) -> None:
    """No digit is made up, and none is dropped silently."""
    assert decimal_text(value) == text

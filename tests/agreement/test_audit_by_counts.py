"""An audit that goes through counts of letters takes what is true of every word, and nothing else."""

from __future__ import annotations

import json
from fractions import Fraction
from itertools import permutations, product
from math import comb
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.audit import counts
from circ.compiler.audit.counts import Counted
from circ.compiler.builder import Builder, codes, either, matmul, number, reals, take, truth
from circ.compiler.finding import Holds, Limits, silent
from circ.compiler.ir import Argmax, Compare, Lookup, Not, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.runtime.certificates import choose
from circ.runtime.engines import enumeration
from tests.agreement.circuits import SMOOTH, Sample, circuits
from tests.agreement.claims import claims, gone_through, size_of
from tests.agreement.heads import claim_about_a_head
from tests.agreement.orderless import claim_without_order
from tests.agreement.test_audit_by_inputs import (
    Data,
    accepted,
    certificate,
    claim_of,
    letters,
    not_all_ones,
    same_letter,
)
from tests.unit.specs import Rows, command, write_spec


def positions(claim: Obligation) -> list[int | None]:
    """None, and each position of a word."""
    return [None, *range(claim.binders[0].type.entries)]


def taken(claim: Obligation, weights: Weights, words: int, *, exact: bool) -> list[int | None]:
    """The positions which an audit lets be told apart."""
    return [
        at
        for at in positions(claim)
        if accepted(
            claim, weights, certificate(claim, weights, "counts", words=str(words), apart=at),
            exact=exact,
        )
    ]  # fmt: skip


# --- random claims --------------------------------------------------------------------------------


@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_what_is_accepted_is_true_of_every_word(data: st.DataObject) -> None:
    """Of random claims about words, only those are accepted that the exact reference finds to hold of
    each word whatever breaks ties, with the number of words that meet the conditions."""
    sample: Sample = data.draw(circuits(SMOOTH, inputs="words", steps=12))
    claim = data.draw(claims(sample))
    if size_of(claim) > 300 or not claim.binders:
        return
    found = gone_through(claim, sample.weights)
    true = bool(found.inside) and not found.failing and not found.tied
    for exact in (False, True):
        some = taken(claim, sample.weights, len(found.inside), exact=exact)
        assert true or not some
        assert not taken(claim, sample.weights, len(found.inside) + 1, exact=exact)
        assert len(claim.binders) == 1 or not some


@pytest.mark.parametrize("exact", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_true_claims_without_order_are_accepted(exact: bool) -> None:
    """Of the claims that see counts alone nearly all that enumeration proves are accepted, and none that
    it refutes, nor with another number of words."""
    proved = right = 0
    for seed in range(40):
        claim, weights = claim_without_order(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        holds = isinstance(found, Holds)
        words = found.size.exact or 0 if isinstance(found, Holds) else 1
        some = taken(claim, weights, words, exact=exact)
        assert holds or not some, seed
        assert not taken(claim, weights, words + 1, exact=exact), seed
        proved, right = proved + holds, right + (some != [])
    assert right >= 0.8 * proved > 5


def test_what_sees_an_order_is_accepted_where_it_says_nothing() -> None:
    """Of claims about positions and folds those alone are accepted that are true, and few of these."""
    proved = right = 0
    for seed in range(40):
        claim, weights = claim_about_a_head(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        holds = isinstance(found, Holds)
        words = found.size.exact or 0 if isinstance(found, Holds) else 1
        some = taken(claim, weights, words, exact=False)
        assert holds or not some, seed
        proved, right = proved + holds, right + (some != [])
    assert 0 < right < proved / 2


# --- claims made by hand --------------------------------------------------------------------------


def ones(b: Builder, word: Wire) -> Wire:
    """How many letters are the second one."""
    length = b.shape(word)[0]
    marks = b.add(Lookup(reals(b, map(Fraction, (0, 1)), (2,)), (word,)))
    return matmul(b, reals(b, [Fraction(1)] * length, (length,)), marks)


def few_ones(b: Builder, wires: list[Wire]) -> Wire:
    """At most three letters are the second one."""
    return b.add(Compare("<=", ones(b, wires[0]), number(b, 3)))


def last_is_one(b: Builder, wires: list[Wire]) -> Wire:
    """The last letter is the second one."""
    (word,) = wires
    last = take(b, word, [b.shape(word)[0] - 1])
    return b.add(Compare("==", last, codes(b, [1], 2, ())))


def some_one(b: Builder, wires: list[Wire]) -> Wire:
    """A letter is the second one."""
    return b.add(Compare("<=", number(b, 1), ones(b, wires[0])))


@pytest.mark.parametrize("exact", [False, True])
def test_more_words_than_can_be_gone_through(exact: bool) -> None:
    """2^100 words, of which those with few ones are counted; and those that end on a one."""
    claim = claim_of(not_all_ones, letters("s", 100), where=few_ones)
    words = sum(comb(100, k) for k in range(4))
    for apart in (None, 0, 99):
        data = certificate(claim, {}, "counts", words=str(words), apart=apart)
        assert accepted(claim, {}, data, exact=exact)
    ended = claim_of(some_one, letters("s", 100), where=last_is_one)
    for apart in (None, 0, 98, 99):
        data = certificate(ended, {}, "counts", words=str(2**99), apart=apart)
        assert accepted(ended, {}, data, exact=exact) == (apart == 99)


@pytest.mark.parametrize("exact", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_the_last_counts_matter(exact: bool) -> None:
    """A claim that fails on the word of ones alone, or on that of no ones, is rejected."""
    for goal in (not_all_ones, some_one):
        claim = claim_of(goal, letters("s", 40))
        for words in (2**40, 2**40 - 1, 41, 40):
            assert not taken(claim, {}, words, exact=exact)
        held = claim_of(goal, letters("s", 40), where=goal)
        assert None in taken(held, {}, 2**40 - 1, exact=exact)


def ones_last(b: Builder, wires: list[Wire]) -> Wire:
    """The last letter is the second one, or none is: so it is in every sorted word."""
    return either(b, last_is_one(b, wires), b.add(Not(some_one(b, wires))))


@pytest.mark.parametrize("exact", [False, True])
def test_sorted_words_do_not_speak_for_others(exact: bool) -> None:
    """What is true of sorted words alone is not shown of all; nor does a condition on them hold of all."""
    claim = claim_of(ones_last, letters("s", 5))
    given = claim_of(lambda b, _: truth(b, True), letters("s", 5), where=ones_last)
    for words in (2**5, 2**4 + 1):
        assert not taken(claim, {}, words, exact=exact)
        assert taken(given, {}, words, exact=exact) == ([4] if words == 2**4 + 1 else [])


def tied(b: Builder, wires: list[Wire]) -> Wire:
    """Which of the numbers of both letters leads."""
    (word,) = wires
    length = b.shape(word)[0]
    marks = b.add(Lookup(reals(b, map(Fraction, (1, 0, 0, 1)), (2, 2)), (word,)))
    found = matmul(b, reals(b, [Fraction(1)] * length, (length,)), marks)
    return b.add(Compare("==", b.add(Argmax(found)), codes(b, [1], 2, ())))


@pytest.mark.parametrize("exact", [False, True])
def test_a_tie_may_break_in_any_way(exact: bool) -> None:
    """Where letters occur equally often, neither leads for sure."""
    fewer = claim_of(lambda b, w: b.add(Not(tied(b, w))), letters("s", 6), where=few_ones)
    assert not taken(fewer, {}, sum(comb(6, k) for k in range(4)), exact=exact)
    odd = claim_of(lambda b, w: b.add(Not(tied(b, w))), letters("s", 7), where=few_ones)
    assert None in taken(odd, {}, sum(comb(7, k) for k in range(4)), exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_an_empty_domain_proves_nothing(exact: bool) -> None:
    """Where no word meets the conditions, no number of them is accepted."""
    claim = claim_of(not_all_ones, letters("s", 3), where=lambda b, _: truth(b, False))
    for words in (0, 1, 8):
        assert not taken(claim, {}, words, exact=exact)


def test_it_is_about_one_word() -> None:
    """Two words have counts of their own, and are not taken for one."""
    claim = claim_of(same_letter, letters("s", 1), letters("t", 1), where=same_letter)
    for words in (2, 4):
        for apart in (None, 0, 1):
            data = certificate(claim, {}, "counts", words=str(words), apart=apart)
            assert not accepted(claim, {}, data, exact=True)


def test_every_field_matters() -> None:
    """A field changed, left out or added: the certificate is rejected; only its tool may change."""
    claim = claim_of(some_one, letters("s", 4), where=last_is_one)
    header: Data = json.loads(certificate(claim, {}, "counts", words="8", apart=3))

    def holds(changed: Data, more: bytes = b"") -> bool:
        data = json.dumps(changed).encode() + b"\n" + more
        return accepted(claim, {}, data, exact=True)

    assert holds(header)
    assert not holds(header, b"{}\n")
    assert not holds(header | {"more": 0})
    for name in header:
        assert not holds({key: x for key, x in header.items() if key != name})
        others: list[object] = [
            None, True, 0, 2, 4, -1, 3.0, "3", 8, "9", "", [], [3], {"m/w": ""}, "inputs", "paths",
        ]  # fmt: skip
        for other in others:
            harmless = name == "tool" and isinstance(other, str)
            assert harmless or not holds(header | {name: other}), (name, other)


@pytest.mark.parametrize("exact", [False, True])
def test_what_is_gone_through_is_bounded(exact: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """One word for each count of letters: one more is refused."""
    claim = claim_of(not_all_ones, letters("s", 9), where=not_all_ones)
    monkeypatch.setattr(counts, "MOST_INPUTS", 10)
    assert taken(claim, {}, 2**9 - 1, exact=exact) == [None]
    monkeypatch.setattr(counts, "MOST_INPUTS", 9)
    assert taken(claim, {}, 2**9 - 1, exact=exact) == []


def test_each_word_stands_for_those_with_its_letters() -> None:
    """Every word has its letters in some order of one word that is gone through, and of one alone."""
    for size, length, apart in product((1, 2, 3), (1, 2, 4), (None, 0, 1, 3)):
        if apart is not None and apart >= length:
            continue
        some = Counted(size, length, apart)
        free = [place for place in range(length) if place != apart]
        found: list[tuple[int, ...]] = []
        for word in some.words():
            orders = {*permutations([word[place] for place in free])}
            assert some.stands_for(word) == len(orders)
            for order in orders:
                left = iter(order)
                found.append(tuple(c if p == apart else next(left) for p, c in enumerate(word)))
        assert sorted(found) == sorted(product(range(size), repeat=length))
        assert len([*some.words()]) == some.count


# --- what writes them -----------------------------------------------------------------------------

SPEC = """
enum Letter = { a, b, c }
checkpoint m from "model.safetensors"
circuit f(s: Letter[40]) -> real {
  let x = [ m.embed[y] for y in s ]
  let read = mean(x) + x[-1]
  return dot(m.out, relu(m.inner @ read))
}
domain All = { s: Letter[40] }
domain Few = { s: Letter[40] | count { y in s | y == a } <= 3 }
claim near: forall s in All: f(s) <= 3.6
claim few: forall s in Few: f(s) <= 3.6
claim wrong expects refuted: forall s in All: f(s) <= 3.4
"""

WEIGHTS: dict[str, Rows] = {
    "embed": [[1.0, 0.5], [-0.5, 1.25], [0.25, -1.5]],
    "inner": [[1.0, -1.0], [0.5, 0.75], [-1.5, 0.25]],
    "out": [1.0, -2.0, 0.5],
}


def test_a_mean_with_relus_behind_it_has_a_certificate(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """On 3^40 words, where the last letter is told apart: what is proved of all, and of those with few of
    some letter. It is told how many words the certificate is about, and how they are gone through."""
    spec, proofs = write_spec(tmp_path, SPEC, WEIGHTS), tmp_path / "proofs"
    assert command("prove", spec, "--certificate", proofs) == 0
    assert {path.name for path in proofs.iterdir()} == {"near.cert", "few.cert"}
    for name in ("near", "few"):
        header = json.loads((proofs / f"{name}.cert").read_bytes())
        assert (header["by"], header["apart"]) == ("counts", 39)
    capsys.readouterr()
    assert command("audit", spec, proofs, "near", "few") == 0
    told = capsys.readouterr().out
    few = sum(comb(40, k) * 2 ** (40 - k) for k in range(4))
    for words in (3**40, few):
        assert f"on all {words:,} words, one for each count of letters" in told


@pytest.mark.parametrize(("time", "by"), [(60.0, "paths"), (0.0, "counts")])
def test_of_many_counts_paths_come_first(
    time: float, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where more counts would have to be gone through than take a moment, a claim goes by paths, and by
    counts where these take too long: nothing of the attempt is left in the file then."""
    monkeypatch.setattr(choose, "FEW", 0)
    monkeypatch.setattr(choose, "BRIEFLY", time)
    spec, proofs = write_spec(tmp_path, SPEC, WEIGHTS), tmp_path / "proofs"
    assert command("prove", spec, "near", "--certificate", proofs) == 0
    header, *others = (proofs / "near.cert").read_bytes().splitlines()
    assert json.loads(header)["by"] == by
    assert bool(others) == (by == "paths")
    assert command("audit", spec, proofs, "near") == 0

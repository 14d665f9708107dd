"""Counts over domains: exact numbers, or bounds that hold however ties are broken."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import comb
from pathlib import Path

import pytest

from circ.compiler.driver import Program
from circ.compiler.finding import Limits, silent
from circ.compiler.ir import Circuit
from circ.compiler.query import expression
from circ.compiler.readings.intervals import Reals
from circ.compiler.verdict import Counted, Proved, Refuted, Unknown, Verdict
from circ.lang.span import Source
from circ.runtime.engines import counting, division
from circ.runtime.engines.class_counts import by_classes
from circ.runtime.evaluate import evaluate
from circ.runtime.prover import prove
from circ.runtime.session import Request, checked
from circ.runtime.value_lines import value_lines
from tests.unit import specs
from tests.unit.small_spec import SPEC, program

LONG = """
enum Char = { letter, digit, blank, comma, dot, single, double, eos }
domain Words = { s: Char[64] }
domain Few = { s in Words | count { x in s | x in [single, double] } <= 2 }
"""


def counted(p: Program, text: str, limits: Limits | None = None) -> Counted:
    """The one count of an expression."""
    query = expression(p, Source("<line 1>", text), {})
    (found,) = evaluate(query, p.weights, limits).counts
    return found


def verdict(folder: Path, claim: str, spec: str = SPEC) -> Verdict:
    """What is said of one claim more."""
    p = program(folder, f"{spec}\nclaim asked: {claim}\n")
    return prove(p.claim("asked"), p.weights)


def long_words(folder: Path) -> Program:
    """A spec about 8^64 words, without a network."""
    return checked(specs.write_spec(folder, LONG), Request())


def value(p: Program, text: str) -> Fraction:
    """The value of a closed expression that is known."""
    exact = evaluate(expression(p, Source("<line 1>", text), {}), p.weights).exact
    assert isinstance(exact, Reals)
    ((low, high),) = exact.box
    assert low == high
    return low


RIGHT = "count { s in Words | argmax(model(s)) == side(s) }"
"""On some of the 27 words both sides get as many votes."""


class TestExactNumbers:
    """Where nothing is open, a count is one number."""

    @pytest.mark.parametrize(
        ("text", "number"),
        [
            ("count { s in Words }", 8**64),
            ("count { s: Char[64] }", 8**64),
            ("count { s in Few }", sum(comb(64, k) * 2**k * 6 ** (64 - k) for k in range(3))),
            ("count { s in Few | s matches single _* }", 6**63 + 63 * 2 * 6**62),
            ("count { s in Words | s matches letter* digit* }", 65),
            ("count { s in Words | s[0] == s[63] }", 8**63),
            ("count { s in Few | s[0] != s[0] }", 0),
        ],
    )
    def test_an_automaton_counts_words_however_many(
        self, tmp_path: Path, text: str, number: int
    ) -> None:
        """Without a network the number is that of combinatorics."""
        found = counted(long_words(tmp_path), text)

        assert (found.low, found.high, found.reason) == (number, number, "")

    def test_a_domain_of_numbers_is_counted(self, tmp_path: Path) -> None:
        """Positions are finite like letters."""
        found = counted(program(tmp_path), "count { i in Places | i >= 1 }")

        assert (found.low, found.high, found.size) == (3, 3, 4)

    def test_what_is_right_and_what_fails_are_all(self, tmp_path: Path) -> None:
        """Words in a count and failing words of the same claim add up to the domain."""
        p = program(tmp_path)
        asked = prove(p.claim("right"), p.weights)
        found = counted(p, RIGHT)

        assert isinstance(asked, Refuted)
        assert asked.count is not None
        assert found.size == 27
        assert found.low + asked.count == 27

    def test_counts_are_told_apart_by_their_domains(self, tmp_path: Path) -> None:
        """Two counts without conditions are two numbers, under one name too."""
        assert value(program(tmp_path), "100 * count { s: Char[2] } + count { s: Char[3] }") == 927

    def test_words_of_several_lengths_are_counted_together(self, tmp_path: Path) -> None:
        """The number is the sum over the lengths."""
        p = program(tmp_path)
        found = counted(p, "count { s: Char[1..4] | count { x in s } <= 3 and s[0] == quote }")

        assert (found.low, found.high, found.size) == (1 + 3 + 9, 13, 3 + 9 + 27 + 81)

    def test_a_count_that_stands_twice_is_found_once(self, tmp_path: Path) -> None:
        """What asks the same is one number, under whatever name."""
        p = program(tmp_path)
        query = expression(p, Source("", f"{RIGHT} - {RIGHT}"), {})

        assert len(query.quantities) == 1
        assert value(p, f"{RIGHT} - {RIGHT}") == 0


class TestOpenNumbers:
    """What is open makes two bounds, and says why."""

    def test_ties_are_between(self, tmp_path: Path) -> None:
        """A word counts for sure only if it does however ties are broken."""
        found = counted(program(tmp_path), RIGHT)

        assert found.high > found.low
        assert "hang on how ties are broken" in found.reason
        assert found.high - found.low == int(found.reason.split()[0])

    def test_by_classes_ties_are_between_too(self, tmp_path: Path) -> None:
        """Classes are taken apart down to the words that tie."""
        p = program(tmp_path)
        (quantity,) = expression(p, Source("", RIGHT), {}).quantities
        found = by_classes(quantity.questions[0], p.weights, Limits(), silent)
        words = counted(p, RIGHT)

        assert (found.low, found.high) == (words.low, words.high)
        assert "ties" in found.reason

    def test_with_fewer_parts_the_bounds_are_wider(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What was not taken apart any further may count or not."""
        p = program(tmp_path)
        (quantity,) = expression(p, Source("", RIGHT), {}).quantities
        whole = by_classes(quantity.questions[0], p.weights, Limits(), silent)
        monkeypatch.setattr(division, "MOST_PARTS", 1)
        found = by_classes(quantity.questions[0], p.weights, Limits(), silent)

        assert found.low <= whole.low <= whole.high <= found.high
        assert found.high - found.low > whole.high - whole.low

    def test_without_time_nothing_is_certain(self, tmp_path: Path) -> None:
        """No word was looked at, so that none or all may count."""
        text = "count { s in Words | model(s)[inside] > 0.1 }"
        p = program(tmp_path)
        found = counted(p, text, Limits(timeout=0))
        whole = counted(p, text)

        assert found.low <= whole.low == whole.high <= found.high <= 27

    def test_words_that_are_not_reached_are_open(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Who interrupts a count has what is known by then: here of the first 3 of 27 words."""

        def stop(_share: float, _doing: str) -> None:
            raise KeyboardInterrupt

        def few(_circuit: Circuit, _names: Sequence[str]) -> int:
            return 3

        monkeypatch.setattr(counting, "batch_size", few)
        p = program(tmp_path)
        (quantity,) = expression(p, Source("", RIGHT), {}).quantities
        found = counting.count(quantity.questions[0], p.weights, Limits(), stop)

        assert found.interrupted
        assert found.high - found.low >= 24
        assert "24 words were not looked at" in found.reason
        assert not found.hint

    def test_classes_that_are_not_reached_are_open(self, tmp_path: Path) -> None:
        """Without time for classes either, the number is between nothing and all; more may help."""
        p, limits = program(tmp_path), Limits(timeout=0, words=0, few=0)
        query = expression(p, Source("<line 1>", RIGHT), {})
        value = evaluate(query, p.weights, limits)
        (found,) = value.counts

        assert (found.low, found.high) == (0, 27)
        assert found.reason == "time ran out after 0 of 2 classes"
        assert value_lines(value)[-1].text.strip().startswith("try: allow more time (`--timeout")

    def test_what_is_shown_is_called_exact_only_where_it_is(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Bounds stand after `within`."""
        program(tmp_path)
        spec = tmp_path / "spec.circ"

        assert specs.command("run", spec, RIGHT, "--timeout", "10") == 0
        assert "  within  " in capsys.readouterr().out
        assert specs.command("run", spec, "count { s in Words }") == 0
        assert "  exact  27\n" in capsys.readouterr().out


class TestClaims:
    """A claim without variables about numbers of inputs."""

    @pytest.mark.parametrize(
        ("claim", "outcome"),
        [
            (f"{RIGHT} >= 5", Proved),
            (f"{RIGHT} >= 0.99 * count {{ s in Words }}", Refuted),
            (f"27 - {RIGHT} == 27", Refuted),
            ("count { s in Words } == 27 and count { i in Places } < 5", Proved),
            ("count { s in Words | s[0] == quote } * 3 == count { s: Char[3] }", Proved),
        ],
    )
    def test_it_is_decided(self, tmp_path: Path, claim: str, outcome: type[Verdict]) -> None:
        """Proved where it holds for all that the numbers may be, refuted where for none."""
        assert type(verdict(tmp_path, claim)) is outcome

    def test_it_is_unknown_where_it_hangs_on_what_is_open(self, tmp_path: Path) -> None:
        """A bound between the two that are certain decides nothing."""
        bounds = counted(program(tmp_path), RIGHT)
        found = verdict(tmp_path, f"{RIGHT} > {bounds.low}")

        assert isinstance(found, Unknown)
        assert found.counts == (bounds,)
        assert isinstance(verdict(tmp_path, f"{RIGHT} >= {bounds.low}"), Proved)
        assert isinstance(verdict(tmp_path, f"{RIGHT} > {bounds.high}"), Refuted)

    def test_an_empty_domain_is_warned_of(self, tmp_path: Path) -> None:
        """What holds of no word holds of all words there are."""
        spec = f"{SPEC}\ndomain None_ = {{ s in Words | s[0] != s[0] }}\n"
        found = verdict(tmp_path, "count { s in None_ } >= 0", spec)

        assert isinstance(found, Proved)
        assert found.warnings == ("`count { s in None_ }` goes over an empty domain",)

    def test_the_command_line_says_what_it_rests_on(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The number, how many there are, and how it was found; no other format can say it."""
        spec = specs.write_spec(tmp_path, f"{LONG}\nclaim some: count {{ s in Few }} > 1e40\n", {})

        assert specs.command("prove", spec) == 0
        assert " = 15,602,823,947,979,084,074" in capsys.readouterr().out
        assert specs.command("compile", spec, "some", "--to", "smt2") == 4

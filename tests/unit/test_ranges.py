"""Ranges: both ends are between bounds that hold, and an input that reaches them is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from fractions import Fraction
from itertools import islice, product
from pathlib import Path
from random import Random

import pytest

from circ.compiler.builder import combine, take
from circ.compiler.finding import Limits, silent
from circ.compiler.ir import Index
from circ.compiler.obligation import Obligation
from circ.compiler.query import ranged
from circ.compiler.readings.choices import TRUE
from circ.compiler.readings.intervals import Reals as Enclosure
from circ.compiler.readings.reference import at_point
from circ.compiler.readings.ties import every_choice
from circ.compiler.tensor import Weights
from circ.compiler.trial import truth
from circ.compiler.verdict import Vacuous
from circ.lang.diagnostic import CircError
from circ.lang.span import Source
from circ.runtime.climb import Climb, Extreme, value_at
from circ.runtime.ranges import Nowhere, Range, at_one_length, range_of
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.agreement.heads import Head, word
from tests.unit import specs
from tests.unit.obligations import NOWHERE
from tests.unit.small_spec import SPEC, program, write_spec

NEAR, ROUNDING = Fraction(1, 1 << 30), Fraction(1, 1 << 120)

PATHS = Limits(timeout=8, words=1, few=1)
"""So that words are not gone through one by one."""


def number_of_a_head(seed: int) -> tuple[Obligation, Weights]:
    """A random read-out of a random head over a random regular language."""
    chance = Random(seed)
    letters, length = chance.choice([(2, 5), (3, 4), (4, 3)])
    head = Head(chance, letters, length, chance.randint(1, 3))
    logits = head.logits()
    one, other = (take(head.b, logits, [chance.randrange(letters)]) for _ in range(2))
    value = combine(head.b, (1, one), (-chance.randint(0, 1), other))
    circuit = head.b.circuit({"in s": head.domain(), "goal": value})
    return Obligation("c", "forall", circuit, (word(letters, length),), NOWHERE), head.weights


def values(question: Obligation, weights: Weights) -> Iterator[Fraction]:
    """The number at every word of the domain, to within 2^-128."""
    (bound,) = question.binders
    assert isinstance(bound.type.sort, Index)
    for codes in product(range(bound.type.sort.size), repeat=bound.type.entries):
        point = at_point(question.circuit, {bound.name: codes})
        (outcome,) = islice(every_choice(question.circuit, point, weights), 1)
        if truth(outcome.outputs["in s"]) == TRUE:
            value = outcome.outputs["goal"]
            assert isinstance(value, Enclosure)
            yield value.box[0][0]


def require_bounds(end: Extreme, exact: Fraction) -> None:
    """An end encloses the exact number, closely."""
    assert end.low is not None
    assert end.high is not None
    assert end.low - ROUNDING <= exact <= end.high
    assert end.high - end.low <= NEAR * max(abs(exact), Fraction(1))


@pytest.mark.parametrize("limits", [Limits(), PATHS], ids=["words", "paths"])
@pytest.mark.parametrize("start", [0, 6])
def test_a_range_is_that_of_going_through_every_word(start: int, limits: Limits) -> None:
    """Least and greatest are those of exact arithmetic, and reached where the input says.

    By enumeration; by shortest paths, where these can say it, and else the bounds hold all the same.
    """
    decided = 0
    for seed in range(start, start + 6):
        question, weights = number_of_a_head(seed)
        exact = [*values(question, weights)]
        found = at_one_length(question, weights, limits, silent)
        if not exact:
            assert isinstance(found, Nowhere), seed
            assert isinstance(found.verdict, Vacuous), seed
            continue
        assert isinstance(found, Range), seed
        for end, most in ((found.least, min(exact)), (found.greatest, max(exact))):
            assert end.low is None or end.low - ROUNDING <= most, seed
            assert end.high is None or most <= end.high + ROUNDING, seed
            if not end.reason:
                require_bounds(end, most)
                low, high, _ = value_at(question, weights, end.witness)
                assert abs(low - most) + abs(high - most) <= NEAR, seed
                decided += 1
    assert decided >= 9


def exactly(end: Extreme) -> Fraction:
    """An end that is one number."""
    assert end.low is not None
    assert end.low == end.high
    return end.low


def asked(folder: Path, text: str, spec: str = SPEC) -> Range:
    """The range that a text asks about."""
    p = program(folder, spec)
    found = range_of(ranged(p, Source("<range>", text), {}).question, p.weights, Limits(), silent)
    assert isinstance(found, Range)
    return found


def test_over_a_box_bounds_meet(tmp_path: Path) -> None:
    """A piecewise linear number over a box has its exact range, at a corner."""
    found = asked(tmp_path, "relu(x[0] - x[1]) - x[1] / 2 over x in Square where x[0] <= 0.5")

    assert exactly(found.least) == Fraction(-1, 2)
    assert exactly(found.greatest) == 2


def test_a_smooth_number_over_a_box_is_known_to_the_tolerance(tmp_path: Path) -> None:
    """No input has exactly the least value that can be told, and the bounds are near all the same."""
    found = asked(tmp_path, "exp(x[0]) - x[0] over x in Square")

    for end in (found.least, found.greatest):
        assert end.low is not None
        assert end.high is not None
        assert 0 < end.high - end.low <= Fraction(1, 10**5)
        assert end.reason == ""
    assert found.least.low is not None
    assert found.least.low <= 1 < Fraction(17, 10) < (found.greatest.high or 0)


def test_what_is_not_decided_is_bounded(tmp_path: Path) -> None:
    """Where the time runs out, bounds of intervals are given, and the reason."""
    p = program(tmp_path, SPEC)
    question = ranged(p, Source("<range>", "exp(x[0]) - x[0] over x in Square"), {}).question
    found = range_of(question, p.weights, Limits(timeout=0), silent)

    assert isinstance(found, Range)
    for end in (found.least, found.greatest):
        assert end.low is not None
        assert end.high is not None
        assert end.low < end.high
        assert end.reason == "the time ran out"


def test_what_bounds_leave_between_is_halved_by_smt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where neither they nor a claim about what was reached settle it: 0.7 is approached, and never met."""

    def nothing(*_args: object, **_kwargs: object) -> None:
        """Not settled."""

    monkeypatch.setattr(Climb, "searched", nothing)
    monkeypatch.setattr(Climb, "rounds", nothing)
    found = asked(tmp_path, "cases { x[0] < 0.7 => x[0], else => x[1] - 1 } over x in Square")

    end = found.greatest
    assert end.low is not None
    assert end.high is not None
    assert end.low < Fraction(7, 10) <= end.high <= end.low + Fraction(1, 10**6)
    assert end.reason == ""
    assert end.method.startswith("SMT")


def test_two_words_and_a_condition(tmp_path: Path) -> None:
    """Several binders and a `where`, as in a claim."""
    found = asked(
        tmp_path, "model(s)[inside] - model(t)[inside] over s, t in Words where s[0] == t[0]"
    )

    assert exactly(found.least) == -2
    assert exactly(found.greatest) == 2


def test_a_value_that_hangs_on_a_tie_is_enclosed(tmp_path: Path) -> None:
    """Whichever way ties are broken, the greatest value lies between the bounds."""
    spec = f"{SPEC}\ncircuit pick(s: Char[3]) -> real = match argmax(0 * model(s)) {{\n  outside => 1\n  inside => 3\n}}\n"
    found = asked(tmp_path, "pick(s) over s in Words", spec)

    for end in (found.least, found.greatest):
        assert end.low == 1
        assert end.high == 3
        assert end.tie


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("s over s in Words", "E0201"),
        ("argmax(model(s)) over s in Words", "E0201"),
        ("model(s)[inside] over s in Nowhere", "E0101"),
        ("model(s)[inside]", "E0001"),
        ("count { t in Words | t == s } over s in Words", "E0320"),
    ],
)
def test_what_is_no_range_is_refused(tmp_path: Path, text: str, code: str) -> None:
    """A range is of a number, over a domain."""
    with pytest.raises(CircError) as caught:
        asked(tmp_path, text)
    assert [found.code for found in caught.value.diagnostics] == [code]


def test_a_range_of_a_vector_names_an_entry(tmp_path: Path) -> None:
    """Whoever asks for all scores at once is shown how one is written."""
    with pytest.raises(CircError) as caught:
        ranged(program(tmp_path), Source("<range>", "model(s) over s in Words"), {})
    (found,) = caught.value.diagnostics
    assert found.help == "name one of its entries, as in `model(s)[outside]`"


def test_a_session_and_the_command_line_answer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both ends with their inputs; as data, rationals to the last digit."""
    path = write_spec(tmp_path)
    session = Session(path, Request(), checked(path, Request()))
    told = session.run("range model(s)[outside] over s in Words where s[0] == letter")

    assert "least     0.25" in told
    assert "greatest  0.75" in told
    assert "s = [letter, letter, letter]" in told
    assert specs.command("range", path, "model(s)[outside] over s in Words", "--json") == 0
    data = json.loads(capsys.readouterr().out)
    assert (data["least"]["low"], data["greatest"]["high"]) == ("0", "3/4")
    assert data["greatest"]["at"] == {"s": ["letter", "letter", "letter"]}
    assert specs.command("range", path, "1 over s in Words where s[0] != s[0]") == 3


def test_words_of_several_lengths_have_one_range(tmp_path: Path) -> None:
    """Each end is that of the length that reaches furthest, and so is its input."""
    found = asked(
        tmp_path, "sum([ m.votes.score[c] for c in s ])[inside] over s in { s: Char[1..4] }"
    )

    assert exactly(found.least) == 0
    assert exactly(found.greatest) == 4
    assert found.greatest.witness["s"] == (1, 1, 1, 1)


def test_a_range_needs_a_longest_length(tmp_path: Path) -> None:
    """It says so, and how one is named."""
    with pytest.raises(CircError) as caught:
        asked(tmp_path, "m.votes.score[s[0], inside] over s in { s: Char[1..] }")
    (found,) = caught.value.diagnostics
    assert found.code == "E0311"
    assert found.headline.startswith("a range cannot be about words of any length")
    assert found.help == "name the longest: `Char[1..64]` in place of `Char[1..]`"

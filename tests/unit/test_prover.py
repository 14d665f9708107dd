"""From findings to verdicts: quantifiers, replay, and who has the last word."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import pytest

from circ.compiler.builder import Builder, number, take, times
from circ.compiler.finding import Fails, Finding, Holds, Limits, Progress, Stuck, silent
from circ.compiler.ir import Compare, Comparison, Wire
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved, Refuted, Size, Unknown, Vacuous
from circ.runtime import prover, verdicts
from circ.runtime.prover import prove
from circ.runtime.shares import Engine
from tests.unit.obligations import box, obligation


def below(limit: float) -> Obligation:
    """For all x in [0, 1]: x < limit."""

    def goal(b: Builder, wires: dict[str, Wire]) -> Wire:
        x = take(b, wires["x"], [0])
        return b.add(Compare("<", x, number(b, Fraction(limit))))

    return obligation([box("x", (0, 1))], goal)


def some(question: Obligation) -> Obligation:
    """The same, of some input."""
    from dataclasses import replace

    return replace(question, quantifier="exists")


class TestQuantifiers:
    """`forall` and `exists` are one question, asked of the goal and of its negation."""

    def test_forall(self) -> None:
        """True up to the end of the box, which is in it."""
        assert isinstance(prove(below(1.5), {}), Proved)
        verdict = prove(below(1), {})
        assert isinstance(verdict, Refuted)
        assert verdict.example is not None
        assert verdict.example.witness["x"] == (1,)

    def test_exists(self) -> None:
        """Proved with a witness, refuted by a universal proof."""
        verdict = prove(some(below(0.5)), {})
        assert isinstance(verdict, Proved)
        assert verdict.example is not None
        assert verdict.example.witness["x"][0] < Fraction(1, 2)
        verdict = prove(some(below(0)), {})
        assert isinstance(verdict, Refuted)
        assert verdict.example is None

    def test_an_empty_box_is_vacuous(self) -> None:
        """Nothing is proved of nothing."""
        from dataclasses import replace

        from circ.compiler.obligation import Reals

        (bound,) = below(1.5).binders
        nothing = replace(bound, values=Reals(((Fraction(1), Fraction(0)),)))
        assert isinstance(prove(replace(below(1.5), binders=(nothing,)), {}), Vacuous)


class TestEnginesAreNotTrusted:
    """What an engine reports as failing decides nothing until it is replayed."""

    def answering(self, monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> list[Obligation]:
        """Engines that give these findings in turn; the questions they were asked."""
        asked: list[Obligation] = []

        def engines(_o: Obligation, _w: Weights, _l: Limits) -> Iterator[Engine]:
            for finding in findings:

                def engine(
                    o: Obligation,
                    _w: Weights,
                    _l: Limits,
                    _p: Progress,
                    finding: Finding = finding,
                ) -> Finding:
                    asked.append(o)
                    return finding

                yield engine

        monkeypatch.setattr(prover, "engines", engines)
        return asked

    def test_a_false_witness_is_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """1/2 is below 1, whatever an engine says."""
        half = Witness((("x", (Fraction(1, 2),)),))
        self.answering(monkeypatch, Fails("liar", (), Size(None, 1), half))
        assert isinstance(prove(below(1), {}), Unknown)
        assert isinstance(prove(some(below(0)), {}), Unknown)

    def test_a_witness_outside_the_domain_is_unknown(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An input that is not of the domain's shape refutes nothing."""
        outside = Witness((("x", (Fraction(3), Fraction(3))),))
        self.answering(monkeypatch, Fails("liar", (), Size(None, 1), outside))
        assert isinstance(prove(below(2), {}), Unknown)

    def test_a_list_does_not_vouch_for_the_witness(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The input that is shown is replayed itself."""
        good, bad = (Witness((("x", (Fraction(v),)),)) for v in (1, 0))
        self.answering(monkeypatch, Fails("liar", (), Size(None, 1), bad, failing=(good,)))
        assert isinstance(prove(below(1), {}), Unknown)

    def test_a_witness_does_not_vouch_for_the_list(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """What does not fail exactly is left out and told; the refutation stands, uncounted."""
        good, bad = (Witness((("x", (Fraction(v),)),)) for v in (1, 0))
        finding = Fails("liar", (), Size(None, 1), good, count=2, failing=(good, bad))
        self.answering(monkeypatch, finding)
        verdict = prove(below(1), {})
        assert isinstance(verdict, Refuted)
        assert (verdict.failing, verdict.count) == ((good,), None)
        assert (
            "1 of the inputs that the engine listed are not shown to fail" in verdict.warnings[-1]
        )

    def test_a_long_list_is_replayed_in_part(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """When the time for it is up, the verdict says how many were replayed."""
        monkeypatch.setattr(verdicts, "REPLAYING", -1.0)
        listed = tuple(Witness((("x", (Fraction(v),)),)) for v in (1, Fraction(3, 4)))
        finding = Fails("honest", (), Size(None, 1), listed[0], count=2, failing=listed)
        self.answering(monkeypatch, finding)
        verdict = prove(below(0.5), {})
        assert isinstance(verdict, Refuted)
        assert (verdict.failing, verdict.replayed) == (listed, 1)

    def test_the_next_engine_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """An engine that is stuck passes the question on; what it reached is kept."""
        stuck = Stuck("no idea", "first", bound=-1.0)
        held = Holds("second", (), Size(None, 1))
        assert len(self.answering(monkeypatch, stuck, held)) == 0
        assert isinstance(prove(below(2), {}), Proved)
        self.answering(monkeypatch, stuck, Stuck("nor I", "second"))
        verdict = prove(below(2), {})
        assert isinstance(verdict, Unknown)
        assert verdict.bound == -1.0
        assert "no idea" in verdict.reason

    def test_an_interrupt_ends_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """After Ctrl-C no other engine is tried."""
        stopped = Stuck("interrupted", "first", interrupted=True)
        self.answering(monkeypatch, stopped, Holds("second", (), Size(None, 1)))
        assert isinstance(prove(below(2), {}), Unknown)


@pytest.mark.parametrize(
    ("op", "bounds", "smt"), [("<=", [1, 100], [5]), ("==", [1, 5, 100], [5, 75])]
)
def test_where_numbers_are_to_be_equal_smt_gets_most_of_the_time(
    op: Comparison, bounds: list[float], smt: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bounds have a margin of 0 there: on `==` they take the rest only after SMT has had most of it."""
    from circ.runtime.engines import boxes
    from circ.runtime.engines import smt as solver

    asked: dict[str, list[float]] = {"bounds": [], "smt": [], "search": []}

    def stuck(name: str) -> Engine:
        def decide(_o: Obligation, _w: Weights, limits: Limits, _p: Progress) -> Finding:
            asked[name].append(limits.timeout)
            return Stuck("it is hard", name)

        return decide

    def goal(b: Builder, wires: dict[str, Wire]) -> Wire:
        x = take(b, wires["x"], [0])
        return b.add(Compare(op, x, times(b, x, x)))

    monkeypatch.setattr(boxes, "decide", stuck("bounds"))
    monkeypatch.setattr(solver, "decide", stuck("smt"))
    monkeypatch.setattr(prover, "searched", stuck("search"))
    question = obligation([box("x", (0, 1))], goal)
    for engine in prover.engines(question, {}, Limits(timeout=100.0)):
        engine(question, {}, Limits(timeout=100.0), silent)

    assert asked == {"bounds": bounds, "smt": [*smt, 100], "search": [100]}

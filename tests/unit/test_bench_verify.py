"""The comparison of verifiers: what its table says, and that its questions are what they are said to be."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.verify.agreement import Compared, counted
from benchmarks.verify.agreement import asked as compared
from benchmarks.verify.agreement_standard import Answers, beyond, told
from benchmarks.verify.ask_middle import Asked, report
from benchmarks.verify.instances import Instance, instances
from benchmarks.verify.kinds import KINDS
from benchmarks.verify.middle import CLAIM, Question, box, question, spec, written
from benchmarks.verify.processes import ran
from benchmarks.verify.small import FORMS, broken, height, kept, small
from benchmarks.verify.small_standard import standard
from benchmarks.verify.table import Row, charged, middling, ratio, table
from benchmarks.verify.tools import Answer, Certified, Result, Tool, answered, asked, circ, pointed
from circ.compiler.obligation import Witness
from circ.compiler.trial import trial
from circ.runtime.session import checked, settings
from tests.unit import specs
from tests.unit.standard_problems import SAT, UNSAT, network, wanted


def result(answer: Answer, cpu: float, certified: Certified | None = None) -> Result:
    """A run that took so many CPU seconds."""
    return Result(answer, cpu, cpu, 50.0, certified)


def row(known: str, **said: Result) -> Row:
    """An instance and what the tools said."""
    return Row(Instance("f", Path("net.onnx"), Path("safe.vnnlib"), known), said)


class TestTable:
    """Ratios are of CPU seconds to the best peer's, and no answer costs the time limit."""

    def test_who_does_not_answer_is_charged_the_time_limit(self) -> None:
        """So is who answers wrongly; where no answer is known, any answer counts."""
        assert charged(result("unsat", 2), "unsat", 60) == 2
        assert charged(result("unknown", 2), "unsat", 60) == 60
        assert charged(result("failed", 70), "unsat", 60) == 70
        assert charged(result("sat", 2), "unsat", 60) == 60
        assert charged(result("sat", 2), "", 60) == 2

    def test_the_best_peer_is_the_fastest_that_is_right(self) -> None:
        """A wrong answer in no time is not the best; without peers there is no ratio."""
        wrong = {"circ": result("sat", 2), "a": result("unsat", 1), "b": result("sat", 8)}
        assert ratio(row("sat", **wrong), 60) == 2 / 8
        assert ratio(row("sat", circ=result("sat", 2)), 60) is None

    def test_means_are_geometric_over_all_and_over_long_ones(self) -> None:
        """Ratios 4 and 1/4 have the mean 1; the second is alone in needing more than 5 seconds."""
        rows = [
            row("sat", circ=result("sat", 4), a=result("sat", 1)),
            row("unsat", circ=result("unsat", 2), a=result("unsat", 8)),
        ]
        lines = table(rows, 60)
        assert lines[-2:] == [
            "geometric mean of the ratios (all, 2): 1.00",
            "geometric mean of the ratios (best peer over 5 s, 1): 0.25",
        ]
        assert "circ: 2 of 2 decided, 2 right, 0 wrong, 6.0 s CPU" in lines

    def test_a_wrong_answer_stands_out(self) -> None:
        """In its row, and in the totals."""
        lines = table([row("sat", circ=result("unsat", 1))], 60)
        assert "WRONG!" in lines[1]
        assert lines[-1] == "circ: 1 of 1 decided, 0 right, 1 wrong, 1.0 s CPU"

    def test_certificates_have_columns_only_where_there_are_some(self) -> None:
        """One that the audit rejects is named."""
        assert "cert." not in table([row("sat", circ=result("sat", 1))], 60)[0]
        bad = result("unsat", 1, Certified(2500, 0.5, False))
        head, line, *_ = table([row("unsat", circ=bad)], 60)
        assert "cert. kB" in head
        assert line.endswith("2.5    0.50 REJECTED")

    def test_of_several_runs_the_middle_one_counts(self) -> None:
        """But not over one that says something else."""
        runs = [result("sat", cpu) for cpu in (3, 1, 2)]
        assert middling(runs).cpu == 2
        assert middling([*runs, result("unsat", 9)]).answer == "unsat"


class TestRuns:
    """A tool is a process; what it prints is its answer."""

    @pytest.mark.parametrize(
        ("printed", "answer"),
        [("sat\n((X_0 1))", "sat"), ("noise\nunsat,7.4", "unsat"), ("timeout", "unknown")],
    )
    def test_the_last_word_that_is_an_answer_counts(self, printed: str, answer: str) -> None:
        """Times behind it and noise before it do not."""
        assert answered(ran([sys.executable, "-c", f"print({printed!r})"], 60)) == answer

    def test_the_input_of_a_sat_is_read(self) -> None:
        """In the order of its entries, exactly as it is printed; the outputs are left out."""
        printed = "sat\\n((X_1 -2.5e-1)\\n (X_0 0.5)\\n (Y_0 7))"
        found = ran([sys.executable, "-c", f"print('{printed}')"], 60)
        assert pointed(found) == (Fraction(1, 2), Fraction(-1, 4))

    def test_a_crash_is_a_failure_and_says_why(self) -> None:
        """With the last line of what it complained of."""

        def command(_instance: Instance, _timeout: float) -> list[str]:
            return [sys.executable, "-c", "raise ValueError('no such layer')"]

        tool = Tool("a", command)
        found = asked(tool, Instance("f", Path("n"), Path("p"), ""), 60)
        assert (found.answer, found.why) == ("failed", "ValueError: no such layer")
        assert found.peak > 1

    def test_a_certificate_is_weighed_and_audited(self, tmp_path: Path) -> None:
        """That of an `unsat`; a `sat` has its point instead."""
        net = network(tmp_path, 1, 2)
        safe = asked(circ(1), Instance("f", net, wanted(tmp_path, UNSAT), "unsat"), 60)
        assert safe.answer == "unsat"
        assert safe.certified is not None
        assert safe.certified.holds
        assert safe.certified.size > 0
        broken = asked(circ(1), Instance("f", net, wanted(tmp_path, SAT), "sat"), 60)
        assert (broken.answer, broken.certified) == ("sat", None)

    def test_files_lie_in_the_folder_of_their_family(self, tmp_path: Path) -> None:
        """Or beside the table; `only` chooses by name."""
        (tmp_path / "f").mkdir()
        (tmp_path / "f" / "a.onnx").touch()
        head = "family,network,property,answer\n"
        (tmp_path / "instances.csv").write_text(
            head + "f,a.onnx,p.vnnlib,sat\ng,b.onnx,q.vnnlib,\n"
        )
        first, _ = instances(tmp_path)
        assert first.network == tmp_path / "f" / "a.onnx"
        assert first.wanted == tmp_path / "p.vnnlib"
        assert [found.name for found in instances(tmp_path, "g/")] == ["g/b/q"]


@pytest.mark.slow
class TestQuestions:
    """What is generated is false where it is said to be, and the same each time."""

    def test_a_false_question_is_refuted(self, tmp_path: Path) -> None:
        """Its bound lies below a value that the network takes on the box."""
        asked = question("narrow", 0)
        assert asked.expected == "refuted"
        assert specs.command("prove", written(asked, tmp_path), "--no-cache", "--jobs", "1") == 1

    def test_a_question_is_the_same_each_time(self) -> None:
        """Weights, box and bound: nothing but the number decides."""
        first, second = question("merged", 3), question("merged", 3)
        assert first.text == second.text
        assert all((second.tensors[name] == x).all() for name, x in first.tensors.items())

    @pytest.mark.parametrize("kind", ["deep", "residual", "topk", "guarded", "pooled", "pruned"])
    def test_what_is_optimised_is_what_is_claimed(self, kind: str, tmp_path: Path) -> None:
        """A claim fails at the middle of its box just if its bound is below the value there."""
        draft = KINDS[kind](1)
        low, high = box(draft, 1)
        middle = low.astype(float) / 2 + high.astype(float) / 2
        value = float(draft.value(torch.from_numpy(middle[None])))  # pyright: ignore
        for bound, fails in ((value - 1e-6, True), (value + 1e-6, False)):
            text = spec(draft, f"{bound:.9f}")
            tensors = {**draft.tensors, "low": low, "high": high}
            path = written(Question(kind, kind, "proved", text, tensors), tmp_path)
            program = checked(path, settings((), (), False))
            point = Witness((("x", tuple(map(Fraction, middle.tolist()))),))
            asked = program.question(CLAIM).at(None)
            assert trial(asked, program.weights, point).refutes == fails

    def test_small_claims_are_of_both_sorts(self) -> None:
        """A false one has a bound below a value at a point of its domain."""
        claims = [small(seed) for seed in range(3 * len(FORMS))]
        assert {claim.false for claim in claims} == {True, False}
        assert {claim.form for claim in claims} == set(FORMS)
        assert all(claim.bound.denominator <= 2**33 for claim in claims)
        assert small(7).bound == small(7).bound != Fraction(0)

    @pytest.mark.parametrize("seed", range(len(FORMS)))
    def test_a_small_claim_has_the_value_that_circ_gives_it(
        self, seed: int, tmp_path: Path
    ) -> None:
        """At points of its domain it fails just where Circ's exact reference says so."""
        claim, path = small(seed), tmp_path / "small.circ"
        path.write_text(claim.text)
        program = checked(path, settings((), (), False))
        asked = program.question("small").at(None)
        inputs = len(claim.net.guard)
        for k in range(-4, 5):
            point = tuple(Fraction(k * (j + 1), 4 * inputs) for j in range(inputs))
            exact = trial(asked, program.weights, Witness((("x", point),)))
            assert exact.refutes == broken(claim, point)

    def test_equal_scores_are_chosen_from_in_every_way(self) -> None:
        """Where all scores are equal, the best two of what is read of them count."""
        scores = np.array([[2], [2], [2], [1]])
        assert kept(np.array([-1, 3, 1, 5]), scores).tolist() == [8]


class TestAgreement:
    """What two engines, or two verifiers, may not both say."""

    def test_what_cannot_be_is_wrong(self) -> None:
        """A false claim that holds, two verdicts, an input that does not fail, an exception, a certificate
        that is refused."""
        seconds = {"boxes": 0.1, "smt": 0.1}
        good = Compared(0, "max", True, {"boxes": "open", "smt": "fails"}, seconds)
        bad = [
            Compared(1, "max", True, {"boxes": "holds", "smt": "open"}, seconds),
            Compared(2, "max", False, {"boxes": "holds", "smt": "fails"}, seconds),
            Compared(3, "max", False, {"boxes": "does not fail", "smt": "holds"}, seconds),
            Compared(4, "max", False, {"boxes": "raised", "smt": "holds"}, seconds, "why"),
            Compared(
                5,
                "max",
                False,
                {"boxes": "holds", "smt": "holds"},
                seconds,
                "",
                "refused in floats: a sum",
            ),
        ]
        assert good.wrong is None
        assert all(one.wrong for one in bad)
        lines = list(counted([good, *bad]))
        assert lines[-3:] == [
            "open to boxes alone: 1 max",
            "certificates: 1 refused in floats: a sum",
            "6 claims, 2 known to be false, 5 disagreements",
        ]

    def test_a_comparison_goes_on_from_its_log(self, tmp_path: Path) -> None:
        """What is in the log is counted as it is there; what is asked is added."""
        log = tmp_path / "log.jsonl"
        (first,) = compared([1], tmp_path, 20, log)
        known = log.read_text()
        log.write_text(known.replace('"seed": 1', '"seed": 0'))
        again = list(compared([0, 1], tmp_path, 20, log))
        assert [one.seed for one in again] == [0, 1]
        assert again[0].seconds == first.seconds
        assert len(log.read_text().splitlines()) == 2

    def test_an_input_decides_between_verifiers(self, tmp_path: Path) -> None:
        """Circ is wrong if it reaches the bound; the peer is off, if it does not."""
        claim = next(c for c in map(small, range(99)) if c.false and standard(c, tmp_path))
        middle = (Fraction(0),) * len(claim.net.guard)
        found = height(claim, middle)
        assert found is not None
        assert beyond(claim, middle) == float(found - claim.bound)
        assert beyond(claim, (Fraction(2), *middle[1:])) is None

        def answers(ours: str, amount: float) -> Answers:
            said = {"circ": ours, "a": "sat"}
            beyond: dict[str, float | None] = {"a": amount}
            beyond |= {"circ": -amount} if ours == "sat" else {}
            return Answers(1, False, said, beyond, dict.fromkeys(said, 1.0))

        assert answers("unsat", 0.0).wrong == "the input of a reaches the bound"
        assert answers("unsat", -1e-9).wrong is None
        assert answers("sat", 1e-17).wrong is None
        assert answers("sat", 1.0).wrong == "its input does not reach the bound"
        lines = list(told([answers("unsat", -1e-9)]))
        assert "  1: circ unsat, a sat; there is no input that reaches the bound" in lines


def test_the_report_counts_and_names_surprises() -> None:
    """What is undecided by its reason, numbers left out; a false claim that is proved is wrong."""
    results = [
        Asked("a_0", "a", "refuted", "proved", 2.0, 50.0, "bounds"),
        Asked("a_1", "a", "proved", "unknown", 60.0, 70.0, "0.5 of 17 parts"),
        Asked("b_1", "b", "proved", "unknown", 60.0, 60.0, "0.25 of 3 parts"),
    ]
    lines = report(results)
    assert lines[3].split()[:6] == ["all", "3", "1", "0", "2", "2.0"]
    assert lines[4:] == [
        "   2 undecided: # of # parts",
        "a_0: proved, expected refuted: WRONG",
    ]

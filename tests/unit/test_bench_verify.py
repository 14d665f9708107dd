"""The comparison of verifiers: what its table says, and that its questions are what they are said to be."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import pytest
import torch

from benchmarks.verify.ask_middle import Asked, report
from benchmarks.verify.instances import Instance, instances
from benchmarks.verify.kinds import KINDS
from benchmarks.verify.middle import CLAIM, Question, box, question, spec, written
from benchmarks.verify.processes import ran
from benchmarks.verify.small import small
from benchmarks.verify.table import Row, charged, middling, ratio, table
from benchmarks.verify.tools import Answer, Certified, Result, Tool, answered, asked
from circ.compiler.obligation import Witness
from circ.compiler.trial import trial
from circ.runtime.session import checked, settings
from tests.unit import specs


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

    def test_a_crash_is_a_failure_and_says_why(self) -> None:
        """With the last line of what it complained of."""

        def command(_instance: Instance, _timeout: float) -> list[str]:
            return [sys.executable, "-c", "raise ValueError('no such layer')"]

        tool = Tool("a", command)
        found = asked(tool, Instance("f", Path("n"), Path("p"), ""), 60)
        assert (found.answer, found.why) == ("failed", "ValueError: no such layer")
        assert found.peak > 1

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
        claims = [small(seed) for seed in range(20)]
        assert {claim.false for claim in claims} == {True, False}
        assert all(claim.bound.denominator <= 2**33 for claim in claims)
        assert small(7).bound == small(7).bound != Fraction(0)


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

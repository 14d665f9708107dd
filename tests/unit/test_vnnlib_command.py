"""`circ vnnlib`: the answer first, the input beside it, and what exact arithmetic makes of both."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.finding import Fails, Finding, Holds, Limits, Progress, Stuck, silent
from circ.compiler.obligation import Obligation, Reals, Witness
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.compiler.vnnlib.problem import INPUT, Problem, read_problem
from circ.runtime import onnx_values
from circ.runtime.onnx_values import Missing
from circ.runtime.standard import Sat, Undecided, Unsat, answer
from tests.unit.onnx_models import model, node, saved
from tests.unit.specs import command
from tests.unit.vnnlib_texts import boxed, declared

PAIR = re.compile(r"\(([XY]_\d+) (\S+?)\)")


def files(folder: Path, sought: str, bounds: tuple[str, str] = ("-1", "1")) -> tuple[Path, Path]:
    """A network max(0, x0 + 2 x1) of two inputs, and a property of it."""
    w = np.array([[1], [2]], np.float32)
    nodes = [node("MatMul", ["x", "w"], "h"), node("Relu", ["h"])]
    wanted = folder / "safe.vnnlib"
    wanted.write_text(declared(2, 1) + boxed([bounds, bounds]) + sought)
    return saved(folder, model(nodes, [1, 2], {"w": w})), wanted


class TestAnswers:
    """One word on the first line, 0 where it decides."""

    def test_sat_has_an_input(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """In the form of the competitions, and of an input that is really one."""
        assert command("vnnlib", *files(tmp_path, "(assert (>= Y_0 2.5))")) == 0
        first, *rest = capsys.readouterr().out.splitlines()
        values = {name: Fraction(value) for name, value in PAIR.findall("\n".join(rest))}
        assert first == "sat"
        assert rest[0].startswith("((X_0 ")
        assert list(values) == ["X_0", "X_1", "Y_0"]
        assert values["X_0"] + 2 * values["X_1"] == values["Y_0"] >= Fraction("2.5")
        assert all(abs(values[name]) <= 1 for name in ("X_0", "X_1"))
        assert any("it meets the property there" in line for line in rest)

    def test_unsat(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """3 is the maximum, so nothing is above it."""
        assert command("vnnlib", *files(tmp_path, "(assert (> Y_0 3))")) == 0
        assert capsys.readouterr().out.splitlines()[0] == "unsat"

    @pytest.mark.parametrize(
        ("function", "most", "answered"),
        [
            ("Sigmoid", "0.9526", "unsat"),
            ("Sigmoid", "0.9525", "sat"),
            ("Tanh", "0.9951", "unsat"),
            ("Tanh", "0.9950", "sat"),
            ("Softmax", "1.0001", "unsat"),
        ],
    )
    def test_smooth_functions_have_bounds(
        self,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        function: str,
        most: str,
        answered: str,
    ) -> None:
        """Of x0 + 2 x1, which is at most 3: 1 / (1 + e^-3) is 0.95257…, tanh 3 is 0.99505…, and the one
        share of one score is 1."""
        w = np.array([[1], [2]], np.float32)
        nodes = [node("MatMul", ["x", "w"], "h"), node(function, ["h"])]
        wanted = tmp_path / "safe.vnnlib"
        wanted.write_text(
            declared(2, 1) + boxed([("-1", "1"), ("-1", "1")]) + f"(assert (>= Y_0 {most}))"
        )
        net = saved(tmp_path, model(nodes, [1, 2], {"w": w}))
        assert command("vnnlib", net, wanted) == 0
        assert capsys.readouterr().out.splitlines()[0] == answered

    def test_the_end_of_a_box_belongs_to_it(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """3 is reached, at one corner alone."""
        assert command("vnnlib", *files(tmp_path, "(assert (>= Y_0 3))")) == 0
        assert "(X_0 1)" in capsys.readouterr().out

    def test_a_strict_bound_leaves_the_end_out(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Without its corner the box has no such input."""
        sought = "(assert (< X_0 1))(assert (>= Y_0 3))"
        assert command("vnnlib", *files(tmp_path, sought)) == 0
        assert capsys.readouterr().out.splitlines()[0] == "unsat"

    def test_no_input_at_all_is_unsat(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Bounds that contradict each other, and conditions that do."""
        assert command("vnnlib", *files(tmp_path, "", ("1", "0"))) == 0
        assert capsys.readouterr().out.splitlines()[0] == "unsat"
        assert command("vnnlib", *files(tmp_path, "(assert (> (+ X_0 X_1) 5))")) == 0
        assert capsys.readouterr().out.splitlines()[0] == "unsat"

    def test_a_box_alone_is_sat(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Where nothing is asked of the outputs, any input is one."""
        assert command("vnnlib", *files(tmp_path, "")) == 0
        assert capsys.readouterr().out.splitlines()[0] == "sat"

    def test_unknown_is_2(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """No time at all decides nothing, and the reason follows."""
        assert command("vnnlib", *files(tmp_path, "(assert (> Y_0 3))"), "--timeout", "0") == 2
        first, reason = capsys.readouterr().out.splitlines()
        assert (first, reason[:2]) == ("unknown", "; ")

    def test_any_box_that_has_one_is_sat(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first box has none, the second one has."""
        sought = "(assert (or (<= X_0 -0.5) (>= X_0 0.5)))(assert (>= Y_0 2.75))"
        assert command("vnnlib", *files(tmp_path, sought)) == 0
        assert capsys.readouterr().out.splitlines()[0] == "sat"

    def test_as_data(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Exact numbers are text."""
        assert command("vnnlib", *files(tmp_path, "(assert (>= Y_0 3))"), "--json") == 0
        found = json.loads(capsys.readouterr().out)
        assert found["answer"] == "sat"
        assert found["witness"] == {"X": ["1", "1"], "Y": [["3", "3"]]}
        assert found["onnxruntime"] == [3.0]
        assert found["onnxruntime_agrees"] is True


class TestWrongFiles:
    """Exit code 4, and a diagnostic."""

    def test_are_4(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Swapped, missing, or not fitting each other."""
        network, wanted = files(tmp_path, "")
        assert command("vnnlib", wanted, network) == 4
        assert command("vnnlib", network, tmp_path / "none.vnnlib") == 4
        wanted.write_text(declared(3, 1) + boxed([(0, 1)] * 3))
        assert command("vnnlib", network, wanted) == 4
        said = capsys.readouterr().err
        assert all(code in said for code in ("E0811", "E0401", "E0814"))

    def test_are_data(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """Under --json too."""
        network, wanted = files(tmp_path, "(assert (<= Z 1))")
        assert command("vnnlib", network, wanted, "--json") == 4
        assert json.loads(capsys.readouterr().out)["diagnostics"][0]["code"] == "E0811"

    def test_without_the_library_the_extra_is_named(self, tmp_path: Path) -> None:
        """Where `onnx` is not installed, the message says what to install."""
        network, wanted = files(tmp_path, "")
        script = "import sys; sys.modules['onnx'] = None\nfrom circ.runtime.cli import main; main()"
        words = [sys.executable, "-c", script, "vnnlib", str(network), str(wanted)]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        assert (done.returncode, "circ-lang[onnx]" in done.stderr) == (4, True)


def test_it_starts_without_torch_and_z3(tmp_path: Path) -> None:
    """A problem that bounds alone decide waits for neither."""
    network, wanted = files(tmp_path, "", ("1", "0"))
    script = (
        "import atexit, sys\n"
        "atexit.register(lambda: print({'torch', 'z3', 'onnxruntime'} & set(sys.modules)))\n"
        "from circ.runtime.cli import main; main()"
    )
    words = [sys.executable, "-c", script, "vnnlib", str(network), str(wanted)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0] == "unsat"
    assert done.stdout.splitlines()[-1] == "set()"


def two_boxes(folder: Path) -> Problem:
    """A problem of two boxes, in neither of which 4 is reached."""
    sought = "(assert (or (<= X_0 0) (>= X_0 0.5)))(assert (>= Y_0 4))"
    return read_problem(*files(folder, sought))


HELD = Holds("trying", ("luck",), Size(None, 2))


class TestEnginesAreNotTrusted:
    """What an engine reports as an input is replayed; what it leaves open stays open."""

    def found(self, folder: Path, *findings: Finding) -> object:
        """The answer where an engine finds this, box by box."""
        waiting = iter(findings)

        def decide(_o: Obligation, _w: Weights, _l: Limits, _p: Progress) -> Finding:
            return next(waiting)

        return answer(two_boxes(folder), Limits(), silent, decide)

    def test_all_boxes_must_hold(self, tmp_path: Path) -> None:
        """One open box is unknown, with its reason."""
        assert self.found(tmp_path, HELD, HELD) == Unsat(("trying",), ("luck",))
        stuck = Stuck("tired", "trying")
        assert self.found(tmp_path, HELD, stuck) == Undecided("tired")
        assert self.found(tmp_path, stuck, HELD) == Undecided("tired")

    @pytest.mark.parametrize("x", [(1, 1), (0, 0), (1, 2), (Fraction(1, 4), 2)])
    def test_a_false_input_is_unknown(self, x: tuple[Fraction, Fraction], tmp_path: Path) -> None:
        """One at which 4 is not reached, or that lies outside the box."""
        fails = Fails("trying", (), Size(None, 2), Witness(((INPUT, x),)))
        assert isinstance(self.found(tmp_path, fails, HELD), Undecided)

    def test_a_true_input_after_a_false_one_is_sat(self, tmp_path: Path) -> None:
        """A box that is left open does not hide what another has."""
        problem = read_problem(*files(tmp_path, "(assert (or (<= X_0 0) (>= X_0 0.5)))"))
        inputs = iter([(Fraction(9), Fraction(9)), (Fraction(2, 3), Fraction(1, 3))])

        def decide(_o: Obligation, _w: Weights, _l: Limits, _p: Progress) -> Finding:
            return Fails("trying", (), Size(None, 2), Witness(((INPUT, next(inputs)),)))

        found = answer(problem, Limits(), silent, decide)
        assert isinstance(found, Sat)
        # No decimal writes 2/3, so the input shown is a double beside it, replayed itself.
        assert found.inputs == (Fraction(2 / 3), Fraction(1 / 3))
        assert found.outputs == ((Fraction(2 / 3) + 2 * Fraction(1 / 3),) * 2,)


class Clock:
    """The time, as an engine uses it up."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """A clock that stands still but for what engines take."""
    found = Clock()
    monkeypatch.setattr("circ.runtime.standard.monotonic", found)
    return found


def test_a_hard_box_keeps_no_other_waiting(tmp_path: Path, clock: Clock) -> None:
    """The first box needs 60 of 100 seconds, and is stopped long before; the second one is asked about
    then, and the first again after it."""
    given = list[tuple[Fraction, float]]()

    def decide(o: Obligation, _w: Weights, limits: Limits, _p: Progress) -> Finding:
        (binder,) = o.binders
        assert isinstance(binder.values, Reals)
        first = binder.values.box[0][0]
        given.append((first, limits.timeout))
        if first > 0 or limits.timeout >= 60:
            return HELD
        clock.now += limits.timeout
        return Stuck("late", "trying")

    found = answer(two_boxes(tmp_path), Limits(timeout=100), silent, decide)
    assert found == Unsat(("trying",), ("luck",))
    assert [first for first, _ in given] == [-1, Fraction(1, 2), -1]
    assert given[0][1] < 15
    assert given[2][1] > 85


def test_a_box_that_stays_hard_is_unknown(tmp_path: Path, clock: Clock) -> None:
    """Time that was not enough twice is said once; an interrupt ends it at once."""

    def decide(_o: Obligation, _w: Weights, limits: Limits, _p: Progress) -> Finding:
        clock.now += limits.timeout
        return Stuck("late", "trying")

    problem = two_boxes(tmp_path)
    assert answer(problem, Limits(timeout=100), silent, decide) == Undecided("late")
    assert clock.now == 100

    def stopped(_o: Obligation, _w: Weights, _l: Limits, _p: Progress) -> Finding:
        clock.now += 1
        return Stuck("interrupted", "trying", interrupted=True)

    assert answer(problem, Limits(), silent, stopped) == Undecided("interrupted")
    assert clock.now == 101


def test_without_onnxruntime_a_note_stands_in_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is shown beside the exact value, and decides nothing."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    network, wanted = files(tmp_path, "")
    problem = read_problem(network, wanted)
    found = onnx_values.computed(network, problem.network, [Fraction(0), Fraction(0)])
    assert found == Missing("onnxruntime is not installed")

"""Vocabularies and data sets: files that are read, what they mean, and who notices that they change."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.driver import Program, check
from circ.compiler.lists import LARGEST
from circ.compiler.lower import environment
from circ.compiler.lower.environment import MOST_OPS
from circ.compiler.stored import Files
from circ.compiler.tensor import Tensor
from circ.compiler.verdict import Proved, Refuted, Vacuous, Verdict
from circ.lang.span import Source
from circ.runtime.patches.make import make_patch
from circ.runtime.patches.outcomes import PatchResult
from circ.runtime.prover import prove
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked
from tests.unit.kept import Desk, desk
from tests.unit.specs import Rows, command, save, stored, write_spec

__all__ = ["desk"]

LETTERS = "abc"
WORDS = """
enum Char from "vocab.json"
domain Data: Char[3] from "data.json"
circuit score(s: Char[3]) -> real = count { c in s | c == "a" } - count { c in s | c == s[2] } / 2
"""
ACTS = """
checkpoint m from "model.safetensors"
domain Acts: real[2] from "acts.safetensors"
circuit f(x: real[2]) -> real[2] = m.W @ x + m.b
claim bounded: forall x in Acts: f(x)[0] <= 3
claim ablated: forall x in { x: real[2] | 0 <= x <= 1 }:
  (f(x) do { x := mean([ y for y in Acts ]) })[0] <= 2.6
patch lower of f {
  edit    m.b
  require forall x in Acts: f(x)[0] <= 2.6
}
"""
ROWS = [[1.0, 0.5], [0.25, 1.0], [1.0, 0.5]]


def program(folder: Path, text: str, **files: object) -> Program:
    """A spec with its files of JSON, by the names of these without their ending."""
    for name, value in files.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return check(Source(str(folder / "spec.circ"), text), Files(folder), {})


def codes(folder: Path, text: str) -> set[str]:
    """The codes of what is wrong with a spec."""
    return {found.code for found in program(folder, text).diagnostics}


def verdict(p: Program, name: str) -> Verdict:
    """What is said of a claim."""
    assert not p.diagnostics.failed, [d.headline for d in p.diagnostics]
    return prove(p.claim(name), p.weights)


class TestHostileFiles:
    """A file of JSON is untrusted: whatever it holds is a diagnostic or a list."""

    @pytest.mark.parametrize("text", ["[" * 200_000, '{"a":' * 200_000, "[" + "1" * 10_000 + "]"])
    def test_depth_and_length(self, text: str, tmp_path: Path) -> None:
        """Lists far inside one another, and numbers that are far too long, are refused."""
        (tmp_path / "vocab.json").write_text(text)
        assert codes(tmp_path, 'enum Char from "vocab.json"') == {"E0416"}

    def test_size(self, tmp_path: Path) -> None:
        """So is what is too large to be read."""
        (tmp_path / "vocab.json").write_bytes(b" " * (LARGEST + 1))
        assert codes(tmp_path, 'enum Char from "vocab.json"') == {"E0416"}

    def test_other_bytes(self, tmp_path: Path) -> None:
        """And what is no UTF-8."""
        (tmp_path / "vocab.json").write_bytes(b'["\xff"]')
        assert codes(tmp_path, 'enum Char from "vocab.json"') == {"E0416"}

    @given(
        value=st.recursive(
            st.none()
            | st.booleans()
            | st.integers(-2, 4)
            | st.floats()
            | st.text("ab\ud800", max_size=3),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("ab"), inner),
            max_leaves=12,
        )
    )
    @settings(max_examples=200, deadline=None)
    def test_anything_else(self, value: object, tmp_path_factory: pytest.TempPathFactory) -> None:
        """What is no vocabulary has a code of its own, and so has what is no data set."""
        folder = tmp_path_factory.mktemp("spec")
        p = program(folder, 'enum Char from "any.json"', any=value)
        assert {found.code for found in p.diagnostics} <= {"E0415", "E0416"}
        text = "enum Char = { a, b }\n" + 'domain D: Char[2] from "any.json"'
        assert {found.code for found in program(folder, text).diagnostics} <= {"E0416", "E0418"}


class TestMeaning:
    """A data set is its rows, in their order, each as often as it stands there."""

    @given(
        rows=st.lists(st.text(LETTERS, min_size=3, max_size=3), min_size=1, max_size=7),
        order=st.permutations(LETTERS),
        bound=st.integers(-2, 5),
    )
    @settings(max_examples=40, deadline=None)
    def test_it_is_that_of_the_rows_one_by_one(
        self,
        rows: list[str],
        order: list[str],
        bound: int,
        tmp_path_factory: pytest.TempPathFactory,
    ) -> None:
        """Claims, counts, comprehensions and means agree with Python, whatever the codes of letters."""
        scores = [Fraction(row.count("a")) - Fraction(row.count(row[2]), 2) for row in rows]
        wanted, met = Fraction(bound, 2), sum(score <= Fraction(bound, 2) for score in scores)
        listed = ", ".join(f"{score.numerator} / {score.denominator}" for score in scores)
        p = program(
            tmp_path_factory.mktemp("spec"),
            f"""{WORDS}
            claim all_of: forall s in Data: score(s) <= {wanted.numerator} / {wanted.denominator}
            claim some:   exists s in Data: score(s) <= {wanted.numerator} / {wanted.denominator}
            claim narrow: forall s in {{ s in Data | score(s) > {wanted} }}: score(s) <= {wanted}
            claim number: count {{ s in Data | score(s) <= {wanted} }} == {met} and count {{ s in Data }} == {len(rows)}
            claim listed: [ score(s) for s in Data ] == [{listed}]
            claim means:  mean([ score(s) for s in Data ]) == {sum(scores)} / {len(rows)}
            claim inside: forall t in Data: count {{ s in Data | s == t }} >= 1
            """,
            vocab={letter: code for code, letter in enumerate(order)},
            data=rows,
        )
        whole = verdict(p, "all_of")
        assert isinstance(whole, Proved if met == len(rows) else Refuted)
        assert whole.size.exact == len(rows)
        if isinstance(whole, Refuted):
            assert whole.count == len(rows) - met
        assert isinstance(verdict(p, "some"), Proved if met else Refuted)
        assert isinstance(verdict(p, "narrow"), Vacuous if met == len(rows) else Refuted)
        for name in ("number", "listed", "means", "inside"):
            assert isinstance(verdict(p, name), Proved), name

    def test_rows_of_tensors_are_the_rationals_that_they_denote(self, tmp_path: Path) -> None:
        """A third that is stored is not a third, and the mean of stored numbers is exact."""
        values = np.array([[1 / 3, 0.1], [0.7, -0.3]], np.float32)
        save({"only": values.tolist()}, tmp_path / "acts.safetensors", np.float32)
        first, third = Fraction(float(values[0, 0])), Fraction(float(values[1, 0]))
        mean = (first + third) / 2
        p = program(
            tmp_path,
            f"""domain Acts: real[2] from "acts.safetensors"
            claim third:   exists x in Acts: x[0] == 1 / 3
            claim stored:  exists x in Acts: x[0] == {first.numerator} / {first.denominator}
            claim exactly: mean([ x[0] for x in Acts ]) == {mean.numerator} / {mean.denominator}
            """,
        )
        assert isinstance(verdict(p, "third"), Refuted)
        assert isinstance(verdict(p, "stored"), Proved)
        assert isinstance(verdict(p, "exactly"), Proved)

    def test_an_input_that_is_found_is_the_row(self, tmp_path: Path) -> None:
        """A session gives the row its name, not the number of it."""
        save({"only": ROWS}, tmp_path / "acts.safetensors", np.float32)
        spec = tmp_path / "spec.circ"
        (tmp_path / "data.json").write_text('["aab", "cba"]')
        (tmp_path / "vocab.json").write_text('["c", "b", "a"]')
        spec.write_text(f'{WORDS}domain Acts: real[2] from "acts.safetensors"\n')
        session = Session(spec, Request(), checked(spec, Request()))
        session.run('find s in Data, x in Acts where s[0] == "c" and x[0] < 1')
        assert "[c, b, a]" in session.run("s")
        assert "[0.25, 1]" in session.run("x")

    @pytest.mark.parametrize("most", [1000, pytest.param(MOST_OPS, marks=pytest.mark.slow)])
    def test_too_much_to_go_over_is_told(
        self, most: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A mean that would take too large a circuit is an error, and no crash."""
        monkeypatch.setattr(environment, "MOST_OPS", most)
        rows = [[k % 3 for _ in range(30)] for k in range(most * 4 // 50)]
        text = """domain Data: fin[3, 30] from "data.json"
        circuit f(s: fin[3, 30]) -> real = sum([ [1, 2, 4][c] * [3, 5, 6][c] for c in s ])
        claim c: mean([ f(s) for s in Data ]) >= 1
        """
        found = program(tmp_path, text, data=rows).diagnostics
        assert {d.code for d in found} == {"E0222"}


class TestWhoNotices:
    """What a file says is a part of the question: a changed one asks another."""

    def write(self, folder: Path) -> Path:
        """A spec about rows of a tensor."""
        save({"only": ROWS}, folder / "acts.safetensors", np.float32)
        weights: dict[str, Rows] = {"W": [[1.0, 2.0], [-1.0, 0.5]], "b": [0.5, 0.0]}
        return write_spec(folder, ACTS, weights)

    def test_certificates(self, tmp_path: Path) -> None:
        """A proof about other rows is no proof; one about the same rows is."""
        spec, proofs = self.write(tmp_path), tmp_path / "proofs"
        assert command("prove", spec, "bounded", "--certificate", proofs) == 0
        assert command("audit", spec, proofs) == 0
        save({"only": [*ROWS[:2], [1.0, 0.75]]}, tmp_path / "acts.safetensors", np.float32)
        assert command("audit", spec, proofs) == 1
        save({"only": ROWS}, tmp_path / "acts.safetensors", np.float32)
        assert command("audit", spec, proofs) == 0

    def test_kept_verdicts(self, desk: Desk) -> None:
        """A verdict is found again for the same words and vocabulary, and for no others."""
        folder = desk.spec.parent
        text = f'{WORDS}claim few: forall s in Data: s[0] == "a" or s[0] == "b"\n'
        desk.spec.write_text(text)

        def proved(vocab: object, data: object) -> int:
            (folder / "vocab.json").write_text(json.dumps(vocab))
            (folder / "data.json").write_text(json.dumps(data))
            return command("prove", desk.spec, "few")

        assert proved(["a", "b", "c"], ["abc", "bbb"]) == 0
        assert proved(["a", "b", "c"], ["abc", "bbb"]) == 0
        assert desk.decided == ["few"]
        assert proved(["a", "b", "c"], ["abc", "cbb"]) == 1
        assert proved(["c", "b", "a"], ["abc", "bbb"]) == 0
        assert desk.decided == ["few"] * 3

    def test_receipts(self, tmp_path: Path) -> None:
        """A receipt names the data that a patch was proved on, by the hash of its file."""
        spec = self.write(tmp_path)
        assert command("patch", spec, "lower") == 0
        written = tmp_path / "model.lower.safetensors"
        receipt = cast(
            "dict[str, list[object]]",
            json.loads((tmp_path / f"{written.name}.receipt.json").read_text()),
        )
        assert [cast("dict[str, str]", mark)["path"] for mark in receipt["used"]] == [
            "acts.safetensors"
        ]
        assert max(row @ [1.0, 2.0] for row in np.array(ROWS)) + stored(written)["b"][0] <= 2.6

    def test_rows_that_change_while_a_patch_is_made(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Nothing is written, since what was proved is not about the file that is there."""
        spec = self.write(tmp_path)

        def meanwhile(*given: Any) -> PatchResult:
            found = make_patch(*given)
            save({"only": [*ROWS, [5.0, 5.0]]}, tmp_path / "acts.safetensors", np.float32)
            return found

        monkeypatch.setattr("circ.runtime.commands.patch.make_patch", meanwhile)
        assert command("patch", spec, "lower") == 4
        assert "E0652" in capsys.readouterr().err
        assert not (tmp_path / "model.lower.safetensors").exists()

    def test_the_file_is_not_written_over(self, tmp_path: Path) -> None:
        """What was read is no place for what is written."""
        spec = self.write(tmp_path)
        code = command("patch", spec, "lower", "--out", tmp_path / "acts.safetensors", "--force")
        assert code == 4

    def test_weights_may_be_of_other_formats(self, tmp_path: Path) -> None:
        """Rows are read as they are stored, whatever the checkpoint's own format is."""
        spec = self.write(tmp_path)
        save({"only": ROWS}, tmp_path / "acts.safetensors", np.float64)
        assert command("prove", spec, "bounded", "ablated") == 0


def test_rows_are_a_tensor_of_the_checkpoint_that_their_file_is(tmp_path: Path) -> None:
    """They have a key like any other, by which they are hashed."""
    save({"only": ROWS}, tmp_path / "acts.safetensors", np.float32)
    p = program(
        tmp_path, 'domain Acts: real[2] from "acts.safetensors"\nclaim c: forall x in Acts: x <= 1'
    )
    assert p.claim("c").circuit.weights == ("Acts/only",)
    assert isinstance(p.weights["Acts/only"], Tensor)

"""`circ diff`: what differs between two checkpoints, and whether a circuit decides alike with both."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import safetensors.numpy as library

from circ.compiler.driver import Program
from circ.compiler.finding import Limits, Progress
from circ.compiler.verdict import Refuted, Size
from circ.runtime.cache.recall import Answered
from circ.runtime.commands import diff
from circ.runtime.differences import Compared
from tests.unit.specs import Rows, command, save

SPEC = """
enum Char = { a, b, c }
checkpoint m from "model.safetensors" { W: real[Char, 3] }
circuit embed(s: Char[4]) -> real[3] = m.E[s[0]] + m.E[s[1]] + m.E[s[2]] + m.E[s[3]]
circuit model(s: Char[4]) -> real[Char] = m.W @ embed(s)
domain Words = { s: Char[4] }
domain Starts = { s: Char[4] | s[0] == a and s[1] == a }
domain Box = { x: real[3] | -1 <= x <= 1 }
"""

OLD: dict[str, Rows] = {
    "E": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]],
    "W": [[1.0, 0.0, 0.25], [0.0, 1.13, 0.0], [0.0, 0.0, 1.27]],
    "unread": [1.0, 2.0],
}


def moved(row: int, column: int, by: float) -> dict[str, Rows]:
    """The checkpoint with one entry of `W` changed."""
    changed = np.array(OLD["W"])
    changed[row, column] += by
    return {**OLD, "W": cast("Rows", changed.tolist())}


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path, Path]:
    """An old and a new checkpoint, the same as yet, and a spec of both."""
    old, new, spec = (tmp_path / name for name in ("old.safetensors", "new.safetensors", "s.circ"))
    save(OLD, old, np.float32)
    save(OLD, new, np.float32)
    save(OLD, tmp_path / "model.safetensors", np.float32)
    spec.write_text(SPEC)
    return old, new, spec


def decisions(weights: dict[str, Rows]) -> dict[tuple[int, ...], int]:
    """What numpy decides of each word."""
    embed, read = (np.array(weights[name], dtype=np.float32).astype(float) for name in "EW")
    words = np.ndindex(3, 3, 3, 3)
    return {word: int(np.argmax(read @ embed[list(word)].sum(0))) for word in words}


def answered(capsys: pytest.CaptureFixture[str], *words: str | Path) -> tuple[int, dict[str, Any]]:
    """The exit code, and what `--json` says."""
    capsys.readouterr()
    code = command("diff", *words, "--json")
    return code, cast("dict[str, Any]", json.loads(capsys.readouterr().out))


def test_tensors_that_differ_are_told(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """By how many entries, and how far; without a spec nothing else is asked."""
    old, new, _ = files
    assert answered(capsys, old, new)[0] == 0
    save({**moved(0, 2, 0.5), "unread": [1.0], "more": [1.0]}, new, np.float32)
    code, found = answered(capsys, old, new)
    assert code == 1
    kinds = {t["name"]: (t["entries"], t["l2"], t["kind"]) for t in found["tensors"]}
    assert kinds == {
        "W": (1, 0.5, ""),
        "more": (0, 0.0, "only in the new one"),
        "unread": (0, 0.0, "[2] F32, now [1] F32"),
    }


def told(
    capsys: pytest.CaptureFixture[str], folder: Path, **both: tuple[Any, Any]
) -> dict[str, dict[str, Any]]:
    """What is said of tensors, by name, from what they are in both files."""
    for k, name in enumerate(("a", "b")):
        arrays = {key: np.asarray(pair[k]) for key, pair in both.items()}
        path = folder / f"{name}.safetensors"
        library.save_file(arrays, path)  # pyright: ignore[reportUnknownMemberType]
    _, found = answered(capsys, folder / "a.safetensors", folder / "b.safetensors")
    return {tensor["name"]: tensor for tensor in found["tensors"]}


def test_tensors_of_other_formats_are_compared_by_their_bytes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is no float has no norm; it is the same or it is not, and the others are told all the same."""
    found = told(
        capsys,
        tmp_path,
        ids=(np.array([1, 2]), np.array([1, 3])),
        mask=(np.array([True]), np.array([True])),
        w=(np.array([1, 2], np.float16), np.array([1, 4], np.float16)),
    )
    assert {name: each["kind"] for name, each in found.items()} == {
        "ids": "other entries, [2] I64",
        "w": "",
    }
    assert (found["w"]["entries"], found["w"]["size"], found["w"]["l2"]) == (1, 2, 2.0)


def test_a_sign_of_zero_is_a_difference(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The files are not the same, though all numbers are."""
    found = told(
        capsys, tmp_path, z=(np.array([0.0, 1], np.float32), np.array([-0.0, 1], np.float32))
    )
    assert found["z"]["kind"] == "the same numbers, other signs of zero"


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_norms_are_those_of_numpy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], dtype: type[np.floating[Any]]
) -> None:
    """Of all entries, however many parts a tensor is read in."""
    rng = np.random.default_rng(0)
    before = rng.normal(size=(1100, 1000)).astype(dtype)
    after = np.where(rng.random(before.shape) < 0.01, before + dtype(1), before).astype(dtype)
    found = told(capsys, tmp_path, w=(before, after))["w"]
    steps = after.astype(float) - before.astype(float)
    assert (found["entries"], found["size"]) == (np.count_nonzero(steps), steps.size)
    assert found["l2"] == pytest.approx(np.linalg.norm(steps), rel=1e-9)
    assert found["linf"] == np.abs(steps).max()


@pytest.mark.parametrize("far", [[-1.7e308, 0.0], [np.nan, 0.0]])
def test_what_no_double_holds_has_no_norm(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], far: list[float]
) -> None:
    """It is null, as JSON has no infinity; and told in words."""
    found = told(capsys, tmp_path, w=(np.array(far), np.array([1.7e308, 1.0])))["w"]
    assert (found["entries"], found["l2"], found["linf"]) == (2, None, None)
    assert command("diff", tmp_path / "a.safetensors", tmp_path / "b.safetensors") == 1
    assert "largest beyond all doubles" in capsys.readouterr().out


def test_a_spec_need_not_have_its_checkpoint(files: tuple[Path, Path, Path]) -> None:
    """The newer file stands for it from the beginning."""
    old, new, spec = files
    spec.with_name("model.safetensors").unlink()
    assert command("diff", old, new, "--spec", spec, "--on", "Words") == 0


def test_what_fits_alone_need_not_be_named(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """A domain whose inputs the circuit does not take is none that could be meant."""
    old, new, spec = files
    spec.write_text("\n".join(line for line in SPEC.splitlines() if "Starts" not in line))
    code, found = answered(capsys, old, new, "--spec", spec)
    assert (code, found["circuit"], found["domain"]) == (0, "model", "Words")


@pytest.mark.parametrize(
    "words",
    [
        ("--on", "Words"),
        ("--of", "model"),
        ("--in", "m"),
        ("--within", "0.1"),
        ("--param", "eps=1"),
        ("--checkpoint", "m=x.safetensors"),
        ("--allow-outside",),
    ],
)
def test_without_a_spec_nothing_is_said_of_one(
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
) -> None:
    """A setting that would be ignored is an error."""
    old, new, _ = files
    assert command("diff", old, new, *words) == 4
    assert "--spec" in capsys.readouterr().err


CHANGES = [(0, 2, 0.0), (0, 1, -0.5), (2, 2, 0.75), (0, 2, 0.0625), (1, 0, -0.5), (2, 1, 1.5)]
"""Entries of `W`, and by how much they change."""


def test_some_changes_change_decisions_and_some_do_not() -> None:
    """So that both answers are seen below."""
    same = [decisions(moved(*change)) == decisions(OLD) for change in CHANGES]
    assert same == [True, True, True, False, False, False]


@pytest.mark.parametrize(("row", "column", "by"), CHANGES)
def test_decisions_are_those_of_every_word(
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    row: int,
    column: int,
    by: float,
) -> None:
    """Alike where numpy finds no word that is decided otherwise; else their number, and one of them."""
    old, new, spec = files
    save(moved(row, column, by), new, np.float32)
    before, after = decisions(OLD), decisions(moved(row, column, by))
    changed = {word for word in before if before[word] != after[word]}
    code, found = answered(capsys, old, new, "--spec", spec, "--on", "Words")
    assert code == (1 if changed else 0)
    assert found["circuit"] == "model"
    if changed:
        assert found["decisions"]["count"] == len(changed)
        word = found["decisions"]["example"]["input"]["s"]
        assert tuple("abc".index(letter) for letter in word) in changed


def test_a_change_outside_the_domain_is_none_on_it(files: tuple[Path, Path, Path]) -> None:
    """Words that start with `a`, `a` keep their decision; not all words do."""
    old, new, spec = files
    change = moved(1, 2, 1.0)
    before, after = decisions(OLD), decisions(change)
    changed = {word for word in before if before[word] != after[word]}
    assert changed and all(word[:2] != (0, 0) for word in changed)
    save(change, new, np.float32)
    words = ("diff", old, new, "--spec", spec)
    assert command(*words, "--on", "Words") == 1
    assert command(*words, "--on", "Starts") == 0


def test_numbers_may_be_compared(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Within what is said: four letters of the vocabulary move the score by at most four times the change. That is no
    word on what is decided.
    """
    old, new, spec = files
    save(moved(0, 2, 0.5), new, np.float32)
    words = ("diff", old, new, "--spec", spec, "--on", "Words", "--within")
    assert command(*words, "2") == 0
    assert command(*words, "1.99") == 1
    assert command(*words, "5999999/3000000") == 1
    said = capsys.readouterr().out
    assert "gives values within 2 of each other with both" in said
    assert "does not give values within 1.99 of each other" in said
    assert "decide" not in said


@pytest.mark.parametrize("word", ["0 or 1 > 0", "1\nclaim more: 0 < 1", "-1", "nan", "1/0", ""])
def test_a_tolerance_is_a_number(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], word: str
) -> None:
    """What is no number, or one below 0, is an error, and never a part of the claim."""
    old, new, spec = files
    save(moved(0, 2, 0.5), new, np.float32)
    capsys.readouterr()
    assert command("diff", old, new, "--spec", spec, "--on", "Words", "--within", word) == 4
    assert "E0702" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((), "E0711"),
        (("--on", "Nowhere"), "E0703"),
        (("--of", "none"), "E0703"),
        (("--in", "n"), "E0703"),
        (("--of", "model", "--on", "Box"), "E0201"),
    ],
)
def test_what_is_compared_is_said(
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
    code: str,
) -> None:
    """What the spec has several of, or none, is an error that says so."""
    old, new, spec = files
    capsys.readouterr()
    assert command("diff", old, new, "--spec", spec, *words) == 4
    assert code in capsys.readouterr().err


def test_a_domain_that_reads_the_checkpoint_is_refused(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """It would be other inputs with each; so would a second checkpoint of the same file be left as it is."""
    old, new, spec = files
    text = SPEC + "domain Open = { s: Char[4] | embed(s)[0] >= 2 }\n"
    spec.write_text(text)
    words = ("diff", old, new, "--spec", spec, "--of", "model", "--on")
    assert command(*words, "Words") == 0
    assert command(*words, "Open") == 4
    spec.write_text(text + 'checkpoint n from "model.safetensors"\n')
    assert command(*words, "Words", "--in", "m") == 4
    assert capsys.readouterr().err.count("E0712") == 2


@pytest.mark.parametrize("spelling", ["new", "./new", "../{folder}/new", "link", "copy", "old"])
def test_another_checkpoint_in_the_same_file_is_refused(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str], spelling: str
) -> None:
    """However a spec writes its name, a link and a copy among them: the circuit would read it on both sides."""
    old, new, spec = files
    save({**OLD, "E": [[0.0] * 3] * 3}, old, np.float32)
    (new.parent / "link.safetensors").symlink_to(new.name)
    (new.parent / "copy.safetensors").write_bytes(new.read_bytes())
    second = spelling.format(folder=new.parent.name)
    text = SPEC.replace("model.safetensors", "new.safetensors").replace("= m.W @", "= n.W @")
    spec.write_text(f'{text}checkpoint n from "{second}.safetensors"\n')
    words = ("diff", old, new, "--spec", spec, "--of", "model", "--on", "Words", "--in", "m")
    assert command(*words) == 4
    assert "error[E0712]: `n` reads `m`, too" in capsys.readouterr().err


def test_another_checkpoint_that_is_another_file_may_be_read(
    files: tuple[Path, Path, Path],
) -> None:
    """Neither of the two that are compared, it is the same on both sides by right."""
    old, new, spec = files
    save(moved(1, 2, 1.0), new.parent / "other.safetensors", np.float32)
    text = SPEC.replace("= m.W @", "= n.W @")
    spec.write_text(f'{text}checkpoint n from "other.safetensors"\n')
    words = ("diff", old, new, "--spec", spec, "--of", "model", "--on", "Words", "--in", "m")
    assert command(*words) == 0


# --- time -----------------------------------------------------------------------------------


def test_what_is_not_compared_in_time_is_said(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """Without a spec, too: nothing is known of tensors that were not read, and the code is 2."""
    old, new, _ = files
    assert command("diff", old, new, "--timeout", "0") == 2
    assert "0 tensors differ, 3 not compared" in capsys.readouterr().out
    code, data = answered(capsys, old, new, "--timeout", "0")
    assert (code, [each["known"] for each in data["tensors"]]) == (2, [False] * 3)
    save(OLD | {"more": [1.0]}, new, np.float32)
    assert command("diff", old, new, "--timeout", "0") == 1


def timed(monkeypatch: pytest.MonkeyPatch, *moments: float) -> list[float]:
    """Let the command see these moments, and give the limits with which it counts."""
    clock, given = iter(moments), list[float]()

    def counting(_asked: Compared, limits: Limits) -> None:
        given.append(limits.timeout)

    monkeypatch.setattr(diff, "monotonic", lambda: next(clock))
    monkeypatch.setattr(diff, "number_changed", counting)
    monkeypatch.setattr(diff, "Claims", Refuting)
    return given


@dataclass
class Refuting:
    """Claims of which each is refuted, without a number of failing inputs."""

    program: Program
    limits: Limits

    def answer(self, name: str, _move: Progress) -> Answered:
        """The verdict."""
        shown = self.program.question(name).at(None)
        return Answered(shown, Refuted("a guess", (), Size(None), None), 0.0)


def test_deciding_and_counting_share_the_time(
    files: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of 10 s, of which comparing and deciding took 7, counting has 3."""
    old, new, spec = files
    given = timed(monkeypatch, 0.0, 1.0, 7.0)
    words = "diff", old, new, "--spec", spec, "--on", "Words", "--timeout", "10"
    assert command(*words, "--of", "model") == 1
    assert given == [3.0]


def test_nothing_is_counted_when_the_time_is_up(
    files: tuple[Path, Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was refuted with the last of the time is told without a number."""
    old, new, spec = files
    given = timed(monkeypatch, 0.0, 1.0, 10.0)
    words = "diff", old, new, "--spec", spec, "--on", "Words", "--timeout", "10"
    assert command(*words, "--of", "model") == 1
    assert given == []


def test_what_is_shown_is_in_words_of_the_spec(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """The circuit's own parameter, and `old` as in a patch: nothing that the spec does not have, in JSON neither."""
    old, new, spec = files
    save(moved(2, 2, -1.0), new, np.float32)
    words = "diff", old, new, "--spec", spec, "--on", "Words", "--of", "model"
    assert command(*words) == 1
    said = capsys.readouterr().out
    assert "    s = [" in said
    assert "argmax(model(s)) = " in said
    assert "argmax(old model(s)) = " in said
    command(*words, "--json")
    assert "before" not in said + capsys.readouterr().out


def test_as_many_inputs_are_listed_as_are_asked_for(
    files: tuple[Path, Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    """As of a claim, by `--list`."""
    old, new, spec = files
    save(moved(2, 2, -1.0), new, np.float32)
    listed = list[int]()
    for number in ("0", "3"):
        words = ("diff", old, new, "--spec", spec, "--on", "Words", "--list", number)
        assert command(*words) == 1
        listed.append(capsys.readouterr().out.count("    also s = ["))
    assert listed == [0, 3]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"unread": [1.0]}, "`unread` is [2] in the older file, and [1] in the newer"),
        ({"more": [1.0]}, "`more` is none in the older file, and [1] in the newer"),
    ],
)
def test_other_tensors_are_told(
    files: tuple[Path, Path, Path],
    capsys: pytest.CaptureFixture[str],
    changed: dict[str, Rows],
    said: str,
) -> None:
    """One file stands in the place of the other, so that all tensors are there in both, as wide; at the spec's own lines."""
    old, new, spec = files
    save(OLD | changed, new, np.float32)
    assert command("diff", old, new, "--spec", spec, "--on", "Words", "--of", "model") == 4
    told = capsys.readouterr().err
    assert "E0713" in told
    assert said in told
    assert command("diff", old, new) == 1

"""The command line: exit codes, bad input, files left whole."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.finding import MORE_TIME
from circ.runtime import cli
from circ.runtime.any_length import FEWER_LENGTHS
from circ.runtime.engines.classes import FEWER_WORDS
from circ.runtime.patches.receipt import receipt_path
from tests.unit.specs import DETECTOR, WEIGHTS, command, save, stored, write_spec


def digest(path: Path) -> str:
    """The hash of a file."""
    return sha256(path.read_bytes()).hexdigest()


class TestExitCodes:
    """0 as claimed, 1 refuted, 2 unknown, 3 vacuous, 4 a wrong input, 5 a bug."""

    def test_proved_is_0(self, tmp_path: Path) -> None:
        """A claim that holds on its whole box."""
        assert command("prove", write_spec(tmp_path), "bounded") == 0

    def test_refuted_is_1(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A claim that fails comes back with an input at which PyTorch fails too."""
        assert command("prove", write_spec(tmp_path), "negative", "--json") == 1
        (claim,) = json.loads(capsys.readouterr().out)["claims"]
        assert claim["verdict"] == "refuted"
        assert claim["example"]["exact"] is True
        assert claim["example"]["torch"] is True

    def test_the_worst_claim_decides(self, tmp_path: Path) -> None:
        """One refuted claim among proved ones is what the exit code tells."""
        assert command("prove", write_spec(tmp_path)) == 1

    def test_expected_refutation_is_0(self, tmp_path: Path) -> None:
        """`expects refuted` turns refuted into success, and proved into failure."""
        text = DETECTOR.replace("claim negative", "claim negative expects refuted")
        assert command("prove", write_spec(tmp_path, text), "negative") == 0
        text = DETECTOR.replace("claim bounded", "claim bounded expects refuted")
        assert command("prove", write_spec(tmp_path, text), "bounded") == 1

    def test_unknown_is_2(self, tmp_path: Path) -> None:
        """No time at all leaves a true claim undecided."""
        assert command("prove", write_spec(tmp_path), "bounded", "--timeout", "0") == 2

    @pytest.mark.parametrize("condition", ["x[0] > 1", "x[0] + x[1] > 3", "x[0] < 0 and x[0] > 0"])
    def test_an_empty_domain_is_3(self, tmp_path: Path, condition: str) -> None:
        """A claim about no input is vacuous, never proved."""
        text = DETECTOR.replace("-1 <= x <= 1", f"-1 <= x <= 1 and {condition}")
        assert command("prove", write_spec(tmp_path, text), "bounded") == 3

    def test_contradictory_assumptions_are_3(self, tmp_path: Path) -> None:
        """A `where` that nothing meets is vacuous too."""
        text = DETECTOR.replace(
            "in Box: f(x)[0]", "in Box where x[0] > x[1] and x[1] > x[0]: f(x)[0]"
        )
        assert command("prove", write_spec(tmp_path, text), "bounded") == 3

    def test_a_bug_is_5(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """An exception that nobody expected is declared ours, without a traceback."""

        def fail(*_: object) -> int:
            raise ZeroDivisionError

        monkeypatch.setattr("circ.runtime.commands.check.run_check", fail)
        assert command("check", write_spec(tmp_path)) == 5

    def test_ctrl_c_is_2(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Ctrl-C while an engine works gives an unknown verdict."""

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("circ.runtime.engines.boxes.decided", interrupt)
        assert command("prove", write_spec(tmp_path), "bounded") == 2


class TestBadInput:
    """Each bad input has a code of its own and exit code 4; nothing ends in a traceback."""

    def refused(self, spec: Path, capsys: pytest.CaptureFixture[str]) -> str:
        """What `check` says of a spec that it refuses."""
        assert command("check", spec) == 4
        return capsys.readouterr().err

    def test_a_missing_spec(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """There is nothing to check."""
        assert "E0701" in self.refused(tmp_path / "none.circ", capsys)

    def test_text_that_is_not_utf8(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The offset of the first bad byte is named."""
        spec = write_spec(tmp_path)
        spec.write_bytes(b"# caf\xe9\n")
        assert "not UTF-8" in self.refused(spec, capsys)

    def test_a_truncated_checkpoint(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Half a file is refused before anything reads it."""
        spec = write_spec(tmp_path)
        model = tmp_path / "model.safetensors"
        model.write_bytes(model.read_bytes()[:-8])
        assert "E0406" in self.refused(spec, capsys)

    def test_a_foreign_checkpoint(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A file of another format."""
        spec = write_spec(tmp_path)
        (tmp_path / "model.safetensors").write_bytes(b"GGUF" + bytes(100))
        assert "E0405" in self.refused(spec, capsys)

    def test_a_wrong_tensor_name(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The names that the file does have are near."""
        spec = write_spec(tmp_path, DETECTOR.replace("m.W @", "m.Wx @"))
        assert "no tensor `Wx`" in self.refused(spec, capsys)

    def test_a_wrong_shape(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A product that does not fit is a type error with both shapes."""
        spec = write_spec(tmp_path, weights={**WEIGHTS, "W": [[1.0, 2.0, 3.0]]})
        assert "real[1, 3]" in self.refused(spec, capsys)

    @pytest.mark.parametrize("bad", [float("nan"), float("inf")])
    def test_weights_that_are_no_numbers(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: float
    ) -> None:
        """Proving with them would prove nothing."""
        spec = write_spec(tmp_path, weights={**WEIGHTS, "b": [bad, 0.0]})
        assert command("prove", spec, "bounded") == 4
        assert "E0410" in capsys.readouterr().err

    def test_an_unbounded_domain(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """It is named at the binder, with the entry and the side."""
        spec = write_spec(tmp_path, DETECTOR.replace("-1 <= x <= 1", "x <= 1"))
        assert "E0301" in self.refused(spec, capsys)

    def test_a_setting_of_something_else(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A checkpoint is no param, whatever it is set to."""
        spec = write_spec(tmp_path)
        assert command("check", spec, "--param", "m=3") == 4
        assert "E0703" in capsys.readouterr().err

    def test_a_file_named_by_hand_that_is_not_there(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The error points at the command line, not at the spec."""
        spec = write_spec(tmp_path)
        assert command("check", spec, "--checkpoint", "m=missing") == 4
        assert "--> --checkpoint:1:3" in capsys.readouterr().err

    def test_an_entry_that_a_file_named_by_hand_contradicts(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The file that was read is the one that is named."""
        entry = 'safetensors" {\n  b: real[2]\n}'
        spec = write_spec(tmp_path, DETECTOR.replace('safetensors"', entry))
        other = tmp_path / "other.safetensors"
        save({**WEIGHTS, "b": [0.0, 0.0, 0.0]}, other, np.float32)
        assert command("check", spec, "--checkpoint", f"m={other}") == 4
        assert f"but `{other}` stores `real[3]`" in capsys.readouterr().err

    def test_a_claim_that_is_not_there(self, tmp_path: Path) -> None:
        """The claims that are there are listed."""
        assert command("prove", write_spec(tmp_path), "nothing") == 4

    def test_a_path_that_leaves_the_folder(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A spec reads only beside itself, unless the command line allows more."""
        inner = tmp_path / "inner"
        inner.mkdir()
        write_spec(tmp_path)
        text = DETECTOR.replace('"model.', '"../model.')
        spec = inner / "spec.circ"
        spec.write_text(text)
        assert "E0411" in self.refused(spec, capsys)
        assert command("check", spec, "--allow-outside") == 0

    def test_an_unknown_option_is_usage(self, tmp_path: Path) -> None:
        """So says click, and so says the exit code."""
        assert command("prove", write_spec(tmp_path), "--nonsense") == 4


class TestOtherClaims:
    """An error within one claim or patch is no error for those who ask about another."""

    @pytest.mark.parametrize(
        ("bad", "of_all"),
        [
            ("claim bad: forall x in Box: f(x)[0] <= lost", 4),  # seen by the checker
            ("claim bad: forall x in Box: 1 / f(x)[0] <= 3", 4),  # seen when it is lowered
            ("patch bad of f {\n edit m.lost\n require forall x in Box: f(x) <= 9\n}", 1),
        ],
    )
    def test_what_is_not_asked_for_is_a_warning(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: str, of_all: int
    ) -> None:
        """The claim that is named is decided; whoever asks for all of them is refused.

        A patch is written only where nothing is wrong anywhere.
        """
        spec = write_spec(tmp_path, f"{DETECTOR}\n{bad}\n")
        assert command("check", spec) == 4
        assert command("prove", spec) == of_all
        assert command("prove", spec, "bad") == 4
        assert command("run", spec, "f([1, 1])") == 0
        assert command("patch", spec, "sink", "--out", tmp_path / "out.safetensors") == 4
        capsys.readouterr()
        assert command("prove", spec, "bounded") == 0
        assert re.match(r"warning\[E\d+\]", capsys.readouterr().err)

    def test_only_what_is_asked_for_is_in_the_way(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Of two claims with errors those of the one that is named are told; both of all, each once."""
        name = "claim {0}: forall x in Box: f(x)[0] <= {0}_lost"
        spec = write_spec(tmp_path, "\n".join([DETECTOR, *map(name.format, ("one", "two"))]))
        for asked, told in ((["one"], ["one"]), (["two"], ["two"]), ([], ["one", "two"])):
            assert command("prove", spec, *asked) == 4
            found = re.findall(r"error\[E0101\]: `(\w+)_lost`", capsys.readouterr().err)
            assert found == told

    @pytest.mark.parametrize(
        "bad",
        [
            "domain Other = { x: real[2] | x <= lost }",
            "circuit g(x: real) -> real = lost",
            "claim bad: forall x in Box: (f(x)[0] <= 3",
            "claim bounded: forall x in Box: f(x)[0] <= 9",
            'checkpoint n from "missing.safetensors"',
        ],
    )
    def test_what_others_may_rest_on_stops_all(self, tmp_path: Path, bad: str) -> None:
        """A declaration that is wrong, and text that could not be read."""
        spec = write_spec(tmp_path, f"{DETECTOR}\n{bad}\n")
        assert command("prove", spec, "bounded") == 4
        assert command("run", spec, "1") == 4


class TestPatch:
    """`circ patch` writes what it proved, and nothing else."""

    def test_a_patch_is_written_with_its_receipt(self, tmp_path: Path) -> None:
        """The named tensor changes, every other byte of data stays, and the claim then holds."""
        spec, out = write_spec(tmp_path), tmp_path / "out.safetensors"
        before = digest(tmp_path / "model.safetensors")
        assert command("patch", spec, "sink", "--out", out) == 0
        old, new = stored(tmp_path / "model.safetensors"), stored(out)
        assert not np.array_equal(old["b"], new["b"])
        assert np.array_equal(old["W"], new["W"])
        assert np.array_equal(old["other"], new["other"])
        receipt = json.loads((tmp_path / "out.safetensors.receipt.json").read_text())
        assert receipt["source"]["sha256"] == before == digest(tmp_path / "model.safetensors")
        assert receipt["sha256"] == digest(out)
        assert command("prove", spec, "negative", "--checkpoint", f"m={out}") == 0

    def test_a_checkpoint_in_shards_stays_in_shards(self, tmp_path: Path) -> None:
        """The shard that changes and the index are written anew; the claim then holds of the new index."""
        text = DETECTOR.replace("model.safetensors", "model.safetensors.index.json")
        spec, index = write_spec(tmp_path, text), tmp_path / "model.safetensors.index.json"
        where = dict.fromkeys(WEIGHTS, "model.safetensors")
        index.write_text(json.dumps({"weight_map": where}))
        before = {path: path.read_bytes() for path in tmp_path.iterdir()}
        assert command("prove", spec, "bounded") == 0
        assert command("patch", spec, "sink") == 0
        patched = tmp_path / "model.safetensors.sink.index.json"
        (shard,) = tmp_path.glob("model.sink-*.safetensors")
        made = {patched, shard, receipt_path(patched)}
        assert {*tmp_path.iterdir()} - before.keys() - {tmp_path / ".circ-cache"} == made
        assert all(path.read_bytes() == data for path, data in before.items())
        assert command("prove", spec, "negative", "--checkpoint", f"m={patched}") == 0

    def test_an_existing_file_is_not_replaced(self, tmp_path: Path) -> None:
        """Only `--force` replaces, and only a proved patch."""
        spec, out = write_spec(tmp_path), tmp_path / "out.safetensors"
        out.write_text("mine")
        assert command("patch", spec, "sink", "--out", out) == 4
        assert out.read_text() == "mine"
        assert command("patch", spec, "sink", "--out", out, "--force") == 0

    def test_what_is_no_file_is_not_replaced(self, tmp_path: Path) -> None:
        """Not even by `--force`: a pipe, a device or a folder."""
        spec, out = write_spec(tmp_path), tmp_path / "pipe"
        os.mkfifo(out)
        assert command("patch", spec, "sink", "--out", out, "--force") == 4
        assert out.is_fifo()

    def test_conflicting_requirements_write_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A requirement and a preservation without room between them are named with the input."""
        text = DETECTOR.replace("f(x)[0] == old f(x)[0]", "f(x)[1] == old f(x)[1]")
        spec, out = write_spec(tmp_path, text), tmp_path / "out.safetensors"
        assert command("patch", spec, "sink", "--out", out, "--json") == 1
        (patch,) = json.loads(capsys.readouterr().out)["patches"]
        assert {found["requirement"] for found in patch["conflict"]} == {
            "sink.require[0]",
            "sink.preserve[0]",
        }
        assert not out.exists()

    def test_nothing_to_do_is_said(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Requirements that hold already are proved of the file as it is, which is copied."""
        text = DETECTOR.replace("<= -0.25", "<= 99")
        spec, out = write_spec(tmp_path, text), tmp_path / "out.safetensors"
        assert command("patch", spec, "sink", "--out", out) == 0
        assert "its requirements hold already" in capsys.readouterr().out
        assert np.array_equal(stored(out)["b"], stored(tmp_path / "model.safetensors")["b"])

    def test_one_file_takes_one_patch(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Two patches to one file: the second would undo the first."""
        second = DETECTOR[DETECTOR.index("patch sink") :].replace("sink", "again")
        spec, out = write_spec(tmp_path, f"{DETECTOR}\n{second}"), tmp_path / "out.safetensors"
        assert command("patch", spec, "--out", out) == 4
        assert "E0708" in capsys.readouterr().err
        assert not out.exists()

    def test_half_precision_is_proved_as_it_is_stored(self, tmp_path: Path) -> None:
        """The change is rounded to the file's dtype before the last proof."""
        spec, out = write_spec(tmp_path), tmp_path / "out.safetensors"
        save(WEIGHTS, tmp_path / "model.safetensors", np.float16)
        assert command("patch", spec, "sink", "--out", out) == 0
        assert stored(out)["b"].dtype == np.float16
        assert command("prove", spec, "negative", "--checkpoint", f"m={out}") == 0


@pytest.mark.parametrize("encoding", ["utf-8:strict", "ascii:strict"])
def test_any_file_name_can_be_printed(tmp_path: Path, encoding: str) -> None:
    """A name that is no UTF-8, and a sign that the output has not, are printed as escapes."""
    spec = write_spec(tmp_path).rename(tmp_path / os.fsdecode(b"caf\xe9.circ"))
    done = subprocess.run(
        [sys.executable, "-m", "circ", "check", spec],
        env=os.environ | {"PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, b"")
    assert rb"caf\udce9.circ" in done.stdout


def test_any_file_name_can_be_written(tmp_path: Path) -> None:
    """What a patch and `compile` write says where it came from, whatever that is called."""
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    spec = write_spec(folder)
    out, script = tmp_path / "out.safetensors", tmp_path / "bounded.smt2"
    assert command("compile", spec, "bounded", "--to", "smt2", "--out", script) == 0
    assert rb"caf\udce9/spec.circ" in script.read_bytes()
    assert command("patch", spec, "sink", "--out", out) == 0
    receipt = tmp_path / "out.safetensors.receipt.json"
    assert json.loads(receipt.read_text())["spec"]["path"] == "caf\udce9/spec.circ"


@pytest.mark.parametrize("hint", [MORE_TIME, FEWER_LENGTHS, FEWER_WORDS])
def test_what_to_try_can_be_done(hint: str) -> None:
    """An option that a hint names is one of `prove`; to allow more names the option that does."""
    prove = cli.circ.commands["prove"]
    known = {option for param in prove.params for option in param.opts}
    named = set(re.findall(r"--[a-z]+", hint))
    assert named <= known
    assert named or not re.search("more|raise|limit", hint)


def test_explain_lists_the_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a code: each that has a page, with what is wrong, in a line."""
    assert command("explain") == 0
    said = capsys.readouterr().out.splitlines()
    assert "E0101  a name that nothing declares" in said
    assert all(re.fullmatch(r"E\d{4}  \S.*", line) for line in said)


def test_help_has_examples() -> None:
    """Every command that takes a spec shows how it is called."""
    for name in ("check", "prove", "patch", "run", "compile", "explain", "repl"):
        assert "circ " in (cli.circ.commands[name].help or "")

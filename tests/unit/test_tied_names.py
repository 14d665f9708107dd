"""What is known of tensors that a loader takes for one, what is refused for it, and the config that follows a patch."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from circ.compiler.checkpoint import read_header
from circ.compiler.config import read_config, with_fields
from circ.compiler.tied_tensors import Tied, ties
from circ.lang.diagnostic import CircError
from circ.runtime.patches.make import make_patch
from tests.unit.files import load, metadata
from tests.unit.files import save as save_torch
from tests.unit.killing import killed
from tests.unit.specs import Rows, command, save, stored

SPEC = """
checkpoint m from "model.safetensors"
circuit model(c: fin[2]) -> real[2] = m.HEAD.weight @ m.model.embed_tokens.weight[c]
circuit tail(x: real[2]) -> real[2] = m.HEAD.weight @ x
circuit embedded(c: fin[2]) -> real[2] = m.model.embed_tokens.weight[c]
domain Letters = { c: fin[2] }
domain Box = { x: real[2] | -1 <= x <= 1 }
patch head of model {
  edit    m.HEAD.weight
  require forall c in Letters: tail([1, 1])[0] >= 4 + 0 * model(c)[0]
}
patch alone of embedded {
  edit    m.model.embed_tokens.weight
  require forall c in Letters: embedded(c)[0] >= 4
}
"""

EMBEDDING = "model.embed_tokens.weight"
TENSORS: dict[str, Rows] = {EMBEDDING: [[1.0, 2.0], [3.0, 4.0]], "norm": [1.0, 1.0]}
LLAMA = {"model_type": "llama", "tie_word_embeddings": True, "vocab_size": 2, "eps": 1e-05}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec beside a checkpoint and a config that ties its head to the embedding."""
    folder = tmp_path / "model"
    folder.mkdir()
    save(TENSORS, folder / "model.safetensors", np.float32)
    (folder / "config.json").write_text(json.dumps(LLAMA))
    path = folder / "spec.circ"
    path.write_text(SPEC.replace("HEAD", "lm_head"))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A checkpoint to be written, in a folder of its own."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "model.safetensors"


def tied(
    names: list[str], config: dict[str, Any] | None, notes: dict[str, str] | None = None
) -> list[Tied]:
    """The ties of a checkpoint of these tensors beside a config."""
    folder = Path(os.environ["PYTEST_TIES"])
    save_torch({name: torch.zeros(2, 2) for name in names}, folder / "x.safetensors", notes)
    path = folder / "config.json"
    path.unlink(missing_ok=True)
    if config is not None:
        path.write_text(json.dumps(config))
    return [*ties(read_header(folder / "x.safetensors"), read_config(folder))]


class TestWhatIsTied:
    """By the config beside a checkpoint, or by its own metadata."""

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """Where the files are."""
        monkeypatch.setenv("PYTEST_TIES", str(tmp_path))

    def test_a_config_that_leaves_it_open_ties(self) -> None:
        """What leaves the field out does so where it is true; one that is no model's says nothing."""
        both = Tied("wte.weight", "lm_head.weight", config=True)
        assert tied(["wte.weight"], {"model_type": "gpt2"}) == [both]
        assert tied(["wte.weight"], {"model_type": "gpt2", "tie_word_embeddings": False}) == []
        assert tied(["wte.weight"], {"d_sae": 8}) == []
        assert tied(["wte.weight"], None) == []
        assert tied(["wte.weight", "lm_head.weight"], {"model_type": "gpt2"}) == [both]

    def test_a_part_of_the_model_may_say_so(self) -> None:
        """A config inside the config."""
        inner = {"tie_word_embeddings": False, "text_config": {"tie_word_embeddings": True}}
        assert tied(["a.embed_tokens.weight"], inner) == [
            Tied("a.embed_tokens.weight", "", config=True)
        ]

    def test_names_that_are_not_known(self) -> None:
        """Of other kinds of model, of two embeddings, and where the embedding is what was left out."""
        other = {"model_type": "marian"}
        assert tied(["shared.weight"], other) == [Tied("shared.weight", "", config=True)]
        assert tied(["lm_head.weight"], other) == [Tied("lm_head.weight", "", config=True)]
        found = tied(["a.wte.weight", "b.wte.weight"], {"model_type": "gpt2"})
        assert [tie.other for tie in found] == ["", ""]

    def test_the_file_says_so_itself(self) -> None:
        """As safetensors notes a tensor that it left out; both may say it, and the name is the file's."""
        notes = {"transformer.wte.weight": "lm_head.weight", "format": "pt"}
        plain = Tied("lm_head.weight", "transformer.wte.weight", metadata=True)
        assert tied(["lm_head.weight"], None, notes) == [plain]
        (found,) = tied(["lm_head.weight"], {"model_type": "gpt2"}, notes)
        assert (found.other, found.config, found.metadata) == (plain.other, True, True)
        assert tied(["lm_head.weight", "transformer.wte.weight"], None, notes) == []
        assert len(tied(["lm_head.weight"], None, notes | {"a": "lm_head.weight"})) == 2


class TestTheConfig:
    """Beside a patched checkpoint that needs another."""

    def test_keeps_what_else_it_says(self, spec: Path, out: Path) -> None:
        """In its order, each number the same; the receipt has the hashes of both and what differs."""
        assert command("patch", spec, "head", "--untie", "--out", out) == 0
        found = json.loads(out.with_name("config.json").read_text())
        assert [*found.items()] == [*(LLAMA | {"tie_word_embeddings": False}).items()]
        told = json.loads(out.with_name(f"{out.name}.receipt.json").read_text())["config"]
        old, new = read_config(spec.parent), read_config(out.parent)
        assert old is not None and new is not None
        fields = {"tie_word_embeddings": False}
        assert told == {"before": old.sha256, "after": new.sha256, "fields": fields}
        assert stored(out)[EMBEDDING].tolist() == TENSORS[EMBEDDING]
        assert stored(out)["lm_head.weight"].tolist() != TENSORS[EMBEDDING]

    def test_is_never_that_of_another_checkpoint(self, spec: Path, out: Path) -> None:
        """Beside the source, in place, or where one stands that says otherwise: refused, and nothing is written."""
        before = {path: path.read_bytes() for path in spec.parent.iterdir()}
        beside = spec.with_name("new.safetensors")
        for words in ([], ["--in-place"], ["--out", beside, "--force"]):
            assert command("patch", spec, "head", "--untie", *words) == 4
        assert {path: path.read_bytes() for path in spec.parent.iterdir()} == before
        there = out.with_name("config.json")
        there.write_text("{}")
        assert command("patch", spec, "head", "--untie", "--out", out) == 4
        assert [*out.parent.iterdir()] == [there]
        assert command("patch", spec, "head", "--untie", "--out", out, "--force") == 0
        there.unlink()
        assert command("patch", spec, "head", "--untie", "--out", out, "--force") == 4
        there.write_text("{}")
        assert command("patch", spec, "head", "--untie", "--out", out, "--force") == 4

    def test_goes_where_the_checkpoint_is_not_written(
        self, spec: Path, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing is left of it."""

        def fails(*_args: object, **_more: object) -> str:
            raise OSError("no")

        monkeypatch.setattr("circ.runtime.patches.publish.write_checkpoint", fails)
        assert command("patch", spec, "head", "--untie", "--out", out) != 0
        assert [*out.parent.iterdir()] == []

    @pytest.mark.parametrize("text", ["", "[1]", "{", '{"a": 1, "a": 2}', "\\xff"])
    def test_that_cannot_be_read_ties_what_is_not_known(
        self, spec: Path, text: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """So no patch is made beside it; claims are proved as ever."""
        spec.write_text(SPEC.replace("HEAD", "model.embed_tokens"))
        assert command("check", spec) == 0
        spec.with_name("config.json").write_bytes(text.encode("latin-1"))
        assert command("check", spec) == 0
        assert command("patch", spec, "alone") == 4
        assert "E0662" in capsys.readouterr().err

    def test_with_other_fields_is_the_same_text_again(self, spec: Path) -> None:
        """Fields that are there stay in their place, and new ones come last."""
        config = read_config(spec.parent)
        assert config is not None
        longer = with_fields(config, {"n_inner": 7, "vocab_size": 3})
        assert [*longer.fields] == [*LLAMA, "n_inner"]
        assert json.loads(longer.text) == LLAMA | {"n_inner": 7, "vocab_size": 3}
        assert config.fields == LLAMA

    @pytest.mark.parametrize("moment", range(10))
    def test_is_there_before_the_checkpoint_is(self, spec: Path, out: Path, moment: int) -> None:
        """A process is killed as it puts a file into its place: who finds the checkpoint finds the config that goes with it.

        The same command then writes what is lacking.
        """
        words = ("patch", spec, "head", "--untie", "--json", "--out", out)
        ended = killed(lambda: command(*words), moment)
        files = [path.name for path in out.parent.iterdir() if not path.name.startswith(".")]
        order = ("config.json", out.name, f"{out.name}.receipt.json")
        assert {*files} == {*order[: len(files)]}
        assert ended == (moment < 9)
        assert len(files) == (moment + 1) // 3 if ended else 3
        assert command(*words, *["--force"] * out.exists()) == 0
        assert command("audit", out.with_name(order[2])) == 0


class TestAPatch:
    """Says what it means, and what it says has to be so."""

    @pytest.mark.parametrize(
        ("name", "words"),
        [
            ("head", ["--untie", "--tied"]),
            ("head", ["--untie", "--delta", "delta"]),
            ("alone", ["--untie"]),
        ],
    )
    def test_that_cannot_mean_it(
        self, spec: Path, out: Path, name: str, words: list[str], capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Both at once; left on its own; of an embedding whose head nothing reads, as if it were still tied."""
        assert command("patch", spec, name, *words, "--out", out) == 4
        assert "E0664" in capsys.readouterr().err
        assert [*out.parent.iterdir()] == []

    def test_that_computes(self, spec: Path, out: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A form of a tied tensor needs a word as an edit does; parted, the embedding keeps what it was."""
        text = SPEC.replace("edit    m.HEAD.weight", "project m.HEAD.weight[:, _] off span [0, 1]")
        text = text.replace("[1, 1])[0] >= 4 + 0 * model(c)[0]", "[1, 1])[1] == 0 * model(c)[0]")
        spec.write_text(text.replace("HEAD", "model.embed_tokens"))
        assert command("patch", spec, "head", "--out", out) == 4
        assert "E0661" in capsys.readouterr().err
        spec.write_text(text.replace("HEAD", "lm_head"))
        assert command("patch", spec, "head", "--untie", "--out", out) == 0
        assert stored(out)["lm_head.weight"].tolist() == [[1, 2], [0, 0]]
        assert stored(out)[EMBEDDING].tolist() == TENSORS[EMBEDDING]
        assert command("audit", out.with_name("model.safetensors.receipt.json")) == 0

    def test_where_nothing_is_tied(self, spec: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """The word would say nothing."""
        spec.write_text(SPEC.replace("HEAD", "model.embed_tokens"))
        spec.with_name("config.json").unlink()
        for word in ("--untie", "--tied"):
            assert command("patch", spec, "alone", word) == 4
            assert "E0664" in capsys.readouterr().err
        assert command("patch", spec, "alone") == 0

    def test_of_a_model_whose_head_has_no_known_name(
        self, spec: Path, out: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It is not parted; a config inside that one is no better."""
        spec.write_text(SPEC.replace("HEAD", "model.embed_tokens"))
        for config in (
            {"model_type": "marian"},
            LLAMA | {"text_config": {"tie_word_embeddings": True}},
        ):
            spec.with_name("config.json").write_text(json.dumps(config))
            spec.write_text(
                SPEC.replace("HEAD", "lm_head" if "vocab_size" in config else "model.embed_tokens")
            )
            name = "head" if "vocab_size" in config else "alone"
            assert command("patch", spec, name, "--untie", "--out", out) == 4
            assert "E0664" in capsys.readouterr().err

    def test_with_another_that_has_no_known_name(self, spec: Path, out: Path) -> None:
        """What the config ties is parted with it, so that nothing is where a name of that is not known."""
        save(
            {**TENSORS, "other.wte.weight": [[1.0]]},
            spec.with_name("model.safetensors"),
            np.float32,
        )
        assert command("patch", spec, "head", "--untie", "--out", out) == 4
        assert [*out.parent.iterdir()] == []

    def test_of_both_as_one(self, spec: Path) -> None:
        """The config stays, so that the file may stand beside its source; what is proved once is audited again."""
        spec.write_text(SPEC.replace("HEAD", "model.embed_tokens"))
        config = spec.with_name("config.json").read_bytes()
        assert command("patch", spec, "alone", "--tied") == 0
        receipt = spec.with_name("model.alone.safetensors.receipt.json")
        told = json.loads(receipt.read_text())
        assert told["config"]["before"] == told["config"]["after"]
        assert told["config"]["fields"] == {}
        assert spec.with_name("config.json").read_bytes() == config
        assert {*stored(spec.with_name("model.alone.safetensors"))} == {*TENSORS}
        assert command("audit", receipt) == 0

    def test_where_the_file_has_both(self, spec: Path, out: Path) -> None:
        """They cannot be changed as one: a loader may take either, and only parted it is known which."""
        both = {**TENSORS, "lm_head.weight": TENSORS[EMBEDDING]}
        save(both, spec.with_name("model.safetensors"), np.float32)
        assert command("patch", spec, "head", "--out", out) == 4
        assert command("patch", spec, "head", "--tied", "--out", out) == 4
        assert command("patch", spec, "head", "--untie", "--out", out) == 0
        assert command("audit", out.with_name(f"{out.name}.receipt.json")) == 0

    def test_of_a_file_that_says_so_itself(self, spec: Path) -> None:
        """Once parted it says so no more; no config is needed, so that it may stand beside its source, or replace it."""
        path = spec.with_name("model.safetensors")
        spec.with_name("config.json").unlink()
        tensors = {name: torch.tensor(rows) for name, rows in TENSORS.items()}
        save_torch(tensors, path, {"lm_head.weight": EMBEDDING, "format": "pt"})
        assert command("patch", spec, "head", "--untie", "--in-place") == 0
        assert metadata(path).keys() == {"format", "circ.receipt"}
        assert {*load(path)} == {*TENSORS, "lm_head.weight"}

    def test_the_config_is_the_one_that_was_read(
        self, spec: Path, out: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What it ties may be something else by now."""

        def meanwhile(*args: Any) -> Any:
            spec.with_name("config.json").write_text("{}")
            return make_patch(*args)

        monkeypatch.setattr("circ.runtime.commands.patch.make_patch", meanwhile)
        assert command("patch", spec, "head", "--untie", "--out", out) == 4
        assert [*out.parent.iterdir()] == []


FORGED: dict[str, Callable[[dict[str, Any]], object]] = {
    "no ties": lambda told: told.update(ties=[], config=None),
    "together": lambda told: told["ties"][0].update(how="together"),
    "another name": lambda told: told["ties"][0].update(other="norm"),
    "another tensor": lambda told: told["ties"][0].update(kept="gone"),
    "another config": lambda told: told["config"].update(after="0" * 64),
    "other fields": lambda told: told["config"].update(
        fields={"tie_word_embeddings": False, "a": 1}
    ),
    "no config": lambda told: told.update(config=None),
    "a word that is none": lambda told: told["ties"][0].update(how="both"),
}


class TestAReceipt:
    """Names the config, and what was made of what it ties."""

    @pytest.fixture
    def receipt(self, spec: Path, out: Path) -> Path:
        """That of a patch that parted head and embedding."""
        assert command("patch", spec, "head", "--untie", "--out", out) == 0
        return out.with_name(f"{out.name}.receipt.json")

    @pytest.mark.parametrize("forge", FORGED.values(), ids=FORGED)
    def test_is_not_believed(
        self, forge: Callable[[dict[str, Any]], object], receipt: Path
    ) -> None:
        """All of it is found anew in the files."""
        assert command("audit", receipt) == 0
        told = json.loads(receipt.read_text())
        forge(told)
        receipt.write_text(json.dumps(told))
        assert command("audit", receipt) in (1, 4)

    @pytest.mark.parametrize("where", ["model", "out"])
    def test_is_about_the_configs(self, receipt: Path, where: str) -> None:
        """One beside either checkpoint that says something else: a loader would see another model."""
        path = receipt.parent.parent / where / "config.json"
        for text in ("{}", json.dumps(LLAMA, indent=1)):
            path.write_text(text)
            assert command("audit", receipt) == 1
        path.unlink()
        assert command("audit", receipt) == 1

    def test_is_shown(self, receipt: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """What it means to a loader is told."""
        assert command("patch", "show", receipt) == 0
        told = capsys.readouterr().out
        assert f"lm_head.weight is no longer tied to {EMBEDDING}" in told
        assert "config.json beside it: tie_word_embeddings is false" in told


def test_a_folder_is_no_config(spec: Path) -> None:
    """What has its name and cannot be read is an error of the files."""
    path = spec.with_name("config.json")
    path.unlink()
    path.mkdir()
    with pytest.raises(CircError):
        read_config(spec.parent)

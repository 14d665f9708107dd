"""Which tensors a config may tie where it does not name them, and that a patched file is tied where it stands as it was proved."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from circ.compiler.config import Config
from circ.compiler.header import Header, StoredTensor
from circ.compiler.tied_tensors import MODELS, Tied, ties
from tests.unit.specs import Rows, command, save, stored

SPEC = """
checkpoint m from "model.safetensors"
circuit f(c: fin[3]) -> real = m.NAME.weight[c][0]
domain Letters = { c: fin[3] }
patch move of f {
  edit    m.NAME.weight
  require forall c in Letters: f(c) >= 1.5
}
"""

ROWS: Rows = [[1.0, 2.0], [-1.0, 0.5], [0.5, 1.0]]
EMBEDDING = "model.embed_tokens"
TIED = {"model_type": "llama", "tie_word_embeddings": True}
PARTED = {"model_type": "llama", "tie_word_embeddings": False}


def found(config: dict[str, Any], **shapes: tuple[int, ...]) -> dict[str, bool]:
    """The tensors that a config ties of these, `__` in a name for a dot, and whether that is only a guess."""
    tensors = {
        name.replace("__", "."): StoredTensor("F32", shape, 0, 0) for name, shape in shapes.items()
    }
    return {tie.kept: tie.guessed for tie in ties(Header(tensors, {}), Config(b"", config))}


class TestWhatMayBeTied:
    """Where a config ties and no embedding of the file is known by its name."""

    def test_is_a_matrix_of_a_side_that_is_the_vocabulary(self) -> None:
        """At whatever depth the config says that size, in a layer or not; of other matrices nothing is said."""
        shapes = {"a__w": (7, 4), "h__0__w": (4, 7), "b__w": (4, 4), "bias": (7,), "c": (7, 4, 4)}
        for sized in ({"vocab_size": 7}, {"parts": [{"text": {"vocab_size": 7}}]}):
            assert found({"model_type": "new"} | sized, **shapes) == {"a.w": True, "h.0.w": True}

    @pytest.mark.parametrize("sized", [{}, {"vocab_size": 9}])
    def test_is_else_any_matrix_that_is_in_no_numbered_layer(self, sized: dict[str, int]) -> None:
        """Of a size that no tensor has nothing is known either."""
        shapes = {"a__w": (7, 4), "h__0__w": (4, 7), "bias": (7,)}
        assert found({"model_type": "new"} | sized, **shapes) == {"a.w": True}
        assert found({"model_type": "new", "tie_word_embeddings": False} | sized, **shapes) == {}

    def test_is_what_is_beside_an_embedding_that_is_known(self) -> None:
        """The head of a kind of model whose ties are not all known; of one whose ties are, nothing else is tied."""
        shapes = {"wte__weight": (7, 4), "to_words__weight": (7, 4), "out__weight": (4, 4)}
        config: dict[str, Any] = {"vocab_size": 7, "tie_word_embeddings": True}
        told = {"wte.weight": False, "to_words.weight": True}
        assert found({"model_type": "new"} | config, **shapes) == told
        assert found({"model_type": "gpt2"} | config, **shapes) == {"wte.weight": False}

    @pytest.mark.parametrize("config", [{"a": {"b": [[{"x": 1}, TIED]]}}, {"a": [TIED]}])
    def test_is_said_at_any_depth(self, config: dict[str, Any]) -> None:
        """In lists too."""
        shapes = {"wte__weight": (7, 4)}
        assert found(PARTED | config, **shapes) == {"wte.weight": False}
        assert found(PARTED | {"a": [{"b": PARTED}]}, **shapes) == {}

    def test_of_each_kind_that_is_known_is_the_embedding(self) -> None:
        """Whatever its module is called."""
        for kind, (embedding, head) in MODELS.items():
            tensors = {f"x.{embedding}.weight": StoredTensor("F32", (7, 4), 0, 0)}
            (tie,) = ties(Header(tensors, {}), Config(b"", {"model_type": kind}))
            assert tie == Tied(f"x.{embedding}.weight", f"{head}.weight", config=True)

    def test_is_not_changed_without_a_word(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With `--tied` it is, and an audit agrees; it cannot be parted from what has no name."""
        spec = made(tmp_path, "model", {"model_type": "new", "vocab_size": 3}, "tokens")
        assert command("patch", spec, "move") == 4
        assert "error[E0661]: `tokens.weight` may be one tensor" in capsys.readouterr().err
        assert command("patch", spec, "move", "--untie") == 4
        assert "E0664" in capsys.readouterr().err
        assert command("patch", spec, "move", "--tied") == 0
        assert command("audit", spec.with_name("model.move.safetensors.receipt.json")) == 0


def made(folder: Path, name: str, config: object, module: str = EMBEDDING) -> Path:
    """A folder with a checkpoint of one matrix, a spec and, unless it is None, a config; the path of the spec."""
    place = folder / name
    place.mkdir()
    save({f"{module}.weight": ROWS, "norm": [1.0]}, place / "model.safetensors", np.float32)
    if config is not None:
        (place / "config.json").write_text(json.dumps(config))
    spec = place / "spec.circ"
    spec.write_text(SPEC.replace("NAME", module))
    return spec


def other(folder: Path, config: object) -> Path:
    """Another folder, with a config unless it is None; the path of the file to be written there."""
    place = folder / "other"
    place.mkdir()
    if config is not None:
        (place / "config.json").write_text(json.dumps(config))
    return place / "new.safetensors"


def left(target: Path) -> list[str]:
    """What is in a folder."""
    return sorted(path.name for path in target.parent.iterdir())


class TestTheFolderThatIsWrittenTo:
    """Says by its config which model a patched file is."""

    @pytest.mark.parametrize("config", [None, PARTED])
    def test_may_not_tie_what_was_proved_alone(
        self, config: object, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A loader there would use the tensor once more, though none does beside the source."""
        spec, target = made(tmp_path, "model", config), other(tmp_path, TIED)
        assert command("patch", spec, "move", "--out", target) == 4
        assert "E0663" in capsys.readouterr().err
        assert left(target) == ["config.json"]

    def test_may_not_part_what_was_proved_as_one(self, tmp_path: Path) -> None:
        """Unless it is told to be replaced, and no checkpoint goes by it."""
        spec, target = made(tmp_path, "model", TIED), other(tmp_path, PARTED)
        assert command("patch", spec, "move", "--tied", "--out", target) == 4
        assert left(target) == ["config.json"]
        assert command("patch", spec, "move", "--tied", "--out", target, "--force") == 0
        assert json.loads(target.with_name("config.json").read_text()) == TIED

    def test_gets_the_config_that_it_lacks(self, tmp_path: Path) -> None:
        """So what the receipt says of it is so, and the audit finds that."""
        spec, target = made(tmp_path, "model", TIED), other(tmp_path, None)
        assert command("patch", spec, "move", "--tied", "--out", target) == 0
        assert left(target) == ["config.json", target.name, f"{target.name}.receipt.json"]
        receipt = target.with_name(f"{target.name}.receipt.json")
        assert command("audit", receipt) == 0
        target.with_name("config.json").unlink()
        assert command("audit", receipt) == 1

    def test_is_looked_at_again_by_an_audit(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A config that ties, put there afterwards."""
        spec, target = made(tmp_path, "model", None), other(tmp_path, None)
        assert command("patch", spec, "move", "--out", target) == 0
        receipt = target.with_name(f"{target.name}.receipt.json")
        assert command("audit", receipt) == 0
        target.with_name("config.json").write_text(json.dumps(TIED))
        assert command("audit", receipt) == 1
        assert "which was proved to change in one place" in capsys.readouterr().out


class TestAPatchThatIsApplied:
    """Comes to folders that it was not proved in."""

    @pytest.mark.parametrize("beside", ["source", "target"])
    def test_is_refused_where_a_config_ties(self, beside: str, tmp_path: Path) -> None:
        """Whether it stands beside the source or the target; nothing is written."""
        spec, delta = made(tmp_path, "model", None), tmp_path / "delta"
        assert command("patch", spec, "move", "--delta", delta) == 0
        config = TIED if beside == "source" else None
        source = made(tmp_path, "copy", config).with_name("model.safetensors")
        target = other(tmp_path, None if config else TIED)
        before = left(target)
        assert command("patch", "apply", delta, source, "--out", target) == 4
        assert left(target) == before
        target.with_name("config.json").unlink(missing_ok=True)
        source.with_name("config.json").unlink(missing_ok=True)
        assert command("patch", "apply", delta, source, "--out", target) == 0
        assert command("audit", target.with_name(f"{target.name}.receipt.json")) == 0

    @pytest.mark.parametrize("config", [None, PARTED, TIED | {"eps": 1}])
    def test_as_one_needs_the_config_that_it_was_proved_beside(
        self, config: object, tmp_path: Path
    ) -> None:
        """In the folder that is written to; its own has it."""
        spec, delta = made(tmp_path, "model", TIED), tmp_path / "delta"
        assert command("patch", spec, "move", "--tied", "--delta", delta) == 0
        target, source = other(tmp_path, config), spec.with_name("model.safetensors")
        before = left(target)
        assert command("patch", "apply", delta, source, "--out", target) == 4
        assert left(target) == before
        assert command("patch", "apply", delta, source) == 0
        applied = source.with_name("model.move.safetensors")
        assert (stored(applied)[f"{EMBEDDING}.weight"][:, 0] >= 1.5).all()
        assert command("audit", applied.with_name(f"{applied.name}.receipt.json")) == 0

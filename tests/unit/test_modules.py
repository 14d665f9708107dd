"""Modules: files that a spec uses, as the command line meets them."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest

from circ.compiler.verdict import Proved, Refuted
from circ.lang.diagnostic import CircError
from circ.runtime.prover import prove
from circ.runtime.repl.session import Session
from circ.runtime.session import Request, checked, settings
from tests.unit.specs import DETECTOR, command, save, stored, write_spec


def codes(path: Path, outside: bool = False) -> list[str]:
    """The codes of what is wrong with a spec."""
    with pytest.raises(CircError) as caught:
        checked(path, settings([], [], outside))
    return [diagnostic.code for diagnostic in caught.value.diagnostics]


def spec(folder: Path, text: str) -> Path:
    """A spec in a folder."""
    path = folder / "main.circ"
    path.write_text(text)
    return path


class TestAFile:
    """That is used is held to the rules of every file that a spec names."""

    def test_lies_in_the_folder_of_the_spec(self, tmp_path: Path) -> None:
        """Unless the command line allows others; links are followed before this is decided."""
        inner = tmp_path / "inner"
        inner.mkdir()
        (tmp_path / "rules.circ").write_text("param half = 0.5")
        (inner / "link.circ").symlink_to(tmp_path / "rules.circ")

        for name in ("../rules.circ", "link.circ"):
            path = spec(inner, f'use "{name}": half\nclaim c: half == 0.5')
            assert codes(path) == ["E0411"]
            assert checked(path, Request(outside=True)).typed.used

    def test_uses_others_from_its_own_folder(self, tmp_path: Path) -> None:
        """But not from outside the folder of the spec that was asked for."""
        deep = tmp_path / "deep"
        deep.mkdir()
        (tmp_path / "base.circ").write_text("param half = 0.5")
        (deep / "above.circ").write_text('use "../base.circ": half\nparam one = 2 * half')
        (deep / "far.circ").write_text('use "../../base.circ": half\nparam one = 2 * half')

        used = checked(spec(tmp_path, 'use "deep/above.circ": one'), Request()).typed.used
        assert [m.module.span.source.key for m in used] == ["base.circ:", "deep:above.circ:"]
        assert "E0411" in codes(spec(tmp_path, 'use "deep/far.circ": one'))

    @pytest.mark.parametrize("kind", ["folder", "pipe", "bytes", "large"])
    def test_is_a_text(self, kind: str, tmp_path: Path) -> None:
        """A folder, a pipe, other bytes and what is absurdly large are refused."""
        path = tmp_path / "rules.circ"
        if kind == "folder":
            path.mkdir()
        elif kind == "pipe":
            os.mkfifo(path)
        else:
            path.write_bytes(b"\xff\xfe" if kind == "bytes" else b"#" * ((4 << 20) + 1))
        wanted = {"folder": "E0402", "pipe": "E0402", "bytes": "E0010", "large": "E0011"}

        assert codes(spec(tmp_path, 'use "rules.circ": half')) == [wanted[kind]]

    def test_is_shown_where_it_is_wrong(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """`circ check` names the used file, its line and its column."""
        (tmp_path / "rules.circ").write_text("\nparam half = 1 +")
        assert command("check", spec(tmp_path, 'use "rules.circ": half')) == 4
        assert f"{tmp_path}/rules.circ:2:17" in capsys.readouterr().err


MODEL = """
param scale = 2
checkpoint m from "model.safetensors"
circuit f(x: real[2]) -> real[2] = scale * (m.W @ x)
"""

MAIN = """
use "sub/model.circ": f
checkpoint m from "model.safetensors"
param scale = 3
domain Box = { x: real[2] | -1 <= x <= 1 }
claim apart: forall x in Box: f(x) == m.W @ x
claim scaled: forall x in Box: f(x)[0] <= 6
"""


class TestNamesOfTwoModules:
    """The same name in two modules means two things."""

    @pytest.fixture
    def main(self, tmp_path: Path) -> Path:
        """A spec, and a used one in a folder below, each with a checkpoint `m` of its own."""
        (tmp_path / "sub").mkdir()
        (tmp_path / "sub" / "model.circ").write_text(MODEL)
        save({"W": [[1.0, 2.0], [0.0, 1.0]]}, tmp_path / "sub" / "model.safetensors", np.float32)
        save({"W": [[2.0, 4.0], [0.0, 2.0]]}, tmp_path / "model.safetensors", np.float32)
        return spec(tmp_path, MAIN)

    def test_each_checkpoint_is_read_from_beside_its_own_text(self, main: Path) -> None:
        """The one below has half the weights, and doubles what it computes."""
        program = checked(main, Request())
        assert isinstance(prove(program.claim("apart"), program.weights), Proved)
        assert isinstance(prove(program.claim("scaled"), program.weights), Proved)

    def test_the_command_line_names_each_by_its_key(self, main: Path) -> None:
        """`scale` is the spec's own; `sub:model.circ:scale` and `sub:model.circ:m` are the other's."""
        other = f"sub:model.circ:m={main.with_name('model.safetensors')}"
        for given in (
            settings(["sub:model.circ:scale=3"], [], False),
            settings([], [other], False),
        ):
            program = checked(main, given)
            assert isinstance(prove(program.claim("scaled"), program.weights), Refuted)
        program = checked(main, settings(["scale=7"], [], False))
        assert isinstance(prove(program.claim("apart"), program.weights), Proved)

    def test_an_edit_names_the_checkpoint_of_the_text_where_it_stands(self, main: Path) -> None:
        """However deep its path goes: nothing there reads this `m`, and an edit that does nothing is an error."""
        model = main.with_name("sub") / "model.circ"
        deep = "circuit g(x: real[2]) -> real[2] {\n  let y = f(x)\n  return y\n}\n"
        model.write_text(MODEL + deep)
        main.write_text(
            MAIN.replace('circ": f', 'circ": f, g')
            + "claim edited: g([1, 1]) do { y.m.W := 0 } == 0\n"
        )
        assert codes(main) == ["E0502"]

    def test_a_name_that_came_along_cannot_be_set_bare(self, main: Path) -> None:
        """There is no `eps`, here or there."""
        with pytest.raises(CircError, match="eps"):
            checked(main, settings(["eps=1"], [], False))

    def test_a_session_knows_what_is_used_and_not_what_came_along(self, main: Path) -> None:
        """`f` is listed with what is declared; `sub:model.circ:m` cannot be named."""
        session = Session(main, Request(), checked(main, Request()))
        assert "circuit f(x: real[2]) -> real[2]" in session.run(":names").split("\n")
        assert "[6, 2]" in session.run("f([1, 1])")


def test_a_patch_of_a_used_checkpoint_names_the_files_it_rests_on(tmp_path: Path) -> None:
    """The receipt has the hash of every file that the spec uses, and the right file is patched."""
    declared, asked = DETECTOR.split("domain Box")
    (tmp_path / "model.circ").write_text(declared)
    text = f'use "model.circ": m, f\nuse std.attention: attention\ndomain Box{asked}'
    path = write_spec(tmp_path, text)
    assert command("patch", path) == 0

    (receipt,) = tmp_path.glob("*.receipt.json")
    found = json.loads(receipt.read_text())
    digest = sha256(declared.encode()).hexdigest()
    assert found["used"] == [{"path": "model.circ", "sha256": digest}]
    assert stored(tmp_path / "model.sink.safetensors")["b"][1] < 0

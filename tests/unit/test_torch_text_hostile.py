"""Words of specs and checkpoints that look like code stay words in what `--to torch` writes."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from circ.compiler.pytorch.literals import Names, comment, listed, number, quoted
from circ.compiler.pytorch.module import class_name, written
from circ.compiler.pytorch.of_spec import asked_claim, asked_of
from circ.compiler.readings.torch import DTYPES, module
from circ.runtime.session import settings, usable
from tests.agreement.fresh_python import Cases, run_without_circ
from tests.unit.specs import Rows, command, write_spec
from tests.unit.test_torch_text import inputs_of

EVIL = (
    '"',
    "'",
    '"""',
    "\\",
    '\\"',
    "\n",
    "\r",
    "\x0c",
    "\x00",
    "\u2028",
    "\u202e",
    "\ud800",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "# coding: utf-7",
    "__import__('os').system('false')",
    '"); raise SystemExit(13)  #',
    "'''\nraise SystemExit(13)\n'''",
    '"""\nraise SystemExit(13)\n"""',
    "lambda",
    "self",
    "é",
    "ﬁ",
    "𝔘",
    "",
)


@pytest.mark.parametrize("text", EVIL)
def test_a_word_is_a_string_a_comment_or_a_name_and_nothing_else(text: str) -> None:
    """A literal evaluates to the text, a comment is one line without a token, a name is an identifier."""
    assert ast.literal_eval(quoted(text)) == text
    assert "\n" not in quoted(text)
    body = ast.parse(f"{comment(text)}\nx = 1").body
    assert len(body) == 1
    assert comment(text).startswith("#")
    assert len(comment(text).splitlines()) == 1
    name = Names({"self"}).new(text)
    assert name.isidentifier() and name.isascii() and name != "self"
    ast.parse(f"{name} = 1")


def test_names_are_given_once() -> None:
    """However alike they are."""
    names = Names({"q"})
    assert [names.new(text) for text in ("q", "q", "q_2", "if", "a.b", "a-b", "0", "_", "match")] == [
        "q_2", "q_3", "q_2_2", "if_", "a_b", "a_b_2", "t0", "value", "match_",
    ]  # fmt: skip


def test_numbers_are_exact() -> None:
    """Those that are no literals of Python among them."""
    inf = float("inf")
    assert eval(number(-inf)) == -inf
    assert [number(x) for x in (0.1, 1e-300, True, 3)] == ["0.1", "1e-300", "True", "3"]
    assert listed([1.0] * 5) == "[1.0] * 5"
    assert listed([3, 4, 5, 6]) == "list(range(3, 7))"
    for entries in (
        [6, 4, 2, 0],
        [True] * 4,
        [False, True, False, True],
        [1, 1, 1, 2],
        [0, 2, 4, 6],
    ):
        assert eval(listed(entries)) == entries
        assert all(type(a) is type(b) for a, b in zip(eval(listed(entries)), entries, strict=True))


HOSTILE = r'''## Says """ and \" and {{ 7 * 7 }}.
## """
## raise SystemExit(13)
enum Word = { "\"", "QQQ", "\"\"\"\nraise SystemExit(13)\n\"\"\"", "\\", "{{ 7 * 7 }}", "\u2028", "#" }
checkpoint m from "model.safetensors"

## """
## raise SystemExit(13)
## coding: utf-7
circuit self(torch: Word[2], lambda: real[2]) -> real[2] {
  let nn = m."a\"b\n]);raise SystemExit(13)" @ lambda
  let stack = m."\"\"\"" + m.x."0" + nn
  return stack + cases {
    torch[0] in ["\"", "{{ 7 * 7 }}"] => stack
    else => 2 * nn
  }
}
domain Box = { x: real[2] | -1 <= x <= 1 }
domain All = { w: Word[2] }
claim goal: forall where_ in All, margin in Box: self(where_, margin)[0] <= -99
claim json: forall w in All: w[0] == "\"\"\"\nraise SystemExit(13)\n\"\"\""
claim torch: exists w in All: w[0] != "QQQ"
'''.replace("QQQ", "'''")

HOSTILE_WEIGHTS: Mapping[str, Rows] = {
    'a"b\n]);raise SystemExit(13)': [[1.0, 0.5], [0.25, -1.0]],
    '"""': [0.5, 0.5],
    "x.0": [0.125, 0.25],
}


def test_no_word_of_a_spec_or_a_checkpoint_becomes_code(tmp_path: Path) -> None:
    """Members, docs, tensors and names that look like code, or like the page's own: the module computes
    what the reading does."""
    spec = write_spec(tmp_path, HOSTILE, HOSTILE_WEIGHTS)
    program = usable(spec, settings((), (), False))
    cases = Cases(tmp_path)
    for asked in (
        asked_of(program, "self", (), tmp_path),
        asked_claim(program, "goal", None, tmp_path),
    ):
        runs = module(asked.circuit, program.weights, DTYPES[asked.dtype])
        inputs = inputs_of(asked, 3, runs.dtype)
        with torch.no_grad():
            found = runs(inputs)
        text = written(replace(asked, doc=f'{asked.doc}\n\x0c\r"""', title=f'{asked.title}"""\\'))
        files = {"m": tmp_path / "model.safetensors"}
        cases.add(text, class_name(asked), [*inputs.values()], found, files)
        kinds = [type(node) for node in ast.parse(text).body]
        assert kinds.count(ast.Expr) == 1
        allowed = {ast.Expr, ast.ImportFrom, ast.Import, ast.Assign, ast.AnnAssign}
        assert {*kinds} <= allowed | {ast.ClassDef, ast.FunctionDef}
    assert cases.differing() == []


def test_hostile_claims_can_be_replayed(tmp_path: Path) -> None:
    """Scripts that are called as libraries are, about members that look like code."""
    spec = write_spec(tmp_path, HOSTILE, HOSTILE_WEIGHTS)
    folder = tmp_path / "found"
    assert command("prove", spec, "--repro", folder) == 1
    for name in ("goal", "json", "torch"):
        said = run_script(folder / f"{name}.py")
        assert said.endswith("as Circ found\n")
        assert all(char.isprintable() for char in said.replace("\n", ""))


def run_script(path: Path) -> str:
    """What a written script prints, run as one with Circ blocked; it has to end with 0."""
    script = (
        "import runpy, sys; sys.modules['circ'] = None; sys.path.insert(0, sys.argv[2]); "
        "sys.argv = [sys.argv[1]]; runpy.run_path(sys.argv[0], run_name='__main__')"
    )
    return run_without_circ(script, path, path.parent)


def run_scripts(paths: Sequence[Path]) -> list[str]:
    """The same of several scripts, in one process: each is run as the only one, and has to end with 0."""
    script = (
        "import runpy, sys; sys.modules['circ'] = None\n"
        "for path in sys.argv[1:]:\n"
        "  sys.argv = [path]\n"
        "  try: runpy.run_path(path, run_name='__main__')\n"
        "  except SystemExit as end: assert not end.code, (path, end.code)\n"
        "  print('\\0', end='')"
    )
    return run_without_circ(script, *paths).split("\0")[:-1]

"""A checkpoint that is given whole, as a record: its tensors are read by what it is given to, and can be replaced."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest

from tests.unit.specs import Rows, command, save, stored

SPEC = """
enum Char = { a, b, c }
record Read = {
  v: real[Char]
  u: real[Char]
}
checkpoint m from "m.safetensors"
checkpoint n from "n.safetensors"
circuit g(s: Char[2], w: Read) -> real = w.v[s[0]] + w.u[s[1]]
circuit f(s: Char[2]) -> real = g(s, m)
circuit k(s: Char[2]) -> real = f(s) + g(s, m)
domain Words = { s: Char[2] }
"""

M: dict[str, Rows] = {"v": [1.0, 2.0, -3.0], "u": [0.5, 1.0, 2.0]}
N: dict[str, Rows] = {"v": [4.0, 2.0, 6.0], "u": [0.5, 8.0, 2.0]}


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """A spec of two checkpoints whose tensors have the same names, without claims."""
    save(M, tmp_path / "m.safetensors", np.float32)
    save(N, tmp_path / "n.safetensors", np.float32)
    path = tmp_path / "s.circ"
    path.write_text(SPEC)
    return path


def value(v: Rows, u: Rows, word: tuple[int, ...]) -> float:
    """What `g` makes of a word."""
    return float(np.array(v)[word[0]] + np.array(u)[word[1]])


@pytest.mark.parametrize(
    ("edited", "v", "u", "times"),
    [
        ("f(s) do { m := n }", N["v"], N["u"], 1),
        ("f(s) do { m.v := n.v }", N["v"], M["u"], 1),
        ("f(s) do { m.u := n.u }", M["v"], N["u"], 1),
        ("g(s, m) do { m := n }", N["v"], N["u"], 1),
        ("k(s) do { m := n }", N["v"], N["u"], 2),
    ],
)
def test_an_edit_is_made_wherever_the_checkpoint_is_given(
    spec: Path, capsys: pytest.CaptureFixture[str], edited: str, v: Rows, u: Rows, times: int
) -> None:
    """An edited circuit gives the plain one's value on as many words as in numpy: no more, and no less."""
    plain = "k(s)" if times == 2 else "f(s)"
    spec.write_text(f"{SPEC}claim alike: forall s in Words: {edited} == {plain}\n")
    words = [*product(range(3), repeat=2)]
    otherwise = sum(value(v, u, w) != value(M["v"], M["u"], w) for w in words)
    assert 0 < otherwise < len(words)
    capsys.readouterr()
    assert command("prove", spec, "--no-cache", "--json") == 1
    found = cast("dict[str, Any]", json.loads(capsys.readouterr().out))
    assert found["claims"][0]["count"] == otherwise
    for word in words:
        said = edited.replace("s", f"[{', '.join('abc'[k] for k in word)}]", 1)
        spec.write_text(f"{SPEC}claim same: {said} == {times * value(v, u, word)!r}\n")
        assert command("prove", spec, "--no-cache") == 0


def test_what_no_call_is_given_feeds_nothing(
    spec: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The other checkpoint cannot change the circuit, and nothing is said of the one that can."""
    claims = [
        f"claim c{k}: forall s in Words: f(s) do {{ {e} }} == 0"
        for k, e in enumerate(("n := m", "n.v := m.v"))
    ]
    spec.write_text("\n".join([SPEC, *claims]))
    capsys.readouterr()
    assert command("check", spec, "--json") == 4
    found = json.loads(capsys.readouterr().out)["diagnostics"]
    assert [each["code"] for each in found] == ["E0502", "E0502"]


def test_a_patch_of_a_tensor_of_it_is_made(spec: Path) -> None:
    """The requirement holds of what is written, and the tensors that are not named are as they were."""
    patch = "patch mend of f { edit m.v\n require forall s in Words: f(s) > 0\n minimize l1 }\n"
    spec.write_text(SPEC + patch)
    assert command("patch", spec, "mend") == 0
    made = stored(spec.with_name("m.mend.safetensors"))
    assert made["u"].tolist() == M["u"]
    v = cast("Rows", made["v"].tolist())
    assert min(value(v, M["u"], w) for w in product(range(3), repeat=2)) > 0

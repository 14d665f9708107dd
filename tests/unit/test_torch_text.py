"""`circ compile --to torch`: what is written, that it runs without Circ, and that no name gets into it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import safetensors.numpy as library
import torch

from circ.compiler.ir import Bool, Index, Real
from circ.compiler.passes.drop_dead import drop_dead
from circ.compiler.pytorch.module import Asked, class_name, written
from circ.compiler.pytorch.of_spec import asked_claim, asked_of
from circ.compiler.query import expression
from circ.compiler.readings.torch import DTYPES, module
from circ.lang.span import Source
from circ.runtime.evaluate import evaluate
from circ.runtime.session import settings, usable
from tests.agreement.fresh_python import Cases, run_without_circ
from tests.unit.specs import Rows, command, write_spec

ROOT = Path(__file__).resolve().parents[2]

WEIGHTS: dict[str, Rows] = {
    "W": [[1.0, -2.0, 0.3], [0.5, 1.1, -0.7], [-1.5, 0.25, 0.9]],
    "b": [0.5, -1.0, 0.1],
    "E": [[0.1, 0.2, 0.3], [-0.4, 0.5, 0.6]],
}

SPEC = """
use std.attention: attention, causal_attention, hard_attention
enum Bit = { zero, one }
enum Mood = { calm, tense, lost }
checkpoint m from "model.safetensors"
param eps = 0.1

## Adds up.
circuit layer(x: real[3]) -> real[3] {
  let h = relu(m.W @ x + m.b)
  return m.W @ h - 0.1 * x
}
circuit twice(x: real[3]) -> real[3] {
  let first = layer(x)
  return layer(first) do { h[0] := it * eps }
}
circuit embedded[n](s: Bit[n]) -> real[n, 3] = [ m.E[c] for c in s ]
circuit soft[n](s: Bit[n]) -> real[n, 3] {
  let x = embedded(s)
  return x + attention(x, m.W, m.W, m.W, m.W)
}
circuit causal[n](s: Bit[n]) -> real[n, 3] = causal_attention(embedded(s), m.W, m.W, m.W, m.W)
circuit hard[n](s: Bit[n]) -> real[n, 3] = hard_attention(embedded(s), m.W, m.W, m.W, m.W)
circuit mood[n](s: Bit[n]) -> Mood = fold q = calm over c in s: match (q, c) {
  (calm, one)  => tense
  (tense, one) => lost
  (lost, _)    => lost
  (_, zero)    => calm
}
circuit decay[n](x: real[n]) -> real = fold a = 0 over v in x: 0.3 * a + v
circuit norms[n](x: real[n, 3]) -> real[n, 3] = [ v / sqrt(mean(v * v) + 0.00001) for v in x ]
circuit smooth(x: real[3]) -> real[3] = exp(softmax(x) * x) / (1 + exp(x))
circuit chosen(x: real[3]) -> real = cases {
  x[0] > 0.3 and not (x[1] <= x[2]) => max(x)
  argmax(x) == 1                    => min(x)
  else                              => dot(topk(2, x), x)
}
circuit table[n](s: Bit[n]) -> real[2] = [[0.1, 0.2], [0.3, 0.4]][s[-1]]
circuit often[n](s: Bit[n]) -> real = count { c in s | c == one }
space Space = real[3]
subspace Plane of Space = span [ m.b, m.E[0] ]
guard opened(x: Space) = dot(m.b, x) > 0.1
circuit guarded(x: Space) -> Space = cases {
  opened(x) => taken(m, x on Plane)
  else      => x off Plane
}
circuit shaped(x: real[2, 3]) -> real[3] = x[0] + [ 2 * r for r in x[1] ]
circuit masked(x: real[3, 3]) -> real[3, 3] =
  softmax(x, [ [ j != i for j in positions(x) ] for i in positions(x) ])
record Layer[d] = { W: real[d, d], b: real[d] }
circuit taken[d](p: Layer[d], x: real[d]) -> real[d] = p.W @ x + p.b
circuit constant() -> real[3] = m.W @ [1, 0.1, 1/3]

domain Box = { x: real[3] | -1 <= x <= 1 }
domain Words = { s: Bit[4] }
claim small: forall x in Box where x[0] >= 0.1: layer(x) <= 3
claim moods: forall s in Words, t in Words where s != t: mood(s) == mood(t)
claim floats over bfloat16: forall x in Box: layer(x)[0] < 9
"""

BITS = ("zero", "one")

CIRCUITS = {
    "layer": (), "twice": (), "embedded": (4,), "soft": (5,), "causal": (5,), "hard": (4,),
    "mood": (7,), "decay": (6,), "norms": (4,), "smooth": (), "chosen": (), "table": (3,),
    "often": (6,), "guarded": (), "shaped": (), "masked": (), "constant": (),
}  # fmt: skip


def inputs_of(asked: Asked, batch: int, dtype: torch.dtype) -> dict[str, torch.Tensor]:
    """Random inputs."""
    made = torch.Generator().manual_seed(7)
    found: dict[str, torch.Tensor] = {}
    for name, wire in asked.circuit.inputs.items():
        known = asked.circuit.types[wire]
        shape = (batch, *known.shape)
        match known.sort:
            case Real():
                value = torch.randn(shape, generator=made, dtype=torch.float64).to(dtype)
            case Index(size=size):
                value = torch.randint(0, size, shape, generator=made)
            case Bool():
                value = torch.randint(0, 2, shape, generator=made) == 1
        found[name] = value
    return found


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16])
def test_circuits_of_a_spec_compute_the_reading_bit_for_bit(
    dtype: type[np.floating], tmp_path: Path
) -> None:
    """Comprehensions, folds, counts, attention, edits: alone, in a Python without Circ, at each batch."""
    (tmp_path / "spec.circ").write_text(SPEC)
    model = tmp_path / "model.safetensors"
    tensors = {name: np.array(rows, dtype=dtype) for name, rows in WEIGHTS.items()}
    library.save_file(tensors, model)  # pyright: ignore[reportUnknownMemberType]
    program = usable(tmp_path / "spec.circ", settings((), (), False))
    cases = Cases(tmp_path)
    for name, sizes in CIRCUITS.items():
        asked = asked_of(program, name, sizes, tmp_path)
        runs = module(asked.circuit, program.weights, DTYPES[asked.dtype])
        text = written(asked)
        for batch in (1, 3) if asked.circuit.inputs else (1,):
            inputs = inputs_of(asked, batch, runs.dtype)
            with torch.no_grad():
                found = runs(inputs)
            files = {"m": model} if "TENSORS" in text else {}
            cases.add(text, class_name(asked), [*inputs.values()], found, files)
    assert cases.differing() == []


def test_a_claim_is_what_the_replay_runs(tmp_path: Path) -> None:
    """Naming the sites of a claim changes none of its ops, and its goal and conditions are the replay's."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    program = usable(spec, settings((), (), False))
    cases = Cases(tmp_path)
    for name in ("small", "moods", "floats"):
        bare = program.claim(name)
        asked = asked_claim(program, name, None, tmp_path)
        shared = {key: wire for key, wire in asked.circuit.outputs.items() if key != "margin"}
        kept = {key: bare.circuit.outputs[key] for key in shared}
        named = drop_dead(replace(asked.circuit, outputs=shared))
        assert named == drop_dead(replace(bare.circuit, outputs=kept))
        runs = module(replace(bare.circuit, outputs=kept), program.weights, DTYPES[asked.dtype])
        assert (name == "floats") == (asked.dtype == "BF16")
        inputs = inputs_of(asked, 4, runs.dtype)
        with torch.no_grad():
            found = runs(inputs)
            found |= module(asked.circuit, program.weights, DTYPES[asked.dtype])(inputs)
        text = written(asked)
        files = {"m": tmp_path / "model.safetensors"} if "TENSORS" in text else {}
        cases.add(text, class_name(asked), [*inputs.values()], found, files)
    assert cases.differing() == []


QUESTIONS = (
    "layer([0.1, -0.7, 0.3])",
    "smooth([1, 0.1, -2])",
    "chosen([1, 0.1, -2])",
    "decay([0.1, 0.2, 0.7, 0.3])",
    "soft([one, zero, one])",
    "causal([one, zero, one, one])",
    "mood([one, one])",
)


def test_it_computes_what_circ_run_shows(tmp_path: Path) -> None:
    """The value of a call is the one of the written circuit at its arguments."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    program = usable(spec, settings((), (), False))
    cases = Cases(tmp_path)
    for question in QUESTIONS:
        shown = evaluate(expression(program, Source("<expression>", question), {}), program.weights)
        name, _, rest = question.partition("(")
        words = rest.strip("[])").split(", ")
        asked = asked_of(program, name, (len(words),) if CIRCUITS[name] else (), tmp_path)
        (taken,) = (asked.circuit.types[wire] for wire in asked.circuit.inputs.values())
        given = [float(word) if taken.sort == Real() else BITS.index(word) for word in words]
        dtype = DTYPES[asked.dtype]
        result = asked.circuit.types[asked.circuit.outputs["result"]]
        wanted = torch.tensor(shown.computed, dtype=dtype if result.sort == Real() else torch.int64)
        text = written(asked)
        cases.add(
            text,
            class_name(asked),
            [torch.tensor([given], dtype=dtype if taken.sort == Real() else torch.int64)],
            {"result": wanted.reshape(1, *result.shape)},
            {"m": tmp_path / "model.safetensors"} if "TENSORS" in text else {},
        )
    assert cases.differing() == []


def test_the_text_has_the_words_of_the_spec(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Lets are names, their lines stand above, what is done for each row is a comprehension, and a fold
    is a loop."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    assert command("compile", spec, "soft[5]", "--to", "torch") == 0
    text = capsys.readouterr().out
    assert "# let x = embedded(s)  (spec.circ:" in text
    assert "x = stack([lookup(E, c) for c in rows(s)])  # (batch, 5, 3)" in text
    assert "pattern = scores.softmax(-1)  # (batch, 5, 5)" in text
    assert '"m": Path(__file__).parent / "model.safetensors",' in text
    assert command("compile", spec, "layer", "--to", "torch") == 0
    text = capsys.readouterr().out
    assert "# Adds up.\nclass Layer(nn.Module):" in text
    assert 'h = torch.relu(einsum("ab,b->a", W, x) + b)  # (batch, 3)' in text
    assert command("compile", spec, "causal[5]", "--to", "torch") == 0
    text = capsys.readouterr().out
    assert "pattern = kept_softmax(scores, [list(range(i + 1)) for i in range(5)])" in text
    assert command("compile", spec, "masked", "--to", "torch") == 0
    assert "kept_softmax(x, [[1, 2], [0, 2], [0, 1]])" in capsys.readouterr().out
    assert command("compile", spec, "mood[7]", "--to", "torch") == 0
    text = capsys.readouterr().out
    assert (
        "        for c in rows(s)[1:]:\n            q = lookup(self.codes([0, 1, 0, 2, 2, 2], 3, 2), q, c)\n"
        in text
    )


def test_the_file_finds_its_checkpoint_from_where_it_lies(tmp_path: Path) -> None:
    """By a path that starts at the written file, wherever that is run from."""
    (tmp_path / "specs").mkdir()
    (tmp_path / "out").mkdir()
    spec = write_spec(tmp_path / "specs", SPEC, WEIGHTS)
    out = tmp_path / "out" / "layer.py"
    assert command("compile", spec, "layer", "--to", "torch", "-o", out) == 0
    script = (
        "import sys, runpy, torch; sys.modules['circ'] = None; "
        "found = runpy.run_path(sys.argv[1]); "
        "print(found['Layer'].load()(torch.zeros(2, 3)).shape)"
    )
    assert run_without_circ(script, out) == "torch.Size([2, 3])\n"


def test_a_tensor_of_another_shape_is_refused(tmp_path: Path) -> None:
    """What is passed as a state dictionary has to fit."""
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    out = tmp_path / "layer.py"
    assert command("compile", spec, "layer", "--to", "torch", "-o", out) == 0
    script = (
        "import sys, runpy, torch; found = runpy.run_path(sys.argv[1]); "
        "try_it = lambda W: found['Layer']({'W': W, 'b': torch.zeros(3)}); try_it(torch.zeros(3, 3))\n"
        "try: try_it(torch.zeros(9))\n"
        "except ValueError as error: print(error)"
    )
    assert run_without_circ(script, out) == "W is (9,) and not (3, 3)\n"


# --- what cannot be written -----------------------------------------------------------------


WRONG = {
    "nothing": ("E0704", "layer"),
    "layer[3]": ("E0710", "leave the sizes out"),
    "taken": ("E0710", "`taken[8]`"),
    "mood": ("E0710", "`mood[8]`"),
    "mood[3, 4]": ("E0710", "`mood[8]`"),
    "small[3]": ("E0710", "leave the sizes out"),
    "mood[999999999]": ("E0222", ""),
    "mood[": ("E0704", ""),
    "mood[" + "9" * 5000 + "]": ("E0704", ""),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_name_is_one_error(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With what there is, or what to write instead."""
    code, said = WRONG[name]
    spec = write_spec(tmp_path, SPEC, WEIGHTS)
    assert command("compile", spec, name, "--to", "torch") == 4
    shown = capsys.readouterr()
    assert code in shown.err
    assert said in shown.err
    assert shown.out == ""

"""The circuits of `std.gpt2` and `std.llama` against the library that their layouts are of.

`tests/layouts` has tiny checkpoints as `transformers` stores them, what it computes on all words of three letters, and
the script that wrote both. What is recorded is compared in seconds; the slow test asks the library anew.
"""

from __future__ import annotations

import shutil
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from safetensors.torch import (
    load_file,  # pyright: ignore[reportUnknownVariableType]
)
from torch import Tensor

from circ.compiler.driver import Program, check
from circ.compiler.query import expression
from circ.compiler.readings.intervals import Reals
from circ.compiler.stored import Files
from circ.compiler.verdict import Proved, Refuted
from circ.lang.span import Source
from circ.runtime.evaluate import evaluate
from circ.runtime.prover import prove
from tests.layouts.write import write

LAYOUTS = Path(__file__).parents[1] / "layouts"
MODELS = ("gpt2", "llama")
ASKED = (0, 7, 31, 62, 93, 124)
"""Some of the 125 words, by their place."""


def opened(folder: Path, model: str, most: float = 1.0) -> Program:
    """The spec of a model on the checkpoint in a folder, `most` bounding its logits."""
    source = Source("model.circ", (LAYOUTS / model / "model.circ").read_text())
    program = check(source, Files(folder / model), {"most": Fraction(most)})
    assert not program.diagnostics.failed
    return program


def word(place: int) -> list[int]:
    """A word by its place among all."""
    return [place // 25, place // 5 % 5, place % 5]


def written(place: int) -> str:
    """The letters of a word as expressions: the place of the one in a list of zeros."""
    rows = ([int(i == letter) for i in range(5)] for letter in word(place))
    return ", ".join(f"argmax({row})" for row in rows)


def recorded(folder: Path, model: str) -> Tensor:
    """What the library computes, float32[125, 3, 5]."""
    return load_file(folder / model / "logits.safetensors")["logits"]


def agrees(folder: Path, model: str) -> None:
    """Circ's PyTorch reading at the checkpoint's dtype and the exact value are what the library has."""
    program, logits = opened(folder, model), recorded(folder, model)
    for place in ASKED:
        asked = expression(program, Source("line", f"model([{written(place)}])"), {})
        found = evaluate(asked, program.weights)
        assert isinstance(found.exact, Reals)
        exact = torch.tensor([float(low) for low, _ in found.exact.box])
        computed = torch.tensor(found.computed)
        wanted = logits[place].flatten()
        assert torch.allclose(computed, wanted, rtol=1e-5, atol=1e-5)
        assert torch.allclose(exact, wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_logits_are_those_of_the_library(model: str) -> None:
    """At every position of a word, to the precision of float32."""
    agrees(LAYOUTS, model)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_what_holds_of_all_words_is_proved(model: str) -> None:
    """A bound just above the largest logit is proved, and one just below it refuted by the word that has it."""
    logits = recorded(LAYOUTS, model)
    largest = float(logits.abs().max())
    above, below = opened(LAYOUTS, model, largest + 1e-4), opened(LAYOUTS, model, largest - 1e-4)

    assert isinstance(prove(above.claim("bounded"), above.weights), Proved)
    verdict = prove(below.claim("bounded"), below.weights)
    assert isinstance(verdict, Refuted)
    assert verdict.failing[0]["s"] == tuple(word(int(logits.abs().amax((1, 2)).argmax())))


@pytest.mark.parametrize("model", ["gpt2", pytest.param("llama", marks=pytest.mark.slow)])
def test_claims_about_its_sites_are_proved(model: str) -> None:
    """Patterns and scales are read and replaced by their names."""
    program = opened(LAYOUTS, model)
    for name in program.typed.scope.claims.keys() - {"bounded"}:
        assert isinstance(prove(program.claim(name), program.weights), Proved), name


@pytest.mark.slow
@pytest.mark.parametrize("seed", [10, 20])
def test_so_are_those_of_other_models(seed: int, tmp_path: Path) -> None:
    """Drawn anew, stored by the library and computed by it."""
    write(tmp_path, seed)
    for model in MODELS:
        shutil.copy(LAYOUTS / model / "model.circ", tmp_path / model)
        agrees(tmp_path, model)


@pytest.mark.slow
def test_what_is_recorded_is_what_the_library_writes(tmp_path: Path) -> None:
    """The script makes the same tensors and logits again, in the same files."""
    write(tmp_path)
    for path in LAYOUTS.glob("*/*.safetensors"):
        ours, theirs = load_file(path), load_file(tmp_path / path.relative_to(LAYOUTS))
        assert ours.keys() == theirs.keys()
        assert all(torch.allclose(ours[name], theirs[name], atol=1e-5) for name in ours)

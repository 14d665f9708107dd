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
from circ.compiler.pytorch.of_spec import asked_of
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import at_point, enclose
from circ.compiler.readings.torch import module
from circ.compiler.stored import Files
from circ.compiler.verdict import Proved, Refuted
from circ.lang.span import Source
from circ.runtime.prover import prove
from tests.layouts.write import write

LAYOUTS = Path(__file__).parents[1] / "layouts"
MODELS = ("gpt2", "llama")
ASKED = (31, 93)
"""Some of the 125 words, by their place."""

MORE = (0, 7, 31, 62, 93, 124)


def opened(folder: Path, model: str, most: float = 1.0) -> Program:
    """The spec of a model on the checkpoint in a folder, `most` bounding its logits."""
    source = Source("model.circ", (LAYOUTS / model / "model.circ").read_text())
    program = check(source, Files(folder / model), {"most": Fraction(most)})
    assert not program.diagnostics.failed
    return program


def word(place: int) -> list[int]:
    """A word by its place among all."""
    return [place // 25, place // 5 % 5, place % 5]


def recorded(folder: Path, model: str) -> Tensor:
    """What the library computes, float32[125, 3, 5]."""
    return load_file(folder / model / "logits.safetensors")["logits"]


def agrees(folder: Path, model: str, asked: tuple[int, ...]) -> None:
    """Circ's PyTorch reading at the checkpoint's dtype and the exact value are what the library has."""
    written = (LAYOUTS / model / "model.circ").read_text().partition("\ndomain ")[0]
    program = check(Source("model.circ", written), Files(folder / model), {})
    logits = recorded(folder, model)
    circuit = asked_of(program, "model", [], folder).circuit
    runs = module(circuit, program.weights, torch.float32)
    with torch.no_grad():
        (computed,) = runs({"s": torch.tensor([word(place) for place in asked])}).values()
    for place, found in zip(asked, computed, strict=True):
        point = at_point(circuit, {"s": word(place)})
        (exact,) = enclose(circuit, point, program.weights).values()
        assert isinstance(exact, Reals)
        middle = torch.tensor([float(low) for low, _ in exact.box])
        assert torch.allclose(found, logits[place], rtol=1e-5, atol=1e-5)
        assert torch.allclose(middle, logits[place].flatten(), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("model", MODELS)
def test_logits_are_those_of_the_library(model: str) -> None:
    """At every position of a word, to the precision of float32."""
    agrees(LAYOUTS, model, ASKED)


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


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_claims_about_its_sites_are_proved(model: str) -> None:
    """Patterns and scales are read and replaced by their names; `test_layouts_by_hand.py` does so on smaller models."""
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
        agrees(tmp_path, model, MORE)


@pytest.mark.slow
def test_what_is_recorded_is_what_the_library_writes(tmp_path: Path) -> None:
    """The script makes the same tensors and logits again, in the same files."""
    write(tmp_path)
    for path in LAYOUTS.glob("*/*.safetensors"):
        ours, theirs = load_file(path), load_file(tmp_path / path.relative_to(LAYOUTS))
        assert ours.keys() == theirs.keys()
        assert all(torch.allclose(ours[name], theirs[name], atol=1e-5) for name in ours)

"""The example of an induction head, held against plain PyTorch."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from tests.unit.files import load
from tests.unit.specs import command

SPEC = Path(__file__).parents[2] / "examples" / "induction" / "induction.circ"
CLAIMS = ("reads_previous", "needs_prev")
OTHERS = ("finds", "needs_copy", "other_is_idle", "shift_will_do", "copies")


def test_the_rule_is_proved_on_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    """The domain has the words with one earlier occurrence: 7 places, 5 tokens, 4^6 others."""
    assert command("prove", SPEC, "right", "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["claims"]
    assert found["size"]["inputs"] == 7 * 5 * 4**6
    assert found["margin"] > 11


@pytest.mark.parametrize(
    "claim", [*CLAIMS, *(pytest.param(x, marks=pytest.mark.slow) for x in OTHERS)]
)
def test_claims_about_the_mechanism_are_proved(claim: str) -> None:
    """What the heads read, and what happens without them or with others in their place."""
    assert command("prove", SPEC, claim) == 0


def test_plain_pytorch_agrees() -> None:
    """The trained model, with no Circ, is right on every word of the domain, in float64."""
    train = runpy.run_path(str(SPEC.with_name("train.py")))
    model = train["Model"]().double()
    model.load_state_dict(load(SPEC.with_name("model.safetensors")))
    words = train["words_of_the_domain"]()
    assert len(words) == 143_360
    assert train["wrong"](model, words, train["right_token"](words)) == 0

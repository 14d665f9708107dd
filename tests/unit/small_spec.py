"""A small spec with its checkpoint, for the tests of what asks questions about one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from circ.compiler.driver import Program
from circ.runtime.session import Request, checked
from tests.unit import specs
from tests.unit.specs import Rows

SPEC = """\
## Votes of letters.

enum Char = { letter, quote, "two words" }
enum Side = { outside, inside }

checkpoint m from "model.safetensors" {
  votes.score: real[Char, Side]
}

param half = 0.5

## Which side of the quotes a word ends on.
circuit side[n](s: Char[n]) -> Side =
  fold q = outside over c in s: match (q, c) {
    (outside, quote) => inside
    (inside, quote)  => outside
    _                => q
  }

circuit model(s: Char[3]) -> real[Side] {
  let hidden = [ m.votes.score[c] for c in s ]
  return sum(hidden)
}

circuit affine(x: real[2]) -> real[2] = m.W @ x

domain Words = { s: Char[3] }
domain Square = { x: real[2] | -1 <= x <= 1 }
domain Places = { i: fin[4] }

## One letter decides nothing.
claim few: forall s in Words where s[1] == letter and s[2] == letter: argmax(model(s)) == side(s)
claim right expects refuted: forall s in Words: argmax(model(s)) == side(s)
"""

WEIGHTS: Mapping[str, Rows] = {
    # A letter votes for outside by a little, a quote for inside by more.
    "votes.score": [[0.25, 0.0], [0.0, 1.0], [0.0, 0.0]],
    "W": [[0.5, 0.25], [0.1, -1.0]],
}


def write_spec(folder: Path, text: str = SPEC) -> Path:
    """The spec's file, beside its checkpoint."""
    return specs.write_spec(folder, text, WEIGHTS)


def program(folder: Path, text: str = SPEC) -> Program:
    """The spec, checked."""
    return checked(write_spec(folder, text), Request())

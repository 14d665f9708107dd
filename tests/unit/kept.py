"""A spec with a verdict of each kind, and a count of what is decided: for tests of the cache."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import pytest

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.obligation import Question
from circ.compiler.tensor import Weights
from circ.runtime import answer
from circ.runtime.cache import recall, table
from circ.runtime.cache.recall import Answered, answered
from circ.runtime.lengths import Decided
from circ.runtime.session import Request, checked
from tests.unit import specs
from tests.unit.specs import Rows

SPEC = """
enum Char = { letter, quote }
enum Side = { outside, inside }

checkpoint m from "model.safetensors"

param most = 3

circuit votes[n](s: Char[n]) -> real[Side] = sum([ m.score[c] for c in s ])
circuit affine(x: real[2]) -> real[2] = m.W @ x
circuit level(r: real) -> real = cases {
  r >= 100  => 2
  else      => 1
}

domain Words  = { s: Char[3] }
domain Some   = { s: Char[1..4] }
domain Any    = { s: Char[1..] }
domain Square = { x: real[2] | -1 <= x <= 1 }

claim holds:    forall s in Words: votes(s)[inside] <= most
claim fails:    forall s in Words: votes(s)[inside] <= 1
claim found:    exists s in Words: votes(s)[inside] >= 3
claim none:     exists s in Words: votes(s)[inside] > 3
claim nothing:  forall s in Words where votes(s)[inside] > 3: votes(s)[outside] > 0
claim counted:  count { s in Words | votes(s)[inside] >= 2 } == 4
claim short:    forall s in Some: votes(s)[inside] <= 4
claim longer:   forall s in Some: votes(s)[inside] <= 2
claim endless:  forall s in Any: votes(s)[inside] >= 0
claim breaks:   forall s in Any: votes(s)[inside] <= 2
claim armed:    forall s in Words: level(votes(s)[inside]) <= 2
claim boxed:    forall x in Square: affine(x)[0] <= 0.5
"""

CLAIMS = tuple(
    line.split(":")[0].removeprefix("claim ")
    for line in SPEC.splitlines()
    if line.startswith("claim ")
)

WEIGHTS: dict[str, Rows] = {"score": [[0.25, 0.0], [0.0, 1.0]], "W": [[0.5, 0.25], [0.1, -1.0]]}


@dataclass(slots=True)
class Desk:
    """A spec on the disk, and the names of the claims that were decided rather than recalled."""

    spec: Path
    decided: list[str] = field(default_factory=list[str])

    @property
    def folder(self) -> Path:
        """Where its verdicts are kept."""
        return self.spec.parent / ".circ-cache"

    @property
    def file(self) -> Path:
        """The file that has them."""
        return self.folder / table.FILE

    def write(self, text: str = SPEC, **changed: Rows) -> None:
        """Put another spec, or other weights, in the place of what is there."""
        specs.write_spec(self.spec.parent, text, WEIGHTS | changed)

    def ask(
        self, claim: str, limits: Limits | None = None, folder: Path | None = None, **params: int
    ) -> Answered:
        """A claim's verdict, from the cache if it is there."""
        given = {name: Fraction(value) for name, value in params.items()}
        program = checked(self.spec, Request(given))
        where = folder or self.folder
        return answered(program.question(claim), program.weights, limits or Limits(), silent, where)

    def rows(
        self, change: str = "SELECT key, body, seal FROM verdicts"
    ) -> list[tuple[str, bytes, bytes]]:
        """What SQLite says to a command, by itself."""
        with closing(sqlite3.connect(self.file, isolation_level=None)) as opened:
            return opened.execute(change).fetchall()


def always(found: object) -> Callable[..., object]:
    """A function that says the same, whatever it is asked."""

    def say(*_: object) -> object:
        return found

    return say


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Desk]:
    """The spec in a folder of its own, for a user without any verdicts yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
    monkeypatch.delenv("CIRC_NO_CACHE")
    (tmp_path / "work").mkdir()
    found = Desk(tmp_path / "work" / "spec.circ")
    found.write()

    def counting(
        question: Question, weights: Weights, limits: Limits, progress: Progress
    ) -> Decided:
        found.decided.append(question.name)
        return answer.answer(question, weights, limits, progress)

    monkeypatch.setattr(recall, "answer", counting)
    yield found

"""What is to be decided: a claim, lowered.

`circuit` has one input a binder and these outputs, all scalar truths:
- `in <binder>`: the binder's domain condition, reading that binder alone;
- `in (<binder>, …)`: what the domain of several binders says of them together;
- `where`: the claim's `where`;
- `goal`: the claim's body;
- `assumed`: what the lemmas say that the claim is to be decided by, where it has some;
- `premise`: the left side of a top-level `implies`, where there is one;
- `arm <n>`: whether the n-th `cases` arm is reached (`Obligation.arms` says which it is);
- `show <text>`: a value that the goal compares, to be shown at a witness (of any type);
- `site <n>`: where they are asked for, the value of the n-th site (`Obligation.sites` says which it is).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Literal

from circ.compiler.ir import Circuit, WireType
from circ.lang.span import Span
from circ.lang.types import Lengths

Box = tuple[tuple[Fraction, Fraction], ...]
"""Lower and upper bound of each entry, row-major."""


@dataclass(frozen=True, slots=True)
class Words:
    """All words: `length` positions, each a member of the enum (names for display).

    `rows` is the name of a data set, where the one letter is the number of a row of it.
    """

    members: tuple[str, ...]
    rows: str = ""


@dataclass(frozen=True, slots=True)
class Reals:
    """A box that contains the domain; the domain itself is the `in` condition within it."""

    box: Box


@dataclass(frozen=True, slots=True)
class Bound:
    """One binder: an input wire of this type, and the values it ranges over."""

    name: str
    type: WireType
    values: Words | Reals


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number that a circuit reads under this name, a real scalar that is none of its binders.

    It is how many inputs of the questions meet their conditions and their goal: of one, or of one for
    each length of a word that may have several. `text` is how it is written.
    """

    name: str
    text: str
    questions: tuple[Obligation, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """A `let`, or the state of a fold, that a wire is the value of: its name, and where it is written."""

    name: str
    span: Span


@dataclass(frozen=True, slots=True)
class Obligation:
    """A claim, or one `require` / `preserve` of a patch, ready to be decided."""

    name: str
    quantifier: Literal["forall", "exists"]
    circuit: Circuit
    binders: tuple[Bound, ...]
    span: Span
    expects: Literal["proved", "refuted"] = "proved"
    members: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    """The member names behind an `Index` output, by the output's name."""
    arms: tuple[Span, ...] = ()
    quantities: tuple[Quantity, ...] = ()
    """The counts that a claim without binders compares."""
    length: int | None = None
    """Of the word, where that may have several: then there is one obligation for each."""
    sites: tuple[Site, ...] = ()
    over: str | None = None
    """The float format whose executions a `forall` is about; None where it is about real numbers."""

    @property
    def title(self) -> str:
        """The name, and the length that tells it from others of that name."""
        return self.name if self.length is None else f"{self.name} at length {self.length}"

    @property
    def conditions(self) -> tuple[str, ...]:
        """The outputs that an input must meet to count."""
        return tuple(
            name for name in self.circuit.outputs if name in {"where"} or name[:3] == "in "
        )

    @property
    def joint_conditions(self) -> tuple[str, ...]:
        """Those of the conditions that are no binder's own."""
        own = {f"in {bound.name}" for bound in self.binders}
        return tuple(name for name in self.conditions if name not in own)


@dataclass(frozen=True, slots=True)
class Question:
    """A claim: one obligation, or one for each length of a word that may have several.

    `at(length)` raises `CircError` where the claim cannot be lowered; `at(None)` is the shortest.
    `alike(length)` is the same, its circuit of one form for all lengths that a word may have.
    """

    name: str
    at: Callable[[int | None], Obligation]
    alike: Callable[[int | None], Obligation]
    lengths: Lengths | None = None


@dataclass(frozen=True, slots=True)
class Lemma:
    """A claim, by its name, that another takes as a lemma; `covers` asks whether it speaks of all inputs of that."""

    name: str
    covers: Question


@dataclass(frozen=True, slots=True)
class AtValue:
    """A claim at one value of the variables of a quantifier before its own; `text` is how that is written: `i = 3`."""

    value: Witness
    text: str
    question: Question


@dataclass(frozen=True, slots=True)
class Each:
    """A claim with a quantifier before its own: a question for each value that this goes through.

    `head` has its variables, and what it says.
    """

    head: Obligation
    values: tuple[AtValue, ...]


@dataclass(frozen=True, slots=True)
class Witness:
    """One input of an obligation: a Fraction or a member's code for each entry of each binder."""

    values: tuple[tuple[str, tuple[Fraction | int, ...]], ...]

    def __getitem__(self, name: str) -> tuple[Fraction | int, ...]:
        return dict(self.values)[name]

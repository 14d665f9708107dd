"""Verdicts, and the evidence each carries. Never a bare Boolean, never None for "don't know"."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import inf
from typing import Literal

from circ.compiler.obligation import Witness


@dataclass(frozen=True, slots=True)
class Size:
    """How many inputs the domain has; `exact` is None for a continuum of `dimensions`."""

    exact: int | None
    dimensions: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """A value at a witness: its name in the spec, exact and as PyTorch computed it (as text)."""

    name: str
    exact: str
    torch: str


@dataclass(frozen=True, slots=True)
class Replay:
    """What the exact reference and the PyTorch module say at a witness.

    `exact` decides, but for a claim over floats, where `torch` does. `violation` is the signed margin of the goal there (negative when it fails),
    None where the goal compares only discrete values. `tie`: the outcome needs a choice between
    equal scores. `deviation` bounds how far PyTorch can stray from exact, where that was computed.
    `rounded`: the witness is no input of PyTorch's dtype, so PyTorch was given the nearest one.
    `late`: the time was up before the exact reference had said anything.
    """

    exact: bool
    torch: bool
    shown: tuple[Shown, ...]
    violation: Fraction | None = None
    tie: bool = False
    deviation: float | None = None
    rounded: bool = False
    late: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """An input and its replay."""

    witness: Witness
    replay: Replay


@dataclass(frozen=True, slots=True)
class ByLength:
    """What is known of each length of a word that may have several.

    `at`: the length of the word that decides, or of the first that is undecided. `held`: the lengths
    at which no word decides otherwise; at those that are `vacuous` no word meets the conditions;
    those `open` are not decided, or were not reached. `onwards`: what `held` says is so of every
    length from this one on; `none_from`: no word of this length or of a greater one meets them.
    """

    at: int | None
    held: tuple[int, ...]
    vacuous: tuple[int, ...] = ()
    open: tuple[int, ...] = ()
    onwards: int | None = None
    none_from: int | None = None


@dataclass(frozen=True, slots=True)
class Counted:
    """How many inputs meet a condition: `low` to `high` of the `size` there are, if that is known.

    `reason` says why it is not one number, `hint` what to try; these, `method` and `trusted` are words
    for people.
    """

    low: int
    high: int
    size: int | None
    method: str
    trusted: tuple[str, ...]
    reason: str = ""
    hint: str = ""
    interrupted: bool = False

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.low == self.high


@dataclass(frozen=True, slots=True)
class Straying:
    """How far executions in a float format can be from the exact values, on the whole domain.

    `most`: for each compared quantity, the furthest that one strays; infinite where there is no bound,
    for which `reason` has a cause. `changed`: the truths and members that rounding may change, `kept`
    those that it does not. `meets`: whether every execution meets the claim, which was proved of exact
    numbers; `margin` is what that may take.
    """

    format: str
    model: str
    most: tuple[tuple[str, float], ...]
    changed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    meets: bool = False
    margin: float = inf
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proved:
    """`method` and `trusted` are words for people; `margin` is the least slack found, a lower bound.

    `example` is the witness of an `exists`, `counts` what a claim about numbers of inputs rests on.
    `rounding` is how far float executions stray, where some input is a real number.
    """

    method: str
    trusted: tuple[str, ...]
    size: Size
    margin: float | None = None
    closest: Witness | None = None
    example: Example | None = None
    warnings: tuple[str, ...] = ()
    lengths: ByLength | None = None
    counts: tuple[Counted, ...] = ()
    rounding: Straying | None = None


@dataclass(frozen=True, slots=True)
class Refuted:
    """`example` is absent for an `exists`, where no input of the domain is a witness, and for `counts`.

    `failing` lists failing inputs, the worst first; `count` is how many there are in all where the
    whole domain was decided, else None; `classes`, where one was listed of each failing class of
    inputs, how many fail and how many there are. Of those listed, `replayed` were also replayed in exact
    arithmetic, and `reproduced` fail in the PyTorch module too. `interrupted`: the user asked to
    stop before all were found.
    """

    method: str
    trusted: tuple[str, ...]
    size: Size
    example: Example | None
    count: int | None = None
    failing: tuple[Witness, ...] = ()
    classes: tuple[int, int] | None = None
    replayed: int = 0
    reproduced: int = 0
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    lengths: ByLength | None = None
    counts: tuple[Counted, ...] = ()


@dataclass(frozen=True, slots=True)
class Vacuous:
    """Nothing meets the assumptions; `reason` says which."""

    reason: str
    method: str
    lengths: ByLength | None = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """Undecided, with the reason, the best bound reached and the hardest input or region."""

    reason: str
    method: str
    bound: float | None = None
    hardest: Witness | None = None
    hint: str = ""
    interrupted: bool = False
    lengths: ByLength | None = None
    counts: tuple[Counted, ...] = ()


Verdict = Proved | Refuted | Vacuous | Unknown
"""What cannot even be asked is a diagnostic, and the outcome `error` of its claim."""

Outcome = Literal["proved", "refuted", "vacuous", "unknown", "error"]


def outcome(verdict: Verdict) -> Outcome:
    """The verdict's one word."""
    match verdict:
        case Proved():
            return "proved"
        case Refuted():
            return "refuted"
        case Vacuous():
            return "vacuous"
        case Unknown():
            return "unknown"


def plain_method(method: str) -> str:
    """How, without how much of it, which differs from length to length."""
    kept = method.split(" over ")[0].split(" of ")[0]
    before, _, last = kept.rpartition(", ")
    return before if before and last.replace(",", "").isdecimal() else kept

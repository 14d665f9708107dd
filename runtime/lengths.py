"""Claims about words of several lengths: decided length by length, from the shortest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import inf
from time import monotonic

from circ.compiler.finding import Limits, Progress
from circ.compiler.obligation import Obligation, Question
from circ.compiler.tensor import Weights
from circ.compiler.verdict import (
    ByLength,
    Proved,
    Refuted,
    Size,
    Unknown,
    Vacuous,
    Verdict,
    plain_method,
)
from circ.runtime.prover import prove

FEW_WORDS = 1 << 14
"""So many words of one length are gone through one by one first; more would add up."""

MORE_TIME = "more time (`--timeout`), or fewer lengths"

Decided = tuple[Obligation, Verdict]
"""The claim at the length of the word that the verdict shows, and the verdict on all lengths."""


@dataclass(slots=True)
class Tally:
    """What is known length by length; `first` has the first verdict of each kind, with its claim."""

    held: list[int] = field(default_factory=list[int])
    vacuous: list[int] = field(default_factory=list[int])
    open: list[int] = field(default_factory=list[int])
    proofs: list[tuple[Obligation, Proved | Refuted]] = field(
        default_factory=list[tuple[Obligation, "Proved | Refuted"]]
    )
    undecided: list[tuple[Obligation, Unknown]] = field(
        default_factory=list[tuple[Obligation, Unknown]]
    )
    empty: list[tuple[Obligation, Vacuous]] = field(
        default_factory=list[tuple[Obligation, Vacuous]]
    )

    def so_far(self, at: int | None) -> ByLength:
        """The lengths of each kind."""
        return ByLength(at, tuple(self.held), tuple(self.vacuous), tuple(self.open))


def one_by_one(
    question: Question, lengths: Sequence[int], weights: Weights, limits: Limits, progress: Progress
) -> Decided:
    """Decide a claim at each length until one decides them all: a word that fails, or that is found."""
    until, tally = monotonic() + limits.timeout, Tally()
    limits = replace(limits, few=min(limits.few, FEW_WORDS))
    for done, length in enumerate(lengths):

        def move(share: float, doing: str, done: int = done, length: int = length) -> None:
            progress((done + share) / len(lengths), f"length {length}: {doing}")

        left = max(until - monotonic(), 0.0)
        asked = question.at(length)
        verdict = prove(asked, weights, replace(limits, timeout=left), move)
        if settles(asked, verdict):
            return asked, replace(verdict, lengths=tally.so_far(length))
        noted(tally, length, asked, verdict)
        stopped = isinstance(verdict, Unknown) and verdict.interrupted
        if (stopped or monotonic() > until) and length != lengths[-1]:
            not_reached(tally, lengths[done + 1 :], asked)
            break
    return overall(tally)


def together(found: Sequence[Decided]) -> Decided:
    """The verdict on all lengths, where none of them refutes; a single one is its own."""
    if len(found) == 1:
        return found[0]
    tally = Tally()
    for question, verdict in found:
        assert question.length is not None
        noted(tally, question.length, question, verdict)
    return overall(tally)


def settles(question: Obligation, verdict: Verdict) -> bool:
    """Whether one length decides all: a `forall` that fails there, an `exists` that is met."""
    return isinstance(verdict, Refuted if question.quantifier == "forall" else Proved)


def noted(tally: Tally, length: int, question: Obligation, verdict: Verdict) -> None:
    """Keep what was found at a length."""
    match verdict:
        case Proved() | Refuted():
            tally.held.append(length)
            tally.proofs.append((question, verdict))
        case Vacuous():
            tally.vacuous.append(length)
            tally.empty.append((question, verdict))
        case Unknown():
            tally.open.append(length)
            tally.undecided.append((question, verdict))


def not_reached(tally: Tally, lengths: Sequence[int], asked: Obligation) -> None:
    """The time was up, or the user asked to stop, before these lengths."""
    tally.open.extend(lengths)
    reason = f"time ran out before length {lengths[0]}"
    tally.undecided.append((asked, Unknown(reason, "going through the lengths", hint=MORE_TIME)))


def overall(tally: Tally) -> Decided:
    """The verdict where no single length decides: the worst one."""
    if tally.open:
        question, verdict = tally.undecided[0]
        return question, replace(verdict, lengths=tally.so_far(tally.open[0]))
    if not tally.proofs:
        question, nothing = tally.empty[0]
        return question, replace(nothing, lengths=tally.so_far(None))
    question, closest = min(tally.proofs, key=lambda found: least(found[1]))
    proofs = [verdict for _, verdict in tally.proofs]
    if not all(isinstance(proof, Proved) and proof.margin is not None for proof in proofs):
        closest = without_margin(closest)
    whole = replace(
        closest,
        method=", ".join(dict.fromkeys(plain_method(proof.method) for proof in proofs)),
        trusted=tuple(dict.fromkeys(part for proof in proofs for part in proof.trusted)),
        size=Size(total([proof.size.exact for proof in proofs])),
        warnings=tuple(
            text for text in closest.warnings if all(text in proof.warnings for proof in proofs)
        ),
        lengths=tally.so_far(None),
    )
    if isinstance(whole, Proved) and len(proofs) > 1:
        whole = replace(whole, rounding=None)  # it is of one length
    return question, whole


def without_margin(verdict: Proved | Refuted) -> Proved | Refuted:
    """The same where the margin of some length is not known, so that none is of all."""
    return replace(verdict, margin=None, closest=None) if isinstance(verdict, Proved) else verdict


def least(verdict: Proved | Refuted) -> float:
    """The margin of a proof, where one is known."""
    known = verdict.margin if isinstance(verdict, Proved) else None
    return inf if known is None else known


def total(sizes: Sequence[int | None]) -> int | None:
    """How many words there are in all, where that is known of each length."""
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None

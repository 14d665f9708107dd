"""The claims of a spec as they are decided: each once, its lemmas before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from pathlib import Path
from time import monotonic

from circ.compiler.driver import Program
from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.obligation import Each, Lemma, Question
from circ.compiler.verdict import Proved, Refuted, Unknown, Vacuous, Verdict, outcome
from circ.runtime.cache.recall import Answered, Rest, answered
from circ.runtime.each import answered_each, overall

BY_LEMMAS = "going through the lemmas"


@dataclass(slots=True)
class Claims:
    """The claims of `program` and their verdicts so far; these are kept in `folder`, if there is one."""

    program: Program
    limits: Limits
    folder: Path | None = None
    known: dict[str, Answered] = field(default_factory=dict[str, Answered])

    def answer(self, name: str, progress: Progress = silent) -> Answered:
        """A claim's verdict; raises `CircError` where it, or one of its lemmas, has errors."""
        if name not in self.known:
            self.known[name] = self.new(name, progress)
        return self.known[name]

    def new(self, name: str, progress: Progress) -> Answered:
        """A claim's verdict, by the kind of claim that it is."""
        each, lemmas = self.program.each(name), self.program.lemmas(name)
        if each is not None:
            return self.at_values(name, each, progress)
        if lemmas:
            return self.resting(name, lemmas, progress)
        return self.decided(self.program.question(name), progress)

    def at_values(self, name: str, each: Each, progress: Progress) -> Answered:
        """The verdict that those at all values of a quantifier make."""
        start, weights = monotonic(), self.program.weights
        numbers, last = count(1), len(each.values)

        def ask(question: Question, limits: Limits) -> Answered:
            at = f"value {min(next(numbers), last)} of {last}"

            def told(share: float, text: str) -> None:
                progress(share, f"{at}: {text}")

            return answered(question, weights, limits, told, self.folder)

        found = answered_each(each, ask, self.limits)
        shown, verdict = overall(name, each, found)
        answers = [one.found for one in found if isinstance(one.found, Answered)]
        notes = dict.fromkeys(note for answer in answers for note in answer.notes)
        kept = [answer.first for answer in answers]
        firsts = [seconds for seconds in kept if seconds is not None]
        return Answered(
            shown,
            verdict,
            monotonic() - start,
            sum(firsts) if kept and len(firsts) == len(kept) else None,
            tuple(notes),
            head=each.head,
            values=tuple(found),
        )

    def resting(self, name: str, lemmas: Sequence[Lemma], progress: Progress) -> Answered:
        """The verdict on a claim, with what its lemmas say where these are proved and speak of all its inputs."""
        rests = [Rest(each.name, self.answer(each.name, progress).verdict) for each in lemmas]
        against: Unknown | Vacuous | None = next(unproved(rests), None)
        if against is not None:
            shown = self.program.question(name).at(None)
            return Answered(shown, against, 0.0, rests=tuple(rests))
        start, notes = monotonic(), list[str]()
        for number, lemma in enumerate(lemmas):
            inside = self.decided(lemma.covers, progress)
            notes += inside.notes
            rests[number] = replace(rests[number], covers=inside.verdict)
            against = uncovered(lemma.name, inside.verdict)
            if against is not None:
                shown = self.program.question(name).at(inside.obligation.length)
                found = replace(inside, obligation=shown, verdict=against)
                break
        else:
            found = self.decided(self.program.aided(name), progress)
            found = replace(found, verdict=resting_on(rests, found.verdict))
            notes += found.notes
        taken = monotonic() - start
        return replace(found, seconds=taken, notes=tuple(notes), rests=tuple(rests))

    def decided(self, question: Question, progress: Progress) -> Answered:
        """A verdict, by itself."""
        return answered(question, self.program.weights, self.limits, progress, self.folder)


def unproved(rests: Iterable[Rest]) -> Iterator[Unknown]:
    """For each lemma that is not proved, why nothing is known of the claim."""
    for rest in rests:
        if not isinstance(rest.verdict, Proved):
            stopped = isinstance(rest.verdict, Unknown | Refuted) and rest.verdict.interrupted
            reason = f"the lemma `{rest.lemma}` is {outcome(rest.verdict)}"
            yield Unknown(reason, BY_LEMMAS, interrupted=stopped)


def uncovered(lemma: str, verdict: Verdict) -> Unknown | Vacuous | None:
    """Why a lemma cannot be used, by the verdict on whether it speaks of all inputs; None where it can.

    Where there is no input to speak of, the claim is about nothing, too.
    """
    help = f"narrow the claim's domain, or widen that of `{lemma}`"
    match verdict:
        case Proved():
            return None
        case Vacuous():
            return verdict
        case Refuted():
            reason = f"the domain does not lie within that of the lemma `{lemma}`"
            shown = None if verdict.example is None else verdict.example.witness
            return Unknown(reason, verdict.method, hardest=shown, hint=help)
        case Unknown(reason=why):
            reason = f"whether the domain lies within that of the lemma `{lemma}` is open: {why}"
            return replace(verdict, reason=reason, lengths=None)


def resting_on(rests: Iterable[Rest], verdict: Verdict) -> Verdict:
    """A verdict that was found with lemmas; a proof rests on what these rest on, too."""
    if not isinstance(verdict, Proved):
        return verdict
    others = [found for rest in rests for found in (rest.verdict, rest.covers)]
    trusted = [text for found in others if isinstance(found, Proved) for text in found.trusted]
    return replace(verdict, trusted=tuple(dict.fromkeys((*verdict.trusted, *trusted))))

"""A claim's answer as lines and as data: its verdict, and those of what it rests on."""

from __future__ import annotations

from collections.abc import Iterable

from circ.compiler.verdict import Proved, Verdict, outcome
from circ.runtime.as_data import Data, cache_data, verdict_data
from circ.runtime.cache.recall import Answered, Rest
from circ.runtime.report import LISTED, Line, verdict_lines


def claim_lines(reply: Answered, listed: int = LISTED) -> list[Line]:
    """An answer for a reader."""
    verdict = verdict_lines(reply.obligation, reply.verdict, reply.seconds, listed, reply.first)
    return [*verdict, *lemma_lines(reply.rests)]


def claim_data(reply: Answered) -> Data:
    """An answer as data; there are `lemmas` of a claim that has some."""
    data = verdict_data(reply.obligation, reply.verdict, reply.seconds)
    return data | cache_data(reply.first) | lemma_data(reply.rests)


# --- lemmas -----------------------------------------------------------------------------------


def lemma_lines(rests: Iterable[Rest]) -> list[Line]:
    """What came of each lemma, and of whether it speaks of all inputs."""
    return [Line("plain", f"    using {lemma_text(rest)}") for rest in rests]


def lemma_text(rest: Rest) -> str:
    """A lemma, how it was decided, and how it was found to speak of all inputs."""
    own = f"`{rest.lemma}`, {outcome(rest.verdict)} by {rest.verdict.method}"
    match rest.covers:
        case None:
            return own
        case Proved(method=method):
            return f"{own}, whose domain has all inputs of this one, by {method}"
        case other:
            return f"{own}; that its domain has all inputs of this one is {outcome(other)}"


def lemma_data(rests: Iterable[Rest]) -> Data:
    """The same as data; nothing of a claim without lemmas. `covers` is null where that was not asked."""
    found = [
        {
            "lemma": rest.lemma,
            **brief(rest.verdict),
            "covers": None if rest.covers is None else brief(rest.covers),
        }
        for rest in rests
    ]
    return {"lemmas": found} if found else {}


def brief(verdict: Verdict) -> Data:
    """A verdict, how it was found, and what a proof trusts."""
    trusted = list(verdict.trusted) if isinstance(verdict, Proved) else []
    return {"verdict": outcome(verdict), "method": verdict.method, "trusted": trusted}

"""A claim's answer as lines and as data: its verdict, and those of what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from circ.compiler.driver import claim_of
from circ.compiler.obligation import Obligation
from circ.compiler.verdict import Proved, Refuted, Verdict, outcome
from circ.lang.diagnostic import CircError
from circ.runtime.as_data import Data, cache_data, verdict_data, witness_data
from circ.runtime.cache.recall import Answered, Rest, Valued
from circ.runtime.report import LISTED, Line, verdict_lines, witness_lines

LISTED_VALUES = 64
"""Values of a quantifier that are told one by one."""


def claim_lines(reply: Answered, listed: int = LISTED) -> list[Line]:
    """An answer for a reader."""
    head, *rest = verdict_lines(reply.obligation, reply.verdict, reply.seconds, listed, reply.first)
    if reply.head is None or not reply.values:
        return [head, *rest, *lemma_lines(reply.rests)]
    if reply.obligation.name != claim_of(reply.obligation.name):
        return [head, Line("plain", f"    at {value_text(reply.head, reply.values[0])}"), *rest]
    return [head, *value_lines(reply.head, reply.values), *about(reply, rest)]


def claim_data(reply: Answered) -> Data:
    """An answer as data; there are `lemmas` of a claim that has some."""
    data = verdict_data(reply.obligation, reply.verdict, reply.seconds)
    return data | cache_data(reply.first) | lemma_data(reply.rests) | each_data(reply)


# --- values -----------------------------------------------------------------------------------


def value_lines(head: Obligation, values: Sequence[Valued]) -> Iterator[Line]:
    """How many values have which verdict, and a table of them."""
    count = Counter(one.outcome for one in values)
    told = ", ".join(f"{word} at {count[word]}" for word in count)
    yield Line("plain", f"    {head.quantifier} over {len(values)} values: {told}")
    texts = [value_text(head, one) for one in values[:LISTED_VALUES]]
    width = max(map(len, texts))
    for text, one in zip(texts, values, strict=False):
        yield Line("faint", f"      {text:<{width}}  {one.outcome}{input_text(one)}")
    if len(values) > LISTED_VALUES:
        more = len(values) - LISTED_VALUES
        yield Line("faint", f"      and {more:,} more (`--json` has all)")


def value_text(head: Obligation, one: Valued) -> str:
    """`i = 3, c = single`."""
    return ", ".join(witness_lines(head, one.value))


def input_text(one: Valued) -> str:
    """`  at s = [a, b]`, where an input shows what the verdict at a value is."""
    found = one.found
    if not isinstance(found, Answered) or not isinstance(found.verdict, Proved | Refuted):
        return ""
    example = found.verdict.example
    if example is None:
        return ""
    return f"  at {', '.join(witness_lines(found.obligation, example.witness))}"


def about(reply: Answered, details: Sequence[Line]) -> Iterator[Line]:
    """The evidence at the value that decides; of what is proved at all, what that trusts."""
    first = shown_at(reply)
    if first is not None and reply.head is not None:
        yield Line("plain", f"    at {value_text(reply.head, first)}:")
        yield from details
    elif isinstance(reply.verdict, Proved):
        yield Line("plain", f"    by {reply.verdict.method}")
        yield Line("faint", f"    trusted: {', '.join(reply.verdict.trusted)}")
        yield from (Line("doubt", f"    warning: {text}") for text in reply.verdict.warnings)


def shown_at(reply: Answered) -> Valued | None:
    """The value whose verdict is shown; none where it is made of all."""
    word = outcome(reply.verdict)
    if reply.head is None or (word == "proved" and reply.head.quantifier == "forall"):
        return None
    return next((one for one in reply.values if one.outcome == word), None)


def each_data(reply: Answered) -> Data:
    """The verdict at each value as data, and the value whose evidence is shown; nothing of another claim."""
    head = reply.head
    if head is None:
        return {}
    at = shown_at(reply)
    return {
        "outer": head.quantifier,
        "at": None if at is None else witness_data(head, at.value),
        "values": values_data(head, reply.values),
    }


def values_data(head: Obligation, values: Sequence[Valued]) -> list[Data]:
    """The verdicts at the values that a quantifier goes through."""
    return [value_data(head, one) for one in values]


def value_data(head: Obligation, one: Valued) -> Data:
    """The verdict at a value, or what is wrong there."""
    data: Data = {"at": witness_data(head, one.value), "verdict": one.outcome}
    if isinstance(one.found, CircError):
        return data | {"errors": [found.headline for found in one.found.diagnostics]}
    found = one.found
    full = verdict_data(found.obligation, found.verdict, found.seconds) | cache_data(found.first)
    return data | {key: full[key] for key in full if key not in {"place", "over", "as_claimed"}}


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

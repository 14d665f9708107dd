"""A certificate of a claim about words: potentials for what an audit would have to see.

The proof is made anew from the audit's own reading of the claim, in float64; what is written is then
known to pass, but for mistakes that the audit is there to find.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from time import monotonic
from typing import BinaryIO

import numpy as np

from circ.compiler.audit.chosen import looked_up_by
from circ.compiler.audit.clauses import places_of
from circ.compiler.audit.columns import Bent, Codes
from circ.compiler.audit.divided import Claim, divided, positions
from circ.compiler.audit.divided import several as many
from circ.compiler.audit.entries import Nodes, Share
from circ.compiler.audit.machine import merged
from circ.compiler.audit.potentials import fresh_levels
from circ.compiler.audit.proofs import audit_of
from circ.compiler.audit.record import plain
from circ.compiler.audit.region import Region, whole
from circ.compiler.audit.rejected import Rejected
from circ.compiler.finding import Fails, Limits, silent
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.runtime.certificates.choices import tried
from circ.runtime.certificates.goal import goal_proof
from circ.runtime.certificates.opening import Data, opening, put
from circ.runtime.certificates.several import compared, several_proof
from circ.runtime.certificates.work import Case, NoCertificate, Work
from circ.runtime.engines import automata, token_sets
from circ.runtime.engines.one_word import denying

BRIEFLY = 4.0
"""Seconds for ReLUs one by one, where lines may do for all of them."""

Way = tuple[bool, int | None]
"""Whether numbers are put together of several heads, and the position that is fixed, if one is."""


def write_certificate(
    obligation: Obligation,
    weights: Weights,
    until: float,
    stream: BinaryIO,
) -> None:
    """Write a certificate by paths; raises `NoCertificate` with the reason where there is none.

    `until` is in seconds of `time.monotonic`.
    """
    try:
        with np.errstate(all="ignore"):  # what overflows is refused
            claim = divided(obligation, weights)
            work = fixed_somewhere(claim, weights, until)
            put(stream, header(obligation, weights, work))
            for kind in range(len(claim.language.classes)):
                put(stream, class_record(work, kind))
    except Rejected as reason:
        raise NoCertificate(str(reason)) from reason
    except RecursionError as error:
        raise NoCertificate("the claim is too deep to be audited") from error


def header(obligation: Obligation, weights: Weights, work: Work) -> Data:
    """What the certificate is about."""
    language = work.claim.language
    return opening(obligation, weights, "paths") | {
        "words": str(language.count()),
        "classes": len(language.classes),
        "fixed": work.audit.fixed,
        "witness": met_by(obligation, weights, work) if work.claim.weighed else None,
    }


def met_by(obligation: Obligation, weights: Weights, work: Work) -> list[int]:
    """A word that meets the conditions about the network: one that fails the claim that none does."""
    question = denying(obligation, None)
    for decide in (automata.decide, token_sets.decide):
        limits = Limits(max(work.until - monotonic(), 0.0), first=True)
        found = decide(question, weights, limits, silent)
        if isinstance(found, Fails):
            witness = [int(letter) for letter in found.witness[obligation.binders[0].name]]
            work.audit.met(tuple(witness))
            return witness
    raise NoCertificate("no word is known to meet the conditions")


def fixed_somewhere(claim: Claim, weights: Weights, until: float) -> Work:
    """The claim with the position fixed at which its numbers are sums; raises `Rejected`."""
    last = claim.word.length - 1
    leaders = looked_up_by(claim.nodes, (place for place, _ in claim.options), claim.values)
    free = Work(audit_of(claim, weights, None), until, leaders)
    reasons: dict[Way, Rejected] = {}
    for several, fixed in in_turn(claim.nodes, last):
        work = replace(free if fixed is None else fixed_at(free, fixed), several=several)
        try:
            if several:
                readable_by_lines(work)
            else:
                readable(work)
        except Rejected as reason:
            reasons[several, fixed] = reason
        else:
            return work
    raise reasons[True, last]  # the last position most often queries


def in_turn(nodes: Nodes, last: int) -> list[Way]:
    """All ways to read the numbers, the likely ones first."""
    likely: list[Way] = [(several, fixed) for several in (False, True) for fixed in (None, last)]
    others: list[Way] = [(several, at) for several in (False, True) for at in range(last)]
    asks = [mask for mask in score_masks(nodes) if many(mask)]

    def unlikely(way: Way) -> bool:
        fixed = 0 if way[1] is None else 1 << way[1]
        return any(many(mask & ~fixed) for mask in asks)

    return sorted(likely + others, key=unlikely)


def score_masks(nodes: Nodes) -> set[int]:
    """The positions, as bits, that the scores of attention read."""
    reads = positions(nodes)
    return {reads[k] for node in nodes.nodes if isinstance(node, Share) for k in node.row}


def fixed_at(free: Work, position: int) -> Work:
    """The claim with one position fixed; what was read of others while none was, is read the same."""
    work = Work(
        replace(free.audit, fixed=position, levels=fresh_levels()), free.until, free.leaders
    )
    reads = positions(free.claim.nodes)
    for place, found in free.shared.items():
        alone = isinstance(found, Codes) or found.head is None
        if alone and not reads[place] >> position & 1:
            work.shared[place] = found
    return work


def readable(work: Work) -> None:
    """Raise `Rejected` unless the numbers that classes compare are sums, ReLUs taken out."""
    seen: set[int] = set()
    for values in work.claim.language.classes:
        case = tried(work, work.case_of(values))
        more = places_of(work.claim.formula(case.given)) - seen
        case.reading.ready(more)
        for place in sorted(more):
            case = straightened(work, case, place)
        seen |= more


def readable_by_lines(work: Work) -> None:
    """Raise `Rejected` unless what classes compare is made of heads, and of ReLUs behind them."""
    for values in work.claim.language.classes:
        case = work.case_of(values)
        formula = work.claim.formula(case.given)
        compared(work, case, formula)


def straightened(work: Work, case: Case, place: int) -> Case:
    """A case in which a number is read, some ReLUs taken to pass on what they are applied to."""
    while True:
        try:
            case.reading.total(place)
        except Bent as bent:
            case = work.with_phases(case, {bent.at: True})
        else:
            return case


def class_proof(work: Work, case: Case, region: Region) -> Data:
    """A proof for one class: over one head, or by lines where ReLUs would take too long so."""
    if work.several:
        return several_proof(work, case, region)
    if not work.audit.relus:
        return goal_proof(work, case, region, 0)
    brief = replace(work, until=min(work.until, monotonic() + BRIEFLY))
    with suppress(NoCertificate):
        return goal_proof(brief, case, region, 0)
    late = monotonic() > brief.until
    try:
        return several_proof(work, case, region)
    except NoCertificate:
        if not late:
            raise
    return goal_proof(work, case, region, 0)


def class_record(work: Work, kind: int) -> Data:
    """The record of one class."""
    language = work.claim.language
    ends = [() if k == kind else None for k in range(len(language.classes))]
    own = merged(language.steps, ends)
    states = [*map(len, own.steps), 1]
    region = whole(own.steps, states, work.claim.word.letters, work.audit.fixed)
    values = language.classes[kind]
    case = work.case_of(values)
    proof = class_proof(work, case, region)
    return {"class": list(map(plain, values)), "steps": own.steps, "proof": proof}

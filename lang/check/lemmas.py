"""`using a, b`: claims that another one takes as lemmas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from circ.lang.check.context import Context
from circ.lang.check.quantities import of_rows
from circ.lang.errors.lemmas import does_not_fit, no_lemma, rests_on_itself, takes_no_lemmas
from circ.lang.errors.names import not_a, unknown_name
from circ.lang.scope import kind
from circ.lang.syntax import Binder, ClaimDecl, Name
from circ.lang.types import Invalid, lengths, show


def check_lemmas(claim: ClaimDecl, ctx: Context) -> None:
    """Lemmas are claims about every input of their domains, and in no circle.

    Every variable of theirs is one of the claim's. Whether their domains cover its own is decided later.
    """
    if not claim.using:
        return
    takes, help = unaided(claim, ctx)
    if takes:
        ctx.error(takes_no_lemmas(claim.using[0].span, takes, help))
        return
    for name in claim.using:
        lemma = named_claim(name, ctx)
        if lemma is not None:
            check_lemma(claim, name, lemma, ctx)


def named_claim(name: Name, ctx: Context) -> ClaimDecl | None:
    """The claim of this module that a name means; anything else is reported."""
    scope = ctx.facts.scope
    if name.text in scope.claims:
        return scope.claims[name.text]
    item = scope.values.get(name.text) or scope.patches.get(name.text)
    if item is None:
        ctx.unknown(unknown_name(name.span, name.text, scope.claims))
    else:
        ctx.error(not_a(name, kind(item), "a claim"))
    return None


def check_lemma(claim: ClaimDecl, name: Name, lemma: ClaimDecl, ctx: Context) -> None:
    """Report the first reason why a claim is no lemma of another."""
    through = way_back(lemma, claim, ctx.facts.scope.claims)
    what, help = unaided(lemma, ctx)
    if through is not None:
        ctx.error(rests_on_itself(name, through))
    elif what:
        ctx.error(no_lemma(name, what, help))
    elif lemma.expects == "refuted":
        ctx.error(no_lemma(name, "expected to be refuted", "a lemma is a claim that is proved"))
    else:
        check_binders(claim, name, lemma, ctx)


def unaided(claim: ClaimDecl, ctx: Context) -> tuple[str, str]:
    """What a claim is that neither takes lemmas nor is one, and what to do; empty for others."""
    formula = claim.formula
    several = (lengths(ctx.facts.domains[binder.domain]) for binder in formula.binders)
    if claim.outer is not None:
        return "a claim for each of several values", "claim it with one quantifier"
    if formula.quantifier == "exists":
        return "an `exists`", "claim with `forall` what no input does"
    if claim.over is not None:
        return f"about {claim.over.text} executions", "leave `over` out"
    if not formula.binders:
        return "without variables", "a lemma says something of every input of a domain"
    if any(of_rows(binder.domain, ctx) for binder in formula.binders):
        return "about rows of a data set", "claim it of a domain that has all of these rows"
    if any(found is not None and found.last is None for found in several):
        return "about words of any length", "name the longest length, as in `Char[1..64]`"
    return "", ""


def way_back(
    lemma: ClaimDecl, claim: ClaimDecl, claims: Mapping[str, ClaimDecl]
) -> Sequence[Name] | None:
    """By which names a lemma comes to rest on a claim; None where it does not."""
    waiting: list[tuple[ClaimDecl, tuple[Name, ...]]] = [(lemma, ())]
    seen: set[ClaimDecl] = set()
    while waiting:
        at, through = waiting.pop()
        if at is claim:
            return through
        if at not in seen:
            seen.add(at)
            known = (name for name in at.using if name.text in claims)
            waiting += [(claims[name.text], (*through, name)) for name in known]
    return None


def check_binders(claim: ClaimDecl, name: Name, lemma: ClaimDecl, ctx: Context) -> None:
    """Each variable of a lemma stands for the one of that name and type."""
    own = {binder.name.text: binder for binder in claim.formula.binders}
    for binder in lemma.formula.binders:
        kind = ctx.facts.domains[binder.domain]
        why = unlike(binder, own.get(binder.name.text), ctx)
        if why and not isinstance(kind, Invalid):
            ctx.error(does_not_fit(name, binder.name, show(kind), why))


def unlike(binder: Binder, other: Binder | None, ctx: Context) -> str:
    """What a claim has in place of a lemma's variable, in words; empty where it is that one."""
    if other is None:
        return "the claim has no variable of that name"
    wanted, found = (ctx.facts.domains[each.domain] for each in (binder, other))
    if isinstance(found, Invalid) or found == wanted:
        return ""
    return f"`{other.name.text}` of the claim is a `{show(found)}`"

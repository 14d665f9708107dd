"""Claims by lemmas: what a lemma says of the variables of another claim, and where it may be used.

A lemma `forall y in E where R: Q` speaks of the claim's variables of the same names and types, where these lie in E
and meet R.
"""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.builder import both, truth
from circ.compiler.ir import Wire
from circ.compiler.lower.claims import Params, about, lower_where, opened
from circ.compiler.lower.domains import lower_domain, lower_joint
from circ.compiler.lower.environment import Environment, as_wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.lang.check.items import TypedModule
from circ.lang.products import joints
from circ.lang.syntax import ClaimDecl, Formula


def lower_cover(
    typed: TypedModule,
    claim: ClaimDecl,
    lemma: ClaimDecl,
    params: Params,
    weights: Weights,
    length: int | None,
) -> Obligation:
    """Whether every input of a claim is one that a lemma speaks of."""
    formula = claim.formula
    env, outputs = opened(typed, formula, params, weights, length)
    outputs["where"] = lower_where(formula, env)
    outputs["goal"] = both(env.b, *spoken_of(lemma.formula, env))
    return about(env.low, cover_name(claim, lemma), formula, outputs)


def cover_name(claim: ClaimDecl, lemma: ClaimDecl) -> str:
    """What the inclusion is called, which no claim can be."""
    return f"{claim.name.text} in {lemma.name.text}"


def spoken_of(lemma: Formula, env: Environment) -> Sequence[Wire]:
    """The conditions under which a lemma speaks of the variables of an environment."""
    inner = of_lemma(lemma, env)
    variables = {b.name.text: as_wire(inner.locals[b.name.text]) for b in lemma.binders}
    outside = env.low.outside()
    domains = (lower_domain(b.domain, variables[b.name.text], outside) for b in lemma.binders)
    together = (
        lower_joint(joint, [variables[name.text] for name in joint.names], outside)
        for joint in joints(lemma.binders)
    )
    where = truth(env.b, True) if lemma.where is None else inner.wire(lemma.where)
    return [*domains, *together, where]


def assumed(lemmas: Sequence[Formula], env: Environment) -> Wire:
    """What lemmas say of the variables of an environment."""
    return both(env.b, *(of_lemma(lemma, env).wire(lemma.body) for lemma in lemmas))


def of_lemma(lemma: Formula, env: Environment) -> Environment:
    """The lemma's variables, and no others of the claim."""
    inner = env.low.outside()
    for binder in lemma.binders:
        inner = inner.bind(binder.name.text, env.locals[binder.name.text])
    return inner

"""Claims, and the requirements of patches, as obligations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction

from circ.compiler.aided import ASSUMED
from circ.compiler.builder import either, truth
from circ.compiler.ir import Wire
from circ.compiler.lower.constants import constant
from circ.compiler.lower.data import data_set
from circ.compiler.lower.domains import bound, lower_binder, lower_joint, names_of
from circ.compiler.lower.environment import Environment, Lowering, as_wire
from circ.compiler.lower.expressions import lower
from circ.compiler.lower.quantities import quantities, restricted
from circ.compiler.obligation import Obligation
from circ.compiler.passes import run_passes
from circ.compiler.tensor import Weights
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError
from circ.lang.errors.quantities import not_closed
from circ.lang.errors.types import not_constant
from circ.lang.products import joints
from circ.lang.syntax import Binary, ClaimDecl, Compare, Expr, Formula, ParamDecl
from circ.lang.types import Array, Lengths, lengths, of_length
from circ.lang.walk import called, free

Params = Mapping[str, Fraction]

Enter = Callable[[Environment], Environment]

MOST_SHOWN = 6
"""Values shown at a witness; a goal that compares more shows its first ones."""


def param_values(typed: TypedModule, given: Params) -> Params:
    """Each param's value, by key: the command line's where it sets one."""
    values: dict[str, Fraction] = {}
    low = Lowering(typed, values, {}, lower)
    for at, item in typed.declared.items():
        if isinstance(item, ParamDecl):
            env = Environment(low, low.scope_of(item))
            value = given.get(at)
            value = constant(item.value, env) if value is None else value
            if value is None:
                raise CircError(not_constant(item.value.span, "a param's value", "rational"))
            values[at] = value
    return values


def unchanged(env: Environment) -> Environment:
    """No further names."""
    return env


def lower_claim(
    typed: TypedModule,
    decl: ClaimDecl,
    params: Params,
    weights: Weights,
    length: int | None,
    *,
    alike: bool = False,
    sited: bool = False,
    assume: Callable[[Environment], Wire] | None = None,
    enter: Enter = unchanged,
) -> Obligation:
    """The obligation of a claim; raises `CircError` where a domain is unbounded.

    `length`, `alike`, `sited`, `assume` and `enter` are as for `lower_formula`.
    """
    name, asked = decl.name.text, decl.formula
    obligation = lower_formula(
        typed, name, asked, params, weights, length, enter, alike=alike, sited=sited, assume=assume
    )
    over = None if decl.over is None else decl.over.text
    return replace(obligation, expects=decl.expects, over=over)


def lengths_of(typed: TypedModule, formula: Formula) -> Lengths | None:
    """The lengths of the formula's word, where it may have several."""
    kinds = (typed.facts.domains[binder.domain] for binder in formula.binders)
    return next((found for found in map(lengths, kinds) if found is not None), None)


def lower_formula(
    typed: TypedModule,
    name: str,
    formula: Formula,
    params: Params,
    weights: Weights,
    length: int | None = None,
    enter: Enter = unchanged,
    *,
    alike: bool = False,
    sited: bool = False,
    assume: Callable[[Environment], Wire] | None = None,
) -> Obligation:
    """One quantified formula as an obligation, its circuit simplified; `sited`: its sites are outputs.

    `length` is that of a word that may have several, the least of them if it is not given; `alike`:
    of a word that may have any length, its circuit is to have the form of those for other lengths.
    `enter` binds names that the formula may read besides those of the module. Bounds are read off
    the tensors in `weights`. `assume` says what is known of the formula's variables.
    """
    env, outputs = opened(typed, formula, params, weights, length, enter, alike=alike)
    low = env.low
    outputs |= lower_claimed(formula, env)
    if low.counts:
        return closed(low, name, formula, {"goal": outputs["goal"]})
    outputs |= {f"arm {i}": either(low.b, *held) for i, held in enumerate(low.arms.values())}
    shown = all_shown(formula, env)
    outputs |= {f"show {text}": wire for text, (wire, _) in shown.items()}
    outputs |= {f"site {i}": wire for i, wire in enumerate(low.sites) if sited}
    arms = tuple(low.arms)
    if assume is not None:
        outputs[ASSUMED] = assume(env)
    return replace(
        about(low, name, formula, outputs),
        members={f"show {text}": names for text, (_, names) in shown.items()},
        arms=arms,
        sites=tuple(low.sites.values()) if sited else (),
    )


def opened(
    typed: TypedModule,
    formula: Formula,
    params: Params,
    weights: Weights,
    length: int | None,
    enter: Enter = unchanged,
    *,
    alike: bool = False,
) -> tuple[Environment, dict[str, Wire]]:
    """What a formula is lowered in: its variables, and the outputs that say what these are in."""
    several = lengths_of(typed, formula)
    if several is not None and length is None:
        length = several.first
    low = Lowering(typed, params, weights, lower, length=length, alike=alike)
    env = enter(low.outside())
    outputs: dict[str, Wire] = {}
    variables: dict[str, Wire] = {}
    for binder in formula.binders:
        named = binder.name.text
        variables[named], outputs[f"in {named}"] = lower_binder(binder, env)
    for joint in joints(formula.binders):
        together = [variables[name.text] for name in joint.names]
        outputs[f"in {joint.written}"] = lower_joint(joint, together, env)
    low.forget_calls()
    return replace(env, locals={**env.locals, **variables}), outputs


def about(low: Lowering, name: str, formula: Formula, outputs: Mapping[str, Wire]) -> Obligation:
    """What is asked of a formula's variables; raises `CircError` where one is unbounded."""
    circuit = run_passes(low.b.circuit(outputs))
    return Obligation(
        name=name,
        quantifier=formula.quantifier,
        circuit=circuit,
        binders=tuple(bound(b, circuit, low.typed, low.weights) for b in formula.binders),
        span=formula.span,
        length=low.length,
    )


def closed(low: Lowering, name: str, formula: Formula, outputs: Mapping[str, Wire]) -> Obligation:
    """A claim about counts; raises `CircError` where it has binders besides theirs."""
    if formula.binders:
        raise CircError(not_closed(formula.span))
    return Obligation(
        name=name,
        quantifier=formula.quantifier,
        circuit=run_passes(restricted(low, outputs)),
        binders=(),
        span=formula.span,
        quantities=quantities(low),
    )


def lower_claimed(formula: Formula, env: Environment) -> dict[str, Wire]:
    """The outputs `where`, `goal` and `premise`."""
    found = {"where": lower_where(formula, env), "goal": env.wire(formula.body)}
    if isinstance(formula.body, Binary) and formula.body.op == "implies":
        found["premise"] = env.wire(formula.body.left)
    return found


def lower_where(formula: Formula, env: Environment) -> Wire:
    """What is assumed of a formula's variables besides their domains."""
    return truth(env.b, True) if formula.where is None else env.wire(formula.where)


def members(e: Expr, low: Lowering) -> tuple[str, ...]:
    """The names of the values of an expression's entries."""
    t = low.typed.facts.types[e]
    if not isinstance(t, Array):
        return ()
    return names_of(t if low.length is None else of_length(t, low.length))


def all_shown(formula: Formula, env: Environment) -> dict[str, tuple[Wire, tuple[str, ...]]]:
    """What is shown at a witness, with the names of its values: what is compared, and rows of data."""
    typed = env.typed
    found = {
        text: (env.wire(e), members(e, env.low)) for text, e in shown_values(formula, typed).items()
    }
    rows = rows_shown(formula, typed)
    return found | {name: (as_wire(env.locals[name]), names) for name, names in rows.items()}


def shown_values(formula: Formula, typed: TypedModule) -> dict[str, Expr]:
    """What the goal compares, by its text; known numbers and members say nothing new."""
    known = typed.scope.members.keys() | typed.scope.values.keys()
    known -= {binder.name.text for binder in formula.binders}
    found: dict[str, Expr] = {}
    waiting = [formula.body]
    while waiting:
        e = waiting.pop(0)
        match e:
            case Compare(operands=operands):
                found |= {shown_text(x): x for x in operands if free(x) - known or called(x)}
            case Binary(left=left, right=right, op="and" | "or" | "implies"):
                waiting += [left, right]
            case _:
                pass
    return dict(list(found.items())[:MOST_SHOWN])


def rows_shown(formula: Formula, typed: TypedModule) -> dict[str, tuple[str, ...]]:
    """The binders that are rows of a data set, with the names of the values of their entries."""
    found: dict[str, tuple[str, ...]] = {}
    for binder in formula.binders:
        t = typed.facts.domains[binder.domain]
        if data_set(binder.domain, typed.scope, typed) is not None and isinstance(t, Array):
            found[binder.name.text] = names_of(t)
    return found


def shown_text(e: Expr) -> str:
    """The user's own words on one line."""
    return " ".join(e.span.text.split())

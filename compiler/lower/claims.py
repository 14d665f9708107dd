"""Claims, and the requirements of patches, as obligations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from circ.compiler.bounding import Bounds, bounding_box
from circ.compiler.builder import both, either, truth
from circ.compiler.ir import Circuit, Index, Input, Sort, Wire, WireType
from circ.compiler.ir import Real as RealSort
from circ.compiler.lower.constants import constant
from circ.compiler.lower.environment import Environment, Lowering
from circ.compiler.lower.expressions import lower
from circ.compiler.obligation import Bound, Obligation, Reals, Words
from circ.compiler.passes import run_passes
from circ.compiler.tensor import Weights
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError
from circ.lang.errors.domains import unbounded
from circ.lang.errors.types import not_constant
from circ.lang.syntax import (
    Binary,
    Binder,
    ClaimDecl,
    Compare,
    DomainDecl,
    DomainExpr,
    Expr,
    Formula,
    FreshDomain,
    Number,
    ParamDecl,
    PatchDecl,
    SubDomain,
)
from circ.lang.types import Array, EnumElement, FinElement, RealElement, size

Params = Mapping[str, Fraction]

Enter = Callable[[Environment], Environment]

MOST_SHOWN = 6
"""Values shown at a witness; a goal that compares more shows its first ones."""


@dataclass(frozen=True, slots=True)
class PatchPlan:
    """A patch, lowered: tensors to change, and what must hold afterwards."""

    name: str
    circuit: str
    edits: tuple[tuple[str, str], ...]
    """Checkpoint and tensor name of each."""
    require: tuple[Obligation, ...]
    preserve: tuple[Obligation, ...]


def param_values(typed: TypedModule, given: Params) -> Params:
    """Each param's value: the command line's where it sets one."""
    values: dict[str, Fraction] = {}
    for item in typed.scope.values.values():
        if isinstance(item, ParamDecl):
            env = Environment(Lowering(typed, values, lower))
            value = given.get(item.name.text, constant(item.value, env))
            if value is None:
                raise CircError(not_constant(item.value.span, "a param's value"))
            values[item.name.text] = value
    return values


def lower_claim(
    typed: TypedModule, decl: ClaimDecl, params: Params, weights: Weights
) -> Obligation:
    """The obligation of a claim; raises `CircError` where a domain is unbounded."""
    obligation = lower_formula(typed, decl.name.text, decl.formula, params, weights)
    return replace(obligation, expects=decl.expects)


def lower_patch(typed: TypedModule, decl: PatchDecl, params: Params, weights: Weights) -> PatchPlan:
    """A patch's obligations, in the order they are written."""
    edits = tuple(
        (path.parts[0].text, ".".join(part.text for part in path.parts[1:])) for path in decl.edits
    )

    def each(kind: Literal["require", "preserve"]) -> tuple[Obligation, ...]:
        formulas = decl.require if kind == "require" else decl.preserve
        return tuple(
            lower_formula(typed, f"{decl.name.text}.{kind}[{i}]", formula, params, weights)
            for i, formula in enumerate(formulas)
        )

    return PatchPlan(decl.name.text, decl.circuit.text, edits, each("require"), each("preserve"))


def unchanged(env: Environment) -> Environment:
    """No further names."""
    return env


def lower_formula(
    typed: TypedModule,
    name: str,
    formula: Formula,
    params: Params,
    weights: Weights,
    enter: Enter = unchanged,
) -> Obligation:
    """One quantified formula as an obligation, its circuit simplified.

    `enter` binds names that the formula may read besides those of the module.
    """
    low = Lowering(typed, params, lower)
    env = enter(Environment(low))
    outputs: dict[str, Wire] = {}
    variables: dict[str, Wire] = {}
    for binder in formula.binders:
        t = binder_type(typed, binder.domain)
        variables[binder.name.text] = low.b.add(Input(binder.name.text, t))
        condition = lower_domain(binder.domain, variables[binder.name.text], env)
        outputs[f"in {binder.name.text}"] = condition
    low.arms.clear()
    for binder_name, wire in variables.items():
        env = env.bind(binder_name, wire)
    outputs["where"] = truth(low.b, True) if formula.where is None else env.wire(formula.where)
    outputs["goal"] = env.wire(formula.body)
    if isinstance(formula.body, Binary) and formula.body.op == "implies":
        outputs["premise"] = env.wire(formula.body.left)
    outputs |= {f"arm {i}": either(low.b, *held) for i, held in enumerate(low.arms.values())}
    shown = shown_values(formula.body)
    outputs |= {f"show {text}": env.wire(e) for text, e in shown.items()}
    circuit = low.b.circuit(outputs)
    binders = tuple(
        bound(binder, circuit, variables[binder.name.text], typed, weights)
        for binder in formula.binders
    )
    return Obligation(
        name=name,
        quantifier=formula.quantifier,
        circuit=run_passes(circuit),
        binders=binders,
        span=formula.span,
        members={f"show {text}": members(e, typed) for text, e in shown.items()},
        arms=tuple(low.arms),
    )


def binder_type(typed: TypedModule, domain: DomainExpr) -> WireType:
    """The input a binder becomes."""
    t = typed.facts.domains[domain]
    assert isinstance(t, Array)
    shape = tuple(size(dim) or 0 for dim in t.dims)
    return WireType(sort_of(t), shape)


def sort_of(t: Array) -> Sort:
    """The sort of a type's entries."""
    match t.element:
        case EnumElement(members=names):
            return Index(len(names))
        case FinElement(size=dim):
            return Index(size(dim) or 0)
        case _:
            return RealSort()


def lower_domain(domain: DomainExpr, variable: Wire, env: Environment) -> Wire:
    """The condition that a domain and those it narrows put on a variable."""
    match domain:
        case FreshDomain(binder=binder, condition=condition):
            name = binder.name
            base = truth(env.b, True)
        case SubDomain(binder=name, base=base_name, condition=condition):
            decl = env.low.typed.scope.values[base_name.text]
            assert isinstance(decl, DomainDecl)
            base = lower_domain(decl.value, variable, env)
    if condition is None or name is None:
        return base
    own = env.bind(name.text, variable).wire(condition)
    return own if base == truth(env.b, True) else both(env.b, base, own)


def bound(
    binder: Binder, circuit: Circuit, variable: Wire, typed: TypedModule, weights: Weights
) -> Bound:
    """The values a binder ranges over; raises `CircError` where they are unbounded."""
    t = circuit.types[variable]
    name = binder.name.text
    if t.sort != RealSort():
        return Bound(name, t, Words(domain_members(typed, binder.domain)))
    found = bounding_box(circuit, circuit.outputs[f"in {name}"], variable, weights)
    return Bound(name, t, Reals(tuple(finite(found, binder))))


def finite(bounds: Bounds, binder: Binder) -> list[tuple[Fraction, Fraction]]:
    """Bounds that all exist; raises `CircError` naming the first entry that lacks one."""
    box: list[tuple[Fraction, Fraction]] = []
    for entry, (low, high) in enumerate(bounds):
        if low is None or high is None:
            side = "below" if low is None else "above"
            where = "it" if len(bounds) == 1 else f"entry {entry}"
            raise CircError(unbounded(binder.span, binder.name.text, where, side))
        box.append((low, high))
    return box


def domain_members(typed: TypedModule, domain: DomainExpr) -> tuple[str, ...]:
    """The names of the values of a word's positions."""
    t = typed.facts.domains[domain]
    assert isinstance(t, Array) and not isinstance(t.element, RealElement)
    return names_of(t)


def names_of(t: Array) -> tuple[str, ...]:
    """The names of an element's values; none for reals and truths."""
    match t.element:
        case EnumElement(members=names):
            return names
        case FinElement(size=dim):
            return tuple(map(str, range(size(dim) or 0)))
        case _:
            return ()


def members(e: Expr, typed: TypedModule) -> tuple[str, ...]:
    """The names of the values of an expression's entries."""
    t = typed.facts.types[e]
    return names_of(t) if isinstance(t, Array) else ()


def shown_values(goal: Expr) -> dict[str, Expr]:
    """What the goal compares, by its text; known numbers and members say nothing new."""
    found: dict[str, Expr] = {}
    waiting = [goal]
    while waiting:
        e = waiting.pop(0)
        match e:
            case Compare(operands=operands):
                found |= {shown_text(x): x for x in operands if not isinstance(x, Number)}
            case Binary(left=left, right=right, op="and" | "or" | "implies"):
                waiting += [left, right]
            case _:
                pass
    return dict(list(found.items())[:MOST_SHOWN])


def shown_text(e: Expr) -> str:
    """The user's own words on one line."""
    return " ".join(e.span.text.split())

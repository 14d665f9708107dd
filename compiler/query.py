"""Questions that are not in a spec: closed expressions and formulas in a program's scope.

They may use names that were given a value earlier in a session. Such a name is a local whose
meaning was fixed when it was defined: what is defined later changes no earlier name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import partial
from typing import assert_never

from circ.compiler.driver import Program
from circ.compiler.ir import Circuit, Const, WireType
from circ.compiler.lower.claims import lengths_of, lower_formula
from circ.compiler.lower.data import sort_of
from circ.compiler.lower.domains import names_of
from circ.compiler.lower.environment import Environment, Lowering, Value
from circ.compiler.lower.expressions import lower
from circ.compiler.lower.quantities import quantities, restricted
from circ.compiler.obligation import Obligation, Quantity, Question
from circ.lang.check.context import Context, Facts
from circ.lang.check.formulas import check_formula, check_range, check_regions
from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.names import not_a_value
from circ.lang.errors.session import type_changed
from circ.lang.parser import parse_expression, parse_formula, parse_range
from circ.lang.scope import Scope
from circ.lang.span import Source, Span
from circ.lang.syntax import Component, DomainExpr, EnumDecl, Expr, Formula, TypeDomain
from circ.lang.types import (
    Array,
    Axis,
    Dim,
    EnumElement,
    Group,
    Invalid,
    Record,
    Tuple,
    Type,
    show,
    size,
)
from circ.lang.walk import free

OUTPUT = "value"
"""The one output of a query's circuit."""


@dataclass(frozen=True, slots=True, eq=False)
class Defined:
    """A name's expression, its type, and the earlier names that it reads."""

    source: Source
    expr: Expr
    type: Type
    reads: Names
    warnings: tuple[Diagnostic, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    """A value without an expression, an input that was found: its entries, row-major."""

    type: Array
    entries: tuple[Fraction | int, ...]


Named = Defined | Known
Names = Mapping[str, Named]


@dataclass(frozen=True, slots=True)
class Query:
    """A closed expression, ready to be evaluated: a circuit without inputs but for its quantities.

    `members` names the values of its entries, where they are not reals or truths; `axes` has the
    names along each axis, none for an axis that is only numbered.
    """

    type: Array
    circuit: Circuit
    members: tuple[str, ...]
    axes: tuple[tuple[str, ...], ...]
    quantities: tuple[Quantity, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A formula, the question that it is, and the type of each of its binders."""

    formula: Formula
    question: Question
    types: Mapping[str, Type]


# --- what is asked ----------------------------------------------------------------------------


def expression(program: Program, source: Source, names: Names) -> Query:
    """The query that `source` is; raises `CircError` with all that is wrong with it."""
    return query(program, define(program, source, names))


def define(program: Program, source: Source, names: Names) -> Defined:
    """The expression that `source` is, with its type; raises `CircError` like `expression`."""
    diagnostics = Diagnostics()
    parsed = parse_expression(source, diagnostics)
    if parsed is None:
        raise CircError(*diagnostics)
    context = session_context(program, diagnostics, names)
    found = context.infer(parsed)
    if diagnostics.failed:
        raise CircError(*diagnostics)
    read = mentioned(names, free(parsed))
    return Defined(source, parsed, found, read, tuple(diagnostics))


def query(program: Program, defined: Defined) -> Query:
    """A definition as a circuit; raises `CircError` where it has no value of its own."""
    known = defined.type
    if not isinstance(known, Array):
        raise CircError(no_value(defined.expr.span, known))
    low = Lowering(program.typed, program.params, program.weights, lower)
    wire = entered(low.outside(), defined.reads).wire(defined.expr)
    outputs = {OUTPUT: wire}
    circuit = restricted(low, outputs) if low.counts else low.b.circuit(outputs)
    return query_of(known, circuit, quantities(low))


def query_of(known: Array, circuit: Circuit, asked: tuple[Quantity, ...] = ()) -> Query:
    """A query about the one output of a circuit, whose type is known."""
    return Query(known, circuit, names_of(known), tuple(map(along, known.dims)), asked)


def formula(program: Program, source: Source, names: Names) -> Asked:
    """The question that `source` asks; raises `CircError` for all that is wrong with it."""
    return question_of(program, source, names, parse_formula, check_formula)


def question_of(
    program: Program,
    source: Source,
    names: Names,
    parse: Callable[[Source, Diagnostics], Formula | None],
    check: Callable[[Formula, Context], None],
) -> Asked:
    """What `source` is as `parse` reads it, if `check` finds nothing wrong with it."""
    diagnostics = Diagnostics()
    parsed = parse(source, diagnostics)
    if parsed is None:
        raise CircError(*diagnostics)
    check(parsed, session_context(program, diagnostics, names))
    if diagnostics.failed:
        raise CircError(*diagnostics)
    read = mentioned(names, {name for part in parts(parsed) for name in free(part)})
    several = lengths_of(program.typed, parsed)
    text = " ".join(source.text.split())

    def at(length: int | None, *, alike: bool = False) -> Obligation:
        typed, weights, params = program.typed, program.weights, program.params
        enter = partial(entered, names=read)
        return lower_formula(typed, text, parsed, params, weights, length, enter, alike=alike)

    kinds = program.typed.facts.domains
    return Asked(
        parsed,
        Question(text, at, partial(at, alike=True), several),
        {b.name.text: kinds[b.domain] for b in parsed.binders},
    )


def ranged(program: Program, source: Source, names: Names) -> Asked:
    """The number that `e over s in D` asks about: its obligations have that as their goal.

    Raises `CircError` like `formula`.
    """
    return question_of(program, source, names, parse_range, check_range)


def parted(program: Program, source: Source, names: Names) -> Asked:
    """The tensor whose linear regions `e over x in D` asks about: its obligation has that as its goal.

    Raises `CircError` like `formula`.
    """
    return question_of(program, source, names, parse_range, check_regions)


def renewed(program: Program, named: Named) -> Named:
    """The same definition in another program; raises `CircError` where it means nothing there."""
    match named:
        case Defined(source=source, reads=reads):
            again = {name: renewed(program, read) for name, read in reads.items()}
            return define(program, source, again)
        case Known(type=known):
            if not same_enums(program.typed.scope, known):
                raise CircError(type_changed(show(known)))
            return named
        case _:
            assert_never(named)


def same_enums(scope: Scope, known: Array) -> bool:
    """Whether the enums in a type have the members that they have in `scope`."""
    enums = [(dim.enum, dim.members) for dim in known.dims if isinstance(dim, Axis)]
    if isinstance(known.element, EnumElement):
        enums.append((known.element.name, known.element.members))
    return all(members_of(scope, name) == members for name, members in enums)


def members_of(scope: Scope, name: str) -> tuple[str, ...] | None:
    """The members of the enum of this name, if there is one."""
    declared = scope.values.get(name)
    return tuple(m.text for m in declared.members) if isinstance(declared, EnumDecl) else None


# --- types ------------------------------------------------------------------------------------


def session_context(program: Program, diagnostics: Diagnostics, names: Names) -> Context:
    """What the module's checker has learnt, reporting elsewhere; session names are locals."""
    facts: Facts = replace(program.typed.facts, diagnostics=diagnostics)
    return Context(facts, {name: named.type for name, named in names.items()}, closed=True)


def mentioned(names: Names, read: set[str]) -> dict[str, Named]:
    """Those of `names` that are read."""
    return {name: named for name, named in names.items() if name in read}


def parts(formula: Formula) -> Iterator[Expr]:
    """The expressions of a formula, those of its domains included."""
    found = (formula.where, formula.body, *(condition_of(b.domain) for b in formula.binders))
    return (part for part in found if part is not None)


def condition_of(domain: DomainExpr) -> Expr | None:
    """The condition of a domain, if it has one."""
    match domain:
        case Component(joint=joint):
            return condition_of(joint.domain)
        case TypeDomain():
            return None
        case _:
            return domain.condition


def no_value(span: Span, found: Group | Record | Tuple | Invalid) -> Diagnostic:
    """Says that something is no value, and the way out."""
    match found:
        case Group():
            help = f"`:type {span.text}` lists them"
            return not_a_value(span, span.text, "a group of tensors", help)
        case Record():
            return not_a_value(span, span.text, "a record", "name one of its fields")
        case Tuple():
            help = "only `match` takes a tuple apart"
            return not_a_value(span, span.text, "a tuple", help)
        case Invalid():
            return not_a_value(span, span.text, "an error")
        case _:
            assert_never(found)


def along(dim: Dim) -> tuple[str, ...]:
    """The names of an axis's entries; none where they are only numbered."""
    return dim.members if isinstance(dim, Axis) else ()


# --- lowering ---------------------------------------------------------------------------------


@dataclass(slots=True)
class Entering:
    """Definitions become values of one environment; one that is read twice is lowered once."""

    env: Environment
    done: dict[Named, Value] = field(default_factory=dict[Named, Value])

    def value(self, named: Named) -> Value:
        """The value of a definition."""
        if named not in self.done:
            self.done[named] = self.new_value(named)
        return self.done[named]

    def new_value(self, named: Named) -> Value:
        """A definition's value where it is first read."""
        match named:
            case Defined(expr=expr, reads=reads):
                return self.inside(reads).lower(expr)
            case Known(type=known, entries=entries):
                shape = tuple(size(dim) or 0 for dim in known.dims)
                return self.env.b.add(Const(WireType(sort_of(known), shape), entries))
            case _:
                assert_never(named)

    def inside(self, names: Names) -> Environment:
        """The environment with these names bound, and no other."""
        return replace(self.env, locals={name: self.value(x) for name, x in names.items()})


def entered(env: Environment, names: Names) -> Environment:
    """`env` with the names of a session bound."""
    return Entering(env).inside(names)

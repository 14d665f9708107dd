"""What a circuit gives on running examples: those of the session, else an input of a domain that fits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace

from circ.compiler.obligation import Obligation, Witness, Words
from circ.compiler.query import Asked, Known, Named, Names, define, formula, query
from circ.compiler.rows import row_at
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Proved
from circ.lang.binding import found_dims, paired, substitute
from circ.lang.diagnostic import CircError
from circ.lang.span import Source
from circ.lang.syntax import CircuitDecl, DomainDecl, Expr, ListExpr, Number, Quoted, Ref, Unary
from circ.lang.types import Array, Dim, Type, fits, of_length
from circ.runtime.cache.recall import answered
from circ.runtime.evaluate import Evaluated, evaluate
from circ.runtime.regions import unused
from circ.runtime.repl.about import named_text
from circ.runtime.repl.state import State

SECONDS = 5.0
"""Time to find an input of one domain."""


@dataclass(frozen=True, slots=True)
class Argument:
    """What a parameter is given, and the domain that it was chosen from, if it was."""

    parameter: str
    value: Named
    domain: str = ""

    @property
    def text(self) -> str:
        """`s = [letter, single] (of Prompts)`."""
        of = f"  (of {self.domain})" if self.domain else ""
        return f"{self.parameter} = {named_text(self.value)}{of}"


@dataclass(frozen=True, slots=True)
class Tried:
    """A circuit on its examples: what it gives, or the parameter that there is no example for.

    `margin` is that of a guard.
    """

    call: str
    arguments: tuple[Argument, ...]
    value: Evaluated | None
    margin: Evaluated | None = None
    lacks: str = ""


@dataclass(frozen=True, slots=True)
class OnExamples:
    """The call of a circuit with a running example for each parameter; `lacks` names one without."""

    call: str
    arguments: tuple[Argument, ...]
    lacks: str = ""

    @property
    def names(self) -> Names:
        """What the names in the call stand for."""
        return {each.parameter: each.value for each in self.arguments}


def on_examples(state: State, decl: CircuitDecl) -> OnExamples:
    """A call of a circuit, as far as there are examples for its parameters."""
    found, binding = list[Argument](), dict[str, Dim]()
    call = f"{decl.name.text}({', '.join(param.name.text for param in decl.params)})"
    for param in decl.params:
        wanted = state.program.typed.facts.parameters[param]
        argument = argument_for(state, param.name.text, wanted, binding)
        if argument is None:
            return OnExamples(call, tuple(found), param.name.text)
        found.append(argument)
    return OnExamples(call, tuple(found))


def tried(state: State, decl: CircuitDecl) -> Tried:
    """A circuit on running examples; raises `CircError` where it has no value there."""
    asked = on_examples(state, decl)
    if asked.lacks:
        return Tried(asked.call, asked.arguments, None, lacks=asked.lacks)
    value = value_of(state, asked.call, asked.names)
    margin = None
    if decl.is_guard:
        with suppress(CircError):
            margin = value_of(state, f"margin({asked.call})", asked.names)
    return Tried(asked.call, asked.arguments, value, margin)


def value_of(state: State, text: str, names: Names) -> Evaluated:
    """Both values of an expression in which these names stand for examples."""
    asked = query(state.program, define(state.program, Source("<example>", text), names))
    return evaluate(asked, state.program.weights, replace(state.limits, timeout=SECONDS))


def argument_for(
    state: State, parameter: str, wanted: Type, binding: dict[str, Dim]
) -> Argument | None:
    """The example of that name, else the last that fits, else an input of the first domain that fits."""
    if not isinstance(wanted, Array):
        return None
    own = {name: state.names[name] for name in (parameter,) if name in state.names}
    for named in (*own.values(), *reversed(state.names.values())):
        if takes(wanted, named, binding):
            return Argument(parameter, named)
    for decl in state.program.typed.scope.values.values():
        if isinstance(decl, DomainDecl) and may_fit(state, decl, wanted):
            known = chosen(state, decl)
            if known is not None and takes(wanted, known, binding):
                return Argument(parameter, known, decl.name.text)
    return None


def takes(wanted: Array, named: Named, binding: dict[str, Dim]) -> bool:
    """Whether a value fits a parameter; if it does, its dimensions are bound."""
    trial = dict(binding)
    if not isinstance(named.type, Array) or not is_fit(wanted, named.type, trial):
        return False
    binding.update(trial)
    return True


def is_fit(wanted: Array, given: Array, binding: dict[str, Dim]) -> bool:
    """Whether a type fits that of a parameter, whose dimensions are found on the way."""
    binding |= found_dims(paired(wanted, given), binding)
    return fits(given, substitute(wanted, binding))


def may_fit(state: State, decl: DomainDecl, wanted: Array) -> bool:
    """Whether inputs of a domain may fit, before one is looked for."""
    found = state.program.typed.facts.domains.get(decl.value)
    if not isinstance(found, Array) or len(found.dims) != len(wanted.dims):
        return False
    return type(found.element) is type(wanted.element)


def chosen(state: State, decl: DomainDecl) -> Known | None:
    """An input of a domain, the same each time; None where none is found soon."""
    name = decl.name.text
    if name not in state.chosen:
        state.chosen[name] = first_of(state, name)
    return state.chosen[name]


def first_of(state: State, domain: str) -> Known | None:
    """An input of a domain, if one is found soon."""
    variable = unused(state.program, state.names)
    source = Source("<example>", f"exists {variable} in {domain}: 0 == 0")
    try:
        asked = formula(state.program, source, {})
        limits = replace(state.limits, timeout=SECONDS)
        reply = answered(asked.question, state.program.weights, limits)
    except CircError:
        return None
    match reply.verdict:
        case Proved(example=found) if found is not None:
            weights = state.program.weights
            return dict(found_values(asked, reply.obligation, found.witness, weights))[variable]
        case _:
            return None


def found_values(
    asked: Asked, obligation: Obligation, witness: Witness, weights: Weights
) -> Iterable[tuple[str, Known]]:
    """An input as values under the names of its binders."""
    for bound in obligation.binders:
        known, entries = asked.types[bound.name], witness[bound.name]
        assert isinstance(known, Array)
        if isinstance(bound.values, Words) and bound.values.rows:
            yield bound.name, Known(known, row_at(obligation, witness, weights, bound.name))
        else:
            yield bound.name, Known(of_length(known, len(entries)), entries)


def circuits_of(state: State) -> Iterator[CircuitDecl]:
    """The circuits that the spec and the session declare, in order."""
    for item in state.program.typed.module.items:
        if isinstance(item, CircuitDecl):
            yield item


def is_written_out(e: Expr, reads: Names) -> bool:
    """Whether an expression is its own value: numbers and members, in brackets perhaps."""
    match e:
        case Number() | Quoted():
            return True
        case Ref(name=name):
            return name not in reads
        case Unary(op="-", operand=Number()):
            return True
        case ListExpr(items=items):
            return all(is_written_out(item, reads) for item in items)
        case _:
            return False

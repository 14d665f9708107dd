"""Whether a circuit takes the inputs of domains, and how a claim says that it does: `(s, x) in Pairs`, `two(s, x)`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from circ.compiler.driver import Program
from circ.lang.diagnostic import Diagnostic
from circ.lang.errors.command import other_argument, other_arguments
from circ.lang.products import product_of
from circ.lang.span import Span
from circ.lang.syntax import CircuitDecl, DataSet, DomainDecl
from circ.lang.types import Array, Tuple, Type, fits


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of the inputs of a domain: where it is declared, and its type."""

    span: Span
    type: Type


@dataclass(frozen=True, slots=True)
class Given:
    """A circuit with the inputs of domains for arguments, under names that mean nothing else in a spec."""

    head: str
    """What binds them: `(s, x) in Pairs, t in Words`."""
    call: str
    """The circuit of them: `three(s, x, t)`."""


def given(
    program: Program, circuit: CircuitDecl, domains: Sequence[DomainDecl], taken: set[str]
) -> Given:
    """The circuit on these domains, their variables in their order being its arguments (`misfit`); no name is in `taken`."""
    names: list[str] = []
    for parameter in circuit.params:
        names.append(free(parameter.name.text, taken | {*names}))
    rest, binders = iter(names), list[str]()
    for domain in domains:
        own = [next(rest) for _ in variables(program, domain)]
        bound = own[0] if len(own) == 1 else f"({', '.join(own)})"
        binders.append(f"{bound} in {domain.name.text}")
    return Given(", ".join(binders), f"{circuit.name.text}({', '.join(names)})")


def misfit(
    program: Program, circuit: CircuitDecl, domains: Sequence[DomainDecl]
) -> Diagnostic | None:
    """Why a circuit does not take the inputs of domains, by their number and types (E0204, E0201); None where it does.

    Of a circuit with dimensions the types are not looked at: what these stand for is found where it is called.
    """
    found = [each for domain in domains for each in variables(program, domain)]
    if len(found) != len(circuit.params):
        return other_arguments(
            circuit.name, len(circuit.params), [domain.name for domain in domains], len(found)
        )
    for parameter, variable in zip(circuit.params, found, strict=True):
        wanted = program.typed.facts.parameters[parameter]
        loose = circuit.dims and isinstance(wanted, Array)
        if not loose and not fits(variable.type, wanted):
            return other_argument(circuit.name, parameter, wanted, variable.span, variable.type)
    return None


def variables(program: Program, domain: DomainDecl) -> Iterator[Variable]:
    """The variables of an input of a domain, in its order."""
    facts, value = program.typed.facts, domain.value
    kind = facts.domains[value]
    scope = facts.scopes[domain.name.span.source]
    product = None if isinstance(value, DataSet) else product_of(value, scope, facts.scopes)
    if product is None or not isinstance(kind, Tuple):
        yield Variable(domain.name.span, kind)
        return
    for binder, each in zip(product.binders, kind.items, strict=True):
        yield Variable(binder.name.span, each)


def free(name: str, taken: set[str]) -> str:
    """A name that means nothing in a spec."""
    return name if name not in taken else free(f"{name}_", taken)

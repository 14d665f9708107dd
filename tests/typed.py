"""The types that the checker finds, as text: of sites and results, domains, and what is compared."""

from __future__ import annotations

from collections.abc import Iterator

from circ.lang.check.items import TypedModule
from circ.lang.syntax import CircuitDecl, ClaimDecl, Compare, DomainDecl, Formula
from circ.lang.types import show
from circ.lang.walk import walk


def typed(module: TypedModule) -> Iterator[str]:
    """A line for each circuit and domain, indented ones for what lies inside items."""
    for item in module.module.items:
        match item:
            case CircuitDecl():
                yield from circuit(item, module)
            case DomainDecl(name=name, value=value):
                yield f"domain {name.text}: {show(module.facts.domains[value])}"
            case ClaimDecl(name=name, formula=formula):
                yield f"claim {name.text}"
                yield from compared(formula, module)
            case _:
                pass


def circuit(decl: CircuitDecl, module: TypedModule) -> Iterator[str]:
    """The declared result, the sites, and the type found of the result's expression."""
    facts = module.facts
    yield f"circuit {decl.name.text} -> {show(facts.results[decl])}"
    yield from (f"  {let.name.text}: {show(facts.lets[let])}" for let in decl.lets)
    yield f"  return {show(facts.types[decl.body])}"


def compared(formula: Formula, module: TypedModule) -> Iterator[str]:
    """The operands of the comparisons in what is claimed, in the order they are written."""
    found = [part for part in walk(formula.body) if isinstance(part, Compare)]
    operands = {each.span.start: each for part in found for each in part.operands}
    for _, operand in sorted(operands.items()):
        yield f"  {operand.span.text}: {show(module.facts.types[operand])}"

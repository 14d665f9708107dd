"""E032x: inputs of several variables, and where one is meant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from circ.lang.diagnostic import Diagnostic, Fix
from circ.lang.span import Span


def one_name(span: Span, domain: str, variables: Sequence[str]) -> Diagnostic:
    """`p in P`, where the inputs of P have several variables."""
    headline = f"an input of {domain} has {len(variables)} variables, and this is one name"
    return with_names(Diagnostic("E0324", headline, span, "one name"), variables)


def other_names(span: Span, domain: str, variables: Sequence[str], given: int) -> Diagnostic:
    """`(s, x, y) in P`, where the inputs of P have two variables."""
    several = "" if given == 1 else "s"
    headline = f"an input of {domain} has {len(variables)} variables, and {given} name{several} "
    headline += "is given" if given == 1 else "are given"
    return with_names(Diagnostic("E0324", headline, span), variables)


def with_names(wrong: Diagnostic, variables: Sequence[str]) -> Diagnostic:
    """The same with help and a fix: a name for each variable."""
    written = f"({', '.join(variables)})"
    fix = None if wrong.span is None else Fix(wrong.span, written)
    return replace(wrong, help=f"write `{written}`, a name for each", fix=fix)


def one_variable(span: Span, domain: str, names: Sequence[str]) -> Diagnostic:
    """`(s, t) in D`, where an input of D is one value."""
    headline = f"an input of {domain} is one value, and these are names for the variables of one"
    written = ", ".join(names)
    means = "" if len(names) == 1 else f", for {len(names)} inputs"
    help = f"write `{written}` without the parentheses{means}"
    return Diagnostic("E0324", headline, span, help=help, fix=Fix(span, written))


def goes_over_one(span: Span, name: str, what: str, help: str) -> Diagnostic:
    """A product where a domain of one variable is wanted; `what` says who wants it."""
    headline = f"{what} goes over a domain of one variable, and an input of `{name}` has several"
    return Diagnostic("E0325", headline, span, "several variables", help=help)


def product_inside(span: Span, name: str, variables: Sequence[str]) -> Diagnostic:
    """A product as what a variable of another ranges over."""
    headline = f"a variable of a domain is one value, and an input of `{name}` has several"
    help = f"name {' and '.join(f'`{each}`' for each in variables)} here, with what `{name}` says of them"
    return Diagnostic("E0325", headline, span, "several variables", help=help)

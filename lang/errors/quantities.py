"""E032x: numbers of inputs, and where they may stand."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span
from circ.lang.types import Type, show


def not_closed(span: Span) -> Diagnostic:
    """A count over a domain below a variable."""
    headline = "a `count` over a domain stands in a claim without variables, or by itself"
    help = "write a claim of its own, as in `claim c: count { s in D | p } >= 100`"
    return Diagnostic("E0320", headline, span, "not here", help=help)


def counts_reals(span: Span, found: Type) -> Diagnostic:
    """A count over a domain that is a continuum."""
    headline = f"`count` goes over words, and there are infinitely many of `{show(found)}`"
    help = "claim it of all of them, with `forall`"
    return Diagnostic("E0321", headline, span, "not to be counted", help=help)


def not_listed(span: Span, name: str, most: int) -> Diagnostic:
    """A comprehension or a fold over a domain whose values are not listed."""
    headline = f"`{name}` is a domain whose values are not listed one by one"
    help = f"go over a data set, or over all words of a type that has at most {most:,} of them"
    return Diagnostic("E0322", headline, span, "not listed", help=help)

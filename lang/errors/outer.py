"""E03xx: a quantifier before another, which goes through values one by one."""

from __future__ import annotations

from dataclasses import replace

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span


def not_one_by_one(span: Span, name: str, why: str) -> Diagnostic:
    """A quantifier before another whose values cannot be gone through; `why` not."""
    headline = f"a quantifier before another goes through values one by one, and `{name}` {why}"
    help = "it may be of an enum, of `fin[n]`, or a short word of these"
    return Diagnostic("E0319", headline, span, "not one by one", help=help)


def too_many_values(span: Span, most: int) -> Diagnostic:
    """More values than are gone through."""
    headline = f"this quantifier goes through more than {most:,} values, one claim for each"
    help = "bind them together with what follows, in one quantifier"
    return Diagnostic("E0319", headline, span, "too many", help=help)


def value_is_open(span: Span, where: str) -> Diagnostic:
    """A value of which it is not known whether it is to be gone through."""
    headline = f"whether {where} meets this condition cannot be said"
    help = "what the values meet may not depend on how a tie is broken"
    return Diagnostic("E0323", headline, span, "open", help=help)


def at_value(found: Diagnostic, head: Span, where: str) -> Diagnostic:
    """What is wrong with a claim at one of the values that the quantifier `head` goes through."""
    return replace(found, why=(*found.why, Label(head, f"at {where}")))

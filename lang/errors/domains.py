"""E03xx: domains, claims, and where their words may stand."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span
from circ.lang.types import Type, show


def unbounded(span: Span, declared: Span | None, binder: str, entry: str, side: str) -> Diagnostic:
    """A real binder that the domain's linear conditions leave without a bound; where that is declared."""
    headline = f"`{binder}` is unbounded: nothing bounds {entry} from {side}"
    help = f"add a box at the top level of the domain, as in `-1 <= {binder} <= 1`"
    why = () if declared is None else (Label(declared, "its domain"),)
    return Diagnostic("E0301", headline, span, "its domain must be bounded", why, help)


def too_many_entries(span: Span, binder: str, most: int) -> Diagnostic:
    """A binder with more entries than anything can be proved about."""
    headline = f"`{binder}` has more than {most:,} entries"
    return Diagnostic("E0306", headline, span, help="shorten its axes")


def bad_binder(span: Span, found: Type) -> Diagnostic:
    """A binder of a type that no domain ranges over."""
    headline = f"a domain ranges over reals or words of an enum, not `{show(found)}`"
    return Diagnostic("E0302", headline, span)


def old_outside(span: Span) -> Diagnostic:
    """`old` where there is no patch."""
    headline = "`old` speaks of the unpatched checkpoint, and only a patch has one"
    return Diagnostic("E0303", headline, span)


def reads_another_binder(span: Span, name: str) -> Diagnostic:
    """A domain condition that speaks of a variable other than its own."""
    headline = f"a domain's condition speaks of its own variable only, not of `{name}`"
    return Diagnostic("E0304", headline, span, help="put it in the claim's `where`")


def no_binder(span: Span, clause: str) -> Diagnostic:
    """A formula without a quantifier where one is needed."""
    return Diagnostic("E0305", f"`{clause}` starts with `forall`", span, "no quantifier")


def bad_lengths(span: Span, most: int) -> Diagnostic:
    """`Char[4..2]`."""
    headline = f"lengths go upwards, from 1 at least to {most:,} at most"
    return Diagnostic("E0308", headline, span, help="as in `Char[1..64]`")


def lengths_elsewhere(span: Span) -> Diagnostic:
    """`real[1..3]`, or a range of lengths in a circuit's signature."""
    headline = "only a domain's word may have one of several lengths"
    help = "in a circuit, name the length: `circuit f[n](s: Char[n])`"
    return Diagnostic("E0309", headline, span, help=help)


def lengths_twice(span: Span, first: Span) -> Diagnostic:
    """Two binders that may each have several lengths."""
    headline = "a claim speaks of one word of several lengths, not of two"
    why = (Label(first, "the first one"),)
    help = "fix the length of one of them"
    return Diagnostic("E0310", headline, span, why=why, help=help)


def without_end(span: Span, who: str = "a patch") -> Diagnostic:
    """A word without a longest length, where lengths are gone through one by one."""
    headline = f"{who} cannot be about words of any length: it goes through lengths one by one"
    help = "name the longest: `Char[1..64]` in place of `Char[1..]`"
    return Diagnostic("E0311", headline, span, help=help)


def unknown_format(span: Span, name: str, known: Sequence[str]) -> Diagnostic:
    """`over f32`."""
    headline = f"`{name}` is no float format"
    help = f"there are {', '.join(f'`{each}`' for each in known)}"
    return Diagnostic("E0313", headline, span, "not a format", help=help)


def not_executed(span: Span, what: str, help: str) -> Diagnostic:
    """`over float32` where no execution is meant, or none can be followed."""
    headline = f"a claim over floats is a `forall` about executions, not {what}"
    return Diagnostic("E0314", headline, span, "only of exact numbers", help=help)


def knows_positions(span: Span, what: str) -> Diagnostic:
    """A claim about words of any length that does not treat all of their positions alike."""
    headline = "a claim about words of any length may not know of positions"
    help = "name the longest length, as in `Char[1..64]`: each length is then decided by itself"
    return Diagnostic("E0312", headline, span, what, help=help)

"""E05xx: interventions and readings of sites."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.errors.names import suggestion
from circ.lang.errors.spelling import closest, nearest
from circ.lang.span import Span
from circ.lang.syntax import Name

MOST_SITES = 8
"""So many are listed; of more, those that are most like what is written."""


def unknown_site(name: Name, owner: str, known: Sequence[str]) -> Diagnostic:
    """A site that the circuit, or another site, does not have; `owner` in words."""
    help, fix = suggestion(name.span, nearest(name.text, known))
    shown = known if len(known) <= MOST_SITES else closest(name.text, known, MOST_SITES)
    more = f", and {len(known) - len(shown)} more" if len(shown) < len(known) else ""
    listed = ", ".join(f"`{k}`" for k in shown) + more or "none"
    headline = f"{owner} has no site `{name.text}`"
    return Diagnostic("E0501", headline, name.span, f"its sites: {listed}", help=help, fix=fix)


def feeds_nothing(span: Span, site: str, what: str) -> Diagnostic:
    """An intervention that cannot change what is read: a circuit's result or a site, in words."""
    headline = f"`{site}` feeds nothing: replacing it cannot change {what}"
    return Diagnostic("E0502", headline, span, "no effect")


def overlapping_edits(span: Span, first: Span) -> Diagnostic:
    """Two simultaneous edits of the same entries."""
    why = (Label(first, "also edits it"),)
    return Diagnostic("E0503", "two edits replace the same wire", span, "", why)


def several_steps(span: Span) -> Diagnostic:
    """An edit of several steps of a fold that reads what they would have been."""
    headline = "an edit of several steps of a fold cannot read `it`"
    help = "edit one step after the other, as in `state.q[0] := …, state.q[1] := …`"
    label = "each step depends on those before it"
    return Diagnostic("E0506", headline, span, label, help=help)


def not_a_call(span: Span, indexed: bool = False) -> Diagnostic:
    """`do` or a site on something that is not a circuit's call; perhaps on one `indexed` of several calls."""
    headline = "only a call of a circuit has sites"
    help = "read a site as `f(x).site`, replace it as `f(x) do { site := e }`"
    if indexed:
        help = "the index of one call of several stands last: `f(x).heads.site[0]`"
    return Diagnostic("E0504", headline, span, help=help)


def it_outside(span: Span) -> Diagnostic:
    """`it` where no wire is being replaced."""
    headline = "`it` stands for the value of a replaced wire, inside `do { site := … }`"
    return Diagnostic("E0505", headline, span)

"""E06xx: what a patch may say."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span


def not_read(span: Span, tensor: str, circuit: str) -> Diagnostic:
    """A change of a tensor that the patched circuit never reads."""
    headline = f"`{circuit}` does not read `{tensor}`: changing it would do nothing"
    return Diagnostic("E0601", headline, span, "no effect")


def unknown_norm(span: Span, norm: str) -> Diagnostic:
    """A norm that cannot be minimised."""
    headline = f"a patch cannot minimize `{norm}`"
    return Diagnostic("E0602", headline, span, help="it can minimize `l1`, `l2` or `linf`")


def needs(span: Span, name: str, clauses: str) -> Diagnostic:
    """A patch that lacks a clause."""
    return Diagnostic("E0603", f"patch `{name}` has no {clauses}", span)


def existential(span: Span, clause: str) -> Diagnostic:
    """An `exists` in a patch."""
    headline = f"`{clause}` starts with `forall`: an edit is proved on a whole domain"
    return Diagnostic("E0604", headline, span)


def edited_twice(span: Span, first: Span, tensor: str) -> Diagnostic:
    """A tensor that is named again."""
    why = (Label(first, "first here"),)
    return Diagnostic("E0605", f"`{tensor}` is edited twice", span, "again", why)

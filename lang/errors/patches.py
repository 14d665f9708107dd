"""E06xx: what a patch may say."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span
from circ.lang.types import Array, described


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
    help = "say what must hold of the patched checkpoint: `require forall x in D: …`"
    return Diagnostic("E0603", f"patch `{name}` has no {clauses}", span, help=help)


def existential(span: Span, clause: str) -> Diagnostic:
    """An `exists` in a patch."""
    headline = f"`{clause}` starts with `forall`: an edit is proved on a whole domain"
    return Diagnostic("E0604", headline, span)


def edited_twice(span: Span, first: Span, tensor: str) -> Diagnostic:
    """A tensor that is named again."""
    why = (Label(first, "first here"),)
    return Diagnostic("E0605", f"`{tensor}` is edited twice", span, "again", why)


def rank_of_no_matrix(span: Span, tensor: str, t: Array, *, parts: bool) -> Diagnostic:
    """A rank behind a part of a tensor, or behind one that is no matrix."""
    what = "parts of it are edited" if parts else f"it is {described(t)}"
    headline = f"the change of `{tensor}` has no rank: {what}"
    return Diagnostic("E0630", headline, span, help="`rank` stands behind a whole matrix")


def no_rank(span: Span, tensor: str, rank: int, most: int) -> Diagnostic:
    """A rank that nothing has, or all changes have."""
    headline = f"a change of `{tensor}` has a rank from 1 to {most}, not {rank}"
    help = "without `rank`, any change may be made" if rank > most else ""
    return Diagnostic("E0631", headline, span, help=help)


def norm_of_rank(span: Span, edited: Span, norm: str) -> Diagnostic:
    """A norm other than l2 beside a rank."""
    why = (Label(edited, "of this rank"),)
    headline = f"a change of a rank is made small in l2, not in {norm}"
    return Diagnostic("E0632", headline, span, "this norm", why, help="write `minimize l2`")

"""E03xx: claims that take others as lemmas."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.span import Span
from circ.lang.syntax import Name


def no_lemma(name: Name, what: str, help: str) -> Diagnostic:
    """A claim that says nothing of every input of a domain, or nothing that holds; `what` it is."""
    headline = f"`{name.text}` cannot be a lemma: it is {what}"
    return Diagnostic("E0315", headline, name.span, "not a lemma", help=help)


def does_not_fit(name: Name, binder: Name, kind: str, why: str) -> Diagnostic:
    """A lemma about a variable that the claim has not; `why` is what the claim has instead."""
    headline = f"the lemma `{name.text}` is about `{binder.text}`, a `{kind}`, and {why}"
    labels = (Label(binder.span, "bound here"),)
    help = "a lemma is used for the variables of the same names and types"
    return Diagnostic("E0316", headline, name.span, "does not fit", labels, help)


def takes_no_lemmas(span: Span, what: str, help: str) -> Diagnostic:
    """`using` in the head of a claim that is no `forall` about exact numbers; `what` it is."""
    headline = f"only a `forall` about exact numbers takes lemmas, and this claim is {what}"
    return Diagnostic("E0317", headline, span, "takes no lemmas", help=help)


def rests_on_itself(name: Name, through: Sequence[Name]) -> Diagnostic:
    """A lemma whose proof would need the claim that it is to help."""
    headline = f"the lemma `{name.text}` rests on the claim that it is to help"
    labels = tuple(Label(other.span, "through this") for other in through)
    return Diagnostic("E0318", headline, name.span, "in a circle", labels, "leave it out")

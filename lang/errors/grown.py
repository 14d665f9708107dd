"""E0615 to E0617: specs of a patch that gives tensors other shapes."""

from __future__ import annotations

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span
from circ.lang.types import Type, show


def resized(span: Span, name: str, then: Type, now: Type) -> Diagnostic:
    """A variable of a size that the patch changes, read under `old`."""
    headline = (
        f"`{name}` is `{show(now)}` once the module has grown, and `old` reads it as `{show(then)}`"
    )
    help = "let what it ranges over stand inside `old` as well, or outside"
    return Diagnostic("E0615", headline, span, show(now), help=help)


def resized_together(span: Span) -> Diagnostic:
    """Unpatched tensors given whole, of which some have other shapes."""
    headline = "the patch changes shapes of these tensors, so that the unpatched ones cannot be handed on together"
    help = "put `old` before the whole call: `old f(x)`"
    return Diagnostic("E0616", headline, span, "other shapes", help=help)


def does_not_grow(span: Span) -> Diagnostic:
    """A spec that says a size which a patch changes."""
    headline = "the spec does not fit the module once it has grown"
    help = "leave its width to the file: no type of its tensors in the braces of `checkpoint`, or a dimension of the circuit"
    return Diagnostic("E0617", headline, span, "grows here", help=help)

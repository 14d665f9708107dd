"""E08xx: networks as ONNX and properties as VNN-LIB, and what of them is not read.

`span` is a place in a property's text; a network is a binary file and has none.
"""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic
from circ.lang.span import Span


def no_library(what: str, library: str) -> Diagnostic:
    """A file whose reader is an extra that is not installed."""
    headline = f"reading {what} needs the Python library `{library}`, which is not installed"
    return Diagnostic("E0801", headline, None, help="install it with `pip install circ-lang[onnx]`")


def not_onnx(path: str, reason: str) -> Diagnostic:
    """A file that holds no network, or is broken."""
    return Diagnostic("E0802", f"`{path}` is not an ONNX network: {reason}", None)


INSTEAD = {"Erf": "GELU is read in its tanh form: export it with `approximate='tanh'`"}
"""What to do without an operator."""


def unsupported(path: str, node: str, operator: str, known: Sequence[str]) -> Diagnostic:
    """An operator that is not read."""
    headline = f"`{path}`: the operator {operator} ({node}) is not supported"
    rest = f"supported are {', '.join(known)}"
    help = f"{INSTEAD[operator]}; {rest}" if operator in INSTEAD else rest
    return Diagnostic("E0803", headline, None, help=help)


def not_this_way(path: str, node: str, operator: str, reason: str) -> Diagnostic:
    """An operator that is read, used in a way that is not, or with operands that do not fit."""
    return Diagnostic("E0804", f"`{path}`: {operator} ({node}): {reason}", None)


def too_large(path: str, what: str, most: str) -> Diagnostic:
    """A network or a property beyond the bounds that keep reading it short."""
    return Diagnostic("E0805", f"`{path}` is too large: {what}", None, help=f"at most {most}")


def outside_model(path: str, tensor: str, reason: str) -> Diagnostic:
    """A tensor kept in a file of its own that is not read."""
    headline = f"the tensor `{tensor}` of `{path}` is kept in another file: {reason}"
    help = "it has to be a plain file in the network's folder or below"
    return Diagnostic("E0806", headline, None, help=help)


def not_finite_weight(path: str, tensor: str, value: float) -> Diagnostic:
    """A tensor with an entry that is no number."""
    headline = f"the tensor `{tensor}` of `{path}` holds {value}, which is no finite number"
    return Diagnostic("E0807", headline, None, help="no exact meaning can be given to it")


def not_vnnlib(span: Span, reason: str) -> Diagnostic:
    """Text that the format does not allow."""
    return Diagnostic("E0811", f"this is not VNN-LIB: {reason}", span, "here")


def not_linear(span: Span, reason: str) -> Diagnostic:
    """A term that is no linear combination of inputs and outputs."""
    help = "terms are sums of variables times constants"
    return Diagnostic("E0812", f"not linear: {reason}", span, "here", help=help)


def unbounded_input(span: Span, name: str, side: str) -> Diagnostic:
    """An input without a bound on this side, in one of the property's cases."""
    headline = f"`{name}` has no bound {side}"
    help = "every input needs a constant bound on each side"
    return Diagnostic("E0813", headline, span, help=help)


def misfit(span: Span, reason: str) -> Diagnostic:
    """A property about another network than the one given."""
    return Diagnostic("E0814", f"the property does not fit the network: {reason}", span)


def too_deep(span: Span, most: int) -> Diagnostic:
    """Parentheses nested deeper than is read."""
    return Diagnostic("E0815", f"nested deeper than {most} parentheses", span, "here")


def too_many_cases(span: Span, most: int) -> Diagnostic:
    """A property whose inputs range over more boxes than are gone through."""
    return Diagnostic("E0816", f"the inputs range over more than {most:,} boxes", span)


def too_many_parts(span: Span, boxes: int, most: int) -> Diagnostic:
    """A property that asks so much in each of its boxes that it cannot be kept."""
    headline = f"in {boxes:,} boxes there is more to be met than {most:,} comparisons"
    return Diagnostic("E0816", headline, span)


def beyond_version_2(span: Span, reason: str) -> Diagnostic:
    """What VNN-LIB 2.0 can say and is not read."""
    return Diagnostic("E0817", f"VNN-LIB 2.0 is read in part: {reason}", span)

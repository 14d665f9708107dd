"""E082x: the networks of a spec, and the types that it gives them."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic
from circ.lang.headers import Signature
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.types import Type, show


def other_inputs(name: Name, signature: Signature, declared: int) -> Diagnostic:
    """A network that takes more, or fewer, inputs than the spec says."""
    listed = ", ".join(f"`{each}`: {shape(sides)}" for each, sides in signature.inputs)
    headline = f"`{name.text}` is declared with {declared}, but `{signature.file}` has {len(signature.inputs)}"
    return Diagnostic(
        "E0820", f"{headline} inputs", name.span, help=f"they are, in order, {listed}"
    )


def several_outputs(span: Span, signature: Signature) -> Diagnostic:
    """A network with more than one output."""
    listed = ", ".join(f"`{each}`" for each, _ in signature.outputs)
    headline = f"`{signature.file}` has {len(signature.outputs)} outputs, and one is read"
    return Diagnostic("E0820", headline, span, help=f"export it with one of {listed}")


def not_its_type(
    span: Span, declared: Type, what: str, sides: Sequence[int], file: str
) -> Diagnostic:
    """A tensor whose shape in the file is another one."""
    headline = f"{what} of `{file}` is {shape(sides)}, but it is declared `{show(declared)}`"
    help = f"declare `{shape(sides[1:])}`, one entry of the batch" if sides[:1] == (1,) else ""
    return Diagnostic("E0820", headline, span, show(declared), help=help)


def shape(sides: Sequence[int]) -> str:
    """As a type."""
    return f"real[{', '.join(map(str, sides))}]" if sides else "real"

"""E082x: the networks of a spec, the types that it gives them, and modules that are handed over as such."""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic
from circ.lang.headers import Signature
from circ.lang.span import Span
from circ.lang.syntax import Name
from circ.lang.types import Type, show


def other_inputs(name: Name, signature: Signature, declared: int) -> Diagnostic:
    """A network that takes more, or fewer, inputs than the spec says."""
    counts = signature.vocabularies
    listed = ", ".join(
        f"`{each}`: {tokens(counts[each], sides) if each in counts else shape(sides)}"
        for each, sides in signature.inputs
    )
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
    fitting = shape(sides[1:])
    help = f"declare `{fitting}`, one entry of the batch" if sides[:1] == (1,) else ""
    if any(side > 1 for side in sides[:1]) and show(declared) == fitting:
        help = a_batch(sides[0])
    return Diagnostic("E0820", headline, span, show(declared), help=help)


def a_batch(count: int) -> str:
    """What to do about a network of several entries of a batch at once, where one was declared."""
    return f"a batch of {count} at once is one input of it: hand it over, or export it, with an example of one, `example[:1]`"


def not_its_tokens(
    span: Span, declared: Type, what: str, sides: Sequence[int], count: int, file: str
) -> Diagnostic:
    """An input that takes tokens, and is declared as something else, or in another shape."""
    headline = (
        f"{what} of `{file}` is {tokens(count, sides)}, but it is declared `{show(declared)}`"
    )
    fitting = sides[1:] if sides[:1] == (1,) else sides
    word = f"[{', '.join(map(str, fitting))}]" if fitting else ""
    help = f"it takes tokens by their numbers: declare `{tokens(count, fitting)}`, or `E{word}` of an enum `E` with at most {count} members"
    if any(side > 1 for side in sides[:1]) and show(declared).endswith(
        f"[{', '.join(map(str, sides[1:]))}]"
    ):
        help = a_batch(sides[0])
    return Diagnostic("E0820", headline, span, show(declared), help=help)


def too_many_tokens(
    span: Span, declared: Type, own: int, what: str, count: int, file: str
) -> Diagnostic:
    """An input declared with more tokens than there are rows in a table that it is looked up in."""
    headline = f"{what} of `{file}` takes {count} tokens, but it is declared `{show(declared)}`"
    label = f"an entry has {own} values"
    help = "a token is a row of a table; fewer than there are rows may be declared, and are the first ones"
    return Diagnostic("E0820", headline, span, label, help=help)


def not_handed_over(name: Name) -> Diagnostic:
    """A network that is in no file, in a spec that was not opened from Python with one."""
    headline = f"the network `{name.text}` has no file, and none was handed over"
    call = f'circ.load(spec, networks={{"{name.text}": circ.network(module, example)}})'
    help = (
        f"hand one over in Python, `{call}`, or name a file: `--checkpoint {name.text}=FILE.onnx`"
    )
    return Diagnostic("E0821", headline, name.span, "declared without `from`", help=help)


def not_exported(module: str, reason: str, help: str = "", span: Span | None = None) -> Diagnostic:
    """A module of PyTorch that is not read as a network."""
    return Diagnostic("E0822", f"`{module}` is not read as a network: {reason}", span, help=help)


def read_otherwise(
    network: str, peer: str, apart: float, allowed: float, first: str, span: Span | None = None
) -> Diagnostic:
    """A graph whose reading and whose own execution differ by more than rounding can explain."""
    headline = f"our reading of `{network}` differs from {peer} by {apart:.3g}, where rounding allows {allowed:.3g}"
    at = f"the first value that differs is {first}; " if first else ""
    help = (
        f"{at}this is a bug in Circ or in what it is compared with, and no verdict could be trusted"
    )
    return Diagnostic("E0823", headline, span, help=help)


def not_written(network: str, reason: str) -> Diagnostic:
    """A network that no ONNX file can hold as it is."""
    return Diagnostic("E0824", f"`{network}` cannot be written as ONNX: {reason}", None)


def tokens(count: int, sides: Sequence[int]) -> str:
    """As a type."""
    return f"fin[{', '.join(map(str, [count, *sides]))}]"


def shape(sides: Sequence[int]) -> str:
    """As a type."""
    return f"real[{', '.join(map(str, sides))}]" if sides else "real"

"""E04xx: checkpoints and modules that cannot be read, and tensors that are not there.

`span` is where a spec names the file or the tensor; None where nothing but the file is at hand.
"""

from __future__ import annotations

from collections.abc import Sequence

from circ.lang.diagnostic import Diagnostic, Fix
from circ.lang.errors.spelling import closest, nearest
from circ.lang.foreign import TRANSPOSED
from circ.lang.span import Span
from circ.lang.words import written_part

MOST_LISTED = 3
"""So many names of tensors are told."""


def missing_file(span: Span | None, path: str, near: str | None) -> Diagnostic:
    """Nothing has this name; `near` is a file beside it that is spelt alike."""
    help = f"there is a file `{near}` in that folder" if near else ""
    return Diagnostic("E0401", f"there is no file `{path}`", span, help=help)


def not_a_file(span: Span | None, path: str, kind: str, wanted: str) -> Diagnostic:
    """A folder or a device (`kind`) where a file, `wanted`, should be."""
    help = f"name a `{wanted}` file"
    return Diagnostic("E0402", f"`{path}` is {kind}, not a file", span, help=help)


def unreadable(span: Span | None, path: str, reason: str) -> Diagnostic:
    """The operating system refused to open or read the file."""
    return Diagnostic("E0403", f"`{path}` cannot be read: {reason}", span)


def pickled(span: Span | None, path: str) -> Diagnostic:
    """What `torch.save` and `pickle` write: loading it can run any program."""
    headline = f"`{path}` is a pickle, and Circ never unpickles: loading one can run any program"
    help = "convert it where you trust it, with `safetensors.torch.save_file(weights, path)`"
    return Diagnostic("E0404", headline, span, help=help)


def not_safetensors(span: Span | None, path: str, reason: str) -> Diagnostic:
    """A file of another format, or a header that does not say what it must."""
    return Diagnostic("E0405", f"`{path}` is not a safetensors file: {reason}", span)


def truncated(span: Span | None, path: str, expected: int, found: int) -> Diagnostic:
    """The file ends before it should, counted in bytes: a download that broke off."""
    headline = f"`{path}` is cut short: its header asks for {expected:,} bytes, it has {found:,}"
    return Diagnostic("E0406", headline, span, help="copy or download the file again")


def header_too_large(span: Span | None, path: str, size: int, most: int) -> Diagnostic:
    """A header that the format does not allow to be so long."""
    headline = f"the header of `{path}` is {size:,} bytes long, and the format allows {most:,}"
    return Diagnostic("E0407", headline, span)


def bad_layout(span: Span | None, path: str, reason: str) -> Diagnostic:
    """Tensors that overlap, leave a gap, or have another size than their shape."""
    headline = f"the header of `{path}` does not fit its data: {reason}"
    return Diagnostic("E0408", headline, span)


def unsupported_dtype(span: Span | None, path: str, tensor: str, dtype: str) -> Diagnostic:
    """A tensor whose entries are not among the floats that are read."""
    headline = f"`{tensor}` in `{path}` is stored as {dtype}"
    help = "Circ reads F64, F32, F16 and BF16; convert the tensor, or do without it"
    return Diagnostic("E0409", headline, span, "not read", help=help)


def not_finite(
    span: Span | None, path: str, tensor: str, place: Sequence[int], value: float, count: int
) -> Diagnostic:
    """`count` entries that are no numbers, the first of them at `place`."""
    spot = f" at {list(place)}" if place else ""
    others = {1: "", 2: ", and 1 more is not"}.get(count, f", and {count - 1:,} more are not")
    headline = f"`{tensor}` in `{path}` is {value}{spot}, which is no finite number{others}"
    return Diagnostic("E0410", headline, span, help="no exact meaning can be given to it")


def outside_folder(span: Span, path: str) -> Diagnostic:
    """A path that leaves the folder of its spec."""
    headline = f"`{path}` lies outside the folder of this spec"
    help = (
        "a spec names files beside it or below; `--allow-outside` on the command line allows others"
    )
    return Diagnostic("E0411", headline, span, help=help)


def unknown_tensor(span: Span | None, name: str, known: Sequence[str]) -> Diagnostic:
    """A tensor that the checkpoint does not have."""
    if "*" in name.split("."):
        return nothing_matches(span, name, known)
    headline = f"the checkpoint has no tensor `{name}`"
    if name.endswith(".T") and name.removesuffix(".T") in known:
        return Diagnostic("E0412", headline, span, help=TRANSPOSED)
    near = nearest_tensor(name, known)
    if near is None:
        return Diagnostic("E0412", headline, span, help=listed(name, known))
    fix = renamed_tensor(span, name, near)
    return Diagnostic("E0412", headline, span, help=f"did you mean `{near}`?", fix=fix)


def tied_tensor(span: Span, name: str, kept: str) -> Diagnostic:
    """A tensor that a loader has, and the file leaves out, since it is another one as well."""
    headline = f"the checkpoint has no tensor `{name}` of its own: it is tied to `{kept}`"
    help = f"read `{kept}`, which is both; `circ patch --untie` gives `{name}` a tensor of its own"
    return Diagnostic("E0412", headline, span, help=help)


def nearest_tensor(name: str, known: Sequence[str]) -> str | None:
    """The tensor that is most likely meant, if one is close but for capitals."""
    first = closest(name, known, 1)
    return first[0] if first and nearest(name.lower(), [first[0].lower()]) else None


def renamed_tensor(span: Span | None, name: str, near: str) -> Fix | None:
    """The edit from one path to another, where the text has the whole path: `m.blocks.0.W`."""
    if span is None or not span.text.endswith(f".{name}"):
        return None
    path = ".".join(map(written_part, near.split(".")))
    return Fix(Span(span.source, span.end - len(name), span.end), path)


def nothing_matches(span: Span | None, pattern: str, known: Sequence[str]) -> Diagnostic:
    """A path with `*` that is the name of no tensor."""
    parts = len(pattern.split("."))
    whole = f"`{pattern}` names tensors of {parts} part{'s' if parts > 1 else ''}"
    help = f"`*` stands for one whole part of a name: {whole}; {listed(pattern, known)}"
    return Diagnostic("E0412", f"no tensor of the checkpoint matches `{pattern}`", span, help=help)


def listed(name: str, known: Sequence[str]) -> str:
    """The names of a checkpoint's tensors that are most like one, or all if they are few."""
    if not known:
        return "it has none"
    like = ", ".join(f"`{each}`" for each in closest(name, known, MOST_LISTED))
    if len(known) <= MOST_LISTED:
        return f"it has {like}"
    return f"the closest of its {len(known):,} tensors are {like}"


def bad_index(span: Span | None, path: str, reason: str) -> Diagnostic:
    """An index that is none, or says of the shards of a checkpoint what is not so."""
    headline = f"`{path}` is not the index of a checkpoint in shards: {reason}"
    return Diagnostic("E0413", headline, span)


def unknown_module(span: Span, module: str, known: Sequence[str]) -> Diagnostic:
    """A module that the standard library does not have."""
    near = nearest(module, known)
    listed = ", ".join(f"`{name}`" for name in known)
    help = f"did you mean `{near}`?" if near else f"there is {listed}; a file stands in quotes"
    fix = Fix(span, near) if near else None
    headline = f"the standard library has no `{module}`"
    return Diagnostic("E0414", headline, span, "unknown", help=help, fix=fix)

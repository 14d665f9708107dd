"""Truths, what is chosen by them, and changes of type."""

from __future__ import annotations

import numpy as np

from circ.compiler.aten.use import CODES, FLOATS, WHOLE, Said, Use, said


def joining(operator: str) -> Said:
    """`operator` of two tensors of truths."""

    def say(use: Use) -> None:
        use.end(operator, *(truths(use, name) for name in ("self", "other")))

    return said(say, "self", "other")


def negated(use: Use) -> None:
    """`logical_not`."""
    use.end("Not", truths(use, "self"))


def truths(use: Use, name: str) -> str:
    """A tensor of truths."""
    found = use.name(name)
    return found if use.of(found).dtype == "BOOL" else use.refuse(f"`{name}` is not of truths")


def where(use: Use) -> None:
    """Entries of one tensor where the condition holds, of the other elsewhere."""
    use.end("Where", truths(use, "condition"), use.real("self"), use.real("other"))


def filled(use: Use) -> None:
    """`masked_fill`: a number where the mask holds."""
    use.end("Where", truths(use, "mask"), use.real("value"), use.real("self"))


def converted(use: Use) -> None:
    """A change of type, which changes no number: from floats, truths or tokens to floats, of tokens to whole numbers."""
    x, dtype = use.name("self"), use.made.dtype
    if use.of(x).dtype == dtype:
        use.end("Identity", x)
    elif dtype in FLOATS or (dtype in WHOLE and use.is_tokens("self")):
        use.end("Cast", x, to=CODES[dtype])
    else:
        use.refuse(f"what depends on the input is not made {dtype}")


def copied(use: Use) -> None:
    """`copy`: the second tensor in the shape of the first."""
    use.end("Expand", use.real("src"), use.counts(use.made.shape))


def triangle(use: Use, below: bool) -> None:
    """Entries on one side of a diagonal, and 0 elsewhere."""
    shape, k = use.shape("self"), use.whole("diagonal")
    ones = np.ones(shape, np.bool_)
    kept = np.tril(ones, k) if below else np.triu(ones, k)
    zero = use.constant(np.zeros((), np.float64))
    use.end("Where", use.flags(kept), use.real("self"), zero)


TO_READ = ("self", "dtype", "layout", "device", "memory_format", "non_blocking", "pin_memory")

CONDITIONS: dict[str, Said] = {
    "__and__.Tensor": joining("And"),
    "__or__.Tensor": joining("Or"),
    "_to_copy": said(converted, *TO_READ),
    "bitwise_and.Tensor": joining("And"),
    "bitwise_not": said(negated, "self"),
    "bitwise_or.Tensor": joining("Or"),
    "copy": said(copied, "self", "src"),
    "logical_and": joining("And"),
    "logical_not": said(negated, "self"),
    "logical_or": joining("Or"),
    "masked_fill.Scalar": said(filled, "self", "mask", "value"),
    "masked_fill.Tensor": said(filled, "self", "mask", "value"),
    "to.device": said(converted, *TO_READ),
    "to.dtype": said(converted, *TO_READ),
    "tril": said(lambda use: triangle(use, below=True), "self", "diagonal"),
    "triu": said(lambda use: triangle(use, below=False), "self", "diagonal"),
    "where.Scalar": said(where, "condition", "self", "other"),
    "where.ScalarOther": said(where, "condition", "self", "other"),
    "where.ScalarSelf": said(where, "condition", "self", "other"),
    "where.self": said(where, "condition", "self", "other"),
}

"""What a module does with tokens: an input of whole numbers is moved, compared, looked up by, made real numbers."""

from __future__ import annotations

import numpy as np

from circ.compiler.aten.calls import Ref
from circ.compiler.aten.use import Said, Use, said

CARRYING = frozenset({
    "_to_copy", "_unsafe_view", "alias", "cat", "clone", "contiguous", "detach", "expand",
    "flatten.using_ints", "flip", "index.Tensor", "index_select", "permute", "repeat", "reshape",
    "select.int", "slice.Tensor", "split.Tensor", "split_with_sizes", "chunk", "squeeze",
    "squeeze.dim", "squeeze.dims", "stack", "t", "to.device", "to.dtype", "transpose.int",
    "unbind.int", "unflatten.int", "unsqueeze", "view",
})  # fmt: skip
"""Operators that move tokens, or change their type; what comes out is tokens again."""


def comparing(operator: str, negated: bool = False) -> Said:
    """A comparison: of whole numbers as such, of others as floats."""

    def say(use: Use) -> None:
        whole = any(use.is_tokens(name) for name in ("self", "other"))
        left, right = (whole_of(use, x) if whole else use.real(x) for x in ("self", "other"))
        if negated:
            use.end("Not", use.put(operator, left, right, dtype="BOOL"))
        else:
            use.end(operator, left, right)

    return said(say, "self", "other")


def whole_of(use: Use, name: str) -> str:
    """Tokens, or known whole numbers, as int64."""
    found = use.argument(name)
    if isinstance(found, Ref):
        return use.as_whole(found.name)
    if isinstance(found, bool) or not isinstance(found, int):
        use.refuse("tokens are compared with whole numbers")
    return use.counts(found)


def one_hot(use: Use) -> None:
    """Rows with a 1 at the token."""
    if not use.is_tokens("self") or use.whole("num_classes") < 1:
        use.refuse("only tokens are made one-hot, and with `num_classes`")
    ends = use.keep("I64", np.array([0, 1], np.int64))
    use.end("OneHot", use.as_whole(use.name("self")), use.counts(use.whole("num_classes")), ends)


TOKENS: dict[str, Said] = {
    "eq.Scalar": comparing("Equal"),
    "eq.Tensor": comparing("Equal"),
    "ge.Scalar": comparing("GreaterOrEqual"),
    "ge.Tensor": comparing("GreaterOrEqual"),
    "gt.Scalar": comparing("Greater"),
    "gt.Tensor": comparing("Greater"),
    "le.Scalar": comparing("LessOrEqual"),
    "le.Tensor": comparing("LessOrEqual"),
    "lt.Scalar": comparing("Less"),
    "lt.Tensor": comparing("Less"),
    "ne.Scalar": comparing("Equal", negated=True),
    "ne.Tensor": comparing("Equal", negated=True),
    "one_hot": said(one_hot, "self", "num_classes"),
}

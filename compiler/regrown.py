"""A spec whose checkpoint has tensors of other shapes: the same text, checked again for what a patch makes of the file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from circ.compiler.ir import Shape
from circ.lang.check.items import TypedModule
from circ.lang.check.modules import check_again
from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.grown import does_not_grow
from circ.lang.headers import Opened, Openers, TensorInfo
from circ.lang.scope import key
from circ.lang.span import Span
from circ.lang.syntax import CheckpointDecl, PatchDecl

Regrow = Callable[[Mapping[str, Shape], Span], TypedModule]
"""The spec with tensors, by key (`m/mlp.W_in`), of these shapes; raises `CircError` at what changes them."""


def regrown(
    typed: TypedModule, openers: Openers, patch: PatchDecl, shapes: Mapping[str, Shape], at: Span
) -> TypedModule:
    """The spec with tensors, by key, of other shapes; `old` keeps those it has.

    Raises `CircError`, E0617 at `at` and what is wrong then, where the patch, or what is not in a claim or another
    patch, does not fit them.
    """

    def header(decl: CheckpointDecl) -> Opened:
        opened = openers.header(decl)
        given = {
            name: TensorInfo(shapes.get(f"{key(decl)}/{name}", info.shape), info.dtype)
            for name, info in opened.header.items()
        }
        return replace(opened, header=given)

    found = Diagnostics()
    again = check_again(typed, replace(openers, header=header), found)
    others = (other for other in typed.scope.patches.values() if other is not patch)
    elsewhere = [claim.span for claim in typed.scope.claims.values()]
    elsewhere += [other.span for other in others]
    wrong = [d for d in found if d.severity == "error" and not stands_in(d, elsewhere)]
    if wrong:
        raise CircError(does_not_grow(at), *wrong)
    return again


def stands_in(found: Diagnostic, spans: list[Span]) -> bool:
    """Whether an error stands within one of these texts."""
    return found.span is not None and any(found.span in span for span in spans)

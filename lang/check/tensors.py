"""Tensors of checkpoints: their types, the groups they stand in, and which a circuit reads."""

from __future__ import annotations

from circ.lang.check.context import Context
from circ.lang.errors.files import unknown_tensor
from circ.lang.span import Span
from circ.lang.syntax import Attr, CheckpointDecl, CircuitDecl, Expr, Ref
from circ.lang.types import INVALID, Array, Fixed, Group, RealElement, Type, fits
from circ.lang.walk import called, walk


def tensor_path(e: Attr) -> tuple[str, tuple[str, ...]] | None:
    """The first name and the parts below it, where `e` is a path of names."""
    parts: tuple[str, ...] = ()
    at: Expr = e
    while isinstance(at, Attr):
        parts = (at.part.text, *parts)
        at = at.base
    return (at.name, parts) if isinstance(at, Ref) else None


def path_type(checkpoint: str, parts: tuple[str, ...], span: Span, ctx: Context) -> Type:
    """A tensor, or the group of those below a path; a path that is neither is reported."""
    header = ctx.facts.headers.get(checkpoint)
    if header is None:
        return INVALID
    name = ".".join(parts)
    if name in header:
        return tensor_type(checkpoint, name, ctx)
    if not parts or any(key.startswith(name + ".") for key in header):
        return Group(checkpoint, parts)
    return ctx.error(unknown_tensor(span, name, list(header)))


def tensor_type(checkpoint: str, name: str, ctx: Context) -> Type:
    """The declared type of a tensor, or its shape in the file."""
    declared = ctx.facts.entries.get(checkpoint, {}).get(name)
    if declared is not None:
        return declared
    shape = ctx.facts.headers[checkpoint][name].shape
    return Array(RealElement(), tuple(map(Fixed, shape)))


def same_tensors(a: Group, b: Group, ctx: Context) -> bool:
    """Whether two groups have tensors of the same names and types below them."""
    first, second = members(a, ctx), members(b, ctx)
    return first.keys() == second.keys() and all(fits(first[n], second[n]) for n in first)


def members(group: Group, ctx: Context) -> dict[str, Type]:
    """The types of a group's tensors, by what stands below the group's own path."""
    prefix = "".join(f"{part}." for part in group.prefix)
    names = [name for name in ctx.facts.headers[group.checkpoint] if name.startswith(prefix)]
    return {name[len(prefix) :]: tensor_type(group.checkpoint, name, ctx) for name in names}


def is_checkpoint(name: str, ctx: Context) -> bool:
    """Whether a name means a checkpoint here."""
    item = ctx.facts.scope.values.get(name)
    return name not in ctx.locals and isinstance(item, CheckpointDecl)


def tensors_read(circuit: CircuitDecl, ctx: Context) -> set[str]:
    """Paths (`m.mlp`, `m.mlp.W_in`) to what a circuit and those it calls read."""
    found: set[str] = set()
    seen = {circuit.name.text}
    waiting = [circuit]
    while waiting:
        decl = waiting.pop()
        for body in (decl.body, *(let.value for let in decl.lets)):
            found |= {dotted(part) for part in walk(body) if isinstance(part, Attr)}
            for name in called(body) - seen:
                seen.add(name)
                item = ctx.facts.scope.values.get(name)
                if isinstance(item, CircuitDecl):
                    waiting.append(item)
    return found


def dotted(e: Attr) -> str:
    """A path as it is written; empty for what is no path of names."""
    path = tensor_path(e)
    return "" if path is None else ".".join((path[0], *path[1]))

"""Tensors of checkpoints: their types, the groups they stand in, and which a circuit reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from circ.lang.check.context import Context
from circ.lang.errors.files import tied_tensor, unknown_tensor
from circ.lang.errors.names import not_a, unknown_name
from circ.lang.errors.patches import not_read
from circ.lang.errors.types import wrong_kind
from circ.lang.format_changes import dotted
from circ.lang.scope import Value, key, kind
from circ.lang.span import Span
from circ.lang.syntax import (
    Attr,
    CheckpointDecl,
    CircuitDecl,
    Expr,
    Name,
    Ref,
    SubspaceDecl,
    TensorPath,
    Vectors,
)
from circ.lang.types import INVALID, Array, Fixed, Group, RealElement, Type, fits
from circ.lang.walk import called, walk


def tensor_path(e: Attr | Ref) -> tuple[str, tuple[str, ...]] | None:
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
    for other, kept in ctx.facts.tied.get(checkpoint, {}).items():
        if f"{other}.".startswith(f"{name}."):
            return ctx.error(tied_tensor(span, other, kept))
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


def checkpoint_key(name: str, values: Mapping[str, Value]) -> str | None:
    """The key of the checkpoint that a name means among `values`; None where it means none."""
    item = values.get(name)
    return key(item) if isinstance(item, CheckpointDecl) else None


def tensors_read(circuit: CircuitDecl, ctx: Context) -> set[str]:
    """Paths (`m.mlp`, `m.mlp.W_in`), by key, to what a circuit and those it calls read."""
    found: set[str] = set()
    seen: set[CircuitDecl | SubspaceDecl] = {circuit}
    waiting: list[CircuitDecl | SubspaceDecl] = [circuit]
    while waiting:
        decl = waiting.pop()
        values = ctx.inside(decl).facts.scope.values
        for body in bodies(decl):
            found |= {keyed(path, values) for path in whole_paths(body)}
            for item in map(values.get, called(body)):
                if isinstance(item, CircuitDecl | SubspaceDecl) and item not in seen:
                    seen.add(item)
                    waiting.append(item)
    return found


def tensor_read(
    path: TensorPath | Vectors, circuit: CircuitDecl | None, role: str, ctx: Context
) -> Array | None:
    """The type of a tensor that a patch changes; None where there is none, or it is none that the circuit reads.

    `role` is what needs it, in words.
    """
    checkpoint, *parts = path.parts
    declared = ctx.facts.scope.values.get(checkpoint.text)
    if not isinstance(declared, CheckpointDecl):
        no_checkpoint(checkpoint, declared, ctx)
        return None
    found = path_type(key(declared), tuple(part.text for part in parts), path.span, ctx)
    if isinstance(found, Group):
        ctx.error(wrong_kind(path.span, found, "a tensor", role))
    if not isinstance(found, Array):
        return None
    name = ".".join((key(declared), *(part.text for part in parts)))
    if circuit is not None and not reads(tensors_read(circuit, ctx), name, ctx):
        ctx.unknown(not_read(path.span, dotted(path.parts), circuit.name.text))
        return None
    return found


def no_checkpoint(name: Name, declared: Value | None, ctx: Context) -> None:
    """Report what is named where a checkpoint should be."""
    if declared is None:
        values = ctx.facts.scope.values
        known = [known for known, item in values.items() if isinstance(item, CheckpointDecl)]
        ctx.unknown(unknown_name(name.span, name.text, known))
    else:
        ctx.error(not_a(name, kind(declared), "a checkpoint"))


def reads(paths: Collection[str], name: str, ctx: Context) -> bool:
    """Whether a tensor is one of those that are read, or of a group that is given to a circuit as a record."""
    return name in paths or any(holds(path, name, ctx) for path in paths)


def holds(each: str, name: str, ctx: Context) -> bool:
    """Whether a path is that of a group of tensors, or of all of a checkpoint, in which another path stands."""
    if not name.startswith(f"{each}."):
        return False
    headers = ctx.facts.headers.items()
    own = ((key, header) for key, header in headers if f"{each}.".startswith(f"{key}."))
    return any(each[len(key) + 1 :] not in header for key, header in own)


def whole_paths(e: Expr) -> list[Attr | Ref]:
    """The paths in an expression, without those that are parts of others; a name alone is one."""
    found = [part for part in walk(e) if isinstance(part, Attr | Ref)]
    inner = {part.base for part in found if isinstance(part, Attr)}
    return [path for path in found if path not in inner]


def bodies(decl: CircuitDecl | SubspaceDecl) -> tuple[Expr, ...]:
    """The expressions that a declaration is made of."""
    match decl:
        case CircuitDecl(lets=lets, body=body):
            return (body, *(let.value for let in lets))
        case SubspaceDecl(vectors=vectors):
            return (vectors,)


def keyed(e: Attr | Ref, values: Mapping[str, Value]) -> str:
    """A path to tensors, or a whole checkpoint, under the checkpoint's key; empty for what is none."""
    path = tensor_path(e)
    checkpoint = None if path is None else checkpoint_key(path[0], values)
    return "" if path is None or checkpoint is None else ".".join((checkpoint, *path[1]))

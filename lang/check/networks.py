"""Networks: the types that a spec gives to what a file has, and the values inside as sites.

A network is written for batches: where the first axis of a tensor in the file is 1, the spec may leave it out.
"""

from __future__ import annotations

from circ.lang.check.annotations import as_tensor
from circ.lang.check.context import Context
from circ.lang.errors.networks import (
    not_its_tokens,
    not_its_type,
    other_inputs,
    several_outputs,
    too_many_tokens,
)
from circ.lang.headers import Signature
from circ.lang.syntax import NetworkDecl, TypeExpr
from circ.lang.types import (
    INVALID,
    Array,
    EnumElement,
    FinElement,
    Fixed,
    Invalid,
    Type,
    is_real,
    real,
    size,
)

Sides = tuple[int, ...]


def check_network(decl: NetworkDecl, signature: Signature | None, ctx: Context) -> None:
    """The types of a network's parameters and of its result, held against the file if it could be read."""
    kinds = [as_tensor(param.type, ctx) for param in decl.params]
    ctx.facts.parameters |= dict(zip(decl.params, kinds, strict=True))
    ctx.facts.results[decl] = as_tensor(decl.result, ctx)
    if signature is None:
        return
    ctx.facts.networks[decl] = signature
    if len(signature.inputs) != len(decl.params):
        ctx.error(other_inputs(decl.name, signature, len(decl.params)))
    for param, kind, (name, sides) in zip(decl.params, kinds, signature.inputs, strict=False):
        count, what = signature.vocabularies.get(name), f"the input `{name}`"
        if count is None:
            held(param.type, kind, what, sides, signature, ctx)
        else:
            held_tokens(param.type, kind, what, sides, count, signature, ctx)
    if len(signature.outputs) != 1:
        ctx.error(several_outputs((decl.file or decl.name).span, signature))
        return
    ((name, sides),) = signature.outputs
    held(decl.result, ctx.facts.results[decl], f"the output `{name}`", sides, signature, ctx)


def held(
    written: TypeExpr, kind: Type, what: str, sides: Sides, signature: Signature, ctx: Context
) -> None:
    """Report a type that is not that of a tensor in the file."""
    if not isinstance(kind, Invalid) and sides_of(kind) not in (sides, unbatched(sides)):
        ctx.error(not_its_type(written.span, kind, what, sides, signature.file))


def held_tokens(
    written: TypeExpr,
    kind: Type,
    what: str,
    sides: Sides,
    count: int,
    signature: Signature,
    ctx: Context,
) -> None:
    """Report a type that is not of tokens of the network: of an enum's members or `fin[n]`, at most as many."""
    if isinstance(kind, Invalid):
        return
    own = members(kind)
    if own is None or lengths_of(kind) not in (sides, unbatched(sides)):
        ctx.error(not_its_tokens(written.span, kind, what, sides, count, signature.file))
    elif own > count:
        ctx.error(too_many_tokens(written.span, kind, own, what, count, signature.file))


def members(t: Type) -> int | None:
    """How many values an entry has, of an enum or of `fin[n]`."""
    match t:
        case Array(element=EnumElement(members=names)):
            return len(names)
        case Array(element=FinElement(size=among)):
            return size(among)
        case _:
            return None


def sides_of(t: Type) -> Sides | None:
    """How long the axes of a tensor of reals are, where all are known."""
    return lengths_of(t) if is_real(t) else None


def lengths_of(t: Type) -> Sides | None:
    """How long the axes of a tensor are, where all are known."""
    sides = [size(dim) for dim in t.dims] if isinstance(t, Array) else [None]
    known = tuple(side for side in sides if side is not None)
    return known if len(known) == len(sides) else None


def unbatched(sides: Sides) -> Sides:
    """The shape of one entry of a batch of one."""
    return sides[1:] if sides[:1] == (1,) else sides


def in_batches(decl: NetworkDecl, ctx: Context) -> bool:
    """Whether the spec leaves out the axis of the batch."""
    signature = ctx.facts.networks[decl]
    return any(
        lengths_of(ctx.facts.parameters[param]) != sides
        for param, (_, sides) in zip(decl.params, signature.inputs, strict=False)
    )


def inner_type(decl: NetworkDecl, name: str, ctx: Context, tensors: bool) -> Type | None:
    """The type of a value inside a network, or of a parameter; None where it has none of that name.

    `tensors` allows those of its file.
    """
    for param in decl.params:
        if param.name.text == name:
            return ctx.facts.parameters[param]
    signature = ctx.facts.networks.get(decl)
    if signature is None:
        return INVALID
    sides = signature.sites.get(name)
    if sides is None and tensors and name in signature.tensors:
        return real(*map(Fixed, signature.tensors[name]))
    if sides is None:
        return None
    return real(*map(Fixed, unbatched(sides) if in_batches(decl, ctx) else sides))


def reaches(decl: NetworkDecl, site: str, read: str | None, ctx: Context) -> bool:
    """Whether the value at `read`, the output where that is None, is computed from that of a site."""
    signature = ctx.facts.networks.get(decl)
    if signature is None or len(signature.outputs) != 1:
        return True
    inputs = zip(decl.params, signature.inputs, strict=False)
    names = {**signature.values, **{param.name.text: name for param, (name, _) in inputs}}
    start = names.get(site, site)
    waiting, seen = [signature.outputs[0][0] if read is None else names.get(read, read)], set[str]()
    while waiting:
        name = waiting.pop()
        if name == start:
            return True
        if name not in seen:
            seen.add(name)
            waiting.extend(signature.reads.get(name, ()))
    return False

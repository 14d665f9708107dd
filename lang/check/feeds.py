"""What a site can change: whether a wire of a call can depend on another one."""

from __future__ import annotations

from collections.abc import Iterator

from circ.lang.check.context import Context
from circ.lang.check.networks import reaches
from circ.lang.check.sites import Called, Names, Path, callee, dotted, named_site
from circ.lang.check.tensors import checkpoint_key, reads, tensor_path, tensors_read
from circ.lang.syntax import (
    Attr,
    Call,
    CircuitDecl,
    Comprehension,
    Expr,
    Fold,
    Let,
    NetworkDecl,
    Parameter,
    Ref,
)
from circ.lang.types import Record
from circ.lang.walk import free, walk


def feeds(at: Called, path: Path, read: Path, ctx: Context, names: Names) -> bool:
    """Whether the wire at `read`, the result where that is empty, can depend on the site at `path`.

    `names` has the checkpoints whose tensors are sites. What is unknown is reported elsewhere.
    """
    decl, head, below = at.decl, path[0].text, path[1:]
    if isinstance(decl, NetworkDecl):
        return reaches(decl, dotted(path), dotted(read) if read else None, ctx)
    site, inner = named_site(decl, head), ctx.inside(decl)
    match site:
        case None:
            return feeds_tensor(at, path, ctx, names)
        case Parameter() if isinstance(ctx.facts.parameters.get(site), Record):
            field = tuple(part.text for part in path)
            return same_field(path, read) or reads_field(decl, field, read, inner)
        case Parameter():
            return read_is(head, read) or head in sources(decl, read)
        case Let() if read_is(head, read):
            return feeds_below(site.value, below, read[1:], inner, names)
        case Let():
            return head in sources(decl, read) and feeds_below(site.value, below, (), inner, names)


def read_is(head: str, read: Path) -> bool:
    """Whether what is read is a site of that name, or below it."""
    return bool(read) and read[0].text == head


def feeds_below(value: Expr, path: Path, read: Path, ctx: Context, names: Names) -> bool:
    """The same below the value of a `let`: of what is there, or of the value itself where a path is empty."""
    if not path:
        return not read
    match value:
        case Comprehension(body=body):
            return feeds_below(body, path, read, ctx, names)
        case Fold():
            return feeds_fold(value, path, read, ctx, names)
        case _:
            called = callee(value, ctx)
            return called is None or feeds(called, path, read, ctx, names)


def feeds_fold(e: Fold, path: Path, read: Path, ctx: Context, names: Names) -> bool:
    """A site of a step changes what comes after it there, and by the state what comes in later steps."""
    is_state = path[0].text == e.state.text
    changes = is_state or feeds_below(e.body, path, (), ctx, names)
    if not read or read[0].text == e.state.text:
        return changes
    if not is_state and feeds_below(e.body, path, read, ctx, names):
        return True
    return changes and e.state.text in free(e.body)


def feeds_tensor(at: Called, path: Path, ctx: Context, names: Names) -> bool:
    """Whether a call reads a tensor of that path, or below it, or is given a group in which it stands."""
    checkpoint = checkpoint_key(path[0].text, names)
    if checkpoint is None:
        return True
    name = ".".join((checkpoint, *(part.text for part in path[1:])))
    assert isinstance(at.decl, CircuitDecl)
    read = tensors_read(at.decl, ctx) | at.groups
    return reads(read, name, ctx) or any(each.startswith(f"{name}.") for each in read)


def sources(decl: CircuitDecl, read: Path) -> set[str]:
    """The names in a circuit that its result, or the wire at `read`, depends on."""
    return set[str]().union(*(free(e) for e in made_of(decl, read)))


def made_of(decl: CircuitDecl, read: Path) -> list[Expr]:
    """What the result of a circuit, or the wire at `read`, is computed from: its own expression, and lets."""
    site = named_site(decl, read[0].text) if read else None
    if isinstance(site, Parameter):
        return []
    found = [decl.body if site is None else site.value]
    names = free(found[0])
    for let in reversed(decl.lets):
        if let.name.text in names:
            found.append(let.value)
            names |= free(let.value)
    return found


# --- fields of records ------------------------------------------------------------------------


def same_field(path: Path, read: Path) -> bool:
    """Whether a field is read that is replaced, or one that stands below or above it."""
    pairs = zip(path, read, strict=False)
    return bool(read) and all(part.text == other.text for part, other in pairs)


Field = tuple[str, ...]
"""A parameter and the path of a field below it."""


def reads_field(decl: CircuitDecl, path: Field, read: Path, ctx: Context) -> bool:
    """Whether the result of a circuit, or the wire at `read`, is made of a field of one of its parameters."""
    seen, waiting = set[tuple[CircuitDecl, Field, Path]](), [(decl, path, read)]
    while waiting:
        asked = waiting.pop()
        if asked in seen:
            continue
        seen.add(asked)
        circuit, field, where = asked
        for e in made_of(circuit, where):
            for call, given, rest in uses(e, field):
                inner = None if call is None else called_circuit(call, ctx.inside(circuit))
                if call is None or inner is None:
                    return True
                for param, arg in zip(inner.params, call.args, strict=False):
                    if arg is given:
                        waiting.append((inner, (param.name.text, *rest), ()))
    return False


def uses(e: Expr, path: Field) -> Iterator[tuple[Call | None, Expr, Field]]:
    """Where an expression reads a field, and the calls to which it gives a record with it.

    The latter with what is given, and the field's path below that.
    """
    parts = [*walk(e)]
    passed = {arg: part for part in parts if isinstance(part, Call) for arg in part.args}
    bases = {part.base for part in parts if isinstance(part, Attr)}
    for part in parts:
        name = () if part in bases else field_path(part)
        if name and all(a == b for a, b in zip(name, path, strict=False)):
            inside = len(name) < len(path)
            yield passed.get(part) if inside else None, part, path[len(name) :]


def called_circuit(call: Call, ctx: Context) -> CircuitDecl | None:
    """The circuit that is called, if one is."""
    decl = ctx.facts.scope.values.get(call.function.text)
    return decl if isinstance(decl, CircuitDecl) else None


def field_path(e: Expr) -> tuple[str, ...]:
    """The names along a path; of a bare name, that."""
    match e:
        case Ref(name=name):
            return (name,)
        case Attr():
            path = tensor_path(e)
            return () if path is None else (path[0], *path[1])
        case _:
            return ()

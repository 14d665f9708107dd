"""Calls: circuits are unfolded, with their wires replaced where a `do` says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import groupby

from circ.compiler.builder import places, put, spread, take
from circ.compiler.ir import Index, Wire
from circ.compiler.lower.environment import Environment, Run, Tensors, Value, as_wire
from circ.compiler.lower.functions import lower_function
from circ.compiler.lower.indexing import known_places
from circ.compiler.lower.networks import unfold_network
from circ.compiler.lower.tensors import lower_tensor, with_group, with_tensor
from circ.lang.check.annotations import dimensions
from circ.lang.check.sites import Path
from circ.lang.diagnostic import CircError
from circ.lang.errors.sites import overlapping_edits
from circ.lang.scope import Scope, key
from circ.lang.syntax import Call, CircuitDecl, DimName, Do, Edit, Expr, Let, NetworkDecl, Parameter
from circ.lang.types import bound, size


@dataclass(frozen=True, slots=True)
class Replacement:
    """An edit still to be made: the rest of its path, and the environment its value is read in."""

    path: tuple[str, ...]
    edit: Edit
    do: Do
    env: Environment


Replacements = tuple[Replacement, ...]


def lower_call(e: Call | Do, env: Environment) -> Value:
    """The result of a circuit, or of a function of the language."""
    if isinstance(e, Call) and not is_circuit(e, env):
        return lower_function(e, env)
    return run(e, env, ()).result


def lower_site(base: Call | Do, path: Path, env: Environment) -> Value:
    """The wire that a path names below a call."""
    at, parts = run(base, env, ()), [part.text for part in path]
    while parts:
        whole = ".".join(parts)  # the name of a value inside a network may have dots
        first = whole if whole in at.sites else parts[0]
        at, parts = at.sites[first], [] if first == whole else parts[1:]
    return at.result


def is_circuit(e: Expr, env: Environment) -> bool:
    """Whether `e` calls a circuit, perhaps under a `do`."""
    while isinstance(e, Do):
        e = e.base
    return isinstance(e, Call) and isinstance(
        env.scope.values.get(e.function.text), CircuitDecl | NetworkDecl
    )


# --- unfolding --------------------------------------------------------------------------------


def run(e: Call | Do, env: Environment, replacements: Replacements) -> Run:
    """Unfold a call; the innermost `do` replaces first. An equal call is unfolded once."""
    while isinstance(e, Do):
        own = tuple(Replacement(tuple(p.text for p in x.path), x, e, env) for x in e.edits)
        replacements = own + replacements
        assert isinstance(e.base, Call | Do)
        e = e.base
    decl = env.scope.values[e.function.text]
    assert isinstance(decl, CircuitDecl | NetworkDecl)
    arguments = tuple([argument(env.lower(arg)) for arg in e.args])
    given = env.low.typed.facts.bindings.get(e, {})
    binding = {name: bound(dim, env.binding) for name, dim in given.items()}
    called = replace(env, binding=binding)
    if isinstance(decl, NetworkDecl):
        return run_network(decl, arguments, called, replacements)
    if replacements:
        return unfold(decl, arguments, called, replacements)
    tensors, dims = frozenset(env.tensors.items()), frozenset(binding.items())
    key = (decl, arguments, env.old, tensors, dims)
    if key not in env.low.runs:
        env.low.runs[key] = unfold(decl, arguments, called, ())
    return env.low.runs[key]


def run_network(
    decl: NetworkDecl,
    arguments: Sequence[Wire | Tensors],
    env: Environment,
    replacements: Replacements,
) -> Run:
    """A call of a network, whose parameters and values inside are its sites."""
    by_name, values = dict[str, list[Replacement]](), env.low.typed.facts.networks[decl].values
    for r in replacements:
        name = ".".join(r.path)
        by_name.setdefault(values.get(name, name), []).append(r)
    names = [param.name.text for param in decl.params]
    inputs = [
        replaced(as_wire(wire), by_name.pop(name, []))
        for name, wire in zip(names, arguments, strict=True)
    ]
    changes = {name: partial(replaced, replacements=edits) for name, edits in by_name.items()}
    return unfold_network(
        decl, inputs, changes, replace(env, scope=env.low.scope_of(decl), locals={})
    )


def argument(value: Value) -> Wire | Tensors:
    """What a parameter stands for: a wire, or the tensors of a record."""
    return value if isinstance(value, Tensors) else as_wire(value)


def unfold(
    decl: CircuitDecl,
    arguments: Sequence[Wire | Tensors],
    env: Environment,
    replacements: Replacements,
) -> Run:
    """The lets of a circuit one after the other, each with its replacements, then its result.

    `env.binding` is that of the circuit's own dimensions.
    """
    scope, dims = env.low.scope_of(decl), sizes(decl, arguments, env)
    inside = Environment(env.low, scope, {}, dims, env.binding, env.old, env.tensors)
    sites: dict[str, Run] = {}
    for param, argument in zip(decl.params, arguments, strict=True):
        mine = [r for r in replacements if r.path == (param.name.text,)]
        sites[param.name.text] = Run(given(argument, mine), {})
        inside = inside.bind(param.name.text, sites[param.name.text].result)
    inside = with_edited_tensors(decl, inside, replacements)
    for let in decl.lets:
        mine = [r for r in replacements if r.path[0] == let.name.text]
        sites[let.name.text] = run_let(let, mine, inside)
        inside = inside.bind(let.name.text, sites[let.name.text].result)
    result = as_wire(inside.lower(decl.body))
    return Run(spread(inside.b, result, inside.shape(decl.result)), sites)


def given(argument: Wire | Tensors, edits: Sequence[Replacement]) -> Value:
    """A parameter's value after edits; other tensors may stand for those of a record."""
    if not isinstance(argument, Tensors):
        return replaced(argument, edits)
    return edits[-1].env.lower(edits[-1].edit.value) if edits else argument


def sizes(
    decl: CircuitDecl, arguments: Sequence[Wire | Tensors], env: Environment
) -> dict[str, int]:
    """What each dimension of a circuit measures in a call; records have theirs from the types."""
    known = ((name, size(dim)) for name, dim in env.binding.items())
    found = {name: side for name, side in known if side is not None}
    for param, argument in zip(decl.params, arguments, strict=True):
        if isinstance(argument, Tensors):
            continue
        found |= variable_sizes(param, argument, env.low.scope_of(decl), env)
    return found


def variable_sizes(
    param: Parameter, argument: Wire, scope: Scope, env: Environment
) -> dict[str, int]:
    """What each name among a parameter's dimensions measures here; `scope` is the circuit's."""
    known, t = env.b.types[argument], param.type
    pairs = [*zip(dimensions(t, scope), known.shape, strict=True)]
    if t.name.text == "fin" and isinstance(known.sort, Index):
        pairs.append((t.dims[0], known.sort.size))
    return {dim.name: side for dim, side in pairs if isinstance(dim, DimName)}


# --- replacing --------------------------------------------------------------------------------


def run_let(let: Let, replacements: Sequence[Replacement], env: Environment) -> Run:
    """A site: its value, edited below its name first, then itself."""
    below = tuple(replace(r, path=r.path[1:]) for r in replacements if len(r.path) > 1)
    if isinstance(let.value, Call | Do) and is_circuit(let.value, env):
        inner = run(let.value, env, below)
    else:
        inner = Run(env.lower(let.value), {})
    here = [r for r in replacements if len(r.path) == 1]
    value = as_wire(inner.result)
    if let.type is not None:
        value = spread(env.b, value, env.shape(let.type))
    value = replaced(value, here)
    env.low.note_site(value, let.name.text, let.span)
    return Run(value, inner.sites)


def replaced(wire: Wire, replacements: Sequence[Replacement]) -> Wire:
    """`wire` with the edits of each `do` made, one `do` after the other."""
    for _, edits in groupby(replacements, key=lambda r: r.do):
        wire = simultaneously(wire, list(edits))
    return wire


def simultaneously(wire: Wire, replacements: Sequence[Replacement]) -> Wire:
    """`wire` with the edits of one `do`, each of which reads it as it was; overlaps raise."""
    result = wire
    taken: dict[tuple[int, ...], Edit] = {}
    for r in replacements:
        b = r.env.b
        picks = known_places(r.edit.items, b.shape(wire), r.env)
        full = [*picks, *(range(side) for side in b.shape(wire)[len(picks) :])]
        for coordinate in places(full):
            if coordinate in taken:
                raise CircError(overlapping_edits(r.edit.span, taken[coordinate].span))
            taken[coordinate] = r.edit
        before = take(b, wire, picks)
        after = r.env.bind("it", before).wire(r.edit.value)
        after = spread(b, after, b.shape(before))
        result = after if before == wire else put(b, result, picks, after)
    return result


def with_edited_tensors(
    decl: CircuitDecl, env: Environment, replacements: Sequence[Replacement]
) -> Environment:
    """The environment of a circuit in which the tensors that edits name are replaced."""
    own = {site.name.text for site in decl.params} | {site.name.text for site in decl.lets}
    edits = [r for r in replacements if r.path[0] not in own]
    for _, one_do in groupby(edits, key=lambda r: r.do):
        for path, group in groupby(sorted(one_do, key=path_of), key=path_of):
            env = with_edits(Tensors(path[0], path[1:]), list(group), env)
    return env


def path_of(r: Replacement) -> tuple[str, ...]:
    """The tensor or the group that an edit names, under its checkpoint's key."""
    return (key(r.env.scope.values[r.path[0]]), *r.path[1:])


def with_edits(path: Tensors, edits: Sequence[Replacement], env: Environment) -> Environment:
    """The environment in which one tensor, or all of a group, is replaced."""
    before = lower_tensor(path, env)
    if not isinstance(before, Tensors):
        return with_tensor(path, replaced(as_wire(before), edits), env)
    for r in edits:
        other = r.env.lower(r.edit.value)
        assert isinstance(other, Tensors)
        env = with_group(path, other, r.env, env)
    return env

"""Calls: circuits are unfolded, with their wires replaced where a `do` says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from circ.compiler.builder import broadcast, places, put, spread, take
from circ.compiler.ir import Shape, Wire
from circ.compiler.lower.environment import Environment, Value, as_wire
from circ.compiler.lower.functions import lower_function
from circ.compiler.lower.indexing import known_places
from circ.lang.check.sites import Path
from circ.lang.diagnostic import CircError
from circ.lang.errors.sites import overlapping_edits
from circ.lang.syntax import Call, CircuitDecl, DimName, Do, Edit, Expr, Let, Parameter


@dataclass(frozen=True, slots=True)
class Replacement:
    """An edit still to be made: the rest of its path, and the environment its value is read in."""

    path: tuple[str, ...]
    edit: Edit
    do: Do
    env: Environment


@dataclass(frozen=True, slots=True)
class Run:
    """One unfolded call: its result, and its sites."""

    result: Value
    sites: Mapping[str, Run]


def lower_call(e: Call | Do, env: Environment) -> Value:
    """The result of a circuit, or of a function of the language."""
    if isinstance(e, Call) and not is_circuit(e, env):
        return lower_function(e, env)
    return run(e, env, ()).result


def lower_site(base: Call | Do, path: Path, env: Environment) -> Value:
    """The wire that a path names below a call."""
    at = run(base, env, ())
    for part in path:
        at = at.sites[part.text]
    return at.result


def is_circuit(e: Expr, env: Environment) -> bool:
    """Whether `e` calls a circuit, perhaps under a `do`."""
    while isinstance(e, Do):
        e = e.base
    values = env.low.typed.scope.values
    return isinstance(e, Call) and isinstance(values.get(e.function.text), CircuitDecl)


def run(e: Call | Do, env: Environment, replacements: tuple[Replacement, ...]) -> Run:
    """Unfold a call; the innermost `do` replaces first."""
    if isinstance(e, Do):
        own = tuple(Replacement(tuple(p.text for p in x.path), x, e, env) for x in e.edits)
        assert isinstance(e.base, Call | Do)
        return run(e.base, env, own + replacements)
    decl = env.low.typed.scope.values[e.function.text]
    assert isinstance(decl, CircuitDecl)
    arguments = [env.wire(arg) for arg in e.args]
    inside = callee_environment(decl, arguments, env)
    sites: dict[str, Run] = {}
    for let in decl.lets:
        mine = [r for r in replacements if r.path[0] == let.name.text]
        sites[let.name.text] = run_let(let, mine, inside)
        inside = inside.bind(let.name.text, sites[let.name.text].result)
    result = as_wire(inside.lower(decl.body))
    return Run(spread(inside.b, result, inside.shape(decl.result)), sites)


def callee_environment(
    decl: CircuitDecl, arguments: Sequence[Wire], env: Environment
) -> Environment:
    """The parameters and dimensions of a call; `old` is inherited."""
    dims: dict[str, int] = {}
    for param, argument in zip(decl.params, arguments, strict=True):
        dims.update(variable_sizes(param, env.b.shape(argument)))
    names = {p.name.text: w for p, w in zip(decl.params, arguments, strict=True)}
    return Environment(env.low, names, dims, env.old)


def variable_sizes(param: Parameter, shape: Shape) -> dict[str, int]:
    """What each name among a parameter's dimensions measures here."""
    dims = param.type.dims[1:] if param.type.name.text == "fin" else param.type.dims
    pairs = zip(dims, shape, strict=True)
    return {dim.name: side for dim, side in pairs if isinstance(dim, DimName)}


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
    return Run(replaced(value, here), inner.sites)


def replaced(wire: Wire, replacements: Sequence[Replacement]) -> Wire:
    """`wire` with each edit made; those of one `do` are simultaneous and may not overlap."""
    result = wire
    taken: dict[tuple[int, ...], Edit] = {}
    for i, r in enumerate(replacements):
        b = r.env.b
        if i > 0 and r.do is not replacements[i - 1].do:
            wire, taken = result, {}
        picks = known_places(r.edit.items, b.shape(wire), r.env)
        full = [*picks, *(range(side) for side in b.shape(wire)[len(picks) :])]
        for coordinate in places(full):
            if coordinate in taken:
                raise CircError(overlapping_edits(r.edit.span, taken[coordinate].span))
            taken[coordinate] = r.edit
        before = take(b, wire, picks)
        after = r.env.bind("it", before).wire(r.edit.value)
        if b.shape(after) != b.shape(before):
            after = broadcast(b, after, b.shape(before))
        result = put(b, result, picks, after)
    return result

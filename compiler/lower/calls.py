"""Calls: circuits are unfolded, with their wires replaced where a `do` says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from circ.compiler.builder import spread, stack
from circ.compiler.ir import Index, Wire
from circ.compiler.lower.along import comprehended, entries, folded
from circ.compiler.lower.environment import Environment, Run, Tensors, Tuple, Value, as_wire
from circ.compiler.lower.functions import lower_function
from circ.compiler.lower.networks import unfold_network
from circ.compiler.lower.replacing import (
    Noted,
    Replacement,
    Replacements,
    copied,
    entered,
    replaced,
    with_edited_fields,
    with_edited_tensors,
)
from circ.compiler.lower.tensors import as_seen, lower_tensor
from circ.lang.binding import bound
from circ.lang.check.annotations import MOST_ENTRIES, dimensions
from circ.lang.check.sites import Path
from circ.lang.diagnostic import CircError
from circ.lang.errors.dimensions import unfit_size
from circ.lang.polynomials import Polynomial, put_in, whole_number
from circ.lang.scope import Scope
from circ.lang.span import Span
from circ.lang.syntax import (
    Call,
    CircuitDecl,
    Comprehension,
    DimName,
    Do,
    Expr,
    Fold,
    Let,
    NetworkDecl,
    Parameter,
)
from circ.lang.types import Binding, Dim, Fixed, Variable, size


def lower_call(e: Call | Do, env: Environment) -> Value:
    """The result of a circuit, or of a function of the language."""
    if isinstance(e, Call) and not is_circuit(e, env):
        return lower_function(e, env)
    return run(e, env, ()).result


def lower_site(base: Call | Do, path: Path, env: Environment) -> Value:
    """The wire that a path names below a call."""
    found = site_below(run(base, env, ()), tuple(part.text for part in path), env)
    if not isinstance(found, Tensors | Tuple):
        env.low.require_room(path[-1].span, env.b.types[found].entries)
    return found


def site_below(at: Run, path: tuple[str, ...], env: Environment) -> Value:
    """The wire at a path below a run; below those of several entries, all that are there, stacked."""
    if isinstance(at.result, Tensors) and at.env is not None:
        return lower_tensor(as_seen(at.result, at.env).below(*path), at.env)
    if not path:
        return at.result
    whole = ".".join(path)  # the name of a value inside a network may have dots
    if whole in at.sites:
        return site_below(at.sites[whole], (), env)
    if path[0] in at.sites:
        return site_below(at.sites[path[0]], path[1:], env)
    found = [site_below(each, path, env) for each in at.each]
    return found[0] if isinstance(found[0], Tensors) else stack(env.b, [*map(as_wire, found)])


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
    given = env.typed.facts.bindings.get(e, {})
    binding = {name: called_dim(name, dim, e.span, env) for name, dim in given.items()}
    called = replace(env, binding=binding, dims=told_sizes(given, env))
    if isinstance(decl, NetworkDecl):
        return run_network(decl, arguments, called, replacements)
    if replacements:
        return unfold(decl, arguments, called, replacements)
    tensors, dims = frozenset(env.tensors.items()), frozenset(binding.items())
    key = (decl, arguments, env.old, tensors, dims)
    if key not in env.low.runs:
        env.low.runs[key] = unfold(decl, arguments, called, ())
    return env.low.runs[key]


def called_dim(own: str, dim: Dim, span: Span, env: Environment) -> Dim:
    """What `own`, a dimension of a circuit, stands for in a call; what is computed is a number here.

    Raises `CircError` where that is no size of an axis.
    """
    if not isinstance(dim, Polynomial):
        return bound(dim, env.binding)
    known = {name: env.low.length or 0 if ".." in name else env.dims[name] for name in dim.names}
    value = put_in(dim, {name: whole_number(side) for name, side in known.items()}).constant
    assert value is not None, "it has no other names"
    if not 1 <= value <= MOST_ENTRIES:
        raise CircError(unfit_size(span, own, value))
    return Fixed(value)


def told_sizes(given: Binding, env: Environment) -> dict[str, int]:
    """How long those dimensions are that are a dimension of the caller."""
    return {
        name: env.dims[dim.name]
        for name, dim in given.items()
        if isinstance(dim, Variable) and dim.name in env.dims
    }


def run_network(
    decl: NetworkDecl,
    arguments: Sequence[Wire | Tensors],
    env: Environment,
    replacements: Replacements,
) -> Run:
    """A call of a network, whose parameters and values inside are its sites."""
    by_name, values = dict[str, list[Replacement]](), env.typed.facts.networks[decl].values
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
        name = param.name.text
        if not isinstance(argument, Tensors):
            mine = [r for r in replacements if r.path == (name,)]
            sites[name] = Run(replaced(argument, mine), {})
        inside = inside.bind(name, sites[name].result if name in sites else argument)
    inside = with_edited_tensors(decl, inside, replacements)
    for param, argument in zip(decl.params, arguments, strict=True):
        name = param.name.text
        if isinstance(argument, Tensors):
            mine = [r for r in replacements if r.path[0] == name]
            sites[name] = Run(with_edited_fields(argument, inside, mine), {}, env=inside)
            inside = inside.bind(name, sites[name].result)
    for let in decl.lets:
        mine = [r for r in replacements if r.path[0] == let.name.text]
        sites[let.name.text] = run_let(let, mine, inside)
        inside = inside.bind(let.name.text, sites[let.name.text].result)
    result = as_wire(inside.lower(decl.body))
    return Run(spread(inside.b, result, inside.shape(decl.result)), sites)


def sizes(
    decl: CircuitDecl, arguments: Sequence[Wire | Tensors], env: Environment
) -> dict[str, int]:
    """What each dimension of a circuit measures in a call; records have theirs from the types."""
    known = ((name, size(dim)) for name, dim in env.binding.items())
    found = {**env.dims} | {name: side for name, side in known if side is not None}
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


# --- lets -------------------------------------------------------------------------------------


def run_let(let: Let, replacements: Sequence[Replacement], env: Environment) -> Run:
    """A site: its value, edited below its name first, then itself."""
    below = tuple(replace(r, path=r.path[1:]) for r in replacements if len(r.path) > 1)
    inner = run_below(let.value, env, below)
    here = [r for r in replacements if len(r.path) == 1]
    value = as_wire(inner.result)
    if let.type is not None:
        value = spread(env.b, value, env.shape(let.type))
    value = replaced(value, here)
    env.low.note_site(value, let.name.text, let.span)
    return replace(inner, result=value)


def run_below(e: Expr, env: Environment, replacements: Replacements) -> Run:
    """What the sites below a `let` are those of: a call, or each one of a comprehension or a fold."""
    match e:
        case Call() | Do() if is_circuit(e, env):
            return run(e, env, replacements)
        case Comprehension() | Fold():
            with env.low.inside(e.span):
                return run_each(e, env, replacements)
        case _:
            return Run(env.lower(e), {})


def run_each(e: Comprehension | Fold, env: Environment, replacements: Replacements) -> Run:
    """Gone through entry by entry, again and again until each edit knows what it reads of other entries."""
    if not replacements:
        return run_entries(e, env, ())
    noted, around = Noted(), [r.noted for r in replacements if r.entry]
    mine = tuple(r if r.entry else replace(r, noted=noted) for r in replacements)
    for _ in range(len(mine) + 1):  # each time one edit more knows all that it reads
        before, learnt = [copied(each) for each in around], env.low.learnt()
        found = run_entries(e, env, mine)
        if not noted.awaited:
            return found
        noted.awaited.clear()
        env.low.unlearn(learnt)
        for each, known in zip(around, before, strict=True):
            each.values, each.awaited = known.values, known.awaited
    raise AssertionError("edits wait for one another")


def run_entries(e: Comprehension | Fold, env: Environment, replacements: Replacements) -> Run:
    """Each entry with the edits that are made there; of a fold, its state after each step with them."""
    side = len([*entries(e.source, env)])
    each = list[Run]()

    def entry(inner: Environment, place: int) -> Value:
        within = tuple(entered(r, place, side, isinstance(e, Fold)) for r in replacements)
        state = e.state.text if isinstance(e, Fold) else None
        here = [r for r in within if r.path == (state,)]
        found = run_below(e.body, inner, tuple(r for r in within if r.path[0] != state))
        value = replaced(as_wire(found.result), here) if here else found.result
        each.append(replace(found, result=value))
        return value

    match e:
        case Comprehension():
            return Run(
                comprehended(e, env, lambda inner, at: as_wire(entry(inner, at))), {}, (*each,)
            )
        case Fold(state=state):
            states = folded(e, env, entry)
            steps = [
                replace(run, sites={**run.sites, state.text: Run(value, {})})
                for run, value in zip(each, states[1:], strict=True)
            ]
            return Run(states[-1], {}, tuple(steps))

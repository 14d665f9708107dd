"""Calls of circuits: what their dimensions stand for, and whether the arguments fit under that."""

from __future__ import annotations

from collections.abc import Iterator

from circ.lang.binding import Pair, as_polynomial, bound, equation, found_dims, paired, substitute
from circ.lang.check.annotations import MOST_ENTRIES, as_dim
from circ.lang.check.context import Context
from circ.lang.check.records import record_pairs, takes
from circ.lang.errors.dimensions import (
    leaves_a_rest,
    no_such_dimension,
    said_twice,
    too_long,
    undetermined,
    unfit_size,
)
from circ.lang.errors.types import argument_count, mismatch
from circ.lang.polynomials import Polynomial
from circ.lang.syntax import Call, CircuitDecl, NetworkDecl
from circ.lang.types import (
    INVALID,
    Array,
    Binding,
    Dim,
    Dims,
    FinElement,
    Fixed,
    Invalid,
    Record,
    Type,
    Variable,
    fits,
    show_dim,
)

Callee = CircuitDecl | NetworkDecl


def infer_circuit(e: Call, decl: Callee, given: list[Type], ctx: Context) -> Type:
    """Arguments fit the parameters under one binding of the dimension variables."""
    said = said_dims(e, decl, ctx)
    if len(given) != len(decl.params):
        wanted = f"{len(decl.params)} argument{'' if len(decl.params) == 1 else 's'}"
        return ctx.error(argument_count(e.span, decl.name.text, wanted, len(given)))
    kinds = [ctx.facts.parameters[p] for p in decl.params]
    pairs = all_pairs(kinds, given, ctx)
    binding = found_dims(pairs, said or {})
    ctx.facts.bindings[e] = binding
    dims = decl.dims if isinstance(decl, CircuitDecl) else ()
    unclear = any(isinstance(t, Invalid) for t in given)
    if said is None or not (unclear or determined(e, decl, pairs, binding, ctx)):
        return INVALID
    fitting = all(dim.text in binding for dim in dims)
    fitting &= arguments_fit(e, decl, given, binding, ctx)
    if not fitting and dims:
        return INVALID
    result = substitute(ctx.facts.results[decl], binding)
    return result if sizes_fit(e, decl, result, binding, ctx) else INVALID


def arguments_fit(e: Call, decl: Callee, given: list[Type], binding: Binding, ctx: Context) -> bool:
    """Whether each argument fits its parameter; reports those that do not."""
    fitting = True
    for arg, param, have in zip(e.args, decl.params, given, strict=True):
        want = substitute(ctx.facts.parameters[param], binding)
        role = f"the parameter `{param.name.text}` of `{decl.name.text}`"
        if isinstance(want, Record):
            fitting &= takes(want, have, arg.span, role, ctx)
        elif not fits(have, want):
            fitting = False
            if not (isinstance(have, Array) and doubtful(decl, ctx)):
                ctx.error(mismatch(arg.span, have, want, role))
    return fitting


def doubtful(decl: Callee, ctx: Context) -> bool:
    """Whether an error in a circuit was told, so that the shapes of its parameters may be what is wrong."""
    return any(
        d.severity == "error" and d.span and d.span in decl.span for d in ctx.facts.diagnostics
    )


# --- dimensions ---------------------------------------------------------------------------------


def said_dims(e: Call, decl: Callee, ctx: Context) -> Binding | None:
    """The dimensions that a call says; None where one is wrong, which is reported."""
    own = [dim.text for dim in decl.dims] if isinstance(decl, CircuitDecl) else []
    found: dict[str, Dim] = {}
    wrong = False
    for each in e.given:
        dim = as_dim(each.dim, ctx)
        if each.name.text not in own:
            ctx.error(no_such_dimension(each.name, decl.name.text, own))
        elif each.name.text in found:
            ctx.error(said_twice(each.name))
        elif dim is not None:
            found[each.name.text] = dim
            continue
        wrong = True
    return None if wrong else found


def all_pairs(kinds: list[Type], given: list[Type], ctx: Context) -> list[Pair]:
    """The dimensions of all parameters beside those of the arguments."""
    pairs: list[Pair] = []
    for want, have in zip(kinds, given, strict=True):
        if isinstance(want, Array) and isinstance(have, Array):
            pairs += paired(want, have)
        elif isinstance(want, Record):
            pairs += record_pairs(want, have, ctx)
    return pairs


def determined(e: Call, decl: Callee, pairs: list[Pair], binding: Binding, ctx: Context) -> bool:
    """Whether each dimension is found that no parameter has by itself; reports the first that is not.

    Where a parameter has one by itself, the argument does not fit, which is told as such.
    """
    kinds = [ctx.facts.parameters[p] for p in decl.params]
    plain = {d.name for t in kinds for d in dims_of(t) if isinstance(d, Variable)}
    dims = decl.dims if isinstance(decl, CircuitDecl) else ()
    for dim in dims:
        if dim.text in binding or dim.text in plain:
            continue
        for want, have in pairs:
            rest = equation(want, have, binding)
            if rest is not None and rest[0] == dim.text:
                ctx.error(leaves_a_rest(e.span, decl.name.text, want, have, dim.text, binding))
                return False
        ctx.error(undetermined(e.span, decl.name.text, dim))
        return False
    return True


def sizes_fit(e: Call, decl: Callee, result: Type, binding: Binding, ctx: Context) -> bool:
    """Whether all that is computed is the size of an axis; reports the first that is not."""
    kinds = [ctx.facts.parameters[p] for p in decl.params]
    own = (Variable(n) for n, dim in binding.items() if isinstance(dim, Fixed | Polynomial))
    computed: list[Dim] = [*own, *computed_dims(kinds)]
    for want in [*computed, *computed_dims([ctx.facts.results[decl]])]:
        found = as_polynomial(bound(want, binding))
        value = found.constant
        if value is not None and not 1 <= value <= MOST_ENTRIES:
            ctx.error(unfit_size(e.span, show_dim(want), value))
            return False
        if not found.manageable:
            ctx.error(too_long(e.span, decl.name.text, show_dim(want)))
            return False
    return not isinstance(result, Invalid)


def computed_dims(kinds: list[Type]) -> Iterator[Polynomial]:
    """The arithmetic on dimensions in types."""
    return (dim for t in kinds for dim in dims_of(t) if isinstance(dim, Polynomial))


def dims_of(t: Type) -> Dims:
    """The dimensions that a type mentions."""
    match t:
        case Record(fields=fields):
            return tuple(dim for _, kind in fields for dim in dims_of(kind))
        case Array(element=FinElement(size=n), dims=dims):
            return (n, *dims)
        case Array(dims=dims):
            return dims
        case _:
            return ()

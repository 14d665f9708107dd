"""What goes along an axis, entry by entry: comprehensions, counts and folds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from math import floor

from circ.compiler.builder import codes, combine, number, stack, take, truth
from circ.compiler.ir import Max, Select, Wire
from circ.compiler.lower.constants import constant
from circ.compiler.lower.endless import after_step, along_word
from circ.compiler.lower.environment import Environment, Value, as_wire
from circ.compiler.lower.listed import values
from circ.compiler.lower.quantities import lower_quantity
from circ.lang.check.places import all_positions, as_dimension
from circ.lang.syntax import Comprehension, Count, DomainDecl, Expr, Fold, Ref, TypeExpr


def entries(source: Expr, env: Environment) -> Iterator[Wire]:
    """The entries of the leading axis."""
    found = listed(source, env)
    wire = env.wire(source) if found is None else found
    return (take(env.b, wire, [i]) for i in range(env.b.shape(wire)[0]))


def listed(source: Expr, env: Environment) -> Wire | None:
    """All values of a domain, or of `fin[n]`, along a leading axis; None for anything else."""
    written = all_positions(source)
    if written is not None and "fin" not in env.locals and "fin" not in env.dims:
        return all_codes(written, env)
    if not isinstance(source, Ref) or source.name in env.locals or source.name in env.dims:
        return None
    declared = env.scope.values.get(source.name)
    return values(declared, source.span, env) if isinstance(declared, DomainDecl) else None


def all_codes(written: Expr, env: Environment) -> Wire:
    """The positions of an axis of that size."""
    dim = as_dimension(written)
    assert dim is not None
    side = env.side(dim)
    env.low.require_room(written.span, side)
    return codes(env.b, range(side), side, (side,))


def lower_comprehension(e: Comprehension, env: Environment) -> Wire:
    """The body once an entry, stacked."""
    return comprehended(e, env, lambda inner, _: inner.wire(e.body))


def comprehended(
    e: Comprehension, env: Environment, body: Callable[[Environment, int], Wire]
) -> Wire:
    """What `body` makes of each entry, and of its number, stacked."""
    found = [
        body(env.bind(e.binder.text, x), place) for place, x in enumerate(entries(e.source, env))
    ]
    env.low.require_room(e.span, len(found) * env.b.types[found[0]].entries)
    return stack(env.b, found)


def lower_count(e: Count, env: Environment) -> Wire:
    """The sum of one for every entry that meets the condition; of a domain, a number to be found."""
    if e in env.typed.facts.counted:
        return lower_quantity(e, env)
    b = env.b
    one, zero = number(b, 1), number(b, 0)
    held = truths(e, env)
    return combine(b, *((1, b.add(Select(c, one, zero))) for c in held))


def truths(e: Count, env: Environment) -> list[Wire]:
    """Whether each entry meets the condition, if there is one."""
    assert not isinstance(e.source, TypeExpr), "a type is a domain"
    held = [
        truth(env.b, True) if e.condition is None else env.bind(e.binder.text, x).wire(e.condition)
        for x in entries(e.source, env)
    ]
    if 0 in along_word(e.source, env):
        return [as_wire(after_step(x, place, env)) for place, x in enumerate(held)]
    return held


def compared_count(e: Expr, others: list[Expr], env: Environment) -> Wire | None:
    """A count that is compared with known numbers alone, which need not go on beyond them.

    One more than the largest stands for all that is larger, so that whatever the length of the word,
    no more has to be known of it; None for anything else.
    """
    known = [constant(other, env) for other in others]
    if not isinstance(e, Count) or None in known:
        return None
    b = env.b
    most = max([0, *(floor(x) for x in known if x is not None)]) + 1
    one, zero, least = number(b, 1), number(b, 0), number(b, -most)
    below = zero  # the negative of the count so far
    for held in truths(e, env):
        further = combine(b, (1, below), (-1, b.add(Select(held, one, zero))))
        below = b.add(Max(stack(b, [further, least])))
    return combine(b, (-1, below))


def lower_fold(e: Fold, env: Environment) -> Value:
    """The body once an entry, each reading the state before it."""
    return folded(e, env, lambda inner, _: inner.lower(e.body))[-1]


def folded(e: Fold, env: Environment, step: Callable[[Environment, int], Value]) -> list[Value]:
    """The states, the first one included, where `step` makes the next one of an entry and its number."""
    states = [env.lower(e.initial)]
    word = 0 in along_word(e.source, env)
    for place, x in enumerate(entries(e.source, env)):
        state = step(env.bind(e.binder.text, x).bind(e.state.text, states[-1]), place)
        states.append(after_step(state, place, env) if word else state)
        env.low.note_site(states[-1], e.state.text, e.span)
    return states

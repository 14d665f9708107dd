"""`match`: the subject's values choose an arm from a table."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from math import prod

from circ.compiler.builder import broadcast, codes, stack
from circ.compiler.ir import Const, Index, Lookup, Wire, WireType
from circ.compiler.lower.environment import Environment, Tuple, as_wire
from circ.lang.check.patterns import MOST_VALUES, accepts
from circ.lang.check.patterns import Value as PatternValue
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import too_many_values
from circ.lang.syntax import Match
from circ.lang.types import Array, EnumElement, Type
from circ.lang.types import Tuple as TupleType


def lower_match(e: Match, env: Environment) -> Wire:
    """`arms[which[subject]]`; where all arms are known values, one table of them."""
    b = env.b
    value = env.lower(e.subject)
    parts = tuple(map(as_wire, value.items if isinstance(value, Tuple) else (value,)))
    arms = [env.wire(arm.value) for arm in e.arms]
    shape = max((b.shape(arm) for arm in arms), key=len)
    filled = [broadcast(b, arm, shape) if b.shape(arm) != shape else arm for arm in arms]
    which, sides = chosen_arms(e, parts, env)
    known = [op for op in (b.ops[arm] for arm in filled) if isinstance(op, Const)]
    if shape == () and len(known) == len(filled):
        values = tuple(known[arm].values[0] for arm in which)
        table = b.add(Const(WireType(known[0].type.sort, sides), values))
        return b.add(Lookup(table, parts))
    choice = b.add(Lookup(codes(b, which, len(filled), sides), parts))
    return b.add(Lookup(stack(b, filled), (choice,)))


def chosen_arms(
    e: Match, parts: tuple[Wire, ...], env: Environment
) -> tuple[list[int], tuple[int, ...]]:
    """For every value of the subject, row-major, the first arm that accepts it."""
    t = env.typed.facts.types[e.subject]
    kinds = t.items if isinstance(t, TupleType) else (t,)
    sorts = [env.b.types[part].sort for part in parts]
    sides = tuple(sort.size for sort in sorts if isinstance(sort, Index))
    if prod(sides) > MOST_VALUES:
        raise CircError(too_many_values(e.subject.span, MOST_VALUES))
    names = [value_names(kind, side) for kind, side in zip(kinds, sides, strict=True)]
    return [first_arm(e, value) for value in product(*names)], sides


def value_names(t: Type, side: int) -> Sequence[str | int]:
    """The values of a finite type in the order of their codes."""
    match t:
        case Array(element=EnumElement(members=members)):
            return members
        case _:
            return range(side)


def first_arm(e: Match, value: PatternValue) -> int:
    """The type checker has shown that there is one."""
    return next(i for i, arm in enumerate(e.arms) if accepts(arm.pattern, value))

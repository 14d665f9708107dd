"""The exact value of a constant expression."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from fractions import Fraction
from math import isqrt

from circ.compiler.builder import Builder
from circ.compiler.ir import Const, Input, Weight, Wire, operands
from circ.compiler.lower.environment import Environment
from circ.compiler.lower.quantities import restricted
from circ.compiler.passes.drop_dead import drop_dead
from circ.compiler.passes.fold_constants import fold_constants
from circ.compiler.readings.intervals import Reals
from circ.compiler.readings.reference import enclose
from circ.lang.diagnostic import CircError
from circ.lang.errors.syntax import number_too_long
from circ.lang.errors.types import divides_by_zero
from circ.lang.scope import key
from circ.lang.syntax import Binary, Call, Expr, Number, ParamDecl, Ref, Unary

LONGEST = 4000
"""Digits of a constant that is worked out; params that are each the last one's square grow fast."""


MOST_KNOWN = 1 << 18
"""Entries of all that a divisor or the argument of a root is computed from, where these are worked out exactly."""


def constant(e: Expr, env: Environment) -> Fraction | None:
    """The value of `e`; None where it is irrational or depends on an input."""
    match e:
        case Number(value=value):
            return value
        case Ref(name=name):
            if name in env.locals:
                return None
            if name in env.dims:
                return Fraction(env.dims[name])
            item = env.scope.values.get(name)
            return env.low.params[key(item)] if isinstance(item, ParamDecl) else None
        case Unary(op="-", operand=operand):
            inner = constant(operand, env)
            return None if inner is None else -inner
        case Call(function=function, args=(arg,)) if function.text == "sqrt":
            inner = constant(arg, env)
            return None if inner is None else exact_root(inner)
        case Binary(op="+" | "-" | "*" | "/", left=left, right=right):
            a, b = constant(left, env), constant(right, env)
            return None if a is None or b is None else arithmetic(e, a, b)
        case _:
            return None


def arithmetic(e: Binary, a: Fraction, b: Fraction) -> Fraction:
    """One operation; raises `CircError` for a division by zero, and where the result is too long."""
    value = operation(e, a, b)
    if max(abs(value.numerator), value.denominator) >= 10**LONGEST:
        raise CircError(number_too_long(e.span, LONGEST))
    return value


def operation(e: Binary, a: Fraction, b: Fraction) -> Fraction:
    """One operation; raises `CircError` for a division by zero."""
    match e.op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case _:
            if b == 0:
                raise CircError(divides_by_zero(e.right.span))
            return a / b


def known(wire: Wire, env: Environment) -> Sequence[tuple[Fraction, Fraction]] | None:
    """Bounds on each entry of a wire that is known before any input is; one of them where it is rational.

    None for any other wire: one that depends on an input, or on a tensor that a patch edits, or takes long to work out.
    """
    b, above = env.b, ancestors(wire, env)
    if any(isinstance(b.ops[x], Input) for x in above):
        return None
    if edited(above, env) or sum(b.types[x].entries for x in above) > MOST_KNOWN:
        return None
    value = enclose(restricted(env.low, {"known": wire}), {}, env.low.weights)["known"]
    assert isinstance(value, Reals)
    return value.box


def worked_out(b: Builder, wire: Wire) -> Const | None:
    """The value of a wire that depends on nothing, not even on a checkpoint; None for any other, and where a tie is left."""
    found = fold_constants(drop_dead(b.circuit({"known": wire})))
    op = found.ops[found.outputs["known"]]
    return op if isinstance(op, Const) else None


def by_a_patch(wire: Wire, env: Environment) -> bool:
    """Whether a wire depends on a tensor that a patch edits."""
    return edited(ancestors(wire, env), env)


def edited(wires: Collection[Wire], env: Environment) -> bool:
    """Whether one of these is a tensor that a patch edits."""
    ops = (env.b.ops[x] for x in wires)
    return any(isinstance(op, Weight) and op.key not in env.low.weights for op in ops)


def ancestors(wire: Wire, env: Environment) -> set[Wire]:
    """All that a wire is computed from, itself included."""
    seen, waiting = set[Wire](), [wire]
    while waiting:
        x = waiting.pop()
        if x not in seen:
            seen.add(x)
            waiting.extend(operands(env.b.ops[x]))
    return seen


def exact_root(x: Fraction) -> Fraction | None:
    """√x where it is rational."""
    if x < 0:
        return None
    top, bottom = isqrt(x.numerator), isqrt(x.denominator)
    exact = top * top == x.numerator and bottom * bottom == x.denominator
    return Fraction(top, bottom) if exact else None

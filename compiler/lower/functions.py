"""The functions of the language as ops; each has its typing rule in `circ.lang.check.functions`."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

from circ.compiler.builder import (
    axis_last,
    codes,
    combine,
    every,
    flatten,
    largest,
    matmul,
    negate,
    number,
    reals,
    some,
    spread,
    stack,
)
from circ.compiler.ir import Argmax, Index, Lookup, Relu, Smooth, Softmax, TopK, Wire
from circ.compiler.lower.compare import lower_entrywise, lower_operands
from circ.compiler.lower.constants import constant, known
from circ.compiler.lower.endless import shares, tied
from circ.compiler.lower.environment import Environment
from circ.compiler.lower.margins import lower_margin
from circ.compiler.lower.masks import lower_masked_softmax
from circ.compiler.lower.positions import lower_extreme
from circ.compiler.signs import Sign, sign_of
from circ.lang.check.functions import HOW_MANY
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import keeps_too_many, may_be_negative, negative_root, not_constant
from circ.lang.syntax import Call, Compare, Expr

Meaning = Callable[[list[Wire], Environment], Wire]

WIDEST = 256
"""Entries of a row whose largest is marked by a table that is looked up."""


def lower_function(e: Call, env: Environment) -> Wire:
    """The wire of a call of one of the language's functions."""
    name = e.function.text
    if name in ("all", "any"):
        return quantified(e, env)
    if name == "sqrt":
        return root(e, env)
    if name in ("max", "min"):
        return extreme(e, env)
    if name == "softmax" and len(e.args) == 2:
        return lower_masked_softmax(e.args[0], e.args[1], env)
    if name == "margin":
        return lower_margin(e.args[0], env)
    if name == "mean":
        return mean(e.args[0], env)
    if name == "topk":
        return topk(e.args[0], e.args[1], env)
    return MEANINGS[name]([tied(arg, env) for arg in e.args], env)


def quantified(e: Call, env: Environment) -> Wire:
    """`all` and `any` of a comparison's entries, or of a list of truths."""
    (arg,) = e.args
    entries = lower_entrywise(arg, env) if isinstance(arg, Compare) else env.wire(arg)
    return every(env.b, entries) if e.function.text == "all" else some(env.b, entries)


def root(e: Call, env: Environment) -> Wire:
    """√x; raises `CircError` where x may be negative."""
    value = constant(e, env)
    if value is not None:
        return number(env.b, value)
    (arg,) = e.args
    under = env.wire(arg)
    values = known(under, env)
    if values is None:
        if sign_of(env.b.ops, env.b.types, under) == Sign.UNKNOWN:
            raise CircError(may_be_negative(arg.span))
    elif any(low < 0 for low, _ in values):
        raise CircError(negative_root(arg.span))
    return env.b.add(Smooth("sqrt", under))


def extreme(e: Call, env: Environment) -> Wire:
    """`max` and `min`, of reals or of positions."""
    args = lower_operands(e.args, env)
    largest_of = e.function.text == "max"
    if isinstance(env.b.types[args[0]].sort, Index):
        return lower_extreme("max" if largest_of else "min", args, e.span, env)
    return maximum(args, env) if largest_of else minimum(args, env)


def topk(many: Expr, scores: Expr, env: Environment) -> Wire:
    """1 at the largest entries along the last axis; raises `CircError` for more than there are."""
    wire, count = tied(scores, env), constant(many, env)
    side = env.b.shape(wire)[-1]
    if count is None or count.denominator != 1:
        raise CircError(not_constant(many.span, HOW_MANY, "a whole number"))
    if not 0 <= count <= side:
        raise CircError(keeps_too_many(many.span, count, side))
    if count == 1:
        return hardmax([wire], env)
    env.low.require_room(scores.span, env.b.types[wire].entries)
    return env.b.add(TopK(int(count), wire))


def relu(args: list[Wire], env: Environment) -> Wire:
    """max(0, x)."""
    return env.b.add(Relu(args[0]))


def absolute(args: list[Wire], env: Environment) -> Wire:
    """|x| = relu(x) + relu(-x)."""
    b = env.b
    return combine(b, (1, b.add(Relu(args[0]))), (1, b.add(Relu(negate(b, args[0])))))


def summed(args: list[Wire], env: Environment) -> Wire:
    """Over the leading axis."""
    side = env.b.shape(args[0])[0]
    return matmul(env.b, reals(env.b, (Fraction(1),) * side, (side,)), args[0])


def mean(arg: Expr, env: Environment) -> Wire:
    """The sum over the leading axis, divided by its length."""
    wire, parts = env.wire(arg), shares(arg, env)
    if parts is not None:
        return matmul(env.b, parts, wire)
    return combine(env.b, (Fraction(1, env.b.shape(wire)[0]), summed([wire], env)))


def maximum(args: list[Wire], env: Environment) -> Wire:
    """Over the leading axis, or entrywise over several."""
    b = env.b
    if len(args) > 1:
        shape = max(map(b.shape, args), key=len)
        return largest(b, axis_last(b, stack(b, [spread(b, arg, shape) for arg in args])))
    return largest(b, axis_last(b, args[0]))


def minimum(args: list[Wire], env: Environment) -> Wire:
    """min(x) = -max(-x)."""
    return negate(env.b, maximum([negate(env.b, arg) for arg in args], env))


def clamp(args: list[Wire], env: Environment) -> Wire:
    """min(max(x, low), high)."""
    x, low, high = args
    return minimum([maximum([x, low], env), high], env)


def dot(args: list[Wire], env: Environment) -> Wire:
    """The inner product."""
    return matmul(env.b, args[0], args[1])


def norm_inf(args: list[Wire], env: Environment) -> Wire:
    """The largest absolute value."""
    return largest(env.b, absolute([flatten(env.b, args[0])], env))


def norm_1(args: list[Wire], env: Environment) -> Wire:
    """The sum of the absolute values."""
    return summed([absolute([flatten(env.b, args[0])], env)], env)


def softmax(args: list[Wire], env: Environment) -> Wire:
    """Along the last axis."""
    return env.b.add(Softmax(args[0]))


def positions(args: list[Wire], env: Environment) -> Wire:
    """0, 1, … along the leading axis."""
    side = env.b.shape(args[0])[0]
    return codes(env.b, range(side), side, (side,))


def argmax(args: list[Wire], env: Environment) -> Wire:
    """Along the last axis."""
    return env.b.add(Argmax(args[0]))


def hardmax(args: list[Wire], env: Environment) -> Wire:
    """Along the last axis: the row of a table that `argmax` names, which engines follow further."""
    b, (scores,) = env.b, args
    side = b.shape(scores)[-1]
    if side > WIDEST:
        return b.add(TopK(1, scores))
    table = reals(b, (Fraction(i == j) for i in range(side) for j in range(side)), (side, side))
    return b.add(Lookup(table, (b.add(Argmax(scores)),)))


def exp(args: list[Wire], env: Environment) -> Wire:
    """e^x."""
    return env.b.add(Smooth("exp", args[0]))


MEANINGS: dict[str, Meaning] = {
    "relu": relu,
    "abs": absolute,
    "exp": exp,
    "clamp": clamp,
    "sum": summed,
    "dot": dot,
    "norm_inf": norm_inf,
    "norm_1": norm_1,
    "softmax": softmax,
    "argmax": argmax,
    "hardmax": hardmax,
    "positions": positions,
}
"""`all`, `any`, `sqrt`, `max`, `min`, `topk` and `margin` read their arguments' syntax, and stand above."""

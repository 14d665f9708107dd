"""Each construct of the language as ops: one match, each rule a function of its own."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import assert_never

from circ.compiler.builder import (
    both,
    broadcast,
    codes,
    combine,
    either,
    implies,
    matmul,
    negate,
    number,
    reals,
    stack,
    times,
    truth,
)
from circ.compiler.ir import Const, Not, Select, Smooth, Wire
from circ.compiler.lower.along import lower_comprehension, lower_count, lower_fold
from circ.compiler.lower.calls import lower_call, lower_site
from circ.compiler.lower.compare import lower_compare, lower_member
from circ.compiler.lower.constants import by_a_patch, constant, known
from circ.compiler.lower.endless import tied
from circ.compiler.lower.environment import Environment, Tensors, Tuple, Value
from circ.compiler.lower.indexing import lower_index
from circ.compiler.lower.matches import lower_match
from circ.compiler.lower.subspaces import lower_coords, lower_projection
from circ.compiler.lower.tensors import lower_tensor
from circ.compiler.lower.word_patterns import lower_matches
from circ.compiler.signs import Sign, sign_of
from circ.lang.check.sites import site_read
from circ.lang.check.tensors import tensor_path
from circ.lang.diagnostic import CircError
from circ.lang.errors.types import divides_by_zero, may_vanish
from circ.lang.scope import key
from circ.lang.syntax import (
    Attr,
    Binary,
    Call,
    Cases,
    Cast,
    Compare,
    Comprehension,
    Coords,
    Count,
    Do,
    EnumDecl,
    Expr,
    Fold,
    Index,
    ListExpr,
    Match,
    Matches,
    Member,
    Number,
    ParamDecl,
    Projection,
    Quoted,
    Ref,
    TupleExpr,
    Unary,
)


def lower(e: Expr, env: Environment) -> Value:
    """The value of `e` in `env`."""
    match e:
        case Number(value=value):
            return number(env.b, value)
        case Ref():
            return lower_ref(e, env)
        case Quoted(member=member):
            return lower_code(env.scope.quotable[member][0], member, env)
        case Attr():
            return lower_attr(e, env)
        case Index():
            return lower_index(e, env)
        case Call() | Do():
            return lower_call(e, env)
        case Unary():
            return lower_unary(e, env)
        case Binary():
            return lower_binary(e, env)
        case Compare():
            return lower_compare(e, env)
        case Member():
            return lower_member(e, env)
        case Matches():
            return lower_matches(e, env)
        case Cast(operand=operand):
            return env.lower(operand)
        case Projection():
            return lower_projection(e, env)
        case Coords():
            return lower_coords(e, env)
        case TupleExpr(items=items):
            return Tuple(tuple(map(env.lower, items)))
        case ListExpr(items=items):
            return stack(env.b, [env.wire(item) for item in items])
        case Comprehension():
            return lower_comprehension(e, env)
        case Count():
            return lower_count(e, env)
        case Fold():
            return lower_fold(e, env)
        case Cases():
            return lower_cases(e, env)
        case Match():
            return lower_match(e, env)
        case _:
            assert_never(e)


def lower_ref(e: Ref, env: Environment) -> Value:
    """A local, the size of a dimension, a param, a checkpoint, or a member of an enum."""
    if e.name in env.locals:
        return env.locals[e.name]
    if e.name in env.dims:
        return number(env.b, env.dims[e.name])
    item = env.scope.values.get(e.name)
    if item is None:
        return lower_code(env.scope.members[e.name][0], e.name, env)
    if isinstance(item, ParamDecl):
        return number(env.b, env.low.params[key(item)])
    return Tensors(key(item), (), old=env.old)


def lower_code(enum: EnumDecl, member: str, env: Environment) -> Wire:
    """The code of an enum's member."""
    members = [m.text for m in enum.members]
    return codes(env.b, [members.index(member)], len(members), ())


def lower_attr(e: Attr, env: Environment) -> Value:
    """A site of a call, `Enum.member`, or a path below a checkpoint."""
    read = site_read(e)
    if read is not None:
        return lower_site(*read, env)
    if isinstance(e.base, Ref) and e.base.name not in env.locals:
        enum = env.scope.values[e.base.name]
        if isinstance(enum, EnumDecl):
            return lower_code(enum, e.part.text, env)
    path = tensor_path(e)
    assert path is not None
    record = env.locals.get(path[0])
    if isinstance(record, Tensors):
        return lower_tensor(record.below(*path[1]), env)
    return lower_tensor(Tensors(key(env.scope.values[path[0]]), path[1], old=env.old), env)


def lower_unary(e: Unary, env: Environment) -> Value:
    """Negation, and the unpatched checkpoint; a negative number is a constant."""
    match e.op:
        case "-" if isinstance(e.operand, Number):
            return number(env.b, -e.operand.value)
        case "-":
            return negate(env.b, env.wire(e.operand))
        case "not":
            return env.b.add(Not(env.wire(e.operand)))
        case "old":
            return replace(env, old=True).lower(e.operand)


def lower_binary(e: Binary, env: Environment) -> Wire:
    """Arithmetic and logic; a constant factor is a coefficient, not a product."""
    b = env.b
    if e.op == "/":
        return lower_quotient(e, env)
    if e.op == "@":
        return matmul(b, tied(e.left, env), env.wire(e.right))
    left, right = env.wire(e.left), env.wire(e.right)
    match e.op:
        case "+":
            return combine(b, (1, left), (1, right))
        case "-":
            return combine(b, (1, left), (-1, right))
        case "*":
            return lower_times(left, right, env)
        case "and":
            return both(b, left, right)
        case "or":
            return either(b, left, right)
        case "implies":
            return implies(b, left, right)


def lower_times(left: Wire, right: Wire, env: Environment) -> Wire:
    """A product; a coefficient where one side is a known number."""
    for factor, other in ((left, right), (right, left)):
        op = env.b.ops[factor]
        if isinstance(op, Const) and op.type.shape == ():
            return combine(env.b, (Fraction(op.values[0]), other))
    return times(env.b, left, right)


def lower_quotient(e: Binary, env: Environment) -> Wire:
    """Division by what is known, exactly where that is rational, or by what is apart from zero."""
    b, left = env.b, env.wire(e.left)
    divisor = constant(e.right, env)
    if divisor is not None and divisor != 0:
        return combine(b, (1 / divisor, left))
    right = env.wire(e.right)
    values = known(right, env)
    if values is None:
        if sign_of(b.ops, b.types, right) != Sign.APART:
            raise CircError(may_vanish(e.right.span, edited=by_a_patch(right, env)))
    elif any(low <= 0 <= high for low, high in values):
        raise CircError(divides_by_zero(e.right.span))
    elif all(low == high for low, high in values):
        return lower_times(reals(b, (1 / low for low, _ in values), b.shape(right)), left, env)
    return times(b, b.add(Smooth("recip", right)), left)


def lower_cases(e: Cases, env: Environment) -> Wire:
    """Nested choices, the first arm outermost; when each arm is reached is kept."""
    b = env.b
    values = [env.wire(arm.value) for arm in e.arms]
    shape = max((b.shape(value) for value in values), key=len)
    filled = [broadcast(b, v, shape) if b.shape(v) != shape else v for v in values]
    guards = [truth(b, True) if a.guard is None else env.wire(a.guard) for a in e.arms]
    result = filled[-1]
    for guard, value in zip(reversed(guards[:-1]), reversed(filled[:-1]), strict=True):
        result = b.add(Select(guard, value, result))
    before: list[Wire] = []
    for arm, guard in zip(e.arms, guards, strict=True):
        earlier = [b.add(Not(g)) for g in before]
        reached = env.low.arms.setdefault(arm.span, [])
        wire = both(b, *earlier, guard)
        if wire not in reached:
            reached.append(wire)
        before.append(guard)
    return result

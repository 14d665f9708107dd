"""What a circuit of the language means, by the book: an interpreter of syntax trees.

It shares nothing with the compiler but the parser. Tensors are nested tuples, reals are Fractions,
members and positions are ints, truths are bools. What only types tell apart (a member that two
enums have, `softmax` and other irrational values) is left out; a tie raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import partial, reduce
from math import isqrt
from operator import add, eq, ge, gt, le, lt, mul, sub
from typing import Any, assert_never

from circ.lang.syntax import (
    Attr,
    Binary,
    Call,
    Cases,
    Cast,
    CircuitDecl,
    Compare,
    Comprehension,
    Count,
    DimExpr,
    DimName,
    DimNumber,
    Do,
    Edit,
    EnumDecl,
    Expr,
    Fold,
    Index,
    LetterPattern,
    ListExpr,
    Match,
    Matches,
    Member,
    MemberPattern,
    Module,
    Number,
    NumberPattern,
    OrPattern,
    ParamDecl,
    Pattern,
    Projection,
    Quoted,
    RecordDecl,
    Ref,
    Slice,
    SpaceDecl,
    SubspaceDecl,
    TupleExpr,
    TuplePattern,
    TypeExpr,
    Unary,
    Wildcard,
)
from tests.ends import ends
from tests.nested import Value, both, depth, each, entries, filled, places, product, put, zeros

Tensors = Mapping[str, Value]
Path = tuple[str, ...]


class Tie(Exception):
    """An `argmax` with two largest entries, say: the language leaves the choice open."""


@dataclass(frozen=True)
class Scope:
    """The declarations of a module, and the tensors of its checkpoints by dotted name."""

    items: Mapping[str, Any]
    tensors: Tensors

    @staticmethod
    def of(module: Module, tensors: Tensors) -> Scope:
        """The scope of a module; `tensors` by checkpoint and path, `m.W`."""
        return Scope({item.name.text: item for item in module.items}, tensors)

    def code(self, member: str, enum: str | None = None) -> int:
        """The place of a member in its enum."""
        for name, item in self.items.items():
            if isinstance(item, EnumDecl) and enum in (None, name):
                members = [m.text for m in item.members]
                if member in members:
                    return members.index(member)
        raise KeyError(member)


@dataclass(frozen=True)
class Frame:
    """The names in reach, and the tensors that calls read here."""

    scope: Scope
    names: Mapping[str, Value]
    tensors: Tensors

    def bind(self, name: str, value: Value) -> Frame:
        return replace(self, names={**self.names, name: value})


@dataclass(frozen=True)
class Below:
    """The tensors below a path: what is given for a record."""

    path: str


@dataclass(frozen=True)
class Planned:
    """An edit to be made: the rest of its path, and the frame its value is read in."""

    path: Path
    edit: Edit
    frame: Frame


Plan = Sequence[Sequence[Planned]]
"""The edits of each `do`, innermost first."""


# --- expressions ------------------------------------------------------------------------------


def evaluate(e: Expr, at: Frame) -> Value:
    """The value of an expression."""
    match e:
        case Number(value=value):
            return value
        case Ref(name=name):
            return reference(name, at)
        case Quoted(member=member):
            return at.scope.code(member)
        case Attr():
            return attribute(e, at)
        case Index(base=base, items=items):
            return places(evaluate(base, at), indices(items, at))
        case Call() | Do():
            return call(e, at, ())[0]
        case Unary(op="-", operand=operand):
            return each(lambda x: -x, evaluate(operand, at))
        case Unary(op="not", operand=operand):
            return not evaluate(operand, at)
        case Unary():
            raise NotImplementedError(e.op)
        case Binary():
            return binary(e, at)
        case Compare():
            return all(entries(compared(e, at)))
        case Member(element=element, choices=choices):
            return evaluate(element, at) in [evaluate(choice, at) for choice in choices]
        case Matches(word=word, pattern=pattern):
            letters = evaluate(word, at)
            codes = partial(letter_fits, scope=at.scope)
            return len(letters) in ends(pattern, letters, 0, codes)
        case Cast(operand=operand):
            return evaluate(operand, at)
        case Projection():
            return projected(e, at)
        case TupleExpr(items=items) | ListExpr(items=items):
            return tuple(evaluate(item, at) for item in items)
        case Comprehension(body=body, binder=binder, source=source):
            return tuple(evaluate(body, at.bind(binder.text, x)) for x in evaluate(source, at))
        case Count(binder=binder, source=source, condition=condition):
            if isinstance(source, TypeExpr) or condition is None:
                raise NotImplementedError("a count over a domain")
            held = (evaluate(condition, at.bind(binder.text, x)) for x in evaluate(source, at))
            return Fraction(sum(held))
        case Fold():
            return folded(e, at)
        case Cases(arms=arms):
            values = [evaluate(arm.value, at) for arm in arms]
            holds = [arm.guard is None or evaluate(arm.guard, at) for arm in arms]
            return filled(values[holds.index(True)], max(values, key=depth))
        case Match(subject=subject, arms=arms):
            values = [evaluate(arm.value, at) for arm in arms]
            found = evaluate(subject, at)
            fits = [accepts(arm.pattern, found, at.scope) for arm in arms]
            return filled(values[fits.index(True)], max(values, key=depth))
        case _:
            assert_never(e)


def projected(e: Projection, at: Frame) -> Value:
    """The part of a vector in a subspace, or the rest: by what is left of its vectors off each other, one by one."""
    decl = at.scope.items[e.subspace.text]
    assert isinstance(decl, SubspaceDecl)
    spanned = evaluate(decl.vectors, Frame(at.scope, {}, at.tensors))
    apart = list[tuple[Fraction, ...]]()
    for vector in spanned if isinstance(spanned[0], tuple) else (spanned,):
        rest = vector
        for other in apart:
            share = inner(rest, other) / inner(other, other)
            rest = tuple(a - share * b for a, b in zip(rest, other, strict=True))
        apart.append(rest)
    return along_last(lambda x: onto(x, apart, e.side), evaluate(e.operand, at))


def onto(x: Sequence[Fraction], apart: Sequence[Sequence[Fraction]], side: str) -> Value:
    """What is on the span of vectors that are at right angles, or off it."""
    shares = [inner(x, other) / inner(other, other) for other in apart]
    on = [
        sum((s * b[i] for s, b in zip(shares, apart, strict=True)), Fraction(0))
        for i in range(len(x))
    ]
    return tuple(on) if side == "on" else tuple(a - b for a, b in zip(x, on, strict=True))


def inner(x: Sequence[Fraction], y: Sequence[Fraction]) -> Fraction:
    """The inner product."""
    return sum((a * b for a, b in zip(x, y, strict=True)), Fraction(0))


def along_last(f: Callable[[Value], Value], x: Value) -> Value:
    """A function of each vector along the last axis."""
    return tuple(along_last(f, row) for row in x) if isinstance(x[0], tuple) else f(x)


def reference(name: str, at: Frame) -> Value:
    """A local, a param, or a member."""
    if name in at.names:
        return at.names[name]
    item = at.scope.items.get(name)
    if isinstance(item, ParamDecl):
        return evaluate(item.value, Frame(at.scope, {}, at.scope.tensors))
    return at.scope.code(name)


def attribute(e: Attr, at: Frame) -> Value:
    """A tensor, `Enum.member`, or a site of a call."""
    path: Path = ()
    base: Expr = e
    while isinstance(base, Attr):
        path, base = (base.part.text, *path), base.base
    if isinstance(base, Ref):
        record = at.names.get(base.name)
        if isinstance(record, Below):
            return tensor(".".join((record.path, *path)), at)
        if isinstance(at.scope.items[base.name], EnumDecl):
            return at.scope.code(e.part.text, base.name)
        return tensor(".".join((base.name, *path)), at)
    assert isinstance(base, Call | Do)
    site: Value = call(base, at, ())
    for name in path:
        site = site[1][name]
    return site[0]


def tensor(path: str, at: Frame) -> Value:
    """A tensor, or those below a path."""
    return at.tensors[path] if path in at.tensors else Below(path)


def indices(items: Sequence[Expr | Slice], at: Frame) -> list[Value]:
    """What stands between brackets, as Python indexes."""
    return [index(item, at) for item in items]


def index(item: Expr | Slice, at: Frame) -> Value:
    """One index."""
    if not isinstance(item, Slice):
        return int(evaluate(item, at))
    ends = (item.start, item.stop)
    start, stop = (None if end is None else int(evaluate(end, at)) for end in ends)
    return slice(start, stop)


def binary(e: Binary, at: Frame) -> Value:
    """Arithmetic and logic."""
    x, y = evaluate(e.left, at), evaluate(e.right, at)
    match e.op:
        case "and":
            return x and y
        case "or":
            return x or y
        case "implies":
            return not x or y
        case "@":
            return product(x, y)
        case "/":
            return each(lambda a: a / y, x)
        case "+" | "-" | "*":
            return both({"+": add, "-": sub, "*": mul}[e.op], x, y)


def compared(e: Compare, at: Frame, *, whole: bool = True) -> Value:
    """The truth of each entry of a comparison; `!=` is one truth of `whole` tensors."""
    xs = [evaluate(operand, at) for operand in e.operands]
    bound = None if e.within is None else evaluate(e.within, at)
    rows = [pair(op, xs[i], xs[i + 1], bound) for i, op in enumerate(e.ops)]
    for i, op in enumerate(e.ops):
        if op == "!=":
            rows[i] = not all(entries(rows[i])) if whole else each(lambda p: not p, rows[i])
    return reduce(lambda a, b: both(lambda p, q: p and q, a, b), rows)


def pair(op: str, x: Value, y: Value, bound: Value) -> Value:
    """Two neighbours of a chain; `!=` as `==`."""
    if bound is not None:
        return both(le, each(abs, both(sub, x, y)), bound)
    order = {"==": eq, "!=": eq, "<": lt, "<=": le, ">": gt, ">=": ge}
    return both(order[op], x, y)


def folded(e: Fold, at: Frame) -> Value:
    """The state after the last entry."""
    state = evaluate(e.initial, at)
    for x in evaluate(e.source, at):
        state = evaluate(e.body, at.bind(e.binder.text, x).bind(e.state.text, state))
    return state


def letter_fits(pattern: LetterPattern, letter: int, scope: Scope) -> bool:
    """Whether a pattern of one letter fits it."""
    return accepts(pattern, letter, scope)


def accepts(pattern: Pattern, value: Value, scope: Scope) -> bool:
    """Whether a pattern fits a value."""
    match pattern:
        case Wildcard():
            return True
        case MemberPattern(enum=enum, member=member):
            return bool(value == scope.code(member, enum))
        case NumberPattern(value=number):
            return bool(value == number)
        case TuplePattern(items=items):
            return all(accepts(p, v, scope) for p, v in zip(items, value, strict=True))
        case OrPattern(options=options):
            return any(accepts(option, value, scope) for option in options)
        case _:
            assert_never(pattern)


# --- calls ------------------------------------------------------------------------------------


def call(e: Call | Do, at: Frame, plan: Plan) -> tuple[Value, Mapping[str, Any]]:
    """The result of a call, and its sites: each a result with sites of its own."""
    while isinstance(e, Do):
        own = [Planned(tuple(p.text for p in edit.path), edit, at) for edit in e.edits]
        plan = [own, *plan]
        assert isinstance(e.base, Call | Do)
        e = e.base
    decl = at.scope.items.get(e.function.text)
    if not isinstance(decl, CircuitDecl):
        return function(e, at), {}
    inner = Frame(at.scope, {}, with_tensors(decl, at, plan))
    dims: dict[str, int] = {}
    sites: dict[str, Any] = {}
    for param, arg in zip(decl.params, e.args, strict=True):
        value = replaced(evaluate(arg, at), edits_of(plan, (param.name.text,)))
        if isinstance(value, Below):
            dims |= sides_of_record(param.type, value, inner)
        elif param.type.name.text != "fin":
            dims |= named_sides(param.type.dims, value)
        sites[param.name.text] = (value, {})
        inner = inner.bind(param.name.text, value)
    for dim in decl.dims:
        inner = inner.bind(dim.text, Fraction(dims[dim.text]))
    for let in decl.lets:
        name = let.name.text
        below = [
            [replace(p, path=p.path[1:]) for p in do if p.path[0] == name and len(p.path) > 1]
            for do in plan
        ]
        if isinstance(let.value, Call | Do):
            value, parts = call(let.value, inner, below)
        else:
            value, parts = evaluate(let.value, inner), {}
        value = value if let.type is None else shaped(value, let.type, dims, at.scope)
        value = replaced(value, edits_of(plan, (name,)))
        sites[name] = (value, parts)
        inner = inner.bind(name, value)
    return shaped(evaluate(decl.body, inner), decl.result, dims, at.scope), sites


def edits_of(plan: Plan, path: Path) -> Plan:
    """The edits of exactly that path."""
    return [[planned for planned in do if planned.path == path] for do in plan]


def replaced(value: Value, plan: Plan) -> Value:
    """A wire after each `do` in turn; the edits of one `do` read what was there before it."""
    for do in plan:
        before = value
        for planned in do:
            items = indices(planned.edit.items, planned.frame)
            it = places(before, items)
            value = put(value, items, evaluate(planned.edit.value, planned.frame.bind("it", it)))
    return value


def with_tensors(decl: CircuitDecl, at: Frame, plan: Plan) -> Tensors:
    """The tensors that a call reads, after the edits that name one."""
    tensors = dict(at.tensors)
    own = {site.name.text for site in decl.params} | {site.name.text for site in decl.lets}
    for do in plan:
        paths = {planned.path for planned in do if planned.path[0] not in own}
        for path in paths:
            key = ".".join(path)
            tensors[key] = replaced(tensors[key], edits_of([do], path))
    return tensors


def named_sides(dims: Sequence[DimExpr], value: Value) -> dict[str, int]:
    """How long each named dimension of a parameter is."""
    found: dict[str, int] = {}
    for dim in dims:
        if isinstance(dim, DimName):
            found[dim.name] = len(value)
        value = value[0]
    return found


def sides_of_record(t: TypeExpr, given: Below, at: Frame) -> dict[str, int]:
    """How long the axes are that a record's type names, by the tensors that are given for it."""
    decl = at.scope.items[t.name.text]
    assert isinstance(decl, RecordDecl)
    own: dict[str, int] = {}
    for field in decl.fields:
        value = tensor(".".join((given.path, *(part.text for part in field.path))), at)
        below = isinstance(value, Below)
        own |= (
            sides_of_record(field.type, value, at) if below else named_sides(field.type.dims, value)
        )
    pairs = zip(t.dims, decl.dims, strict=True)
    return {
        dim.name: own[name.text]
        for dim, name in pairs
        if isinstance(dim, DimName) and name.text in own
    }


def shaped(value: Value, t: TypeExpr, dims: Mapping[str, int], scope: Scope) -> Value:
    """A scalar in every entry of an annotated shape."""
    written = t.dims[1:] if t.name.text == "fin" else t.dims
    shape = [
        side(dim.name, dims, scope) if isinstance(dim, DimName) else dim.value
        for dim in written
        if isinstance(dim, DimName | DimNumber)
    ]
    if isinstance(scope.items.get(t.name.text), SpaceDecl):
        shape.append(side(t.name.text, dims, scope))
    return filled(value, zeros(shape))


def side(name: str, dims: Mapping[str, int], scope: Scope) -> int:
    """How long an axis of that name is."""
    if name in dims:
        return dims[name]
    item = scope.items[name]
    if isinstance(item, SpaceDecl):
        (entries,) = item.type.dims
        assert isinstance(entries, DimNumber)
        return entries.value
    assert isinstance(item, EnumDecl)
    return len(item.members)


def largest(xs: Sequence[Value]) -> int:
    """The place of the largest."""
    best = max(xs)
    if list(xs).count(best) > 1:
        raise Tie
    return list(xs).index(best)


def kept(xs: Sequence[Value], count: int) -> Value:
    """1 for each entry that fewer than `count` others reach, else 0."""
    marks = [Fraction(sum(other >= x for other in xs) <= count) for x in xs]
    if sum(marks) != count:
        raise Tie
    return tuple(marks)


def function(e: Call, at: Frame) -> Value:
    """A function of the language."""
    name = e.function.text
    if name in ("all", "any"):
        (arg,) = e.args
        truths = compared(arg, at, whole=False) if isinstance(arg, Compare) else evaluate(arg, at)
        return all(entries(truths)) if name == "all" else any(entries(truths))
    args = [evaluate(arg, at) for arg in e.args]
    (x, *others) = args
    match name:
        case "relu":
            return each(lambda a: max(a, Fraction(0)), x)
        case "abs":
            return each(abs, x)
        case "clamp":
            low, high = others
            return each(lambda a: min(max(a, low), high), x)
        case "sum" | "mean":
            total = reduce(lambda a, b: both(add, a, b), x)
            return each(lambda a: a / len(x), total) if name == "mean" else total
        case "max" | "min":
            pick = max if name == "max" else min
            return reduce(lambda a, b: both(pick, a, b), args if others else x)
        case "sqrt":
            return Fraction(isqrt(x.numerator), isqrt(x.denominator))
        case "dot":
            return product(x, others[0])
        case "norm_inf":
            return max(abs(a) for a in entries(x))
        case "norm_1":
            return sum(abs(a) for a in entries(x))
        case "positions":
            return tuple(range(len(x)))
        case "argmax":
            return tuple(largest(row) for row in x) if depth(x) == 2 else largest(x)
        case "hardmax":
            return tuple(kept(row, 1) for row in x) if depth(x) == 2 else kept(x, 1)
        case "topk":
            (scores,) = others
            return tuple(kept(row, x) for row in scores) if depth(scores) == 2 else kept(scores, x)
        case _:
            raise NotImplementedError(name)

"""What a circuit of the language means, by the book: an interpreter of syntax trees.

It shares nothing with the compiler but the parser. Tensors are nested tuples, reals are Fractions,
members and positions are ints, truths are bools. What only types tell apart (a member that two
enums have, `softmax` and other irrational values) is left out; a tie raises.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
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
    Coords,
    Count,
    DimBinary,
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
from circ.lang.walk import reads_it
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
    """The tensors below a path: what is given for a record; `edited` has what stands for some, by whole name."""

    path: str
    edited: Mapping[str, Value] = field(default_factory=dict[str, Value])

    def __getitem__(self, path: Sequence[str]) -> Below:
        """Those further below."""
        return replace(self, path=".".join((self.path, *path)))


@dataclass(frozen=True)
class Planned:
    """An edit to be made: the rest of its path and of its indices, and the frame its value is read in.

    `known`: its value, where that is known already.
    """

    path: Path
    items: Sequence[Value]
    edit: Edit
    frame: Frame
    known: Sequence[Value] = ()


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
        case Coords():
            return coordinates(e, at)
        case TupleExpr(items=items) | ListExpr(items=items):
            return tuple(evaluate(item, at) for item in items)
        case Comprehension(body=body, binder=binder, source=source):
            return tuple(evaluate(body, at.bind(binder.text, x)) for x in gone_over(source, at))
        case Count(binder=binder, source=source, condition=condition):
            if isinstance(source, TypeExpr) or condition is None:
                raise NotImplementedError("a count over a domain")
            held = (evaluate(condition, at.bind(binder.text, x)) for x in gone_over(source, at))
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


def gone_over(source: Expr, at: Frame) -> Sequence[Value]:
    """The entries of a tensor, or all positions `fin[n]`."""
    match source:
        case Index(base=Ref(name="fin"), items=(item,)) if not isinstance(item, Slice):
            return range(int(evaluate(item, at)))
        case _:
            entries_of: Sequence[Value] = evaluate(source, at)
            return entries_of


def projected(e: Projection, at: Frame) -> Value:
    """The part of a vector in a subspace, or the rest."""
    apart = at_right_angles(vectors_of(e.subspace.text, at))
    return along_last(lambda x: onto(x, apart, e.side), evaluate(e.operand, at))


def vectors_of(subspace: str, at: Frame) -> Sequence[Sequence[Fraction]]:
    """The vectors that a subspace is written with."""
    decl = at.scope.items[subspace]
    assert isinstance(decl, SubspaceDecl)
    spanned = evaluate(decl.vectors, Frame(at.scope, {}, at.tensors))
    return spanned if isinstance(spanned[0], tuple) else (spanned,)


def at_right_angles(vectors: Sequence[Sequence[Fraction]]) -> list[Sequence[Fraction]]:
    """What is left of each vector off those before it, one by one."""
    apart = list[Sequence[Fraction]]()
    for vector in vectors:
        rest = vector
        for other in apart:
            share = inner(rest, other) / inner(other, other)
            rest = tuple(a - share * b for a, b in zip(rest, other, strict=True))
        apart.append(rest)
    return apart


def coordinates(e: Coords, at: Frame) -> Value:
    """How much of each vector of a subspace adds up to what is on it, for each vector along the last axis."""
    vectors = vectors_of(e.subspace.text, at)
    apart = at_right_angles(vectors)
    return along_last(lambda x: shares(x, vectors, apart), evaluate(e.operand, at))


def shares(
    x: Sequence[Fraction],
    vectors: Sequence[Sequence[Fraction]],
    apart: Sequence[Sequence[Fraction]],
) -> Value:
    """The last vector alone has a part off those before it: so its share first, and then what is left to the others."""
    found: list[Fraction] = []
    for vector, rest in zip(reversed(vectors), reversed(apart), strict=True):
        share = inner(x, rest) / inner(rest, rest)
        x = tuple(a - share * b for a, b in zip(x, vector, strict=True))
        found.insert(0, share)
    return tuple(found)


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
            return tensor(record[path], at)
        if isinstance(at.scope.items[base.name], EnumDecl):
            return at.scope.code(e.part.text, base.name)
        return tensor(Below(".".join((base.name, *path))), at)
    assert isinstance(base, Call | Do)
    site: Value = call(base, at, ())
    for name in path:
        site = site[1][name]
    return site[0]


def tensor(named: Below, at: Frame) -> Value:
    """A tensor, or those below a path."""
    if named.path in named.edited:
        return named.edited[named.path]
    return at.tensors.get(named.path, named)


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
            return both(lambda a, b: a / b, x, y)
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
    for x in gone_over(e.source, at):
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
        own = [
            Planned(tuple(p.text for p in edit.path), indices(edit.items, at), edit, at)
            for edit in e.edits
        ]
        plan = [own, *plan]
        assert isinstance(e.base, Call | Do)
        e = e.base
    decl = at.scope.items.get(e.function.text)
    if not isinstance(decl, CircuitDecl):
        return function(e, at), {}
    inner = Frame(at.scope, {}, with_tensors(decl, at, plan))
    known = {name: int(x) for name, x in at.names.items() if isinstance(x, Fraction)}
    dims = {each.name.text: measured(each.dim, known, at.scope) for each in e.given}
    shapes: list[tuple[DimExpr, int]] = []
    sites = dict(tree(Below(""), inner))
    for param, arg in zip(decl.params, e.args, strict=True):
        value = evaluate(arg, at)
        if isinstance(value, Below):
            value = with_fields(value, edits_below(plan, param.name.text, least=0), inner)
            dims |= sides_of_record(param.type, value, inner)
        else:
            value = replaced(value, edits_of(plan, (param.name.text,)))
            if param.type.name.text != "fin":
                dims |= named_sides(param.type.dims, value)
                shapes += computed_sides(param.type.dims, value)
        sites[param.name.text] = (value, tree(value, inner) if isinstance(value, Below) else {})
        inner = inner.bind(param.name.text, value)
    for dim in decl.dims:
        dims.setdefault(dim.text, tried(dim.text, shapes, dims, at.scope))
        inner = inner.bind(dim.text, Fraction(dims[dim.text]))
    for let in decl.lets:
        name = let.name.text
        value, parts = under(let.value, inner, edits_below(plan, name, least=1))
        value = value if let.type is None else shaped(value, let.type, dims, at.scope)
        value = replaced(value, edits_of(plan, (name,)))
        sites[name] = (value, parts)
        inner = inner.bind(name, value)
    return shaped(evaluate(decl.body, inner), decl.result, dims, at.scope), sites


def tree(named: Below, at: Frame) -> Mapping[str, Any]:
    """The tensors below a path as sites, each part of a name below the one before."""
    start = f"{named.path}." if named.path else ""
    parts = {name[len(start) :].split(".")[0] for name in at.tensors if name.startswith(start)}
    below = {part: replace(named, path=start + part) for part in parts}
    return {part: (tensor(x, at), tree(x, at)) for part, x in below.items()}


def edits_of(plan: Plan, path: Path) -> Plan:
    """The edits of exactly that path."""
    return [[planned for planned in do if planned.path == path] for do in plan]


def edits_below(plan: Plan, name: str, least: int) -> Plan:
    """The edits of a name, or of what stands at least so deep below it, without the name."""
    return [
        [replace(p, path=p.path[1:]) for p in do if p.path[0] == name and len(p.path) > least]
        for do in plan
    ]


def replaced(value: Value, plan: Plan) -> Value:
    """A wire after each `do` in turn; the edits of one `do` read what was there before it."""
    for do in plan:
        before = value
        for planned in do:
            value = put(value, planned.items, new_value(planned, places(before, planned.items)))
    return value


def new_value(planned: Planned, it: Value) -> Value:
    """What an edit puts in the place of `it`."""
    if planned.known:
        return planned.known[0]
    return evaluate(planned.edit.value, planned.frame.bind("it", it))


def with_fields(value: Below, plan: Plan, at: Frame) -> Below:
    """What is given for a record after edits of its fields, or of all of it."""
    for do in plan:
        before = value
        for planned in do:
            it = tensor(before[planned.path], at) if planned.path else before
            if isinstance(it, Below):
                other = new_value(planned, it)
                names = [name for name in at.tensors if name.startswith(f"{it.path}.")]
                moved = {name: other.path + name[len(it.path) :] for name in names}
                found = {
                    name: tensor(replace(other, path=there), planned.frame)
                    for name, there in moved.items()
                    if there in at.tensors
                }
                value = replace(value, edited={**value.edited, **found}) if planned.path else other
            else:
                new = put(it, planned.items, new_value(planned, places(it, planned.items)))
                name = value[planned.path].path
                value = replace(value, edited={**value.edited, name: new})
    return value


# --- calls in comprehensions and folds ---------------------------------------------------------


def under(e: Expr, at: Frame, plan: Plan) -> tuple[Value, Mapping[str, Any]]:
    """A value and the sites below it, after the edits of these."""
    match e:
        case Call() | Do():
            return call(e, at, plan)
        case Comprehension(body=body, binder=binder, source=source):
            entries = [*evaluate(source, at)]
            found = [
                under(body, at.bind(binder.text, x), edits_at(i, e, at, plan))
                for i, x in enumerate(entries)
            ]
            return tuple(value for value, _ in found), together([parts for _, parts in found])
        case Fold():
            return under_fold(e, at, plan)
        case _:
            return evaluate(e, at), {}


def under_fold(e: Fold, at: Frame, plan: Plan) -> tuple[Value, Mapping[str, Any]]:
    """The last state, and below it the states and the sites of all steps."""
    state, steps, name = evaluate(e.initial, at), list[Mapping[str, Any]](), e.state.text
    for i, x in enumerate(evaluate(e.source, at)):
        edits = edits_at(i, e, at, plan)
        inner = [[planned for planned in do if planned.path != (name,)] for do in edits]
        state, parts = under(e.body, at.bind(e.binder.text, x).bind(name, state), inner)
        state = replaced(state, edits_of(edits, (name,)))
        steps.append({**parts, name: (state, {})})
    return state, together(steps)


def together(parts: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """The sites of several calls, each with an axis more; records have none."""
    found: dict[str, Any] = {}
    for name, (first, _) in parts[0].items():
        values = tuple(each[name][0] for each in parts)
        inner = together([each[name][1] for each in parts])
        found[name] = (first if isinstance(first, Below) else values, inner)
    return found


def edits_at(i: int, e: Comprehension | Fold, at: Frame, plan: Plan) -> Plan:
    """The edits that are made in one entry."""
    return [
        [x for planned in do for x in edit_at(i, planned, (e, at), k, plan)]
        for k, do in enumerate(plan)
    ]


def edit_at(
    i: int, planned: Planned, where: tuple[Comprehension | Fold, Frame], k: int, plan: Plan
) -> list[Planned]:
    """What an edit of the k-th `do` is in one entry, if it is made there."""
    e, at = where
    count = len(evaluate(e.source, at))
    first, rest = planned.items[:1], planned.items[1:]
    if first and not isinstance(first[0], slice):
        return [replace(planned, items=rest)] if i == first[0] % count else []
    chosen = [*range(count)][first[0]] if first else [*range(count)]
    if i not in chosen:
        return []
    it: Value = None
    if not planned.known and reads_it(planned.edit.value):
        assert isinstance(e, Comprehension), "an edit of several steps does not read them"
        others = [
            [p for p in do if p is not planned and not (j > k and p.path == planned.path)]
            for j, do in enumerate(plan)
        ]
        site: Value = under(e, at, others)
        for name in planned.path:
            site = site[1][name]
        it = places(site[0], planned.items)
    new = new_value(planned, it)
    part = new[chosen.index(i)] if depth(new) else new
    return [replace(planned, items=rest, known=(part,))]


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


def computed_sides(dims: Sequence[DimExpr], value: Value) -> list[tuple[DimExpr, int]]:
    """How long each axis of a parameter is whose dimension is arithmetic."""
    found: list[tuple[DimExpr, int]] = []
    for dim in dims:
        if isinstance(dim, DimBinary):
            found.append((dim, len(value)))
        value = value[0]
    return found


def tried(
    name: str, shapes: Sequence[tuple[DimExpr, int]], dims: Mapping[str, int], scope: Scope
) -> int:
    """The one size under which the arithmetic comes out, by trying all that are small."""
    if name in dims:
        return dims[name]
    fitting = [
        n
        for n in range(1, 30)
        if all(measured(d, {**dims, name: n}, scope) == s for d, s in shapes)
    ]
    (only,) = fitting
    return only


def measured(dim: DimExpr, dims: Mapping[str, int], scope: Scope) -> int:
    """The value of a dimension."""
    match dim:
        case DimNumber(value=value):
            return value
        case DimName(name=name):
            return side(name, dims, scope)
        case DimBinary(op=op, left=left, right=right):
            a, b = measured(left, dims, scope), measured(right, dims, scope)
            return {"+": a + b, "-": a - b, "*": a * b}[op]
        case _:
            raise NotImplementedError(dim)


def sides_of_record(t: TypeExpr, given: Below, at: Frame) -> dict[str, int]:
    """How long the axes are that a record's type names, by the tensors that are given for it."""
    decl = at.scope.items[t.name.text]
    assert isinstance(decl, RecordDecl)
    own: dict[str, int] = {}
    for entry in decl.fields:
        value = tensor(given[[part.text for part in entry.path]], at)
        below = isinstance(value, Below)
        own |= (
            sides_of_record(entry.type, value, at) if below else named_sides(entry.type.dims, value)
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
    shape = [measured(dim, dims, scope) for dim in written]
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

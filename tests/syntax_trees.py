"""Random syntax trees: everything that a text could say, whether or not it means anything."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, TypeVar, cast, get_args

from hypothesis import strategies as st

from circ.lang.span import Source, Span
from circ.lang.syntax import (
    Arm,
    Attr,
    Binary,
    BinaryOp,
    Binder,
    Call,
    Case,
    Cases,
    Cast,
    CheckpointDecl,
    ChoicePattern,
    CircuitDecl,
    ClaimDecl,
    Clamp,
    ClampUnits,
    Compare,
    CompareOp,
    Component,
    Comprehension,
    Coords,
    Count,
    DataSet,
    DimBinary,
    DimExpr,
    DimLengths,
    DimName,
    DimNumber,
    Do,
    DomainDecl,
    DomainExpr,
    Edit,
    EditClause,
    Entry,
    EnumDecl,
    Expr,
    Fold,
    Formula,
    FreshDomain,
    Given,
    Graft,
    Head,
    Index,
    Install,
    Item,
    Joint,
    Let,
    LetterPattern,
    ListExpr,
    Match,
    Matches,
    Member,
    MemberPattern,
    Module,
    Name,
    NetworkDecl,
    Number,
    NumberPattern,
    OrPattern,
    ParamDecl,
    Parameter,
    PatchDecl,
    Pattern,
    ProductDomain,
    Project,
    Projection,
    Quoted,
    RecordDecl,
    Ref,
    RepeatPattern,
    SequencePattern,
    Slice,
    SpaceDecl,
    Spanned,
    SubDomain,
    SubProduct,
    SubspaceDecl,
    TensorPath,
    TupleExpr,
    TuplePattern,
    TypeDomain,
    TypeExpr,
    Unary,
    UnaryOp,
    Use,
    Vectors,
    Wildcard,
    WordPattern,
)

HERE = Span(Source("nowhere", ""), 0, 0)

UNARY_OPS = cast("tuple[UnaryOp, ...]", get_args(UnaryOp))
BINARY_OPS = cast("tuple[BinaryOp, ...]", get_args(BinaryOp))
COMPARE_OPS = cast("tuple[CompareOp, ...]", get_args(CompareOp))

Part = TypeVar("Part")
Strategy = st.SearchStrategy


def several(parts: Strategy[Part], least: int = 0, most: int = 3) -> Strategy[tuple[Part, ...]]:
    """A few of `parts`."""
    return st.lists(parts, min_size=least, max_size=most).map(lambda found: tuple(found))


def named(texts: Strategy[str]) -> Strategy[Name]:
    """Names with these texts."""
    return texts.map(lambda text: Name(text, HERE))


# --- words -------------------------------------------------------------------------------------

BARE = st.sampled_from(["x", "y2", "f", "_a", "letx", "edit", "from", "of", "proved", "Camel"])
"""Plain names, words of clauses among them."""

STRANGE = st.sampled_from(["and", "match", "_", "two words", "", '"', "\\", "\n\t", "é😀", "0x"])
TEXTS = BARE | STRANGE | st.text(st.characters(exclude_categories=["Cs"]), max_size=4)
PARTS = TEXTS | st.sampled_from(["0", "12", "007"])

names = named(BARE)
members = named(TEXTS)
parts = named(PARTS)
paths = st.tuples(names, several(parts)).map(lambda path: (path[0], *path[1]))
sites = st.tuples(members, several(parts)).map(lambda path: (path[0], *path[1]))
digits = st.integers(0, 10**6) | st.integers(0, 10**40)
places = st.integers(-60, 60)
numbers = st.tuples(digits, places).map(lambda pair: Fraction(pair[0]) * Fraction(10) ** pair[1])
sizes = st.integers(0, 10**6)
docs = st.lists(st.sampled_from(["", "A rule.", "  indented", "# marked", "## twice"])).map(
    lambda lines: "\n".join(lines).strip("\n")
)


# --- types and patterns ------------------------------------------------------------------------

plain_dims: Strategy[DimExpr] = st.builds(DimNumber, st.just(HERE), sizes) | st.builds(
    DimName, st.just(HERE), BARE
)
computed_dims: Strategy[DimExpr] = st.recursive(
    plain_dims,
    lambda inner: st.builds(
        DimBinary, st.just(HERE), st.sampled_from(["+", "-", "*"]), inner, inner
    ),
    max_leaves=4,
)
dims: Strategy[DimExpr] = computed_dims | st.builds(
    DimLengths, st.just(HERE), sizes, sizes | st.none()
)
maps = st.builds(
    TypeExpr,
    st.just(HERE),
    named(st.just("real")),
    several(st.builds(DimName, st.just(HERE), BARE), 2, 2),
    st.just(True),
)
given = st.builds(Given, st.just(HERE), names, computed_dims)
types = st.builds(TypeExpr, st.just(HERE), names, several(dims)) | maps

letters: Strategy[LetterPattern] = (
    st.just(Wildcard(HERE))
    | st.builds(MemberPattern, st.just(HERE), st.none(), TEXTS)
    | st.builds(MemberPattern, st.just(HERE), BARE, PARTS)
    | st.builds(NumberPattern, st.just(HERE), sizes)
)
patterns: Strategy[Pattern] = st.recursive(
    letters,
    lambda inner: (
        st.builds(TuplePattern, st.just(HERE), several(inner, 2))
        | st.builds(OrPattern, st.just(HERE), several(inner, 2))
    ),
    max_leaves=6,
)


def repeated(inner: Strategy[WordPattern]) -> Strategy[WordPattern]:
    """`inner` a number of times, without end or with one."""
    fewest = st.integers(0, 3)
    counts = st.tuples(fewest, st.none() | st.integers(0, 3)).map(
        lambda pair: (pair[0], None if pair[1] is None else pair[0] + pair[1])
    )
    return st.tuples(inner, counts).map(lambda pair: RepeatPattern(HERE, pair[0], *pair[1]))


word_patterns: Strategy[WordPattern] = st.recursive(
    letters | st.just(SequencePattern(HERE, ())),
    lambda inner: (
        st.builds(SequencePattern, st.just(HERE), several(inner, 2))
        | st.builds(ChoicePattern, st.just(HERE), several(inner, 2))
        | repeated(inner)
    ),
    max_leaves=6,
)


# --- expressions -------------------------------------------------------------------------------


def node(kind: Callable[..., Expr], *fields: Strategy[Any]) -> Strategy[Expr]:
    """Nodes of one kind."""
    return st.builds(kind, st.just(HERE), *fields)


def compares(inner: Strategy[Expr]) -> Strategy[Expr]:
    """Chains of two or three operands."""
    ops = st.sampled_from(COMPARE_OPS)
    bound = st.none() | inner
    two = node(Compare, several(inner, 2, 2), several(ops, 1, 1), bound)
    return two | node(Compare, several(inner, 3, 3), several(ops, 2, 2), bound)


def arms(inner: Strategy[Expr]) -> Strategy[Expr]:
    """`cases`, the last arm perhaps an `else`; and `match`."""
    case = st.builds(Case, st.just(HERE), inner, inner)
    otherwise = st.builds(Case, st.just(HERE), st.none(), inner)
    ended = st.tuples(several(case), otherwise).map(lambda pair: (*pair[0], pair[1]))
    arm = st.builds(Arm, st.just(HERE), patterns, inner)
    return node(Cases, several(case, 1) | ended) | node(Match, inner, several(arm, 1))


def grown(inner: Strategy[Expr]) -> Strategy[Expr]:
    """Expressions one level above `inner`."""
    slices = st.builds(Slice, st.just(HERE), st.none() | inner, st.none() | inner)
    indices = inner | slices
    edits = st.builds(Edit, st.just(HERE), sites, several(indices, 0, 2), inner)
    return st.one_of(
        node(Attr, inner, parts),
        node(Index, inner, several(indices, 1)),
        node(Call, names, several(inner), several(given)),
        node(Do, inner, several(edits, 1)),
        node(Unary, st.sampled_from(UNARY_OPS), inner),
        node(Binary, st.sampled_from(BINARY_OPS), inner, inner),
        compares(inner),
        node(Member, inner, several(inner, 1)),
        node(Matches, inner, word_patterns),
        node(Cast, inner, types),
        node(Projection, inner, st.sampled_from(["on", "off"]), names),
        node(Coords, named(st.just("coords")), inner, names),
        node(TupleExpr, several(inner, 2)),
        node(ListExpr, several(inner, 1)),
        node(Comprehension, inner, names, inner),
        node(Count, names, inner | types, st.none() | inner),
        node(Fold, names, inner, names, inner, inner),
        arms(inner),
    )


expressions: Strategy[Expr] = st.recursive(
    node(Number, numbers) | node(Ref, BARE) | node(Quoted, TEXTS), grown, max_leaves=12
)
small = st.recursive(
    node(Number, numbers) | node(Ref, BARE) | node(Quoted, TEXTS), grown, max_leaves=4
)


# --- items -------------------------------------------------------------------------------------

parameters = st.builds(Parameter, st.just(HERE), names, types)
bases = st.builds(SubDomain, st.just(HERE), st.none(), names, st.none())
variables = st.builds(
    Binder, st.just(HERE), names, bases | st.builds(TypeDomain, st.just(HERE), types)
)
domains: Strategy[DomainExpr] = (
    st.builds(FreshDomain, st.just(HERE), parameters, st.none() | small)
    | st.builds(SubDomain, st.just(HERE), names, names, st.none() | small)
    | st.builds(SubDomain, st.just(HERE), st.none(), names, st.none())
    | st.builds(TypeDomain, st.just(HERE), types.filter(lambda t: t.dims and not t.is_map))
    | st.builds(ProductDomain, st.just(HERE), several(variables, 2), st.none() | small)
    | st.builds(
        SubProduct,
        st.just(HERE),
        st.builds(Joint, st.just(HERE), several(names, 1), bases),
        st.none() | small,
    )
)
data_sets = st.builds(DataSet, st.just(HERE), types, members, st.none() | members)
quantifiers = st.sampled_from(["forall", "exists"])


def bound(joint: Joint) -> list[Binder]:
    """A binder for each name of `(s, x) in P`."""
    places = enumerate(joint.names)
    return [Binder(HERE, name, Component(HERE, joint, place)) for place, name in places]


joints = st.builds(Joint, st.just(HERE), several(names, 1), domains).map(bound)
plain = st.builds(Binder, st.just(HERE), names, domains).map(lambda binder: [binder])
binders = several(plain | joints, 1).map(lambda groups: tuple(b for each in groups for b in each))
quantified = st.builds(Formula, st.just(HERE), quantifiers, binders, st.none() | small, small)
formulas = quantified | st.builds(
    Formula, st.just(HERE), st.just("forall"), st.just(()), st.none(), small
)

lets = st.builds(Let, st.just(HERE), names, st.none() | types, small)
entry_paths = several(named(PARTS | st.just("*")), 1)
entries = st.builds(Entry, st.just(HERE), entry_paths, types)
axis_items = small | st.builds(Slice, st.just(HERE), st.none() | small, st.none() | small)
ranks = st.none() | st.integers(0, 12)
tensor_paths = st.builds(TensorPath, st.just(HERE), paths, several(axis_items), ranks)
edit_clauses = st.builds(EditClause, st.just(HERE), several(tensor_paths, 1))
vector_sets = several(
    st.builds(
        Vectors, st.just(HERE), paths, several(axis_items | st.builds(Wildcard, st.just(HERE)))
    ),
    1,
)
subspaces = names | st.builds(Spanned, st.just(HERE), small)
single = st.builds(Binder, st.just(HERE), names, domains).map(lambda binder: (binder,))
rules = st.builds(Formula, st.just(HERE), st.just("forall"), single, st.none(), small)
guarded = st.builds(Formula, st.just(HERE), st.just("forall"), single, small, small)
forms = (
    st.builds(Project, st.just(HERE), vector_sets, subspaces)
    | st.builds(Clamp, st.just(HERE), vector_sets, small, small, small)
    | st.builds(ClampUnits, st.just(HERE), paths, rules, small, small)
    | st.builds(Graft, st.just(HERE), paths, guarded, small)
    | st.builds(Install, st.just(HERE), paths, rules, st.none() | small)
)
changes = st.tuples(several(forms), several(edit_clauses, 0, 1)).map(lambda both: both[0] + both[1])


def declared(kind: Callable[..., Item], *fields: Strategy[Any]) -> Strategy[Item]:
    """Items of one kind, with documentation and a name."""
    return st.builds(kind, st.just(HERE), docs, names, *fields)


items: Strategy[Item] = st.one_of(
    declared(SpaceDecl, types),
    declared(SubspaceDecl, names, expressions),
    declared(
        CircuitDecl,
        several(names),
        several(parameters),
        st.just(TypeExpr(HERE, Name("bool", HERE), ())),
        st.just(()),
        small,
        st.just(True),
    ),
    declared(RecordDecl, several(names), several(entries, 1)),
    declared(EnumDecl, several(members, 1, 30), st.none()),
    declared(EnumDecl, st.just(()), members),
    declared(CheckpointDecl, members, several(entries)),
    declared(NetworkDecl, several(parameters), types, st.none() | members),
    declared(ParamDecl, st.none() | types, expressions),
    declared(CircuitDecl, several(names), several(parameters), types, several(lets), small),
    declared(DomainDecl, domains | data_sets),
    declared(
        ClaimDecl,
        several(names),
        st.none() | names,
        st.sampled_from(["proved", "refuted"]),
        st.none(),
        formulas,
    ),
    declared(
        ClaimDecl,
        several(names),
        st.none() | names,
        st.sampled_from(["proved", "refuted"]),
        st.builds(Head, st.just(HERE), quantifiers, binders, st.none() | small),
        quantified,
    ),
    declared(
        PatchDecl,
        names,
        changes.filter(bool),
        several(formulas),
        several(formulas),
        st.none() | names,
    ),
)

module_paths = st.builds(".".join, st.tuples(BARE) | st.tuples(BARE, BARE))
uses = st.builds(Use, st.just(HERE), members, st.just(True), several(names, 1, 12)) | st.builds(
    Use, st.just(HERE), named(module_paths), st.just(False), several(names, 1)
)

modules = st.builds(Module, st.just(HERE), docs, several(uses, 0, 2), several(items, 0, 4))

"""What an expression is lowered in: the ops so far, and what each name stands for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from fractions import Fraction
from math import prod
from typing import Literal, assert_never

from circ.compiler.builder import Builder
from circ.compiler.inverse import Inverse
from circ.compiler.ir import Shape, Wire
from circ.compiler.obligation import Site
from circ.compiler.tensor import Weights
from circ.lang.check.annotations import MOST_ENTRIES as LONGEST_AXIS
from circ.lang.check.annotations import as_space, dimensions
from circ.lang.check.items import TypedModule
from circ.lang.diagnostic import CircError
from circ.lang.errors.dimensions import unfit_size
from circ.lang.errors.types import too_large_a_circuit
from circ.lang.scope import Scope
from circ.lang.scope import Value as Declaration
from circ.lang.span import Span
from circ.lang.syntax import (
    Binder,
    CircuitDecl,
    DimBinary,
    DimExpr,
    DimLengths,
    DimName,
    DimNumber,
    EnumDecl,
    Expr,
    SpaceDecl,
    TypeExpr,
)
from circ.lang.types import Binding, Dim

MOST_OPS = 50_000
MOST_ENTRIES = 1 << 22
"""Of one wire other than a checkpoint's tensor: where they come from is kept entry by entry."""

DEEPEST = 500
"""Expressions inside one another, through calls."""

STACK = 12 * DEEPEST + 1000
"""Python's own bound while expressions are lowered: it takes up to eleven Python calls for one."""


@dataclass(frozen=True, slots=True)
class Tuple:
    """Several values, for `match` to take apart."""

    items: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Tensors:
    """The tensors of a checkpoint below a prefix; `edited` has what stands for some, by their whole names.

    `old`: those of the unpatched checkpoint, whoever reads them.
    """

    checkpoint: str
    prefix: tuple[str, ...]
    edited: tuple[tuple[str, Wire], ...] = ()
    old: bool = False

    def below(self, *path: str) -> Tensors:
        """Those further below."""
        return replace(self, prefix=(*self.prefix, *path))

    def edit(self, path: tuple[str, ...], wire: Wire) -> Tensors:
        """The same with a wire in the place of the tensor at a path below."""
        name = ".".join((*self.prefix, *path))
        others = tuple(pair for pair in self.edited if pair[0] != name)
        return replace(self, edited=(*others, (name, wire)))


Value = Wire | Tuple | Tensors
"""A wire is an int at run time; the other two are records."""


@dataclass(frozen=True, slots=True)
class Run:
    """One unfolded call: its result, and its sites.

    Of a comprehension or a fold, `each` has what is unfolded of each entry; of a record, `env` is where its fields
    are read.
    """

    result: Value
    sites: Mapping[str, Run]
    each: tuple[Run, ...] = ()
    env: Environment | None = None


@dataclass(frozen=True, slots=True)
class Spanning:
    """The vectors of a subspace, each times its scale, and the inverse of their inner products."""

    vectors: Wire
    scales: tuple[Fraction, ...]
    inverse: Inverse


Condition = tuple[Wire, Wire, Wire]
"""A variable, the condition of its domain, and what is asked of it."""


@dataclass(frozen=True, slots=True)
class Counting:
    """A count over a domain, by what it asks at each length of its word; `value` stands for it."""

    binder: Binder
    asked: tuple[Condition, ...]
    value: Wire
    span: Span


CallKey = tuple[
    CircuitDecl,
    tuple[Wire | Tensors, ...],
    bool,
    frozenset[tuple[str, Wire]],
    frozenset[tuple[str, Dim]],
]
"""All that a call depends on: a circuit, its arguments, which checkpoint's tensors it reads, and what
its dimensions stand for."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """What a circuit in the making tells besides its ops, as in `Lowering`."""

    arms: dict[Span, list[Wire]]
    runs: dict[CallKey, Run]
    sites: dict[Wire, Site]


@dataclass(slots=True)
class Lowering:
    """One circuit in the making.

    `length` is that of a word that may have several. `alike`: what is done along the `word`, which may
    have any length, is to be done to each letter in the same way. `arms` gathers, for each `cases` arm, when it is reached; `runs` has the calls that are unfolded already; `counts` the counts over domains, by what
    they ask, `spanning` what is known of the vectors of subspaces, `sites` the first site that each wire is the
    value of; `depth` is the number of expressions that are being lowered.
    """

    typed: TypedModule
    params: Mapping[str, Fraction]
    weights: Weights
    lower: Callable[[Expr, Environment], Value]
    b: Builder = field(default_factory=Builder)
    arms: dict[Span, list[Wire]] = field(default_factory=dict[Span, list[Wire]])
    runs: dict[CallKey, Run] = field(default_factory=dict["CallKey", Run])
    counts: dict[tuple[Condition, ...], Counting] = field(
        default_factory=dict[tuple[Condition, ...], Counting]
    )
    spanning: dict[Wire, Spanning] = field(default_factory=dict[Wire, "Spanning"])
    sites: dict[Wire, Site] = field(default_factory=dict[Wire, Site])
    depth: int = 0
    length: int | None = None
    alike: bool = False
    word: Wire | None = None

    def typed_with(self, *, old: bool) -> TypedModule:
        """What is known of the spec with the tensors that it is lowered for, or with the unpatched ones.

        These are one and the same where a patch changes no shape.
        """
        before = self.typed.before
        return before if old and before is not None else self.typed

    def outside(self) -> Environment:
        """The names of the spec itself, and no others."""
        return Environment(self, self.typed.scope)

    def scope_of(self, decl: Declaration) -> Scope:
        """The names of the module that declares `decl`."""
        return self.typed.facts.scopes[decl.name.span.source]

    def forget_calls(self) -> None:
        """Start anew what is learnt of `cases` arms, with calls that tell of theirs again."""
        self.arms.clear()
        self.runs.clear()

    def learnt(self) -> Learnt:
        """What is learnt on the way, to go back to."""
        arms = {span: list(reached) for span, reached in self.arms.items()}
        return Learnt(arms, dict(self.runs), dict(self.sites))

    def unlearn(self, before: Learnt) -> None:
        """Go back to what was learnt before: what came since is to be gone through again."""
        self.arms, self.runs, self.sites = before.arms, before.runs, before.sites

    def note_site(self, value: Value, name: str, span: Span) -> None:
        """Keep what a wire is the value of, unless it has a name already."""
        if not isinstance(value, Tuple | Tensors):
            self.sites.setdefault(value, Site(name, span))

    @contextmanager
    def inside(self, span: Span) -> Generator[None]:
        """One expression inside the others; raises `CircError` for one too deep, or too large a circuit."""
        self.depth += 1
        self.require_room(span, 0)
        yield
        self.depth -= 1

    def require_room(self, span: Span, entries: int) -> None:
        """Raise `CircError` for a wire, or a circuit, that is too large to be worked with."""
        if entries > MOST_ENTRIES:
            raise CircError(too_large_a_circuit(span, f"a tensor of {MOST_ENTRIES:,} entries"))
        if len(self.b.ops) > MOST_OPS:
            raise CircError(too_large_a_circuit(span, f"{MOST_OPS:,} operations"))
        if self.depth > DEEPEST:
            raise CircError(too_large_a_circuit(span, f"{DEEPEST} expressions inside one another"))


@dataclass(frozen=True, slots=True)
class Environment:
    """Names in reach: those of a module, and `locals`.

    `dims` says how long a circuit's dimensions are, and `binding` what they stand for. `old`: whether tensors are those of the unpatched checkpoint; `tensors` has what stands for a
    checkpoint's tensors (`m/W`) where a `do` replaces them.
    """

    low: Lowering
    scope: Scope
    locals: Mapping[str, Value] = field(default_factory=dict[str, Value])
    dims: Mapping[str, int] = field(default_factory=dict[str, int])
    binding: Binding = field(default_factory=dict[str, "Dim"])
    old: bool = False
    tensors: Mapping[str, Wire] = field(default_factory=dict[str, Wire])

    @property
    def b(self) -> Builder:
        return self.low.b

    @property
    def typed(self) -> TypedModule:
        """What is known of the spec, of the checkpoint's version that is read here."""
        return self.low.typed_with(old=self.old)

    def lower(self, e: Expr) -> Value:
        """The value of `e`; raises `CircError` where the circuit grows too large."""
        if self.low.depth == 0:
            with deep_stack():
                return self.lower_inside(e)
        return self.lower_inside(e)

    def lower_inside(self, e: Expr) -> Value:
        """The value of `e`, which may be a part of another expression."""
        with self.low.inside(e.span):
            return self.low.lower(e, self)

    def wire(self, e: Expr) -> Wire:
        """The wire of an expression whose type is a tensor."""
        return as_wire(self.lower(e))

    def bind(self, name: str, value: Value) -> Environment:
        """This environment with one more local."""
        return replace(self, locals={**self.locals, name: value})

    def shape(self, t: TypeExpr) -> Shape:
        """The shape that an annotation means here."""
        shape = tuple(map(self.side, dimensions(t, self.scope)))
        self.low.require_room(t.span, prod(shape))
        return shape

    def side(self, dim: DimExpr) -> int:
        """How many entries a dimension has here; raises `CircError` where it can be none."""
        found = self.measure(dim)
        if isinstance(dim, DimBinary) and not 1 <= found <= LONGEST_AXIS:
            raise CircError(unfit_size(dim.span, dim.span.text, found))
        return found

    def measure(self, dim: DimExpr) -> int:
        """The value of a dimension, or of a part of one."""
        match dim:
            case DimNumber(value=value):
                return value
            case DimName(name=name):
                return self.dims[name] if name in self.dims else self.declared_side(name)
            case DimBinary(op=op, left=left, right=right):
                return calculated(op, self.measure(left), self.measure(right))
            case DimLengths():
                raise AssertionError("a signature has no range of lengths")
            case _:
                assert_never(dim)

    def declared_side(self, name: str) -> int:
        """How many entries an enum or a space has."""
        match self.scope.values[name]:
            case EnumDecl(members=members):
                return len(members)
            case item:
                space = as_space(item) if isinstance(item, SpaceDecl) else None
                assert space is not None
                return space.entries


def calculated(op: Literal["+", "-", "*"], a: int, b: int) -> int:
    """a + b, a - b or a * b."""
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b


@contextmanager
def deep_stack() -> Generator[None]:
    """Let Python recurse as deep as the deepest expression needs."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, STACK))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def as_wire(value: Value) -> Wire:
    """The wire that the type checker has shown a value to be."""
    assert not isinstance(value, Tuple | Tensors), value
    return value

"""What the type checker knows while it looks at one expression."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from circ.lang.diagnostic import Diagnostic, Diagnostics
from circ.lang.errors.names import word_of_the_language
from circ.lang.errors.types import mismatch, wrong_kind
from circ.lang.headers import Header, Json, Signature
from circ.lang.layers import HiddenLayer
from circ.lang.scope import Scope, Value, report_hidden
from circ.lang.span import Source
from circ.lang.syntax import (
    CircuitDecl,
    DataSet,
    DomainExpr,
    DomainValue,
    EnumDecl,
    Expr,
    Form,
    Let,
    Name,
    NetworkDecl,
    Parameter,
    RecordDecl,
    Vectors,
)
from circ.lang.types import BOOL, INVALID, Binding, Dim, EnumElement, Record, Type, fits


@dataclass(frozen=True, slots=True)
class WordRows:
    """The rows of a data set of words: of each, the codes of its entries, row-major."""

    codes: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class TensorRows:
    """The rows of a data set of reals: how many a tensor of its file has."""

    count: int
    tensor: str


Rows = WordRows | TensorRows


def count_rows(rows: Rows) -> int:
    """How many rows a data set has."""
    return rows.count if isinstance(rows, TensorRows) else len(rows.codes)


@dataclass(slots=True)
class Facts:
    """What the checker has learnt of a module and those it uses. Checkpoints are known by key."""

    scope: Scope
    diagnostics: Diagnostics
    infer: Callable[[Expr, Context], Type]
    order: tuple[Value, ...]
    """The module's own declarations that values are made of, each after those it uses."""
    scopes: dict[Source, Scope] = field(default_factory=dict[Source, Scope])
    headers: dict[str, Header] = field(default_factory=dict[str, Header])
    tied: dict[str, Mapping[str, str]] = field(default_factory=dict[str, Mapping[str, str]])
    """By checkpoint, the names that a loader gives to tensors besides their own."""
    entries: dict[str, Mapping[str, Type]] = field(default_factory=dict[str, Mapping[str, Type]])
    incomplete: bool = False
    """Whether parts of the module could not be read, so that a name may be unknown only here."""
    types: dict[Expr, Type] = field(default_factory=dict["Expr", Type])
    before: Facts | None = None
    """What is learnt of the same syntax trees with the unpatched tensors, where a patch gives these other shapes."""
    parameters: dict[Parameter, Type] = field(default_factory=dict[Parameter, Type])
    networks: dict[NetworkDecl, Signature] = field(default_factory=dict[NetworkDecl, Signature])
    records: dict[RecordDecl, Record] = field(default_factory=dict[RecordDecl, Record])
    results: dict[CircuitDecl | NetworkDecl, Type] = field(
        default_factory=dict["CircuitDecl | NetworkDecl", Type]
    )
    domains: dict[DomainValue, Type] = field(default_factory=dict["DomainValue", Type])
    lists: dict[DataSet, Json] = field(default_factory=dict["DataSet", "Json"])
    rows: dict[DataSet, Rows] = field(default_factory=dict["DataSet", "Rows"])
    lets: dict[Let, Type] = field(default_factory=dict[Let, Type])
    bindings: dict[Expr, Binding] = field(default_factory=dict["Expr", Binding])
    counted: dict[Expr, DomainExpr] = field(default_factory=dict["Expr", DomainExpr])
    """The domain that a `count` goes over, where it goes over one."""
    gathered: set[Expr] = field(default_factory=set["Expr"])
    """The comprehensions that are gathered into one value at once: their length stays unknown."""
    layers: dict[Form, HiddenLayer] = field(default_factory=dict["Form", "HiddenLayer"])
    """The layer whose units a patch adds or replaces."""
    axes: dict[Vectors, int] = field(default_factory=dict["Vectors", int])
    """The axis along which a patch takes the vectors of a tensor."""

    def learn(self, other: Facts) -> None:
        """Take over what is known of the declarations of a module that is used."""
        self.scopes |= other.scopes
        self.headers |= other.headers
        self.tied |= other.tied
        self.entries |= other.entries
        self.types |= other.types
        self.parameters |= other.parameters
        self.networks |= other.networks
        self.records |= other.records
        self.results |= other.results
        self.domains |= other.domains
        self.rows |= other.rows
        self.lets |= other.lets
        self.bindings |= other.bindings
        self.counted |= other.counted
        self.axes |= other.axes
        self.layers |= other.layers


@dataclass(frozen=True, slots=True)
class Context:
    """The names in reach, and what else may stand here."""

    facts: Facts
    locals: Mapping[str, Type] = field(default_factory=dict[str, Type])
    dims: Mapping[str, Dim] = field(default_factory=dict[str, Dim])
    old: bool = False
    exact_order: str = ""
    """Where a comparison of tensors would be ambiguous, in words; empty elsewhere."""
    closed: bool = False
    """Whether no variable is in reach, so that a domain may be counted."""

    def infer(self, e: Expr) -> Type:
        """The type of a part that stands on its own: "all entries" is what an order means."""
        return self.infer_under(e, "")

    def infer_under(self, e: Expr, exact_order: str) -> Type:
        """The type of a condition; `exact_order` names what stands above it."""
        same = exact_order == self.exact_order
        return self.facts.infer(e, self if same else replace(self, exact_order=exact_order))

    def expect_truth(self, e: Expr, role: str, exact_order: str = "") -> None:
        """Report `e` unless it is a single truth; `role` says who reads it."""
        found = self.infer_under(e, exact_order)
        if not fits(found, BOOL):
            self.error(wrong_kind(e.span, found, "a truth", role))

    def expect(self, e: Expr, wanted: Type, role: str) -> Type:
        """The type of `e`, reported unless it fits `wanted`; `role` says who wants it."""
        found = self.infer(e)
        if not fits(found, wanted):
            self.error(mismatch(e.span, found, wanted, role))
        return found

    def error(self, diagnostic: Diagnostic) -> Type:
        """Report, and go on with a type that fits everything."""
        self.facts.diagnostics.report(diagnostic)
        return INVALID

    def unknown(self, diagnostic: Diagnostic) -> Type:
        """Report what may be due to declarations that could not be read; not where there are."""
        return INVALID if self.facts.incomplete else self.error(diagnostic)

    def inside(self, decl: Value) -> Context:
        """This context with the names of the module that declares `decl`."""
        scope = self.facts.scopes[decl.name.span.source]
        if scope is self.facts.scope:
            return self
        return replace(self, facts=replace(self.facts, scope=scope))

    def is_local(self, name: str) -> bool:
        """Whether a name is bound here, so that it means nothing that the module declares."""
        return name in self.locals or name in self.dims

    def bind(self, name: Name, t: Type) -> Context:
        """This context with one more local."""
        self.require_free(name)
        return replace(self, locals={**self.locals, name.text: t}, closed=False)

    def require_free(self, name: Name) -> None:
        """Report a local or a dimension that hides an enum member, or is called `it`."""
        report_hidden(name, self.facts.scope.members, self.facts.diagnostics)
        if name.text == "it":
            self.error(word_of_the_language(name, "the word for the value of a replaced wire"))


def enum_element(scope: Scope, name: str) -> EnumElement:
    """The element type of the enum of that name."""
    decl = scope.values[name]
    assert isinstance(decl, EnumDecl)
    return EnumElement(name, tuple(member.text for member in decl.members))

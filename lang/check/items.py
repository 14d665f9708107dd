"""A module: what it declares, what its checkpoints hold, then each item by its own rule."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, assert_never

from circ.lang.check.annotations import as_type, check_space
from circ.lang.check.circuits import check_circuit, check_signature
from circ.lang.check.constants import is_constant
from circ.lang.check.context import Context, Facts
from circ.lang.check.data import check_data, open_data
from circ.lang.check.expressions import infer
from circ.lang.check.formulas import check_formula, check_over, domain_type
from circ.lang.check.functions import FUNCTIONS
from circ.lang.check.guards import check_guard
from circ.lang.check.lemmas import check_lemmas
from circ.lang.check.networks import check_network
from circ.lang.check.order import in_order
from circ.lang.check.outer import outer_context
from circ.lang.check.patches import check_patch
from circ.lang.check.records import check_record
from circ.lang.check.subspaces import check_subspace
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.files import unknown_tensor
from circ.lang.errors.names import word_of_the_language
from circ.lang.errors.types import entry_differs, mismatch, not_constant
from circ.lang.headers import Header, Opened, Openers
from circ.lang.scope import Imports, Scope, Value, key, resolve
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DataSet,
    DomainDecl,
    DomainValue,
    Entry,
    EnumDecl,
    Module,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
)
from circ.lang.types import REAL, Array, Fixed, RealElement, Record, Type, fits

D = TypeVar("D")
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class TypedModule:
    """A module whose names and types are known; `used` has those it needs, each after its own.

    `before` is the same syntax tree with the types that it has before a patch gives tensors other shapes.
    """

    module: Module
    scope: Scope
    facts: Facts
    used: tuple[TypedModule, ...]
    before: TypedModule | None = None

    @property
    def modules(self) -> tuple[TypedModule, ...]:
        """All that the module is made of, itself last."""
        return (*self.used, self)

    @property
    def declared(self) -> Mapping[str, Value]:
        """What this module and those it needs declare, by key."""
        return {key(item): item for each in self.modules for item in each.facts.order}


@dataclass(frozen=True, slots=True)
class Used:
    """What a module has from others: the names it uses, and the modules that these need.

    `lacking`: some names that it asks for could not be found.
    """

    names: Imports
    modules: tuple[TypedModule, ...]
    lacking: bool


def typecheck(
    module: Module,
    used: Used,
    openers: Openers,
    diagnostics: Diagnostics,
    before: TypedModule | None = None,
) -> TypedModule:
    """Check every item; all independent errors are in `diagnostics` afterwards.

    Where `diagnostics` has errors already, items may be missing, and unknown names are no news. `before` is what the
    module was before a patch changed shapes.
    """
    found = Diagnostics()
    scope = resolve(module, used.names, found)
    facts = new_facts(module, scope, used, openers, found)
    facts.incomplete = diagnostics.failed or used.lacking
    facts.before = None if before is None else before.facts
    ctx = Context(facts)
    for value in facts.order:
        if isinstance(value, CircuitDecl):
            check_signature(value, ctx)
    for value in facts.order:
        check_value(value, ctx)
    for item in module.items:
        if isinstance(item, ClaimDecl):
            check_formula(item.formula, outer_context(item, ctx))
            check_over(item, ctx)
        elif isinstance(item, PatchDecl):
            check_patch(item, ctx)
    for claim in scope.claims.values():
        check_lemmas(claim, ctx)
    for diagnostic in sorted(found, key=lambda d: d.span.start if d.span else 0):
        diagnostics.report(diagnostic)
    return TypedModule(module, scope, facts, used.modules, before)


def check_value(item: Value, ctx: Context) -> None:
    """Check a declaration, once all that it uses are checked."""
    match item:
        case EnumDecl() | CheckpointDecl():
            pass
        case SpaceDecl():
            check_space(item, ctx)
        case RecordDecl() | NetworkDecl():
            pass
        case SubspaceDecl():
            check_subspace(item, ctx)
        case ParamDecl():
            check_param(item, ctx)
        case CircuitDecl():
            check_circuit(item, ctx)
            if item.is_guard:
                check_guard(item, ctx)
        case DomainDecl(value=value):
            check_domain(item, value, ctx)
        case _:
            assert_never(item)


def check_domain(item: DomainDecl, value: DomainValue, ctx: Context) -> None:
    """A condition, or the rows of a file."""
    if isinstance(value, DataSet):
        check_data(item, value, ctx)
    else:
        domain_type(value, ctx)


def new_facts(
    module: Module, scope: Scope, used: Used, openers: Openers, diagnostics: Diagnostics
) -> Facts:
    """Facts that know what used modules declare, every checkpoint's header, and the order."""
    source = module.span.source
    own = {n: item for n, item in scope.values.items() if item.name.span.source == source}
    for name, item in own.items():
        meaning = own_meaning(name)
        if meaning:
            diagnostics.report(word_of_the_language(item.name, meaning))
    facts = Facts(scope, diagnostics, infer, in_order(own, diagnostics), {source: scope})
    for other in used.modules:
        facts.learn(other.facts)
    for value in facts.order:
        if isinstance(value, RecordDecl):
            facts.records[value] = check_record(value, Context(facts))
    for item in own.values():
        if isinstance(item, CheckpointDecl):
            opened = opened_by(item, openers.header, diagnostics)
            if opened is not None:
                facts.headers[key(item)] = opened.header
                facts.tied[key(item)] = opened.tied
            facts.entries[key(item)] = declared_entries(item, opened, Context(facts))
        elif isinstance(item, NetworkDecl):
            check_network(item, opened_by(item, openers.network, diagnostics), Context(facts))
        elif isinstance(item, DomainDecl):
            open_data(item, openers, facts, diagnostics)
    return facts


def opened_by(decl: D, open_file: Callable[[D], F], diagnostics: Diagnostics) -> F | None:
    """What stands in a declaration's file; None for one that cannot be read, which is reported."""
    try:
        return open_file(decl)
    except CircError as error:
        for diagnostic in error.diagnostics:
            diagnostics.report(diagnostic)
        return None


def own_meaning(name: str) -> str:
    """What a name means in the language itself, in words; empty if it is free."""
    if name in FUNCTIONS:
        return "a function of the language"
    if name == "it":
        return "the word for the value of a replaced wire"
    return "a type of the language" if name in ("real", "bool", "fin") else ""


# --- checkpoints and params -------------------------------------------------------------------


def declared_entries(
    decl: CheckpointDecl, opened: Opened | None, ctx: Context
) -> Mapping[str, Type]:
    """The types that a checkpoint's braces give to tensors, held against the file if it can be read."""
    found: dict[str, Type] = {}
    file = "" if opened is None else opened.file
    header: Header = {} if opened is None else opened.header
    for entry, pattern, declared in entries_of(decl, ctx):
        matches = [name for name in header if path_matches(pattern, name)]
        if not matches and header:
            span = entry.path[0].span.to(entry.path[-1].span)
            ctx.error(unknown_tensor(span, pattern, list(header)))
        for name in matches:
            found[name] = declared
            stored = Array(RealElement(), tuple(map(Fixed, header[name].shape)))
            if not fits(declared, stored):
                error = entry_differs(entry.type.span, name, file, declared, stored)
                found[name] = ctx.error(error)
    return found


def entries_of(decl: CheckpointDecl, ctx: Context) -> Iterator[tuple[Entry, str, Type]]:
    """The paths in a checkpoint's braces with their types; one of a record says the type of each field below it."""
    for entry in decl.entries:
        pattern, declared = ".".join(part.text for part in entry.path), as_type(entry.type, ctx)
        if isinstance(declared, Record):
            yield from ((entry, f"{pattern}.{path}", kind) for path, kind in declared.fields)
        else:
            yield entry, pattern, declared


def path_matches(pattern: str, name: str) -> bool:
    """Whether a path, in which `*` stands for any one part, names this tensor."""
    wanted, parts = pattern.split("."), name.split(".")
    return len(wanted) == len(parts) and all(
        want in ("*", part) for want, part in zip(wanted, parts, strict=True)
    )


def check_param(decl: ParamDecl, ctx: Context) -> None:
    """A param is a real number that is known."""
    wanted = REAL if decl.type is None else as_type(decl.type, ctx)
    if decl.type is not None and not fits(wanted, REAL):
        ctx.error(mismatch(decl.type.span, wanted, REAL, "a param"))
        return
    found = ctx.expect(decl.value, REAL, f"the param `{decl.name.text}`")
    if found == REAL and not is_constant(decl.value, ctx):
        ctx.error(not_constant(decl.value.span, "a param's value"))

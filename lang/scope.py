"""The names of a module: what it uses, its items, and the members of its enums."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import assert_never

from circ.lang.diagnostic import Diagnostics
from circ.lang.errors.names import duplicate, shadows_member
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DomainDecl,
    EnumDecl,
    Item,
    Module,
    Name,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
)

Value = (
    EnumDecl
    | SpaceDecl
    | SubspaceDecl
    | RecordDecl
    | CheckpointDecl
    | NetworkDecl
    | ParamDecl
    | CircuitDecl
    | DomainDecl
)
"""Items that expressions and types may name; claims and patches are named by people alone."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`values` by name; for each member name, the enums that have it.

    `members` are those that stand in a text, which may be named without quotes; `quotable` has those
    besides that a file lists, which hide no other name and are hidden by none.
    """

    values: Mapping[str, Value]
    claims: Mapping[str, ClaimDecl]
    patches: Mapping[str, PatchDecl]
    members: Mapping[str, tuple[EnumDecl, ...]]
    quotable: Mapping[str, tuple[EnumDecl, ...]]


def key(item: Value) -> str:
    """What tells a declaration from all others of a program: `eps`, `rules.circ:eps`."""
    return item.name.span.source.key + item.name.text


def kind(item: Item) -> str:
    """What an item is, in words."""
    match item:
        case EnumDecl():
            return "an enum"
        case SpaceDecl():
            return "a space"
        case SubspaceDecl():
            return "a subspace"
        case RecordDecl():
            return "a record"
        case CheckpointDecl():
            return "a checkpoint"
        case NetworkDecl():
            return "a network"
        case ParamDecl():
            return "a param"
        case CircuitDecl(is_guard=True):
            return "a guard"
        case CircuitDecl():
            return "a circuit"
        case DomainDecl():
            return "a domain"
        case ClaimDecl():
            return "a claim"
        case PatchDecl():
            return "a patch"
        case _:
            assert_never(item)


Imports = Mapping[Name, Value]
"""The declarations of other modules, by the name that a `use` gives them here."""


def resolve(module: Module, imports: Imports, diagnostics: Diagnostics) -> Scope:
    """Gather the names of `module`, reporting what is declared twice or hidden."""
    named = first_declarations(module, imports, diagnostics)
    enums = [item for _, item in named if isinstance(item, EnumDecl)]
    members = enum_members([enum for enum in enums if enum.file is None], diagnostics)
    quotable = enum_members(enums, Diagnostics())
    values: dict[str, Value] = {}
    claims: dict[str, ClaimDecl] = {}
    patches: dict[str, PatchDecl] = {}
    for name, item in named:
        match item:
            case ClaimDecl():
                claims[item.name.text] = item
            case PatchDecl():
                patches[item.name.text] = item
            case (
                EnumDecl()
                | SpaceDecl()
                | SubspaceDecl()
                | RecordDecl()
                | CheckpointDecl()
                | NetworkDecl()
                | ParamDecl()
                | CircuitDecl()
                | DomainDecl()
            ):
                report_hidden(name, members, diagnostics)
                values[name.text] = item
            case _:
                assert_never(item)
    return Scope(values, claims, patches, members, quotable)


def first_declarations(
    module: Module, imports: Imports, diagnostics: Diagnostics
) -> list[tuple[Name, Item]]:
    """The names that stand for the first time, with their items; the others are reported."""
    firsts: dict[str, tuple[Name, Item]] = {}
    for name, item in (*imports.items(), *((item.name, item) for item in module.items)):
        first, _ = firsts.setdefault(name.text, (name, item))
        if first is not name:
            diagnostics.report(duplicate(name, first.span))
    return list(firsts.values())


def enum_members(
    enums: list[EnumDecl], diagnostics: Diagnostics
) -> dict[str, tuple[EnumDecl, ...]]:
    """Which enums have each member name; a member twice in one enum is an error."""
    owners: defaultdict[str, list[EnumDecl]] = defaultdict(list)
    for enum in enums:
        seen: dict[str, Name] = {}
        for member in enum.members:
            first = seen.setdefault(member.text, member)
            if first is not member:
                diagnostics.report(duplicate(member, first.span))
            else:
                owners[member.text].append(enum)
    return {name: tuple(enums) for name, enums in owners.items()}


def report_hidden(
    name: Name, members: Mapping[str, tuple[EnumDecl, ...]], diagnostics: Diagnostics
) -> None:
    """A declaration or binder may not hide a member of an enum."""
    for enum in members.get(name.text, ()):
        member = next(m for m in enum.members if m.text == name.text)
        diagnostics.report(shadows_member(name, member, enum.name.text))

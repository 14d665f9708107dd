"""Enums whose members a file lists, in the order of their indices, as tokenizers keep them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.data import no_vocabulary
from circ.lang.headers import Json, OpenList
from circ.lang.syntax import EnumDecl, Item, Module, Name
from circ.lang.words import quoted

MOST_MEMBERS = 1 << 18
"""Of an enum; the largest vocabularies in use have as many."""


class Malformed(Exception):
    """Why a file does not list what is asked of it, in words."""


def with_listed_enums(module: Module, open_list: OpenList, diagnostics: Diagnostics) -> Module:
    """The module with the members that files list; an enum without any is reported, and left out."""
    items: list[Item] = []
    for item in module.items:
        try:
            items.append(with_members(item, open_list))
        except CircError as error:
            for diagnostic in error.diagnostics:
                diagnostics.report(diagnostic)
    return replace(module, items=tuple(items))


def with_members(item: Item, open_list: OpenList) -> Item:
    """An enum with the members of its file; raises `CircError` (E0415, and as `open_list`)."""
    if not isinstance(item, EnumDecl) or item.file is None:
        return item
    span = item.file.span
    try:
        found = members_of(open_list(item.file))
    except Malformed as error:
        raise CircError(no_vocabulary(span, item.file.text, str(error))) from error
    return replace(item, members=tuple(Name(member, span) for member in found))


def members_of(listed: Json) -> Sequence[str]:
    """The members, by index; raises `Malformed`."""
    match listed:
        case list():
            members = in_order(listed)
        case dict():
            members = by_index(listed)
        case _:
            raise Malformed("it holds neither a list of strings nor an object")
    if not members:
        raise Malformed("it lists no member")
    if len(members) > MOST_MEMBERS:
        raise Malformed(f"it lists {len(members):,} members, more than {MOST_MEMBERS:,}")
    return members


def in_order(listed: list[Json]) -> list[str]:
    """The members of `["a", "b"]`, none of them twice."""
    places: dict[str, int] = {}
    for place, member in enumerate(listed):
        if not isinstance(member, str):
            raise Malformed(f"its entry {place} is no string")
        first = places.setdefault(member, place)
        if first != place:
            raise Malformed(f"{quoted(member)} stands twice, as its entries {first} and {place}")
    return [*places]


def by_index(listed: dict[str, Json]) -> list[str]:
    """The members of `{"a": 0, "b": 1}`: each index from 0 on stands once."""
    found: dict[int, str] = {}
    for member, place in listed.items():
        if type(place) is not int or place < 0:
            raise Malformed(f"the index of {quoted(member)} is no whole number from 0 on")
        first = found.setdefault(place, member)
        if first != member:
            raise Malformed(f"{quoted(first)} and {quoted(member)} share the index {place}")
    gap = next((place for place in range(len(found)) if place not in found), None)
    if gap is not None:
        raise Malformed(f"nothing has the index {gap}, and there are larger ones")
    return [found[place] for place in range(len(found))]

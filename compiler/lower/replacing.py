"""Edits made on wires: what a `do` puts in the place of a wire, of a part of one, or of a tensor.

A wire inside a comprehension or a fold is one of several that an edit names together, along leading axes. The
comprehension or fold is gone through entry by entry, so the edit is made on one of them at a time. Where its
value reads those of other entries (`it`), they are noted on the way, and the entries are gone through again
until all are known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby

from circ.compiler.builder import places, put, reindex, spread, stack, take
from circ.compiler.ir import Wire
from circ.compiler.lower.environment import Environment, Tensors, as_wire
from circ.compiler.lower.indexing import known_places
from circ.compiler.lower.tensors import lower_tensor, names_below, with_group, with_tensor
from circ.lang.diagnostic import CircError
from circ.lang.errors.sites import overlapping_edits
from circ.lang.scope import key
from circ.lang.syntax import CircuitDecl, Do, Edit
from circ.lang.walk import reads_it

Entry = tuple[int, ...]
"""The index of a wire along each comprehension and fold that it stands in, the outermost first."""


@dataclass(slots=True)
class Noted:
    """What edits replace, as far as it is known, and the entries where this is awaited of others."""

    values: dict[tuple[Edit, Entry], Wire] = field(default_factory=dict[tuple[Edit, Entry], Wire])
    awaited: list[Entry] = field(default_factory=list[Entry])


@dataclass(frozen=True, slots=True)
class Replacement:
    """An edit still to be made: the rest of its path, and the environment its value is read in.

    `entry` says of which entries of comprehensions and folds the wire will be, `sides` how many entries these
    have, and `steps` which of them are folds.
    """

    path: tuple[str, ...]
    edit: Edit
    do: Do
    env: Environment
    entry: Entry = ()
    sides: tuple[int, ...] = ()
    steps: tuple[bool, ...] = ()
    noted: Noted = field(default_factory=Noted)


Replacements = tuple[Replacement, ...]


def copied(noted: Noted) -> Noted:
    """The same, to go back to."""
    return Noted(dict(noted.values), list(noted.awaited))


def entered(r: Replacement, index: int, side: int, step: bool) -> Replacement:
    """An edit inside one entry more."""
    entry, sides, steps = (*r.entry, index), (*r.sides, side), (*r.steps, step)
    return replace(r, entry=entry, sides=sides, steps=steps)


# --- wires ------------------------------------------------------------------------------------


def replaced(wire: Wire, replacements: Sequence[Replacement]) -> Wire:
    """`wire` with the edits of each `do` made, one `do` after the other."""
    for _, edits in groupby(replacements, key=lambda r: r.do):
        wire = simultaneously(wire, list(edits))
    return wire


def simultaneously(wire: Wire, replacements: Sequence[Replacement]) -> Wire:
    """`wire` with the edits of one `do`, each of which reads it as it was; overlaps raise."""
    result = wire
    taken: dict[tuple[int, ...], Edit] = {}
    for r in replacements:
        b = r.env.b
        sides = (*r.sides, *b.shape(wire))
        picks = known_places(r.edit.items, sides, r.env)
        full = [*picks, *(range(side) for side in sides[len(picks) :])]
        entries, inside = full[: len(r.entry)], full[len(r.entry) :]
        if r.entry not in places(entries):
            continue
        for coordinate in places(inside):
            if coordinate in taken:
                raise CircError(overlapping_edits(r.edit.span, taken[coordinate].span))
            taken[coordinate] = r.edit
        before = take(b, wire, picks[len(r.entry) :])
        after = new_value(r, entries, before)
        result = after if before == wire else put(b, result, inside, after)
    return result


def new_value(r: Replacement, entries: Sequence[int | range], before: Wire) -> Wire:
    """What an edit of these entries puts in the place of one of them."""
    b, env = r.env.b, r.env
    sides = tuple(len(pick) for pick in entries if isinstance(pick, range))
    if reads_it(r.edit.value):
        it = all_before(r, entries, before)
        if it is None:
            return before
        env = env.bind(
            "it", reindex(b, [it], range(b.types[it].entries), (*sides, *b.shape(before)))
        )
    after = spread(b, env.wire(r.edit.value), (*sides, *b.shape(before)))
    pairs = zip(entries, r.entry, strict=True)
    return take(b, after, [pick.index(at) for pick, at in pairs if isinstance(pick, range)])


def all_before(r: Replacement, entries: Sequence[int | range], before: Wire) -> Wire | None:
    """What all these entries were, one after the other; None where some are not known yet."""
    wanted = [*places(entries)]
    if len(wanted) == 1:
        return before
    pairs = zip(entries, r.steps, strict=True)
    assert not any(step and isinstance(pick, range) for pick, step in pairs), "one step at a time"
    if not any(follows(r.entry, other, r.steps) for other in r.noted.awaited):
        r.noted.values[r.edit, r.entry] = before
    found = [r.noted.values.get((r.edit, entry)) for entry in wanted]
    known = [wire for wire in found if wire is not None]
    if len(known) == len(wanted):
        return stack(r.env.b, known)
    r.noted.awaited.append(r.entry)
    return None


def follows(entry: Entry, other: Entry, steps: Sequence[bool]) -> bool:
    """Whether a wire of one entry may depend on one of another: not where a comprehension parts them."""
    parting = (step for a, b, step in zip(entry, other, steps, strict=False) if a != b)
    return next(parting, True)


# --- tensors ----------------------------------------------------------------------------------


def with_edited_tensors(
    decl: CircuitDecl, env: Environment, replacements: Sequence[Replacement]
) -> Environment:
    """The environment of a circuit in which the tensors that edits name are replaced."""
    own = {site.name.text for site in decl.params} | {site.name.text for site in decl.lets}
    edits = [r for r in replacements if r.path[0] not in own]
    for _, one_do in groupby(edits, key=lambda r: r.do):
        for path, group in groupby(sorted(one_do, key=path_of), key=path_of):
            env = with_edits(Tensors(path[0], path[1:]), list(group), env)
    return env


def path_of(r: Replacement) -> tuple[str, ...]:
    """The tensor or the group that an edit names, under its checkpoint's key."""
    return (key(r.env.scope.values[r.path[0]]), *r.path[1:])


def with_edits(path: Tensors, edits: Sequence[Replacement], env: Environment) -> Environment:
    """The environment in which one tensor, or all of a group, is replaced."""
    before = lower_tensor(path, env)
    if not isinstance(before, Tensors):
        return with_tensor(path, replaced(as_wire(before), edits), env)
    for r in edits:
        other = r.env.lower(r.edit.value)
        assert isinstance(other, Tensors)
        env = with_group(path, other, r.env, env)
    return env


def with_edited_fields(
    value: Tensors, env: Environment, replacements: Sequence[Replacement]
) -> Tensors:
    """A record after edits of its fields, as `env` reads them; other tensors may stand for all of them."""
    for _, one_do in groupby(replacements, key=lambda r: r.do):
        for path, group in groupby(sorted(one_do, key=lambda r: r.path), key=lambda r: r.path):
            value = with_field(value, path[1:], list(group), env)
    return value


def with_field(
    value: Tensors, field: tuple[str, ...], edits: Sequence[Replacement], env: Environment
) -> Tensors:
    """A record in which one field is replaced, or all that stand below a path."""
    before = lower_tensor(value.below(*field), env)
    if not isinstance(before, Tensors):
        return value.edit(field, replaced(as_wire(before), edits))
    for r in edits:
        other = r.env.lower(r.edit.value)
        assert isinstance(other, Tensors)
        value = other if not field else with_fields(value, field, other, r.env)
    return value


def with_fields(
    value: Tensors, field: tuple[str, ...], other: Tensors, where: Environment
) -> Tensors:
    """A record in which what stands below a path is that of `other`, read in `where`."""
    for below in names_below(value.below(*field), where):
        wire = lower_tensor(other.below(*below), where)
        if not isinstance(wire, Tensors):
            value = value.edit((*field, *below), as_wire(wire))
    return value

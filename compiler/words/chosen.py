"""Hard choices taken out of a circuit: an `argmax` over the positions put to one of its indices.

Where an `argmax` goes by scores that read one position each, the words fall into parts, one for each
index and each letter there, on which that index is a largest. There the index is known, and what is
looked up by it is what stands in one row, of which the letter is known too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from circ.compiler.builder import Builder, codes, reindex
from circ.compiler.ir import (
    Argmax,
    Circuit,
    Compare,
    Index,
    Input,
    Lookup,
    Op,
    Real,
    Reindex,
    Wire,
    WireType,
    operands,
    taken_from,
)
from circ.compiler.passes.fold_constants import folded
from circ.compiler.positions import NOWHERE, SEVERAL, Masks, places
from circ.compiler.rewrite import copy_live
from circ.compiler.words.cases import Options
from circ.compiler.words.separable import NotSeparable

LETTER = "the letter at the position chosen"
"""The input that stands for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """An `argmax` over `scores`, whose index is used as more than a truth.

    Score j reads the position `places[j]`, and fixed ones; where it reads none but those, that is
    the last fixed one, or `NOWHERE`. `tables` are the numbers that are looked up behind it.
    """

    wire: Wire
    scores: Wire
    places: tuple[int, ...]
    tables: tuple[Wire, ...]


def first_choice(
    circuit: Circuit, options: Options, word: Wire, fixed: Sequence[int]
) -> Choice | None:
    """The first choice among several positions, the fixed ones aside; raises `NotSeparable` where
    its scores, or the numbers that it chooses from, read several positions each."""
    roots = [wire for wire, _ in options]
    reads = places(circuit, roots, word, fixed)
    leaders = [wire for wire in sorted(reads) if isinstance(circuit.ops[wire], Argmax)]
    unfixed = places(circuit, roots, word, ()) if leaders else reads
    for wire in leaders:
        later = behind(circuit, reads, wire)
        if any(numeric(circuit, x, reads) or lettered(circuit, x, unfixed) for x in later):
            return made(circuit, wire, reads, later, fixed)
    return None


def behind(circuit: Circuit, wires: Mapping[Wire, Masks], start: Wire) -> set[Wire]:
    """Those of some wires that depend on one of them, itself included."""
    found = {start}
    for wire in sorted(wires):
        if not found.isdisjoint(operands(circuit.ops[wire])):
            found.add(wire)
    return found


def numeric(circuit: Circuit, wire: Wire, reads: Mapping[Wire, Masks]) -> bool:
    """Whether a wire behind an index is a number that several positions decide."""
    return circuit.types[wire].sort == Real() and bool((reads[wire] == SEVERAL).any())


def lettered(circuit: Circuit, wire: Wire, reads: Mapping[Wire, Masks]) -> bool:
    """Whether a wire behind an index is a letter, or a truth about one, that is looked up by it."""
    op = circuit.ops[wire]
    return (
        isinstance(op, Lookup)
        and circuit.types[wire].sort != Real()
        and bool((reads[op.table] != NOWHERE).any())
    )


def made(
    circuit: Circuit,
    wire: Wire,
    reads: Mapping[Wire, Masks],
    later: set[Wire],
    fixed: Sequence[int],
) -> Choice:
    """A choice, if it is one that can be taken out."""
    (scores,) = operands(circuit.ops[wire])
    if circuit.types[wire].entries != 1:
        raise NotSeparable("a hard choice is made at several positions")
    read = reads[scores].reshape(-1)
    if (read == SEVERAL).any():
        raise NotSeparable("a hard choice goes by scores that read several positions each")
    users = [(x, circuit.ops[x]) for x in sorted(later)]
    tables = [
        user.table
        for x, user in users
        if isinstance(user, Lookup) and circuit.types[x].sort == Real() and user.table not in later
    ]
    if any((reads[table] == SEVERAL).any() for table in tables):
        raise NotSeparable("a hard choice is among numbers that read several positions each")
    home = np.where(read == NOWHERE, [*fixed, NOWHERE][max(len(fixed) - 1, 0)], read)
    return Choice(wire, scores, tuple(home.tolist()), tuple(dict.fromkeys(tables)))


# --- put to one index -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Chosen:
    """A circuit with a choice put to one index, the options there, and the score of that index.

    Its inputs are the word and `LETTER`, of which the score and what is looked up read their letter.
    """

    circuit: Circuit
    options: Options
    score: Wire


def chosen(
    circuit: Circuit,
    options: Options,
    word: Wire,
    choice: Choice,
    index: int,
    fixed: Sequence[int],
) -> Chosen:
    """The options where a choice takes an index; raises `NotSeparable` where a truth still reads the
    word behind it."""
    b = Builder()
    b.add(circuit.ops[word])
    place = choice.places[index]
    known = [position for position in fixed if position != place]
    roots = [wire for wire, _ in options]
    later = behind(circuit, places(circuit, roots, word), choice.wire)

    def put(wire: Wire, op: Op) -> Wire | None:
        if wire == choice.wire:
            size = circuit.types[choice.scores].shape[-1]
            return codes(b, [index], size, circuit.types[wire].shape)
        found = simpler(b, op)
        if isinstance(op, Lookup) and wire in later and found is not None:
            return standing(b, found, place, known)
        return found

    moved = copy_live(circuit, b, put, [*roots, choice.scores])
    score = reindex(b, [moved[choice.scores]], [index], ())
    score = lettered_cone(b, score, known)
    kept = tuple((moved[wire], wanted) for wire, wanted in options)
    return Chosen(b.circuit({}), kept, score)


def standing(b: Builder, row: Wire, place: int, known: Sequence[int]) -> Wire:
    """What is looked up at a known index: of its letter, where it reads just the place of the score."""
    read = set(places(b.circuit({}), [row], WORD, known)[row].reshape(-1).tolist())
    found = lettered_cone(b, row, known) if read == {place} or read == {place, NOWHERE} else row
    if b.types[row].sort != Real():
        left = places(b.circuit({}), [found], WORD)[found]
        if (left != NOWHERE).any():
            raise NotSeparable("a hard choice looks up a letter where none of its scores reads it")
    return found


WORD = Wire(0)
"""Of the circuits that are made here."""


def lettered_cone(b: Builder, wire: Wire, known: Sequence[int]) -> Wire:
    """A wire of `b` with the word's letters the one that is chosen, but at the positions known."""
    kind = b.types[WORD]
    assert isinstance(kind.sort, Index)
    letter = b.add(Input(LETTER, WireType(kind.sort, ())))
    (length,) = kind.shape
    source = [position if position in known else length for position in range(length)]

    def put(old: Wire, op: Op) -> Wire | None:
        return reindex(b, [WORD, letter], source, (length,)) if old == WORD else simpler(b, op)

    return copy_live(b.circuit({}), b, put, [wire])[wire]


def with_letter(circuit: Circuit, options: Options, letter: int) -> tuple[Circuit, Options]:
    """The options where the letter that is chosen is this one."""
    b = Builder()

    def put(_wire: Wire, op: Op) -> Wire | None:
        match op:
            case Input(name=name, type=WireType(sort=Index(size=size))) if name == LETTER:
                return codes(b, [letter], size, ())
            case _:
                known = direct(b, op)
                return simpler(b, op) if known is None else known

    moved = copy_live(circuit, b, put, [WORD, *(wire for wire, _ in options)])
    return b.circuit({}), tuple((moved[wire], wanted) for wire, wanted in options)


def simpler(b: Builder, op: Op) -> Wire | None:
    """As `folded`, but that what compares numbers stays, so that its margin is known."""
    match op:
        case Argmax():
            return None
        case Compare(left=left) if b.types[left].sort == Real():
            return None
        case _:
            return folded(b, op)


def direct(b: Builder, op: Op) -> Wire | None:
    """A `Reindex` of others as one that reads where its entries come from; None for another op."""
    if not isinstance(op, Reindex):
        return None
    starts: dict[Wire, int] = {}
    found: list[tuple[Wire, int]] = []
    for place in range(len(op.source)):
        wire, at = taken_from(op, place, b.types)
        while isinstance(inner := b.ops[wire], Reindex):
            wire, at = taken_from(inner, at, b.types)
        starts.setdefault(wire, sum(b.types[x].entries for x in starts))
        found.append((wire, at))
    wires = tuple(starts) or op.operands
    straight = Reindex(wires, tuple(starts[wire] + at for wire, at in found), op.shape)
    known = folded(b, straight)
    return reindex(b, wires, straight.source, op.shape) if known is None else known

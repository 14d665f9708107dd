"""Auditing a proof about all words of some length and more.

That the circuit treats all positions alike is the front end's word for it; two lengths of it are read,
which have to be the same as written but for one letter more (`loops.py`, `turns.py`). A class has a
machine with a loop, and potentials of its states that no letter falls below.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO

from circ.compiler.audit.around import LAST, shown_onwards
from circ.compiler.audit.both import (
    Both,
    Readings,
    Side,
    both_of,
    require_alike_goals,
    same_comparisons,
    sides_of,
)
from circ.compiler.audit.columns import Bent, C, Total
from circ.compiler.audit.digest import obligation_digest, require_unchanged, tensor_digests
from circ.compiler.audit.divided import Parts, taken_apart
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fixed import Fixed, FixedPoint, fixed_point
from circ.compiler.audit.loops import SHORT, Loops, includes, loops
from circ.compiler.audit.onward_record import OnwardHeader, onward_class, onward_header
from circ.compiler.audit.paths import TooClose
from circ.compiler.audit.potentials import BITS, Path, path_of
from circ.compiler.audit.record import (
    Data,
    a_list,
    an_object,
    class_text,
    first_of,
    lines,
    only,
    pair_of,
)
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


@dataclass(frozen=True, slots=True)
class AuditedOnwards:
    """A claim that is proved of all words of `start` letters and more, in so many classes.

    `witnessed`: some such word meets the conditions. Whether conditions about the network are met is not
    looked into here, but at the lengths before.
    """

    tool: str
    start: int
    classes: int
    witnessed: bool


@dataclass(frozen=True, slots=True, eq=False)
class Turned:
    """A proof by potentials on the words of a region; the clause at both lengths."""

    near: Path
    far: Path
    region: Region

    def total(self, readings: Readings[C]) -> Total[C]:
        """What is to be positive; raises `Rejected` and `Bent`."""
        near, far = self.near.weighed(readings.near), self.far.weighed(readings.far)
        return readings.total(near, far)


@dataclass(frozen=True, slots=True, eq=False)
class Onwards:
    """A claim about words of `start` letters and more, read at two lengths."""

    sides: tuple[Side, Side]
    language: Loops
    start: int

    @property
    def fixed(self) -> int | None:
        """The step at which letters are gone through, of a region of four."""
        fixed = self.sides[0].fixed
        return None if fixed is None else fixed % (LAST + 1)


Confirm = Callable[[tuple[Known, ...], Sequence[Turned]], list[bool]]
"""Which of some proofs in a class hold, as far as can be told fast."""


def audited_onwards(
    near: Obligation,
    far: Obligation,
    weights: Weights,
    stream: BinaryIO,
    quick: Callable[[Onwards], Confirm] | None = None,
) -> AuditedOnwards:
    """Check a certificate about all words from some length on; raises `Rejected` where it does not hold.

    `near` and `far` are the claim at `SHORT` letters and at one more, in the form that is the same at
    all lengths. What `quick` confirms is not checked again in whole numbers.
    """
    try:
        return checked(near, far, weights, stream, quick)
    except RecursionError as error:
        raise Rejected("the claim, or its proof, is too deep to be audited") from error


def checked(
    near: Obligation,
    far: Obligation,
    weights: Weights,
    stream: BinaryIO,
    quick: Callable[[Onwards], Confirm] | None,
) -> AuditedOnwards:
    """As `audited_onwards`; a claim or a proof that is too deep raises `RecursionError`."""
    records = lines(stream)
    header = onward_header(first_of(records))
    expected(header, near, far, weights)
    audit = onwards(taken_apart(near), taken_apart(far), weights, header.fixed, header.start)
    confirm = quick(audit) if quick else None
    levels = [(math, both_of(audit.sides, math)) for math in map(fixed_point, BITS)]
    kinds = audit.language.from_length(header.start)
    require(len(kinds) == header.classes, "it counts other classes than there are")
    letters = audit.sides[0].parts.word.letters
    missing = {class_text(audit.language.classes[kind]): kind for kind in kinds}
    for data in records:
        values, region, proof = onward_class(data, letters, audit.fixed)
        kind = missing.pop(values, None)
        if kind is None:
            raise Rejected("a class is not among those of the claim, or is there twice")
        includes(audit.language, kind, region.steps)
        check(audit, audit.language.classes[kind], region, proof, levels, confirm)
    require(not missing, "a class is left out")
    witnessed = header.classes > 0 and not audit.sides[0].parts.weighed
    return AuditedOnwards(header.tool, header.start, header.classes, witnessed)


def expected(header: OnwardHeader, near: Obligation, far: Obligation, weights: Weights) -> None:
    """Raise `Rejected` where a certificate is about something else."""
    require(header.claim == near.name == far.name, "it is about another claim")
    digests = obligation_digest(near), obligation_digest(far)
    require(header.obligations == digests, "the claim has changed since")
    tensors = tensor_digests(near, weights)
    require(tensors == tensor_digests(far, weights), "what it reads differs from length to length")
    require_unchanged(header.tensors, tensors)


def onwards(near: Parts, far: Parts, weights: Weights, fixed: int | None, start: int) -> Onwards:
    """A claim ready to be audited from a length on; raises `Rejected` where positions are not alike."""
    require(
        (near.word.length, far.word.length) == (SHORT, SHORT + 1), "it is read at other lengths"
    )
    require(near.word.letters == far.word.letters, "its letters differ from length to length")
    language = loops(near, far, weights)
    sides = sides_of(near, far, weights, fixed)
    require_alike_goals(sides)
    return Onwards(sides, language, start)


# --- one class ------------------------------------------------------------------------------------


Levels = Sequence[tuple[FixedPoint, Both[Fixed]]]
"""The claim in more and more bits."""


def check(
    audit: Onwards,
    values: tuple[Known, ...],
    region: Region,
    proof: Data,
    levels: Levels,
    confirm: Confirm | None,
) -> None:
    """Check the proof of one class."""
    left = list(proofs_of(audit, values, region, proof))
    if confirm is not None:
        sure = confirm(values, left)
        left = [turned for turned, yes in zip(left, sure, strict=True) if not yes]
    for math, both in levels:
        if not left:
            return
        readings = both.readings(values)
        close = [turned for turned in left if too_close(turned, readings, math, audit.start)]
        readings.require_alike()
        left = close
    require(not left, "potentials do not show that a number is positive")


def too_close(turned: Turned, readings: Readings[Fixed], math: FixedPoint, start: int) -> bool:
    """Whether a proof needs more bits, if it holds at all; raises `Rejected` where it is none."""
    try:
        total = turned.total(readings)
        path = turned.near
        shown_onwards(total, math, turned.region, path.potentials, path.strict, start)
    except TooClose:
        return True
    except Bent as bent:
        raise Rejected(str(bent)) from bent
    return False


def proofs_of(
    audit: Onwards, values: tuple[Known, ...], region: Region, data: Data
) -> Iterator[Turned]:
    """The proofs by potentials that make up the proof of a class: of each clause, in each row."""
    (proofs,) = only(data, "clauses")
    near, far = (side.formula(values) for side in audit.sides)
    found = a_list(proofs)
    require(len(near) == len(far), "what is claimed differs from length to length")
    require(len(found) == len(near), "there is a proof for each clause")
    for clause, other, entry in zip(near, far, found, strict=True):
        require(same_comparisons(clause, other), "what is claimed differs from length to length")
        for part, proof in by_rows(region, an_object(entry)):
            path = path_of(clause, proof)
            yield Turned(path, replace(path, clause=other), part)


def by_rows(region: Region, data: Data) -> Iterator[tuple[Region, Data]]:
    """The parts of a proof that takes rows apart; a proof of all rows is the one part."""
    if "rows" not in data:
        yield region, data
        return
    (parts,) = only(data, "rows")
    pairs = [pair_of(part, region.letters) for part in a_list(parts)]
    covered = sorted(row for rows, _ in pairs for row in rows)
    require(covered == sorted(region.rows), "a split leaves words out, or has some twice")
    for rows, proof in pairs:
        yield region.with_rows(rows), proof

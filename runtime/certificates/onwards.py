"""A certificate of a claim about all words of some length and more: potentials of a machine with loops.

They are made on the audit's reading of the claim, in whole numbers that a double holds exactly. The
weights are rounded down to these, so that what the least sums fall to is a potential as it stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ldexp
from time import monotonic
from typing import BinaryIO

import numpy as np

from circ.compiler.audit.around import EACH, LAST, ending, layers, shown_onwards, within
from circ.compiler.audit.both import Both, Readings, both_of
from circ.compiler.audit.clauses import Clause
from circ.compiler.audit.columns import Bent, Total
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.divided import taken_apart
from circ.compiler.audit.entries import Known
from circ.compiler.audit.fixed import Fixed, FixedPoint, fixed_point
from circ.compiler.audit.loops import Loops
from circ.compiler.audit.machine import DEAD, Step
from circ.compiler.audit.onward_record import BY, ENDS
from circ.compiler.audit.onwards import Onwards, onwards
from circ.compiler.audit.paths import TooClose, Way, by_position, ways
from circ.compiler.audit.potentials import BITS, Path
from circ.compiler.audit.record import FORMAT, plain
from circ.compiler.audit.region import Region, whole
from circ.compiler.audit.rejected import Rejected
from circ.compiler.obligation import Obligation
from circ.compiler.readings.arrays import IntArray
from circ.compiler.tensor import Weights
from circ.runtime.certificates.opening import put, tool
from circ.runtime.certificates.paths import path_proof
from circ.runtime.certificates.work import Data, NoCertificate

EXACT = 51
"""Bits of what potentials may come to."""

ROOMS = (1 << 8, 0)
"""By how much less a weight is taken: more than float64 loses of it, or nothing."""

BEYOND = 1 << (EXACT + 1)
"""The potential of a state from which no word goes on."""


def write_onwards(
    near: Obligation, far: Obligation, weights: Weights, start: int, until: float, stream: BinaryIO
) -> None:
    """Write a certificate; raises `NoCertificate` with the reason where there is none.

    `near` and `far` as for `circ.compiler.audit.onwards`; `until` is in seconds of `time.monotonic`.
    """
    try:
        work = fixed_somewhere(near, far, weights, start, until)
        audit, classes = work.audit, work.audit.language.from_length(start)
        ends = {place: name for name, place in ENDS.items()}
        fixed = audit.sides[0].fixed
        header: Data = {
            "format": FORMAT,
            "by": BY,
            "tool": tool(),
            "claim": near.name,
            "obligations": [obligation_digest(near), obligation_digest(far)],
            "tensors": tensor_digests(near, weights),
            "start": start,
            "classes": len(classes),
            "fixed": None if fixed is None else ends[fixed],
        }
        put(stream, header)
        for kind in sorted(classes):
            put(stream, class_record(work, kind))
    except (Rejected, Bent) as reason:
        raise NoCertificate(str(reason)) from reason
    except RecursionError as error:
        raise NoCertificate("the claim is too deep to be audited") from error


@dataclass(frozen=True, slots=True, eq=False)
class WorkOnwards:
    """A claim to be certified, as it will be audited; `until` is in seconds of `time.monotonic`."""

    audit: Onwards
    math: FixedPoint
    both: Both[Fixed]
    until: float

    def require_time(self) -> None:
        """Raise `NoCertificate` when the time is up."""
        if monotonic() > self.until:
            raise NoCertificate("time ran out")


def fixed_somewhere(
    near: Obligation, far: Obligation, weights: Weights, start: int, until: float
) -> WorkOnwards:
    """The claim with the end gone through at which its numbers are sums; raises `Rejected`."""
    reasons: list[Rejected] = []
    short, long = taken_apart(near), taken_apart(far)
    for fixed in (None, -1, 0):
        audit = onwards(short, long, weights, fixed, start)
        math = fixed_point(BITS[0])
        work = WorkOnwards(audit, math, both_of(audit.sides, math), until)
        try:
            readable(work)
        except Rejected as reason:
            reasons.append(reason)
        else:
            return work
    raise reasons[1]  # of the last letter, which most often queries


def readable(work: WorkOnwards) -> None:
    """Raise `Rejected` unless the numbers that classes compare are sums, the same at all places."""
    for kind in work.audit.language.from_length(work.audit.start):
        values = work.audit.language.classes[kind]
        readings = work.both.readings(values)
        for near, far in clauses(work, values):
            for place in range(len(near)):
                number(readings, near, far, place)
        readings.require_alike()


def clauses(work: WorkOnwards, values: tuple[Known, ...]) -> list[tuple[Clause, Clause]]:
    """The clauses of a class at both lengths; raises `Rejected` where they are not as many."""
    near, far = (side.formula(values) for side in work.audit.sides)
    if [*map(len, near)] != [*map(len, far)]:
        raise Rejected("what is claimed differs from length to length")
    return list(zip(near, far, strict=True))


def number(readings: Readings[Fixed], near: Clause, far: Clause, place: int) -> Total[Fixed]:
    """How far one comparison of a clause holds; raises `Rejected` and `Bent`."""
    factors = tuple(map(Fraction, one_of(place, len(near))))
    one = Path(near, factors, ()).weighed(readings.near)
    other = Path(far, factors, ()).weighed(readings.far)
    return readings.total(one, other)


def one_of(place: int, count: int) -> list[int]:
    """Multipliers that take one comparison alone."""
    return [int(k == place) for k in range(count)]


# --- classes --------------------------------------------------------------------------------------


def class_record(work: WorkOnwards, kind: int) -> Data:
    """The record of one class."""
    language = work.audit.language
    steps = class_steps(language, kind)
    states = [1, len(steps[1]), len(steps[EACH]), len(steps[EACH]), 1]
    region = whole(steps, states, work.audit.sides[0].parts.word.letters, work.audit.fixed)
    values = language.classes[kind]
    readings = work.both.readings(values)
    proofs = [clause_proof(work, readings, *pair, region) for pair in clauses(work, values)]
    return {
        "class": list(map(plain, values)),
        "begin": steps[:EACH],
        "step": steps[EACH],
        "ends": steps[LAST],
        "proof": {"clauses": proofs},
    }


def class_steps(language: Loops, kind: int) -> list[Step]:
    """The four steps of the words of a class, states that go on alike being one."""
    names = merged(language, kind)
    loop: dict[int, list[int]] = {}
    ends: dict[int, list[int]] = {}
    for state, name in enumerate(names):
        if name != DEAD:
            loop[name] = [names[after] for after in language.step[state]]
            ends[name] = [0 if found == kind else DEAD for found in language.ends[state]]
    rows: dict[tuple[int, ...], int] = {}
    first: list[int] = []
    for row in language.begin[1]:
        onward = tuple(names[after] for after in row)
        dead = all(name == DEAD for name in onward)
        first.append(DEAD if dead else rows.setdefault(onward, len(rows)))
    begin = [first[after] for after in language.begin[0][0]]
    order = range(len(loop))
    return [[begin], list(map(list, rows)), [loop[k] for k in order], [ends[k] for k in order]]


def merged(language: Loops, kind: int) -> list[int]:
    """A number for each state of the loop, alike for those from which the same words end in a class.

    Source: E. F. Moore, Gedanken-experiments on sequential machines (1956).
    """
    alive = language.leading_to(kind)
    names = [0 if yes else DEAD for yes in alive]
    count = 0
    while True:
        found: dict[object, int] = {}
        keys = [
            (names[state], *(names[after] for after in row), *(end == kind for end in ends))
            for state, (row, ends) in enumerate(zip(language.step, language.ends, strict=True))
        ]
        names = [
            found.setdefault(key, len(found)) if yes else DEAD
            for key, yes in zip(keys, alive, strict=True)
        ]
        if len(found) == count:
            return names
        count = len(found)


# --- clauses --------------------------------------------------------------------------------------


def clause_proof(
    work: WorkOnwards, readings: Readings[Fixed], near: Clause, far: Clause, region: Region
) -> Data:
    """A proof that in each row one comparison holds on all words; raises `NoCertificate`."""
    parts: list[object] = []
    left = list(region.rows)
    for place, beats in enumerate(near):
        total = number(readings, near, far, place)
        found: dict[int, list[float]] = {}
        for row in left:
            work.require_time()
            potentials = row_proof(work, total, region.with_rows([row]), beats.strict)
            if potentials is not None:
                found[row] = potentials
        if found:
            proof = path_proof(one_of(place, len(near)), np.array([*found.values()]), "f8")
            if len(found) == len(region.rows):
                return proof
            parts.append([[*found], proof])
        left = [row for row in left if row not in found]
        if not left:
            return {"rows": parts}
    raise NoCertificate("no one comparison is shown to hold at all lengths by its least sums")


def row_proof(
    work: WorkOnwards, total: Total[Fixed], region: Region, strict: bool
) -> list[float] | None:
    """Potentials for the words of one row, None where there are none that show it.

    With some room, so that float64 confirms them; without, where a loop adds nothing.
    """
    for room in ROOMS:
        found = potentials_of(work, total, region, room)
        if found is None:
            continue
        try:
            shown_onwards(total, work.math, region, found, strict, work.audit.start)
        except TooClose:
            continue
        return found
    return None


def potentials_of(
    work: WorkOnwards, total: Total[Fixed], region: Region, room: int
) -> list[float] | None:
    """Least sums to the end, all weights rounded down and `room` less; None where they go on falling."""
    (row,) = region.rows
    parts = by_position(total)
    steps = [ways(parts, work.math, region, step, row) for step in range(len(region.steps))]
    steps[EACH] = within(steps[EACH], ending(region, row))
    sizes = layers(region, work.audit.start)
    largest = max([0, *(abs(weight) for some in steps for _, weight in some)]).bit_length()
    shift = max(largest + 1 + sum(sizes).bit_length() - EXACT, 0)
    first, second, each, last = (
        [(column, (weight >> shift) - room) for column, weight in some] for some in steps
    )
    loop = fallen(each, back(last, np.zeros(1, np.int64), sizes[-1]))
    if loop is None:
        return None
    found = [loop]
    before = [*[each] * (len(sizes) - EACH - 1), second, first]
    for step, size in zip(before, reversed(sizes[:-1]), strict=True):
        found.append(back(step, found[-1], size))
    whole_numbers = [value for layer in reversed(found) for value in layer.tolist()]
    try:
        return [ldexp(value, shift - 2 * work.math.bits) for value in whole_numbers]
    except OverflowError:
        return None


def fallen(each: Sequence[Way], ahead: IntArray) -> IntArray | None:
    """Least sums after any number of steps, given those after none; None where some loop falls.

    Source: R. Bellman, On a routing problem, Quarterly of Applied Mathematics 16 (1958).
    """
    for _ in range(ahead.size + 1):
        further = np.minimum(ahead, back(each, ahead, ahead.size))
        if (further == ahead).all():
            return ahead
        ahead = further
    return None


def back(step: Sequence[Way], ahead: IntArray, size: int) -> IntArray:
    """The least sums of so many states, given those of the states after a step."""
    found = np.full(size, BEYOND, np.int64)
    behind = np.append(ahead, 2 * BEYOND)  # the last stands for `DEAD`
    for column, weight in step:
        found = np.minimum(found, behind[np.array(column, np.int64)] + weight)
    return found

"""ReLUs of several positions taken out of a proof: by the phase that they have, or by both."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.clauses import Beats
from circ.compiler.audit.columns import Bent, Total
from circ.compiler.audit.fast import potentials_for, weighed
from circ.compiler.audit.floats import Ball, Floats
from circ.compiler.audit.quick import difference
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected
from circ.runtime.certificates.alternatives import halves, tables
from circ.runtime.certificates.paths import path_proof, positive
from circ.runtime.certificates.work import Case, Data, NoCertificate, Work

MOST_DOUBTS = 3
"""ReLUs of which both phases are gone through."""

Unit = tuple[int, int]
Prove = Callable[[Work, Case, Region, int], Data]


@dataclass(frozen=True, slots=True, eq=False)
class Sign:
    """In which rows a ReLU's operand is never negative, and never positive; with potentials."""

    active: npt.NDArray[np.bool_]
    idle: npt.NDArray[np.bool_]
    potentials: Floats

    def kind(self, row: int) -> bool | None:
        """Whether it passes on what it is applied to, if that is known."""
        return True if self.active[row] else False if self.idle[row] else None


def without_relus(work: Work, case: Case, region: Region, depth: int, prove: Prove) -> Data:
    """A proof after the ReLUs that read no other are taken out; raises `NoCertificate`."""
    signs = signs_of(work, case, region)
    if not signs:
        raise NoCertificate("no ReLU can be taken out")
    kinds: dict[tuple[bool | None, ...], list[int]] = {}
    for k in range(len(region.rows)):
        kinds.setdefault(tuple(sign.kind(k) for sign in signs.values()), []).append(k)
    parts: list[object] = []
    for kind, rows in kinds.items():
        inside = region.with_rows([region.rows[k] for k in rows])
        found = dict(zip(signs, kind, strict=True))
        known = [
            [*at, phase, path_proof([1], signs[at].potentials[0 if phase else 1, rows], "f8")]
            for at, phase in found.items()
            if phase is not None
        ]
        phases = {at: phase for at, phase in found.items() if phase is not None}
        doubtful = [at for at, phase in found.items() if phase is None]
        then = decided(work, work.with_phases(case, phases), inside, doubtful, depth, prove)
        proof: Data = {"known": known, "then": then} if known else then
        if len(kinds) == 1:
            return proof
        parts.append([list(inside.rows), proof])
    return {"rows": parts}


def decided(
    work: Work, case: Case, region: Region, doubtful: Sequence[Unit], depth: int, prove: Prove
) -> Data:
    """A proof once the phases that are known are taken out."""
    if not doubtful:
        return prove(work, case, region, depth + 1)
    if case.doubts + len(doubtful) > MOST_DOUBTS:
        return divided_words(work, case, region, doubtful, depth, prove)
    at = doubtful[0]
    part = work.audit.relus[at]
    active = work.with_phases(case, {at: True}, (Beats(work.audit.zero, part, True),))
    idle = work.with_phases(case, {at: False}, (Beats(part, work.audit.zero, True),))
    return {
        "doubt": list(at),
        "active": prove(work, active, region, depth + 1),
        "idle": prove(work, idle, region, depth + 1),
    }


def divided_words(
    work: Work, case: Case, region: Region, doubtful: Sequence[Unit], depth: int, prove: Prove
) -> Data:
    """A proof for the words in two parts, by the letters where it matters most."""
    beats = [Beats(work.audit.relus[at], work.audit.zero, False) for at in doubtful]
    numbers = [difference(case.reading, one) for one in beats]
    found = halves(region, tables(numbers, region)[0].sum(axis=0))
    if found is None:
        raise NoCertificate("a ReLU is too close to zero to tell its phase")
    position, parts = found
    return {
        "position": position,
        "parts": [
            [some, prove(work, case, region.with_letters(position, some), depth + 1)]
            for some in parts
        ],
    }


def signs_of(work: Work, case: Case, region: Region) -> dict[Unit, Sign]:
    """What shortest paths say of the ReLUs of several positions that read no other such ReLU."""
    found: dict[Unit, Sign] = {}
    for at, part in work.audit.relus.items():
        if at in case.phases:
            continue
        try:
            ways = [
                difference(case.reading, Beats(more, less, False))
                for more, less in ((part, work.audit.zero), (work.audit.zero, part))
            ]
        except (Bent, Rejected):
            continue
        if reads_several(case.reading.total(part)):
            paths = weighed(ways, region)
            potentials = potentials_for(paths, "f8")
            sure = positive(paths, potentials, [False, False])
            found[at] = Sign(sure[0], sure[1], potentials)
    return found


def reads_several(number: Total[Ball]) -> bool:
    """Whether a number reads more than one position."""
    return number.head is not None or len(number.terms) > 1

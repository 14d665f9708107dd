"""The proof of a goal on the words of a region, as data: clause by clause, ReLUs taken out first."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from circ.compiler.audit.clauses import Beats, Clause, places_of
from circ.compiler.audit.columns import Bent
from circ.compiler.audit.fast import Difference, potentials_for, weighed
from circ.compiler.audit.potentials import weighted_sum
from circ.compiler.audit.quick import difference
from circ.compiler.audit.region import Region
from circ.runtime.certificates.alternatives import searched
from circ.runtime.certificates.choices import by_choice, exact, next_choice
from circ.runtime.certificates.paths import path_proof, positive
from circ.runtime.certificates.relus import without_relus
from circ.runtime.certificates.work import Case, Data, NoCertificate, Work

FORMATS = ("f4", "f8")
"""Of potentials; the shorter one where it will do."""

DEEPEST = 60
"""Splits of a goal."""


def goal_proof(work: Work, case: Case, region: Region, depth: int) -> Data:
    """A proof that the goal holds on all words of a region; raises `NoCertificate`."""
    work.require_time()
    if depth > DEEPEST:
        raise NoCertificate("the words would have to be split too often")
    leader = next_choice(work, case)
    if leader is not None:
        return by_choice(work, case, region, depth, leader, goal_proof)
    formula = [(*clause, *case.besides) for clause in work.claim.formula(case.given)]
    try:
        return {"clauses": clause_proofs(work, case, formula, region)}
    except Bent:
        return without_relus(work, case, region, depth, goal_proof)


# --- clauses --------------------------------------------------------------------------------------


def clause_proofs(work: Work, case: Case, clauses: Sequence[Clause], region: Region) -> list[Data]:
    """A proof of each clause; those of one comparison are made together."""
    found: list[Data | None] = [None] * len(clauses)
    groups: dict[int, list[tuple[int, Difference]]] = {}
    case.reading.ready(places_of(clause for clause in clauses if len(clause) == 1))
    for place, clause in enumerate(clauses):
        if len(clause) == 1:
            number = difference(case.reading, clause[0])
            groups.setdefault(id(number.head), []).append((place, number))
    for group in groups.values():
        places = [place for place, _ in group]
        strict = [clauses[place][0].strict for place in places]
        proofs = single_proofs([number for _, number in group], region, strict)
        for place, proof in zip(places, proofs, strict=True):
            found[place] = proof
    return [
        alternatives_proof(work, case, clause, region) if proof is None else proof
        for clause, proof in zip(clauses, found, strict=True)
    ]


def single_proofs(
    numbers: Sequence[Difference], region: Region, strict: Sequence[bool]
) -> list[Data | None]:
    """A proof that each number is positive; None where float64 finds none."""
    found: list[Data | None] = [None] * len(numbers)
    left = list(range(len(numbers)))
    paths = weighed(numbers, region)
    for form in FORMATS:
        potentials = potentials_for(paths, form)
        sure = positive(paths, potentials, strict)
        for k in left:
            if sure[k].all():
                found[k] = path_proof([1], potentials[k], form)
        left = [k for k in left if found[k] is None]
        if not left:
            break
    return found


def known(work: Work, case: Case, beats: Beats, region: Region) -> npt.NDArray[np.bool_]:
    """In which rows a comparison holds of numbers that no letter changes, in whole numbers."""
    reading = exact(work, case)
    more, less = reading.total(beats.more).rest, reading.total(beats.less).rest
    found = reading.math.below(less, more, strict=beats.strict)
    return np.array([found[row if len(found) > 1 else 0][0] is True for row in region.rows])


def alternatives_proof(work: Work, case: Case, clause: Clause, region: Region) -> Data:
    """A proof that one of some comparisons holds on each word; raises `NoCertificate`."""
    if not clause:
        raise NoCertificate("the goal does not hold in a class")
    parts: list[object] = []
    left = list(range(len(region.rows)))
    for place, beats in enumerate(clause):
        factors = [float(k == place) for k in range(len(clause))]
        number = weighted_sum(case.reading, clause, factors)
        paths = weighed([Difference(number)], region)
        potentials = potentials_for(paths, "f8")[0]
        sure = positive(paths, potentials[None], [beats.strict])[0]
        if number.known and not sure.all():
            potentials, sure = np.zeros_like(potentials), known(work, case, beats, region)
        rows = [k for k in left if sure[k]]
        if len(rows) == len(region.rows):
            return path_proof(factors, potentials, "f8")
        if rows:
            proof = path_proof(factors, potentials[rows], "f8")
            parts.append([[region.rows[k] for k in rows], proof])
        left = [k for k in left if not sure[k]]
        if not left:
            return {"rows": parts}
    for k in left:
        row = region.rows[k]
        parts.append([[row], searched(work, case, clause, region.with_rows([row]))])
    return {"rows": parts}

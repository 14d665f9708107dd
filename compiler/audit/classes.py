"""A proof by paths checked: class by class of the words.

Its classes have to be those of the claim, its automata to accept every word of a class, its splits to
leave nothing out, and every potential to be what it says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from circ.compiler.audit.divided import divided
from circ.compiler.audit.potentials import Confirm
from circ.compiler.audit.proofs import Audit, audit_of
from circ.compiler.audit.record import Data, by_paths, class_of, class_text
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights


def checked_by_paths(
    rest: Data,
    records: Iterator[Data],
    obligation: Obligation,
    weights: Weights,
    quick: Callable[[Audit], Confirm] | None,
) -> tuple[int | None, int]:
    """How many words it is about, in how many classes; raises `Rejected`.

    Which words meet a condition about the network is not counted.
    """
    header = by_paths(rest)
    claim = divided(obligation, weights)
    audit = audit_of(claim, weights, header.fixed)
    require(claim.language.count() == header.words, "it counts other words than there are")
    require(header.words > 0, "no word meets the conditions")
    require(len(claim.language.classes) == header.classes, "it counts other classes than there are")
    audit.met(header.witness)
    confirm = quick(audit) if quick else None
    missing = {class_text(values): kind for kind, values in enumerate(claim.language.classes)}
    for data in records:
        record = class_of(data, claim.word.letters, claim.word.length)
        kind = missing.pop(record.values, None)
        if kind is None:
            raise Rejected("a class is not among those of the claim, or is there twice")
        audit.checked(kind, record, confirm)
    require(not missing, "a class is left out")
    return None if claim.weighed else header.words, header.classes

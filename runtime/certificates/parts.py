"""A certificate of a claim about a box: how it is parted, and what shows the claim on each part.

The parts are those of a search. What is written of each is found, and checked, in the audit's own
arithmetic: bounds are only taken anew where the claim is not shown without.
"""

from __future__ import annotations

from fractions import Fraction
from typing import BinaryIO

import numpy as np

from circ.compiler.audit.parts.checked import require_met
from circ.compiler.audit.parts.layers import net_of
from circ.compiler.audit.parts.many import many
from circ.compiler.audit.parts.reading import claim_of
from circ.compiler.audit.rejected import Rejected
from circ.compiler.boxes.clauses import Beyond
from circ.compiler.finding import Limits, silent
from circ.compiler.obligation import Bound, Obligation, Reals, Witness
from circ.compiler.tensor import Weights
from circ.runtime.certificates.inputs import before, plain
from circ.runtime.certificates.opening import opening, put
from circ.runtime.certificates.shown import Shown, lines_of, shown
from circ.runtime.certificates.skeleton import Bone, skeleton
from circ.runtime.certificates.sums import ROOM
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.engines.boxes import Asking, about
from circ.runtime.engines.explore import Found


def write_by_parts(
    obligation: Obligation, weights: Weights, until: float, stream: BinaryIO
) -> None:
    """Write what shows a claim on each part of its box; raises `NoCertificate` with the reason.

    `until` is in seconds of `time.monotonic`.
    """
    try:
        met = met_by(obligation, weights, until)
        given = {name: [plain(value) for value in values] for name, values in met.values}
        require_met(given, obligation, weights)
        with np.errstate(all="ignore"):  # what overflows is above nothing
            found = proof(obligation, weights, until)
    except (Rejected, Beyond) as reason:
        raise NoCertificate(str(reason)) from reason
    lines = lines_of(found)
    leaves = sum("input" not in line and "unit" not in line for line in lines)
    put(stream, opening(obligation, weights, "parts") | {"parts": leaves, "met": given})
    for line in lines:
        put(stream, line)


def proof(obligation: Obligation, weights: Weights, until: float) -> Shown:
    """The parts of the box, each with its steps."""
    ready = many(net_of(claim_of(obligation, weights)), ROOM)
    if not ready.floats.clauses:  # the ends of the inputs alone show it
        return Shown(Bone(0, 1.0))
    tick = before(until)
    bounds = ready.whole()
    ready.tighten(bounds, np.ones(bounds.under.shape, np.bool_))
    ready.charge(bounds.under[0], bounds.over[0])
    whole = skeleton(ready, bounds.under[0], bounds.over[0], tick)
    return shown(ready, whole, tick)


def lowest(bound: Bound) -> tuple[Fraction, ...]:
    """The least of what a binder of reals may be."""
    assert isinstance(bound.values, Reals)
    return tuple(low for low, _ in bound.values.box)


def met_by(obligation: Obligation, weights: Weights, until: float) -> Witness:
    """An input that meets the conditions."""
    if not obligation.conditions:
        return Witness(tuple((bound.name, lowest(bound)) for bound in obligation.binders))
    memory = Limits().memory * 2.0**20
    asking = Asking(obligation, weights, until, silent, memory, 1)
    found = asking.ask(about(obligation, None), "looking for an input of the domain")
    if not isinstance(found, Found):
        raise NoCertificate("no input is known to meet the conditions")
    return found.exact or asking.witness(found.point)

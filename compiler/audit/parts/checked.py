"""A proof that goes through the parts of a box, checked part by part as it is read.

The file has a line for each part, each followed by those of the two parts that it is split into: so no
more is kept than what is left to be read of the parts around one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from circ.compiler.audit.alone import Outcome
from circ.compiler.audit.bound import asked
from circ.compiler.audit.parts.exact import children, whole
from circ.compiler.audit.parts.layers import Net, net_of
from circ.compiler.audit.parts.nodes import node_of
from circ.compiler.audit.parts.reading import claim_of
from circ.compiler.audit.record import Data, a_number, an_object, only
from circ.compiler.audit.rejected import require
from circ.compiler.audit.witness import enclosed, entries, exactly
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights

MOST_PARTS = 1 << 40


Fast = Callable[[Net], Callable[[Iterator[Data]], int] | None]
"""The same in a faster arithmetic, for the nets that it can hold."""


def checked_by_parts(
    rest: Data,
    records: Iterator[Data],
    obligation: Obligation,
    weights: Weights,
    fast: Fast | None,
) -> int:
    """On how many parts a claim about a box is shown; raises `Rejected`."""
    parts, met = only(rest, "parts", "met")
    net = net_of(claim_of(obligation, weights))
    require_met(an_object(met), obligation, weights)
    through = fast(net) if fast else None
    found = through(records) if through else gone_through(net, records)
    require(next(records, None) is None, "it has a line too many")
    require(found == a_number(parts, MOST_PARTS), "it counts other parts than there are")
    return found


def gone_through(net: Net, records: Iterator[Data]) -> int:
    """How many parts there are that are split no more, each checked; raises `Rejected`."""
    waiting, found = [whole(net)], 0
    while waiting:
        data = next(records, None)
        require(data is not None, "a part of the box is missing")
        assert data is not None
        left = children(net, waiting.pop(), node_of(data))
        waiting.extend(reversed(left))
        found += not left
    return found


def require_met(given: Data, obligation: Obligation, weights: Weights) -> None:
    """Raise `Rejected` unless an input meets the conditions, whatever breaks ties."""
    bounds = {bound.name: bound for bound in obligation.binders}
    require({*given} == {*bounds}, "it is an input of other binders")
    values = {name: entries(bounds[name], given[name]) for name in bounds}
    if not obligation.conditions:
        return
    *others, last = obligation.conditions
    wires = obligation.circuit.outputs
    outputs = {name: wires[name] for name in others} | {"goal": wires[last]}
    circuit = replace(obligation.circuit, outputs=outputs)
    about = asked(replace(obligation, circuit=circuit), weights)
    flat = [value for name in about.binders for value in values[name]]
    known = exactly(about, weights, flat)
    if known is None:
        known = enclosed(about, weights, flat) is Outcome.RIGHT
    require(known, "the input does not meet the conditions")

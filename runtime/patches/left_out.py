"""Which share of its domain a requirement says nothing of: what its `where` leaves out, a band around a boundary say.

Words are counted. A box is parted, and what the exact reference says of all inputs of a part at once bounds the share from both sides. Where
these bounds are far apart, or there are words beside a box, inputs are drawn by chance, and the share is an estimate that is called one.
Of a word that may have several lengths, this is done length by length.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from heapq import heappop, heappush
from itertools import groupby
from math import log, prod, sqrt
from time import monotonic

import torch

from circ.compiler.builder import Builder, truth
from circ.compiler.finding import Limits, silent
from circ.compiler.ir import Circuit, Const, Real
from circ.compiler.obligation import Bound, Box, Obligation, Reals, Words
from circ.compiler.readings import clock
from circ.compiler.readings.choices import EITHER, FALSE, TRUE, Choices
from circ.compiler.readings.elementary import Undefined
from circ.compiler.readings.reference import Value, constants, enclose, over_box
from circ.compiler.readings.torch import CircuitModule, module
from circ.compiler.rewrite import live
from circ.compiler.rounding import at_least, at_most
from circ.compiler.tensor import Weights
from circ.runtime.engines.counting import count
from circ.runtime.engines.words import total
from circ.runtime.patches.left_out_shares import LeftOut, NotKnown, Share, of_inputs, together

MOST_PARTS = 4000
MOST_WORDS = 2**20
CLOSE = Fraction(1, 1000)
"""Bounds of a share that are so near are good enough."""

FAR = Fraction(1, 50)
"""Bounds of a share that are further apart are followed by draws."""

DRAWS = 2**15
BATCH = 2**12
CONFIDENCE = 0.999

LATE = "the time for it was up"


def left_out(
    obligations: Sequence[Obligation], weights: Weights, deadline: float
) -> tuple[Share, ...]:
    """Of each requirement that assumes something besides its domain, the share that this leaves out."""
    each = [[*group] for _, group in groupby(obligations, key=lambda o: o.name)]
    return tuple(
        together([share(o, weights, deadline, len(group)) for o in group])
        for group in each
        if any(map(assumes, group))
    )


def assumes(obligation: Obligation) -> bool:
    """Whether a requirement has a `where`."""
    op = obligation.circuit.ops[obligation.circuit.outputs["where"]]
    return not (isinstance(op, Const) and op.values == (True,))


def share(obligation: Obligation, weights: Weights, deadline: float, among: int = 1) -> Share:
    """The share of one, or why it is not known; `among` so many all estimates are to hold together."""
    kinds = [bound.values for bound in obligation.binders]
    found: LeftOut | None = None
    if any(isinstance(kind, Reals) and empty(kind.box) for kind in kinds):
        found = of_inputs(obligation.name, (0, 0, 0))
    elif all(isinstance(kind, Words) for kind in kinds):
        several = len(kinds) > 1
        found = (each_of if several else counted)(obligation, weights, deadline)
    elif all(isinstance(kind, Reals) for kind in kinds):
        found = bounded(obligation, weights, deadline)
    if found is None or Fraction(found.high) - Fraction(found.low) > FAR:
        estimate = drawn(obligation, weights, deadline, among)
        if found is None or isinstance(estimate, LeftOut):
            return replace(estimate, length=obligation.length)
    return replace(found, length=obligation.length)


# --- words ------------------------------------------------------------------------------------


def counted(obligation: Obligation, weights: Weights, deadline: float) -> LeftOut | None:
    """Of words: how many there are, and how many of them meet the assumption."""
    limits = Limits(timeout=max(deadline - monotonic(), 0.0))
    try:
        with clock.until(deadline):
            kept = count(asked(obligation, "where"), weights, limits, silent)
            all_of_them = count(asked(obligation, ""), weights, limits, silent)
    except (clock.TimeUp, Undefined):
        return None
    size = all_of_them.low
    if not all_of_them.exact:
        return None
    return of_inputs(obligation.name, (max(size - kept.high, 0), size - kept.low, size))


def each_of(obligation: Obligation, weights: Weights, deadline: float) -> LeftOut | None:
    """Of several words that are few together: all of them, where nothing is computed with reals, so that nothing is rounded."""
    circuit, inputs = pruned(obligation), total(obligation.binders)
    wires = live(circuit, circuit.outputs.values())
    if inputs > MOST_WORDS or any(circuit.types[wire].sort == Real() for wire in wires):
        return None
    judge = module(circuit, weights, torch.float64)
    met = out = 0
    for start in range(0, inputs, BATCH):
        if monotonic() > deadline:
            return None
        numbers = torch.arange(start, min(start + BATCH, inputs))
        inside, kept = conditions_at(judge, words_of(obligation.binders, numbers), len(numbers))
        met += int(inside.sum())
        out += int((inside & ~kept).sum())
    return of_inputs(obligation.name, (out, out, met))


def words_of(binders: Sequence[Bound], numbers: torch.Tensor) -> dict[str, torch.Tensor]:
    """The inputs of these numbers: each letter is a digit."""
    found: dict[str, torch.Tensor] = {}
    for bound in binders:
        assert isinstance(bound.values, Words)
        letters = len(bound.values.members)
        digits: list[torch.Tensor] = []
        for _ in range(bound.type.entries):
            digits.append(numbers % letters)
            numbers = numbers // letters
        rows = torch.stack(digits, dim=1) if digits else torch.zeros((len(numbers), 0))
        found[bound.name] = rows.reshape(len(numbers), *bound.type.shape)
    return found


def asked(obligation: Obligation, goal: str) -> Obligation:
    """How many inputs of the domain meet one of its outputs; without one, how many there are."""
    circuit = obligation.circuit
    b = Builder(list(circuit.ops), list(circuit.types))
    outputs = {name: wire for name, wire in circuit.outputs.items() if name[:3] == "in "}
    outputs["goal"] = circuit.outputs[goal] if goal else truth(b, True)
    return replace(obligation, circuit=b.circuit(outputs))


# --- boxes ------------------------------------------------------------------------------------


Part = tuple[Box, ...]
"""A box for each binder."""


@dataclass(slots=True)
class Volumes:
    """Of the parts that are in the domain, `kept` meets the assumption and `out` does not; `waiting` has those that are not sure.

    They may have so much of either at most: `perhaps_kept`, `perhaps_out`.
    """

    kept: Fraction = Fraction(0)
    out: Fraction = Fraction(0)
    perhaps_kept: Fraction = Fraction(0)
    perhaps_out: Fraction = Fraction(0)
    waiting: list[tuple[Fraction, int, Part, bool, bool]] = field(
        default_factory=list[tuple[Fraction, int, Part, bool, bool]]
    )
    seen: int = 0

    def add(self, part: Part, inside: frozenset[int], where: frozenset[int]) -> None:
        """A part that is sure is added up, and one that is not waits; one beside the domain is nothing."""
        size = volume(part)
        self.seen += 1
        if inside == FALSE:
            return
        if inside == TRUE and where == TRUE:
            self.kept += size
        elif inside == TRUE and where == FALSE:
            self.out += size
        else:
            kept, out = where != FALSE, where != TRUE
            self.perhaps_kept += size * kept
            self.perhaps_out += size * out
            heappush(self.waiting, (-size, self.seen, part, kept, out))

    def largest(self) -> Part:
        """The largest part that waits, and does not any more."""
        size, _, part, kept, out = heappop(self.waiting)
        self.perhaps_kept += size * kept
        self.perhaps_out += size * out
        return part

    @property
    def bounds(self) -> tuple[Fraction, Fraction]:
        """Of the share that is out: it grows with what is out, and falls with what is kept."""
        most, least = self.out + self.perhaps_out, self.out + self.kept + self.perhaps_kept
        low = self.out / least if least else Fraction(0)
        return low, most / (most + self.kept) if most else Fraction(0)


def bounded(obligation: Obligation, weights: Weights, deadline: float) -> LeftOut | None:
    """Of a box: it is halved again and again, the largest part that is not sure first."""
    circuit = pruned(obligation)
    known, found = constants(circuit, weights), Volumes()
    parts: list[Part] = [tuple(box_of(bound) for bound in obligation.binders)]
    try:
        with clock.until(deadline):
            while parts:
                for part in parts:
                    at = over_box(within(obligation.binders, part))
                    held = enclose(circuit, at, weights, known=known)
                    inside = conjunction([x for name, x in held.items() if name != "where"])
                    found.add(part, inside, conjunction([held["where"]]))
                low, high = found.bounds
                done = not found.waiting or found.seen > MOST_PARTS or high - low <= CLOSE
                parts = [] if done else halves(found.largest())
    except (clock.TimeUp, Undefined):
        for part in parts:
            found.add(part, EITHER, EITHER)
    if found.kept + found.out == 0:
        return None if found.waiting else of_inputs(obligation.name, (0, 0, 0))
    low, high = found.bounds
    return LeftOut(obligation.name, at_most(low, "F64"), at_least(high, "F64"), "bounded")


def conjunction(values: Sequence[Value]) -> frozenset[int]:
    """The values that several truths together may have."""
    sets = [value.sets[0] for value in values if isinstance(value, Choices)]
    if FALSE in sets:
        return FALSE
    return TRUE if all(each == TRUE for each in sets) else EITHER


def pruned(obligation: Obligation) -> Circuit:
    """The conditions alone."""
    circuit = obligation.circuit
    outputs = {name: circuit.outputs[name] for name in obligation.conditions}
    return Circuit(circuit.ops, circuit.types, outputs)


def box_of(bound: Bound) -> Box:
    """The box of a binder."""
    assert isinstance(bound.values, Reals)
    return bound.values.box


def within(binders: Sequence[Bound], part: Part) -> list[Bound]:
    """The binders in a part of their boxes."""
    return [replace(bound, values=Reals(box)) for bound, box in zip(binders, part, strict=True)]


def empty(box: Box) -> bool:
    """Whether no point is in a box."""
    return any(low > high for low, high in box)


def volume(part: Part) -> Fraction:
    """Of the sides that have a length."""
    return prod((high - low for box in part for low, high in box if low < high), start=Fraction(1))


def halves(part: Part) -> list[Part]:
    """A part, cut across its longest side."""
    sides = [(high - low, k, j) for k, box in enumerate(part) for j, (low, high) in enumerate(box)]
    _, k, j = max(sides)
    low, high = part[k][j]
    middle = (low + high) / 2
    found: list[Part] = []
    for side in ((low, middle), (middle, high)):
        box = (*part[k][:j], side, *part[k][j + 1 :])
        found.append((*part[:k], box, *part[k + 1 :]))
    return found


# --- draws ------------------------------------------------------------------------------------


def drawn(obligation: Obligation, weights: Weights, deadline: float, among: int) -> Share:
    """Of inputs drawn from the domain alike, in float64: the share, with Hoeffding's bounds (JASA 58, 1963), that hold of
    `among` so many together."""
    judge = module(pruned(obligation), weights, torch.float64)
    rng = torch.Generator().manual_seed(0)
    tried = met = out = 0
    for _ in range(DRAWS // BATCH):
        if monotonic() > deadline:
            break
        tried += BATCH
        inside, kept = conditions_at(judge, batch(obligation.binders, rng), BATCH)
        met += int(inside.sum())
        out += int((inside & ~kept).sum())
    if met == 0:
        reason = f"none of {tried:,} inputs drawn by chance is in its domain" if tried else LATE
        return NotKnown(obligation.name, reason)
    strays = sqrt(log(2 * among / (1 - CONFIDENCE)) / (2 * met))
    low, high = max(out / met - strays, 0.0), min(out / met + strays, 1.0)
    return LeftOut(obligation.name, low, high, "drawn", draws=met)


def conditions_at(
    judge: CircuitModule, inputs: Mapping[str, torch.Tensor], count: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Which inputs are of the domain, and which meet the assumption."""
    with torch.no_grad():
        found = judge(inputs)
    inside = torch.ones(count, dtype=torch.bool)
    for name, held in found.items():
        if name != "where":
            inside &= held
    return inside, found["where"].expand(count)


def batch(binders: Sequence[Bound], rng: torch.Generator) -> dict[str, torch.Tensor]:
    """Inputs drawn alike from boxes and words."""
    found: dict[str, torch.Tensor] = {}
    for bound in binders:
        shape = (BATCH, *bound.type.shape)
        match bound.values:
            case Words(members=members):
                found[bound.name] = torch.randint(len(members), shape, generator=rng)
            case Reals(box=box):
                ends = torch.tensor([[float(low), float(high)] for low, high in box])
                low, high = ends.double().T.reshape(2, *bound.type.shape)
                drawn = torch.rand(shape, generator=rng, dtype=torch.float64)
                found[bound.name] = low + (high - low) * drawn
    return found

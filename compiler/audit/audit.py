"""Auditing a certificate: the obligation is derived again, and the proof checked step by step.

What stands in the certificate is believed of nothing. Its classes have to be those of the claim, its
automata to accept every word of a class, its splits to leave nothing out, and every potential to be
what it says. `Rejected` has the first reason why it is not so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import BinaryIO

from circ.compiler.audit.clauses import Beats, Clause, class_formula
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.divided import Claim, divided
from circ.compiler.audit.entries import Given, Known, Rectified
from circ.compiler.audit.fixed import Fixed, FixedPoint, fixed_point
from circ.compiler.audit.machine import DEAD, includes
from circ.compiler.audit.paths import Edges, TooClose, shown
from circ.compiler.audit.record import (
    DEEPEST,
    ClassRecord,
    Data,
    Header,
    a_list,
    a_number,
    an_object,
    class_of,
    header_of,
    lines,
    multipliers_of,
    numbers,
    only,
    potentials_of,
)
from circ.compiler.audit.region import Region, whole
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.sums import Bent, Codes, Head, Reading, Total, set_apart
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights

BITS = (128, 512)
"""After the point; the second where the first are too few."""

MOST_WORDS = 256
"""Gone through one by one, in one place of a proof."""


@dataclass(frozen=True, slots=True)
class Audited:
    """A claim that a certificate proves: of how many words, in how many classes."""

    claim: str
    tool: str
    words: int
    classes: int


def audited(obligation: Obligation, weights: Weights, stream: BinaryIO) -> Audited:
    """Check a certificate of a claim; raises `Rejected` with the first reason why it does not hold."""
    records = lines(stream)
    first = next(records, None)
    if first is None:
        raise Rejected("the file is empty")
    header = header_of(first)
    expected(header, obligation, weights)
    claim = divided(obligation, weights)
    audit = audit_of(claim, weights, header.fixed)
    require(claim.language.count() == header.words, "it counts other words than there are")
    require(header.words > 0, "no word meets the conditions")
    require(len(claim.language.classes) == header.classes, "it counts other classes than there are")
    audit.met(header.witness)
    missing = {values: kind for kind, values in enumerate(claim.language.classes)}
    for data in records:
        record = class_of(data, claim.word.letters, claim.word.length)
        kind = missing.pop(record.values, None)
        if kind is None:
            raise Rejected("a class is not among those of the claim, or is there twice")
        audit.checked(kind, record)
    require(not missing, "a class is left out")
    return Audited(header.claim, header.tool, header.words, header.classes)


def expected(header: Header, obligation: Obligation, weights: Weights) -> None:
    """Raise `Rejected` where a certificate is about something else."""
    require(header.claim == obligation.name, "it is about another claim")
    require(header.obligation == obligation_digest(obligation), "the claim has changed since")
    require(header.tensors == tensor_digests(obligation, weights), "a tensor has changed since")


# --- what a proof is checked against --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Level:
    """So many bits, and what was read with them that all classes share."""

    math: FixedPoint
    shared: dict[int, Total[Fixed] | Codes]
    heads: dict[tuple[int, ...], Head[Fixed]]


@dataclass(frozen=True, slots=True)
class Case:
    """A class of words: what is known there, which phase ReLUs have, and other ways to be right."""

    given: Mapping[int, Known]
    phases: Mapping[tuple[int, int], bool]
    besides: Clause
    readings: tuple[Reading[Fixed], ...]


Leaf = Callable[[Data, Region, int], None]
"""What checks the proof for one part of the words."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A claim, at which position letters are gone through, and where its ReLUs are."""

    claim: Claim
    weights: Weights
    fixed: int | None
    apart: list[bool]
    relus: Mapping[tuple[int, int], int]
    zero: int
    levels: tuple[Level, ...]

    def checked(self, kind: int, record: ClassRecord) -> None:
        """Check the proof of one class."""
        includes(self.claim.language, kind, record.steps, record.states)
        region = whole(record.steps, record.states, self.claim.word.letters, self.fixed)
        given = dict(zip(self.claim.values, record.values, strict=True))
        self.goal(self.case(given, {}, ()), record.proof, region, 0)

    def case(
        self, given: Mapping[int, Known], phases: Mapping[tuple[int, int], bool], besides: Clause
    ) -> Case:
        """A case, ready to be read."""
        letters = self.claim.word.letters
        rows = {} if self.fixed is None else {self.fixed: range(letters)}
        readings = tuple(
            Reading(
                level.math, self.claim.nodes, self.weights, letters, rows, given, phases,
                self.apart, level.shared, level.heads,
            )
            for level in self.levels
        )  # fmt: skip
        return Case(given, phases, besides, readings)

    def parted(self, data: Data, region: Region, depth: int, leaf: Leaf) -> bool:
        """Check the parts, where a proof goes through rows or letters; whether it does."""
        require(depth < DEEPEST, "a proof has splits too deep in splits")
        if "rows" in data:
            (parts,) = only(data, "rows")
            whole_of = list(region.rows)
            pairs = [pair_of(part, self.claim.word.letters) for part in a_list(parts)]
            for rows, proof in pairs:
                leaf(proof, region.with_rows(rows), depth + 1)
        elif "position" in data:
            position, parts = only(data, "position", "parts")
            at = a_number(position, self.claim.word.length)
            require(at != self.fixed, "the position that is fixed is split")
            whole_of = region.letters_at(at, 0)
            pairs = [pair_of(part, self.claim.word.letters) for part in a_list(parts)]
            for letters, proof in pairs:
                leaf(proof, region.with_letters(at, letters), depth + 1)
        else:
            return False
        covered = sorted(entry for entries, _ in pairs for entry in entries)
        require(covered == sorted(whole_of), "a split leaves words out, or has some twice")
        return True

    # --- the goal -------------------------------------------------------------------------------

    def goal(self, case: Case, data: Data, region: Region, depth: int) -> None:
        """Check that the goal holds on all words of a region."""
        if self.parted(data, region, depth, lambda *part: self.goal(case, *part)):
            return
        if "known" in data:
            units, then = only(data, "known", "then")
            for unit in a_list(units):
                case = self.with_phase(case, a_list(unit), region)
            self.goal(case, an_object(then), region, depth + 1)
        elif "doubt" in data:
            unit, active, idle = only(data, "doubt", "active", "idle")
            for passes, proof in ((True, active), (False, idle)):
                at, clause = self.phase(a_list(unit), not passes, strict=True)
                inner = self.case(case.given, {**case.phases, at: passes}, (*case.besides, *clause))
                self.goal(inner, an_object(proof), region, depth + 1)
        else:
            (proofs,) = only(data, "clauses")
            formula = class_formula(self.claim.nodes, self.claim.options, case.given)
            found = a_list(proofs)
            require(len(found) == len(formula), "there is a proof for each clause")
            for clause, proof in zip(formula, found, strict=True):
                self.clause(case, (*clause, *case.besides), an_object(proof), region, depth + 1)

    def phase(
        self, unit: Iterable[object], active: bool, *, strict: bool
    ) -> tuple[tuple[int, int], Clause]:
        """A ReLU, and that what it is applied to is not negative; or not positive."""
        wire, place = numbers_pair(unit)
        part = self.relus.get((wire, place))
        if part is None:
            raise Rejected("a phase is of no ReLU")
        more, less = (part, self.zero) if active else (self.zero, part)
        return (wire, place), (Beats(more, less, strict),)

    def with_phase(self, case: Case, unit: list[object], region: Region) -> Case:
        """A case in which a ReLU has a phase, which is checked."""
        require(len(unit) == 4 and type(unit[2]) is bool, "a phase is a ReLU, a truth and a proof")
        active = unit[2] is True
        at, clause = self.phase(unit[:2], active, strict=False)
        self.clause(case, clause, an_object(unit[3]), region, 0)
        return self.case(case.given, {**case.phases, at: active}, case.besides)

    # --- one clause -----------------------------------------------------------------------------

    def clause(self, case: Case, clause: Clause, data: Data, region: Region, depth: int) -> None:
        """Check that one of some comparisons holds on every word of a region."""
        if self.parted(data, region, depth, lambda *part: self.clause(case, clause, *part)):
            return
        if "words" in data:
            (count,) = only(data, "words")
            words = region.words(a_number(count, MOST_WORDS + 1))
            self.one_by_one(case.given, clause, words)
            return
        kind = "f4" if "f4" in data else "f8"
        multipliers, text = only(data, "multipliers", kind)
        factors = multipliers_of(multipliers, len(clause))
        potentials = potentials_of(text, kind)
        strict = any(beats.strict for beats, c in zip(clause, factors, strict=True) if c)
        edges = Edges(region)
        for last, reading in enumerate(case.readings, 1 - len(case.readings)):
            try:
                total = weighed(reading, clause, factors)
                shown(total, reading.math, edges, potentials, strict)
                return
            except TooClose:
                if last == 0:
                    raise
            except Bent as bent:
                raise Rejected(str(bent)) from bent

    def one_by_one(
        self, given: Mapping[int, Known], clause: Clause, words: list[tuple[int, ...]]
    ) -> None:
        """Check that one of some comparisons holds on each of some words."""
        left = words
        for level in self.levels:
            left = failing(self, level.math, given, clause, left)
        require(not left, "a word is not shown to be right")

    def met(self, witness: tuple[int, ...] | None) -> None:
        """Check that some word meets the conditions about the network, if there are any."""
        require((witness is None) == (not self.claim.weighed), "a word that meets the conditions")
        if witness is None:
            return
        word = self.claim.word
        right = len(witness) == word.length and all(c < word.letters for c in witness)
        require(right, "a word has another length, or other letters")
        kind = self.claim.language.class_of(witness)
        require(kind != DEAD, "a word does not meet the conditions")
        given = dict(zip(self.claim.values, self.claim.language.classes[kind], strict=True))
        for condition in self.claim.weighed:
            for clause in class_formula(self.claim.nodes, [(condition, True)], given):
                self.one_by_one(given, clause, [witness])


def audit_of(claim: Claim, weights: Weights, fixed: int | None) -> Audit:
    """A claim ready to be audited."""
    require(fixed is None or fixed < claim.word.length, "a position is fixed that there is not")
    zero = claim.nodes.add(Given(Fraction(0), True), real=True)
    relus = {node.at: node.part for node in claim.nodes.nodes if isinstance(node, Rectified)}
    apart = set_apart(claim.nodes, claim.values)
    levels = tuple(Level(fixed_point(bits), {}, {}) for bits in BITS)
    return Audit(claim, weights, fixed, apart, relus, zero, levels)


def weighed(reading: Reading[Fixed], clause: Clause, factors: Iterable[Fraction]) -> Total[Fixed]:
    """The weighted sum of how far each comparison holds."""
    parts: list[tuple[Fixed, Total[Fixed]]] = []
    for beats, factor in zip(clause, factors, strict=True):
        if factor:
            number = reading.math.number
            parts.append((number(factor), reading.total(beats.more)))
            parts.append((number(-factor), reading.total(beats.less)))
    return reading.added(parts)


def failing(
    audit: Audit,
    math: FixedPoint,
    given: Mapping[int, Known],
    clause: Clause,
    words: list[tuple[int, ...]],
) -> list[tuple[int, ...]]:
    """The words on which no comparison is shown to hold."""
    if not words:
        return []
    claim = audit.claim
    fixed = {p: [word[p] for word in words] for p in range(claim.word.length)}
    apart = [True] * len(claim.nodes.nodes)
    reading = Reading(
        math, claim.nodes, audit.weights, claim.word.letters, fixed, given, {}, apart, {}, {}
    )
    right = [False] * len(words)
    for beats in clause:
        more, less = reading.total(beats.more), reading.total(beats.less)
        require(more.known and less.known, "a number is not known at a word")
        found = math.below(less.rest, more.rest, strict=beats.strict)
        for place in range(len(words)):
            right[place] |= found[place if len(found) > 1 else 0][0] is True
    return [word for word, is_right in zip(words, right, strict=True) if not is_right]


def pair_of(part: object, below: int) -> tuple[list[int], Data]:
    """Rows or letters, and the proof for them."""
    found = a_list(part)
    require(len(found) == 2, "a part is some numbers and a proof")
    return numbers(found[0], below), an_object(found[1])


def numbers_pair(unit: Iterable[object]) -> tuple[int, int]:
    """A wire and a place."""
    found = [a_number(value, 1 << 63) for value in unit]
    require(len(found) == 2, "a ReLU is a wire and a place")
    return found[0], found[1]

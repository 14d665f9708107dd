"""The proof of a class checked against a claim: splits, phases of ReLUs, clauses, words one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import partial

from circ.compiler.audit.blends import Blends, rows_of
from circ.compiler.audit.chosen import (
    Leaders,
    asking,
    cases_of,
    leaders_of,
    looked_up_by,
    scores_of,
)
from circ.compiler.audit.clauses import Beats, Clause
from circ.compiler.audit.columns import Arithmetic, Bent, C, Chosen, Codes, Head, Total
from circ.compiler.audit.divided import Claim, set_apart
from circ.compiler.audit.entries import Given, Known, Rectified
from circ.compiler.audit.lines import Exact
from circ.compiler.audit.machine import DEAD, includes
from circ.compiler.audit.on_words import by_leaders, failing, on_words
from circ.compiler.audit.paths import TooClose, shown
from circ.compiler.audit.potentials import Case, Confirm, Level, fresh_levels, path_of
from circ.compiler.audit.record import (
    DEEPEST,
    ClassRecord,
    Data,
    a_list,
    a_number,
    an_object,
    only,
    pair_of,
)
from circ.compiler.audit.region import Region, whole
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.several import Several
from circ.compiler.audit.sums import Reading
from circ.compiler.tensor import Weights

MOST_WORDS = 256
"""Gone through one by one, in one place of a proof."""


Leaf = Callable[[Data, Region, int], None]
"""What checks the proof for one part of the words."""


@dataclass(frozen=True, slots=True)
class Audit:
    """A claim, at which position letters are gone through, and where its ReLUs and leaders are."""

    claim: Claim
    weights: Weights
    fixed: int | None
    apart: list[bool]
    relus: Mapping[tuple[int, int], int]
    leaders: Leaders
    zero: int
    levels: tuple[Level, ...]

    def checked(self, kind: int, record: ClassRecord, confirm: Confirm | None) -> None:
        """Check the proof of one class."""
        includes(self.claim.language, kind, record.steps, record.states)
        region = whole(record.steps, record.states, self.claim.word.letters, self.fixed)
        given = dict(zip(self.claim.values, self.claim.language.classes[kind], strict=True))
        self.goal(self.case(given, {}, (), {}, confirm), record.proof, region, 0)

    def case(
        self, given: Mapping[int, Known], phases: Mapping[tuple[int, int], bool], besides: Clause,
        chosen: Mapping[int, Chosen], confirm: Confirm | None,
    ) -> Case:  # fmt: skip
        """A case, ready to be read."""
        readings = tuple(
            self.reading(level.math, level.shared, level.heads, given, phases, chosen)
            for level in self.levels
        )
        return Case(given, phases, besides, chosen, readings, confirm)

    def reading(
        self,
        math: Arithmetic[C],
        shared: dict[int, Total[C] | Codes],
        heads: dict[tuple[int, ...], Head[C]],
        given: Mapping[int, Known],
        phases: Mapping[tuple[int, int], bool],
        chosen: Mapping[int, Chosen],
    ) -> Reading[C]:
        """The numbers of a case; what it shares with other cases is kept."""
        letters = self.claim.word.letters
        rows = {} if self.fixed is None else {self.fixed: range(letters)}
        return Reading(
            math, self.claim.nodes, self.weights, letters, rows, given, phases, self.apart,
            shared, heads, chosen,
        )  # fmt: skip

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
        if self.parted(data, region, depth, partial(self.goal, case)):
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
                phases, besides = {**case.phases, at: passes}, (*case.besides, *clause)
                inner = self.case(case.given, phases, besides, case.chosen, case.confirm)
                self.goal(inner, an_object(proof), region, depth + 1)
        elif "choice" in data:
            self.by_choice(case, data, region, depth)
        elif "lines" in data:
            (proof,) = only(data, "lines")
            self.several(case, region).check(an_object(proof), region, depth + 1)
        else:
            (proofs,) = only(data, "clauses")
            formula = self.claim.formula(case.given)
            found = a_list(proofs)
            require(len(found) == len(formula), "there is a proof for each clause")
            pairs = [
                ((*clause, *case.besides), an_object(proof))
                for clause, proof in zip(formula, found, strict=True)
            ]
            for clause, proof in self.unconfirmed(case, pairs, region):
                self.clause(case, clause, proof, region, depth + 1)

    def several(self, case: Case, region: Region) -> Several:
        """What checks a proof about several heads, in the row of a region."""
        bare = not (case.phases or case.besides or case.chosen)
        require(bare, "lines are about the goal as it is")
        formula = self.claim.formula(case.given)
        rows = {} if self.fixed is None else {self.fixed: region.rows[:1]}
        readings = [
            Reading(
                level.math, self.claim.nodes, self.weights, region.letters, rows, case.given, {},
                self.apart, {}, {},
            )
            for level in self.levels
        ]  # fmt: skip
        heads = rows_of(self.claim.nodes)
        exact = Exact([*map(Blends, readings)], formula, heads, self.relus)
        holds = case.confirm.steps(case, formula, region) if case.confirm else None
        return Several(exact, holds, self.parted, partial(self.clause, case))

    def unconfirmed(
        self, case: Case, pairs: list[tuple[Clause, Data]], region: Region
    ) -> list[tuple[Clause, Data]]:
        """The clauses whose proofs are not found to hold fast."""
        if case.confirm is None:
            return pairs
        by_paths = [k for k, (_, proof) in enumerate(pairs) if "multipliers" in proof]
        paths = [path_of(*pairs[k]) for k in by_paths]
        sure = case.confirm(case, paths, region) if paths else []
        held = {k for k, yes in zip(by_paths, sure, strict=True) if yes}
        return [pair for k, pair in enumerate(pairs) if k not in held]

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

    def with_phase(self, case: Case, unit: Sequence[object], region: Region) -> Case:
        """A case in which a ReLU has a phase, which is checked."""
        require(len(unit) == 4 and type(unit[2]) is bool, "a phase is a ReLU, a truth and a proof")
        active = unit[2] is True
        at, clause = self.phase(unit[:2], active, strict=False)
        require(at not in case.phases, "a ReLU has a phase already")
        self.clause(case, clause, an_object(unit[3]), region, 0)
        phases = {**case.phases, at: active}
        return self.case(case.given, phases, case.besides, case.chosen, case.confirm)

    # --- hard choices ---------------------------------------------------------------------------

    def by_choice(self, case: Case, data: Data, region: Region, depth: int) -> None:
        """Check a goal index by index, and letter by letter, of a leader."""
        require(depth < DEEPEST, "a proof has splits too deep in splits")
        for at, chosen, inside, proof in cases_of(self.leaders, case.readings[-1], data, region):
            given = self.leaders.settled(case.given, at, chosen, asking(inside))
            known = {**case.chosen, at: chosen}
            inner = self.case(given, case.phases, case.besides, known, case.confirm)
            self.goal(inner, proof, inside, depth + 1)

    # --- one clause -----------------------------------------------------------------------------

    def clause(self, case: Case, clause: Clause, data: Data, region: Region, depth: int) -> None:
        """Check that one of some comparisons holds on every word of a region."""
        if self.parted(data, region, depth, partial(self.clause, case, clause)):
            return
        if "words" in data:
            (count,) = only(data, "words")
            words = region.words(MOST_WORDS)
            require(len(words) == a_number(count, MOST_WORDS + 1), "it counts other words")
            self.one_by_one(case.given, clause, words, case.chosen)
            return
        path = path_of(clause, data)
        if case.confirm is not None and case.confirm(case, [path], region)[0]:
            return
        for level, reading in zip(self.levels, case.readings, strict=True):
            try:
                total = path.weighed(reading)
                shown(total, level.math, region, path.potentials, path.strict)
                return
            except TooClose:
                if level is self.levels[-1]:
                    raise
            except Bent as bent:
                raise Rejected(str(bent)) from bent

    def one_by_one(
        self, given: Mapping[int, Known], clause: Clause, words: list[tuple[int, ...]],
        chosen: Mapping[int, Chosen],
    ) -> None:  # fmt: skip
        """Check that one of some comparisons holds on each of some words."""
        for leaders, some in by_leaders(chosen, words):
            left = some
            for level in self.levels:
                if left:
                    reading = on_words(self.claim, self.weights, level.math, given, leaders, left)
                    left = failing(reading, clause, left)
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
        letters = self.leaders.letters
        given.update((node, witness[place]) for place, node in letters.items())
        for condition in self.claim.weighed:
            leaders = looked_up_by(self.claim.nodes, [condition], given)
            self.met_by(witness, condition, given, {}, leaders)

    def met_by(
        self, witness: tuple[int, ...], condition: int, given: Mapping[int, Known],
        chosen: Mapping[int, Chosen], leaders: Sequence[int],
    ) -> None:  # fmt: skip
        """Check that a word meets a condition, whichever entries leaders are."""
        if not leaders:
            for clause in self.claim.formula_of([(condition, True)], given):
                self.one_by_one(given, clause, [witness], chosen)
            return
        first, *others = leaders
        math = self.levels[-1].math
        reading = on_words(self.claim, self.weights, math, given, chosen, [witness])
        for slot in scores_of(reading, first).leading():
            one = Chosen((slot,), (None,), None)
            known = self.leaders.settled(given, first, one, {})
            self.met_by(witness, condition, known, {**chosen, first: one}, others)


def audit_of(claim: Claim, weights: Weights, fixed: int | None) -> Audit:
    """A claim ready to be audited."""
    require(fixed is None or fixed < claim.word.length, "a position is fixed that there is not")
    zero = claim.nodes.add(Given(Fraction(0), True), real=True)
    relus = {node.at: node.part for node in claim.nodes.nodes if isinstance(node, Rectified)}
    apart = set_apart(claim.nodes, claim.values)
    leaders = leaders_of(claim.nodes)
    return Audit(claim, weights, fixed, apart, relus, leaders, zero, fresh_levels())


def numbers_pair(unit: Iterable[object]) -> tuple[int, int]:
    """A wire and a place."""
    found = [a_number(value, 1 << 63) for value in unit]
    require(len(found) == 2, "a ReLU is a wire and a place")
    return found[0], found[1]

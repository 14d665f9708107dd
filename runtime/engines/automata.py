"""Deciding over all words of a regular language by shortest paths, however many words there are.

A goal that compares read-outs of one attention head is, class by class, a conjunction of "this sum
over positions is positive"; the least such sum over the class is a shortest path, and the path is
the counterexample. What float64 with rounding bounded leaves open goes to exact arithmetic.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from time import monotonic

from circ.compiler.finding import MORE_TIME, Empty, Fails, Finding, Holds, Limits, Progress, Stuck
from circ.compiler.ir import Circuit, Wire
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.compiler.verdict import Size
from circ.compiler.words.automaton import Automaton
from circ.compiler.words.cases import Cases, cases, formula_of
from circ.compiler.words.chosen import WORD, first_choice
from circ.compiler.words.formula import Clause, Formula
from circ.compiler.words.separable import NotSeparable
from circ.compiler.words.separated import attempts, split
from circ.compiler.words.straight import first_relus
from circ.compiler.words.unscaled import unscaled
from circ.runtime.engines.choices import by_choice, first_of
from circ.runtime.engines.exact import judge_of
from circ.runtime.engines.narrowing import narrowed
from circ.runtime.engines.one_class import ClassTally, Part, Setup, Sums, examined
from circ.runtime.engines.one_word import OBSTACLES, Late, decided, reason_of
from circ.runtime.engines.phases import Network, Piece, operand_signs, pieces
from circ.runtime.engines.readouts import Alphabet
from circ.runtime.engines.rivals import field_of
from circ.runtime.engines.shortest import Graph, graph
from circ.runtime.engines.words import members

METHOD = "shortest paths"

WORSE = 5.0
"""Seconds after which no worse word is looked for in a class that is known to fail."""

TRUSTED = (
    "the front end",
    "the automaton and the float reading",
    "IEEE arithmetic of numpy",
)


def decide(obligation: Obligation, weights: Weights, limits: Limits, progress: Progress) -> Finding:
    """Whether every word that meets the conditions meets the goal; `Stuck` where it cannot say.

    One binder, a word. Failing words are listed class by class, the worst of each.
    """
    until = monotonic() + limits.timeout

    def ask(question: Obligation, limits: Limits) -> Finding:
        return gone_through(set_up(question, weights, until), limits, progress)

    return decided(obligation, weights, limits, METHOD, ask)


def set_up(obligation: Obligation, weights: Weights, until: float) -> Setup:
    """Make a claim ready; raises what is in the way."""
    (bound,) = obligation.binders
    circuit = narrowed(obligation.circuit, [*obligation.conditions, "goal"])
    plain = unscaled(circuit, weights)
    found = cases(plain.circuit, weights, obligation.conditions, until)
    judgement = judge_of(circuit, weights, obligation.conditions)
    reasons: list[NotSeparable] = []
    formulas: tuple[Formula, ...] = ()
    for fixed in attempts(bound.type.entries):
        alphabet = Alphabet(members(bound), bound.type.entries, fixed)
        try:
            if pieced(found, fixed):
                return Setup(
                    obligation, weights, found, alphabet, (), None, judgement, until, plain.dropped
                )
            formulas = formulas or tuple(formula_of(found.circuit, x) for x in found.options)
            sums = sums_of(found.circuit, weights, found.word, alphabet, chain(*formulas))
            return Setup(
                obligation,
                weights,
                found,
                alphabet,
                formulas,
                sums,
                judgement,
                until,
                plain.dropped,
            )
        except NotSeparable as obstacle:
            reasons.append(obstacle)
    raise reasons[:2][-1]  # of the last position, which most often queries


def sums_of(
    circuit: Circuit, weights: Weights, word: Wire, alphabet: Alphabet, clauses: Iterable[Clause]
) -> Sums:
    """What some clauses compare; raises `NotSeparable`."""
    parted = split(circuit, word, clauses, alphabet.fixed)
    return Sums(parted, field_of(parted, weights, word, alphabet))


def bent(found: Cases, fixed: Sequence[int]) -> bool:
    """Whether a ReLU stands between the words and what is compared; raises `NotSeparable` where
    what it is applied to is no sum over positions."""
    options = tuple(chain(*found.options))
    relus = first_relus(found.circuit, options, found.word, fixed)
    if relus:
        clauses, wider = operand_signs(found.circuit, relus)
        split(wider, found.word, clauses, fixed)
    return bool(relus)


def pieced(found: Cases, fixed: Sequence[int]) -> bool:
    """Whether a ReLU or a hard choice stands between the words and what is compared.

    Raises `NotSeparable` where it cannot be taken out; of a choice one index is tried.
    """
    choice = first_choice(found.circuit, tuple(chain(*found.options)), found.word, fixed)
    if choice is None:
        return bent(found, fixed)
    tried = first_of(found, fixed, choice)
    if not pieced(tried, fixed):
        split(tried.circuit, WORD, formula_of(tried.circuit, tried.options[0]), fixed)
    return True


def parts_of(setup: Setup, kind: int) -> Iterator[tuple[Part, Formula]]:
    """One class of words, in the pieces in which every ReLU has a phase."""
    language = setup.cases.language.of_class(kind)
    yield from parts_in(setup, kind, language, graph(language, setup.alphabet))


def parts_in(
    setup: Setup, kind: int, language: Automaton, paths: Graph
) -> Iterator[tuple[Part, Formula]]:
    """As `parts_of`, for some words of a class alone."""
    found, alphabet = setup.cases, setup.alphabet
    if setup.sums is not None:
        yield Part(kind, language, paths, setup.sums), setup.formulas[kind]
        return
    network = Network(found.circuit, found.word, setup.weights, alphabet, setup.until)
    before: tuple[Piece, Sums, Formula] | None = None
    for known in by_choice(network, found.options[kind], language, paths):
        for piece in pieces(known.network, known.options, known.language, known.paths):
            if before is None or not same_question(piece, before[0]):
                circuit, word = piece.network.circuit, piece.network.word
                formula = formula_of(circuit, piece.options)
                sums = sums_of(circuit, setup.weights, word, alphabet, formula)
                before = piece, sums, formula
            _, sums, formula = before
            yield Part(kind, piece.language, piece.paths, sums, known.sure), formula


def same_question(one: Piece, other: Piece) -> bool:
    """Whether two pieces ask the same of the same circuit, so that their sums are the same."""
    return one.network.circuit is other.network.circuit and one.options is other.options


def gone_through(setup: Setup, limits: Limits, progress: Progress) -> Finding:
    """What all classes come to, or those gone through in time."""
    count, tally = (
        len(setup.cases.options),
        ClassTally(measured=not (setup.cases.conditional or setup.scaled)),
    )
    done, stopped, obstacles = 0, "", list[str]()
    try:
        for kind in range(count):
            try:
                begun = monotonic()
                for part, formula in parts_of(setup, kind):
                    examined(setup, tally, part, formula)
                    if monotonic() > begun + WORSE and all_fail(setup, tally, kind):
                        break
            except OBSTACLES as obstacle:
                obstacles.append(reason_of(obstacle))
            done = kind + 1
            progress(done / count, f"{done:,} of {count:,} classes")
            if (limits.first and tally.failing) or monotonic() > setup.until:
                stopped = "" if done == count else "time ran out"
                break
    except Late:
        stopped = "time ran out"
    except KeyboardInterrupt:
        stopped = "interrupted"
    how = f"{METHOD} over {len(tally.seen):,} classes of words"
    if tally.failing:
        return failing(setup, tally, how, stopped, whole=done == count and not obstacles)
    if stopped:
        reason = f"{stopped} after {done:,} of {count:,} classes of words"
        return Stuck(reason, how, hint=MORE_TIME, interrupted=stopped == "interrupted")
    return Stuck(obstacles[0], how) if obstacles else held(setup, tally, how)


def all_fail(setup: Setup, tally: ClassTally, kind: int) -> bool:
    """Whether a failing word is known in a class for all choices of letters at the fixed positions."""
    if all(failed != kind for failed, _ in tally.failing):
        return False
    every = graph(setup.cases.language.of_class(kind), setup.alphabet).fixings.tolist()
    return all((kind, fixing) in tally.failing for fixing in every)


def failing(setup: Setup, tally: ClassTally, how: str, stopped: str, *, whole: bool) -> Fails:
    """A word of each failing class, the worst first, those last whose margin is not known."""
    listed = tuple(setup.witness(word) for _, word in sorted(tally.failing.values()))
    classes = (len(listed), len(tally.seen)) if whole and not tally.open else None
    interrupted = stopped == "interrupted"
    return Fails(how, TRUSTED, size(setup), listed[0], None, listed, (), interrupted, classes)


def held(setup: Setup, tally: ClassTally, how: str) -> Finding:
    """The goal holds in every class, if no word is open."""
    if setup.cases.language.empty:
        return Empty("no word meets the conditions", METHOD)
    if tally.open:
        return Stuck("a word is too close to call", how, hardest=setup.witness(tally.open[0]))
    if tally.least.word is None or not tally.measured:
        return Holds(how, TRUSTED, size(setup))
    closest = setup.witness(tuple(tally.least.word.tolist()))
    return Holds(how, TRUSTED, size(setup), tally.least.bound, closest)


def size(setup: Setup) -> Size:
    """How many words there are, where the language is all that the conditions say."""
    return Size(None if setup.cases.conditional else setup.cases.language.count())

"""The pipeline on one screen: text → syntax → types → IR → obligations.

`circ.runtime.prover` takes it from there: obligations → engines → verdict → replay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

from circ.compiler.ir import Wire
from circ.compiler.lower.claims import Params, lengths_of, lower_claim, param_values
from circ.compiler.lower.environment import Environment, Lowering
from circ.compiler.lower.expressions import lower
from circ.compiler.lower.lemmas import assumed, cover_name, lower_cover
from circ.compiler.lower.outer import enter_head, lower_head, told_at_value, values, written
from circ.compiler.lower.patches import doubtful_spans, lower_patch
from circ.compiler.lower.subspaces import check_independent
from circ.compiler.obligation import AtValue, Each, Lemma, Obligation, Question, Witness
from circ.compiler.patching import PatchPlan
from circ.compiler.regrown import regrown
from circ.compiler.sources import Sources
from circ.compiler.stored import Files, StoredWeights
from circ.lang.check.data import as_checkpoint
from circ.lang.check.items import TypedModule
from circ.lang.check.modules import check_modules
from circ.lang.collector import uncollected
from circ.lang.diagnostic import CircError, Diagnostic, Diagnostics
from circ.lang.errors.command import no_value, not_expressible
from circ.lang.headers import Openers
from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, DomainDecl, NetworkDecl, SubspaceDecl
from circ.lang.walk import places_read

MOST_TRIED = 64
"""Values of a quantifier at which a claim is lowered for its errors alone."""


AT_VALUE = re.compile(r"(\w+)\[[0-9]{1,9}\]")
"""A claim at one value of the quantifier before its own, `c[3]`, which is no claim's name."""


def claim_of(name: str) -> str:
    """The claim that a name stands for, at one of its values perhaps."""
    at = AT_VALUE.fullmatch(name)
    return at[1] if at else name


@dataclass(frozen=True, slots=True)
class Program:
    """A spec that has been checked, and everything it stands for.

    `faults` has the errors of single claims and patches, by name: nothing else needs these, so that the
    rest can be used without them.
    """

    source: Source
    typed: TypedModule
    params: Params
    files: Files
    weights: StoredWeights
    diagnostics: Diagnostics
    openers: Openers
    faults: Mapping[str, Sequence[Diagnostic]] = field(
        default_factory=dict[str, Sequence[Diagnostic]]
    )

    @property
    def failed(self) -> bool:
        """Whether an error stands outside single claims and patches, so that nothing can be used."""
        single = [found for faults in self.faults.values() for found in faults]
        return any(d.severity == "error" and d not in single for d in self.diagnostics)

    def require(self, name: str) -> None:
        """Raise `CircError` with the errors of a claim or a patch, if it has any."""
        if claim_of(name) in self.faults:
            raise CircError(*self.faults[claim_of(name)])

    @property
    def used_files(self) -> tuple[Source, ...]:
        """The texts of the files that the spec uses, those of the standard library left out."""
        texts = (module.module.span.source for module in self.typed.used)
        return tuple(text for text in texts if text.key in self.files.folders)

    @property
    def files_read(self) -> tuple[Path, ...]:
        """The files that were read: the spec, those that it uses, checkpoints and lists."""
        texts = (self.source, *self.used_files)
        read = (*self.files.opened, *self.files.shards, *self.files.networks, *self.files.lists)
        return (*(Path(text.name) for text in texts), *read)

    def claim(
        self,
        name: str,
        length: int | None = None,
        value: Witness | None = None,
        *,
        alike: bool = False,
        sited: bool = False,
        assume: Callable[[Environment], Wire] | None = None,
    ) -> Obligation:
        """The obligation of a claim; raises `CircError` when it has errors of its own, or is several claims (E0705).

        `length` is that of a word that may have several, the least of them if it is not given; `value` is one of those
        that a quantifier before the claim's own goes through. `alike`, `sited` and `assume` are as for `lower_formula`.
        """
        self.require(name)
        decl = self.typed.scope.claims[claim_of(name)]
        given = self.typed, decl, self.params, self.weights, length
        if decl.outer is None:
            return lower_claim(*given, alike=alike, sited=sited, assume=assume)
        if value is None:
            raise CircError(
                not_expressible(f"`{name}`", "it is a claim for each of several values")
            )
        return lower_claim(
            *given, alike=alike, sited=sited, enter=partial(enter_head, decl.outer, value)
        )

    def question(self, name: str) -> Question:
        """A claim, at each length of its word where that may have several; raises as `claim`.

        It is asked by itself, without its lemmas.
        """
        self.require(name)
        decl = self.typed.scope.claims[claim_of(name)]
        several = lengths_of(self.typed, decl.formula)
        at = partial(self.claim, name)
        if decl.outer is not None:
            at(None)
        return Question(name, at, partial(at, alike=True), several)

    def each(self, name: str) -> Each | None:
        """A claim at each value of the quantifier before its own, or at the one that is named, `c[3]`.

        None where there is no such quantifier. Raises as `claim`, and E0704 for a value that it does not go through.
        """
        self.require(name)
        claim = claim_of(name)
        decl = self.typed.scope.claims[claim]
        if decl.outer is None:
            return None
        head = lower_head(self.typed, decl, decl.outer, self.params, self.weights)
        several = lengths_of(self.typed, decl.formula)

        def at_value(number: int, value: Witness) -> AtValue:
            title = f"{claim}[{number}]"

            def at(length: int | None, *, alike: bool = False) -> Obligation:
                with told_at_value(head, value):
                    return replace(self.claim(name, length, value, alike=alike), name=title)

            question = Question(title, at, partial(at, alike=True), several)
            return AtValue(value, written(head, value), question)

        every = tuple(at_value(*known) for known in values(head, self.weights))
        if name == claim:
            return Each(head, every)
        one = tuple(at for at in every if at.question.name == name)
        if not one:
            raise CircError(no_value(claim, name, [at.question.name for at in every]))
        return Each(head, one)

    def lemmas(self, name: str) -> tuple[Lemma, ...]:
        """The lemmas of a claim; raises as `claim`, for its own errors and for those of its lemmas."""
        claims = self.typed.scope.claims
        if not claims[claim_of(name)].using:
            return ()
        own = self.question(name)
        found: list[Lemma] = []
        for lemma in dict.fromkeys(word.text for word in claims[name].using):
            self.require(lemma)
            asked = self.typed, claims[name], claims[lemma], self.params, self.weights
            at = partial(lower_cover, *asked)
            title = cover_name(claims[name], claims[lemma])
            found.append(Lemma(lemma, Question(title, at, at, own.lengths)))
        return tuple(found)

    def aided(self, name: str) -> Question:
        """A claim together with what its lemmas say, which is then to be proved; raises as `lemmas`."""
        claims = self.typed.scope.claims
        formulas = [claims[lemma.name].formula for lemma in self.lemmas(name)]
        at = partial(self.claim, name, assume=partial(assumed, formulas))
        return replace(self.question(name), at=at, alike=partial(at, alike=True))

    def patch(self, name: str) -> PatchPlan:
        """The obligations of a patch; raises `CircError` like `claim`."""
        self.require(name)
        return self.lowered_patch(name, ends=False)

    def lowered_patch(self, name: str, *, ends: bool) -> PatchPlan:
        """The same; `ends` is as for `lower_patch`."""
        decl = self.typed.scope.patches[name]
        regrow = partial(regrown, self.typed, self.openers, decl)
        return lower_patch(self.typed, decl, self.params, self.weights, regrow, ends=ends)

    def tried(self, name: str, each: Each) -> Sequence[AtValue]:
        """The values at which a claim is lowered for its errors: all, where its places are others at each; else the ends."""
        decl = self.typed.scope.claims[name]
        assert decl.outer is not None
        named = {binder.name.text for binder in decl.outer.binders}
        read = (places_read(e) for e in (decl.formula.where, decl.formula.body) if e is not None)
        few = len(each.values) <= (MOST_TRIED if named & set[str]().union(*read) else 2)
        return each.values if few else (each.values[0], each.values[-1])

    def lower_ends(self, name: str) -> None:
        """Lower a claim or a patch, at the ends of its word's lengths where that has several.

        Raises `CircError` like `claim`.
        """
        if name in self.typed.scope.patches:
            self.lowered_patch(name, ends=True)
            return
        each = self.each(name)
        if each is not None:
            for at in self.tried(name, each):
                several = at.question.lengths
                for length in {None} if several is None else {several.first, several.last}:
                    at.question.at(length)
            return
        several, lemmas = self.question(name).lengths, self.lemmas(name)
        for length in {None} if several is None else {several.first, several.last}:
            self.claim(name, length)
            for lemma in lemmas:
                lemma.covers.at(length)
            if lemmas:
                self.aided(name).at(length)


def check(source: Source, files: Files, given: Params) -> Program:
    """Everything that can be said without deciding anything; `given` sets params.

    Errors are in `Program.diagnostics`; only a fault of Circ itself raises.
    """
    return completed(typed_program(source, files), given)


@uncollected()
def typed_program(source: Source, files: Files) -> Program:
    """A spec with its names and types, and their errors; nothing is lowered yet."""
    diagnostics = Diagnostics()
    sources = Sources(source, files)
    openers = Openers(files.header, files.listed, files.network, sources.open)
    typed = check_modules(source, openers, diagnostics)
    weights = StoredWeights(checkpoints(typed), networks(typed), files)
    faults = single_faults(typed, diagnostics)
    return Program(source, typed, {}, files, weights, diagnostics, openers, faults)


def completed(program: Program, given: Params) -> Program:
    """A spec with its params, and with the errors that only lowering can see."""
    if program.failed:
        return program
    with reported(program.diagnostics):
        program = replace(program, params=param_values(program.typed, given))
    if program.failed:
        return program
    report_subspaces(program)
    return lower_all(program)


def single_faults(typed: TypedModule, found: Diagnostics) -> Mapping[str, Sequence[Diagnostic]]:
    """The errors that stand within one claim or patch; none where some items could not be read."""
    if typed.facts.incomplete:
        return {}
    faults: dict[str, list[Diagnostic]] = {}
    spans = [(name, item.span) for name, item in typed.scope.claims.items()]
    spans += [(name, item.span) for name, item in typed.scope.patches.items()]
    for name, span in spans:
        within = [d for d in found if d.severity == "error" and d.span and d.span in span]
        if within:
            faults.setdefault(name, []).extend(within)
    return faults


def report_subspaces(program: Program) -> None:
    """Report subspaces whose vectors are dependent, or nearly so."""
    low = Lowering(program.typed, program.params, program.weights, lower)
    for decl in program.typed.declared.values():
        if isinstance(decl, SubspaceDecl):
            with reported(program.diagnostics):
                for warning in check_independent(decl, low):
                    program.diagnostics.report(warning)


def report_spans(program: Program, name: str) -> None:
    """Report subspaces without a name whose vectors are nearly dependent, of a patch that could be lowered."""
    decl = program.typed.scope.patches.get(name)
    if decl is not None:
        given = program.typed, decl, program.params, program.weights
        for warning in doubtful_spans(*given):
            program.diagnostics.report(warning)


def lower_all(program: Program) -> Program:
    """Lower every claim and patch, for the errors that only then can be seen."""
    scope, faults = program.typed.scope, dict(program.faults)
    for name in (*scope.claims, *scope.patches):
        if name not in faults:
            try:
                program.lower_ends(name)
            except CircError as error:
                faults[name] = error.diagnostics
                for diagnostic in error.diagnostics:
                    program.diagnostics.report(diagnostic)
            else:
                report_spans(program, name)
    for name in scope.claims:
        wrong = next((each for each in resting_on(program, name) if each in faults), None)
        if wrong is not None:
            faults.setdefault(name, faults[wrong])
    return replace(program, faults=faults)


def resting_on(program: Program, name: str) -> Iterator[str]:
    """The lemmas of a claim, and theirs."""
    claims, seen = program.typed.scope.claims, {name}
    waiting = [name]
    while waiting:
        using = (word.text for word in claims[waiting.pop()].using)
        waiting += (found := [each for each in using if each in claims and each not in seen])
        seen.update(found)
        yield from found


def checkpoints(typed: TypedModule) -> dict[str, CheckpointDecl]:
    """The checkpoints of a spec and of what it uses, by key; data sets of reals are such, too."""
    found: dict[str, CheckpointDecl] = {}
    for at, item in typed.declared.items():
        stored = as_checkpoint(item) if isinstance(item, DomainDecl) else item
        if isinstance(stored, CheckpointDecl):
            found[at] = stored
    return found


def networks(typed: TypedModule) -> dict[str, NetworkDecl]:
    """The networks of a spec and of what it uses, by key."""
    return {at: item for at, item in typed.declared.items() if isinstance(item, NetworkDecl)}


@contextmanager
def reported(diagnostics: Diagnostics) -> Generator[None]:
    """Turn a `CircError` inside into findings."""
    try:
        yield
    except CircError as error:
        for diagnostic in error.diagnostics:
            diagnostics.report(diagnostic)

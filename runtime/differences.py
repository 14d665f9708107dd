"""Two checkpoints side by side: the claim that a circuit decides alike with either on a domain.

What is asked is a claim like any other, `forall s in D: argmax(f(s)) == argmax(f(s) do { m := before })`, written behind the
spec, so that every engine and every way to replay an input can answer it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TypeVar

from circ.compiler.checkpoint import file_hash, read_header
from circ.compiler.driver import Program, check, checkpoints
from circ.compiler.ir import Weight
from circ.compiler.rewrite import live
from circ.compiler.tensor import as_stored
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.command import (
    bad_setting,
    compared_badly,
    compared_elsewhere,
    other_tensors,
    several_to_compare,
    unknown_setting,
)
from circ.lang.format import bare_item
from circ.lang.parser import parse
from circ.lang.scope import key
from circ.lang.span import Source, Span
from circ.lang.syntax import CheckpointDecl, CircuitDecl, Compare, DomainDecl
from circ.lang.types import Array, RealElement
from circ.lang.walk import called
from circ.runtime.given_inputs import free, given, misfit
from circ.runtime.session import rational, read_text

SEVERAL = 8
"""So many circuits and domains are told, where it is not said which are meant."""

Decl = TypeVar("Decl", CheckpointDecl, CircuitDecl, DomainDecl)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be compared, where it is named: a checkpoint of the spec, a circuit, on what, and how closely.

    The variables of the domains are the circuit's arguments, in their order.
    """

    checkpoint: str | None = None
    circuit: str | None = None
    domains: tuple[str, ...] = ()
    within: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The spec with the older checkpoint beside the newer, and a claim that a circuit decides alike with both."""

    program: Program
    claim: str
    circuit: str
    domains: tuple[str, ...]
    count: str | None
    """An expression: on how many inputs it does not; None for inputs of several variables, which none counts."""
    older: str
    """How the claim writes the circuit's value with the older checkpoint."""
    plain: str
    """The circuit's value with the newer one."""
    within: Fraction | None = None
    """How far apart numbers may be that are compared, and not what is decided."""

    @property
    def domain(self) -> str:
        """Where the two are compared, in words."""
        return " × ".join(self.domains)

    def said(self, *, alike: bool) -> str:
        """What it comes to."""
        what = f"`{self.circuit}` on `{self.domain}`"
        if self.within is None:
            return (
                f"✓ {what} decides alike with both" if alike else f"✗ {what} does not decide alike"
            )
        near = f"within {float(self.within):g} of each other"
        return (
            f"✓ {what} gives values {near} with both"
            if alike
            else f"✗ {what} does not give values {near}"
        )

    def told(self, text: str) -> str:
        """What is said of the claim in words of the spec: `old f(x)`, as in a patch."""
        old = f"old {self.plain}"
        return text.replace(f"({self.older})", old).replace(self.older, old)


def compared(program: Program, old: Path, wanted: Wanted) -> Compared:
    """The claim that `program` says of its checkpoint and of the one in the file `old`.

    Raises `CircError` (E0703, E0711) where it is not clear what is compared, and with what is wrong in it.
    """
    decl = the_checkpoint(program, wanted.checkpoint)
    circuits = outermost([*declared(program, CircuitDecl, "circuit", wanted.circuit)])
    pairs = [*product(circuits, places(program, wanted.domains))]
    if len(pairs) > 1:
        pairs = [pair for pair in pairs if misfit(program, *pair) is None]
    found: list[Compared] = []
    wrong: list[CircError] = []
    for circuit, domains in pairs:
        try:
            found.append(written(program, old, decl, circuit, domains, wanted.within))
        except CircError as error:
            wrong.append(error)
        if len(found) == SEVERAL:
            break
    if len(found) == 1:
        return found[0]
    if not found and len(wrong) == 1:
        raise wrong[0]
    words = [" --on ".join((f"--of {each.circuit}", *each.domains)) for each in found]
    raise CircError(several_to_compare(program.source.name, words))


def places(program: Program, names: Sequence[str]) -> list[tuple[DomainDecl, ...]]:
    """The domains that are named, together, or each of the spec by itself; raises `CircError` (E0703)."""
    if not names:
        return [(domain,) for domain in declared(program, DomainDecl, "domain", None)]
    return [
        tuple(domain for name in names for domain in declared(program, DomainDecl, "domain", name))
    ]


def tolerance(word: str) -> Fraction:
    """The number of `--within`, exactly; raises `CircError` (E0702) where it is none, or below 0."""
    with suppress(ValueError, ZeroDivisionError):
        found = rational(word)
        if found >= 0:
            return found
    raise CircError(bad_setting(word, "--within", "0.001"))


def outermost(circuits: Sequence[CircuitDecl]) -> list[CircuitDecl]:
    """Those that none of the others calls."""
    bodies = [
        (c.name.text, expr) for c in circuits for expr in (*(let.value for let in c.lets), c.body)
    ]
    inner = {callee for caller, expr in bodies for callee in called(expr) if callee != caller}
    return [circuit for circuit in circuits if circuit.name.text not in inner]


def the_checkpoint(program: Program, name: str | None) -> CheckpointDecl:
    """The checkpoint that is compared: the only one of the spec, unless it is named."""
    known = [*declared(program, CheckpointDecl, "checkpoint", name)]
    if len(known) != 1:
        words = [f"--in {decl.name.text}" for decl in known]
        raise CircError(several_to_compare(program.source.name, words))
    return known[0]


def only_checkpoint(path: Path) -> str | None:
    """The name of the only checkpoint that a spec declares itself, from its text alone; None where that is unclear."""
    module = parse(Source(str(path), read_text(path)), Diagnostics())
    names = [item.name.text for item in module.items if isinstance(item, CheckpointDecl)]
    return names[0] if len(names) == 1 else None


def declared(program: Program, kind: type[Decl], word: str, name: str | None) -> Iterator[Decl]:
    """The declarations of a kind, or the one of a name; raises `CircError` (E0703) where there is none."""
    known = [item for item in program.typed.scope.values.values() if isinstance(item, kind)]
    names = [decl.name.text for decl in known]
    if name is not None and name not in names:
        raise CircError(unknown_setting(word, name, names))
    return (decl for decl in known if name in (None, decl.name.text))


def written(
    program: Program,
    old: Path,
    checkpoint: CheckpointDecl,
    circuit: CircuitDecl,
    domains: tuple[DomainDecl, ...],
    within: Fraction | None,
) -> Compared:
    """The claim of one circuit on these domains; raises `CircError` with what is wrong in it."""
    wrong = misfit(program, circuit, domains)
    if wrong is not None:
        raise CircError(wrong)
    require_same_tensors(program, old, checkpoint, circuit)
    scope = program.typed.scope
    taken = {*scope.values, *scope.members, *scope.claims, *scope.patches}
    before, claim = (free(name, taken) for name in ("before", "alike"))
    inputs = given(program, circuit, domains, taken | {before, claim})
    older = f"{inputs.call} do {{ {checkpoint.name.text} := {before} }}"
    beside = bare_item(replace(checkpoint, name=replace(checkpoint.name, text=before)))

    def said(goal: str) -> Program:
        text = f"forall {inputs.head}: {goal}"
        with told_of(program, circuit, text.replace(f"({older})", f"old {inputs.call}")):
            found = behind(program, f"{beside}\nclaim {claim}: {text}\n", before, claim, old)
            require_alike(found, claim, before, checkpoint, domains, old)
            return found

    goal = f"{inputs.call} == ({older})"
    if within is not None:
        goal += f" within ({within.numerator} / {within.denominator})"
    found = said(goal)
    if within is None and is_vector(found, claim):
        goal = f"argmax({inputs.call}) == argmax(({older}))"
        found = said(goal)
    names = tuple(domain.name.text for domain in domains)
    count = f"count {{ {inputs.head} | not ({goal}) }}" if len(circuit.params) == 1 else None
    return Compared(found, claim, circuit.name.text, names, count, older, inputs.call, within)


def require_same_tensors(
    program: Program, old: Path, checkpoint: CheckpointDecl, circuit: CircuitDecl
) -> None:
    """Raise `CircError` (E0713) where a file cannot stand in the place of the other: tensors are named or shaped otherwise."""
    tensors = read_header(old).tensors, program.typed.facts.headers[key(checkpoint)]
    before, now = ({name: tensor.shape for name, tensor in each.items()} for each in tensors)
    for name in sorted(before.keys() | now.keys()):
        if before.get(name) != now.get(name):
            told = (f"{[*shapes[name]]}" if name in shapes else "none" for shapes in (before, now))
            raise CircError(other_tensors(circuit.name, checkpoint.name.text, name, *told))


@contextmanager
def told_of(program: Program, circuit: CircuitDecl, claim: str) -> Generator[None]:
    """Have what is wrong with the text that is written behind a spec told of the circuit that it is about, each once."""
    end = len(program.source.text.rstrip())

    def added(span: Span | None) -> bool:
        return span is not None and span.source.key == program.source.key and span.start >= end

    try:
        yield
    except CircError as error:
        told = Diagnostics()
        for found in error.diagnostics:
            why = tuple(label for label in found.why if not added(label.span))
            moved = replace(compared_badly(found, circuit.name, claim), why=why)
            told.report(moved if added(found.span) else found)
        raise CircError(*told) from error


def require_alike(
    found: Program,
    claim: str,
    before: str,
    checkpoint: CheckpointDecl,
    domains: Sequence[DomainDecl],
    old: Path,
) -> None:
    """Raise `CircError` (E0712) where more than the circuit's own reading depends on which checkpoint it is."""
    circuit = found.claim(claim).circuit
    inside = [wire for name, wire in circuit.outputs.items() if name.startswith("in ")]
    read = (circuit.ops[wire] for wire in live(circuit, inside))
    at = f"{key(checkpoint)}/"
    if any(isinstance(op, Weight) and op.key.startswith(at) for op in read):
        names = dict.fromkeys(f"`{domain.name.text}`" for domain in domains)
        what = "the domain" if len(names) == 1 else "one of the domains"
        raise CircError(compared_elsewhere(f"{what} {', '.join(names)}", checkpoint.name.text))
    others = {
        name: other
        for name, other in checkpoints(found.typed).items()
        if name not in (key(checkpoint), f"{found.source.key}{before}")
    }
    for name in same_files(found, checkpoint, others, old, {*circuit.weights}):
        raise CircError(compared_elsewhere(f"`{name}`", checkpoint.name.text))


def same_files(
    program: Program,
    checkpoint: CheckpointDecl,
    others: Mapping[str, CheckpointDecl],
    old: Path,
    weights: AbstractSet[str],
) -> Iterator[str]:
    """Those of `others` that are in the file of a checkpoint, by whatever name, or are read among `weights` and in a file like one of the two compared."""
    new = program.files.path(checkpoint)
    files = {path.resolve() for path in (new, program.files.inside(checkpoint.file))}
    read = {as_stored(weight).partition("/")[0] for weight in weights}
    hashes = {file_hash(path) for path in (old, new)} if read & others.keys() else set[str]()
    for name, other in others.items():
        path = program.files.path(other)
        if path.resolve() in files or (name in read and file_hash(path) in hashes):
            yield name


def is_vector(program: Program, claim: str) -> bool:
    """Whether a claim compares real vectors, so that their largest entries are what is decided."""
    body = program.typed.scope.claims[claim].formula.body
    kind = program.typed.facts.types[body.operands[0]] if isinstance(body, Compare) else None
    return isinstance(kind, Array) and isinstance(kind.element, RealElement) and bool(kind.dims)


def behind(program: Program, text: str, before: str, claim: str, old: Path) -> Program:
    """A spec with more behind it, and a file for the checkpoint `before`; raises `CircError` with the claim's errors."""
    source, files = program.source, program.files
    instead = {**files.instead, f"{source.key}{before}": old}
    longer = Source(source.name, f"{source.text.rstrip()}\n\n{text}")
    found = check(longer, replace(files, instead=instead), program.params)
    found.require(claim)
    if found.failed:
        raise CircError(*found.diagnostics)
    return found

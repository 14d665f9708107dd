"""Two checkpoints side by side: the claim that a circuit decides alike with either on a domain.

What is asked is a claim like any other, `forall s in D: argmax(f(s)) == argmax(f(s) do { m := before })`, written behind the
spec, so that every engine and every way to replay an input can answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import TypeVar

from circ.compiler.driver import Program, check, checkpoints
from circ.compiler.ir import Weight
from circ.compiler.rewrite import live
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.command import (
    bad_setting,
    compared_elsewhere,
    several_to_compare,
    unknown_setting,
)
from circ.lang.format import bare_item
from circ.lang.parser import parse
from circ.lang.scope import key
from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, CircuitDecl, Compare, DomainDecl
from circ.lang.types import Array, RealElement, fits
from circ.lang.walk import called
from circ.runtime.session import rational, read_text

SEVERAL = 8
"""So many circuits and domains are told, where it is not said which are meant."""

Decl = TypeVar("Decl", CheckpointDecl, CircuitDecl, DomainDecl)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be compared, where it is named: a checkpoint of the spec, a circuit, a domain, and how closely."""

    checkpoint: str | None = None
    circuit: str | None = None
    domain: str | None = None
    within: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Compared:
    """The spec with the older checkpoint beside the newer, and a claim that a circuit decides alike with both."""

    program: Program
    claim: str
    circuit: str
    domain: str
    count: str
    """An expression: on how many inputs it does not."""
    older: str
    """How the claim writes the circuit's value with the older checkpoint."""
    plain: str
    """The circuit's value with the newer one."""

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
    domains = [*declared(program, DomainDecl, "domain", wanted.domain)]
    pairs = [*product(circuits, domains)]
    if len(pairs) > 1:
        pairs = [pair for pair in pairs if takes(program, *pair)]
    found: list[Compared] = []
    wrong: list[CircError] = []
    for circuit, domain in pairs:
        try:
            found.append(written(program, old, decl, circuit, domain, wanted.within))
        except CircError as error:
            wrong.append(error)
        if len(found) == SEVERAL:
            break
    if len(found) == 1:
        return found[0]
    if not found and len(wrong) == 1:
        raise wrong[0]
    words = [f"--of {each.circuit} --on {each.domain}" for each in found]
    raise CircError(several_to_compare(program.source.name, words))


def takes(program: Program, circuit: CircuitDecl, domain: DomainDecl) -> bool:
    """Whether a circuit may take an input of a domain, by their types alone; one with dimensions may."""
    facts = program.typed.facts
    if len(circuit.params) != 1:
        return False
    wanted, given = facts.parameters[circuit.params[0]], facts.domains[domain.value]
    return bool(circuit.dims) or fits(given, wanted)


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
    domain: DomainDecl,
    within: Fraction | None,
) -> Compared:
    """The claim of one circuit on one domain; raises `CircError` with what is wrong in it."""
    scope = program.typed.scope
    taken = {*scope.values, *scope.members, *scope.claims, *scope.patches}
    names = "before", "alike", circuit.params[0].name.text if circuit.params else "x"
    before, claim, x = (free(name, taken) for name in names)
    plain = f"{circuit.name.text}({x})"
    older = f"{plain} do {{ {checkpoint.name.text} := {before} }}"
    other = f"({older})"
    beside = bare_item(replace(checkpoint, name=replace(checkpoint.name, text=before)))

    def said(goal: str) -> Program:
        text = f"forall {x} in {domain.name.text}: {goal}"
        return behind(program, f"{beside}\nclaim {claim}: {text}\n", before, claim, old)

    goal = f"{plain} == {other}"
    if within is not None:
        goal += f" within ({within.numerator} / {within.denominator})"
    found = said(goal)
    if within is None and is_vector(found, claim):
        goal = f"argmax({plain}) == argmax({other})"
        found = said(goal)
    require_alike(found, claim, before, checkpoint, domain)
    count = f"count {{ {x} in {domain.name.text} | not ({goal}) }}"
    return Compared(found, claim, circuit.name.text, domain.name.text, count, older, plain)


def require_alike(
    found: Program, claim: str, before: str, checkpoint: CheckpointDecl, domain: DomainDecl
) -> None:
    """Raise `CircError` (E0712) where more than the circuit's own reading depends on which checkpoint it is."""
    circuit = found.claim(claim).circuit
    domains = [wire for name, wire in circuit.outputs.items() if name.startswith("in ")]
    read = (circuit.ops[wire] for wire in live(circuit, domains))
    at = f"{key(checkpoint)}/"
    if any(isinstance(op, Weight) and op.key.startswith(at) for op in read):
        raise CircError(
            compared_elsewhere(f"the domain `{domain.name.text}`", checkpoint.name.text)
        )
    file = found.files.inside(checkpoint.file).resolve()
    for name, other in checkpoints(found.typed).items():
        if name in (key(checkpoint), f"{found.source.key}{before}"):
            continue
        if other.file.text == checkpoint.file.text and found.files.path(other).resolve() == file:
            raise CircError(compared_elsewhere(f"`{name}`", checkpoint.name.text))


def free(name: str, taken: set[str]) -> str:
    """A name that means nothing in a spec."""
    return name if name not in taken else free(f"{name}_", taken)


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

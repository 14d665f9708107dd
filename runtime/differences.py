"""Two checkpoints side by side: which tensors differ, and whether a circuit decides alike with either on a domain.

What is asked is a claim like any other, `forall s in D: argmax(f(s)) == argmax(f(s) do { m := before })`, written behind the
spec, so that every engine and every way to replay an input can answer it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from fractions import Fraction
from math import hypot
from pathlib import Path
from typing import TypeVar

from circ.compiler.checkpoint import read_header, read_tensor
from circ.compiler.driver import Program, check
from circ.lang.diagnostic import CircError
from circ.lang.errors.command import bad_setting, several_to_compare, unknown_setting
from circ.lang.format import bare_item
from circ.lang.span import Source
from circ.lang.syntax import CheckpointDecl, CircuitDecl, Compare, DomainDecl
from circ.lang.types import Array, RealElement
from circ.lang.walk import called
from circ.runtime.session import rational


@dataclass(frozen=True, slots=True)
class Differs:
    """A tensor that is not the same in two files: how many of its entries differ, and how far they have moved.

    `kind` says instead that it is in one file alone, or of another shape or dtype.
    """

    name: str
    entries: int = 0
    size: int = 0
    l2: float = 0.0
    linf: float = 0.0
    kind: str = ""


def differing(old: Path, new: Path) -> Iterator[Differs]:
    """The tensors that differ, in the order of their names; raises `CircError` for a file that cannot be read."""
    before, after = read_header(old), read_header(new)
    for name in sorted(before.tensors.keys() | after.tensors.keys()):
        was, now = before.tensors.get(name), after.tensors.get(name)
        if was is None or now is None:
            yield Differs(name, kind=f"only in the {'new' if was is None else 'old'} one")
        elif (was.dtype, was.shape) != (now.dtype, now.shape):
            told = [f"{[*tensor.shape]} {tensor.dtype}" for tensor in (was, now)]
            yield Differs(name, kind=f"{told[0]}, now {told[1]}")
        else:
            a, b = read_tensor(old, before, name).values, read_tensor(new, after, name).values
            moved = [y - x for x, y in zip(a, b, strict=True) if x != y]
            if moved:
                yield Differs(name, len(moved), len(a), hypot(*moved), max(map(abs, moved)))


Decl = TypeVar("Decl", CheckpointDecl, CircuitDecl, DomainDecl)


# --- the claim ------------------------------------------------------------------------------


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


def compared(program: Program, old: Path, wanted: Wanted) -> Compared:
    """The claim that `program` says of its checkpoint and of the one in the file `old`.

    Raises `CircError` (E0703, E0711) where it is not clear what is compared, and with what is wrong in it.
    """
    decl = the_checkpoint(program, wanted.checkpoint)
    circuits = outermost([*declared(program, CircuitDecl, "circuit", wanted.circuit)])
    domains = [*declared(program, DomainDecl, "domain", wanted.domain)]
    found: list[Compared] = []
    wrong: list[CircError] = []
    for circuit in circuits:
        for domain in domains:
            try:
                found.append(written(program, old, decl, circuit, domain, wanted.within))
            except CircError as error:
                wrong.append(error)
    if len(found) == 1:
        return found[0]
    if not found and len(wrong) == 1:
        raise wrong[0]
    pairs = [f"--of {each.circuit} --on {each.domain}" for each in found]
    raise CircError(several_to_compare(program.source.name, pairs))


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
    before, claim, x = (free(name, taken) for name in ("before", "alike", "x"))
    plain = f"{circuit.name.text}({x})"
    other = f"({plain} do {{ {checkpoint.name.text} := {before} }})"
    beside = bare_item(replace(checkpoint, name=replace(checkpoint.name, text=before)))

    def said(goal: str) -> Program:
        text = f"forall {x} in {domain.name.text}: {goal}"
        return behind(program, f"{beside}\nclaim {claim}: {text}\n", before, claim, old)

    found = said(f"{plain} == {other}")
    goal = f"{plain} == {other}"
    if within is not None:
        goal += f" within ({within.numerator} / {within.denominator})"
    if within is None and is_vector(found, claim):
        goal = f"argmax({plain}) == argmax({other})"
    count = f"count {{ {x} in {domain.name.text} | not ({goal}) }}"
    return Compared(said(goal), claim, circuit.name.text, domain.name.text, count)


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

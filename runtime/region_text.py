"""Linear regions as a spec: a circuit of guarded affine maps, and the claim that it is what it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fractions import Fraction
from os.path import relpath
from pathlib import Path
from typing import assert_never

from circ.compiler.driver import Program
from circ.compiler.query import parts
from circ.compiler.regions.listed import Region
from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.regions import outside_target
from circ.lang.format import format_module
from circ.lang.parser import parse
from circ.lang.span import Source
from circ.lang.syntax import (
    Component,
    DomainExpr,
    FreshDomain,
    ProductDomain,
    Quoted,
    SubDomain,
    SubProduct,
    TypeDomain,
)
from circ.lang.walk import names as names_in
from circ.lang.walk import walk
from circ.runtime.region_lines import entry_names, scaled
from circ.runtime.regions import Parted

OVER = re.compile(r"\bover\b")


def regions_text(program: Program, found: Parted, folder: Path) -> str:
    """A spec that lies in `folder` and can be proved by itself; raises as `named_from`."""
    binders = found.question.binders
    shape = found.question.circuit.types[found.question.circuit.outputs["goal"]].shape
    taken = used(program, found)
    name = next(n for n in ("pieces", "linear_pieces", "pieces_of_it") if n not in taken)
    claim = next(n for n in ("same", "same_pieces") if n not in taken)
    params = ", ".join(f"{b.name}: {real(b.type.shape)}" for b in binders)
    body, among = halves(found)
    lines = [*uses(program, taken, folder), ""]
    lines += [f"## The linear regions of {body}, each with its affine map."]
    lines += [f"circuit {name}({params}) -> {real(shape)} = {cases(found, shape)}", ""]
    called = f"{name}({', '.join(b.name for b in binders)})"
    lines += [f"claim {claim}: forall {among}:", f"  {called} == {body}"]
    return laid_out("\n".join(lines) + "\n")


def laid_out(text: str) -> str:
    """A spec in its canonical form."""
    diagnostics = Diagnostics()
    module = parse(Source("<regions>", text), diagnostics)
    if diagnostics.failed:
        raise CircError(*diagnostics)
    return format_module(module)


def halves(found: Parted) -> tuple[str, str]:
    """The two sides of the `over` in the question."""
    text, span = found.source.text, found.asked.formula.body.span
    over = OVER.search(text, span.end)
    assert over is not None
    return " ".join(text[: over.start()].split()), " ".join(text[over.end() :].split())


def used(program: Program, found: Parted) -> set[str]:
    """What the question names of the spec, the enums of its members included."""
    scope, formula = program.typed.scope, found.asked.formula
    names = {name for part in parts(formula) for name in names_in(part)}
    for binder in formula.binders:
        names |= named_by(binder.domain)
    names |= {scope.members[name][0].name.text for name in names & scope.members.keys()}
    inside = (e for part in parts(formula) for e in walk(part))
    quoted = {e.member for e in inside if isinstance(e, Quoted)}
    names |= {scope.quotable[member][0].name.text for member in quoted}
    return names & scope.values.keys()


def named_by(domain: DomainExpr) -> set[str]:
    """The domains that a binder's own is made of, by their names."""
    match domain:
        case SubDomain(base=base):
            return {base.text}
        case Component(joint=joint) | SubProduct(joint=joint):
            return named_by(joint.domain)
        case ProductDomain(binders=binders):
            return set[str]().union(*(named_by(binder.domain) for binder in binders))
        case FreshDomain() | TypeDomain():
            return set()
        case _:
            assert_never(domain)


def uses(program: Program, taken: set[str], folder: Path) -> Iterator[str]:
    """What a text in `folder` is to import of the spec, and of what that uses itself."""
    left, spec = set(taken), Path(program.source.name)
    for use in program.typed.module.uses:
        own = [name.text for name in use.names if name.text in left]
        left -= {*own}
        if own:
            module = use.module.text
            if use.is_file:
                module = f'"{named_from(folder, spec.parent / module, program.files.outside)}"'
            yield f"use {module}: {', '.join(own)}"
    if left:
        name = named_from(folder, spec, program.files.outside)
        yield f'use "{name}": {", ".join(sorted(left))}'


def named_from(folder: Path, file: Path, outside: bool) -> str:
    """The path by which a text in `folder` names a file; raises `CircError` (E0332) where it may not."""
    root = folder.resolve()
    if not outside and not file.resolve().is_relative_to(root):
        raise CircError(outside_target(str(folder), str(file)))
    return Path(relpath(file.parent.resolve() / file.name, root)).as_posix()


def real(shape: Sequence[int]) -> str:
    """The type of a tensor of reals."""
    return f"real[{', '.join(map(str, shape))}]" if shape else "real"


def cases(found: Parted, shape: Sequence[int]) -> str:
    """The value, region by region: those without an inside first, since the first arm that holds counts."""
    variables = [*entry_names(found.question)]
    arms = [*sorted(found.regions, key=lambda region: not region.flat)]
    *guarded, last = arms
    if not guarded:
        return value(last, shape, variables)
    lines = [
        f"  {guard(region, variables)} => {value(region, shape, variables)}" for region in guarded
    ]
    return "\n".join(["cases {", *lines, f"  else => {value(last, shape, variables)}", "}"])


def guard(region: Region, variables: Sequence[str]) -> str:
    """Where a region is, among the points of the domain."""
    signs = [
        f"{total(scaled(cut), variables)} {'==' if cut.flat else '>' if cut.strict else '>='} 0"
        for cut in region.cuts
        if cut.kind != "domain"
    ]
    return " and ".join(signs) or "0 == 0"


def value(region: Region, shape: Sequence[int], variables: Sequence[str]) -> str:
    """The value on a region, as nested brackets."""
    return nested([total(row, variables) for row in region.map], shape)


def nested(entries: Sequence[str], shape: Sequence[int]) -> str:
    """Entries in row-major order as nested lists."""
    if not shape:
        return entries[0]
    width = len(entries) // shape[0]
    rows = [nested(entries[k * width : (k + 1) * width], shape[1:]) for k in range(shape[0])]
    return f"[{', '.join(rows)}]"


def total(row: Sequence[Fraction], variables: Sequence[str]) -> str:
    """An affine function, exactly."""
    terms = [(a, v) for a, v in zip(row, variables, strict=False) if a]
    found = [(a, v if abs(a) == 1 else f"{number(abs(a))} * {v}") for a, v in terms]
    if row[-1] or not found:
        found.append((row[-1], number(abs(row[-1]))))
    (first, text), *rest = found
    signed = [f" {'-' if a < 0 else '+'} {part}" for a, part in rest]
    return f"{'-' if first < 0 else ''}{text}{''.join(signed)}"


def number(value: Fraction) -> str:
    """A number that is not negative, to its last digit: a decimal, or a quotient where it is none."""
    twos = fives = 0
    rest = value.denominator
    while rest % 2 == 0:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0:
        rest, fives = rest // 5, fives + 1
    if rest != 1:
        return f"({value.numerator} / {value.denominator})"
    places = max(twos, fives)
    digits = str(value.numerator * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits

"""A module as canonical text: parsing it gives the same module, formatting that the same text.

Documentation is kept; other comments are not part of the syntax tree, and are lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from typing import assert_never

from circ.lang.format_expressions import (
    LONGEST_LINE,
    STEP,
    block,
    format_expression,
)
from circ.lang.format_types import format_type, maybe_type
from circ.lang.syntax import (
    Binder,
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DomainDecl,
    DomainExpr,
    Entry,
    EnumDecl,
    Expr,
    Fold,
    Formula,
    FreshDomain,
    Item,
    Let,
    Module,
    Name,
    NetworkDecl,
    ParamDecl,
    Parameter,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubDomain,
    SubspaceDecl,
    TensorPath,
    Use,
)
from circ.lang.words import DIGITS, quoted, written_name, written_part


def format_module(module: Module) -> str:
    """The whole text: what it uses, then its items, those that take a line each together by kind."""
    text = f"{documentation(module.doc)}\n\n" if module.doc else ""
    written = [(type(item), format_item(item)) for item in module.items]
    if module.uses:
        text += "".join(f"{use(each)}\n" for each in module.uses) + ("\n" if written else "")
    text += "".join(line for _, line in written[:1])
    for (kind, above), (next_kind, below) in pairwise(written):
        together = kind is next_kind and "\n" not in above + below
        text += ("\n" if together else "\n\n") + below
    return text.rstrip("\n") + "\n" if text else ""


def format_item(item: Item) -> str:
    """One item, with its documentation above it."""
    doc = f"{documentation(item.doc)}\n" if item.doc else ""
    return doc + bare_item(item)


def documentation(doc: str) -> str:
    """The lines of `doc` as comments."""
    return "\n".join(f"## {line}".rstrip() for line in doc.split("\n"))


def bare_item(item: Item) -> str:
    """One item without documentation."""
    match item:
        case EnumDecl(name=name, members=members):
            return enum(name.text, [written_name(member.text) for member in members])
        case SpaceDecl(name=name, type=kind):
            return f"space {name.text} = {format_type(kind)}"
        case SubspaceDecl(name=name, space=space, vectors=vectors):
            return spread(f"subspace {name.text} of {space.text} = span", vectors)
        case RecordDecl(name=name, dims=dims, fields=fields):
            return f"record {name.text}{listed(dims)} = {block([entry(e) for e in fields], '')}"
        case CheckpointDecl(name=name, file=file, entries=entries):
            typed = f" {block([entry(e) for e in entries], '')}" if entries else ""
            return f"checkpoint {name.text} from {quoted(file.text)}{typed}"
        case NetworkDecl(name=name, params=params, result=result, file=file):
            takes = ", ".join(map(parameter, params))
            return f"network {name.text}({takes}) -> {format_type(result)} from {quoted(file.text)}"
        case ParamDecl(name=name, type=kind, value=value):
            return f"param {name.text}{maybe_type(kind)} = {format_expression(value)}"
        case CircuitDecl():
            return circuit(item)
        case DomainDecl(name=name, value=value):
            return f"domain {name.text} = {format_domain(value)}"
        case ClaimDecl(formula=formula):
            return headed(f"claim {claim_head(item)}:", formula, "")
        case PatchDecl():
            lines = block([*clauses(item)], "")
            return f"patch {item.name.text} of {item.circuit.text} {lines}"
        case _:
            assert_never(item)


def claim_head(item: ClaimDecl) -> str:
    """`faithful over float32 expects refuted`."""
    over = "" if item.over is None else f" over {item.over.text}"
    return f"{item.name.text}{over}{' expects refuted' if item.expects == 'refuted' else ''}"


def use(found: Use) -> str:
    """`use std.attention: attention`, the names on lines of their own where one is too long."""
    module = quoted(found.module.text) if found.is_file else found.module.text
    names = [name.text for name in found.names]
    flat = f"use {module}: {', '.join(names)}"
    return (
        flat if len(flat) <= LONGEST_LINE else f"use {module}:\n{STEP}" + f",\n{STEP}".join(names)
    )


def enum(name: str, members: Sequence[str]) -> str:
    """An enum on one line if it fits, else a member a line."""
    flat = f"enum {name} = {{ {', '.join(members)} }}"
    return flat if len(flat) <= LONGEST_LINE else f"enum {name} = {block(members, '')}"


def entry(e: Entry) -> str:
    """`blocks.*.W_in: real[32, 16]`; a reserved word is quoted where no `.` stands before it."""
    first, *others = (part.text for part in e.path)
    bare = first == "*" or DIGITS.fullmatch(first)
    steps = [first if bare else written_name(first)]
    steps += (part if part == "*" else written_part(part) for part in others)
    return f"{'.'.join(steps)}: {format_type(e.type)}"


def circuit(item: CircuitDecl) -> str:
    """A circuit: in braces if it has lets, else after `=`."""
    dims = listed(item.dims)
    params = ", ".join(parameter(p) for p in item.params)
    if item.is_guard:
        return spread(f"guard {item.name.text}{dims}({params}) =", item.body)
    head = f"circuit {item.name.text}{dims}({params}) -> {format_type(item.result)}"
    if not item.lets:
        return spread(f"{head} =", item.body)
    lines = [*(let(step) for step in item.lets), f"return {format_expression(item.body, 0, STEP)}"]
    return f"{head} {block(lines, '')}"


def listed(dims: Sequence[Name]) -> str:
    """The dimensions of a circuit or a record."""
    return f"[{', '.join(dim.text for dim in dims)}]" if dims else ""


def spread(head: str, body: Expr, indent: str = "") -> str:
    """`head body`, on two lines where the first would be too long, or for a fold."""
    flat = f"{head} {format_expression(body, 0, indent)}"
    if len(indent) + len(flat.split("\n", 1)[0]) <= LONGEST_LINE and not isinstance(body, Fold):
        return flat
    deeper = indent + STEP
    return f"{head}\n{deeper}{format_expression(body, 0, deeper)}"


def let(step: Let) -> str:
    """`let hidden = e`."""
    value = format_expression(step.value, 0, STEP)
    return f"let {step.name.text}{maybe_type(step.type)} = {value}"


def parameter(p: Parameter) -> str:
    """`s: Char[8]`."""
    return f"{p.name.text}: {format_type(p.type)}"


def format_domain(domain: DomainExpr) -> str:
    """`{ s: T | p }`, `{ s in D | p }` or `D`."""
    match domain:
        case FreshDomain(binder=binder, condition=condition):
            return f"{{ {parameter(binder)}{such_that(condition)} }}"
        case SubDomain(binder=binder, base=base, condition=condition):
            inside = "" if binder is None else f"{binder.text} in {base.text}{such_that(condition)}"
            return f"{{ {inside} }}" if inside else base.text
        case _:
            assert_never(domain)


def such_that(condition: Expr | None) -> str:
    """The condition of a domain."""
    return "" if condition is None else f" | {format_expression(condition)}"


def format_formula(formula: Formula) -> str:
    """`forall s, t in D where p: q`, or a bare condition."""
    head = formula_head(formula, "")
    return spread(head, formula.body) if head else format_expression(formula.body)


def headed(word: str, formula: Formula, indent: str) -> str:
    """A formula after the word or name that it belongs to."""
    head = formula_head(formula, indent)
    return spread(f"{word} {head}" if head else word, formula.body, indent)


def formula_head(formula: Formula, indent: str) -> str:
    """The quantifier with its binders and premise, up to the colon."""
    if not formula.binders:
        return ""
    where = "" if formula.where is None else f" where {format_expression(formula.where, 0, indent)}"
    return f"{formula.quantifier} {', '.join(binders(formula.binders))}{where}:"


def binders(bound: Sequence[Binder]) -> Iterator[str]:
    """Binders by domain: those that were written with one domain share it."""
    for _, group in groupby(bound, key=lambda binder: id(binder.domain)):
        shared = list(group)
        names = ", ".join(binder.name.text for binder in shared)
        yield f"{names} in {format_domain(shared[0].domain)}"


def clauses(item: PatchDecl) -> Iterator[str]:
    """The clauses of a patch, in their usual order."""
    if item.edits:
        yield f"edit {', '.join(tensor_path(path) for path in item.edits)}"
    yield from (headed("require", formula, STEP) for formula in item.require)
    yield from (headed("preserve", formula, STEP) for formula in item.preserve)
    if item.minimize is not None:
        yield f"minimize {item.minimize.text}"


def tensor_path(path: TensorPath) -> str:
    """`m.blocks.0.mlp.W_out`."""
    first, *others = path.parts
    return ".".join([first.text, *(written_part(part.text) for part in others)])

"""A module as canonical text: parsing it gives the same module, formatting that the same text.

Documentation is kept. Other comments are not part of the syntax tree: `circ.lang.format_text` keeps
those of a source.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import assert_never

from circ.lang.format_changes import format_change
from circ.lang.format_columns import claim_start, even, in_columns
from circ.lang.format_domains import format_domain, parameter, variables
from circ.lang.format_expressions import (
    LONGEST_LINE,
    STEP,
    block,
    format_expression,
)
from circ.lang.format_long import filled, fits, fitted
from circ.lang.format_types import format_type, maybe_type
from circ.lang.products import joints, shared
from circ.lang.syntax import (
    Binder,
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    Component,
    DataSet,
    DomainDecl,
    DomainExpr,
    DomainValue,
    Entry,
    EnumDecl,
    Expr,
    Fold,
    Formula,
    Head,
    Item,
    ListExpr,
    Module,
    Name,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
    TypeDomain,
    Use,
)
from circ.lang.words import DIGITS, quoted, written_name, written_part


def format_module(module: Module) -> str:
    """The whole text: what it uses, then its items, those that take a line each together by kind."""
    text = f"{documentation(module.doc)}\n\n" if module.doc else ""
    if module.uses:
        text += "".join(f"{use(each)}\n" for each in module.uses) + ("\n" if module.items else "")
    text += "\n\n".join("\n".join(group) for group in groups(module.items))
    return text.rstrip("\n") + "\n" if text else ""


def groups(items: Sequence[Item]) -> Iterator[list[str]]:
    """The texts of items: neighbours of one kind that take a line each together, others alone."""
    written = [(item, format_item(item)) for item in items]
    keys = [
        str(at) if "\n" in text else type(item).__name__ for at, (item, text) in enumerate(written)
    ]
    for _, group in groupby(zip(keys, written, strict=True), key=lambda each: each[0]):
        together, texts = zip(*(each for _, each in group), strict=True)
        yield in_columns(together, texts) if len(texts) > 1 else [*texts]


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
        case EnumDecl(name=name, file=Name(text=file)):
            return f"enum {name.text} from {quoted(file)}"
        case EnumDecl(name=name, members=members):
            return enum(name.text, [written_name(member.text) for member in members])
        case SpaceDecl(name=name, type=kind):
            return f"space {name.text} = {format_type(kind)}"
        case SubspaceDecl(name=name, space=space, vectors=vectors):
            return spread(f"subspace {name.text} of {space.text} = span", vectors)
        case RecordDecl(name=name, dims=dims, fields=fields):
            return f"record {name.text}{listed(dims)} = {block(typed_paths(fields), '')}"
        case CheckpointDecl(name=name, file=file, entries=entries):
            typed = f" {block(typed_paths(entries), '')}" if entries else ""
            return f"checkpoint {name.text} from {quoted(file.text)}{typed}"
        case NetworkDecl(name=name, params=params, result=result, file=file):
            takes = ", ".join(map(parameter, params))
            stored = "" if file is None else f" from {quoted(file.text)}"
            return f"network {name.text}({takes}) -> {format_type(result)}{stored}"
        case ParamDecl(name=name, type=kind, value=value):
            head = f"param {name.text}{maybe_type(kind)} ="
            return f"{head} {fitted(value, '', len(head) + 1)}"
        case CircuitDecl():
            return circuit(item)
        case DomainDecl():
            return domain(item)
        case ClaimDecl(formula=formula):
            return headed(claim_head(item), formula, "")
        case PatchDecl():
            lines = block([*clauses(item)], "")
            return f"patch {item.name.text} of {item.circuit.text} {lines}"
        case _:
            assert_never(item)


def layouts(item: Item) -> Iterator[str]:
    """An item as `bare_item` has it; then, where it may be, on more lines, with room for comments."""
    yield bare_item(item)
    match item:
        case EnumDecl(file=Name()):
            pass
        case EnumDecl(name=name, members=members):
            yield f"enum {name.text} = {block([written_name(m.text) for m in members], '')}"
        case CircuitDecl(body=body):
            if not item.is_guard:
                yield f"{circuit_head(item)} {block(circuit_lines(item), '')}"
            yield f"{circuit_head(item)} =\n{STEP}{fitted(body, STEP, len(STEP))}"
        case ClaimDecl(formula=formula):
            head = " ".join((claim_head(item), formula_head(formula, ""))).rstrip()
            yield f"{head}\n{STEP}{fitted(formula.body, STEP, len(STEP))}"
        case DomainDecl(name=name, value=value):
            if not isinstance(value, DataSet):
                yield f"domain {name.text} = {broken_domain(value)}"
        case SpaceDecl() | SubspaceDecl() | RecordDecl() | NetworkDecl():
            pass
        case CheckpointDecl() | ParamDecl() | PatchDecl():
            pass
        case _:
            assert_never(item)


def claim_head(item: ClaimDecl) -> str:
    """`claim faithful using a, b: forall i in fin[8]:`, up to the claim's own quantifier."""
    outer = f" {quantified(item.outer, '')}" if item.outer is not None else ""
    return f"{claim_start(item)}{outer}"


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


def typed_paths(entries: Sequence[Entry]) -> list[str]:
    """The entries of a checkpoint, or of a record, their types beneath each other."""
    paths = [f"{path(e)}:" for e in entries]
    types = [format_type(e.type) for e in entries]
    return [f"{start} {kind}" for start, kind in zip(even(paths), types, strict=True)]


def path(e: Entry) -> str:
    """`blocks.*.W_in`; a reserved word is quoted where no `.` stands before it."""
    first, *others = (part.text for part in e.path)
    bare = first == "*" or DIGITS.fullmatch(first)
    steps = [first if bare else written_name(first)]
    steps += (part if part == "*" else written_part(part) for part in others)
    return ".".join(steps)


def circuit(item: CircuitDecl) -> str:
    """A circuit: in braces if it has lets, else after `=`."""
    if item.lets:
        return f"{circuit_head(item)} {block(circuit_lines(item), '')}"
    return spread(f"{circuit_head(item)} =", item.body)


def circuit_head(item: CircuitDecl) -> str:
    """`circuit f[n](x: real[n]) -> real`, the parameters on lines of their own where it is long."""
    dims = listed(item.dims)
    word = "guard" if item.is_guard else "circuit"
    start = f"{word} {item.name.text}{dims}("
    end = ")" if item.is_guard else f") -> {format_type(item.result)}"
    params = [parameter(p) for p in item.params]
    flat = f"{start}{', '.join(params)}{end}"
    if len(flat) + len(" {") <= LONGEST_LINE or not params:
        return flat
    return f"{start}\n{filled(params, STEP)}\n{end}"


def circuit_lines(item: CircuitDecl) -> list[str]:
    """What stands in the braces of a circuit, the values of its lets beneath each other."""
    starts = even([f"let {step.name.text}{maybe_type(step.type)}" for step in item.lets] or [""])
    lets = [
        f"{start} = {fitted(step.value, STEP, len(STEP) + len(start) + 3)}"
        for start, step in zip(starts, item.lets, strict=False)
    ]
    return [*lets, f"return {fitted(item.body, STEP, len(STEP) + len('return '))}"]


def listed(dims: Sequence[Name]) -> str:
    """The dimensions of a circuit or a record."""
    return f"[{', '.join(dim.text for dim in dims)}]" if dims else ""


def spread(head: str, body: Expr, indent: str = "") -> str:
    """`head body`, on two lines where the first would be too long, or for a fold."""
    flat = f"{head} {format_expression(body, 0, indent)}"
    if fits(flat, len(indent)) and not isinstance(body, Fold):
        return flat
    deeper = indent + STEP
    if isinstance(body, ListExpr):
        return f"{head} {fitted(body, indent, len(indent) + len(head) + 1)}"
    return f"{head}\n{deeper}{fitted(body, deeper, len(deeper))}"


def declared_domain(value: DomainValue) -> str:
    """What a domain is declared to be, after its name."""
    if not isinstance(value, DataSet):
        return f" = {format_domain(value)}"
    tensor = "" if value.tensor is None else f" at {quoted(value.tensor.text)}"
    return f": {format_type(value.type)} from {quoted(value.file.text)}{tensor}"


def domain(item: DomainDecl) -> str:
    """A domain on one line if it fits, else its condition on lines of its own."""
    if isinstance(item.value, DataSet):
        return f"domain {item.name.text}{declared_domain(item.value)}"
    start = f"domain {item.name.text} ="
    flat = f"{start} {format_domain(item.value)}"
    return flat if fits(flat, 0) else f"{start} {broken_domain(item.value)}"


def broken_domain(value: DomainExpr) -> str:
    """A domain with its condition on lines of its own."""
    if isinstance(value, TypeDomain | Component) or value.condition is None:
        return format_domain(value)
    return f"{{ {variables(value)} |\n{STEP}{fitted(value.condition, STEP, len(STEP))}\n}}"


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
    return quantified(formula, indent) if formula.binders else ""


def quantified(head: Formula | Head, indent: str) -> str:
    """A quantifier with what it binds, up to the colon."""
    where = "" if head.where is None else f" where {format_expression(head.where, 0, indent)}"
    return f"{head.quantifier} {', '.join(binders(head.binders))}{where}:"


def binders(bound: Sequence[Binder]) -> Iterator[str]:
    """Binders by domain: those that were written with one domain share it."""
    for _, group in groupby(bound, key=lambda binder: id(shared(binder))):
        together = list(group)
        tuples = [joint.written for joint in joints(together)]
        names = tuples or [binder.name.text for binder in together]
        yield f"{', '.join(names)} in {format_domain(shared(together[0]))}"


def clauses(item: PatchDecl) -> Iterator[str]:
    """The clauses of a patch, in their usual order."""
    yield from map(format_change, item.changes)
    yield from (headed("require ", formula, STEP) for formula in item.require)
    yield from (headed("preserve", formula, STEP) for formula in item.preserve)
    if item.minimize is not None:
        yield f"minimize {item.minimize.text}"

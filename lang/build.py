"""From the tree of the grammar to the items and formulas of `circ.lang.syntax`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, cast

from circ.lang.build_changes import CHANGES, change
from circ.lang.build_domains import binders, domain, formula, parameter
from circ.lang.build_expressions import expression
from circ.lang.build_names import Place, name, token, tree
from circ.lang.build_types import maybe_type, type_of
from circ.lang.diagnostic import CircError
from circ.lang.docs import doc_above
from circ.lang.errors.syntax import clause_repeated
from circ.lang.grammar import Part, Token, Tree
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DataSet,
    DomainDecl,
    Entry,
    EnumDecl,
    Head,
    Item,
    Let,
    Name,
    NetworkDecl,
    ParamDecl,
    Parameter,
    PatchDecl,
    Quantifier,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
    TypeExpr,
    Use,
)


def item(found: Tree | Token, at: Place) -> Item | Use:
    """The item that `found` is, with the documentation above it; or what another module gives."""
    part = tree(found)
    if part.data == "use":
        return use(part, at)
    doc = doc_above(at.span(part))
    match part.data:
        case "enum" | "enum_from":
            return enum(part, doc, at)
        case "space":
            declared, kind = part.children
            return SpaceDecl(at.span(part), doc, name(declared, at), type_of(tree(kind), at))
        case "subspace":
            declared, space, vectors = part.children
            return SubspaceDecl(
                at.span(part), doc, name(declared, at), name(space, at), expression(vectors, at)
            )
        case "record":
            declared, dims, *fields = part.children
            typed = tuple(entry(tree(field), at) for field in fields)
            return RecordDecl(at.span(part), doc, name(declared, at), names(dims, at), typed)
        case "checkpoint":
            return checkpoint(part, doc, at)
        case "network":
            return network(part, doc, at)
        case "param":
            declared, kind, value = part.children
            named = name(declared, at)
            return ParamDecl(at.span(part), doc, named, maybe_type(kind, at), expression(value, at))
        case "guard":
            return guard(part, doc, at)
        case "circuit":
            return circuit(part, doc, at)
        case "domain":
            declared, value = part.children
            return DomainDecl(at.span(part), doc, name(declared, at), domain(value, at))
        case "data_set":
            return data_set(part, doc, at)
        case "claim" | "claim_each":
            return claim(part, doc, at)
        case "patch":
            return patch(part, doc, at)
        case rule:
            raise AssertionError(f"no item is built for the rule `{rule}`")


def use(part: Tree, at: Place) -> Use:
    """`use std.attention: attention`."""
    origin, *names = part.children
    if isinstance(origin, Token):
        module = name(origin, at)
    else:
        path = tree(origin)
        module = Name(".".join(str(step) for step in path.children), at.span(path))
    used = tuple(name(word, at) for word in names)
    return Use(at.span(part), module, isinstance(origin, Token), used)


def enum(part: Tree, doc: str, at: Place) -> EnumDecl:
    """`enum Quote = { … }`, `enum Char from "vocab.json"`."""
    declared, *words = (name(word, at) for word in part.children)
    if part.data == "enum_from":
        return EnumDecl(at.span(part), doc, declared, (), words[0])
    return EnumDecl(at.span(part), doc, declared, tuple(words), None)


def checkpoint(part: Tree, doc: str, at: Place) -> CheckpointDecl:
    """`checkpoint m from "file" { … }`."""
    declared, file, *entries = part.children
    typed = tuple(entry(tree(e), at) for e in entries)
    return CheckpointDecl(at.span(part), doc, name(declared, at), name(file, at), typed)


def entry(part: Tree, at: Place) -> Entry:
    """`blocks.*.W_in: real[32, 16]`."""
    *path, kind = part.children
    return Entry(at.span(part), tuple(name(step, at) for step in path), type_of(tree(kind), at))


def guard(part: Tree, doc: str, at: Place) -> CircuitDecl:
    """`guard opened(x: Resid) = dot(m.dir, x) > 0.5`."""
    declared, dims, params, body = part.children
    named = name(declared, at)
    return CircuitDecl(
        at.span(part),
        doc,
        named,
        names(dims, at),
        parameters(params, at),
        TypeExpr(named.span, Name("bool", named.span), ()),
        (),
        expression(body, at),
        is_guard=True,
    )


def circuit(part: Tree, doc: str, at: Place) -> CircuitDecl:
    """`circuit f[n](x: real[n]) -> real[n] …`; the lets of a `= e` are none."""
    declared, dims, params, result, *lets, body = part.children
    return CircuitDecl(
        at.span(part),
        doc,
        name(declared, at),
        names(dims, at),
        parameters(params, at),
        type_of(tree(result), at),
        tuple(let(tree(step), at) for step in lets),
        expression(body, at),
    )


def names(listed: Part, at: Place) -> tuple[Name, ...]:
    """The dimensions of a circuit or the lemmas of a claim, if it has any."""
    return () if listed is None else tuple(name(word, at) for word in tree(listed).children)


def parameters(part: Part, at: Place) -> tuple[Parameter, ...]:
    """What a circuit takes."""
    return tuple(parameter(tree(p), at) for p in tree(part).children)


def let(part: Tree, at: Place) -> Let:
    """`let hidden = e`."""
    declared, kind, value = part.children
    return Let(at.span(part), name(declared, at), maybe_type(kind, at), expression(value, at))


# --- domains, claims -----------------------------------------------------------------


def network(part: Tree, doc: str, at: Place) -> NetworkDecl:
    """`network net(x: real[4]) -> real[2] from "net.onnx"`, or without a file."""
    declared, params, result, file = part.children
    named, takes = name(declared, at), parameters(params, at)
    found = None if file is None else name(file, at)
    return NetworkDecl(at.span(part), doc, named, takes, type_of(tree(result), at), found)


def data_set(part: Tree, doc: str, at: Place) -> DomainDecl:
    """`domain Data: Char[8] from "prompts.json"`, which may end in `at "tensor"`."""
    declared, kind, file, tensor = part.children
    chosen = None if tensor is None else name(tensor, at)
    first, last = tree(kind), token(part.children[2] if tensor is None else tensor)
    span = at.span(first).to(at.span(last))
    rows = DataSet(span, type_of(first, at), name(file, at), chosen)
    return DomainDecl(at.span(part), doc, name(declared, at), rows)


def claim(part: Tree, doc: str, at: Place) -> ClaimDecl:
    """`claim name [using a, b] [over float32] [expects refuted]: …`."""
    declared, lemmas, floats, outcome, *outer, body = part.children
    named, using = name(declared, at), names(lemmas, at)
    over = None if floats is None else name(floats, at)
    expects = cast(Literal["proved", "refuted"], str(outcome or "proved"))
    each = head(tree(outer[0]), at) if outer else None
    return ClaimDecl(at.span(part), doc, named, using, over, expects, each, formula(body, at))


def head(part: Tree, at: Place) -> Head:
    """`forall i in fin[8] where p:`, before another quantifier."""
    quantifier, among, where = part.children
    bound = tuple(b for group in tree(among).children for b in binders(tree(group), at))
    premise = None if where is None else expression(where, at)
    return Head(at.span(part), cast(Quantifier, str(quantifier)), bound, premise)


# --- patches -----------------------------------------------------------------------------------


def patch(part: Tree, doc: str, at: Place) -> PatchDecl:
    """`patch p of f { … }`, its clauses gathered by kind."""
    declared, target, *clauses = part.children
    by_kind: dict[str, list[Tree]] = {}
    for clause in clauses:
        by_kind.setdefault(tree(clause).data, []).append(tree(clause))
    least = only_one(by_kind.get("minimize", []), at)
    only_one(by_kind.get("edit_clause", []), at)
    return PatchDecl(
        at.span(part),
        doc,
        name(declared, at),
        name(target, at),
        tuple(change(tree(clause), at) for clause in clauses if tree(clause).data in CHANGES),
        tuple(formula(clause.children[0], at) for clause in by_kind.get("require", [])),
        tuple(formula(clause.children[0], at) for clause in by_kind.get("preserve", [])),
        minimized(least, at),
    )


def only_one(clauses: Sequence[Tree], at: Place) -> Sequence[Part]:
    """What follows the word of a clause that may stand once, or nothing."""
    if len(clauses) > 1:
        first, again = (token(clause.children[0]) for clause in clauses[:2])
        raise CircError(clause_repeated(at.span(again), at.span(first), str(again)))
    return clauses[0].children[1:] if clauses else ()


def minimized(parts: Sequence[Part], at: Place) -> Name | None:
    """The norm of `minimize l2`, where there is one."""
    return name(parts[0], at) if parts else None

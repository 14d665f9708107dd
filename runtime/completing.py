"""What may stand behind a text, for editors and sessions: a text that is being written seldom parses."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from circ.compiler.driver import Program
from circ.compiler.sources import standard_modules, standard_source
from circ.lang.check.context import Context
from circ.lang.check.functions import FUNCTIONS
from circ.lang.check.sites import callee as site_callee
from circ.lang.check.sites import named_site, own_sites
from circ.lang.diagnostic import Diagnostics
from circ.lang.headers import Header
from circ.lang.parser import ITEM_START, parse
from circ.lang.reach import wire
from circ.lang.scope import Scope, Value, key
from circ.lang.syntax import (
    Call,
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    Comprehension,
    Do,
    DomainDecl,
    EnumDecl,
    Expr,
    Fold,
    Let,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
)
from circ.lang.types import INVALID
from circ.lang.types import show as type_text
from circ.lang.words import RESERVED, TYPES, written_name, written_part
from circ.runtime.repl.about import item_line

LONGEST_LOOK = 1000
"""Characters before the cursor that are looked at for a path or a call's name."""

PATH = re.compile(r'(?<!\w)([A-Za-z_]\w*)((?:\.(?:\w+|"[^"\n]*"))*)\.(\w*)$')
SITE = re.compile(r"\)((?:\.\w+)*)\.\w*$")
WORD = re.compile(r"(?<!\w)[A-Za-z_]\w*$")
USE = re.compile(r"^[ \t]*use[ \t]+([\w.]*)$")
USED = re.compile(r"^[ \t]*use[ \t]+(std\.\w+)[ \t]*:[ \t]*(?:\w+[ \t]*,[ \t]*)*\w*$")
BOUND = re.compile(
    r"\blet[ \t]+(\w+)|\bfold[ \t]+(\w+)|\b(\w+)[ \t]*:(?!=)|\b(\w+)(?:[ \t]*,[ \t]*(\w+))?[ \t]+in\b"
)

MOST_SHOWN = 1000

What = Literal[
    "Enum", "Struct", "Interface", "Class", "Module", "Function", "Constant", "Value",
    "EnumMember", "Folder", "Field", "Variable", "Keyword",
]  # fmt: skip
"""What is proposed, in the words of the editors' protocol."""

KINDS: Mapping[type[Value], What] = {
    EnumDecl: "Enum",
    SpaceDecl: "Struct",
    SubspaceDecl: "Interface",
    RecordDecl: "Class",
    CheckpointDecl: "Module",
    NetworkDecl: "Function",
    ParamDecl: "Constant",
    CircuitDecl: "Function",
    DomainDecl: "Value",
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the name at the end of a text may be: its words, and what is known of it."""

    label: str
    what: What
    detail: str | None = None
    doc: str | None = None


def proposals(program: Program, before: str) -> list[Proposal]:
    """What may stand behind a text, each thing once."""
    line = before[before.rfind("\n") + 1 :]
    if in_comment_or_string(line):
        return []
    near = line[-LONGEST_LOOK:]
    found = {each.label: each for each in reversed([*possible(program, before, near)])}
    return [*reversed(found.values())][:MOST_SHOWN]


def in_comment_or_string(line: str) -> bool:
    """Whether the end of a line is no place for a name."""
    bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
    return "#" in bare or bare.count('"') % 2 == 1


def possible(program: Program, before: str, line: str) -> Iterator[Proposal]:
    """By what stands before: a `use`, a path, or anything."""
    module, used = USE.search(line), USED.search(line)
    site, path = SITE.search(line), PATH.search(line)
    if module is not None:
        yield from plain(standard_modules(), "Module")
    elif used is not None:
        yield from declared_in(used[1])
    elif site is not None:
        call = before[: len(before) - len(site[0]) + 1]
        yield from sites_of(call, [*parts(site[1])], program)
    elif path is not None:
        yield from below(path[1], [*parts(path[2])], program)
    else:
        yield from anywhere(program, before)


def plain(words: Iterable[str], kind: What) -> Iterator[Proposal]:
    """Words of one kind."""
    return (Proposal(word, kind) for word in words)


def declared_in(module: str) -> Iterator[Proposal]:
    """What a module of the standard library declares."""
    if module in standard_modules():
        for item in parse(standard_source(module), Diagnostics()).items:
            if not isinstance(item, ClaimDecl | PatchDecl):
                yield declaration(item.name.text, item)


def declaration(name: str, item: Value) -> Proposal:
    """A declaration with its head and its words."""
    detail, doc = item_line(item), item.doc or None
    return Proposal(name, KINDS[type(item)], detail, doc)


# --- paths -------------------------------------------------------------------------------------


def parts(path: str) -> Iterator[str]:
    """`.blocks."odd key"` as its parts."""
    return (found[0].strip('"') for found in re.finditer(r'\w+|"[^"\n]*"', path))


def below(name: str, path: list[str], program: Program) -> Iterator[Proposal]:
    """What may follow a path: parts of names of tensors, members of an enum, sites of a circuit."""
    typed = program.typed
    item = typed.scope.values.get(name)
    if isinstance(item, CheckpointDecl):
        yield from next_parts(path, typed.facts.headers.get(key(item), {}))
    elif isinstance(item, EnumDecl) and not path:
        names = [written_part(member.text) for member in item.members]
        yield from plain(names, "EnumMember")


def next_parts(path: list[str], header: Header) -> Iterator[Proposal]:
    """The parts that follow a path in the names of tensors, with the shape where one is whole."""
    start = "".join(f"{part}." for part in path)
    for name, info in header.items():
        if name.startswith(start):
            part, more, _ = name[len(start) :].partition(".")
            detail = "" if more else f"real{list(info.shape) or ''} ({info.dtype})"
            kind: What = "Folder" if more else "Field"
            yield Proposal(written_part(part), kind, detail)


def sites_of(before: str, path: list[str], program: Program) -> Iterator[Proposal]:
    """The sites below a path of the call that the text ends with, `f(x).mixed.`."""
    typed = program.typed
    ctx = Context(typed.facts)
    item: Value | Expr | None = typed.scope.values.get(callee(before))
    for part in path:
        item, ctx = value_at(item, part, ctx)
    while isinstance(item, Comprehension | Fold):
        if isinstance(item, Fold):
            state = type_text(typed.facts.types.get(item, INVALID))
            yield Proposal(item.state.text, "Variable", state)
        item = item.body
    item = called_by(item, ctx)
    if isinstance(item, CircuitDecl):
        for site in own_sites(item):
            means = wire(site, ctx)
            yield Proposal(means.name.text, "Variable", type_text(means.type))


def value_at(item: Value | Expr | None, part: str, ctx: Context) -> tuple[Expr | None, Context]:
    """What a `let` below a circuit, or below what calls one, stands for, and where."""
    while isinstance(item, Comprehension | Fold):
        item = item.body
    decl = called_by(item, ctx)
    site = named_site(decl, part) if isinstance(decl, CircuitDecl) else None
    inside = ctx if decl is None else ctx.inside(decl)
    return (site.value if isinstance(site, Let) else None), inside


def called_by(item: Value | Expr | None, ctx: Context) -> Value | None:
    """A declaration itself, or the one that an expression calls."""
    if not isinstance(item, Call | Do):
        return item if isinstance(item, CircuitDecl) else None
    found = site_callee(item, ctx)
    return None if found is None else found.decl


def callee(text: str) -> str:
    """The name before the brackets that a text ends with; empty where there is none."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] in ")]}") - (text[at] in "([{")
        if depth <= 0:
            name = WORD.search(text[max(0, at - LONGEST_LOOK) : at])
            return name[0] if name and text[at] == "(" else ""
    return ""


# --- names -------------------------------------------------------------------------------------


def anywhere(program: Program, before: str) -> Iterator[Proposal]:
    """What is bound in the item that is being written, what the spec declares, and words."""
    scope = program.typed.scope
    yield from plain(bound_before(before), "Variable")
    yield from (declaration(name, item) for name, item in scope.values.items())
    yield from members(scope)
    for name, function in FUNCTIONS.items():
        yield Proposal(name, "Function", function.arguments, function.doc)
    yield from plain(TYPES, "Struct")
    yield from plain(sorted(RESERVED), "Keyword")


def members(scope: Scope) -> Iterator[Proposal]:
    """The members that one enum has; one of several is written with its enum."""
    for name, enums in scope.members.items():
        written = [f"{enum.name.text}.{written_part(name)}" for enum in enums]
        for label in written if len(enums) > 1 else (written_name(name),):
            yield Proposal(label, "EnumMember")


def bound_before(before: str) -> list[str]:
    """Names that look bound in the item that the text ends in."""
    starts = [found.start() for found in ITEM_START.finditer(before)]
    item = before[starts[-1] :] if starts else before
    names = (name for found in BOUND.finditer(item) for name in found.groups() if name)
    return [name for name in dict.fromkeys(names) if name not in RESERVED and not name[0].isdigit()]

"""What a session says about names, types and itself; nothing here decides or evaluates anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import assert_never

from circ.compiler.driver import Program
from circ.compiler.lower.domains import names_of
from circ.compiler.query import Defined, Known, Named, Names
from circ.lang.check.functions import FUNCTIONS
from circ.lang.diagnostic import CircError
from circ.lang.errors.names import unknown_name
from circ.lang.format import (
    bare_item,
    claim_head,
    declared_domain,
    format_formula,
    format_item,
)
from circ.lang.format_domains import parameter
from circ.lang.format_types import format_type
from circ.lang.headers import Header
from circ.lang.scope import Value, kind
from circ.lang.span import Source, Span
from circ.lang.syntax import (
    CheckpointDecl,
    CircuitDecl,
    ClaimDecl,
    DomainDecl,
    EnumDecl,
    Item,
    Name,
    NetworkDecl,
    ParamDecl,
    PatchDecl,
    RecordDecl,
    SpaceDecl,
    SubspaceDecl,
)
from circ.lang.types import Array, Group, Invalid, Record, Tuple, described, size
from circ.lang.types import show as type_text
from circ.lang.words import written_name
from circ.runtime.show import decimal_text, member_text, tensor_text

COMMANDS = {
    ":values": "every circuit on running examples, exact and PyTorch's",
    ":example": "set a running example: `:example s = …`, `:example s in D where …`; or list them",
    ":type": "the type of an expression, without evaluating it",
    ":claims": "the claims of the spec",
    ":names": "what is declared, and the running examples",
    ":doc": "what is written about a name, or what a function does",
    ":timeout": "how many seconds a claim, a range or a count may take",
    ":load": "go over to another spec; what fits it of this session is kept",
    ":reload": "read the spec again (a change of its files is seen without it)",
    ":help": "this text (so does `help`)",
    ":quit": "leave (so do `exit`, `quit` and Ctrl-D)",
}

EXAMPLES = (
    ("argmax(model(s))", "an expression: its type, its exact value, and PyTorch's"),
    ("s = [letter, single, blank]", "a running example, to be used by its name"),
    ("let s = [letter, single, blank]", "the same"),
    ("circuit last(s: Char[3]) -> Char = s[2]", "a definition: its value on a running example"),
    ("model(s) do { hidden := 0 }", "with a wire replaced, beside the same without"),
    ("trace model(s)", "the sites and guards that a call goes through, with margins"),
    ("prove faithful", "decide a claim"),
    ("prove forall s in D: p(s) == q(s)", "decide any formula"),
    ("find s in D where p(s) != q(s)", "look for an input; `s` is then that input"),
    ("count { s in D | p(s) }", "how many inputs of a domain meet a condition"),
    ("range e over s in D", "how small and how large a number gets, and where"),
    ("range margin(p) over s in D", "how far a truth is from changing"),
    ("regions f on D", "the affine maps that a circuit is made of on a box"),
    (":type m.blocks.0", "the tensors of a checkpoint below a name"),
    (":doc argmax", "what a function does"),
)

REST = (
    "A line goes on, after `...`, while a bracket is open or its end asks for more, as `where` does.",
    "An empty line ends it; Ctrl-C drops it, and stops what runs, with what was found so far.",
)
"""What to know of lines."""

SESSION_WORDS = ("it", "prove", "find", "range", "regions", "trace")
"""What no running example is called."""

MOST_TENSORS = 200
"""Tensors listed of a checkpoint."""


def help_text() -> str:
    """The language of a session, by examples, and its commands."""
    wide = max(len(example) for example, _ in EXAMPLES)
    examples = [f"  {example:<{wide}}   {words}" for example, words in EXAMPLES]
    commands = [f"  {word:<{wide}}   {words}" for word, words in COMMANDS.items()]
    return "\n".join([*examples, "", *commands, "", *REST])


# --- names ------------------------------------------------------------------------------------


def names_text(program: Program, names: Names) -> str:
    """A line for everything that can be named."""
    typed = program.typed
    own = [item for item in typed.module.items if not is_asked(item)]
    used = [item for item in typed.scope.values.values() if item not in own]
    lines = [*map(item_line, (*used, *own)), *(named_line(n, v) for n, v in names.items())]
    return "\n".join(lines) or "the spec declares nothing"


def is_asked(item: Item) -> bool:
    """Whether an item is something to be proved."""
    return isinstance(item, ClaimDecl | PatchDecl)


def item_line(item: Item) -> str:
    """An item's head: what it is called and what type it has."""
    match item:
        case EnumDecl(file=Name()):
            return bare_item(item)
        case EnumDecl(name=name, members=members):
            return f"enum {name.text} = {{ {', '.join(written_name(m.text) for m in members)} }}"
        case SpaceDecl(name=name, type=kind):
            return f"space {name.text} = {format_type(kind)}"
        case SubspaceDecl(name=name, space=space):
            return f"subspace {name.text} of {space.text}"
        case RecordDecl() | NetworkDecl():
            return on_one_line(bare_item(item))
        case CheckpointDecl(name=name, file=file):
            return f'checkpoint {name.text} from "{file.text}"'
        case ParamDecl(name=name):
            return f"param {name.text}"
        case CircuitDecl(name=name, dims=dims, params=params, result=result):
            sizes = f"[{', '.join(dim.text for dim in dims)}]" if dims else ""
            takes = ", ".join(map(parameter, params))
            if item.is_guard:
                return f"guard {name.text}{sizes}({takes})"
            return f"circuit {name.text}{sizes}({takes}) -> {format_type(result)}"
        case DomainDecl(name=name, value=value):
            return on_one_line(f"domain {name.text}{declared_domain(value)}")
        case ClaimDecl(formula=formula):
            return f"{claim_head(item)} {on_one_line(format_formula(formula))}"
        case PatchDecl(name=name, circuit=circuit):
            return f"patch {name.text} of {circuit.text}"
        case _:
            assert_never(item)


def examples_text(names: Names, chosen: Mapping[str, Known | None]) -> str:
    """A line for each running example, and for each input of a domain that stands in where none fits."""
    found = [named_line(name, named) for name, named in names.items()]
    inputs = ((domain, known) for domain, known in chosen.items() if known is not None)
    found += [f"of {domain}: {named_text(known)}" for domain, known in inputs]
    return "\n".join(found) or "no example is set; each circuit is shown on an input of a domain"


def named_line(name: str, named: Named) -> str:
    """A running example."""
    return f"{name}: {type_text(named.type)} = {named_text(named)}"


def named_text(named: Named) -> str:
    """An example's own words, or its entries."""
    match named:
        case Defined(source=source):
            return on_one_line(source.text)
        case Known():
            return entries_text(named)
        case _:
            assert_never(named)


def entries_text(known: Known) -> str:
    """The entries of an input that was found."""
    members = names_of(known.type)
    entries = [
        member_text(members[int(x)]) if members else decimal_text(Fraction(x))
        for x in known.entries
    ]
    return tensor_text(entries, tuple(size(dim) or 0 for dim in known.type.dims))


def on_one_line(text: str) -> str:
    """Text without its line breaks."""
    return " ".join(text.split())


def claims_text(program: Program) -> str:
    """A line for every claim."""
    lines = [item_line(claim) for claim in program.typed.scope.claims.values()]
    return "\n".join(lines) or "the spec claims nothing"


# --- types ------------------------------------------------------------------------------------


def typed_text(program: Program, defined: Defined) -> str:
    """A type; of a group, the tensors in it."""
    found = defined.type
    match found:
        case Array() | Tuple() | Record() | Invalid():
            return type_text(found)
        case Group(checkpoint=checkpoint, prefix=prefix):
            header = program.typed.facts.headers[checkpoint]
            return "\n".join([described(found), *tensors_below(checkpoint, prefix, header)])
        case _:
            assert_never(found)


def tensors_below(checkpoint: str, prefix: tuple[str, ...], header: Header) -> Iterator[str]:
    """The tensors of a group with their shapes."""
    start = "".join(f"{part}." for part in prefix)
    inside = {name: info for name, info in header.items() if name.startswith(start)}
    for name, info in list(inside.items())[:MOST_TENSORS]:
        yield f"  {checkpoint}.{name}: real{list(info.shape) if info.shape else ''} ({info.dtype})"
    if len(inside) > MOST_TENSORS:
        yield f"  … {len(inside) - MOST_TENSORS} more"


# --- documentation ----------------------------------------------------------------------------


def doc_text(program: Program, names: Names, source: Source) -> str:
    """What is known of the name in `source`; raises `CircError` where nothing is."""
    name = source.text
    scope = program.typed.scope
    item: Value | ClaimDecl | PatchDecl | None = (
        scope.values.get(name) or scope.claims.get(name) or scope.patches.get(name)
    )
    if name in names:
        return named_line(name, names[name])
    if item is not None:
        return format_item(item)
    if name in scope.members:
        return "\n".join(membership(name, enum) for enum in scope.members[name])
    if name in FUNCTIONS:
        function = FUNCTIONS[name]
        return f"{name}: {function.doc} ({function.arguments})"
    if name in COMMANDS:
        return f"{name}: {COMMANDS[name]}"
    known = [*names, *scope.values, *scope.claims, *scope.patches, *scope.members, *FUNCTIONS]
    raise CircError(unknown_name(Span(source, 0, len(name)), name, known))


def membership(name: str, enum: EnumDecl) -> str:
    """Which member of which enum a name is."""
    place = [member.text for member in enum.members].index(name)
    return f"{written_name(name)}: member {place} of the enum `{enum.name.text}`"


def what_is(program: Program, name: str) -> str | None:
    """What a name means apart from the session, in words; None where it is free."""
    scope = program.typed.scope
    item = scope.values.get(name) or scope.claims.get(name) or scope.patches.get(name)
    if item is not None:
        return f"{kind(item)} of the spec"
    if name in scope.members:
        return f"a member of `{scope.members[name][0].name.text}`"
    if name in FUNCTIONS:
        return "a function of the language"
    return "a word of this session" if name in SESSION_WORDS else None

"""What a spec looks like at each stage, as text: the views that documents of tests may ask for.

A view is a function from a source and the folder of its files to text; adding one is adding a row
to `VIEWS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from circ.compiler.driver import Program, check
from circ.compiler.finding import Limits
from circ.compiler.obligation import Reals, Words
from circ.compiler.stored import Files
from circ.lang.diagnostic import Diagnostics
from circ.lang.format import format_module
from circ.lang.parser import parse
from circ.lang.render import render
from circ.lang.span import Source
from circ.lang.syntax import Module
from circ.runtime.claim_lines import claim_lines
from circ.runtime.claims import Claims
from circ.runtime.commands.patch import result_lines
from circ.runtime.patches.make import make_patch
from tests.mdtest import View
from tests.outline import outline
from tests.print_ir import print_ir
from tests.typed import typed

SPEC_NAME = "spec.circ"


def diagnose(text: str, folder: Path) -> Diagnostics:
    """All that is found wrong with a spec whose files lie in `folder`, before anything is decided."""
    return checked(text, folder).diagnostics


def checked(text: str, folder: Path) -> Program:
    """A spec whose files lie in `folder`, with all that is found wrong with it."""
    return check(Source(SPEC_NAME, text), Files(folder), {})


def right(text: str, folder: Path) -> Program:
    """A spec without errors."""
    program = checked(text, folder)
    assert not program.diagnostics.failed, shown(program.diagnostics)
    return program


def parsed(text: str) -> tuple[Module, Diagnostics]:
    """The module that `text` says, and what is wrong with its syntax."""
    diagnostics = Diagnostics()
    return parse(Source(SPEC_NAME, text), diagnostics), diagnostics


def clean(text: str) -> Module:
    """The module of a text without syntax errors."""
    module, diagnostics = parsed(text)
    assert not diagnostics.found, diagnostics.found[0].headline
    return module


def view_ast(text: str, folder: Path) -> str:
    """The syntax tree, a node a line."""
    module = clean(text)
    return "".join(f"{outline(part)}\n" for part in (*module.uses, *module.items))


def view_format(text: str, folder: Path) -> str:
    """The canonical text."""
    return format_module(clean(text))


def view_syntax(text: str, folder: Path) -> str:
    """What is wrong with the syntax, as a terminal shows it."""
    return shown(parsed(text)[1])


def view_diagnostics(text: str, folder: Path) -> str:
    """Every diagnostic, as a terminal shows it."""
    return shown(diagnose(text, folder))


def view_types(text: str, folder: Path) -> str:
    """The types of sites, results and domains, and of what claims compare."""
    return "".join(f"{line}\n" for line in typed(right(text, folder).typed))


def view_ir(text: str, folder: Path) -> str:
    """The circuit of the last claim's obligation, an op a line, and what its variables range over."""
    program = right(text, folder)
    obligation = program.claim(list(program.typed.scope.claims)[-1])
    ranges = "".join(f"{bound.name} in {values(bound.values)}\n" for bound in obligation.binders)
    return print_ir(obligation.circuit) + ranges


def view_verdicts(text: str, folder: Path) -> str:
    """The verdict on each claim, with its evidence."""
    return "".join(f"{line}\n" for lines in told(text, folder) for line in lines)


def view_outcomes(text: str, folder: Path) -> str:
    """The verdict on each claim."""
    return "".join(f"{lines[0]}\n" for lines in told(text, folder))


def told(text: str, folder: Path) -> list[list[str]]:
    """What is said of each claim, in lines."""
    program = right(text, folder)
    claims = Claims(program, Limits())
    answers = [claims.answer(name) for name in program.typed.scope.claims]
    return [[line.text for line in claim_lines(replace(reply, seconds=None))] for reply in answers]


def view_patches(text: str, folder: Path) -> str:
    """What comes of each patch, and how far each tensor of it moves."""
    program = right(text, folder)
    made = [
        make_patch(program.patch(name), program.weights) for name in program.typed.scope.patches
    ]
    lines = [line for result in made for line in result_lines(result, 0.0)]
    return "".join(f"{line.text}\n" for line in lines)


def values(ranged: Reals | Words) -> str:
    """A box, or the members that a word is made of."""
    if isinstance(ranged, Words):
        return f"words over {', '.join(ranged.members)}"
    return " x ".join(f"[{low}, {high}]" for low, high in ranged.box)


def shown(diagnostics: Diagnostics) -> str:
    """Diagnostics as text, a blank line between them."""
    return "\n\n".join(render(diagnostic) for diagnostic in diagnostics) + "\n"


VIEWS: Mapping[str, View] = {
    "ast": view_ast,
    "format": view_format,
    "syntax": view_syntax,
    "diagnostics": view_diagnostics,
    "types": view_types,
    "ir": view_ir,
    "verdicts": view_verdicts,
    "outcomes": view_outcomes,
    "patches": view_patches,
}

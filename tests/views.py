"""What a spec looks like at each stage, as text: the views that documents of tests may ask for.

A view is a function from a source and the folder of its files to text; adding one is adding a row
to `VIEWS`.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from circ.lang.diagnostic import Diagnostics
from circ.lang.format import format_module
from circ.lang.parser import parse
from circ.lang.render import render
from circ.lang.span import Source
from circ.lang.syntax import Module
from tests.mdtest import View
from tests.outline import outline

SPEC_NAME = "spec.circ"


def diagnose(text: str, folder: Path) -> Diagnostics:
    """All that is found wrong with a spec whose files lie in `folder`, up to its types."""
    _, diagnostics = parsed(text)
    return diagnostics


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
    return "".join(f"{outline(item)}\n" for item in clean(text).items)


def view_format(text: str, folder: Path) -> str:
    """The canonical text."""
    return format_module(clean(text))


def view_syntax(text: str, folder: Path) -> str:
    """What is wrong with the syntax, as a terminal shows it."""
    return shown(parsed(text)[1])


def view_diagnostics(text: str, folder: Path) -> str:
    """Every diagnostic, as a terminal shows it."""
    return shown(diagnose(text, folder))


def shown(diagnostics: Diagnostics) -> str:
    """Diagnostics as text, a blank line between them."""
    return "\n\n".join(render(diagnostic) for diagnostic in diagnostics) + "\n"


VIEWS: Mapping[str, View] = {
    "ast": view_ast,
    "format": view_format,
    "syntax": view_syntax,
    "diagnostics": view_diagnostics,
}

"""`circ explain`: an error's page, or what a spec says of itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from circ.lang.diagnostic import CircError, Diagnostics
from circ.lang.errors.command import no_claim, no_page
from circ.lang.format import format_item
from circ.lang.parser import parse
from circ.lang.span import Source
from circ.lang.syntax import Item, Module
from circ.runtime.exits import Exit
from circ.runtime.session import read_text
from circ.runtime.terminal import show_source, show_text

CODE = re.compile(r"[EW]\d{4}")


def run_explain(what: str | None, name: str | None) -> int:
    """Show a page, or which there are; raises `CircError` where there is none."""
    if what is None:
        show_text("\n".join(codes()))
    elif CODE.fullmatch(what.upper()):
        show_text(page(what.upper()))
    elif name is None:
        show_text(overview(module_of(what)))
    else:
        show_source(format_item(item_of(what, name)))
    return Exit.AS_CLAIMED


def codes() -> Iterator[str]:
    """Every error's code, and what is wrong, in a line."""
    pages = sorted(files("circ.docs").joinpath("errors").iterdir(), key=lambda page: page.name)
    for each in pages:
        title = each.read_text(encoding="utf-8").partition("\n")[0]
        code, _, what = title.removeprefix("# ").partition(": ")
        yield f"{code}  {what}"


def page(code: str) -> str:
    """The page of an error."""
    found = files("circ.docs").joinpath("errors", f"{code}.md")
    if not found.is_file():
        raise CircError(no_page(code))
    return found.read_text(encoding="utf-8")


def module_of(spec: str) -> Module:
    """A spec without errors of syntax; raises `CircError` for others."""
    diagnostics = Diagnostics()
    module = parse(Source(spec, read_text(Path(spec))), diagnostics)
    if diagnostics.failed:
        raise CircError(*diagnostics)
    return module


def item_of(spec: str, name: str) -> Item:
    """One of its items; raises `CircError` where it has none of that name."""
    module = module_of(spec)
    found = [item for item in module.items if item.name.text == name]
    if not found:
        names = [item.name.text for item in module.items]
        raise CircError(no_claim("item", name, names))
    return found[0]


def overview(module: Module) -> str:
    """The spec's own documentation, and a line for each item."""
    rows = [f"{item.name.text}: {first_line(item.doc)}".rstrip(": ") for item in module.items]
    return "\n".join([*([module.doc, ""] if module.doc else []), *rows])


def first_line(doc: str) -> str:
    """The first line of a documentation."""
    return doc.strip().split("\n", 1)[0]

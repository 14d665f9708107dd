"""The page of the standard library is what its modules have: circuits, sites and records."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from circ.compiler.sources import standard_modules, standard_source
from circ.lang.diagnostic import Diagnostics
from circ.lang.parser import parse
from circ.lang.span import Source
from circ.lang.syntax import CircuitDecl, Module, Name, RecordDecl

PAGE = Path(__file__).parents[2] / "docs" / "stdlib.md"
SECTIONS = dict(
    re.findall(r"^## `std\.(\w+)`\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.MULTILINE | re.DOTALL)
)
"""What the page says of each module."""

MODULES = [module.removeprefix("std.") for module in standard_modules()]


def parsed(module: str) -> Module:
    """A module's syntax."""
    source = standard_source(f"std.{module}")
    return parse(Source(source.name, source.text), Diagnostics())


def listed(names: tuple[Name, ...]) -> str:
    """Names with commas between."""
    return ", ".join(name.text for name in names)


def test_every_module_has_its_section_and_no_other() -> None:
    """A section is titled by the module's path."""
    assert sorted(SECTIONS) == sorted(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_every_circuit_has_its_row(module: str) -> None:
    """How it is called, and in the last column the names of its lets; helpers of claims have no dimensions."""
    rows = re.findall(
        r"^\| `(\w+)(?:\[\w+\])?(\(.*?\))` \|.*\|(.*)\|$", SECTIONS[module], re.MULTILINE
    )
    found = {name + args: re.findall(r"`(\w+)`", sites) for name, args, sites in rows}
    wanted = {
        f"{item.name.text}({listed(tuple(p.name for p in item.params))})": [
            let.name.text for let in item.lets
        ]
        for item in parsed(module).items
        if isinstance(item, CircuitDecl) and item.dims
    }

    assert found == wanted


@pytest.mark.parametrize("module", MODULES)
def test_every_record_has_its_row(module: str) -> None:
    """With its dimensions."""
    found = re.findall(r"^\| `(\w+\[.*?\])` \|", SECTIONS[module], re.MULTILINE)
    records = [item for item in parsed(module).items if isinstance(item, RecordDecl)]

    assert sorted(found) == sorted(f"{item.name.text}[{listed(item.dims)}]" for item in records)


@pytest.mark.parametrize("module", MODULES)
def test_what_a_call_says_is_a_dimension(module: str) -> None:
    """A row with a dimension in brackets names one of its circuit's."""
    rows = re.findall(r"^\| `(\w+)\[(\w+)\]\(", SECTIONS[module], re.MULTILINE)
    circuits = [item for item in parsed(module).items if isinstance(item, CircuitDecl)]
    dims = {(item.name.text, dim.text) for item in circuits for dim in item.dims}

    assert set(rows) <= dims

"""A diagnostic as data: what is wrong, where, why, and the way out.

The terminal, `--json`, the REPL and an editor all show this one record. A class of error
(`circ.lang.errors`) knows its code and its words; `Diagnostics` gathers what a pass finds.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Literal

from circ.lang.span import Span

Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Label:
    """A second place that says why, with its words."""

    span: Span
    text: str


@dataclass(frozen=True, slots=True)
class Fix:
    """An edit that can be applied: replace the text of `span`."""

    span: Span
    replacement: str


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding; `span` is None only for what has no place in a source (a file, a flag)."""

    code: str
    headline: str
    span: Span | None
    label: str = ""
    why: tuple[Label, ...] = ()
    help: str = ""
    fix: Fix | None = None
    severity: Severity = "error"


@dataclass(slots=True)
class Diagnostics:
    """What the passes found so far, in the order they found it."""

    found: list[Diagnostic] = field(default_factory=list[Diagnostic])

    def report(self, diagnostic: Diagnostic) -> None:
        """Keep `diagnostic`, unless the same code already stands at the same place."""
        if all(d.span != diagnostic.span or d.code != diagnostic.code for d in self.found):
            self.found.append(diagnostic)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.found)

    @property
    def failed(self) -> bool:
        """Whether any finding is an error."""
        return any(d.severity == "error" for d in self.found)


class CircError(Exception):
    """Carries diagnostics from where they are found to where they are shown.

    `str` has their headlines; of one that Python's users see, all that is shown (`render.explained`).
    """

    def __init__(self, *diagnostics: Diagnostic) -> None:
        super().__init__("; ".join(d.headline for d in diagnostics))
        self.diagnostics = diagnostics


@contextmanager
def told_at(span: Span | None) -> Generator[None]:
    """Have what is wrong inside, and has no place of its own, told at this one."""
    try:
        yield
    except CircError as error:
        found = (d if d.span else replace(d, span=span) for d in error.diagnostics)
        raise CircError(*found) from error

"""The linear regions of what `e over x in D` says, or `f on D`, as far as they can be listed in time."""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from time import monotonic

from circ.compiler.driver import Program
from circ.compiler.finding import Progress
from circ.compiler.obligation import Obligation
from circ.compiler.query import Asked, Names, parted
from circ.compiler.regions.cells import TooMany
from circ.compiler.regions.listed import Region, regions
from circ.compiler.regions.reading import NotPiecewise
from circ.lang.diagnostic import CircError
from circ.lang.errors.regions import not_piecewise, too_many_regions
from circ.lang.span import Source, Span
from circ.runtime.advice import ON, advised

MOST = 1000
"""Regions that are listed without being asked for more."""

COMMAND = "circ regions SPEC QUESTION "
"""What a session says before an option, which it has not itself."""

VARIABLES = ("x", "y", "z", "u", "v", "w")


@dataclass(frozen=True, slots=True)
class Parted:
    """The regions of a question, those with an inside first, and what was asked."""

    source: Source
    asked: Asked
    question: Obligation
    regions: tuple[Region, ...]


def spelled_out(program: Program, source: Source, names: Names) -> Source:
    """The question with its variable, where it is asked as `f on D`."""
    found = ON.fullmatch(source.text)
    if found is None:
        return source
    free = unused(program, names)
    return replace(source, text=f"{found[1]}({free}) over {free} in {found[2]}")


def unused(program: Program, names: Names) -> str:
    """A name for a variable that means nothing else."""
    scope = program.typed.scope
    taken = {*names, *scope.values, *scope.members}
    return next((name for name in VARIABLES if name not in taken), "it_is_free")


@contextmanager
def as_typed(source: Source) -> Generator[None]:
    """What is wrong in `f(x) over x in D`, told of `f on D` where that was typed."""
    try:
        yield
    except CircError as error:
        typed = ON.fullmatch(source.text)
        if typed is None:
            raise
        found = [replace(d, span=place(d.span, source, typed), fix=None) for d in error.diagnostics]
        raise CircError(*found) from error


def place(span: Span | None, source: Source, typed: re.Match[str]) -> Span | None:
    """Where in `f on D` stands what is at a place of `f(x) over x in D`; other texts stay as they are."""
    if span is None or (span.source.name, span.source.first) != (source.name, source.first):
        return span
    return Span(source, *typed.span(1 if span.start <= len(typed[1]) else 2))


def regions_of(
    program: Program,
    source: Source,
    names: Names,
    most: int,
    timeout: float,
    progress: Progress,
    command: str = "",
) -> Parted:
    """All regions; raises `CircError` where there are too many, or where it is not piecewise linear.

    `command` is what the user types before an option, if that is more than the option.
    """
    with as_typed(source), advised(source.text):
        spelled = spelled_out(program, source, names)
        return listed(program, spelled, names, most, timeout, progress, command)


def listed(
    program: Program,
    source: Source,
    names: Names,
    most: int,
    timeout: float,
    progress: Progress,
    command: str,
) -> Parted:
    """All regions of a question with its variable; raises as `regions_of`."""
    asked = parted(program, source, names)
    question, until = asked.question.at(None), monotonic() + timeout
    span = asked.formula.body.span

    def told(share: float, doing: str) -> None:
        progress(share, doing)
        if monotonic() > until:
            raise TimeoutError

    try:
        found = regions(question, program.weights, most, told)
    except NotPiecewise as error:
        raise CircError(not_piecewise(span, str(error))) from error
    except TooMany as error:
        help = f"list more with `{command}--most {10 * most}`, or narrow the domain"
        raise CircError(too_many_regions(span, f"there are more than {most:,}", help)) from error
    except TimeoutError as error:
        help = f"allow more time (`{command}--timeout SECONDS`), or narrow the domain"
        raise CircError(too_many_regions(span, "the time ran out", help)) from error
    return Parted(source, asked, question, tuple(sorted(found, key=lambda region: region.flat)))

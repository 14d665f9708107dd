"""The linear regions of what `e over x in D` says, or `f on D`, as far as they can be listed in time."""

from __future__ import annotations

import re
from dataclasses import dataclass
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
from circ.lang.span import Source

MOST = 1000
"""Regions that are listed without being asked for more."""

ON = re.compile(r"\s*([A-Za-z_]\w*)\s+on\s+([A-Za-z_]\w*)\s*")
"""`f on D`, for `f(x) over x in D`."""

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
    scope = program.typed.scope
    taken = {*names, *scope.values, *scope.members}
    free = next((name for name in VARIABLES if name not in taken), "it_is_free")
    return Source(source.name, f"{found[1]}({free}) over {free} in {found[2]}")


def regions_of(
    program: Program,
    source: Source,
    names: Names,
    most: int,
    timeout: float,
    progress: Progress,
) -> Parted:
    """All regions; raises `CircError` where there are too many, or where it is not piecewise linear."""
    source = spelled_out(program, source, names)
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
        help = f"list more with `--most {10 * most}`, or narrow the domain"
        raise CircError(too_many_regions(span, f"there are more than {most:,}", help)) from error
    except TimeoutError as error:
        help = "allow more time (`--timeout SECONDS`), or narrow the domain"
        raise CircError(too_many_regions(span, "the time ran out", help)) from error
    return Parted(source, asked, question, tuple(sorted(found, key=lambda region: region.flat)))

"""A certificate about all words of some length and more, as a file: its header, and its classes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from circ.compiler.audit.around import EACH
from circ.compiler.audit.loops import SHORT
from circ.compiler.audit.machine import MOST_STATES
from circ.compiler.audit.record import (
    FORMAT,
    Data,
    a_list,
    a_number,
    a_text,
    an_object,
    edges,
    only,
)
from circ.compiler.audit.region import Region, whole
from circ.compiler.audit.rejected import require

BY = "lengths"
"""What these certificates prove by, in their header."""

MOST_START = 1 << 11
"""Letters of the shortest words that one may be about."""

ENDS = {"first": 0, "last": -1}


@dataclass(frozen=True, slots=True)
class OnwardHeader:
    """What is claimed proved: of words of `start` letters and more, which end's letter is gone through."""

    tool: str
    claim: str
    obligations: tuple[str, ...]
    tensors: Mapping[str, str]
    start: int
    classes: int
    fixed: int | None


def onward_header(data: Data) -> OnwardHeader:
    """The first record."""
    require(data.get("format") == FORMAT, f"it is no certificate of the format `{FORMAT}`")
    require(data.get("by") == BY, "it is no certificate for all lengths")
    fields = ("tool", "claim", "obligations", "tensors", "start", "classes", "fixed")
    _, _, tool, claim, obligations, tensors, start, classes, fixed = only(
        data, "format", "by", *fields
    )
    first = a_number(start, MOST_START)
    require(first >= SHORT, f"it is about words of less than {SHORT} letters")
    return OnwardHeader(
        a_text(tool),
        a_text(claim),
        tuple(map(a_text, a_list(obligations))),
        {key: a_text(value) for key, value in an_object(tensors).items()},
        first,
        a_number(classes, 1 << 63),
        None if fixed is None else end_of(a_text(fixed)),
    )


def end_of(text: str) -> int:
    """An end of a word."""
    require(text in ENDS, "the end of a word is its first letter or its last")
    return ENDS[text]


def onward_class(data: Data, letters: int, fixed: int | None) -> tuple[str, Region, Data]:
    """A record of a class: its values, a region of the four steps of its words, and the proof.

    `fixed` is the step at which letters are gone through.
    """
    values, begin, step, ends, proof = only(data, "class", "begin", "step", "ends", "proof")
    both = a_list(begin)
    require(len(both) == 2, "there are two steps to begin")
    steps = [[edges(row, letters) for row in a_list(x)] for x in (*both, step, ends)]
    states = [1, len(steps[1]), len(steps[EACH]), len(steps[EACH]), 1]
    require([*map(len, steps)] == states[:-1], "an automaton has a state too few, or too many")
    require(max(states) <= MOST_STATES, "an automaton has too many states")
    for layer, below in zip(steps, states[1:], strict=True):
        require(all(max(row) < below for row in layer), "an edge leads to no state")
    text = json.dumps(a_list(values), separators=(",", ":"))
    region = whole(steps, states, letters, fixed)
    return text, region, an_object(proof)

"""A lower bound in a receipt."""

from __future__ import annotations

import re
from math import isfinite
from typing import cast, get_args

from circ.compiler.patching import Norm
from circ.runtime.patches.bound import Bound, DualBound, Multiplier, NoBound
from circ.runtime.patches.fields import (
    Json,
    Malformed,
    as_list,
    as_object,
    expect_fields,
    norm_at,
    text_at,
    whole_at,
)

NUMBER = re.compile(r"-?[0-9]{1,4000}(/0{0,9}[1-9][0-9]{0,3999})?", re.ASCII)
"""An integer, or a ratio of two, of no more digits than Python reads."""


def bound_in(found: Json) -> Bound:
    """A bound, with every field checked; raises `Malformed`."""
    if "reason" in found:
        expect_fields(found, NoBound)
        return NoBound(norm_in(found), norm_at(found, "size"), text_at(found, "reason"))
    expect_fields(found, DualBound)
    multipliers = (multiplier_in(as_object(entry)) for entry in as_list(found["multipliers"]))
    size, least = norm_at(found, "size"), norm_at(found, "least")
    if not (0 < least <= size or size == least == 0):
        raise Malformed("its lower bound is above the size of the change")
    bound = DualBound(norm_in(found), size, least, tuple(multipliers))
    if not isfinite(bound.gap):
        raise Malformed("its lower bound is nothing beside the size of the change")
    return bound


def norm_in(found: Json) -> Norm:
    """The name of a norm."""
    word = text_at(found, "norm")
    for norm in cast("tuple[Norm, ...]", get_args(Norm)):
        if norm == word:
            return norm
    raise Malformed(f"`{word}` is no norm")


def multiplier_in(found: Json) -> Multiplier:
    """A `Multiplier`."""
    expect_fields(found, Multiplier)
    given = as_object(found["input"])
    entries = {name: tuple(map(number_in, as_list(given[name]))) for name in given}
    part, factor = whole_at(found, "part"), whole_at(found, "factor")
    return Multiplier(text_at(found, "requirement"), entries, part, factor)


def number_in(found: object) -> str:
    """An entry of an input, as text."""
    match found:
        case str(text) if NUMBER.fullmatch(text):
            return text
        case _:
            raise Malformed("an entry of an input is no number")

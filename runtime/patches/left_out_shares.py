"""Shares of a domain that a requirement leaves out, and those of the lengths that a word may have as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Literal

from circ.compiler.rounding import at_least, at_most

How = Literal["counted", "bounded", "drawn", "empty"]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """The share of its domain that a requirement leaves out is between `low` and `high`; of an *empty* domain it is 0.

    `inputs`: how many it leaves out, at least and at most, and how many there are, where they were counted; `draws`: how many inputs of
    the domain were drawn, where the bounds hold with the probability `CONFIDENCE` only. `length` is that of the word, where it may have
    several, and `lengths` has what is known of each in what is known of all of them.
    """

    requirement: str
    low: float
    high: float
    how: How
    inputs: tuple[int, int, int] = (0, 0, 0)
    draws: int = 0
    length: int | None = None
    lengths: tuple[Share, ...] = ()


@dataclass(frozen=True, slots=True)
class NotKnown:
    """Which share of its domain a requirement leaves out is not known, and why; `length` and `lengths` as above."""

    requirement: str
    reason: str
    length: int | None = None
    lengths: tuple[Share, ...] = ()


Share = LeftOut | NotKnown


def of_inputs(requirement: str, inputs: tuple[int, int, int]) -> LeftOut:
    """So many inputs at least, at most so many, of so many."""
    least, most, size = inputs
    if not size:
        return LeftOut(requirement, 0.0, 0.0, "empty")
    low, high = at_most(Fraction(least, size), "F64"), at_least(Fraction(most, size), "F64")
    return LeftOut(requirement, low, high, "counted", inputs)


def together(shares: Sequence[Share]) -> Share:
    """What is known of one requirement; a share of all lengths is a mean of their shares, so that it is between them."""
    lengths = tuple(shares)
    if lengths[0].length is None:
        return lengths[0]
    name = lengths[0].requirement
    for each in lengths:
        if isinstance(each, NotKnown):
            return NotKnown(name, f"at length {each.length} {each.reason}", lengths=lengths)
    some = [each for each in lengths if isinstance(each, LeftOut) and each.how != "empty"]
    if all(each.how == "counted" for each in some):
        least, most, size = (sum(each.inputs[k] for each in some) for k in range(3))
        return replace(of_inputs(name, (least, most, size)), lengths=lengths)
    low, high = min(each.low for each in some), max(each.high for each in some)
    draws = sum(each.draws for each in some)
    return LeftOut(name, low, high, "drawn", draws=draws, lengths=lengths)

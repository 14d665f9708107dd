"""What a property says: linear comparisons of inputs and outputs, joined by `and` and `or`.

A network's inputs `X_0, X_1, …` are the entries of all its inputs, row-major and in the order of the
file, and its outputs `Y_0, Y_1, …` those of all its outputs. Numbers are exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import assert_never

from circ.lang.span import Span

Coefficients = tuple[tuple[int, Fraction], ...]
"""The variables of a sum by their number, each once, and none with coefficient 0."""


MOST_BITS = 1 << 16
"""Of the numerator and of the denominator of what is computed; a number that is written has half as many."""


class TooLong(Exception):
    """A number that is computed has too many digits."""


@dataclass(frozen=True, slots=True)
class Term:
    """A linear combination of inputs and outputs, and a constant."""

    inputs: Mapping[int, Fraction] = field(default_factory=dict[int, Fraction])
    outputs: Mapping[int, Fraction] = field(default_factory=dict[int, Fraction])
    constant: Fraction = Fraction(0)

    @property
    def fixed(self) -> bool:
        """Whether it has no variables."""
        return not self.inputs and not self.outputs


@dataclass(frozen=True, slots=True)
class Atom:
    """Σ inputs + Σ outputs <= bound; < where it is strict."""

    inputs: Coefficients
    outputs: Coefficients
    bound: Fraction
    strict: bool


@dataclass(frozen=True, slots=True)
class Both:
    """All of these; true where there are none."""

    parts: tuple[Formula, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """Some of these; false where there are none."""

    parts: tuple[Formula, ...]


Formula = Atom | Both | Either

TRUE = Both(())
FALSE = Either(())


@dataclass(frozen=True, slots=True)
class Property:
    """What is looked for: an input that meets `formula` with its output.

    `inputs` and `outputs` count the variables; `declared` is where each input is.
    """

    formula: Formula
    inputs: int
    outputs: int
    declared: tuple[Span, ...]
    names: tuple[str, ...]
    span: Span

    @property
    def name(self) -> str:
        """That of its file."""
        return Path(self.span.source.name).stem


def short(value: Fraction) -> Fraction:
    """A number that was computed; raises `TooLong`."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > MOST_BITS:
        raise TooLong
    return value


def multiplied(parts: Sequence[Term]) -> Term | None:
    """Constants times at most one term with variables; None where more have any. Raises `TooLong`."""
    variable = [part for part in parts if not part.fixed]
    if len(variable) > 1:
        return None
    factor = Fraction(1)
    for part in parts:
        factor = short(factor * part.constant) if part.fixed else factor
    return total([(factor, variable[0] if variable else Term(constant=Fraction(1)))])


def total(terms: Iterable[tuple[Fraction | int, Term]]) -> Term:
    """A linear combination of terms; raises `TooLong`."""
    inputs: dict[int, Fraction] = {}
    outputs: dict[int, Fraction] = {}
    constant = Fraction(0)
    for factor, term in terms:
        constant = short(constant + factor * term.constant)
        for into, part in ((inputs, term.inputs), (outputs, term.outputs)):
            for k, c in part.items():
                into[k] = short(into.get(k, Fraction(0)) + factor * c)
    return Term(
        {k: c for k, c in inputs.items() if c}, {k: c for k, c in outputs.items() if c}, constant
    )


def at_most(left: Term, right: Term, strict: bool) -> Formula:
    """left <= right, or left < right."""
    difference = total([(1, left), (-1, right)])
    bound = -difference.constant
    if difference.fixed:
        return TRUE if bound > 0 or (bound == 0 and not strict) else FALSE
    inputs, outputs = sorted(difference.inputs.items()), sorted(difference.outputs.items())
    return Atom(tuple(inputs), tuple(outputs), bound, strict)


def equal(left: Term, right: Term) -> Formula:
    """left = right."""
    return Both((at_most(left, right, False), at_most(right, left, False)))


def negation(formula: Formula) -> Formula:
    """What holds where the formula does not."""
    match formula:
        case Atom(inputs=inputs, outputs=outputs, bound=bound, strict=strict):
            return Atom(opposite(inputs), opposite(outputs), -bound, not strict)
        case Both(parts=parts):
            return Either(tuple(map(negation, parts)))
        case Either(parts=parts):
            return Both(tuple(map(negation, parts)))
        case _:
            assert_never(formula)


def opposite(coefficients: Coefficients) -> Coefficients:
    """Each with the other sign."""
    return tuple((k, -c) for k, c in coefficients)


def reads_inputs(formula: Formula) -> bool:
    """Whether a comparison in it reads inputs."""
    match formula:
        case Atom(inputs=inputs):
            return bool(inputs)
        case Both(parts=parts) | Either(parts=parts):
            return any(map(reads_inputs, parts))
        case _:
            assert_never(formula)


def holds(formula: Formula, inputs: Sequence[Fraction], outputs: Sequence[Fraction]) -> bool:
    """Whether the formula holds of these numbers."""
    match formula:
        case Atom():
            found = sum((c * inputs[k] for k, c in formula.inputs), Fraction(0))
            found += sum((c * outputs[k] for k, c in formula.outputs), Fraction(0))
            return found < formula.bound or (found == formula.bound and not formula.strict)
        case Both(parts=parts):
            return all(holds(part, inputs, outputs) for part in parts)
        case Either(parts=parts):
            return any(holds(part, inputs, outputs) for part in parts)
        case _:
            assert_never(formula)

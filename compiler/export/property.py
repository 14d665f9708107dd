"""What is sought, as a property in VNN-LIB 1.0 or 2.0.

Decimals are written in full. A comparison with a number that no decimal writes is multiplied with what
is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Literal, assert_never

from circ.compiler.export.numbers import decimal, unwritable
from circ.compiler.export.sought import Sought
from circ.compiler.obligation import Obligation
from circ.compiler.vnnlib.formula import FALSE, TRUE, Atom, Both, Either, Formula

Version = Literal[1, 2]


@dataclass(frozen=True, slots=True)
class Names:
    """How variables are written."""

    x: Callable[[int], str]
    y: Callable[[int], str]


NAMES: dict[Version, Names] = {
    1: Names(lambda k: f"X_{k}", lambda k: f"Y_{k}"),
    2: Names(lambda k: f"X[0,{k}]", lambda k: f"Y[0,{k}]"),
}


def property_text(found: Sought, obligation: Obligation, version: Version, dtype: str) -> str:
    """The whole text; `dtype` is that of the network, `float32` or `float64`."""
    outputs = max(len(found.outputs), 1)
    names = NAMES[version]
    rest = simplified(found.formula, found)
    asserted = list(rest.parts) if isinstance(rest, Both) else [rest]
    lines = [
        *heading(obligation),
        *declarations(len(found.box), outputs, version, dtype),
        *bounds(found, names),
        *(f"(assert {written(part, found, names)})" for part in asserted),
    ]
    return "\n".join(lines) + "\n"


def heading(obligation: Obligation) -> Iterator[str]:
    """What is asked, in words."""
    span = obligation.span
    for line in [f"{obligation.name} ({span.place})", *span.text.splitlines()]:
        yield "; " + line.encode("ascii", "backslashreplace").decode()
    match obligation.quantifier:
        case "forall":
            yield "; unsat: proved, if some input meets the conditions at all; sat: refuted"
        case "exists":
            yield "; sat: proved; unsat: refuted, if some input meets the conditions at all"
    start = 0
    for binder in obligation.binders:
        yield f"; {binder.name}: inputs {start} to {start + binder.type.entries - 1}"
        start += binder.type.entries


def declarations(inputs: int, outputs: int, version: Version, dtype: str) -> Iterator[str]:
    """The variables."""
    match version:
        case 1:
            yield from (f"(declare-const X_{k} Real)" for k in range(inputs))
            yield from (f"(declare-const Y_{k} Real)" for k in range(outputs))
        case 2:
            yield "(vnnlib-version <2.0>)"
            yield "(declare-network N"
            yield f"  (declare-input X {dtype} [1, {inputs}])"
            yield f"  (declare-output Y {dtype} [1, {outputs}])"
            yield ")"
        case _:
            assert_never(version)


def bounds(found: Sought, names: Names) -> Iterator[str]:
    """The box of the inputs."""
    for k, (low, high) in enumerate(found.box):
        for op, bound in ((">=", low), ("<=", high)):
            factor = unwritable(bound)
            left = scaled(names.x(k), Fraction(factor))
            yield f"(assert ({op} {left} {decimal(bound * factor)}))"


# --- formulas -----------------------------------------------------------------------------------


def simplified(formula: Formula, found: Sought) -> Formula:
    """The formula without what the box says already, and without constants inside."""
    match formula:
        case Atom(inputs=((k, factor),), outputs=(), bound=bound, strict=strict):
            low, high = found.box[k]
            most = factor * (high if factor > 0 else low)
            return TRUE if most < bound or (most == bound and not strict) else formula
        case Atom():
            return formula
        case Both(parts=parts):
            return joined(parts, found, Both, TRUE, FALSE)
        case Either(parts=parts):
            return joined(parts, found, Either, FALSE, TRUE)
        case _:
            assert_never(formula)


def joined(
    parts: tuple[Formula, ...],
    found: Sought,
    kind: type[Both | Either],
    neutral: Formula,
    final: Formula,
) -> Formula:
    """Parts of one connective, those of the same kind taken in, each once."""
    kept: dict[Formula, None] = {}
    for part in parts:
        plain = simplified(part, found)
        if plain == final:
            return final
        inner = plain.parts if isinstance(plain, kind) else (plain,)
        kept.update(dict.fromkeys(x for x in inner if x != neutral))
    return next(iter(kept)) if len(kept) == 1 else kind(tuple(kept))


def written(formula: Formula, found: Sought, names: Names) -> str:
    """A formula; what is always or never so is said of the first input."""
    low = found.box[0][0]
    match formula:
        case Atom():
            return atom(formula, names)
        case Both(parts=()):
            return atom(Atom(((0, Fraction(-1)),), (), -low, False), names)
        case Either(parts=()):
            return atom(Atom(((0, Fraction(1)),), (), low - 1, False), names)
        case Both(parts=parts):
            return f"(and {' '.join(written(part, found, names) for part in parts)})"
        case Either(parts=parts):
            return f"(or {' '.join(written(part, found, names) for part in parts)})"
        case _:
            assert_never(formula)


def atom(found: Atom, names: Names) -> str:
    """A comparison, with what has a negative factor on the other side."""
    terms = [(c, names.x(k)) for k, c in found.inputs] + [(c, names.y(k)) for k, c in found.outputs]
    factor = lcm(unwritable(found.bound), *(unwritable(c) for c, _ in terms))
    bound = found.bound * factor
    left = [scaled(name, c * factor) for c, name in terms if c > 0]
    right = [scaled(name, -c * factor) for c, name in terms if c < 0]
    op = "<" if found.strict else "<="
    if not left:
        opposite = ">" if found.strict else ">="
        return f"({opposite} {added(right)} {decimal(-bound)})"
    if not right:
        return f"({op} {added(left)} {decimal(bound)})"
    if bound > 0:
        right.append(decimal(bound))
    if bound < 0:
        left.append(decimal(-bound))
    return f"({op} {added(left)} {added(right)})"


def scaled(name: str, factor: Fraction) -> str:
    """A multiple of a variable."""
    return name if factor == 1 else f"(* {decimal(factor)} {name})"


def added(parts: list[str]) -> str:
    """A sum."""
    return parts[0] if len(parts) == 1 else f"(+ {' '.join(parts)})"

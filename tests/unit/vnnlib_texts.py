"""Random properties in VNN-LIB 1.0, and what they say, evaluated apart from Circ's reader."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

import numpy as np

Tree = str | list["Tree"]

COMPARE: dict[str, Callable[[Fraction, Fraction], bool]] = {
    "<=": operator.le,
    "<": operator.lt,
    ">=": operator.ge,
    ">": operator.gt,
    "=": operator.eq,
}


def tree(text: str) -> list[Tree]:
    """Nested lists."""
    stack: list[list[Tree]] = [[]]
    for piece in re.findall(r"[()]|[^\s()]+", re.sub(r";[^\n]*", "", text)):
        if piece == "(":
            stack.append([])
        elif piece == ")":
            done = stack.pop()
            stack[-1].append(done)
        else:
            stack[-1].append(piece)
    (top,) = stack
    return top


def number(found: Tree, values: Mapping[str, Fraction]) -> Fraction:
    """The value of a term."""
    if isinstance(found, str):
        return values[found] if found in values else Fraction(found)
    head, *rest = found
    parts = [number(part, values) for part in rest]
    match head:
        case "+":
            return sum(parts, Fraction(0))
        case "-":
            return -parts[0] if len(parts) == 1 else parts[0] - sum(parts[1:], Fraction(0))
        case "*":
            product = Fraction(1)
            for part in parts:
                product *= part
            return product
        case _:
            raise AssertionError(head)


def truth(found: Tree, values: Mapping[str, Fraction]) -> bool:
    """The value of a formula."""
    if isinstance(found, str):
        return found == "true"
    head, *rest = found
    assert isinstance(head, str)
    match head:
        case "and":
            return all(truth(part, values) for part in rest)
        case "or":
            return any(truth(part, values) for part in rest)
        case "not":
            return not truth(rest[0], values)
        case "=>":
            return not truth(rest[0], values) or truth(rest[1], values)
        case _:
            left, right = (number(part, values) for part in rest)
            return COMPARE[head](left, right)


def meets(text: str, x: Sequence[Fraction], y: Sequence[Fraction]) -> bool:
    """Whether all assertions of a text hold of an input and an output."""
    values = {f"X_{k}": v for k, v in enumerate(x)} | {f"Y_{k}": v for k, v in enumerate(y)}
    asserted = [part[1] for part in tree(text) if isinstance(part, list) and part[0] == "assert"]
    return all(truth(part, values) for part in asserted)


def declared(inputs: int, outputs: int) -> str:
    """Declarations of so many variables."""
    names = [f"X_{k}" for k in range(inputs)] + [f"Y_{k}" for k in range(outputs)]
    return "".join(f"(declare-const {name} Real)\n" for name in names)


def boxed(bounds: Sequence[tuple[float | str, float | str]]) -> str:
    """Bounds of the inputs, one assertion each."""
    return "".join(
        f"(assert (>= X_{k} {low}))\n(assert (<= X_{k} {high}))\n"
        for k, (low, high) in enumerate(bounds)
    )


def random_text(random: np.random.Generator, inputs: int, outputs: int) -> str:
    """A property with bounded inputs, disjunctions about inputs and outputs, and small numbers."""
    names = [f"X_{k}" for k in range(inputs)] + [f"Y_{k}" for k in range(outputs)]

    def small() -> str:
        return str(random.integers(-8, 9) / 4)

    def term() -> str:
        kind = random.integers(5)
        name = str(random.choice(names))
        if kind == 0:
            return small()
        if kind == 1:
            return name
        if kind == 2:
            return f"(+ {name} (* {small()} {random.choice(names)}))"
        if kind == 3:
            return f"(- {name} {small()} {random.choice(names)})"
        return f"(* {small()} (- {name}))"

    def formula(depth: int) -> str:
        kind = random.integers(6) if depth else 5
        if kind < 3:
            parts = " ".join(formula(depth - 1) for _ in range(random.integers(1, 4)))
            return f"({('and', 'or', 'or')[kind]} {parts})"
        if kind == 3:
            return f"(not {formula(depth - 1)})"
        if kind == 4:
            return f"(=> {formula(depth - 1)} {formula(depth - 1)})"
        return f"({random.choice(['<=', '<', '>=', '>', '='])} {term()} {term()})"

    text = declared(inputs, outputs) + boxed([(-2, 2)] * inputs)
    return text + "".join(f"(assert {formula(3)})\n" for _ in range(random.integers(1, 3)))

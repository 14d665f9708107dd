"""What a call goes through: its sites and guards, in exact arithmetic and in PyTorch, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from circ.compiler.query import Query
from circ.compiler.readings.choices import Choices
from circ.compiler.tensor import Weights
from circ.compiler.traced import Passed, Traced
from circ.lang.span import Span
from circ.runtime.as_data import Data
from circ.runtime.columns import Columns
from circ.runtime.evaluate import Evaluated, apart, evaluate_all
from circ.runtime.show import tensor_text
from circ.runtime.value_data import evaluated_data
from circ.runtime.value_lines import (
    DIGITS_OF_MANY,
    DIGITS_OF_ONE,
    computed_entries,
    dtype_name,
    exact_entries,
)

MOST_OF_A_VECTOR = 4
MOST_OF_A_MATRIX = 2
"""Entries shown of a site along each axis."""

YES, NO = frozenset({1}), frozenset({0})

LONGEST_GUARD = 48
"""Characters shown of a guard."""


@dataclass(frozen=True, slots=True)
class PassedGuard:
    """A guard on the way, evaluated."""

    span: Span
    holds: Evaluated | None
    taken: Evaluated | None
    margin: Evaluated | None


@dataclass(frozen=True, slots=True)
class Trace:
    """A call, evaluated: its sites by their paths, its result, and the guards on the way."""

    sites: tuple[tuple[str, Evaluated], ...]
    result: Evaluated
    guards: tuple[PassedGuard, ...]


def trace_of(asked: Traced, weights: Weights) -> Trace:
    """Evaluate all that a call goes through, once."""
    queries = [query for _, query in asked.sites] + [asked.result]
    queries += [query for guard in asked.guards for query in parts(guard)]
    found = iter(evaluate_all(queries, weights))
    sites = tuple((path, next(found)) for path, _ in asked.sites)
    result = next(found)

    def value(query: Query | None) -> Evaluated | None:
        return None if query is None else next(found)

    guards = tuple(
        PassedGuard(each.span, value(each.holds), value(each.taken), value(each.margin))
        for each in asked.guards
    )
    return Trace(sites, result, guards)


def parts(guard: Passed) -> Iterator[Query]:
    """What there is of a guard, in the order of its fields."""
    return (each for each in (guard.holds, guard.taken, guard.margin) if each is not None)


# --- for people -------------------------------------------------------------------------------


def trace_columns(found: Trace) -> Iterator[Columns]:
    """A table of the sites and the result, and one of the guards, if any was met."""
    name = f"PyTorch ({dtype_name(found.result)})"
    rows = [*found.sites, ("the result", found.result)]
    yield Columns(("site", "exact", name, "apart"), tuple(site_row(*row) for row in rows))
    if found.guards:
        head = ("guard", "place", "fires", "margin", "PyTorch")
        yield Columns(head, tuple(map(guard_row, found.guards)))


def site_row(path: str, found: Evaluated) -> tuple[str, ...]:
    """A site's values, cut off where they are long."""
    difference = apart(found)
    return (path, *values_of(found), f"{difference:.2g}" if difference else "")


def values_of(found: Evaluated) -> tuple[str, str]:
    """Both values, each on one line."""
    shape = found.kind.shape
    digits = DIGITS_OF_MANY if shape else DIGITS_OF_ONE
    most = MOST_OF_A_VECTOR if len(shape) < 2 else MOST_OF_A_MATRIX
    exact = tensor_text(exact_entries(found, digits), shape, most)
    return exact, tensor_text(computed_entries(found, digits), shape, most)


def guard_row(found: PassedGuard) -> tuple[str, ...]:
    """A guard: whether its arm is taken (or whether it holds, where it has none), and its margin."""
    margin = ("", "") if found.margin is None else values_of(found.margin)
    return (guard_text(found), place(found.span), fires(found), *margin)


def guard_text(found: PassedGuard) -> str:
    """A guard's own words."""
    if found.holds is None:
        return "else"
    text = " ".join(found.span.text.split())
    return text if len(text) <= LONGEST_GUARD else f"{text[: LONGEST_GUARD - 1]}…"


def place(span: Span) -> str:
    """The file and the line of a guard."""
    name = span.source.name.replace("\\", "/").rsplit("/", 1)[-1]
    return f"{name}:{span.source.position(span.start)[0]}"


def fires(found: PassedGuard) -> str:
    """`yes`, `no`, or what PyTorch and exact arithmetic each say."""
    decides = found.taken or found.holds
    assert decides is not None
    exact, computed = options(decides), bool(decides.computed[0])
    late = found.holds is not None and exact == NO and options(found.holds) == YES
    told = " or ".join(spoken(each) for each in sorted(exact, reverse=True))
    told += ", an earlier one does" if late else ""
    return told if computed in exact else f"{told} (PyTorch: {spoken(computed)})"


def spoken(truth: int) -> str:
    """A truth as an answer."""
    return "yes" if truth else "no"


def options(found: Evaluated) -> frozenset[int]:
    """What a truth may be."""
    return found.exact.sets[0] if isinstance(found.exact, Choices) else YES | NO


# --- for programs -----------------------------------------------------------------------------


def trace_data(found: Trace) -> Data:
    """All of it for `--json`: values as `evaluated_data` has them."""
    return {
        "sites": [{"site": path, **evaluated_data(value)} for path, value in found.sites],
        "result": evaluated_data(found.result),
        "guards": [guard_data(guard) for guard in found.guards],
    }


def guard_data(found: PassedGuard) -> Data:
    """A guard; what it has none of is null."""
    return {
        "guard": guard_text(found) if found.holds is None else found.span.text,
        "place": found.span.place,
        "holds": maybe(found.holds),
        "fires": maybe(found.taken or found.holds),
        "margin": maybe(found.margin),
    }


def maybe(found: Evaluated | None) -> Data | None:
    """A value, where there is one."""
    return None if found is None else evaluated_data(found)

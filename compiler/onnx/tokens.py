"""Tokens: an input of whole numbers that tables are looked up by.

A graph does not say how many tokens there are; its tables do, by their rows. On a wire they are indices, as
members of an enum are in a spec, so that whatever reads words reads them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

import numpy as np

from circ.compiler.builder import codes, reals
from circ.compiler.ir import Index, Lookup, Shape, Wire
from circ.compiler.onnx.graph import Graph, Node
from circ.compiler.onnx.step import Operator, Step, operator
from circ.compiler.onnx.stored import NUMBERS
from circ.compiler.onnx.values import Held, Numbers, Tokens, Value, Whole

WHOLE = ("I64", "I32")
"""The dtypes that an input of tokens has."""


def count_of(step: Step, wire: Wire) -> int:
    """How many tokens there are on a wire of them."""
    sort = step.b.types[wire].sort
    assert isinstance(sort, Index), "tokens are indices"
    return sort.size


# --- operators ------------------------------------------------------------------------------


def looked_up(step: Step, tokens: Wire, axis: int) -> Value:
    """The entries of the first operand at the places along an axis that tokens name: one lookup."""
    shape, at, count = step.shape(0), step.b.shape(tokens), count_of(step, tokens)
    if count > shape[axis]:
        step.refuse(f"there are {count} tokens, and {shape[axis]} entries along axis {axis}")
    rest = (*shape[:axis], *shape[axis + 1 :])
    step.fits((*at, *rest))
    found = step.b.add(Lookup(table(step, axis, count), (tokens,)))
    if axis and at:
        order = [*range(len(at))], [*range(axis, axis + len(at))]
        found = step.growing.moved_wire(found, lambda x: np.moveaxis(x, *order))
    return Numbers(found)


def table(step: Step, axis: int, count: int) -> Wire:
    """The first operand with this axis first, of which as many entries are kept as there are tokens."""
    value, shape = step.value(0), step.shape(0)
    if axis or count < shape[0]:
        step.fits((count, *shape[:axis], *shape[axis + 1 :]))
        key = value.key if isinstance(value, Held) else step.key
        value = step.growing.move(key, value, lambda x: np.moveaxis(x, axis, 0)[:count])
    return step.on_wire(value, "what is looked up")


def numbers_of(step: Step, tokens: Wire) -> Wire:
    """The numbers of tokens as reals."""
    count = count_of(step, tokens)
    rows = reals(step.b, map(Fraction, range(count)), (count,))
    return step.b.add(Lookup(rows, (tokens,)))


def in_a_row(step: Step, values: Sequence[Value]) -> list[Wire]:
    """Tokens and known ones as wires of one sort, to be put together; it has all that are named."""
    known = [
        x for value in values if isinstance(value, Whole) for x in value.values.ravel().tolist()
    ]
    counts = [count_of(step, value.wire) for value in values if isinstance(value, Tokens)]
    if min(known, default=0) < 0:
        step.refuse(f"{min(known)} is no token")
    count = max(*counts, 1 + max(known, default=0))
    return [widened(step, value, count, f"operand {k}") for k, value in enumerate(values)]


def widened(step: Step, value: Value, count: int, told: str) -> Wire:
    """Tokens, or known ones, among this many."""
    match value:
        case Tokens(wire=wire) if count_of(step, wire) == count:
            return wire
        case Tokens(wire=wire):
            own = count_of(step, wire)
            return step.b.add(Lookup(codes(step.b, range(own), count, (own,)), (wire,)))
        case Whole(values=values):
            shape = step.growing.shape(value)
            return codes(step.b, map(int, values.ravel().tolist()), count, shape)
        case _:
            return step.refuse(f"{told} is not of tokens")


def one_hot(step: Step) -> tuple[Value, ...]:
    """`OneHot` of tokens: a lookup in a table of one number on the diagonal and another beside it."""
    given, depth, ends = step.value(0), step.wholes(1, "its depth"), step.exact(2)
    if not isinstance(given, Tokens) or len(depth) != 1 or ends is None or len(ends) != 2:
        step.refuse("only tokens are made one-hot, at a known depth, with two known numbers")
    count, at = count_of(step, given.wire), step.b.shape(given.wire)
    if count > depth[0]:
        step.refuse(f"there are {count} tokens, and its depth is {depth[0]}")
    step.fits((count, *depth))
    step.fits((*at, *depth))
    rows = [ends[k == token] for token in range(count) for k in range(depth[0])]
    rows_wire = reals(step.b, rows, (count, depth[0]))
    found = step.b.add(Lookup(rows_wire, (given.wire,)))
    axis = step.axis(step.integer("axis", -1), len(at) + 1)
    return (Numbers(step.growing.moved_wire(found, lambda x: np.moveaxis(x, -1, axis))),)


TOKENS: dict[str, Operator] = {"OneHot": operator(one_hot, 3, 3, "axis")}


# --- how many there are ---------------------------------------------------------------------


def vocabularies(graph: Graph) -> Mapping[str, int]:
    """How many tokens each input of whole numbers may name: the least number of rows that it looks up.

    An input that looks up none is left out.
    """
    rows = {name: tuple(map(int, x.values.shape)) for name, x in graph.tensors.items()}
    inputs = [given.name for given in graph.inputs if given.dtype in WHOLE]
    sources = {name: frozenset({name}) for name in inputs}
    found: dict[str, int] = {}
    for node in graph.nodes:
        by, count = looking_up(node, graph, rows)
        if count is not None and by in sources:
            found |= {name: min(count, found.get(name, count)) for name in sources[by]}
            continue
        if node.operator in {"Cast", "Identity"} and node.inputs[:1] and node.inputs[0] in rows:
            rows |= dict.fromkeys(node.outputs, rows[node.inputs[0]])
        below = frozenset[str]().union(*(sources.get(name, ()) for name in moved(node)))
        if below:
            sources |= dict.fromkeys(node.outputs, below)
    return found


MOVES = frozenset(
    {
        "Cast",
        "Dropout",
        "Expand",
        "Flatten",
        "Gather",
        "Identity",
        "Reshape",
        "Slice",
        "Split",
        "Squeeze",
    }
    | {"Transpose", "Unsqueeze"}
)
"""Operators that give the entries of their first operand, at other places."""

TRUTHS = frozenset(number for number, dtype in NUMBERS.items() if dtype == "BOOL")
"""What ONNX calls the truth values."""


def moved(node: Node) -> Sequence[str]:
    """The operands whose entries a node gives; shapes, comparisons and all that is computed are others."""
    if node.operator == "Concat":
        return node.inputs
    truths = node.operator == "Cast" and node.attributes.get("to") in TRUTHS
    return node.inputs[:1] if node.operator in MOVES and not truths else ()


def looking_up(node: Node, graph: Graph, rows: Mapping[str, Shape]) -> tuple[str, int | None]:
    """The operand that looks up, and among how many entries, where those are of a known table."""
    first, second, *_ = (*node.inputs, "", "")
    match node.operator:
        case "Gather" if first in rows:
            shape, axis = rows[first], node.attributes.get("axis", 0)
            inside = isinstance(axis, int) and -len(shape) <= axis < len(shape)
            return second, shape[axis] if inside and isinstance(axis, int) else None
        case "OneHot" if second in graph.tensors:
            depth = graph.tensors[second].values
            known = depth.dtype == np.int64 and depth.size == 1
            return first, int(depth.ravel()[0]) if known else None
        case _:
            return "", None

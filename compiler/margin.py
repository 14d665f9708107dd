"""How far a truth is from changing: its margin, and a surrogate for searches.

The margin of a comparison is its signed slack as written: `a - b`, positive when it is true; `and`
is min, `or` is max, `not` is minus, and `==` is `-|a - b|`. Discrete atoms have none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from fractions import Fraction
from math import prod

from circ.compiler.builder import Builder, codes, combine, flatten, negate, reals, reindex
from circ.compiler.ir import (
    All,
    Any,
    Argmax,
    Bool,
    Circuit,
    Compare,
    Const,
    Index,
    Lookup,
    Max,
    Not,
    Real,
    Reindex,
    Relu,
    Select,
    Wire,
    operands,
)

LARGE = Fraction(2**20)
"""A surrogate's slack for what no input changes."""

LIMIT = 2**20
"""Most entries of a table that a surrogate brings in."""

Slack = Callable[[Builder, Wire], Wire | None]


def margin(b: Builder, goal: Wire) -> Wire | None:
    """The entrywise signed slack of a truth made of real comparisons; None for any other.

    Positive only where the truth holds, negative only where it does not.
    """
    return slack(b, goal, lambda _b, _wire: None)


def surrogate(b: Builder, goal: Wire) -> Wire | None:
    """The margin, with score differences for `argmax(v) == i` and tables of it.

    For gradients to follow, never for a verdict: LARGE stands for infinity.
    """
    return slack(b, goal, discrete)


def with_slack(circuit: Circuit, names: Iterable[str], of: Slack) -> Circuit:
    """`circuit` with an output `slack <name>` more for each named truth that has one."""
    b = Builder(list(circuit.ops), list(circuit.types))
    b.known.update((op, Wire(i)) for i, op in enumerate(circuit.ops))
    outputs = dict(circuit.outputs)
    for name in names:
        found = of(b, circuit.outputs[name])
        if found is not None:
            outputs[f"slack {name}"] = found
    return b.circuit(outputs)


def slack(b: Builder, goal: Wire, atom: Slack) -> Wire | None:
    """The slack of `goal`, with `atom` deciding for truths that compare no reals."""
    known: dict[Wire, Wire | None] = {}
    for wire in connectives(b, goal):
        known[wire] = slack_of(b, wire, known, atom)
    return known[goal]


def connectives(b: Builder, goal: Wire) -> list[Wire]:
    """The truths that `goal` is made of, operands first."""
    seen: set[Wire] = set()
    waiting = [goal]
    while waiting:
        wire = waiting.pop()
        if wire not in seen and b.types[wire].sort == Bool():
            seen.add(wire)
            waiting.extend(operands(b.ops[wire]))
    return sorted(seen)


def slack_of(b: Builder, wire: Wire, known: dict[Wire, Wire | None], atom: Slack) -> Wire | None:
    """The slack of one truth from those it is made of."""
    match b.ops[wire]:
        case Compare(op="<" | "<=", left=left, right=right):
            return combine(b, (1, right), (-1, left))
        case Compare(left=left, right=right) if b.types[left].sort == Real():
            return negate(b, distance(b, left, right))
        case Not(operand=x):
            return on_known(known, [x], lambda inner: negate(b, inner[0]))
        case All(operand=x) if b.shape(x)[-1]:
            return on_known(known, [x], lambda inner: smallest(b, inner[0]))
        case Any(operand=x) if b.shape(x)[-1]:
            return on_known(known, [x], lambda inner: b.add(Max(inner[0])))
        case Reindex(operands=wires, source=source, shape=shape):
            return on_known(known, wires, lambda inner: reindex(b, inner, source, shape))
        case Select(condition=condition, then=then, otherwise=otherwise):
            arms = [then, otherwise]
            return on_known(known, arms, lambda inner: b.add(Select(condition, *inner)))
        case _:
            return atom(b, wire)


def on_known(
    known: dict[Wire, Wire | None], wires: Sequence[Wire], build: Callable[[list[Wire]], Wire]
) -> Wire | None:
    """What `build` makes of the slacks of `wires`, where each has one."""
    inner = [found for wire in wires if (found := known[wire]) is not None]
    return build(inner) if len(inner) == len(wires) else None


def distance(b: Builder, left: Wire, right: Wire) -> Wire:
    """|left - right|, entrywise."""
    over = b.add(Relu(combine(b, (1, left), (-1, right))))
    under = b.add(Relu(combine(b, (1, right), (-1, left))))
    return combine(b, (1, over), (1, under))


def smallest(b: Builder, wire: Wire) -> Wire:
    """The minimum along the last axis."""
    return negate(b, b.add(Max(negate(b, wire))))


def discrete(b: Builder, wire: Wire) -> Wire | None:
    """A surrogate slack for a truth about indices that `Argmax` chose."""
    match b.ops[wire]:
        case Const(type=known, values=values):
            return reals(b, (LARGE if value else -LARGE for value in values), known.shape)
        case Compare(left=left, right=right):
            sides = [equals(b, left, right), equals(b, right, left)]
            found = [side for side in sides if side is not None]
            return lesser(b, found) if found else None
        case Lookup(table=table, indices=(index,)):
            scores = grouped(b, table, index, (False, True))
            return difference(b, scores) if scores is not None else None
        case _:
            return None


def equals(b: Builder, scored: Wire, other: Wire) -> Wire | None:
    """How far the score of `other` stands above every rival's, where `scored` is chosen by score."""
    found = chosen_and_rivals(b, scored, other)
    if found is None:
        return None
    chosen, rivals = found
    return combine(b, (1, chosen), (-1, b.add(Max(rivals))))


def chosen_and_rivals(b: Builder, scored: Wire, other: Wire) -> tuple[Wire, Wire] | None:
    """The score of `other`, and along a new last axis those of all, its own less LARGE; None where `scored` has none."""
    scores = scores_of(b, scored)
    if scores is None:
        return None
    *shape, size = b.shape(scores)
    places = prod(shape)
    if max(size, places) * size > LIMIT:
        return None
    either = reals(b, [Fraction(0), -LARGE], (2,))
    own = reindex(
        b, [either], (int(i == j) for i in range(size) for j in range(size)), (size, size)
    )
    rivals = combine(b, (1, scores), (1, b.add(Lookup(own, (other,)))))
    rows = reindex(b, [scores], range(places * size), (places, size))
    here = codes(b, range(places), places, (places,))
    chosen = b.add(Lookup(rows, (here, flatten(b, other))))
    return reindex(b, [chosen], range(places), tuple(shape)), rivals


def scores_of(b: Builder, index: Wire, depth: int = 8) -> Wire | None:
    """A real tensor whose largest entry along a new last axis is at the value of `index`."""
    if depth == 0:
        return None
    match b.ops[index]:
        case Argmax(operand=scores):
            return scores
        case Lookup(table=table, indices=(inner,)):
            sort = b.types[index].sort
            members = range(sort.size) if isinstance(sort, Index) else ()
            return grouped(b, table, inner, members, depth - 1)
        case Reindex(operands=wires, source=source, shape=shape):
            parts = [scores_of(b, wire, depth - 1) for wire in wires]
            known = [part for part in parts if part is not None]
            if len(known) < len(parts):
                return None
            size = b.shape(known[0])[-1]
            entries = [k * size + j for k in source for j in range(size)]
            return reindex(b, known, entries, (*shape, size))
        case _:
            return None


def grouped(
    b: Builder, table: Wire, index: Wire, members: Sequence[int], depth: int = 8
) -> Wire | None:
    """Along a new last axis, the best score of those values of `index` that the table maps to it."""
    scores = scores_of(b, index, depth)
    match b.ops[table]:
        case Const(values=values) if scores is not None and len(b.shape(table)) == 1:
            groups = [[j for j, value in enumerate(values) if value == k] for k in members]
        case _:
            return None
    *shape, size = b.shape(scores)
    places, width = prod(shape), max(map(len, groups))
    if places * len(groups) * width > LIMIT:
        return None
    nothing = places * size
    source = [
        place * size + group[j] if j < len(group) else nothing
        for place in range(places)
        for group in groups
        for j in range(width)
    ]
    nowhere = reals(b, [-LARGE], (1,))
    return b.add(Max(reindex(b, [scores, nowhere], source, (*shape, len(groups), width))))


def difference(b: Builder, pair: Wire) -> Wire:
    """The second entry less the first, along the last axis, which is dropped."""
    *shape, _ = b.shape(pair)
    first, second = (
        reindex(b, [pair], range(side, 2 * prod(shape), 2), tuple(shape)) for side in (0, 1)
    )
    return combine(b, (1, second), (-1, first))


def lesser(b: Builder, wires: Sequence[Wire]) -> Wire:
    """The entrywise minimum of one wire or two: y - relu(y - x)."""
    first, last = wires[0], wires[-1]
    return combine(b, (1, last), (-1, b.add(Relu(combine(b, (1, last), (-1, first))))))

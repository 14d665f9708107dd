"""Linear maps of columns, and of sums of them: a matrix with known entries takes all its rows at once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from circ.compiler.audit.columns import Arithmetic, C, Total
from circ.compiler.audit.entries import Known, Nodes, Products
from circ.compiler.audit.rejected import require


def dot(math: Arithmetic[C], pairs: Sequence[tuple[C, C]]) -> C:
    """The sum of products, those with zero left out."""
    zero, one = math.zero, math.one
    left = [(x, y) for x, y in pairs if x is not zero and y is not zero]
    if len(left) == 1 and left[0][0] is one:
        return left[0][1]
    return math.dot(left) if left else zero


def dots(math: Arithmetic[C], rows: Sequence[Sequence[C]], columns: Sequence[C]) -> list[C]:
    """The sums of products of each row of factors with the columns, those with zero left out."""
    zero, one = math.zero, math.one
    plain = all(x is not zero and x is not one for row in rows for x in row)
    if len(rows) == 1 or not plain:
        return [dot(math, [*zip(row, columns, strict=True)]) for row in rows]
    left = [k for k, column in enumerate(columns) if column is not zero]
    if len(left) < len(columns):
        rows, columns = [[row[k] for k in left] for row in rows], [columns[k] for k in left]
    return math.dots(rows, columns) if left else [zero] * len(rows)


def mapped(
    math: Arithmetic[C], rows: Sequence[Sequence[C]], numbers: Sequence[Total[C]]
) -> list[Total[C]]:
    """Sums of the same numbers, each with its row of known factors."""
    heads = {id(x.head): x.head for x in numbers if x.head is not None}
    require(len(heads) < 2, "what two attention reads say is put together")
    head = next(iter(heads.values()), None)
    mixed = head is not None and any(x.head is None and x.terms for x in numbers)
    require(not mixed, "what one position says is added to what attention reads")
    zero, places = math.zero, dict.fromkeys(at for x in numbers for at in x.terms)
    terms = {at: dots(math, rows, [x.terms.get(at, zero) for x in numbers]) for at in places}
    rest = dots(math, rows, [x.rest for x in numbers])
    return [
        Total(head, {at: found[k] for at, found in terms.items()}, rest[k])
        for k in range(len(rows))
    ]


def runs(
    nodes: Nodes, given: Mapping[int, Known], places: Sequence[int]
) -> Iterator[Sequence[int]]:
    """Nodes in order, one by one; sums of products together as long as none needs another."""
    run: list[int] = []
    for place in places:
        sums = isinstance(nodes.nodes[place], Products) and place not in given
        if run and not (sums and max(nodes.parts[place], default=-1) < run[0]):
            yield run
            run = []
        if sums:
            run.append(place)
        else:
            yield (place,)
    if run:
        yield run

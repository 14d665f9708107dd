"""How an audit reads a claim about a box is held to the exact reference."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from circ.compiler.audit.parts.reading import Row, claim_of
from circ.compiler.builder import Builder, combine, matmul
from circ.compiler.ir import Compare, Relu, Select, Wire
from circ.compiler.trial import refuted
from tests.agreement.box_claims import box_claims
from tests.agreement.test_box_clauses import outcomes
from tests.agreement.test_boxes import witnesses
from tests.agreement.test_parts_of_boxes import at, valued
from tests.unit.obligations import box, known, less, obligation, pick

SIZE = 9


@settings(deadline=None, max_examples=100)
@given(data=st.data())
def test_a_claim_holds_where_each_clause_has_a_row(data: st.DataObject) -> None:
    """At an input of the box, a claim fails just where no row of some clause is as it should be; clauses
    that the box decides are left out."""
    about = data.draw(box_claims(bilinear=data.draw(st.booleans())))
    claim = claim_of(about, {})
    for witness in data.draw(st.lists(witnesses(about), min_size=3, max_size=3)):
        (outputs,) = outcomes(about, witness, (), {})
        point = [Fraction(x) for x in dict(witness.values)["x"]]
        values = valued(claim.units, point)
        holds = all(any(right(row, values) for row in clause) for clause in claim.clauses)
        assert holds != refuted(outputs, about)


def right(row: Row, values: list[Fraction]) -> bool:
    """Whether a row is above 0, or not below where it need not be."""
    value = at(row.of, values)
    return value > 0 or (value == 0 and not row.strict)


def test_units_are_named_by_wire_and_place() -> None:
    """Products of one entry, and the comparisons of one, have names of their own, counted on from entry to
    entry; a sum that is read twice is a unit with a number below 0."""

    def goal(b: Builder, w: dict[str, Wire]) -> Wire:
        x = w["x"]
        equal = pick(b, b.add(Compare("==", x, known(b, *[0] * SIZE))), 1)
        chosen = b.add(Select(equal, x, combine(b, (2, x))))
        total = matmul(b, x, known(b, *range(1, SIZE + 1)))
        sides = [b.add(Relu(combine(b, (sign, total)))) for sign in (1, -1)]
        squares = matmul(b, x, x)
        some = combine(b, *((1, y) for y in (matmul(b, chosen, x), squares, *sides)))
        return less(b, some, 1000)

    units = claim_of(obligation([box("x", *[(-1, 1)] * SIZE)], goal), {}).units
    names = {
        kind: sorted(
            number
            for (_, number), at in units.names.items()
            if units.made[at - SIZE].kind == kind and units.made[at - SIZE].deep < 3
        )
        for kind in ("product", "step", "relu")
    }
    assert names["step"] == [2, 3]
    assert names["product"] == sorted([*range(SIZE)] * 2)
    assert names["relu"] == [0, 0]
    assert [unit.name[1] < 0 for unit in units.made] == [u.kind == "linear" for u in units.made]
    assert sum(unit.kind == "linear" for unit in units.made) == 1

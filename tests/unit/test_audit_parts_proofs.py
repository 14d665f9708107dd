"""Small proofs about boxes, written by hand: what they show, and what they do not without one of their steps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import inf

import pytest

from circ.compiler.audit.parts.checked import gone_through
from circ.compiler.audit.parts.layers import Net, net_of
from circ.compiler.audit.parts.nodes import (
    AtInput,
    AtUnit,
    Cut,
    Node,
    Shut,
    Step,
    Tighten,
    Weighed,
    node_of,
)
from circ.compiler.audit.parts.reading import Claim, Row
from circ.compiler.audit.parts.units import Affine, Units, combined, known
from circ.compiler.audit.parts.windows import Place, Windows, in_doubles
from circ.compiler.audit.rejected import Rejected

HALF = Fraction(1, 2)
Line = Mapping[str, object]


def two_clauses(*, weak: bool = False) -> Net:
    """x + 1 above 0, and relu(x) + 1 above 0, on [-1/2, 2]; or not below 0 on [-1, 2]."""
    units = Units(1)
    x = Affine({0: 1}, 0)
    sums = (x, units.relu(x, (7, 0)))
    clauses = tuple((Row(combined([(1, y), (1, known(1))]), not weak),) for y in sums)
    return net_of(Claim(((Fraction(-1) if weak else -HALF, Fraction(2)),), units, clauses))


def shown(about: Net, lines: Sequence[Line], parts: int, *, exact: bool) -> bool:
    """Whether a proof in so many parts holds, and every line of it is read."""
    records = iter(lines)
    in_floats = in_doubles(about)
    assert in_floats is not None
    try:
        found = gone_through(about, records) if exact else in_floats(records)
    except Rejected:
        return False
    assert found == parts
    return next(records, None) is None


@pytest.mark.parametrize("exact", [False, True])
def test_every_clause_is_shown_on_every_part(exact: bool) -> None:
    """On one part, on two and on four; where one clause is left on one of them, or one part is not there,
    nothing is shown."""
    about = two_clauses()
    first, second = ({"shut": [k, [1], []]} for k in range(2))
    end: Line = {"steps": [first, second]}
    split: Line = {"steps": [], "input": [0, 0.5]}
    by_unit: Line = {"steps": [], "unit": [7, 0]}
    assert shown(about, [end], 1, exact=exact)
    for halves in (split, by_unit):
        assert shown(about, [halves, end, end], 2, exact=exact)
        assert shown(about, [halves, split, end, end, by_unit, end, end], 4, exact=exact)
        assert shown(
            about, [{**halves, "steps": [first]}, *[{"steps": [second]}] * 2], 2, exact=exact
        )
        for some in ([], [first], [second]):
            short: Line = {"steps": some}
            assert not shown(about, [short], 1, exact=exact)
            assert not shown(about, [halves, short, end], 2, exact=exact)
            assert not shown(about, [halves, end, short], 2, exact=exact)
            assert not shown(about, [halves, end, split, end, short], 3, exact=exact)
        assert not shown(about, [halves, end], 2, exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_where_no_input_is_left_no_step_is_asked_for_more(exact: bool) -> None:
    """Where relu(x) is off, x is not above 1: once bounds say so, sums that show nothing may follow. They
    may not before, or where x may be 0."""
    about = two_clauses()
    end: Line = {"steps": [{"shut": [k, [1], []]} for k in range(2)]}
    bounds, idle = {"bounds": None}, {"shut": [0, [0], []]}
    for at, steps, holds in (
        (1, [bounds, idle], True),
        (1, [idle, bounds], False),
        (0, [bounds, idle], False),
    ):
        lines: list[Line] = [{"steps": [], "unit": [7, 0]}, end]
        lines += [{"steps": [], "input": [0, at]}, end, {"steps": steps}]
        assert shown(about, lines, 3, exact=exact) is holds


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("most", "holds"), [(-1, True), (0, False)])
def test_a_phase_that_is_met_at_0_is_met(most: int, holds: bool, exact: bool) -> None:
    """That a step is off holds where x is below 0. Up to -1, that it is on contradicts the bounds of x; up
    to 0 it does not: the phase comes to 0, and is no contradiction."""
    units = Units(1)
    step = units.step(Affine({0: 1}, 0), (7, 0))
    off = Row(combined([(-2, step), (1, known(1))]), strict=True)
    about = net_of(Claim(((Fraction(-2), Fraction(most)),), units, ((off,),)))
    on: Line = {"steps": [{"shut": [None, [], [[7, 0, 1]]]}]}
    lines: list[Line] = [{"steps": [], "unit": [7, 0]}, on, {"steps": [{"shut": [0, [1], []]}]}]
    assert shown(about, lines, 2, exact=exact) is holds


@pytest.mark.parametrize("exact", [False, True])
def test_a_bad_split_beside_a_good_one_is_rejected(exact: bool) -> None:
    """Both are of parts that are read together."""
    about, end = two_clauses(), {"steps": [{"shut": [k, [1], []]} for k in range(2)]}
    good: Line = {"steps": [], "input": [0, 0.5]}
    for bad in ({"input": [1, 0.5]}, {"unit": [7, 1]}):
        for pair in ([good, end, end, {"steps": [], **bad}], [{"steps": [], **bad}]):
            assert not shown(about, [good, *pair, end, end], 4, exact=exact)


@pytest.mark.parametrize("exact", [False, True])
def test_what_doubles_leave_open_is_checked_in_whole_numbers(exact: bool) -> None:
    """x + 1 is not below 0 from -1 on, which rounding hides: it is shown on the whole box, on a half, and
    before a split; and not where it is above 0 that is asked."""
    about = two_clauses(weak=True)
    first, second = ({"shut": [k, [1], []]} for k in range(2))
    end: Line = {"steps": [first, second]}
    split: Line = {"steps": [], "input": [0, 0.5]}
    assert shown(about, [end], 1, exact=exact)
    assert shown(about, [split, end, end], 2, exact=exact)
    assert shown(about, [{**split, "steps": [first]}, *[{"steps": [second]}] * 2], 2, exact=exact)
    strict = net_of(
        Claim(
            ((Fraction(-1), Fraction(2)),),
            Units(1),
            ((Row(Affine({0: 1}, 1), strict=True),), (Row(Affine({}, 1), strict=True),)),
        )
    )
    assert not shown(strict, [end], 1, exact=exact)
    assert not shown(strict, [split, end, end], 2, exact=exact)
    assert not shown(
        strict, [{**split, "steps": [first]}, *[{"steps": [second]}] * 2], 2, exact=exact
    )


def one_or_other() -> Net:
    """x - 1 or 2 - relu(x) is above 0, on [-4, 4]: the second wherever the first is not."""
    units = Units(1)
    x = Affine({0: 1}, 0)
    y = units.relu(x, (7, 0))
    row = (combined([(1, x), (-1, known(1))]), combined([(-1, y), (2, known(1))]))
    ends = ((Fraction(-4), Fraction(4)),)
    return net_of(Claim(ends, units, (tuple(Row(r, strict=True) for r in row),)))


@pytest.mark.parametrize("exact", [False, True])
def test_cuts_and_bounds_are_of_one_part(exact: bool) -> None:
    """A cut leaves what breaks its clause, on the part where it is made and its halves; bounds taken anew
    are those of the part. Without the step before, the one after shows nothing."""
    about = one_or_other()
    cut_first, tight = {"cut": [0, [1, 0], []]}, {"bounds": None}
    last = {"shut": [0, [0, 1], []]}
    assert shown(about, [{"steps": [cut_first, tight, last]}], 1, exact=exact)
    assert not shown(about, [{"steps": [tight, last]}], 1, exact=exact)
    assert not shown(about, [{"steps": [last]}], 1, exact=exact)
    end: Line = {"steps": [tight, last]}
    split: Line = {"steps": [cut_first], "input": [0, 0.5]}
    assert shown(about, [split, end, end], 2, exact=exact)
    assert not shown(about, [{**split, "steps": []}, end, end], 2, exact=exact)
    one_side: Line = {"steps": [], "input": [0, 1]}
    assert shown(
        about, [one_side, end, {"steps": [{"cut": [0, [1, 0], []]}, tight, last]}], 2, exact=exact
    )
    assert not shown(about, [one_side, {"steps": [cut_first, tight, last]}, end], 2, exact=exact)


def test_doubles_alone_show_what_has_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """By any kind of step and split, with nothing left to whole numbers."""

    def never(_windows: Windows, _place: Place) -> None:
        raise AssertionError("a part is checked in whole numbers")

    monkeypatch.setattr(Windows, "exactly", never)
    first, second = ({"shut": [k, [1], []]} for k in range(2))
    split: Line = {"steps": [first], "input": [0, 0.5]}
    by_unit: Line = {"steps": [], "unit": [7, 0]}
    ends: list[Line] = [{"steps": [second]}] * 2
    assert shown(two_clauses(), [split, *ends], 2, exact=False)
    assert shown(two_clauses(), [by_unit, split, *ends, split, *ends], 4, exact=False)
    last = [{"bounds": None}, {"shut": [0, [0, 1], []]}]
    assert shown(one_or_other(), [{"steps": [{"cut": [0, [1, 0], []]}, *last]}], 1, exact=False)


# --- the form of a line ---------------------------------------------------------------------------


def test_a_line_says_what_it_says() -> None:
    """Each kind of step and of split."""
    steps = [{"bounds": None}, {"bounds": [3]}, {"shut": [0, [1, 0.5], []]}]
    found = node_of({"steps": [*steps, {"cut": [None, [], [[7, 2, 3]]]}], "input": [1, 0.25]})
    wanted: tuple[Step, ...] = (
        Tighten(None),
        Tighten(frozenset({3})),
        Shut(Weighed(0, (Fraction(1), HALF), ())),
        Cut(Weighed(None, (), (((7, 2), Fraction(3)),))),
    )
    assert found == Node(wanted, AtInput(1, Fraction(1, 4)))
    assert node_of({"steps": [], "unit": [7, 2]}) == Node((), AtUnit((7, 2)))
    assert node_of({"steps": []}) == Node((), None)


LARGE = 1 << 62


FORMLESS: list[dict[str, object]] = [
    {},
    {"step": []},
    {"steps": [], "input": [0, 1], "unit": [0, 1]},
    {"steps": {}},
    {"steps": [[]]},
    {"steps": [{}]},
    {"steps": [{"bounds": None, "shut": [None, [], []]}]},
    {"steps": [{"hope": []}]},
    {"steps": [{"bounds": [LARGE]}]},
    {"steps": [{"bounds": [-1]}]},
    {"steps": [{"shut": [0, []]}]},
    {"steps": [{"shut": [0, [], [], []]}]},
    {"steps": [{"shut": [0, [-1], []]}]},
    {"steps": [{"shut": [0, [-(2.0**-1000)], []]}]},
    {"steps": [{"shut": [0, [LARGE], []]}]},
    {"steps": [{"shut": [0, ["1"], []]}]},
    {"steps": [{"shut": [0, [True], []]}]},
    {"steps": [{"shut": [LARGE, [1], []]}]},
    {"steps": [{"shut": [0, [], [[1, 2]]]}]},
    {"steps": [{"shut": [0, [], [[1, 2, -3]]]}]},
    {"steps": [{"shut": [0, [], [[LARGE, 2, 3]]]}]},
    {"steps": [{"shut": [0, [], [[1, LARGE, 3]]]}]},
    {"steps": [], "input": [0]},
    {"steps": [], "input": [0, 1, 2]},
    {"steps": [], "input": [LARGE, 1]},
    {"steps": [], "input": [0, inf]},
    {"steps": [], "input": [0, LARGE]},
    {"steps": [], "unit": [LARGE, 0]},
    {"steps": [], "unit": [0, LARGE]},
]


@pytest.mark.parametrize("line", FORMLESS)
def test_what_has_no_form_is_rejected(line: dict[str, object]) -> None:
    """Fields, lengths, kinds and ranges; no multiplier is below 0."""
    with pytest.raises(Rejected):
        node_of(line)

"""Certificates about several heads that are added, and about ReLUs behind them, made by hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from fractions import Fraction
from io import BytesIO
from time import monotonic

import pytest

from circ.compiler.audit import quick
from circ.compiler.audit.audit import Audited, audited
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import Builder, both, combine, matmul, number, take, truth
from circ.compiler.ir import (
    Compare,
    Const,
    Input,
    Lookup,
    Real,
    Relu,
    Softmax,
    Wire,
    WireType,
)
from circ.compiler.obligation import Obligation
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate
from tests.agreement.heads import word
from tests.unit.obligations import NOWHERE
from tests.unit.test_token_sets import LENGTH, LETTERS, Asked, Goal, above, below, claim

Data = dict[str, object]

LOOSE = [[-1.001, 0], [-1.001, 0]]
"""What each head reads of the first logit is at most 1, so that -1.001 is below what is added of it."""

EXACT = pytest.mark.parametrize("exact", [True, False])
"""Both paths of an audit."""


def certificate(asked: Asked, proof: Data) -> BytesIO:
    """A certificate with the same proof for each letter at the last position."""
    obligation, weights = asked
    header = {
        "format": "circ certificate 1", "tool": "by hand", "claim": "c", "by": "paths",
        "obligation": obligation_digest(obligation),
        "tensors": tensor_digests(obligation, weights), "words": str(LETTERS**LENGTH),
        "classes": 1, "fixed": LENGTH - 1, "witness": None,
    }  # fmt: skip
    rows = [[[row], {"lines": proof}] for row in range(LETTERS)]
    record = {"class": [], "steps": [[[0] * LETTERS]] * LENGTH, "proof": {"rows": rows}}
    return BytesIO(b"".join(json.dumps(line).encode() + b"\n" for line in (header, record)))


def holds(asked: Asked, proof: Data, exact: bool) -> Audited:
    """What an audit says; raises `Rejected`."""
    return audited(*asked, certificate(asked, proof), None if exact else QUICK)


def refused(asked: Asked, proof: Data, exact: bool, reason: str) -> None:
    """Check that an audit gives this reason."""
    with pytest.raises(Rejected, match=reason):
        holds(asked, proof, exact)


def step(bounds: list[object], lines: object, clause: int = 0, then: object = None) -> Data:
    """Bounds, and one clause."""
    shown = {"clause": clause, "multipliers": [1], "lines": lines}
    return {"bounds": bounds, "shown": [shown], "then": then}


# --- two heads ------------------------------------------------------------------------------------


@EXACT
def test_each_head_has_a_line_below_it(exact: bool) -> None:
    """Two reads of at most 1 are below 2.01 together, and the audit sees it by one line each."""
    assert holds(claim(below(0, 2.01)), step([], LOOSE), exact).words == LETTERS**LENGTH


@EXACT
@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([[-0.99, 0], [-0.99, 0]], "a line is not below"),
        ([[-1.001, 0], [-0.5, 0]], "a line is not below"),
        ([[-0.99, 0], None], "a head has no line|a line is not below"),
        ([[-1.001, 0], None], "a head has no line"),
        ([[-1.001, 1e6], [-1.001, 1e6]], "a line is not below"),
        ([[-0.5, 0.01], [-0.5, 0.01]], "a line is not below"),
        (LOOSE, "do not show"),
    ],
)
def test_a_false_claim_has_no_lines(lines: object, reason: str, exact: bool) -> None:
    """The sum is 2 on one word: a line that is too high, one too steep, or none for a head show nothing."""
    refused(claim(below(0, 1.99)), step([], lines), exact, reason)


@EXACT
@pytest.mark.parametrize("lines", [[], [[-1.001, 0]], [*LOOSE, [0, 0]], 0, [[-1.001], [0, 0]],
    [[-1.001, 0], [-1.001, True]], [[-1.001, 0], [-(2**60 + 1), 0]], [[-1.001, 0], [-1e305, 0]]])  # fmt: skip
def test_lines_are_well_formed(lines: object, exact: bool) -> None:
    """There are as many as heads, each of two numbers that doubles hold."""
    with pytest.raises(Rejected):
        holds(claim(below(0, 2.01)), step([], lines), exact)


def below_and_above(b: Builder, s: Wire, logits: Wire) -> Wire:
    """The first logit is below 2.01 and above 0, which is false."""
    return both(b, below(0, 2.01)(b, s, logits), above(0, 0)(b, s, logits))


@EXACT
def test_every_clause_is_shown(exact: bool) -> None:
    """One of two clauses shown is not both."""
    asked = claim(below_and_above)
    for clause in (0, 1):
        with pytest.raises(Rejected):
            holds(asked, step([], LOOSE, clause), exact)
    refused(asked, {"bounds": [], "shown": [], "then": None}, exact, "a clause is not shown")
    with pytest.raises(Rejected):
        holds(asked, step([], LOOSE, 2), exact)


@EXACT
def test_multipliers_are_not_negative(exact: bool) -> None:
    """Nor zero, which would show that a weak comparison holds."""
    for weights in ([-1], [0]):
        shown = {"clause": 0, "multipliers": weights, "lines": LOOSE}
        proof: Data = {"bounds": [], "shown": [shown], "then": None}
        refused(claim(below(0, 1.99)), proof, exact, "multipliers")


# --- ReLUs ----------------------------------------------------------------------------------------


def rectified(factor: str, linear: str, known: str) -> Goal:
    """Whether factor·relu(x - 1) + linear·(x - 1) + known is above zero, x the first logit: x - 1 is
    between -3/2 and 1."""

    def goal(b: Builder, _s: Wire, logits: Wire) -> Wire:
        shifted = combine(b, (1, take(b, logits, [0])), (-1, number(b, 1)))
        terms = (Fraction(factor), b.add(Relu(shifted))), (Fraction(linear), shifted)
        whole = combine(b, *terms, (1, number(b, Fraction(known))))
        return b.add(Compare("<", number(b, 0), whole))

    return goal


def bound(asked: Asked, low: float, high: float, slope: float = 0) -> list[object]:
    """Bounds of the one ReLU, by what heads say at least: -1/4 and -1."""
    (wire,) = (k for k, op in enumerate(asked[0].circuit.ops) if isinstance(op, Relu))
    return [wire, 0, low, high, slope, [[-0.2501, 0], [-0.2501, 0]], LOOSE]


UPPER = claim(rectified("-1", "0", "1.01"))
"""What a ReLU passes on is below 1.01."""

FALSE = claim(rectified("-1", "0", "0.5"))
"""That it is below one half is false."""


@EXACT
def test_a_line_above_a_relu_rests_on_its_bounds(exact: bool) -> None:
    """Between -1.51 and 1.01 a ReLU is below the line through both ends."""
    lines = [[-0.4, 0], [-0.4, 0]]
    assert holds(UPPER, step([bound(UPPER, -1.51, 1.005)], lines), exact)
    refused(UPPER, step([], lines), exact, "nothing is known of a ReLU")


@EXACT
@pytest.mark.parametrize(("low", "high"), [(-1.51, 0.4), (-0.01, 0.4), (-1.51, 0), (0, 1.01)])
def test_a_bound_is_shown(low: float, high: float, exact: bool) -> None:
    """A bound that does not hold is not believed, whatever would follow."""
    for lines in ([[-0.4, 0]] * 2, [[-0.2, 0]] * 2, [[0, 0]] * 2):
        refused(FALSE, step([bound(FALSE, low, high)], lines), exact, "do not show")


@EXACT
@pytest.mark.parametrize("slope", [-0.5, 1.5])
def test_a_line_below_a_relu_is_below_it(slope: float, exact: bool) -> None:
    """Steeper than 1, or falling, it is not; that a ReLU is above x - 1 + 1/10, or that 1, is false."""
    asked = claim(rectified("1", "-1", "-0.1"))
    proof = step([bound(asked, -1.51, 1.01, slope)], [[-0.26, 0]] * 2)
    refused(asked, proof, exact, "too steep, or falls")


@EXACT
def test_the_line_on_the_other_side_shows_nothing(exact: bool) -> None:
    """A ReLU is not above 7/20 of x - 1, and a half: it is zero at zero. The line above it would be."""
    asked = claim(rectified("1", "-0.35", "-0.5"))
    known = bound(asked, -1.51, 1.01)
    for slope in (0, 0.4, 1):
        known[4] = slope
        for least in (-0.02, -0.4):
            with pytest.raises(Rejected):
                holds(asked, step([known], [[least, 0]] * 2), exact)


@EXACT
def test_a_line_above_a_relu_is_above_it(exact: bool) -> None:
    """It is zero where the operand is least, and not where that is zero: a ReLU is not below 2/5 of x - 1,
    and a bit."""
    asked = claim(rectified("-1", "0.4", "0.05"))
    proof = step([bound(asked, -1.51, 1.005)], [[-0.001, 0]] * 2)
    refused(asked, proof, exact, "do not show")


@EXACT
def test_a_bound_holds_where_it_is_shown(exact: bool) -> None:
    """What is shown of one part of the words is not known of another; of parts of it, it is."""
    known, lines = bound(UPPER, -1.51, 1.005), [[-0.4, 0], [-0.4, 0]]
    inner = {"position": 0, "parts": [[[0], step([], lines)], [[1, 2], step([], lines)]]}
    assert holds(UPPER, {"bounds": [known], "shown": [], "then": inner}, exact)
    beside: Data = {
        "position": 0,
        "parts": [[[0], step([known], lines)], [[1, 2], step([], lines)]],
    }
    refused(UPPER, beside, exact, "nothing is known of a ReLU")
    missing: Data = {"position": 0, "parts": [[[0], step([known], lines)]]}
    refused(UPPER, missing, exact, "leaves words out")


@EXACT
def test_a_clause_is_shown_once(exact: bool) -> None:
    """Where one is said to be shown twice, the step could be made as large as one likes."""
    shown = {"clause": 0, "multipliers": [1], "lines": LOOSE}
    twice: Data = {"bounds": [], "shown": [shown, shown], "then": None}
    refused(claim(below(0, 2.01)), twice, exact, "shown twice")


@EXACT
def test_bounds_are_of_relus_and_once(exact: bool) -> None:
    """A bound of something else, or a second one of the same, is none."""
    lines, known = [[-0.4, 0], [-0.4, 0]], bound(UPPER, -1.51, 1.005)
    refused(UPPER, step([known, known], lines), exact, "bounded twice")
    changes: list[tuple[int, object]] = [
        (0, 0), (1, 7), (0, -1), (2, "low"), (3, None), (5, LOOSE), (6, []),
    ]  # fmt: skip
    for place, part in changes:
        other = [*known[:place], part, *known[place + 1 :]]
        with pytest.raises(Rejected):
            holds(UPPER, step([known, other], lines), exact)
        with pytest.raises(Rejected):
            holds(UPPER, step([other], lines), exact)


@EXACT
@pytest.mark.parametrize("factor", [1.0, 2.0**199, 2.0**399, 2.0**999])
def test_what_underflows_is_not_lost(factor: float, exact: bool) -> None:
    """What a head reads is less than nothing by 2^-700, its powers below 2^-398: their product is zero in
    float64, and no multiplier makes that a proof."""
    shown = {"clause": 0, "multipliers": [factor], "lines": [[0, 0]]}
    refused(tiny(), {"bounds": [], "shown": [shown], "then": None}, exact, "not below")


def tiny() -> Asked:
    """The false claim that a head, which reads -2^-700 of each letter, reads more than -2^-701."""
    b = Builder()
    bound = word(LETTERS, LENGTH)
    s = b.add(Input("s", bound.type))
    scores, values = ([part] * LETTERS for part in (Fraction(-276), Fraction(-1, 1 << 700)))
    kind = WireType(Real(), (LETTERS,))
    score, value = (b.add(Lookup(b.add(Const(kind, tuple(x))), (s,))) for x in (scores, values))
    read = matmul(b, b.add(Softmax(score)), value)
    goal = b.add(Compare("<", number(b, Fraction(-1, 1 << 701)), read))
    outputs = {"in s": truth(b, True), "goal": goal}
    return Obligation("c", "forall", b.circuit(outputs), (bound,), NOWHERE), {}


# --- written --------------------------------------------------------------------------------------

WRITTEN: dict[str, Callable[[], Asked]] = {
    "two heads": lambda: claim(below(0, 2.01)),
    "parts": lambda: claim(below(2, 0.95)),
    "a condition": lambda: claim(above(0, 0.5), where=above(0, 1.0)),
    "a ReLU": lambda: UPPER,
    "a ReLU in parts": lambda: claim(rectified("-1", "0.2", "0.81")),
}


@EXACT
@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_holds(name: str, exact: bool) -> None:
    """The certificate of a claim about two heads holds."""
    asked, stream = WRITTEN[name](), BytesIO()
    write_certificate(*asked, monotonic() + 60, stream)
    stream.seek(0)
    words = audited(*asked, stream, None if exact else QUICK).words
    assert words == (None if name == "a condition" else LETTERS**LENGTH)


def test_without_room_for_floats_whole_numbers_decide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Automata of very many edges are followed without arrays of all of them, to the same end."""
    monkeypatch.setattr(quick, "MOST_EDGES", 0)
    asked, stream = UPPER, BytesIO()
    write_certificate(*asked, monotonic() + 60, stream)
    stream.seek(0)
    assert audited(*asked, stream, QUICK).words == LETTERS**LENGTH


def test_what_is_false_or_late_has_none() -> None:
    """A claim that fails at a word has no certificate, nor has one for which the time is up."""
    for asked, seconds in (
        (claim(below(0, 1.999)), 0.5),
        (FALSE, 0.5),
        (claim(below(0, 2.01)), -1),
    ):
        with pytest.raises(NoCertificate):
            write_certificate(*asked, monotonic() + seconds, BytesIO())

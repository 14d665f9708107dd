"""`circ prove --certificate`, `circ audit`, and the arithmetic that an audit rests on."""

from __future__ import annotations

import json
import re
import shlex
from array import array
from collections.abc import Sequence
from decimal import Context, Decimal
from fractions import Fraction
from io import BytesIO
from pathlib import Path
from random import Random
from time import monotonic

import numpy as np
import pytest

from circ.compiler.audit import proofs
from circ.compiler.audit.audit import audited
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.fixed import exp_bounds, fixed_point, inverse_bounds, root_bounds
from circ.compiler.audit.floats import Ball, FloatPoint, float_point
from circ.compiler.audit.record import multipliers_of
from circ.compiler.audit.rejected import Rejected
from circ.compiler.builder import Builder, combine, number, take, truth
from circ.compiler.ir import Compare as CompareOp
from circ.compiler.ir import Comparison, Index, Input, Lookup, Weight, WireType
from circ.compiler.obligation import Bound, Obligation, Words
from circ.compiler.tensor import Tensor
from circ.compiler.verdict import Unknown
from circ.runtime.certificates import goal
from circ.runtime.certificates.auditing import audit_files
from circ.runtime.certificates.files import certify
from circ.runtime.certificates.onwards import write_onwards
from circ.runtime.session import checked, settings
from tests.unit.lowered import lowered
from tests.unit.obligations import NOWHERE
from tests.unit.specs import Rows, command, save, write_spec

READING = """
checkpoint m from "model.safetensors"
circuit f(s: fin[3, 4]) -> real[2] {
  let x = [ m.W[c] for c in s ]
  return softmax([ v[0] for v in x ]) @ x
}
domain Words = { s: fin[3, 4] }
claim above: forall s in Words: f(s)[0] > 0.5
claim odd: forall s in Words: f(s)[0] > 2
claim some: exists s in Words: f(s)[1] > 0
"""

WEIGHTS: dict[str, Rows] = {"W": [[1.0, 0.5], [2.0, -1.0], [3.0, 0.25]]}


class TestTheCommand:
    """A proof is left as a file, and the file is checked."""

    def test_what_was_proved_can_be_audited(self, tmp_path: Path) -> None:
        """`prove` leaves a certificate of what it proved, and of nothing else; `audit` takes it."""
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"

        assert command("prove", spec, "--certificate", proofs) == 1
        assert {path.name for path in proofs.iterdir()} == {"above.cert", "some.cert"}
        assert command("audit", spec, proofs) == 0
        assert command("audit", spec, proofs, "above", "--exact") == 0

    def test_why_there_is_none_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A claim that is proved in a way that leaves no certificate says so."""
        spec = write_spec(tmp_path, READING + "claim four: count { s in Words } == 81\n", WEIGHTS)

        assert command("prove", spec, "four", "--certificate", tmp_path / "proofs") == 0
        assert "no certificate: it is about numbers of inputs" in capsys.readouterr().out

    def test_how_it_is_proved_is_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """An `exists` has its witness, few words are gone through."""
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("prove", spec, "above", "some", "--certificate", proofs) == 0
        capsys.readouterr()

        assert command("audit", spec, proofs) == 0
        told = capsys.readouterr().out
        assert "on all 81 inputs, by enumeration" in told
        assert "by its witness" in told
        assert command("audit", spec, proofs, "--json") == 0
        found = json.loads(capsys.readouterr().out)["certificates"]
        assert [(one["by"], one["words"]) for one in found] == [("inputs", 81), ("witness", 1)]

    def test_a_certificate_of_other_weights_is_1(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """The first reason is told, as data too."""
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        write_spec(tmp_path, READING, {"W": [[1.0, 0.5], [2.0, -1.0], [3.0, 0.5]]})
        capsys.readouterr()

        assert command("audit", spec, proofs, "--json") == 1
        (found,) = json.loads(capsys.readouterr().out)["certificates"]
        assert found["holds"] is False
        assert found["reason"] == "the tensor m/W has changed since"
        assert found["file"] == str(proofs / "above.cert")

    def test_a_rejection_says_what_to_do(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It names the file, and the command that proves the claim again as it was asked about."""
        model = tmp_path / "other model"
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        save({"W": [[1.0, 0.5], [2.0, -1.0], [3.0, 0.5]]}, model, np.float32)
        capsys.readouterr()

        assert command("audit", spec, proofs, "--checkpoint", f"m={model}") == 1
        told = capsys.readouterr().out
        assert f"{proofs / 'above.cert'}: the tensor m/W has changed since" in told
        again = re.search("try: prove the claim again, with `(.*)`", told)
        assert again is not None
        assert command(*shlex.split(again[1])[1:]) == 0
        assert command("audit", spec, proofs, "--checkpoint", f"m={model}") == 0

    def test_all_claims_may_be_asked_to_have_one(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """With `--strict` one without is 1; one that is expected to fail has nothing to show."""
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        assert command("audit", spec, proofs) == 0
        capsys.readouterr()
        assert command("audit", spec, proofs, "--strict") == 1
        assert "without a certificate: odd, some" in capsys.readouterr().out

        spec.write_text(READING.replace("odd:", "odd expects refuted:"))
        assert command("audit", spec, proofs, "--strict") == 1
        assert "without a certificate: some\n" in capsys.readouterr().out
        assert command("prove", spec, "--certificate", proofs) == 0
        assert command("audit", spec, proofs, "--strict") == 0

    def test_half_a_character_is_escaped(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """What wrote a certificate may have any name, as data too."""
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        path = proofs / "above.cert"
        first, *others = path.read_text().splitlines(keepends=True)
        header = json.dumps(json.loads(first) | {"tool": "\ud800"})
        path.write_text("".join([header + "\n", *others]))
        capsys.readouterr()

        assert command("audit", spec, proofs, "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)["certificates"]
        assert found["tool"] == "\ud800"

    def test_what_is_proved_again_leaves_no_older_files(self, tmp_path: Path) -> None:
        """Those of an earlier proof go, and those of the lengths before one that has none."""
        normed = "(f(s) + 1) / sqrt(sum([ m.v[x] * m.v[x] for x in s ]) + 1) > 0"
        text = f"{ENDLESS}claim tall: forall s in {{ s: C[1..] }}: {normed}\n"
        spec, proofs = write_spec(tmp_path, text, READS), tmp_path / "proofs"
        proofs.mkdir()
        for name in ("tall.7.cert", "above.9.cert", "above.cert", "above.txt"):
            (proofs / name).write_text("", encoding="utf-8")
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        left = {path.name for path in proofs.iterdir()}
        assert not left & {"above.9.cert", "above.cert"}
        assert {"above.txt", "tall.7.cert", "above.onwards.cert"} <= left
        assert command("prove", spec, "tall", "--certificate", proofs) == 0
        assert not [path for path in proofs.iterdir() if path.name.startswith("tall")]

    @pytest.mark.parametrize(("where", "code"), [("", 1), ("where f(s)[1] > 9", 3)])
    def test_what_is_not_proved_leaves_no_older_files(
        self, tmp_path: Path, where: str, code: int
    ) -> None:
        """A claim that fails now, or says nothing, has no proof; one left undecided may have."""
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        program, undecided = lowered(READING, tmp_path), Unknown("time ran out", "nothing")
        assert certify(program.question("above"), program.weights, undecided, proofs, 9) is None
        assert (proofs / "above.cert").exists()

        spec.write_text(READING.replace("Words: f(s)[0] > 0.5", f"Words {where}: f(s)[0] > 2"))
        assert command("prove", spec, "above", "--certificate", proofs) == code
        assert list(proofs.iterdir()) == []

    def test_no_certificate_is_4(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        """A folder without one is a wrong command line, and so is a claim that has none in it.

        Claims that are not named are told where they have none.
        """
        spec, proofs = write_spec(tmp_path, READING, WEIGHTS), tmp_path / "proofs"
        assert command("audit", spec, proofs) == 4
        assert f"no claim has a certificate in {proofs}" in capsys.readouterr().err
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        capsys.readouterr()
        assert command("audit", spec, proofs) == 0
        assert "without a certificate: odd" in capsys.readouterr().out
        assert command("audit", spec, proofs, "odd") == 4
        assert command("audit", spec, proofs, "none") == 4


# --- all lengths of a word ------------------------------------------------------------------------

ENDLESS = """
enum C = { a, b, c }
checkpoint m from "model.safetensors"
circuit f[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] for x in s ]
claim above: forall s in { s: C[1..] | s[0] == a }: f(s) > -0.25
claim two: forall s in { s: C[1..] | s matches a b }: f(s) > -0.25
claim none: forall s in { s: C[5..] | s[0] == a } where f(s) < -0.25: f(s) > 7
claim long: forall s in { s: C[8..] | count { x in s | 1 < 2 } <= 6 }: f(s) > -9
claim later: forall s in { s: C[5..] | s[0] == a }: f(s) > -0.25
claim nothing: forall s in { s: C[1..3] | s matches a b c a }: f(s) > 7
claim some: exists s in { s: C[1..3] | s matches a b }: f(s) > 7
"""

READS: dict[str, Rows] = {"k": [1.0, 0.0, -0.5], "v": [1.0, -0.25, 0.125]}


class TestAllLengths:
    """The short lengths have a certificate each, and all others one together."""

    def test_every_length_can_be_audited(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """It is told that this rests on all positions being treated alike."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        names = {f"above.{n}.cert" for n in (1, 2, 3, 4, "onwards")}
        assert {path.name for path in proofs.iterdir()} == names
        capsys.readouterr()

        for exact in ([], ["--exact"]):
            assert command("audit", spec, proofs, *exact) == 0
            out = capsys.readouterr().out
            assert "above: the certificate holds at every length" in out
            assert "on every word of its domain, of whatever length" in out
            assert "that all positions are treated alike" in out
        assert command("audit", spec, proofs, "--json") == 0
        (found,) = json.loads(capsys.readouterr().out)["certificates"]
        assert found["words"] is None
        assert "that all positions are treated alike" in found["trusted"]

    def test_no_piece_may_be_missing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Neither that of a short length, nor the one for all others."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        assert command("prove", spec, "above", "two", "--certificate", proofs) == 0
        for path in sorted(proofs.iterdir()):
            aside = path.rename(tmp_path / "aside")
            assert command("audit", spec, proofs) == 1, path
            assert f"{path}: there is no certificate for" in capsys.readouterr().out
            aside.rename(path)
        assert command("audit", spec, proofs) == 0

    def test_no_length_may_be_missing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """Where the certificate for all others begins later, those between are wanted."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        assert command("prove", spec, "above", "--certificate", proofs) == 0
        onwards_from(7, spec, "above", proofs)
        capsys.readouterr()

        assert command("audit", spec, proofs) == 1
        assert "no certificate for words of length 5" in capsys.readouterr().out
        onwards_from(5, spec, "above", proofs)
        assert command("audit", spec, proofs) == 0

    def test_no_words_of_other_lengths(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """That there are none is checked too, and rests on the same."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        assert command("prove", spec, "two", "--certificate", proofs) == 0
        capsys.readouterr()

        assert command("audit", spec, proofs, "two") == 0
        out = capsys.readouterr().out
        assert "on all 1 words, by enumeration" in out
        assert "that all positions are treated alike" in out

    def test_what_no_word_meets_is_not_shown(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A condition about the network that no word meets makes everything true of all of them."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        onwards_from(5, spec, "none", proofs)

        assert command("audit", spec, proofs, "none") == 1
        assert "no word meets the conditions" in capsys.readouterr().out

    def test_shorter_words_show_nothing(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """That words meet the conditions is shown by those that the claim is about."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        onwards_from(5, spec, "long", proofs)

        assert command("audit", spec, proofs, "long") == 1
        assert "no word meets the conditions" in capsys.readouterr().out

    def test_the_first_length_may_be_among_all_others(self, tmp_path: Path) -> None:
        """Then no length needs a certificate of its own."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        onwards_from(5, spec, "later", proofs)
        assert command("audit", spec, proofs, "later") == 0

    @pytest.mark.parametrize("exact", [False, True])
    def test_lengths_without_words_show_nothing_together(self, tmp_path: Path, exact: bool) -> None:
        """Each needs no certificate; a claim about words of these lengths alone is about none."""
        program = checked(write_spec(tmp_path, ENDLESS, READS), settings((), (), False))
        with pytest.raises(Rejected, match="no word meets the conditions"):
            audit_files(program.question("nothing"), program.weights, tmp_path, exact=exact)

    @pytest.mark.parametrize("length", ["1", "01", "001", "3", "\u0661"])
    def test_that_something_exists_has_a_witness(self, tmp_path: Path, length: str) -> None:
        """At a length that no word has there is none, whatever the file is called."""
        spec, proofs = write_spec(tmp_path, ENDLESS, READS), tmp_path / "proofs"
        proofs.mkdir()
        (proofs / f"some.{length}.cert").touch()

        assert command("audit", spec, proofs, "some") == 1


def onwards_from(start: int, spec: Path, claim: str, folder: Path) -> None:
    """Leave the certificate for all lengths from one on."""
    program = lowered(spec.read_text(), spec.parent)
    near, far = map(program.question(claim).alike, (5, 6))
    folder.mkdir(exist_ok=True)
    with (folder / f"{claim}.onwards.cert").open("wb") as stream:
        write_onwards(near, far, program.weights, start, monotonic() + 60, stream)


# --- strict and weak ------------------------------------------------------------------------------


ZERO_OR_ONE = {"m/w": Tensor((2,), "F32", array("d", [0, 1]))}


def at_least_zero(op: Comparison) -> Obligation:
    """That a sum over two letters, which is zero at its least, is above zero; or is not below."""
    b = Builder()
    word = b.add(Input("s", WireType(Index(2), (2,))))
    table = b.add(Weight("m/w", (2,)))
    letters = [b.add(Lookup(table, (take(b, word, [p]),))) for p in range(2)]
    goal = b.add(CompareOp(op, number(b, 0), combine(b, *((1, x) for x in letters))))
    circuit = b.circuit({"in s": truth(b, True), "goal": goal})
    bound = Bound("s", WireType(Index(2), (2,)), Words(("a", "b")))
    return Obligation("c", "forall", circuit, (bound,), NOWHERE)


@pytest.mark.parametrize("op", ["<", "<="])
def test_a_sum_that_may_be_zero_is_not_above_zero(op: Comparison) -> None:
    """Zero is as good as positive for a weak comparison, and for no strict one."""
    claim = at_least_zero(op)
    header: dict[str, object] = {
        "format": "circ certificate 1", "tool": "by hand", "claim": "c", "by": "paths",
        "obligation": obligation_digest(claim), "tensors": tensor_digests(claim, ZERO_OR_ONE), "words": "4", "classes": 1,
        "fixed": None, "witness": None,
    }  # fmt: skip
    proof = {"clauses": [{"multipliers": [1], "f4": "AAAAAAAAAAA="}]}
    record = {"class": [], "steps": [[[0, 0]], [[0, 0]]], "proof": proof}
    data = b"".join(json.dumps(line).encode() + b"\n" for line in (header, record))

    if op == "<=":
        assert audited(claim, ZERO_OR_ONE, BytesIO(data)).words == 4
    else:
        with pytest.raises(Rejected, match="positive"):
            audited(claim, ZERO_OR_ONE, BytesIO(data))


@pytest.mark.parametrize("multipliers", [[1, -1], [0, 0], [1], [1, "1"], [1, True], [0.5, None]])
def test_multipliers_are_not_negative(multipliers: list[object]) -> None:
    """A sum that is positive shows one of its parts to be so if none is turned, and some counts."""
    assert multipliers_of([0, 0.5], 2) == (Fraction(0), Fraction(1, 2))
    with pytest.raises(Rejected):
        multipliers_of(multipliers, 2)


# --- arithmetic -----------------------------------------------------------------------------------

BITS = 96


def test_e_to_the_x_is_enclosed() -> None:
    """Bounds of e^x hold it between them, and lie close together."""
    precise = Context(prec=600)
    for k in range(400):
        x = Random(k).randint(-40 << BITS, 40 << BITS)
        low, high = exp_bounds(x, BITS)
        true = Fraction(precise.exp(precise.divide(Decimal(x), Decimal(1 << BITS))))
        assert Fraction(low, 1 << BITS) <= true <= Fraction(high, 1 << BITS), x
        assert high - low <= 2 + (low >> (BITS - 8)), x


def test_roots_and_inverses_are_enclosed() -> None:
    """So do those of √x and 1/x."""
    for k in range(200):
        x = Random(k).randint(1, 1 << (2 * BITS))
        low, high = root_bounds(x, BITS)
        assert low**2 <= x << BITS <= high**2
        low, high = inverse_bounds(x, BITS)
        assert low * x <= 1 << (2 * BITS) <= high * x


def test_floats_hold_what_whole_numbers_hold() -> None:
    """A sum of products, and what is made of it, lies in the ball of the fast path."""
    exact, fast = fixed_point(400), float_point()
    for k in range(200):
        chance = Random(k)
        values = [Fraction(chance.uniform(-3, 3)) for _ in range(2 * chance.randint(1, 9))]
        pairs = list(zip(values[::2], values[1::2], strict=True))
        x = exact.dot([(exact.number(a), exact.number(b)) for a, b in pairs])
        y = fast.dot([(fast.number(a), fast.number(b)) for a, b in pairs])
        for name in ("exp", "recip"):
            inner, outer = exact.curve(name, x), fast.curve(name, y)
            low, high = (Fraction(side[0][0], 1 << 400) for side in (inner.lo, inner.hi))
            assert Fraction(float(outer.low[0, 0])) <= low, k
            assert high <= Fraction(float(outer.high[0, 0])), k


def test_a_share_of_a_tiny_factor_is_not_lost() -> None:
    """Factors below the least normal double, times numbers near the largest: their sums are as usual,
    and so is what rounding does to them."""
    fast = float_point()
    for k in range(50):
        chance = Random(k)
        width = chance.randint(1, 9)
        factors = [chance.randrange(1, 2**40) * 2.0**-1074 for _ in range(width)]
        vector = [chance.uniform(-1, 1) * 2.0**990 for _ in range(width)]
        row = [fast.number(Fraction(x)) for x in factors]
        for ball in fast.dots([row, row], [fast.number(Fraction(x)) for x in vector]):
            exact = sum(Fraction(x) * Fraction(y) for x, y in zip(factors, vector, strict=True))
            assert Fraction(float(ball.low[0, 0])) <= exact <= Fraction(float(ball.high[0, 0])), k


def test_floats_hold_what_a_matrix_makes() -> None:
    """So does what each row of a matrix makes of numbers, all rows being taken at once."""
    exact, fast = fixed_point(400), float_point()
    for k in range(50):
        chance = Random(k)
        rows, width = chance.randint(1, 5), chance.randint(1, 9)
        factors = [[Fraction(chance.uniform(-3, 3)) for _ in range(width)] for _ in range(rows)]
        vector = [Fraction(chance.uniform(-3, 3)) ** 3 for _ in range(width)]
        found = fast.dots(
            [[fast.number(a) for a in row] for row in factors], [fast.number(b) for b in vector]
        )
        for row, ball in zip(factors, found, strict=True):
            (total,) = exact.dots([[exact.number(a) for a in row]], [*map(exact.number, vector)])
            low, high = (Fraction(side[0][0], 1 << 400) for side in (total.lo, total.hi))
            assert Fraction(float(ball.low[0, 0])) <= low, k
            assert high <= Fraction(float(ball.high[0, 0])), k


@pytest.mark.parametrize("width", [1, 3, 6, 9])
def test_a_matrix_of_numbers_that_are_known_roughly(width: int) -> None:
    """What a matrix makes of any numbers within some balls lies in the ball that it makes of these."""
    fast = float_point()

    def some(chance: Random) -> Ball:
        mid, rad = chance.uniform(-3, 3), chance.choice([0.0, 2.0**-20, 0.5])
        return Ball(np.array([[mid]]), np.array([[rad]]))

    def corner(chance: Random, x: Ball) -> Fraction:
        return Fraction(x.mid.item()) + chance.choice([-1, 1]) * Fraction(x.rad.item())

    for k in range(40):
        chance = Random(k)
        rows = [[some(chance) for _ in range(width)] for _ in range(2)]
        vector = [some(chance) for _ in range(width)]
        products = [(row, ball) for row, ball in zip(rows, fast.dots(rows, vector), strict=True)]
        products.append((rows[0], fast.dot([*zip(rows[0], vector, strict=True)])))
        for row, ball in products:
            low, high = Fraction(ball.low.item()), Fraction(ball.high.item())
            for _ in range(8):
                pairs = zip(row, vector, strict=True)
                found = sum(corner(chance, x) * corner(chance, y) for x, y in pairs)
                assert low <= found <= high, k


WIDE = """
checkpoint m from "model.safetensors"
circuit f(s: fin[4, 24]) -> real[8] {
  let x = [ m.W[c] for c in s ]
  return softmax([ dot(v, x[-1]) for v in x ]) @ x
}
domain Words = { s: fin[4, 24] }
claim small: forall s in Words: sum(f(s)) < 9
"""


def test_a_machine_that_rounds_otherwise_is_as_fast(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Float64 confirms what was written where sums come out a unit in the last place lower."""
    chance = Random(0)
    weights: dict[str, Rows] = {"W": [[chance.gauss(0, 1) for _ in range(8)] for _ in range(4)]}
    spec = write_spec(tmp_path, WIDE, weights)
    monkeypatch.setattr(goal, "FORMATS", ("f8",))  # no room is left by what is rounded to f4
    assert command("prove", spec, "--certificate", tmp_path) == 0
    one_way = FloatPoint.dot

    def other_way(math: FloatPoint, pairs: Sequence[tuple[Ball, Ball]]) -> Ball:
        found = one_way(math, pairs)
        return Ball(np.nextafter(found.mid, -np.inf), found.rad)

    def never(*_: object) -> None:
        raise AssertionError("whole numbers had to decide")

    def matrix(math: FloatPoint, rows: Sequence[Sequence[Ball]], columns: Sequence[Ball]) -> object:
        return [other_way(math, [*zip(row, columns, strict=True)]) for row in rows]

    monkeypatch.setattr(FloatPoint, "dot", other_way)
    monkeypatch.setattr(FloatPoint, "dots", matrix)
    monkeypatch.setattr(proofs, "shown", never)
    assert command("audit", spec, tmp_path) == 0

"""A claim about words of several lengths is one claim a length."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from types import ModuleType

import pytest

from circ.compiler.driver import Program
from circ.compiler.finding import Limits
from circ.compiler.verdict import ByLength, Proved, Refuted, Unknown, Vacuous, Verdict
from circ.compiler.words import loops
from circ.lang.diagnostic import CircError
from circ.runtime.answer import answer
from circ.runtime.engines import turns
from circ.runtime.patches.make import make_patch
from circ.runtime.patches.outcomes import Patched
from tests.unit.lowered import codes_of, lowered

HEAD = """
enum C = { a, b, c }
checkpoint m from "model.safetensors"
circuit read[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] for x in s ]
circuit of[n](s: C[n], x: C) -> real = sum([ cases { y == x => 1, else => 0 } for y in s ])
"""

WEIGHTS = {"k": [1.0, 0.0, -0.5], "v": [1.0, -0.25, 0.125]}


def verdict(program: Program, name: str, limits: Limits | None = None) -> Verdict:
    """The verdict on a claim."""
    return answer(program.question(name), program.weights, limits or Limits())[1]


def spec(tmp_path: Path, claims: str) -> Program:
    """A head that reads one number, and claims about it."""
    return lowered(HEAD + claims, tmp_path, WEIGHTS)


def test_a_length_is_refuted_where_brute_force_says_so(tmp_path: Path) -> None:
    """The first length with a failing word is the one that is found by going through all words."""
    from math import exp

    def reads(word: tuple[int, ...]) -> float:
        powers = [exp(WEIGHTS["k"][x]) for x in word]
        return sum(p * WEIGHTS["v"][x] for p, x in zip(powers, word, strict=True)) / sum(powers)

    for bound in (0.9, 0.3, 0.1, 0.0, -0.05):
        fails = [
            n
            for n in range(1, 9)
            if any(reads((0, *rest)) <= bound for rest in product(range(3), repeat=n - 1))
        ]
        claim = f"claim x: forall s in {{ s: C[1..8] | s[0] == a }}: read(s) > {bound}"
        found = verdict(spec(tmp_path, claim), "x")

        assert found.lengths is not None
        if fails:
            assert isinstance(found, Refuted)
            assert found.lengths == ByLength(fails[0], tuple(range(1, fails[0])))
        else:
            assert isinstance(found, Proved)
            assert found.lengths.held == tuple(range(1, 9))


def test_shortest_paths_and_enumeration_agree_length_by_length(tmp_path: Path) -> None:
    """Few words are gone through one by one; the verdict does not depend on how many that is."""
    claim = "claim x: forall s in { s: C[2..9] | of(s, a) >= 1 }: read(s) > 0.1"
    program = spec(tmp_path, claim)
    by_paths, by_words = (verdict(program, "x", Limits(few=few)) for few in (0, 1 << 14))

    assert isinstance(by_paths, Refuted)
    assert isinstance(by_words, Refuted)
    assert by_paths.lengths == by_words.lengths
    words = [sorted(found.failing[0]["s"]) for found in (by_paths, by_words)]
    assert words[0] == words[1]


def test_what_is_open_at_one_length_is_open(tmp_path: Path) -> None:
    """Lengths that were decided are named, and a failing word at a later length still refutes."""
    claims = """
claim slow: forall s in { s: C[1..60] }: read(s) > -0.26
claim late: forall s in { s: C[1..60] }: read(s) > -0.26 and of(s, a) <= 1
"""
    program = spec(tmp_path, claims)
    found = verdict(program, "slow", Limits(timeout=0.0))
    assert isinstance(found, Unknown)
    assert found.lengths is not None
    assert set(found.lengths.open) | set(found.lengths.held) == set(range(1, 61))

    assert isinstance(verdict(program, "late"), Refuted)


def test_nothing_at_any_length_is_vacuous(tmp_path: Path) -> None:
    """And a warning is given only for an arm that is reached at no length."""
    claims = """
domain Empty = { s: C[1..4] | of(s, a) >= 1 and of(s, a) <= 0 }
circuit step[n](s: C[n]) -> real = cases { of(s, a) >= 4 => 1, else => 0 }
circuit never[n](s: C[n]) -> real = cases { of(s, a) >= 5 => 1, else => 0 }
claim empty: forall s in Empty: read(s) > 5
claim fourth: forall s in { s: C[1..4] }: step(s) >= 0
claim fifth: forall s in { s: C[1..4] }: never(s) >= 0
"""
    program = spec(tmp_path, claims)
    assert isinstance(verdict(program, "empty"), Vacuous)
    fourth, fifth = verdict(program, "fourth"), verdict(program, "fifth")
    assert isinstance(fourth, Proved)
    assert isinstance(fifth, Proved)
    assert not fourth.warnings
    assert fifth.warnings


def test_a_patch_has_a_requirement_for_each_length(tmp_path: Path) -> None:
    """Each is met, and proved, at its own length."""
    patch = """
patch lift of read {
  edit    m.v
  require forall s in { s: C[1..5] | s[0] == a }: read(s) >= 0.25
}
"""
    program = spec(tmp_path, patch)
    plan = program.patch("lift")
    assert [o.title for o in plan.require] == [
        f"lift.require[0] at length {n}" for n in range(1, 6)
    ]
    made = make_patch(plan, program.weights, Limits())
    assert isinstance(made, Patched)
    assert all(isinstance(found, Proved) for _, found in made.verdicts)


def test_a_patch_needs_a_longest_length(tmp_path: Path) -> None:
    """It goes through the lengths one by one."""
    patch = "patch p of read { edit m.v\n require forall s in { s: C[1..] }: read(s) >= 0 }"
    lowered(HEAD, tmp_path, WEIGHTS)
    assert codes_of(HEAD + patch, tmp_path) == ["E0311"]


def test_a_claim_that_grows_too_large_says_so(tmp_path: Path) -> None:
    """The greatest length is lowered when the spec is checked."""
    lowered("enum C = { a, b, c }", tmp_path, WEIGHTS)
    text = 'enum C = { a, b }\ncheckpoint m from "model.safetensors"\n'
    text += "circuit f[n](s: C[n]) -> real = sum(m.v[:n]) \n"
    assert codes_of(text + "claim x: forall s in { s: C[1..3] }: f(s) >= 0", tmp_path) == []
    with pytest.raises(CircError):
        lowered(text + "claim x: forall s in { s: C[1..3] }: f(s) >= 0", tmp_path).claim("x", 4)


# --- any length ---------------------------------------------------------------------------------


def test_a_letter_that_adds_nothing_may_stand_any_number_of_times(tmp_path: Path) -> None:
    """Its weight is zero, which float64 with its rounding cannot tell from a loop that falls."""
    text = """
enum C = { a, b, c }
checkpoint m from "model.safetensors"
circuit read[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] for x in s ]
claim above: forall s in { s: C[1..] | s[0] == a }: read(s) > 0
claim least: forall s in { s: C[1..] }: read(s) >= 0
claim strict: forall s in { s: C[1..] }: read(s) > 0
"""
    program = lowered(text, tmp_path, {"k": [0.375, -1.25, 0.625], "v": [0.25, 0.0, 1.0]})
    above, least, strict = (verdict(program, name) for name in ("above", "least", "strict"))
    assert isinstance(above, Proved)
    assert isinstance(least, Proved)
    for found in (above, least):
        assert found.lengths is not None
        assert found.lengths.onwards is not None
        assert found.lengths.held == tuple(range(1, found.lengths.onwards))
    assert isinstance(strict, Refuted)
    assert strict.lengths == ByLength(1, ())


def test_letters_that_cancel_may_stand_any_number_of_times(tmp_path: Path) -> None:
    """e^k - e^k is zero, exactly, with each turn of the loop; and e^k - e^l falls where l is larger."""
    text = """
enum C = { a, b, c }
checkpoint m from "model.safetensors"
circuit read[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] for x in s ]
claim zero: forall s in { s: C[1..] | s matches (a b)* }: read(s) == 0
claim falls: forall s in { s: C[1..] | s matches a (a c)* }: read(s) > 0
"""
    program = lowered(text, tmp_path, {"k": [0.5, 0.5, 1.0], "v": [1.0, -1.0, -1.0]})
    zero, falls = (verdict(program, name) for name in ("zero", "falls"))
    assert isinstance(zero, Proved)
    assert zero.lengths is not None and zero.lengths.onwards is not None
    assert isinstance(falls, Refuted)


@pytest.mark.slow
def test_a_loop_that_loses_little_breaks_late(tmp_path: Path) -> None:
    """The first length at which it does is found, or how far it was looked."""
    claims = """
claim late: forall s in { s: C[1..] | s[0] == a }: read(s) > -0.2375
claim later: forall s in { s: C[1..] | s[0] == a }: read(s) > -0.2499
claim never: forall s in { s: C[1..] | s[0] == a }: read(s) > -0.25
"""
    program = spec(tmp_path, claims)
    late, later, never = (verdict(program, name) for name in ("late", "later", "never"))
    assert isinstance(late, Refuted)
    assert late.lengths is not None
    length = late.lengths.at
    assert length is not None
    e = 2.718281828459045
    assert (e - 0.25 * (length - 1)) / (e + length - 1) <= -0.2375
    assert (e - 0.25 * (length - 2)) / (e + length - 2) > -0.2375
    assert isinstance(later, Unknown)
    assert later.lengths is not None
    assert later.lengths.held == tuple(range(1, 1024))
    assert isinstance(never, Proved)


@pytest.mark.parametrize(
    ("module", "name", "why"),
    [
        (turns, "MOST_SUMS", "has too many sums"),
        (loops, "MOST_STATES", "states, if words may have any length"),
    ],
)
def test_beyond_a_limit_the_lengths_that_were_decided_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: ModuleType, name: str, why: str
) -> None:
    """A claim that holds at every length is then known to hold at the shortest ones."""
    program = spec(
        tmp_path,
        "claim all: forall s in { s: C[1..] | count { x in s | x == b } == 0 }: read(s) > -1\n",
    )
    assert isinstance(verdict(program, "all"), Proved)
    monkeypatch.setattr(module, name, 0)
    found = verdict(program, "all")
    assert isinstance(found, Unknown)
    assert why in found.reason
    assert found.lengths is not None
    assert found.lengths.held == (1, 2, 3, 4)


def test_what_is_counted_without_end_is_unknown(tmp_path: Path) -> None:
    """A count that is compared with a number stops there; a count that a circuit returns does not."""
    claims = """
claim here: forall s in { s: C[1..] | count { x in s | x == b } <= 2 }: read(s) > -0.26
claim few: forall s in { s: C[1..] | s[0] == a and count { x in s | x != a } <= 2 }: read(s) > 0.2
claim there: forall s in { s: C[1..] | of(s, b) <= 2 }: read(s) > -0.26
"""
    program = spec(tmp_path, claims)
    assert isinstance(verdict(program, "here"), Proved)
    assert isinstance(verdict(program, "few"), Proved)
    there = verdict(program, "there")
    assert isinstance(there, Unknown)
    assert "states" in there.reason


def test_words_that_begin_late_are_words(tmp_path: Path) -> None:
    """A language may have no short words, or no words at all, or only short ones."""
    claims = """
claim long: forall s in { s: C[1..] | s matches a{9} a* }: read(s) >= 0.5
claim short: forall s in { s: C[1..] | s matches a{2} }: read(s) >= 0.5
claim none: forall s in { s: C[6..] | s matches a{2} }: read(s) >= 0.5
claim wrong: forall s in { s: C[1..] | s matches a{9} a* b }: read(s) >= 0.99
"""
    program = spec(tmp_path, claims)
    long, short, none, wrong = (
        verdict(program, name) for name in ("long", "short", "none", "wrong")
    )
    assert isinstance(long, Proved)
    assert long.lengths == ByLength(None, (), (1, 2, 3, 4), onwards=5)
    assert isinstance(short, Proved)
    assert isinstance(none, Vacuous)
    assert isinstance(wrong, Refuted)
    assert wrong.lengths is not None
    assert wrong.lengths.at == 10


def test_the_length_is_not_known_in_disguise(tmp_path: Path) -> None:
    """What is the same for each letter adds up to the length, and is false at some length.

    Each claim holds for the short words that are looked at one by one, and for those that the
    machine is read off.
    """
    claims = """
enum P = { p0, p1, p2, p3, p4, p5, p6, p7, p8 }
circuit ones[n](s: C[n]) -> real[n] = 1
circuit tick[n](s: C[n]) -> P = fold q = p0 over x in s: match q {
  p0 => p1, p1 => p2, p2 => p3, p3 => p4, p4 => p5, p5 => p6, p6 => p7, _ => p8
}
circuit lasts[n](x: real[n, 2]) -> real = sum([ x[-1][0] for v in x ])
circuit pairs[n](s: C[n]) -> real[n, 2] = [ [m.v[x], 1] for x in s ]
circuit some[n](s: C[n]) -> real {
  let z: real[n] = 1
  return sum(cases { s[0] == a => z, else => [ m.v[x] for x in s ] })
}
claim added: forall s in { s: C[1..] }: sum(ones(s)) <= 9
claim counted: forall s in { s: C[1..] }: count { x in s | 1 < 2 } <= 9
claim ticked: forall s in { s: C[1..] }: tick(s) != p8
claim shared: forall s in { s: C[1..] }: softmax(ones(s))[0] > 0.1
claim meant: forall s in { s: C[1..] }: mean([ cases { 1 < 2 => 1, else => m.v[x] } for x in s ]) * 0.1 >= softmax(ones(s))[-1] - 0.9
claim product: forall s in { s: C[1..] }: ones(s) @ ones(s) <= 9
claim normed: forall s in { s: C[1..] }: norm_1(ones(s)) <= 9
claim last: forall s in { s: C[1..] }: lasts(pairs(s)) <= 9
claim squared: forall s in { s: C[1..] }: lasts(pairs(s)) * lasts(pairs(s)) <= 81
claim chosen: forall s in { s: C[1..] }: some(s) <= 9
claim tolerated: forall s in { s: C[1..] }: count { x in s | x == a } == 4 within 4
claim larger: forall s in { s: C[1..] }: max(count { x in s | x == a }, 7) <= 7
claim sites: forall s in { s: C[1..] }: some(s) do { z := 1 } <= 9
"""
    program = spec(tmp_path, claims)
    true = {"meant"}
    for name in program.typed.scope.claims:
        found = verdict(program, name)
        if isinstance(found, Refuted):
            assert found.lengths is not None
            assert found.lengths.at is not None
            assert found.lengths.at >= 7
        assert isinstance(found, Refuted | Unknown) or name in true, name


def test_a_fold_along_a_word_of_any_length_carries_one_value(tmp_path: Path) -> None:
    """Several could be a line along which letters are handed on, so many places back."""
    lowered("enum C = { a, b }", tmp_path, WEIGHTS)
    text = """
enum C = { a, b }
circuit back[n](s: C[n]) -> C[4] = fold v = [b, b, b, b] over x in s: [x, v[0], v[1], v[2]]
circuit seen[n](s: C[n]) -> bool[2] = fold v = [1 < 0, 1 < 0] over x in s: [x == a, v[0]]
circuit long[n](s: C[n]) -> real = fold r = 0 over x in s: r + 1
"""
    for goal in ("back(s)[3] == b", "not seen(s)[1]", "long(s) <= 9"):
        claim = f"claim x: forall s in {{ s: C[LENGTHS] }}: {goal}"
        assert codes_of(text + claim.replace("LENGTHS", "1.."), tmp_path) == ["E0312"]
        program = lowered(text + claim.replace("LENGTHS", "1..12"), tmp_path)
        assert isinstance(verdict(program, "x"), Refuted)


def test_no_margin_of_all_where_one_length_has_none(tmp_path: Path) -> None:
    """The least of those that are known need not be the least."""
    from circ.compiler.verdict import Size
    from circ.runtime.lengths import together

    program = spec(tmp_path, "claim x: forall s in { s: C[1..3] }: read(s) > -1")
    known = [(program.claim("x", n), Proved("a", (), Size(1), m)) for n, m in ((1, 0.5), (2, 0.25))]
    _, found = together(known)
    assert isinstance(found, Proved)
    assert found.margin == 0.25
    _, found = together([*known, (program.claim("x", 3), Proved("a", (), Size(1)))])
    assert isinstance(found, Proved)
    assert found.margin is None


@pytest.mark.slow
def test_any_length_breaks_where_the_lengths_do(tmp_path: Path) -> None:
    """The first letter queries, with a weight of its own; both ways find the same length."""
    head = (
        HEAD
        + """
circuit first[n](s: C[n]) -> real =
  softmax([ m.k[x] * m.v[s[0]] * 2 for x in s ]) @ [ m.v[x] for x in s ] + m.k[s[0]]
"""
    )
    bounds = (-0.6, -0.5, -0.25, -0.1, 0, 0.9, 1, 1.05, 1.1, 1.2, 1.4)
    claims = "".join(
        f"claim x{i}_{kind}: forall s in {{ s: C[1..{last}] | s[0] == {letter} }}: first(s) > ({c})\n"
        for i, c in enumerate(bounds)
        for letter, name in (("a", "a"), ("c", "c"))
        for last, kind in ((9, f"few_{name}"), ("", f"any_{name}"))
    ).replace("(-", "(0 - ")
    program = lowered(head + claims, tmp_path, WEIGHTS)
    broken = set[int]()
    for i in range(len(bounds)):
        for letter in "ac":
            few, every = (verdict(program, f"x{i}_{kind}_{letter}") for kind in ("few", "any"))
            assert every.lengths is not None
            assert few.lengths is not None
            at = every.lengths.at if isinstance(every, Refuted) else None
            if isinstance(few, Refuted):
                assert at == few.lengths.at
                broken.add(at or 0)
            assert at is None or at > 9 or isinstance(few, Refuted)
    assert len(broken) > 2

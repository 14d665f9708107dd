"""Certificates for all lengths of a word are written for what is true, and an audit takes nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from time import monotonic
from typing import cast

import numpy as np
import pytest

from circ.compiler.audit import onward_record
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.entries import Known
from circ.compiler.audit.onwards import Confirm, Onwards, Turned, audited_onwards
from circ.compiler.audit.paths import Way
from circ.compiler.audit.quick_onwards import quick_onwards
from circ.compiler.audit.rejected import Rejected
from circ.compiler.driver import Program
from circ.compiler.obligation import Obligation
from circ.compiler.readings.arrays import IntArray
from circ.runtime.certificates import onwards as writer
from circ.runtime.certificates.onwards import write_onwards
from circ.runtime.certificates.work import NoCertificate
from tests.agreement import test_any_length as heads
from tests.agreement.corruption import (
    Records,
    at,
    changes,
    joined,
    nudged,
    proves_nothing,
    put,
    records,
    rejected,
)
from tests.unit.lowered import lowered

SHORT = 5
"""The least length that such a certificate may be about."""

Sides = tuple[Obligation, Obligation]
"""A claim at the two lengths that are read."""


def sides_of(program: Program, name: str) -> Sides:
    """A claim in the form that is the same at all lengths."""
    question = program.question(name)
    return question.alike(SHORT), question.alike(SHORT + 1)


def certificate(program: Program, sides: Sides, start: int = SHORT) -> bytes | None:
    """The certificate from a length on, if there is one."""
    stream = BytesIO()
    try:
        write_onwards(*sides, program.weights, start, monotonic() + 60, stream)
    except NoCertificate:
        return None
    return stream.getvalue()


def accepted(program: Program, sides: Sides, data: bytes, *, exact: bool = True) -> bool:
    """Whether an audit says that a certificate holds."""
    quick = None if exact else quick_onwards
    try:
        audited_onwards(*sides, program.weights, BytesIO(data), quick)
    except Rejected:
        return False
    return True


@pytest.mark.parametrize("first", [0, pytest.param(16, marks=pytest.mark.slow)])
def test_what_has_a_certificate_is_true(first: int, tmp_path: Path) -> None:
    """No word of five to seven letters fails where there is one, nor a long one of those tried.

    Most claims that none of these words fails have one: all but those that break later.
    """
    true, certified = 0, 0
    for seed in range(first, first + 16):
        case = heads.case(seed)
        program = heads.spelled(case, tmp_path)
        sides = sides_of(program, "x")
        data = certificate(program, sides)
        fails = some_word_fails(case)
        true += not fails
        if data is not None:
            assert not fails, seed
            heads.sampled_words_hold(case)
            assert accepted(program, sides, data), seed
            assert accepted(program, sides, data, exact=False), seed
            certified += 1
    assert certified >= 0.5 * true > 0


def some_word_fails(case: heads.Case) -> bool:
    """Whether a word of five to seven letters fails a claim."""
    for length in range(SHORT, heads.LONGEST):
        rows = heads.words(length)
        for word, read in zip(heads.spelt(rows), heads.reads(case, rows), strict=True):
            if heads.in_domain(case.domain, word) and heads.margin(case, word, read) < 0:
                return True
    return False


# --- claims that are true, and others of the same form that break late ----------------------------

READS = """
enum C = { a, b, c }
checkpoint m from "model.safetensors"
circuit read[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] for x in s ]
circuit mixed[n](s: C[n]) -> real[2] {
  let pattern = softmax([ m.k[x] * m.v[s[-1]] for x in s ])
  return [ pattern @ [ m.v[x] for x in s ] + m.k[s[-1]], m.v[s[0]] ]
}
circuit share[n](s: C[n]) -> real = mean([ m.one[x] for x in s ])
circuit normed[n](s: C[n]) -> real[2] {
  let x = [mixed(s)[0], 1]
  return x / sqrt(dot(x, x) / 2 + 0.001)
}
domain Begun = { s: C[1..] | s[0] == a }
domain Sorted = { s: C[1..] | s matches a b* c* }
domain Late = { s: C[1..] | s matches a{12} c* }
domain Rare = { s: C[1..] | s[0] == a and count { x in s | x == b } <= 2 }
"""

WEIGHTS = {"k": [1.0, 0.0, -0.5], "v": [1.0, -0.25, 0.125], "one": [1.0, 0.0, 0.0]}

PAIRS = {
    "quotient": ("in Begun: read(s) > -0.25", "in Begun: read(s) > -0.01"),
    "dilution": ("in Begun: share(s) > 0", "in Begun: share(s) > 0.08"),
    "letters": ("in Sorted: read(s) > -0.25 or share(s) > 3", "in Sorted: read(s) > -0.01 or share(s) > 3"),
    "ending": ("in Begun: mixed(s)[0] > -0.76", "in Begun: mixed(s)[0] > -0.7"),
    "alternatives": (
        "in Begun: mixed(s)[0] > 0.5 or mixed(s)[0] < 1.2",
        "in Begun: mixed(s)[0] > 1.5 or mixed(s)[0] < 1",
    ),
    "norm": (
        "in Begun: normed(s)[0] + 0.76 * normed(s)[1] > 0",
        "in Begun: normed(s)[0] + 0.7 * normed(s)[1] > 0",
    ),
    "rare": ("in Rare: share(s) > -0.25", "in Rare: share(s) > 0.04 and read(s) > 0.125"),
    "late": ("in Late: share(s) > 0", "in Late: share(s) > 0.5"),
}  # fmt: skip
"""What holds at every length, and something of the same form that is false at some."""


def claims(folder: Path) -> Program:
    """All pairs as claims."""
    text = READS
    for name, pair in PAIRS.items():
        for kind, rest in zip(("true", "false"), pair, strict=True):
            text += f"claim {name}_{kind}: forall s {rest.replace('> -', '> 0 - ')}\n"
    return lowered(text, folder, WEIGHTS)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    """All pairs as claims."""
    return claims(tmp_path_factory.mktemp("onwards"))


def true_claim(program: Program, name: str) -> tuple[Sides, Records]:
    """A true claim and its certificate."""
    sides = sides_of(program, f"{name}_true")
    data = certificate(program, sides)
    assert data is not None
    assert accepted(program, sides, data)
    assert accepted(program, sides, data, exact=False)
    return sides, records(data)


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_false_at_some_length_has_none(name: str, program: Program) -> None:
    """Whatever length it is asked from; and the true claim has one from any."""
    false = sides_of(program, f"{name}_false")
    for start in (5, 6, 13, 20):
        assert certificate(program, false, start) is None
        true = sides_of(program, f"{name}_true")
        data = certificate(program, true, start)
        assert data is not None
        assert accepted(program, true, data)
        assert accepted(program, true, data, exact=False)


@pytest.mark.parametrize("name", PAIRS)
def test_no_change_of_a_certificate_proves_what_is_false(name: str, program: Program) -> None:
    """The certificate of a true claim with the hashes of a false one of the same form is rejected,
    as it is and after any change."""
    _, lines = true_claim(program, name)
    false = sides_of(program, f"{name}_false")
    lines = [stamped(program, lines[0], false), *lines[1:]]
    proves_nothing(lines, 25, partial(accepted, program, false))


def stamped(program: Program, header: dict[str, object], sides: Sides) -> dict[str, object]:
    """A header that says it is about a claim."""
    return {
        **header,
        "claim": sides[0].name,
        "obligations": [obligation_digest(side) for side in sides],
        "tensors": tensor_digests(sides[0], program.weights),
    }


# --- corruption -----------------------------------------------------------------------------------

HARMLESS = frozenset({"tool", "f8", "multipliers", "begin", "step", "ends", "fixed"})
"""Where a change may leave a proof: lower potentials, other multipliers for which they hold as well,
an automaton that accepts more, no end gone through where none is asked for."""


@pytest.mark.parametrize("name", ["letters", "ending", "alternatives", "rare"])
def test_every_change_of_a_certificate_is_caught(name: str, program: Program) -> None:
    """Whatever is changed, left out, doubled or swapped: the audit rejects it, or the proof still stands."""
    sides, lines = true_claim(program, name)
    assert rejected(lines, 120, partial(accepted, program, sides), HARMLESS) > 60


@pytest.mark.parametrize("name", ["letters", "ending"])
def test_a_raised_potential_is_caught(name: str, program: Program) -> None:
    """Each potential is as high as it can be, but for rounding: raised a little, it is no bound."""
    sides, lines = true_claim(program, name)
    raised = 0
    for path, _ in changes(cast("object", lines)):
        if path and path[-1] == "f8":
            for text in nudged(cast("str", at(lines, path)), "f8"):
                data = joined(cast("Records", put(lines, path, text)))
                assert not accepted(program, sides, data)
                assert not accepted(program, sides, data, exact=False)
                raised += 1
            if raised > 20:
                return
    pytest.fail("potentials are compared")


def test_an_edge_left_out_is_caught(program: Program) -> None:
    """An automaton accepts every word of its class: none of its edges can be missed."""
    sides, lines = true_claim(program, "letters")
    missed = 0
    for k, line in enumerate(lines[1:], 1):
        for path in edges(line):
            data = joined(cast("Records", put(lines, (k, *path), -1)))
            assert not accepted(program, sides, data), path
            missed += 1
    assert missed > 7


def edges(line: dict[str, object]) -> list[tuple[object, ...]]:
    """The paths to the edges of a record."""
    found: list[tuple[object, ...]] = []
    for path, new in changes(cast("object", line)):
        if path and path[0] in ("begin", "step", "ends") and new is None:
            state = at(line, path)
            if isinstance(state, int) and state >= 0:
                found.append(path)
    return found


def test_a_certificate_is_from_its_own_length_on(program: Program) -> None:
    """No other length can be put in its place."""
    sides = sides_of(program, "letters_true")
    made = [certificate(program, sides, start) for start in (5, 6, 9)]
    lines = [records(data) for data in made if data is not None]
    for one, other in pairwise([*lines, lines[0]]):
        mixed = [{**one[0], "start": other[0]["start"]}, *one[1:]]
        assert not accepted(program, sides, joined(mixed))
    for start in (0, 4, 2**11, 2**60, -5, None, 5.0):
        assert not accepted(
            program, sides, joined([{**lines[0][0], "start": start}, *lines[0][1:]])
        )


def test_the_shortest_words_have_some_length(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate about long words alone is rejected from a limit on, and not below it."""
    sides = sides_of(program, "letters_true")
    monkeypatch.setattr(onward_record, "MOST_START", 7)
    below, above = (certificate(program, sides, start) for start in (6, 7))
    assert below is not None
    assert above is not None
    assert accepted(program, sides, below)
    with pytest.raises(Rejected, match="out of its range"):
        audited_onwards(*sides, program.weights, BytesIO(above))


def test_sums_that_go_on_falling_are_no_potentials(
    program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Least sums over words of up to twelve letters show what breaks at thirteen to hold of these.

    They meet every other condition: at the ends, along the layers, and at the start.
    """

    def fallen_so_far(each: list[Way], ahead: IntArray) -> IntArray:
        for _ in range(12 - SHORT):
            ahead = np.minimum(ahead, writer.back(each, ahead, ahead.size))
        return ahead

    def unseen(*_: object) -> None:
        return None

    monkeypatch.setattr(writer, "fallen", fallen_so_far)
    true = sides_of(program, "dilution_true")
    data = certificate(program, true)
    assert data is not None
    assert accepted(program, true, data)
    monkeypatch.setattr(writer, "shown_onwards", unseen)
    for name in ("dilution", "quotient"):
        false = sides_of(program, f"{name}_false")
        data = certificate(program, false)
        assert data is not None
        assert not accepted(program, false, data)
        assert not accepted(program, false, data, exact=False)


def test_float64_confirms_what_has_room(program: Program) -> None:
    """A loop that adds exactly zero is left to whole numbers; one that adds something is not."""
    for name, sure in (("ending", True), ("alternatives", True), ("dilution", False)):
        sides, lines = true_claim(program, name)
        seen: list[bool] = []

        def watched(audit: Onwards, seen: list[bool] = seen) -> Confirm:
            confirm = quick_onwards(audit)

            def told(values: tuple[Known, ...], proofs: Sequence[Turned]) -> list[bool]:
                found = confirm(values, proofs)
                seen.extend(found)
                return found

            return told

        audited_onwards(*sides, program.weights, BytesIO(joined(lines)), watched)
        assert seen
        assert all(yes == sure for yes in seen)


# --- what knows of positions ----------------------------------------------------------------------

PLACES = """
enum C = { a, b }
checkpoint m from "model.safetensors"
circuit ones[n](s: C[n]) -> real[n] = 1
circuit back[n](s: C[n]) -> C[4] = fold v = [b, b, b, b] over x in s: [x, v[0], v[1], v[2]]
circuit read[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] for x in s ]
circuit placed[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ ([ m.v[x] for x in s ] - m.pos[:n])
circuit shrinking[n](s: C[n]) -> real = read(s) / sqrt(read(s) * read(s) + sum(ones(s)))
circuit lengths[n](s: C[n]) -> real =
  softmax([ m.k[x] for x in s ]) @ [ sqrt(p * p + 1) for p in m.pos[:n] ]
circuit beside[n](s: C[n]) -> real = read(s) / sqrt(lengths(s) * lengths(s) + 1)
circuit once[n](s: C[n]) -> real = softmax([ m.k[x] for x in s ]) @ [ m.v[x] + m.v[s[3]] for x in s ]
"""  # fmt: skip

KNOWING = {
    "added": "read(s) > sum(ones(s)) - 9",
    "shared": "read(s) > softmax(ones(s))[0] - 0.1",
    "looked_back": "back(s)[3] == b or read(s) > 0",
    "third": "s[2] == s[3] or read(s) > 0",
    "placed": "placed(s) > 0",
    "last_but_one": "s[-2] == a or read(s) > 0",
    "once": "once(s) > 0",
    "shrinking": "shrinking(s) > 0",
    "beside": "beside(s) > 0",
}
"""What says something of places, or of how many there are, and holds of short words or all."""


@pytest.mark.parametrize("name", KNOWING)
def test_what_knows_of_positions_has_none(name: str, tmp_path: Path) -> None:
    """The audit finds by itself that two lengths are not alike, whatever the front end allows.

    A claim about each of some lengths may say more than one about all lengths; its circuits are given
    for those of such a claim.
    """
    claim = f"claim x: forall s in {{ s: C[4..12] }}: {KNOWING[name]}"
    weights = {"k": [0.5, 0.25], "v": [0.5, 1.0], "pos": [-0.25] * 9 + [9.0] * 3}
    program = lowered(PLACES + claim, tmp_path, weights)
    sides = program.claim("x", SHORT), program.claim("x", SHORT + 1)
    stream = BytesIO()
    with pytest.raises(NoCertificate, match=r"differ|several positions"):
        write_onwards(*sides, program.weights, SHORT, monotonic() + 60, stream)


def test_other_lengths_read_the_same(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """The front end keeps its word: from 9 letters and 10, the classes and their proofs are the same."""
    near = [certificate(program, sides_of(program, f"{name}_true")) for name in PAIRS]
    for module in ("loops", "onwards"):
        monkeypatch.setattr(f"circ.compiler.audit.{module}.SHORT", 9)
    for name, data in zip(PAIRS, near, strict=True):
        question = program.question(f"{name}_true")
        again = certificate(program, (question.alike(9), question.alike(10)))
        assert data is not None
        assert again is not None
        assert records(again)[1:] == records(data)[1:]


def test_each_length_is_read_at_its_own_length(program: Program) -> None:
    """Neither the same length twice, nor two that do not follow one another."""
    question = program.question("letters_true")
    _, lines = true_claim(program, "letters")
    for lengths in ((5, 5), (6, 7), (5, 7), (6, 5)):
        near, far = map(question.alike, lengths)
        data = joined([stamped(program, lines[0], (near, far)), *lines[1:]])
        assert not accepted(program, (near, far), data)

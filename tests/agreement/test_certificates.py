"""Certificates are written for what is true, and an audit takes nothing else."""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Callable, Iterator
from dataclasses import replace
from io import BytesIO
from itertools import product
from random import Random
from time import monotonic
from typing import cast

import pytest

from circ.compiler.audit.audit import audited
from circ.compiler.audit.digest import obligation_digest, tensor_digests
from circ.compiler.audit.in_floats import QUICK
from circ.compiler.audit.rejected import Rejected
from circ.compiler.finding import Empty, Fails, Holds, Limits, silent
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Tensor, Weights
from circ.runtime.certificates import alternatives
from circ.runtime.certificates.work import NoCertificate
from circ.runtime.certificates.write import write_certificate
from circ.runtime.engines import enumeration
from tests.agreement.heads import claim_about_a_head

Records = list[dict[str, object]]

CLAIMS = 40
"""In one test."""


def certificate(claim: Obligation, weights: Weights) -> bytes | None:
    """The certificate of a claim, if there is one."""
    stream = BytesIO()
    try:
        write_certificate(claim, weights, monotonic() + 60, stream)
    except NoCertificate:
        return None
    return stream.getvalue()


def accepted(claim: Obligation, weights: Weights, data: bytes, *, exact: bool = True) -> bool:
    """Whether an audit says that a certificate holds."""
    try:
        audited(claim, weights, BytesIO(data), None if exact else QUICK)
    except Rejected:
        return False
    return True


def records(data: bytes) -> Records:
    """The lines of a certificate."""
    return [json.loads(line) for line in data.splitlines()]


def joined(lines: Records) -> bytes:
    """Lines as a file."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


@pytest.mark.parametrize("start", range(0, 80, CLAIMS))
def test_what_has_a_certificate_is_true(start: int) -> None:
    """A claim that is false has none; that of a true one is accepted, fast and exactly.

    All but a few true claims have one: those that a tie decides have none.
    """
    true, certified = 0, 0
    for seed in range(start, start + CLAIMS):
        claim, weights = claim_about_a_head(seed)
        found = enumeration.decide(claim, weights, Limits(), silent)
        data = certificate(claim, weights)
        if data is None or isinstance(found, Empty):
            true += isinstance(found, Holds)
            continue
        assert isinstance(found, Holds), seed
        assert accepted(claim, weights, data), seed
        assert accepted(claim, weights, data, exact=False), seed
        true, certified = true + 1, certified + 1
    assert certified >= 0.7 * true > 5


# --- corruption -----------------------------------------------------------------------------------

FORMS = {
    187: "two classes, each of single comparisons",
    222: "letters split, words gone through one by one",
    116: "conditions about the network, with a word that meets them",
    233: "phases of ReLUs known and assumed",
}
"""Claims by the form of their certificates."""

HARMLESS = {"tool", "fixed", "witness", "steps", "position", "multipliers", "f4", "f8"}
"""Where a change may leave a proof: potentials lower than they might be, other multipliers for which
they hold as well, another automaton that accepts the words, the words split
elsewhere, another word that meets the conditions, no
position fixed where nothing is asked of one. The name of the tool is no part of the proof."""

Change = tuple[tuple[object, ...], object]
"""The path to a part of a certificate, and what to put there."""


def changes(value: object, path: tuple[object, ...] = ()) -> Iterator[Change]:
    """Every part of some data changed in several ways: each once, the rest as it was."""
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            yield path, {**fields, "more": 0}
            for name, inner in fields.items():
                yield path, {key: x for key, x in fields.items() if key != name}
                yield from changes(inner, (*path, name))
        case list():
            entries = cast("list[object]", value)
            yield path, [*entries, *entries[-1:]] if entries else [0]
            yield path, []
            for k, inner in enumerate(entries):
                yield path, entries[:k] + entries[k + 1 :]
                if entries[k : k + 1] != entries[k + 1 : k + 2]:
                    yield path, entries[:k] + entries[k + 1 : k + 2] + [inner] + entries[k + 2 :]
                yield from changes(inner, (*path, k))
        case str() if path and path[-1] in ("f4", "f8"):
            yield from ((path, text) for text in other_potentials(value, str(path[-1])))
        case str():
            turned = ("1" if value[:1] == "0" else "0") + value[1:]
            yield from ((path, other) for other in ("", value[1:], turned, None, 7))
        case bool():
            yield path, not value
        case int() | float():
            others: tuple[object, ...] = (value + 1, value - 1, -1, 2**70, 0.5, "0", None, [])
            yield from ((path, other) for other in others if other != value)
        case _:
            yield from ((path, other) for other in (0, [0], ""))


def other_potentials(text: str, kind: str) -> Iterator[str]:
    """Potentials with one of them raised, lowered, not finite or left out, and no base64."""
    values: array[float] = array("f" if kind == "f4" else "d")
    values.frombytes(base64.b64decode(text))
    for k, value in enumerate(values):
        for other in (value + abs(value) + 1, value - abs(value) - 1e6, float("nan"), float("inf")):
            changed = array(values.typecode, values)
            changed[k] = other
            yield base64.b64encode(changed.tobytes()).decode()
    yield base64.b64encode(values[1:].tobytes()).decode()
    yield text[:-1]
    yield "é"


def put(value: object, path: tuple[object, ...], new: object) -> object:
    """Data with one part replaced."""
    if not path:
        return new
    first, *rest = path
    match value:
        case dict():
            fields = cast("dict[object, object]", value)
            return {**fields, first: put(fields[first], tuple(rest), new)}
        case list():
            entries = list(cast("list[object]", value))
            place = cast("int", first)
            entries[place] = put(entries[place], tuple(rest), new)
            return entries
        case _:
            raise AssertionError("a path leads through lists and objects")


def unordered(value: object) -> str:
    """Data as text that is the same in whatever order its lists are."""
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            return str(sorted((name, unordered(inner)) for name, inner in fields.items()))
        case list():
            return str(sorted(map(unordered, cast("list[object]", value))))
        case _:
            return json.dumps(value)


def name_of(path: tuple[object, ...]) -> object:
    """The last name on a path."""
    return next((part for part in reversed(path) if isinstance(part, str)), None)


def changed(lines: Records, most: int) -> Iterator[tuple[Change, bytes]]:
    """A certificate with one change each; of very many every so manieth."""
    found = list(changes(cast("object", lines)))
    for path, new in found[:: max(len(found) // most, 1)]:
        yield (path, new), joined(cast("Records", put(lines, path, new)))


def true_claim(seed: int) -> tuple[Obligation, Weights, Records]:
    """A claim with its certificate."""
    claim, weights = claim_about_a_head(seed)
    data = certificate(claim, weights)
    assert data is not None
    assert accepted(claim, weights, data)
    return claim, weights, records(data)


@pytest.mark.parametrize("seed", FORMS)
def test_every_change_of_a_certificate_is_caught(seed: int) -> None:
    """Whatever field is changed, left out, doubled or swapped: the audit rejects it.

    It takes a change only where the proof still stands, and raising a potential leaves no proof.
    """
    claim, weights, lines = true_claim(seed)
    caught = 0
    for (path, new), data in changed(lines, 400):
        if accepted(claim, weights, data):
            in_another_order = unordered(records(data)) == unordered(lines)
            assert name_of(path) in HARMLESS or in_another_order, (path, new)
            assert accepted(claim, weights, data, exact=False), (path, new)
        else:
            caught += 1
    assert caught > 100


@pytest.mark.parametrize("seed", FORMS)
def test_no_change_of_a_certificate_proves_what_is_false(seed: int) -> None:
    """The certificate of a true claim, given the hashes of a false one of the same form, is rejected,
    as it is and after any change."""
    claim, weights, lines = true_claim(seed)
    false = false_weights(claim, weights)
    stamped = {
        **lines[0],
        "obligation": obligation_digest(claim),
        "tensors": tensor_digests(claim, false),
    }
    lines = [stamped, *lines[1:]]
    assert not accepted(claim, false, joined(lines))
    for change, data in changed(lines, 100):
        assert not accepted(claim, false, data), change
        assert not accepted(claim, false, data, exact=False), change


def false_weights(claim: Obligation, weights: Weights) -> dict[str, Tensor]:
    """Weights of which the claim does not hold: one tensor at random."""
    for seed, key in product(range(20), weights):
        chance = Random(seed)
        values = array("d", [value + chance.uniform(-9, 9) for value in weights[key].values])
        others = {**weights, key: replace(weights[key], values=values)}
        if isinstance(enumeration.decide(claim, others, Limits(), silent), Fails):
            return others
    raise AssertionError("no tensor matters")


def test_a_raised_potential_is_caught() -> None:
    """Each potential is as high as it can be, but for rounding: raised a little, it is no bound."""
    claim, weights, lines = true_claim(187)
    raised = 0
    for path, new in changes(cast("object", lines)):
        if path and path[-1] in ("f4", "f8"):
            before = cast("str", at(lines, path))
            for text in nudged(before, str(path[-1])):
                data = joined(cast("Records", put(lines, path, text)))
                assert not accepted(claim, weights, data)
                assert not accepted(claim, weights, data, exact=False)
                raised += 1
            assert new != before
            if raised > 40:
                return
    pytest.fail("there are potentials")


def at(value: object, path: tuple[object, ...]) -> object:
    """One part of some data."""
    for part in path:
        value = cast("Callable[[object], object]", getattr(value, "__getitem__"))(part)  # noqa: B009
    return value


def nudged(text: str, kind: str) -> Iterator[str]:
    """Potentials, each raised by a ten-thousandth."""
    values: array[float] = array("f" if kind == "f4" else "d")
    values.frombytes(base64.b64decode(text))
    for k, value in enumerate(values):
        if value >= 2.0**99:
            continue  # of a state that no letter leaves, which may have any
        changed = array(values.typecode, values)
        changed[k] = value + max(abs(value), 1e-3) * 1e-4
        yield base64.b64encode(changed.tobytes()).decode()


@pytest.mark.parametrize("seed", [187, 222])
def test_an_edge_left_out_is_caught(seed: int) -> None:
    """An automaton accepts every word of its class: none of its edges can be missed."""
    claim, weights, lines = true_claim(seed)
    missed = 0
    for k, line in enumerate(lines[1:], 1):
        steps = cast("list[list[list[int]]]", line["steps"])
        for p, step in enumerate(steps):
            for q, row in enumerate(step):
                for c in range(len(row)):
                    if row[c] >= 0:
                        data = joined(cast("Records", put(lines, (k, "steps", p, q, c), -1)))
                        assert not accepted(claim, weights, data)
                        missed += 1
    assert missed > 5


# --- hostile files --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b"\xff\xfe\n",
        b'{"format": NaN}\n',
        b"[" * 100_000 + b"\n",
        b'{"a":' * 100_000 + b"\n",
        b'{"format": ' + b"9" * 10_000 + b"}\n",
        b'{"format": "circ certificate 1", "format": "circ certificate 1"}\n',
        b'{"format": "circ certificate 2"}\n',
        b'{"format": 1e999}\n',
    ],
)
def test_a_file_that_is_no_certificate_is_rejected(data: bytes) -> None:
    """Whatever stands in a file, the audit ends with a reason."""
    claim, weights = claim_about_a_head(187)
    with pytest.raises(Rejected):
        audited(claim, weights, BytesIO(data))


def test_splits_without_end_are_rejected() -> None:
    """Splits in splits are followed to some depth only."""
    claim, weights, lines = true_claim(187)
    head, tail = joined(lines[:1]), joined(lines[2:])
    text = '{"rows":[[[0],' * 20_000 + "{}" + "]]}" * 20_000
    fields = f'"class":{json.dumps(lines[1]["class"])},"steps":{json.dumps(lines[1]["steps"])}'
    record = f'{{{fields},"proof":{text}}}\n'.encode()
    assert not accepted(claim, weights, head + record + tail)


def test_a_certificate_is_of_one_claim_and_its_weights() -> None:
    """Another claim, another tensor, another expectation: none is what was proved."""
    claim, weights, lines = true_claim(187)
    data = joined(lines)
    key = next(iter(weights))
    moved = array("d", [value + 2**-40 for value in weights[key].values])
    others = {**weights, key: replace(weights[key], values=moved)}

    assert accepted(claim, weights, data)
    assert not accepted(claim, others, data)
    assert not accepted(replace(claim, name="d"), weights, data)
    assert not accepted(replace(claim, expects="refuted"), weights, data)


def test_a_writer_gives_up_where_too_many_sets_of_words_are_needed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Sets of words are split so often and no more, and the reason says so, well before time is up."""
    claim, weights = claim_about_a_head(222)
    assert certificate(claim, weights) is not None
    monkeypatch.setattr(alternatives, "PARTS", 1)
    with pytest.raises(NoCertificate, match="more than 1 sets of words"):
        write_certificate(claim, weights, monotonic() + 60, BytesIO())

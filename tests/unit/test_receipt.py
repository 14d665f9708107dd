"""A receipt says what was changed and proved, and is read back only if it is one."""

from __future__ import annotations

import hashlib
import json
from array import array
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import cast

import pytest

from circ.compiler.tensor import Tensor
from circ.lang.diagnostic import CircError
from circ.runtime.patches.bound import DualBound, Multiplier, NoBound
from circ.runtime.patches.encoding import encoded
from circ.runtime.patches.receipt import (
    Computed,
    Configured,
    FileMark,
    Receipt,
    Settled,
    Treated,
    change,
    embedded,
    read_receipt,
    receipt_path,
    receipt_text,
    write_receipt,
)
from tests.unit.specs import command

OLD, NEW = array("d", [1, 2, 3]), array("d", [1, 5, -1])

RECEIPT = Receipt(
    tool="circ 0.1.0",
    patch="quiet",
    params={"eps": "1/50"},
    spec=FileMark("guard.circ", "1" * 64),
    used=(FileMark("rules.circ", "5" * 64),),
    read={"m": FileMark("../model.safetensors", "2" * 64)},
    source=FileMark("../model.safetensors", "2" * 64),
    target="patched.safetensors",
    sha256="3" * 64,
    data="4" * 64,
    changes=(change("mlp.W_out", Tensor((3,), "F32", OLD), Tensor((3,), "F32", NEW)),),
    computed=(
        Computed("project m.mlp.W_out off Quote", ("mlp.W_out",), 2.5e-8),
        Computed("another form", (), None),
    ),
    verdicts=(Settled("quiet.require[0]", "proved", "SMT"),),
    bound=DualBound("l2", 5.5, 5.0, (Multiplier("quiet.require[0]", {"x": ("1/3", "-2")}, 0, 7),)),
    ties=(Treated("wte.weight", "lm_head.weight", "apart"),),
    config=Configured("6" * 64, "7" * 64, {"tie_word_embeddings": False}),
)


def test_a_change_has_the_hashes_and_norms_of_what_moved() -> None:
    """By (0, 3, -4): the largest entry is 4, the Euclidean norm 5; bytes are hashed as stored."""
    (found,) = RECEIPT.changes

    assert (found.linf, found.l2) == (4, 5)
    assert found.before == hashlib.sha256(encoded(OLD, "F32")).hexdigest()
    assert found.after == hashlib.sha256(encoded(NEW, "F32")).hexdigest()


def test_a_tensor_that_grows_has_both_shapes_and_the_norms_of_what_is_added() -> None:
    """What one of the two does not have counts as zero: here (0, 2, 2, -1, 4)."""
    grown = Tensor((5,), "F32", array("d", [1, 4, 5, -1, 4]))
    found = change("mlp.W_out", Tensor((3,), "F32", OLD), grown)

    assert (found.was, found.shape) == ((3,), (5,))
    assert (found.linf, found.l2) == (4, 5)


def test_a_receipt_stands_beside_its_target(tmp_path: Path) -> None:
    """Named after it, readable, and the same when read back."""
    target = tmp_path / "patched.safetensors"
    path = write_receipt(receipt_text(RECEIPT), target)

    assert path == receipt_path(target) == tmp_path / "patched.safetensors.receipt.json"
    assert read_receipt(path.read_text(encoding="utf-8"), path.name) == RECEIPT


def test_a_receipt_may_say_that_no_bound_is_known(tmp_path: Path) -> None:
    """And why."""
    unbounded = replace(RECEIPT, bound=NoBound("l1", 5.5, "the problem is not convex"))

    assert read_receipt(json.dumps(json.loads(embedded(unbounded))), "text") == replace(
        unbounded, sha256=None
    )


def test_a_receipt_is_not_overwritten_unless_asked(tmp_path: Path) -> None:
    """The receipt of another patch is evidence."""
    target = tmp_path / "patched.safetensors"
    write_receipt(receipt_text(RECEIPT), target)
    with pytest.raises(CircError, match="already exists"):
        write_receipt(receipt_text(replace(RECEIPT, patch="loud")), target)
    write_receipt(receipt_text(replace(RECEIPT, patch="loud")), target, overwrite=True)

    assert read_receipt(receipt_path(target).read_text(), "receipt").patch == "loud"


def test_the_copy_inside_the_target_lacks_only_the_targets_hash() -> None:
    """A file cannot contain its own hash; one line of JSON holds the rest."""
    text = embedded(RECEIPT)

    assert "\n" not in text
    assert read_receipt(text, "metadata") == replace(RECEIPT, sha256=None)


def test_the_same_patch_gives_the_same_receipt() -> None:
    """No time, no absolute path, no order that depends on the run."""
    assert embedded(RECEIPT) == embedded(replace(RECEIPT))


def corrupted(corrupt: Callable[[dict[str, object]], object]) -> str:
    """The receipt's JSON with something wrong in it."""
    found: dict[str, object] = json.loads(embedded(RECEIPT))
    corrupt(found)
    return json.dumps(found)


def inner(found: dict[str, object], *places: str | int) -> dict[str, object]:
    """An object inside a JSON object."""
    value = cast("Mapping[str | int, object]", found)
    for place in places:
        value = cast("Mapping[str | int, object]", value[place])
    return cast("dict[str, object]", value)


WRONG: dict[str, str] = {
    "no JSON": "{",
    "no object": "[]",
    "a field too few": corrupted(lambda r: r.pop("data")),
    "a field too many": corrupted(lambda r: r.update(extra=1)),
    "a hash too short": corrupted(lambda r: r.update(data="4" * 63)),
    "no hash": corrupted(lambda r: r.update(sha256=4)),
    "no text": corrupted(lambda r: r.update(tool=None)),
    "no list": corrupted(lambda r: r.update(changes={})),
    "no file": corrupted(lambda r: r.update(spec="guard.circ")),
    "a word that is no outcome": corrupted(lambda r: inner(r, "verdicts", 0).update(outcome="ok")),
    "a dtype that is none": corrupted(lambda r: inner(r, "changes", 0).update(dtype="F8")),
    "a negative norm": corrupted(lambda r: inner(r, "changes", 0).update(l2=-1.0)),
    "an infinite norm": corrupted(lambda r: inner(r, "changes", 0).update(linf=float("inf"))),
    "a shape of truths": corrupted(lambda r: inner(r, "changes", 0).update(shape=[True])),
    "a shape of halves": corrupted(lambda r: inner(r, "changes", 0).update(was=[1.5])),
    "a form without words": corrupted(lambda r: inner(r, "computed", 0).update(form=1)),
    "a tensor without a name": corrupted(lambda r: inner(r, "computed", 0).update(tensors=[1])),
    "a residue below zero": corrupted(lambda r: inner(r, "computed", 0).update(residue=-1.0)),
    "a patch that no spec can name": corrupted(lambda r: r.update(patch="not a name")),
    "a target elsewhere": corrupted(lambda r: r.update(target="../x.safetensors")),
    "a spec that no file is called": corrupted(lambda r: inner(r, "spec").update(path="a\0b")),
    "a file without a name": corrupted(lambda r: inner(r, "used", 0).update(path="")),
    "a checkpoint in half a letter": corrupted(
        lambda r: inner(r, "read", "m").update(path="\ud800")
    ),
    "a param that is no number": corrupted(lambda r: r.update(params={"eps": "much"})),
    "a param without a value": corrupted(lambda r: r.update(params={"eps": "1/0"})),
    "a word for no treatment": corrupted(lambda r: inner(r, "ties", 0).update(how="alone")),
    "too deep": "[" * 100_000,
}


RECORDS: tuple[tuple[str | int, ...], ...] = (
    ("spec",),
    ("used", 0),
    ("read", "m"),
    ("source",),
    ("changes", 0),
    ("computed", 1),
    ("verdicts", 0),
    ("bound",),
    ("bound", "multipliers", 0),
    ("ties", 0),
    ("config",),
)


def without(places: tuple[str | int, ...], field: str, found: dict[str, object]) -> object:
    """Drop a field of a record."""
    return inner(found, *places).pop(field)


@pytest.mark.parametrize("places", RECORDS)
def test_each_record_has_its_fields_and_no_other(places: tuple[str | int, ...]) -> None:
    """What says more than is read would be said by nobody."""
    read_receipt(corrupted(lambda r: inner(r, *places)), "model.receipt.json")
    for field in inner(json.loads(embedded(RECEIPT)), *places):
        with pytest.raises(CircError, match="is not a receipt"):
            read_receipt(corrupted(partial(without, places, field)), "model.receipt.json")
    with pytest.raises(CircError, match="is not a receipt"):
        read_receipt(corrupted(lambda r: inner(r, *places).update(more=0)), "model.receipt.json")


@pytest.mark.parametrize("case", WRONG)
def test_anything_else_is_refused(case: str) -> None:
    """A field missing, added, or of the wrong kind makes it no receipt."""
    with pytest.raises(CircError) as caught:
        read_receipt(WRONG[case], "model.receipt.json")
    (diagnostic,) = caught.value.diagnostics

    assert diagnostic.code == "E0656"
    assert diagnostic.headline.startswith("`model.receipt.json` is not a receipt: ")


@pytest.mark.parametrize(
    "words",
    [("--param", "eps=1"), ("--exact",), ("--strict",), ("--network", "n"), ("--allow-outside",)],
)
def test_an_audit_of_a_receipt_ignores_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], words: tuple[str, ...]
) -> None:
    """A receipt says itself with which params and files all is proved again; more is an error, not left out."""
    path = write_receipt(receipt_text(RECEIPT), tmp_path / "patched.safetensors")
    assert command("audit", path) == 4
    assert "a receipt is audited without" not in capsys.readouterr().err
    assert command("audit", path, *words) == 4
    assert f"a receipt is audited without {words[0]}" in capsys.readouterr().err

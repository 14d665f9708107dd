"""The example of a memory of facts: what the patch changes, and what closed forms do beside it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch

from tests.unit.files import load
from tests.unit.specs import command

HERE = Path(__file__).parents[2] / "examples" / "fact_edit"
SPEC = HERE / "facts.circ"
FACT, CITY = 17 * 4 + 1, 5


@pytest.fixture(scope="module")
def table() -> Iterator[ModuleType]:
    """The script that makes the table, with the files beside it in reach."""
    sys.path.insert(0, str(HERE))
    yield importlib.import_module("table")
    sys.path.remove(str(HERE))
    for name in ("table", "plain", "closed_form"):
        sys.modules.pop(name, None)


def test_one_fact_changes(tmp_path: Path, table: ModuleType) -> None:
    """The claim is false of what was trained and true of what is written, where no other fact differs."""
    out = tmp_path / "moved.safetensors"
    assert command("prove", SPEC, "--no-cache") == 1
    assert command("patch", SPEC, "--out", out) == 0
    given = ("--no-cache", "--allow-outside", "--checkpoint", f"m={out}")
    assert command("prove", SPEC, *given) == 0
    before, after = load(HERE / "model.safetensors"), load(out)
    changed = (table.cities(before) != table.cities(after)).nonzero().flatten()
    assert [int(fact) for fact in changed] == [FACT]
    assert int(table.cities(after)[FACT]) == CITY
    assert [name for name in before if not torch.equal(before[name], after[name])] == ["W_out"]


def test_the_closed_forms_are_what_they_say(table: ModuleType) -> None:
    """Each writes the value that it is given under the key, at which the new city wins by the margin.

    ROME's change of what is under other keys is the least in the mean square over all of them; that of the
    null space reads along few directions alone.
    """
    m = {name: x.double() for name, x in load(HERE / "model.safetensors").items()}
    keys, weight = table.hidden(m), m["W_out"]
    key, moment = keys[FACT], keys.T @ keys / len(keys)
    value = table.nearest_value(m["unembed"], weight @ key, CITY)
    lead, second = (m["unembed"] @ value).topk(2).values
    assert float(lead - second) == pytest.approx(0.1, abs=1e-6)
    assert int((m["unembed"] @ value).argmax()) == CITY
    ways = [table.rome(moment, key), table.in_null_space(moment, key, 6)]
    edits = [table.written(weight, key, value, way) for way in ways]
    assert all(torch.allclose(edit @ key, value) for edit in edits)
    errors = [float(((keys @ (edit - weight).T) ** 2).sum()) for edit in edits]
    assert errors[0] < errors[1]
    read = [float(way @ moment @ way / (way @ way)) for way in (ways[1], key)]
    assert read[0] < 0.01 * read[1]
    assert torch.allclose(table.in_null_space(moment, key, 48), key)


def test_a_full_memory_is_spoilt_by_the_closed_forms(table: ModuleType) -> None:
    """The edit of the spec, by either: the fact is changed, and others with it."""
    m = {name: x.double() for name, x in load(HERE / "model.safetensors").items()}
    facts = [next(iter(table.drawn(m, 1)))]
    edits = [table.closed(m, *fact, sizes) for fact in facts for sizes in ((), table.SIZES)]
    assert all(edit.made and edit.mistakes > 0 for edit in edits)


@pytest.mark.slow
def test_every_edit_of_the_table_is_proved(
    table: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Five of its edits by `circ patch`: each is made, and nothing else in plain PyTorch."""
    monkeypatch.setattr(table, "BUILD", tmp_path)
    (tmp_path / "model.safetensors").write_bytes((HERE / "model.safetensors").read_bytes())
    m = {name: x.double() for name, x in load(HERE / "model.safetensors").items()}
    edits = [table.patched(m, *fact) for fact in table.drawn(m, 5)]
    assert all(edit.made and edit.mistakes == 0 for edit in edits)

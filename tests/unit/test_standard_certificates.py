"""`circ vnnlib --certificate` and `circ audit --network`: what an `unsat` leaves, and what checks it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.unit.specs import command
from tests.unit.standard_problems import EITHER, SAT, UNSAT, network, wanted


def test_an_unsat_leaves_a_certificate(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both ways of auditing accept it, and the answer says how to ask for that."""
    net, asked, proofs = network(tmp_path, 1, 2), wanted(tmp_path, UNSAT), tmp_path / "proofs"
    assert command("vnnlib", net, asked, "--certificate", proofs) == 0
    told = capsys.readouterr().out
    assert told.startswith("unsat\n")
    assert [path.name for path in proofs.iterdir()] == ["safe.cert"]
    assert f"to check it: circ audit {asked} {proofs} --network {net}" in told
    for more in ([], ["--exact"]):
        assert command("audit", asked, proofs, "--network", net, *more) == 0
        assert "✓ safe: the certificate holds" in capsys.readouterr().out
    assert command("audit", asked, proofs, "--network", net, "--json") == 0
    (found,) = json.loads(capsys.readouterr().out)["certificates"]
    assert found["holds"] is True
    assert found["by"] == "parts"


def test_it_is_about_that_network_and_that_property(tmp_path: Path) -> None:
    """A network with another weight is another problem, and so is a property with another number."""
    net, asked, proofs = network(tmp_path, 1, 2), wanted(tmp_path, UNSAT), tmp_path / "proofs"
    assert command("vnnlib", net, asked, "--certificate", proofs) == 0
    network(tmp_path, 1, 2.0001)
    assert command("audit", asked, proofs, "--network", net) == 1
    network(tmp_path, 1, 2)
    assert command("audit", asked, proofs, "--network", net) == 0
    wanted(tmp_path, SAT)
    assert command("audit", asked, proofs, "--network", net) == 1


def test_each_box_has_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Where one is missing, the problem is not shown."""
    net, asked, proofs = network(tmp_path, 1, 2), wanted(tmp_path, EITHER), tmp_path / "proofs"
    assert command("vnnlib", net, asked, "--certificate", proofs, "--json") == 0
    left = json.loads(capsys.readouterr().out)["certificates"]
    assert [Path(path).name for path in left] == ["safe.1.cert", "safe.2.cert"]
    assert command("audit", asked, proofs, "--network", net, "--json") == 0
    parts = [json.loads(Path(path).read_text().splitlines()[0])["parts"] for path in left]
    (found,) = json.loads(capsys.readouterr().out)["certificates"]
    assert found["classes"] == sum(parts)
    Path(left[1]).unlink()
    assert command("audit", asked, proofs, "--network", net) == 1
    assert "safe.2.cert: there is no certificate: only `unsat` has one" in capsys.readouterr().out


def test_older_ones_go(tmp_path: Path) -> None:
    """Once the answer is `sat`, no certificate of `unsat` is left."""
    net, asked, proofs = network(tmp_path, 1, 2), wanted(tmp_path, UNSAT), tmp_path / "proofs"
    assert command("vnnlib", net, asked, "--certificate", proofs) == 0
    wanted(tmp_path, SAT)
    assert command("vnnlib", net, asked, "--certificate", proofs) == 0
    assert not list(proofs.iterdir())


def test_a_box_without_width_has_one(tmp_path: Path) -> None:
    """A single number of an input is one to be shown."""
    net, proofs = network(tmp_path, 1, 2), tmp_path / "proofs"
    asked = wanted(tmp_path, UNSAT)
    asked.write_text(asked.read_text() + "(assert (<= X_0 -1))(assert (<= X_1 -1))")
    assert command("vnnlib", net, asked, "--certificate", proofs) == 0
    assert command("audit", asked, proofs, "--network", net) == 0
    (proofs / "safe.cert").unlink()
    assert command("audit", asked, proofs, "--network", net) == 1


def test_those_of_other_boxes_go(tmp_path: Path) -> None:
    """A property of one box leaves none of those that an older one had."""
    net, proofs = network(tmp_path, 1, 2), tmp_path / "proofs"
    assert command("vnnlib", net, wanted(tmp_path, EITHER), "--certificate", proofs) == 0
    assert len([*proofs.iterdir()]) == 2
    assert command("vnnlib", net, wanted(tmp_path, UNSAT), "--certificate", proofs) == 0
    assert [path.name for path in proofs.iterdir()] == ["safe.cert"]


def test_all_boxes_have_one_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Of two boxes the first is shown by its inputs alone, the second by a smooth function: none is left."""
    net, proofs = network(tmp_path, 1, 2, last="Tanh"), tmp_path / "proofs"
    path = wanted(tmp_path, EITHER)
    path.write_text(
        path.read_text()
        .replace("(>= Y_0 2.001)", "(>= (+ X_0 X_1) 5)")
        .replace("(>= Y_0 3.001)", "(>= Y_0 1)")
    )
    assert command("vnnlib", net, path, "--certificate", proofs) == 0
    assert "; no certificate: smooth functions are not covered" in capsys.readouterr().out
    assert not list(proofs.iterdir())


def test_what_has_none_says_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A smooth function is decided, and not certified."""
    net = network(tmp_path, 1, 2, last="Tanh")
    asked = wanted(tmp_path, "(assert (>= Y_0 1))")
    assert command("vnnlib", net, asked, "--certificate", tmp_path / "proofs") == 0
    assert "; no certificate: smooth functions are not covered" in capsys.readouterr().out


def test_a_property_needs_its_network(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone it says nothing."""
    assert command("audit", wanted(tmp_path, UNSAT), tmp_path) == 4
    assert "--network" in capsys.readouterr().err

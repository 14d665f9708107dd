"""How a command is stopped: what was reached is told, and no process is left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from circ.runtime.commands import prove
from circ.runtime.engines.crew import can_fork
from tests.unit.specs import DETECTOR, command, write_spec

THREE = f"{DETECTOR}\nclaim last: forall x in Box: f(x)[0] <= 4\n"


def stopped_at(name: str) -> Callable[..., object]:
    """Ctrl-C when it is this claim's turn."""
    whole = prove.decided

    def decided(claim: str, how: prove.Proving) -> object:
        if claim == name:
            raise KeyboardInterrupt
        return whole(claim, how)

    return decided


def test_claims_that_were_not_reached_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In text and as data, wherever in its work on a claim the command is stopped."""
    spec = write_spec(tmp_path, THREE)
    monkeypatch.setattr(prove, "decided", stopped_at("negative"))
    assert command("prove", spec, "--no-cache") == 2
    told = capsys.readouterr().out
    assert "✓ bounded: proved" in told
    assert "? not decided: negative, last" in told

    assert command("prove", spec, "--no-cache", "--json") == 2
    data = json.loads(capsys.readouterr().out)
    found = {claim["claim"]: (claim["verdict"], claim.get("reason")) for claim in data["claims"]}
    reason = "interrupted before it was looked at"
    assert found == {
        "bounded": ("proved", None),
        "negative": ("unknown", reason),
        "last": ("unknown", reason),
    }
    assert data["exit"] == 2


def test_a_claim_that_was_stopped_leaves_no_certificate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its verdict stands, what was left of an older certificate goes, and the rest is not decided."""
    spec, folder = write_spec(tmp_path, THREE), tmp_path / "proofs"
    assert command("prove", spec, "bounded", "--certificate", folder) == 0
    (folder / "bounded.3.cert").write_text("of an older claim")

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prove, "certify_claim", stopped)
    capsys.readouterr()
    assert command("prove", spec, "bounded", "last", "--certificate", folder) == 2
    told = capsys.readouterr().out
    assert "no certificate: interrupted" in told
    assert "? not decided: last" in told
    assert list(folder.iterdir()) == []


def test_an_interrupt_before_there_is_an_answer_is_data(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that asks for JSON reads JSON."""

    def stopped(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(prove, "usable", stopped)
    assert command("prove", write_spec(tmp_path), "--json") == 2
    assert json.loads(capsys.readouterr().out) == {"ok": False, "interrupted": True, "exit": 2}


# --- signals ----------------------------------------------------------------------------------

HARD = """
domain Box = { x: real[80] | -1 <= x <= 1 }
claim hard: forall x in Box, y in Box:
  sum(abs(x + y)) + sum(abs(x - y)) <= 2 * sum(abs(x)) + 2 * sum(abs(y))
claim later: forall x in Box: x[0] <= 1
"""
MAIN = "import sys; from circ.runtime.cli import main; sys.exit(main())"


def children(process: int) -> list[int]:
    """The processes that a process started, those that ended left out."""
    words = ["ps", "-eo", "pid=,ppid=,stat="]
    rows = subprocess.run(words, capture_output=True, text=True, check=True).stdout.splitlines()
    found = [row.split() for row in rows]
    return [int(pid) for pid, parent, state in found if int(parent) == process and state[0] != "Z"]


def runs(process: int) -> bool:
    """Whether a process is there and has not ended."""
    found = subprocess.run(
        ["ps", "-o", "stat=", "-p", str(process)], capture_output=True, text=True, check=False
    )
    return found.stdout.strip() not in ("", "Z", "Z+")


def comes(wanted: Callable[[], bool], seconds: float = 30.0) -> bool:
    """Whether something is so before long."""
    until = time.monotonic() + seconds
    while not wanted():
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


def begun(spec: Path) -> subprocess.Popen[str]:
    """`circ prove` of a hard claim, with two workers at work."""
    words = [sys.executable, "-c", MAIN, "prove", str(spec), "hard", "later", "--no-cache"]
    process = subprocess.Popen(
        [*words, "--jobs", "2"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert comes(lambda: len(children(process.pid)) == 2)
    return process


@pytest.mark.skipif(not can_fork(), reason="no workers without fork")
@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_its_command(sent: signal.Signals, tmp_path: Path) -> None:
    """Told to end it tells what it reached, as for Ctrl-C; killed outright it tells nothing. Workers end."""
    spec = tmp_path / "hard.circ"
    spec.write_text(HARD)
    with begun(spec) as process:
        workers = children(process.pid)
        process.send_signal(sent)
        ended = comes(lambda: not any(map(runs, workers)))
        for left in filter(runs, workers):  # it would keep the output open
            os.kill(left, signal.SIGKILL)
        out, errors = process.communicate(timeout=30)
    assert ended
    assert errors == ""
    if sent == signal.SIGTERM:
        assert process.returncode == 2
        assert "? not decided: later" in out
        assert "interrupted" in out

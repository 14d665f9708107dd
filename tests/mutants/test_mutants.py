"""Planted soundness bugs: the suite must turn red on each."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.mutants.copies import ROOT, copied
from tests.mutants.planted import MUTANTS, Mutant


def run_tests(folder: Path, tests: tuple[str, ...]) -> int:
    """pytest's exit code for these tests of the copy in `folder`."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--hypothesis-profile=no_shrinking"]
    command = [sys.executable, "-m", "pytest", *options, *tests]
    env = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    env = {name: value for name, value in env.items() if not name.startswith("PYTEST_")}
    return subprocess.run(command, cwd=folder, env=env, check=False, capture_output=True).returncode


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's code and tests, to be changed at will."""
    return copied(tmp_path)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_planted_bug_fits_the_code(mutant: Mutant) -> None:
    """What it replaces stands in its file once, and its tests are there."""
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    for test in mutant.tests:
        file, *names = test.partition("[")[0].split("::")
        assert (ROOT / file).exists(), test
        for name in names:
            assert re.search(rf"(class|def) {name}\b", (ROOT / file).read_text()), test


@pytest.mark.parametrize("mutant", [m for m in MUTANTS if m.quick], ids=lambda m: m.name)
def test_a_planted_bug_turns_the_suite_red(mutant: Mutant, copy: Path) -> None:
    """The bug is one replacement; a test fails (exit code 1), rather than not run at all."""
    turns_red(mutant, copy)


@pytest.mark.slow
@pytest.mark.parametrize("mutant", [m for m in MUTANTS if not m.quick], ids=lambda m: m.name)
def test_so_does_every_other_one(mutant: Mutant, copy: Path) -> None:
    """The same."""
    turns_red(mutant, copy)


def turns_red(mutant: Mutant, copy: Path) -> None:
    """Plant a bug in a copy, and run the tests that must notice it."""
    path = copy / mutant.file
    text = path.read_text()
    path.write_text(text.replace(mutant.old, mutant.new))
    assert run_tests(copy, mutant.tests) == 1

"""The packaging: what is installed is what lies in the folders, and its versions are named."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from itertools import chain
from pathlib import Path
from typing import TypedDict, cast

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = ("compiler", "docs", "lang", "runtime", "stdlib")

Packaging = TypedDict(
    "Packaging",
    {"packages": list[str], "package-dir": dict[str, str], "package-data": dict[str, list[str]]},
)


def table(*path: str) -> object:
    """One table of pyproject.toml."""
    found: object = tomllib.loads((ROOT / "pyproject.toml").read_text())
    for key in path:
        found = cast("dict[str, object]", found)[key]
    return found


PACKAGING = cast("Packaging", table("tool", "setuptools"))


def package_files() -> set[str]:
    """Every file of the packages, by the name it has once installed."""
    sources = {path for folder in FOLDERS for path in (ROOT / folder).rglob("*")}
    files = {f"circ/{path.relative_to(ROOT).as_posix()}" for path in sources if path.is_file()}
    face = {path.relative_to(ROOT).as_posix() for path in (ROOT / "circ").glob("*.*")}
    return {name for name in files | face if "__pycache__" not in name}


def requirements() -> list[str]:
    """Everything that a user, or one who works on Circ, is told to install."""
    base = cast("list[str]", table("project", "dependencies"))
    extras = cast("dict[str, list[str]]", table("project", "optional-dependencies"))
    groups = cast("dict[str, list[str]]", table("dependency-groups"))
    return [*base, *chain.from_iterable([*extras.values(), *groups.values()])]


def plain(name: str) -> str:
    """A distribution's name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_every_package_is_listed() -> None:
    """A folder with an `__init__.py` is a package, and pyproject.toml lists exactly these."""
    inits = [path for folder in FOLDERS for path in (ROOT / folder).rglob("__init__.py")]
    names = {".".join(("circ", *path.parent.relative_to(ROOT).parts)) for path in inits}

    assert sorted(PACKAGING["packages"]) == sorted({"circ", *names})


def test_every_module_lies_in_a_package() -> None:
    """A module in a folder without an `__init__.py` would be left out of the wheel."""
    modules = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py")]

    assert [path for path in modules if not (path.parent / "__init__.py").exists()] == []


@pytest.mark.parametrize("folder", FOLDERS)
def test_the_links_for_static_tools_lead_to_the_folders(folder: str) -> None:
    """`circ/lang` is a link to `../lang`: mypy and pyright find `circ.lang` through it."""
    link = ROOT / "circ" / folder

    assert link.is_symlink()
    assert link.readlink() == Path("..") / folder
    assert PACKAGING["package-dir"][f"circ.{folder}"] == folder


@pytest.mark.parametrize("package", ["circ.lang", "circ.compiler", "circ.runtime", "circ.stdlib"])
def test_the_packages_are_found_from_any_folder(package: str, tmp_path: Path) -> None:
    """What is installed does not depend on where Python is started."""
    command = [sys.executable, "-c", f"import {package}"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr


def test_every_requirement_has_a_tested_version() -> None:
    """Each distribution that pyproject.toml asks for is pinned in constraints.txt."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {plain(line.partition("==")[0]) for line in lines if "==" in line}
    asked = {plain(re.split(r"[^\w.-]", line, maxsplit=1)[0]) for line in requirements()}

    assert asked - pinned == set()


@pytest.mark.slow
def test_the_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    """The wheel, made through the source archive, has all modules, grammars and specs."""
    copy = tmp_path / "copy"
    unwanted = shutil.ignore_patterns(".*", "__pycache__", "build", "dist", "*.egg-info")
    shutil.copytree(ROOT, copy, symlinks=True, ignore=unwanted)
    build = [sys.executable, "-m", "build", "--outdir", str(tmp_path / "dist"), str(copy)]
    done = subprocess.run(build, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    (wheel,) = (tmp_path / "dist").glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert names == package_files()

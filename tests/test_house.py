"""The house rules that no linter can state: size, doors, direction, and what is trusted."""

from __future__ import annotations

import ast
import json
import re
import struct
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from circ.runtime.cache.engine import LIBRARIES

ROOT = Path(__file__).resolve().parents[1]
FILES = [
    path
    for folder in ("lang", "compiler", "runtime", "stdlib")
    for path in (ROOT / folder).rglob("*.py")
]
SOURCES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted([*FILES, *(ROOT / "circ").glob("*.py")])
}
TREES = {here: ast.parse(text, here) for here, text in SOURCES.items()}

LONGEST_FILE = 400
LONGEST_FUNCTION = 50

# Where each foreign library may be imported: a file, or a folder (ending in a slash).
DOORS = {
    "click": ("runtime/",),
    "daqp": ("runtime/convex.py",),
    "highspy": ("runtime/convex.py",),
    "google": ("compiler/onnx/file.py",),
    "jinja2": ("compiler/pytorch/page.py",),
    "lark": ("lang/parse_tables.py",),
    "lsprotocol": ("runtime/lsp/",),
    "numpy": ("compiler/", "runtime/"),
    "onnx": ("compiler/onnx/format.py",),
    "onnxruntime": ("runtime/onnx_values.py",),
    "prompt_toolkit": ("runtime/",),
    "pygls": ("runtime/lsp/",),
    "pygments": ("runtime/highlighting.py",),
    "rich": ("runtime/",),
    "torch": ("compiler/readings/torch.py", "runtime/"),
    "vnnlib": ("compiler/vnnlib/version2.py",),
    "z3": ("compiler/smt/terms.py",),
}

# A layer may import itself and those before it; the specs in circ.stdlib are data.
LAYERS = ("circ.stdlib", "circ.lang", "circ.compiler", "circ.runtime", "circ")

REFERENCE = "circ.compiler.readings.reference"
UNTRUSTED = frozenset({"numpy", "torch", "z3"})
HEAVY = UNTRUSTED | {"lark"}

VAGUE = re.compile(r"(^|_)(utils?|helpers?|managers?|misc|common)($|_)|(Util|Helper|Manager)s?$")
PRAGMA = re.compile(r"#\s*(type:\s*ignore|mypy:|pyright:)")


def module_name(here: str) -> str:
    """The import name of a source file: `lang/span.py` is `circ.lang.span`."""
    parts = Path(here).with_suffix("").parts
    inside = parts if parts[0] == "circ" else ("circ", *parts)
    return ".".join(inside[:-1] if inside[-1] == "__init__" else inside)


MODULES = {module_name(here): tree for here, tree in TREES.items()}


def imported(node: ast.AST) -> Iterator[str]:
    """The modules that one statement names; or one call, where it imports a literal name."""
    match node:
        case ast.Import(names=names):
            yield from (alias.name for alias in names)
        case ast.ImportFrom(module=str(module), names=names, level=0):
            for alias in names:
                inner = f"{module}.{alias.name}"
                yield inner if inner in MODULES else module
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(module)), *_],
        ):
            yield module
        case _:
            pass


def imports(tree: ast.AST) -> set[str]:
    """All that a module imports, at its top or inside its functions."""
    return {name for node in ast.walk(tree) for name in imported(node)}


def imports_on_load(tree: ast.AST) -> set[str]:
    """What a module imports by being loaded: the bodies of its functions do not run."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        found.update(imported(node))
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))
    return found


def packages_around(module: str) -> list[str]:
    """The packages that importing a module of Circ loads on the way to it."""
    parts = module.split(".")
    return [".".join(parts[:size]) for size in range(1, len(parts))]


def reached_from(start: str) -> set[str]:
    """Every module that importing and running `start` can load; foreign ones are not entered.

    A module of Circ counts with all its imports; a package on the way to it only with those that
    it makes on loading, since none of its functions is called.
    """
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        module = waiting.pop()
        if module in MODULES and module not in reached:
            waiting.extend(imports(MODULES[module]))
            for package in packages_around(module):
                waiting.extend(imports_on_load(MODULES[package]))
        reached.add(module)
    return reached


def library(module: str) -> str:
    """The library that a module belongs to: its first name."""
    return module.partition(".")[0]


def height(module: str) -> int:
    """How far up a module of Circ stands: the place of its layer."""
    return next(
        place
        for place, layer in enumerate(LAYERS)
        if module == layer or module.startswith(f"{layer}.")
    )


def libraries_loaded(script: str, *arguments: str, cwd: Path) -> tuple[int, set[str], str]:
    """Run a script in a Python of its own: its exit code, the libraries it loaded, what it said."""
    report = cwd / "modules.json"
    probe = f"""
import atexit, json, pathlib, sys

atexit.register(lambda: pathlib.Path({str(report)!r}).write_text(json.dumps(list(sys.modules))))
{script}
"""
    command = [sys.executable, "-c", probe, *arguments]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    modules: list[str] = json.loads(report.read_text())
    return done.returncode, {library(module) for module in modules}, done.stdout + done.stderr


@pytest.mark.parametrize("here", SOURCES)
class TestEachFile:
    """What holds for a source file by itself."""

    def test_is_one_idea(self, here: str) -> None:
        """A file can be read in one sitting: 400 lines at most, and no function over 50."""
        functions = {
            f"{node.name}:{node.lineno}": (node.end_lineno or node.lineno) - node.lineno + 1
            for node in ast.walk(TREES[here])
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        }

        assert len(SOURCES[here].splitlines()) <= LONGEST_FILE
        assert {name: size for name, size in functions.items() if size > LONGEST_FUNCTION} == {}

    def test_opens_by_saying_what_it_is_for(self, here: str) -> None:
        """The first thing in a module is its docstring."""
        assert (ast.get_docstring(TREES[here]) or "").strip()

    def test_is_named_for_what_it_does(self, here: str) -> None:
        """No file or class is a `utils`, a `Helper` or a `Manager`: such names say nothing."""
        classes = [node.name for node in ast.walk(TREES[here]) if isinstance(node, ast.ClassDef)]
        names = [*Path(here).with_suffix("").parts, *classes]

        assert [name for name in names if VAGUE.search(name)] == []

    def test_lets_foreign_libraries_in_by_their_door(self, here: str) -> None:
        """A foreign library is imported where its door is, and one without a door is not used."""
        foreign = {library(module) for module in imports(TREES[here])}
        foreign -= {"circ", *sys.stdlib_module_names}

        assert {name for name in foreign if not here.startswith(DOORS.get(name, ()))} == set()

    def test_quiets_the_type_checkers_only_at_a_door(self, here: str) -> None:
        """mypy and pyright are told to look away only in files that import a foreign library."""
        at_a_door = any(library(module) in DOORS for module in imports(TREES[here]))

        assert at_a_door or PRAGMA.findall(SOURCES[here]) == []

    def test_imports_only_what_lies_below_it(self, here: str) -> None:
        """Imports go one way: runtime to compiler to lang, inside functions as at the top."""
        module = module_name(here)
        inside = {name for name in imports(TREES[here]) if library(name) == "circ"}

        assert {name for name in inside if height(name) > height(module)} == set()


EACH_ALIKE = ("lang/errors/", "runtime/commands/")
"""Folders in which one line speaks of every file."""


def test_the_tour_goes_by_every_module() -> None:
    """ARCHITECTURE.md names each, by the end of its path or by a pattern, or has a line for all files of its folder."""
    told = re.findall(r"`(?:\.\./)?([\w/*]+\.py)`", (ROOT / "ARCHITECTURE.md").read_text())
    modules = [Path(here) for here in SOURCES if not here.endswith("__.py")]
    silent = [
        module.as_posix()
        for module in modules
        if not module.as_posix().startswith(EACH_ALIKE) and not any(map(module.match, told))
    ]

    assert silent == []
    inside = [name for name in told if not name.startswith("tests/")]
    assert [name for name in inside if not any(module.match(name) for module in modules)] == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    """The modules can be read in an order in which each uses only those before it.

    Imports inside functions and those for the type checker count: they too are uses.
    """
    uses = {module: imports(tree) & MODULES.keys() for module, tree in MODULES.items()}
    try:
        circle = [*TopologicalSorter(uses).static_order()][:0]
    except CycleError as error:
        circle = error.args[1]

    assert circle == []


def test_a_class_has_a_name_of_its_own_in_its_package() -> None:
    """No two modules of a package have public classes of the same name: one word is one thing."""
    places: dict[tuple[str, str], list[str]] = {}
    for here, tree in TREES.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                key = Path(here).parent.as_posix(), node.name
                places.setdefault(key, []).append(here)

    assert {key: files for key, files in places.items() if len(files) > 1} == {}


class TestTheReferenceIsTrusted:
    """The exact reference, on which every refutation rests, needs no solver and no tensors."""

    def test_by_its_text(self) -> None:
        """Nothing that it imports, however far away, imports z3, torch or numpy."""
        assert REFERENCE in MODULES
        assert {m for m in reached_from(REFERENCE) if library(m) in UNTRUSTED} == set()

    def test_by_running_it(self, tmp_path: Path) -> None:
        """Importing it in a fresh Python loads none of them."""
        code, loaded, said = libraries_loaded(f"import {REFERENCE}", cwd=tmp_path)

        assert code == 0, said
        assert "circ" in loaded
        assert loaded & UNTRUSTED == set()


AUDIT = "circ.compiler.audit.audit"
SOLVERS = frozenset({"daqp", "highspy", "scipy", "z3"})


class TestTheAuditIsIndependent:
    """A certificate is checked by code that shares none with what found it."""

    def test_the_exact_path_needs_the_standard_library_alone(self, tmp_path: Path) -> None:
        """Neither by its text nor by running does it reach numpy, torch or a solver."""
        assert AUDIT in MODULES
        assert {m for m in reached_from(AUDIT) if library(m) in UNTRUSTED | SOLVERS} == set()
        code, loaded, said = libraries_loaded(f"import {AUDIT}", cwd=tmp_path)
        assert code == 0, said
        assert loaded & (UNTRUSTED | SOLVERS) == set()

    def test_the_fast_path_needs_numpy_besides(self) -> None:
        """No torch, and no solver."""
        reached = {library(module) for module in reached_from("circ.compiler.audit.in_floats")}
        assert reached & (SOLVERS | {"torch"}) == set()

    def test_it_reads_circuits_by_itself(self) -> None:
        """Of the compiler it uses what circuits, claims and tensors are, and no reading of them."""
        own = "circ.compiler.audit"
        used = {
            module
            for here, tree in MODULES.items()
            if here.startswith(own)
            for module in imports(tree)
            if module.startswith("circ.compiler") and not module.startswith(own)
        }
        data = {"ir", "obligation", "tensor"}
        assert used <= {f"circ.compiler.{name}" for name in data}


def test_kept_verdicts_name_all_that_decides() -> None:
    """The version under which a verdict is kept counts every library that deciding may load."""
    reached = {library(module) for module in reached_from("circ.runtime.answer")}

    assert reached - {"circ", *sys.stdlib_module_names} == LIBRARIES.keys()


SPEC = """\
enum Quote = { none, in_single }

checkpoint m from "model.safetensors"

circuit same(q: Quote) -> Quote = q

circuit scaled(x: real[2]) -> real[2] = m.W @ x
"""


def write_spec(folder: Path) -> Path:
    """A spec that is right, beside the checkpoint of one 2 by 2 float32 matrix that it names."""
    header = {"W": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}
    text = json.dumps(header).encode()
    numbers = struct.pack("<4f", 1, 0, 0, 1)
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + numbers)
    spec = folder / "quote.circ"
    spec.write_text(SPEC)
    return spec


class TestTheCommandStartsLight:
    """What proves nothing waits for no library that only proofs need."""

    def test_to_print_its_help(self, tmp_path: Path) -> None:
        """`circ --help` loads neither torch nor z3 nor numpy, and no compiler of grammars."""
        script = "from circ.__main__ import main; main()"
        code, loaded, said = libraries_loaded(script, "--help", cwd=tmp_path)

        assert code == 0, said
        assert "check" in said
        assert loaded & HEAVY == set()

    def test_to_check_a_spec(self, tmp_path: Path) -> None:
        """`circ check` does not either: a checkpoint's shapes are read from its header alone."""
        script = "from circ.__main__ import main; main()"
        spec = write_spec(tmp_path)
        code, loaded, said = libraries_loaded(script, "check", str(spec), cwd=tmp_path)

        assert code == 0, said
        assert loaded & HEAVY == set()

    def test_to_recall_a_verdict(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`circ prove` does not either, where the verdict is kept: only deciding needs them."""
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "own"))
        monkeypatch.delenv("CIRC_NO_CACHE")
        script = "from circ.__main__ import main; main()"
        spec = write_spec(tmp_path)
        box = "domain Box = { x: real[2] | 0 <= x <= 1 }"
        spec.write_text(f"{SPEC}\n{box}\nclaim kept: exists x in Box: scaled(x)[0] >= 1\n")
        loads: list[set[str]] = []
        for recalled in (False, True):
            code, loaded, said = libraries_loaded(script, "prove", str(spec), cwd=tmp_path)
            loads.append(loaded & HEAVY)
            assert code == 0, said
            assert ("from the cache" in said) == recalled

        assert loads[0] != set()
        assert loads[1] == set()

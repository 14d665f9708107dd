"""How the time of `circ check` grows with a spec: its lines, and how deep its expressions lie.

    OMP_NUM_THREADS=1 python -m benchmarks.checking

A spec of every construct is written several times under other names. *read* is the time from text to
types, *lowered* the time to lower every claim and patch of it; both in seconds of the processor. A number
in parentheses or brackets inside one another is read, or refused with one finding.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from rich.console import Console
from rich.table import Table

from circ.compiler.driver import completed, typed_program
from circ.compiler.stored import Files
from circ.lang.span import Source
from tests.unit.whole_language import SPEC, write_weights

DECLARED = re.compile(r"^(?:param|circuit|domain|patch)\s+(\w+)", re.MULTILINE)
CLAIM = re.compile(r"^claim\s+\w+(?: using \w+(?:, \w+)*)?", re.MULTILINE)
CLAIMED = re.compile(r"\b(?!claim\b|using\b)\w+")
ONCE = re.compile(r"^(?:enum.*\n|checkpoint[^}]*\}\n)", re.MULTILINE)
COPIES = (1, 15, 30, 60, 120)
DEPTHS = (10, 100, 400, 1_000, 10_000)


def copied(times: int) -> str:
    """The spec, written several times; enums and checkpoints are those of the first."""
    return SPEC + "".join(renamed(ONCE.sub("", SPEC), f"_{n}") for n in range(1, times))


def renamed(text: str, ending: str) -> str:
    """A spec whose own names end differently."""
    names = "|".join(sorted(set(DECLARED.findall(SPEC)), key=len, reverse=True))
    anew = re.sub(rf"(?<![\w.])({names})\b", rf"\1{ending}", text)
    return CLAIM.sub(lambda claim: CLAIMED.sub(rf"\g<0>{ending}", claim[0]), anew)


def timed(text: str, folder: Path) -> tuple[float, float, int]:
    """Seconds until a spec has types, seconds until it is lowered, and how much is found wrong."""
    start = process_time()
    program = typed_program(Source("spec.circ", text), Files(folder))
    typed = process_time()
    found = completed(program, {}).diagnostics
    return typed - start, process_time() - typed, len(found.found)


def nested(depth: int, opened: str, closed: str) -> str:
    """A number inside so many brackets."""
    return f"param deep = {opened * depth}1{closed * depth}\n"


def table(title: str, first: str, texts: dict[str, str], folder: Path) -> Table:
    """A row a text."""
    made = Table(title=title)
    for column in (first, "read, s", "lowered, s", "findings"):
        made.add_column(column, justify="right")
    for label, text in texts.items():
        read, lowered, found = timed(text, folder)
        made.add_row(label, f"{read:.2f}", f"{lowered:.2f}", str(found))
    return made


def labelled(texts: list[str], label: Callable[[str], str]) -> dict[str, str]:
    """Texts by what their rows are called."""
    return {label(text): text for text in texts}


def main() -> None:
    """Print both tables."""
    console = Console()
    with TemporaryDirectory() as name:
        folder = Path(name)
        write_weights(folder)
        timed(SPEC, folder)
        by_lines = labelled([copied(n) for n in COPIES], lambda text: f"{text.count(chr(10)):,}")
        console.print(table("Lines", "lines", by_lines, folder))
        for opened, closed in ("()", "[]"):
            by_depth = {f"{n:,}": nested(n, opened, closed) for n in DEPTHS}
            console.print(table(f"Depth of {opened}{closed}", "depth", by_depth, folder))


if __name__ == "__main__":
    main()

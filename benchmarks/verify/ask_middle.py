"""How many of the middle-sized questions `circ prove` decides, how long it takes, and why it does not.

    python -m benchmarks.verify.ask_middle FOLDER [--only WORD] [--timeout 60] [--every N] [--jobs N]
        [--log FILE]

FOLDER is what `benchmarks.verify.middle` wrote. Each question is asked in a process of its own.
`--every 5` takes every fifth question. FILE gets a line of JSON for each; what is in it already is not
asked again. A false claim that is proved, or a likely one that is refuted, is
named: the first would be wrong, the second says that gradients had missed the maximum.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from benchmarks.verify.log import append, logged
from benchmarks.verify.middle import CLAIM, QUESTIONS
from benchmarks.verify.processes import ran
from benchmarks.verify.tools import CIRC

SECONDS = (1, 3, 10, 30)
"""Ends of the classes of CPU time that are told."""

NUMBER = re.compile(r"\d[\d,.e+-]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question and what Circ said of it: a verdict, or `failed`; CPU seconds, and MiB."""

    name: str
    kind: str
    expected: str
    verdict: str
    cpu: float
    peak: float
    how: str

    @property
    def decided(self) -> bool:
        """Whether it is."""
        return self.verdict in ("proved", "refuted")


def asked(folder: Path, row: dict[str, str], timeout: float, jobs: int) -> Asked:
    """Ask a question."""
    words = [folder / row["spec"], CLAIM, "--no-cache", "--json", "--timeout", f"{timeout:g}"]
    found = ran([*CIRC, "prove", *map(str, words), "--jobs", str(jobs)], timeout)
    try:
        (claim,) = json.loads(found.out)["claims"]
        verdict, how = claim["verdict"], claim.get("reason") or claim["method"]
    except (ValueError, KeyError):
        complaints = [line for line in found.err.splitlines() if line.strip()]
        verdict, how = "failed", "killed" if found.killed else "".join(complaints[-1:])
    return Asked(row["name"], row["kind"], row["expected"], verdict, found.cpu, found.peak, how)


def report(results: Sequence[Asked]) -> list[str]:
    """For each kind and in all: what was decided, in what time; then the reasons, and the surprises."""
    kinds = list(dict.fromkeys(found.kind for found in results))
    columns = "  ".join(f"{f'<{end} s':>5}" for end in SECONDS)
    lines = [f"{'kind':10}  asked  proved  refuted  open  median s  {columns}   more   MiB"]
    lines += [line(kind, [r for r in results if r.kind == kind]) for kind in kinds]
    lines.append(line("all", results))
    reasons = Counter(
        NUMBER.sub("#", found.how) for found in results if not found.decided
    ).most_common()
    lines += [f"{count:4} undecided: {reason}" for reason, count in reasons]
    for found in results:
        if found.decided and found.verdict != found.expected:
            surprise = "WRONG" if found.expected == "refuted" else "the maximum is higher"
            lines.append(f"{found.name}: {found.verdict}, expected {found.expected}: {surprise}")
    return lines


def line(kind: str, results: Sequence[Asked]) -> str:
    """One kind, or all."""
    verdicts = Counter(found.verdict for found in results)
    undecided = len(results) - verdicts["proved"] - verdicts["refuted"]
    times = [found.cpu for found in results if found.decided]
    ends = (0, *SECONDS, float("inf"))
    classes = [sum(low <= time < high for time in times) for low, high in pairwise(ends)]
    middle = f"{median(times):8.1f}" if times else f"{'-':>8}"
    spread = "  ".join(f"{count:5}" for count in classes)
    peak = max((found.peak for found in results), default=0.0)
    return (
        f"{kind:10}  {len(results):5}  {verdicts['proved']:6}  {verdicts['refuted']:7}  "
        f"{undecided:4}  {middle}  {spread}  {peak:5.0f}"
    )


def main(words: Sequence[str] | None = None) -> None:
    """Ask, and print the report."""
    parser = argparse.ArgumentParser(prog="benchmarks.verify.ask_middle")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--timeout", type=float, default=60.0, metavar="SECONDS")
    parser.add_argument("--every", type=int, default=1, metavar="N")
    parser.add_argument("--jobs", type=int, default=1, metavar="N")
    parser.add_argument("--log", type=Path, metavar="FILE", help="go on from there")
    given = parser.parse_args(words)
    with (given.folder / QUESTIONS).open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if given.only in row["name"]]
    known = {one["name"]: Asked(**one) for one in logged(given.log)}
    results: list[Asked] = []
    for row in rows[:: given.every]:
        found = known.get(row["name"])
        if found is None:
            found = asked(given.folder, row, given.timeout, given.jobs)
            append(given.log, found)
            print(f"  {found.name}: {found.verdict}, {found.cpu:.1f} s, {found.how}", flush=True)
        results.append(found)
    print("\n".join(report(results)))


if __name__ == "__main__":
    main()

"""The table of a comparison: answers, times, ratios to the best peer and their geometric means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from statistics import median_low

from benchmarks.verify.instances import Instance
from benchmarks.verify.tools import Answer, Result

OURS = "circ"
LONG = 5.0
"""CPU seconds of the best peer from which an instance counts as a long one."""

DECIDED = ("sat", "unsat")


@dataclass(frozen=True, slots=True)
class Row:
    """An instance, and what each tool said."""

    instance: Instance
    results: Mapping[str, Result]


def middling(results: Sequence[Result]) -> Result:
    """Of several runs the one of the middle CPU time; one whose answer differs goes before all."""
    middle = median_low(result.cpu for result in results)
    chosen = next(result for result in results if result.cpu == middle)
    return next((result for result in results if result.answer != chosen.answer), chosen)


def is_right(answer: Answer, known: str) -> bool | None:
    """Whether an answer is the known one; None where there is none, or none is known."""
    return answer == known if answer in DECIDED and known else None


def charged(result: Result, known: str, timeout: float) -> float:
    """CPU seconds, and at least the time limit where there is no answer or a wrong one."""
    solved = result.answer in DECIDED and is_right(result.answer, known) is not False
    return result.cpu if solved else max(result.cpu, timeout)


def best_peer(row: Row, timeout: float) -> float | None:
    """CPU seconds of the fastest peer; None where there are no peers."""
    others = [result for name, result in row.results.items() if name != OURS]
    known = row.instance.answer
    return min((charged(result, known, timeout) for result in others), default=None)


def ratio(row: Row, timeout: float) -> float | None:
    """Circ's CPU seconds over those of the best peer."""
    best = best_peer(row, timeout)
    if best is None:
        return None
    return charged(row.results[OURS], row.instance.answer, timeout) / best


def geometric(numbers: Iterable[float]) -> float | None:
    """The geometric mean, of any numbers at all."""
    logs = [log(x) for x in numbers]
    return exp(sum(logs) / len(logs)) if logs else None


# --- text -----------------------------------------------------------------------------------------


def table(rows: Sequence[Row], timeout: float) -> list[str]:
    """The lines of the table, and below them the totals."""
    if not rows:
        return ["no instances"]
    names = list(rows[0].results)
    certified = any(result.certified for row in rows for result in row.results.values())
    wide = max(len(row.instance.name) for row in rows)
    head = "  ".join(f"{name:>8} {'CPU s':>6} {'wall s':>6} {'MiB':>5}" for name in names)
    lines = [f"{'instance':{wide}}  {head}" + "  ratio" * (len(names) > 1)]
    lines[0] += f"  {'cert. kB':>9} {'audit s':>7}" * certified
    lines += [line(row, names, wide, timeout, certified) for row in rows]
    return [*lines, *totals(rows, names, timeout)]


def line(row: Row, names: Sequence[str], wide: int, timeout: float, certified: bool) -> str:
    """One instance."""
    cells = [cell(row.results[name], row.instance.answer) for name in names]
    text = f"{row.instance.name:{wide}}  {'  '.join(cells)}"
    found = ratio(row, timeout)
    if found is not None:
        text += f"  {found:5.2f}"
    left = row.results[OURS].certified
    if certified and left is not None:
        mark = "" if left.holds else " REJECTED"
        text += f"  {left.size / 1000:9.1f} {left.audit:7.2f}{mark}"
    return text


def cell(result: Result, known: str) -> str:
    """A tool's answer, marked where it is wrong, and what it took."""
    mark = "WRONG!" if is_right(result.answer, known) is False else result.answer
    return f"{mark:>8} {result.cpu:6.1f} {result.wall:6.1f} {result.peak:5.0f}"


def totals(rows: Sequence[Row], names: Sequence[str], timeout: float) -> list[str]:
    """For each tool how many it decided; the means of the ratios."""
    lines: list[str] = []
    for name in names:
        results = [(row.results[name], row.instance.answer) for row in rows]
        right = sum(is_right(result.answer, known) is True for result, known in results)
        wrong = sum(is_right(result.answer, known) is False for result, known in results)
        decided = sum(result.answer in DECIDED for result, _ in results)
        cpu = sum(result.cpu for result, _ in results)
        lines.append(
            f"{name}: {decided} of {len(rows)} decided, {right} right, {wrong} wrong, {cpu:.1f} s CPU"
        )
    ratios = [(ratio(row, timeout), best_peer(row, timeout)) for row in rows]
    known = [(x, best) for x, best in ratios if x is not None and best is not None]
    for text, chosen in (
        ("all", [x for x, _ in known]),
        (f"best peer over {LONG:g} s", [x for x, best in known if best > LONG]),
    ):
        mean = geometric(chosen)
        if mean is not None:
            lines.append(f"geometric mean of the ratios ({text}, {len(chosen)}): {mean:.2f}")
    return lines

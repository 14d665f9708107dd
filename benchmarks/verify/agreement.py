"""Whether branch and bound and exact SMT agree on small random claims about boxes.

    python -m benchmarks.verify.agreement N [--seed S] [--timeout 20] [--peers-python PYTHON] [--keep FOLDER]

N claims of `small.py` are decided by the engine for boxes and by z3, in one process; where Marabou is
installed in the peers' environment it is asked about networks without guards too. It computes in floats
and is asked whether the bound is reached, so that it may differ where the maximum is at the bound or near
it: its answers are counted apart. A pair of answers that contradict each other, or a false claim that is
proved, ends with exit code 1; the spec is printed, and left in FOLDER.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Literal, assert_never

from benchmarks.verify.small import Small, small
from benchmarks.verify.small_standard import standard
from benchmarks.verify.tools import Tool, peer, peers_python
from benchmarks.verify.tools import asked as put
from circ.compiler.driver import Program
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.obligation import Obligation
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.runtime.engines import boxes, smt
from circ.runtime.session import checked, settings

CLAIM = "small"
ENGINES = {"boxes": boxes.decide, "smt": smt.decide}
Said = Literal["holds", "fails", "open"]


def said(obligation: Obligation, weights: Weights, finding: Finding) -> Said:
    """What an engine's finding says of the claim; a failing input counts if it fails exactly."""
    match finding:
        case Holds() | Empty():
            return "holds"
        case Fails(witness=witness):
            exact = trial(obligation, weights, witness)
            return "fails" if exact.refutes else "open"
        case Stuck():
            return "open"
        case _:
            assert_never(finding)


def by_engines(program: Program, timeout: float, times: dict[str, float]) -> dict[str, Said]:
    """What each engine says; its CPU seconds are added to `times`."""
    asked, weights = program.question(CLAIM).at(None), program.weights
    found: dict[str, Said] = {}
    for name, decide in ENGINES.items():
        start = process_time()
        finding = decide(asked, weights, Limits(timeout=timeout), silent)
        times[name] += process_time() - start
        found[name] = said(asked, weights, finding)
    return found


def by_peer(
    tool: Tool, claim: Small, folder: Path, timeout: float, times: dict[str, float]
) -> Said | None:
    """What a peer says of the claim; None where it cannot be asked."""
    instance = standard(claim, folder)
    if instance is None:
        return None
    found = put(tool, instance, timeout)
    times[tool.name] += found.cpu
    match found.answer:
        case "unsat":
            return "holds"
        case "sat":
            return "fails"
        case "unknown" | "failed":
            return "open"
        case _:
            assert_never(found.answer)


def disagreement(claim: Small, found: dict[str, Said]) -> str | None:
    """What cannot be: a false claim that holds, or two engines that differ."""
    if claim.false and "holds" in found.values():
        return f"the claim is false: {found}"
    if {"holds", "fails"} <= set(found.values()):
        return f"they differ: {found}"
    return None


def compared(
    numbers: Sequence[int],
    timeout: float,
    folder: Path,
    tool: Tool | None,
    tell: Callable[[str], None],
) -> int:
    """Decide these claims, tell what was found; how many disagreements there are."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    times: defaultdict[str, float] = defaultdict(float)
    wrong, near = 0, 0
    for number in numbers:
        claim, spec = small(number), folder / f"small_{number}.circ"
        spec.write_text(claim.text)
        found = by_engines(checked(spec, settings((), (), False)), timeout, times)
        why = disagreement(claim, found)
        if why:
            wrong += 1
            tell(f"{spec.name} ({claim.form}): {why}\n{claim.text}")
        if tool is not None:
            answer = by_peer(tool, claim, folder, timeout, times)
            if answer is not None:
                near += "open" not in (answer, found["boxes"]) and answer != found["boxes"]
                found[tool.name] = answer
        for name, answer in found.items():
            counts[name][answer] += 1
    for name, told in counts.items():
        amounts = ", ".join(f"{told[answer]} {answer}" for answer in ("holds", "fails", "open"))
        tell(f"{name}: {amounts}, {times[name]:.1f} s CPU")
    if tool is not None:
        tell(f"{tool.name} differs from boxes on {near}")
    tell(f"{len(numbers)} claims, {wrong} disagreements")
    return wrong


def main(words: Sequence[str] | None = None) -> None:
    """Compare, and end with 1 where there is a disagreement."""
    parser = argparse.ArgumentParser(prog="benchmarks.verify.agreement")
    parser.add_argument("count", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--peers-python", metavar="PYTHON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the specs there")
    given = parser.parse_args(words)
    tool = peer("marabou", peers_python(given.peers_python))
    numbers = range(given.seed, given.seed + given.count)
    with TemporaryDirectory() as folder:
        place = given.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        wrong = compared(numbers, given.timeout, place, tool, lambda line: print(line, flush=True))
    if wrong:
        raise SystemExit(1)


if __name__ == "__main__":
    main()

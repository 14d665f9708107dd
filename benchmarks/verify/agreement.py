"""Whether branch and bound and exact SMT agree on small random claims about boxes.

    python -m benchmarks.verify.agreement N [--seed S] [--timeout 20] [--keep FOLDER] [--log FILE]

N claims of `small.py` are decided by the engine for boxes and by z3, in one process. A failing input must
fail in Circ's exact reference, and by the whole numbers of `small.py` too. What boxes prove is certified, and
the certificate audited in floats and in whole numbers. A pair of verdicts that contradict each other, a false
claim that is proved, an input that does not fail, a certificate that is refused, and an engine that raises
end with exit code 1; the spec is printed, and left in FOLDER. FILE gets a line of JSON for each claim; what
is in it already is counted, and not asked again.
"""

from __future__ import annotations

import argparse
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Literal, assert_never

from benchmarks.verify.certified import REFUSED, certified
from benchmarks.verify.log import append, logged
from benchmarks.verify.small import Small, broken, small
from circ.compiler.driver import Program
from circ.compiler.finding import Empty, Fails, Finding, Holds, Limits, Stuck, silent
from circ.compiler.obligation import Obligation, Witness
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.runtime.engines import boxes, smt
from circ.runtime.session import checked, settings

CLAIM = "small"
ENGINES = {"boxes": boxes.decide, "smt": smt.decide}
Said = Literal["holds", "fails", "open", "does not fail", "raised"]
SAID: tuple[Said, ...] = ("holds", "fails", "open", "does not fail", "raised")
BAD = frozenset({"does not fail", "raised"})


@dataclass(frozen=True, slots=True)
class Compared:
    """A claim by its seed, whether it is known to be false, and what each engine said in what time.

    `why` is what an exception said, `certificate` what became of it, where there could be one.
    """

    seed: int
    form: str
    false: bool
    said: dict[str, Said]
    seconds: dict[str, float]
    why: str = ""
    certificate: str = ""

    @property
    def wrong(self) -> str | None:
        """What cannot be, if there is anything."""
        found = set(self.said.values())
        if found & BAD:
            return f"{self.said} {self.why}"
        if self.false and "holds" in found:
            return f"the claim is false: {self.said}"
        if self.certificate.startswith(REFUSED):
            return self.certificate
        return f"they differ: {self.said}" if {"holds", "fails"} <= found else None


def compared(seed: int, folder: Path, timeout: float) -> Compared:
    """One claim, written to the folder and decided by each engine."""
    claim, spec = small(seed), folder / f"small_{seed}.circ"
    spec.write_text(claim.text)
    program = checked(spec, settings((), (), False))
    said, seconds, why = dict[str, Said](), dict[str, float](), list[str]()
    for name in ENGINES:
        start = process_time()
        try:
            said[name] = by_engine(name, claim, program, timeout)
        except Exception:  # noqa: BLE001 - whatever an engine raises is what is looked for
            said[name] = "raised"
            why.append(traceback.format_exc())
        seconds[name] = round(process_time() - start, 3)
    left = certified(program.question(CLAIM).at(None), program.weights, said["boxes"] == "holds")
    return Compared(seed, claim.form, claim.false, said, seconds, "\n".join(why), left)


def by_engine(name: str, claim: Small, program: Program, timeout: float) -> Said:
    """What an engine says."""
    asked, weights = program.question(CLAIM).at(None), program.weights
    return said_of(claim, asked, weights, ENGINES[name](asked, weights, Limits(timeout), silent))


def said_of(claim: Small, obligation: Obligation, weights: Weights, finding: Finding) -> Said:
    """What a finding says of the claim; a failing input is put to both exact arithmetics."""
    match finding:
        case Holds() | Empty():
            return "holds"
        case Fails(witness=witness):
            fails = trial(obligation, weights, witness).refutes and broken(claim, point(witness))
            return "fails" if fails else "does not fail"
        case Stuck():
            return "open"
        case _:
            assert_never(finding)


def point(witness: Witness) -> tuple[Fraction, ...]:
    """The input."""
    return tuple(Fraction(entry) for _, entries in witness.values for entry in entries)


def counted(found: Sequence[Compared]) -> Iterator[str]:
    """How often each engine said what, on false claims and on others; how long it took."""
    for name in ENGINES:
        told = Counter(one.said[name] for one in found)
        amounts = ", ".join(f"{told[said]} {said}" for said in SAID if told[said])
        yield f"{name}: {amounts}, {sum(one.seconds[name] for one in found):.1f} s CPU"
    unsure = [one for one in found if one.said["boxes"] == "open" != one.said["smt"]]
    forms = Counter(one.form for one in unsure)
    if unsure:
        yield f"open to boxes alone: {', '.join(f'{n} {form}' for form, n in forms.items())}"
    left = Counter(one.certificate for one in found if one.certificate)
    yield from (f"certificates: {count} {what}" for what, count in left.most_common())
    wrong = sum(one.wrong is not None for one in found)
    yield f"{len(found)} claims, {sum(one.false for one in found)} known to be false, {wrong} disagreements"


def asked(
    seeds: Iterable[int], folder: Path, timeout: float, log: Path | None
) -> Iterator[Compared]:
    """The claims, each as it is decided; those of the log first, as they were."""
    known = {one["seed"]: Compared(**one) for one in logged(log)}
    for seed in seeds:
        if seed in known:
            yield known[seed]
            continue
        found = compared(seed, folder, timeout)
        append(log, found)
        if found.wrong:
            print(
                f"small_{seed}.circ ({found.form}): {found.wrong}\n{small(seed).text}", flush=True
            )
        yield found


def main(words: Sequence[str] | None = None) -> None:
    """Compare, and end with 1 where there is a disagreement."""
    parser = argparse.ArgumentParser(prog="benchmarks.verify.agreement")
    parser.add_argument("count", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="leave the specs there")
    parser.add_argument("--log", type=Path, metavar="FILE", help="go on from there")
    given = parser.parse_args(words)
    seeds = range(given.seed, given.seed + given.count)
    with TemporaryDirectory() as folder:
        place = given.keep or Path(folder)
        place.mkdir(parents=True, exist_ok=True)
        found = list(asked(seeds, place, given.timeout, given.log))
    print("\n".join(counted(found)))
    if any(one.wrong for one in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

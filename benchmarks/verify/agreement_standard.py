"""Whether verifiers agree on small random problems in the standard formats, and who is right.

    python -m benchmarks.verify.agreement_standard N [--seed S] [--timeout 20] [--peers neuralsat,marabou]
        [--peers-python PYTHON] [--log FILE]

Of the claims of `small.py`, from seed S on, the first N that ONNX and VNN-LIB can say are put to every tool,
each time in a new process. Where answers differ, the input of the `sat` decides, in exact arithmetic: it
reaches the bound in the box, or `unsat` stands. Peers compute in floats, and bounds are missed by 2⁻³⁰ or
reached just so: that they differ from Circ is counted, and no fault of theirs. An answer of Circ that such an
input contradicts, an input of Circ's own that does not reach the bound (but for its last digits), and a false claim that is `unsat` end
with exit code 1.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import count, islice
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.verify.log import append, logged
from benchmarks.verify.run import tools
from benchmarks.verify.small import Small, height, small
from benchmarks.verify.small_standard import reached, standard
from benchmarks.verify.table import DECIDED, OURS
from benchmarks.verify.tools import PEERS, Tool, peers_python
from benchmarks.verify.tools import asked as put

PRINTED = 1e-12
"""What a value loses where its input is printed to 17 digits, because no decimal writes it."""


@dataclass(frozen=True, slots=True)
class Answers:
    """A problem by its seed, whether the bound is known to be reached, and each tool's answer.

    `beyond`: by how much the input of a `sat` is above the bound, None where it is outside or there is none.
    """

    seed: int
    false: bool
    answers: dict[str, str]
    beyond: dict[str, float | None]
    seconds: dict[str, float]

    @property
    def real(self) -> list[str]:
        """The tools whose inputs do reach the bound."""
        return [name for name, amount in self.beyond.items() if amount is not None and amount >= 0]

    @property
    def wrong(self) -> str | None:
        """What cannot be of Circ's answer, if there is anything."""
        ours = self.answers[OURS]
        amount = self.beyond.get(OURS)
        if ours == "sat" and (amount is None or amount < -PRINTED):
            return "its input does not reach the bound"
        if ours == "unsat" and self.real:
            return f"the input of {self.real[0]} reaches the bound"
        return "the bound is reached" if ours == "unsat" and self.false else None


def problems(seed: int, most: int) -> Iterator[tuple[int, Small]]:
    """The claims that the standard formats can say, by their seeds."""
    claims = ((k, small(k)) for k in count(seed))
    return islice(((k, claim) for k, claim in claims if reached(claim) is not None), most)


def asked(seed: int, claim: Small, among: Sequence[Tool], folder: Path, timeout: float) -> Answers:
    """Put a problem to each tool."""
    instance = standard(claim, folder)
    assert instance is not None
    found = {tool.name: put(tool, instance, timeout) for tool in among}
    return Answers(
        seed,
        claim.false,
        {name: result.answer for name, result in found.items()},
        {name: beyond(claim, r.point) for name, r in found.items() if r.answer == "sat"},
        {name: round(result.cpu, 2) for name, result in found.items()},
    )


def beyond(claim: Small, point: Sequence[Fraction]) -> float | None:
    """How far above the bound the value at a point is; None outside of the box."""
    entries = len(claim.net.guard)
    found = height(claim, point[:entries]) if len(point) >= entries else None
    return None if found is None else float(found - claim.bound)


def told(found: Sequence[Answers]) -> Iterator[str]:
    """What each tool said, and how it differs from Circ where both decide."""
    for name in found[0].answers if found else ():
        counts = Counter(one.answers[name] for one in found)
        amounts = ", ".join(f"{n} {answer}" for answer, n in sorted(counts.items()))
        real = sum(name in one.real for one in found)
        seconds = sum(one.seconds[name] for one in found)
        yield f"{name}: {amounts}; {real} inputs reach the bound exactly; {seconds:.1f} s CPU"
        for pair, n in sorted(Counter(differing(one, name) for one in found).items()):
            if pair:
                yield f"  {n}: {pair}"
    wrong = sum(one.wrong is not None for one in found)
    yield f"{len(found)} problems, {sum(one.false for one in found)} known to be sat, {wrong} wrong"


def differing(one: Answers, name: str) -> str:
    """How a tool's answer contradicts Circ's; nothing where it does not."""
    ours, theirs = one.answers[OURS], one.answers[name]
    if ours == theirs or not {ours, theirs} <= set(DECIDED):
        return ""
    settled = "an input that reaches the bound" if one.real else "no input that reaches the bound"
    return f"circ {ours}, {name} {theirs}; there is {settled}"


def main(words: Sequence[str] | None = None) -> None:
    """Compare, and end with 1 where Circ is wrong."""
    parser = argparse.ArgumentParser(prog="benchmarks.verify.agreement_standard")
    parser.add_argument("count", type=int, metavar="N")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--timeout", type=float, default=20.0, metavar="SECONDS")
    parser.add_argument("--peers", default=",".join(PEERS), metavar="NAMES")
    parser.add_argument("--peers-python", metavar="PYTHON")
    parser.add_argument("--log", type=Path, metavar="FILE", help="go on from there")
    given = parser.parse_args(words)
    among = tools(given.peers, peers_python(given.peers_python), 1)
    known = {one["seed"]: Answers(**one) for one in logged(given.log)}
    found: list[Answers] = []
    for seed, claim in problems(given.seed, given.count):
        with TemporaryDirectory() as folder:
            one = known.get(seed) or asked(seed, claim, among, Path(folder), given.timeout)
        if seed not in known:
            append(given.log, one)
        if one.wrong:
            print(f"seed {seed}: {one.wrong}\n{claim.text}", flush=True)
        found.append(one)
    print("\n".join(told(found)))
    if any(one.wrong for one in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

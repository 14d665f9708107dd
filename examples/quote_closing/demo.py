"""The whole story on one screen: check, prove, refute, patch, prove again, confirm without Circ."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from time import monotonic

from plain import sample, wrong
from safetensors.torch import load_file

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent.relative_to(ROOT)
BUILD = Path("build") / "demo"
SPEC, MODEL = HERE / "quote.circ", HERE / "model.safetensors"
PATCHED, LISTED = BUILD / "model.mend.safetensors", BUILD / "counterexamples.json"
SAMPLES = 1_000_000


def circ(*words: str, expect: int = 0) -> None:
    """Run a command as a user would; stop where it does not end as the story says."""
    print(f"\n$ circ {' '.join(words)}", flush=True)
    command = [sys.executable, "-m", "circ", *words]
    code = subprocess.run(command, check=False, cwd=ROOT).returncode
    if code != expect:
        sys.exit(f"circ ended with {code}, not {expect}")


def list_counterexamples() -> int:
    """Store every failing word that the prover lists; how many there are."""
    command = [sys.executable, "-m", "circ", "prove", str(SPEC), "wider", "--json"]
    answer = subprocess.run(command, check=False, cwd=ROOT, capture_output=True).stdout
    (claim,) = json.loads(answer)["claims"]
    words = [failing["s"] for failing in claim["failing"]]
    (ROOT / LISTED).write_text(json.dumps(words))
    return len(words)


def plainly(checkpoint: Path) -> None:
    """Run the stored counterexamples in plain PyTorch."""
    command = [str(HERE / "plain.py"), str(checkpoint), str(LISTED)]
    print(f"\n$ python {' '.join(command)}", flush=True)
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT)


def say(text: str) -> None:
    """A line of the story."""
    print(f"\n=== {text}", flush=True)


def main() -> None:
    """Tell it."""
    start = monotonic()
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    say("A spec says what the model should do, on which words, and how to mend it.")
    circ("check", str(SPEC))

    say("Every claim is decided on its whole domain, not on a sample.")
    circ("prove", str(SPEC), expect=1)

    say(f"Beside it, a sampler: {SAMPLES:,} random words of `Wide`.")
    words = sample(SAMPLES, most_quotes=3, seed=0)
    failing = words[wrong(load_file(ROOT / MODEL), words)]
    seen, listed = len(failing.unique(dim=0)), list_counterexamples()
    print(f"{len(failing)} of {SAMPLES:,} samples show the fault: {seen} different words.")
    print(f"The prover lists all {listed}, and proves that there are no others.")

    say("A patch mends it: the smallest change of one matrix, proved before it is written.")
    circ("patch", str(SPEC), "mend", "--out", str(PATCHED), "--force")

    say("On the patched file the claim that was refuted is proved.")
    circ("prove", str(SPEC), "wider", "faithful", "--checkpoint", f"m={PATCHED}")

    say("Plain PyTorch, which knows nothing of Circ, sees the same.")
    plainly(MODEL)
    plainly(PATCHED)
    print(f"\n{monotonic() - start:.0f} seconds in all.")


if __name__ == "__main__":
    main()

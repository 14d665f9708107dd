"""More words than anyone can try: refute, patch, prove on all of them, confirm without Circ."""

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
SPEC, MODEL = HERE / "max_10.circ", HERE / "model_10.safetensors"
PATCHED, LISTED = BUILD / "model_10.mend.safetensors", BUILD / "largest.json"
SAMPLES = 1_000_000


def circ(*words: str, expect: int = 0) -> None:
    """Run a command as a user would; stop where it does not end as the story says."""
    print(f"\n$ circ {' '.join(words)}", flush=True)
    command = [sys.executable, "-m", "circ", *words]
    code = subprocess.run(command, check=False, cwd=ROOT).returncode
    if code != expect:
        sys.exit(f"circ ended with {code}, not {expect}")


def list_counterexamples() -> int:
    """Store the worst word of each failing class of `Large`; how many there are."""
    command = [sys.executable, "-m", "circ", "prove", str(SPEC), "large", "--json"]
    answer = subprocess.run(command, check=False, cwd=ROOT, capture_output=True).stdout
    (claim,) = json.loads(answer)["claims"]
    words = [[int(token) for token in failing["s"]] for failing in claim["failing"]]
    (ROOT / LISTED).write_text(json.dumps(words))
    return len(words)


def plainly(checkpoint: Path, *words: str) -> None:
    """Run words through a checkpoint in plain PyTorch."""
    command = [str(HERE / "plain.py"), str(checkpoint), *words]
    print(f"\n$ python {' '.join(command)}", flush=True)
    subprocess.run([sys.executable, *command], check=True, cwd=ROOT)


def say(text: str) -> None:
    """A line of the story."""
    print(f"\n=== {text}", flush=True)


def main() -> None:
    """Tell it."""
    start = monotonic()
    (ROOT / BUILD).mkdir(parents=True, exist_ok=True)
    say("A model names the largest of ten tokens out of 64. There are 64^10 such words.")
    words = sample(SAMPLES, 10, seed=0)
    failing = int(wrong(load_file(ROOT / MODEL), words).sum())
    print(f"A million random ones show {failing} errors. The prover looks at them all:")
    circ("prove", str(SPEC), expect=1)

    say("A patch mends the words of `Large`, proved on all of them before it is written.")
    circ("patch", str(SPEC), "mend", "--out", str(PATCHED), "--force")
    circ("prove", str(SPEC), "large", "--checkpoint", f"m={PATCHED}")

    say(f"Plain PyTorch sees the same on the worst words of all {list_counterexamples()} classes.")
    plainly(MODEL, str(LISTED))
    plainly(PATCHED, str(LISTED))
    print(f"\n{monotonic() - start:.0f} seconds in all.")


if __name__ == "__main__":
    main()

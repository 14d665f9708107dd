"""Marabou's answer to a standard problem: `ask_marabou.py NETWORK PROPERTY SECONDS` prints one word.

Behind `sat` it prints the input. It needs `pip install maraboupy onnx onnxruntime`, in an environment of
its own.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any


def main(network: str, wanted: str, seconds: str) -> None:
    """Print `sat`, `unsat`, or what else Marabou says."""
    marabou: Any = import_module("maraboupy.Marabou")
    options = marabou.createOptions(timeoutInSeconds=max(1, int(float(seconds))), verbosity=0)
    net = marabou.read_onnx(network)
    code, values, _ = net.solve(propertyFilename=wanted, options=options, verbose=False)
    print(str(code).lower())
    if values:
        inputs = [int(k) for variables in net.inputVars for k in variables.flatten()]
        print("".join(f"(X_{k} {values[number]!r})" for k, number in enumerate(inputs)))


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Marabou's answer to a standard problem: `ask_marabou.py NETWORK PROPERTY SECONDS` prints one word.

It needs `pip install maraboupy onnx onnxruntime`, in an environment of its own.
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
    print(str(net.solve(propertyFilename=wanted, options=options, verbose=False)[0]).lower())


if __name__ == "__main__":
    main(*sys.argv[1:])

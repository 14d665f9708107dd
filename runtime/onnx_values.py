"""What onnxruntime computes at an input, to be shown beside the exact value; its only door."""
# onnxruntime has no type stubs; nothing untyped leaves this file.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import isfinite, prod
from pathlib import Path

import numpy as np

from circ.compiler.onnx.network import Network

DTYPES = {"F64": np.float64, "F32": np.float32, "F16": np.float16}


@dataclass(frozen=True, slots=True)
class Computed:
    """The network's outputs in a row, computed from its inputs rounded to their dtypes."""

    outputs: tuple[float, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no value."""

    reason: str


def computed(path: Path, network: Network, inputs: Sequence[Fraction]) -> Computed | Missing:
    """The outputs at an input, by onnxruntime where it is installed and runs the network."""
    try:
        import onnxruntime  # type: ignore[import-untyped]
    except ImportError:
        return Missing("onnxruntime is not installed")
    feed: dict[str, object] = {}
    start = 0
    for (name, shape), dtype in zip(network.inputs, network.dtypes, strict=True):
        if dtype not in DTYPES:
            return Missing(f"onnxruntime was given no {dtype}")
        part = inputs[start : start + prod(shape)]
        start += prod(shape)
        feed[name] = np.array([float(x) for x in part], DTYPES[dtype]).reshape(shape)
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        found = session.run(None, feed)
    except Exception as error:  # noqa: BLE001  (the library raises classes of its own)
        return Missing(f"onnxruntime does not run it: {str(error).splitlines()[0]}")
    flat = [float(x) for part in found for x in np.asarray(part, np.float64).ravel()]
    if not all(map(isfinite, flat)):
        return Missing("onnxruntime computes no finite number")
    return Computed(tuple(flat), str(onnxruntime.__version__))

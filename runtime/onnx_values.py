"""What onnxruntime computes with a network, to be held against its reading and shown beside it; its only door."""
# onnxruntime has no type stubs; nothing untyped leaves this file.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false
# pyright: reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from circ.compiler.onnx.network import Network

DTYPES = {
    "F64": np.float64,
    "F32": np.float32,
    "F16": np.float16,
    "I64": np.int64,
    "I32": np.int32,
}

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Computed:
    """The network's outputs in a row, computed from its inputs rounded to their dtypes."""

    outputs: tuple[float, ...]
    version: str


@dataclass(frozen=True, slots=True)
class Missing:
    """Why there is no value."""

    reason: str


@dataclass(frozen=True, slots=True)
class Runtime:
    """A network that onnxruntime has opened."""

    path: Path
    network: Network
    version: str
    session: Any = field(repr=False)

    def at(self, points: Mapping[str, Floats]) -> dict[str, Floats] | Missing:
        """The outputs at points, whose axis is the last one of inputs and of outputs."""
        return run(self.session, [name for name, _ in self.network.outputs], self.feeds(points))

    def inside(
        self, names: Sequence[str], points: Mapping[str, Floats]
    ) -> dict[str, Floats] | Missing:
        """Values inside at points; missing where the network is not opened once more, telling these."""
        from circ.compiler.onnx.written import with_values

        session = session_of(with_values(self.path.read_bytes(), names))
        return session if isinstance(session, Missing) else run(session, names, self.feeds(points))

    def feeds(self, points: Mapping[str, Floats]) -> list[dict[str, object]]:
        """What onnxruntime is given at each point."""
        count = next(iter(points.values())).shape[-1]
        kinds = zip(self.network.inputs, self.network.dtypes, strict=True)
        dtypes = {name: DTYPES[dtype] for (name, _), dtype in kinds}
        return [
            {name: np.ascontiguousarray(x[..., k], dtypes[name]) for name, x in points.items()}
            for k in range(count)
        ]


def opened(path: Path | None, network: Network) -> Runtime | Missing:
    """The network as onnxruntime has it, where it is installed and opens the file."""
    if path is None:
        return Missing("it is in no file")
    if any(dtype not in DTYPES for dtype in network.dtypes):
        return Missing("its inputs are of a format that onnxruntime is not given")
    session = session_of(str(path))
    if isinstance(session, Missing):
        return session
    import onnxruntime  # type: ignore[import-untyped]

    return Runtime(path, network, str(onnxruntime.__version__), session)


def session_of(file: str | bytes) -> Any | Missing:
    """A session of onnxruntime, on one thread and silent."""
    try:
        import onnxruntime
    except ImportError:
        return Missing("onnxruntime is not installed")
    try:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 4
        options.intra_op_num_threads = 1
        return onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # noqa: BLE001  (the library raises classes of its own)
        return Missing(f"onnxruntime does not run it: {first_line(error)}")


def run(
    session: Any, names: Sequence[str], feeds: Sequence[dict[str, object]]
) -> dict[str, Floats] | Missing:
    """Values by name at each point, which are the last axis."""
    try:
        rows = [session.run([*names], feed) for feed in feeds]
    except Exception as error:  # noqa: BLE001  (the library raises classes of its own)
        return Missing(f"onnxruntime does not run it: {first_line(error)}")
    return {
        name: np.stack([np.asarray(row[k], np.float64) for row in rows], axis=-1)
        for k, name in enumerate(names)
    }


def first_line(error: Exception) -> str:
    """What an exception says, in a line."""
    return (str(error).splitlines() or [type(error).__name__])[0]


def computed(path: Path, network: Network, inputs: Sequence[Fraction]) -> Computed | Missing:
    """The outputs at an input, by onnxruntime where it is installed and runs the network."""
    runtime = opened(path, network)
    if isinstance(runtime, Missing):
        return runtime
    points: dict[str, Floats] = {}
    start = 0
    for name, shape in network.inputs:
        part = inputs[start : start + prod(shape)]
        start += prod(shape)
        points[name] = np.array([float(x) for x in part], np.float64).reshape(*shape, 1)
    found = runtime.at(points)
    if isinstance(found, Missing):
        return found
    flat = [float(x) for part in found.values() for x in part.ravel()]
    if not all(map(isfinite, flat)):
        return Missing("onnxruntime computes no finite number")
    return Computed(tuple(flat), runtime.version)

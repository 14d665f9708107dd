"""The place that a name of a device stands for; only another than the processor loads torch."""

from __future__ import annotations

from circ.compiler.boxes.place import HOST, Place


def place_named(name: str) -> Place:
    """Where bounds are computed; `ValueError` where there is no such device, or none to trust."""
    if name == "cpu":
        return HOST
    from circ.runtime.device import device

    return device(name)

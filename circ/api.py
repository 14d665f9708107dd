"""The Python API: a module handed over as a network, and a spec that is asked."""

from __future__ import annotations

from circ.lang.diagnostic import CircError
from circ.runtime.loading import Outcome, Spec, load
from circ.runtime.networks import HandedOver, network

__all__ = ["CircError", "HandedOver", "Outcome", "Spec", "load", "network"]

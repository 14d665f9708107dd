"""Circ: a typed language for circuits inside neural networks, and proofs about them.

`circ.network` hands a module of PyTorch over, `circ.load` opens a spec; both come with `circ.api` when they
are first asked for, so that the command starts without PyTorch.
"""

from __future__ import annotations

from importlib import import_module

NAMES = ("CircError", "HandedOver", "Outcome", "Spec", "load", "network")


def __getattr__(name: str) -> object:
    """What `circ.api` has of this name."""
    if name not in NAMES:
        raise AttributeError(f"module 'circ' has no attribute {name!r}")
    return getattr(import_module("circ.api"), name)


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext circ`: have `%circ` and `%%circ` ask Circ; the argument is IPython's shell."""
    from circ.runtime.notebook import extend, is_shell

    if is_shell(ipython):
        extend(ipython)

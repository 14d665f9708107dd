"""Circ: a typed language for circuits inside neural networks, and proofs about them."""

from __future__ import annotations


def load_ipython_extension(ipython: object) -> None:
    """`%load_ext circ`: have `%circ` and `%%circ` ask Circ; the argument is IPython's shell."""
    from circ.runtime.notebook import extend, is_shell

    if is_shell(ipython):
        extend(ipython)

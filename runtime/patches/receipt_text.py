"""What a receipt says that a patch is about, in words."""

from __future__ import annotations

from circ.runtime.patches.receipt import Receipt
from circ.runtime.report import Line

SHORT = 16
"""Digits of a SHA-256 that are shown."""


def asked_lines(receipt: Receipt) -> list[Line]:
    """The texts that say what was asked, and the params they were read with."""
    texts = [("of", receipt.spec), *(("using", mark) for mark in receipt.used)]
    told = [f"{word} {mark.path}  {short(mark.sha256)}" for word, mark in texts]
    if receipt.params:
        told.append(f"with {', '.join(f'{name} = {v}' for name, v in receipt.params.items())}")
    return [Line("plain", f"    {text}") for text in told]


def short(digest: str) -> str:
    """The start of a SHA-256."""
    return f"{digest[:SHORT]}…"

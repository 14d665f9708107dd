"""Names that may stand once each."""

from __future__ import annotations

from collections.abc import Iterable

from circ.lang.check.context import Context
from circ.lang.errors.names import duplicate
from circ.lang.syntax import Name


def check_once(names: Iterable[Name], ctx: Context) -> None:
    """No name stands twice."""
    firsts: dict[str, Name] = {}
    for name in names:
        first = firsts.setdefault(name.text, name)
        if first is not name:
            ctx.error(duplicate(name, first.span))

"""Names, strings, numbers and comments as Python text, whatever a spec or a checkpoint calls them.

All that a written module has of a spec goes through here: a name becomes an identifier of letters,
digits and underscores, a string a literal without a quote or a backslash of its own, and a comment
one line of what can be printed.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from math import isfinite

import numpy as np

WIDTH = 96
"""Columns that a line of a written module has, if it can be broken."""

OTHER = re.compile(r"[^A-Za-z0-9_]+")


@dataclass(slots=True)
class Names:
    """Identifiers that are given once; those `taken` are not given at all."""

    taken: set[str] = field(default_factory=set[str])

    def new(self, wanted: str) -> str:
        """An identifier that is like `wanted`, with a number behind it where that is taken."""
        first = identifier(wanted)
        found, number = first, 2
        while found in self.taken:
            found, number = f"{first}_{number}", number + 1
        self.taken.add(found)
        return found


def identifier(text: str) -> str:
    """A Python identifier that is no keyword, of letters, digits and underscores of ASCII."""
    name = OTHER.sub("_", text).strip("_") or "value"
    name = f"t{name}" if name[0].isdigit() else name
    return f"{name}_" if keyword.iskeyword(name) or keyword.issoftkeyword(name) else name


def quoted(text: str) -> str:
    """A string literal in double quotes, which holds what can be printed as it is."""
    return f'"{"".join(map(escaped, text))}"'


def escaped(char: str) -> str:
    """A character within a string literal."""
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()


def comment(text: str) -> str:
    """A comment, on one line whatever the text holds."""
    plain = " ".join(text.split())
    return f"# {''.join(c if c.isprintable() else '?' for c in plain)}".rstrip()


def comments(text: str) -> list[str]:
    """A comment for each line of a text."""
    return [comment(line) for line in text.split("\n")] if text.strip() else []


def number(value: float | bool) -> str:
    """A number or a truth, exactly."""
    if isinstance(value, float) and not isfinite(value):
        return f'float("{value}")'
    return repr(value)


def spelled(value: float, dtype: str) -> float:
    """A number that PyTorch rounds to `value`, which is of this dtype: the shortest there is, in float32.

    What a tensor is multiplied by is rounded to float32 at most, so that others are written in full.
    """
    short = float(str(np.float32(value))) if dtype == "F32" else value
    return short if float(np.float32(short)) == value else value


def listed(entries: Sequence[float | int | bool]) -> str:
    """Entries as an expression: a repetition or a range where they are one, else one by one."""
    texts = [*map(number, entries)]
    if len(texts) > 3 and len(set(texts)) == 1:
        return f"[{texts[0]}] * {len(texts)}"
    if len(texts) > 3 and all(type(entry) is int for entry in entries):
        step = int(entries[1]) - int(entries[0])
        span = range(int(entries[0]), int(entries[0]) + step * len(entries), step or 1)
        if step and [*span] == [*entries]:
            return f"list(range({span.start}, {span.stop}{f', {step}' if step != 1 else ''}))"
    return f"[{', '.join(texts)}]"


def sides(shape: Iterable[int]) -> str:
    """A shape as the rest of an argument list."""
    return "".join(f", {side}" for side in shape)


def shape_text(shape: Sequence[int], *, batched: bool) -> str:
    """A shape with its batch, for a comment."""
    return f"({', '.join(['batch' if batched else '1', *map(str, shape)])})"

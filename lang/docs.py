"""Documentation: the `##` lines of a text, and what they belong to.

The unbroken block of `##` lines right above an item is the item's. The first block of a file,
unless it is an item's, is the module's: a blank line follows it, or a `use`.
Every other comment is for readers of the source alone.
"""

from __future__ import annotations

import re

from circ.lang.span import Source, Span

DOC_LINE = re.compile(r"[ \t]*##(?!#) ?(.*)")
OTHER_LINE = re.compile(r"[ \t\r]*(#.*)?")
UNDOCUMENTED_ITEM = re.compile(r"[ \t]*use\b")


def doc_above(item: Span) -> str:
    """The documentation of what starts at the start of `item`."""
    first, column = item.source.position(item.start)
    if item.source.line(first)[: column - 1].strip():
        return ""
    block: list[str] = []
    for number in range(first - 1, item.source.first - 1, -1):
        line = DOC_LINE.fullmatch(item.source.line(number))
        if line is None:
            break
        block.append(line[1].rstrip())
    return "\n".join(reversed(block)).strip("\n")


def module_doc(source: Source) -> str:
    """The documentation of the whole text."""
    block: list[str] = []
    for line in source.text.split("\n"):
        doc = DOC_LINE.fullmatch(line)
        if doc is not None:
            block.append(doc[1].rstrip())
        elif block:
            alone = OTHER_LINE.fullmatch(line) or UNDOCUMENTED_ITEM.match(line)
            return "\n".join(block).strip("\n") if alone else ""
        elif not OTHER_LINE.fullmatch(line):
            return ""
    return "\n".join(block).strip("\n")

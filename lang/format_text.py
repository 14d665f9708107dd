"""A text in its canonical form, its comments kept.

Each comment stays with its item: above it, at the end of one of its lines, or directly below it. What
stands apart at the top of a text stays there. A result is given away only if it reads back as the same
module, with the same comments.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from circ.lang.comments import Gap, carried, gap, said
from circ.lang.diagnostic import Diagnostics
from circ.lang.docs import DOC_LINE
from circ.lang.format import format_module, layouts, use
from circ.lang.format_columns import comments_in_columns, in_columns
from circ.lang.format_expressions import STEP
from circ.lang.parser import parse
from circ.lang.span import Source
from circ.lang.syntax import Item, Module, Use

Groups = tuple[tuple[str, ...], ...]
"""Comments with blank lines between them."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A `use` or an item in its canonical text, with the comments around it.

    `above` are groups of lines, the last of them `attached` or not; `beside` and `below` follow it.
    """

    item: Item | Use
    text: str
    above: Groups
    attached: bool
    beside: str
    below: tuple[str, ...]

    close: bool
    """Whether no blank line stands above it in its source."""

    @property
    def short(self) -> bool:
        """Whether it takes one line, so that others of its kind may follow on the next."""
        return "\n" not in self.text


class CommentsLost(Exception):
    """A canonical text that does not say what its source says: a bug in Circ."""


def format_text(source: Source, module: Module) -> str:
    """The canonical text of a source that was read, without errors, as `module`.

    What is used comes first, unless `##` lines would then document something else. Raises
    `CommentsLost` rather than give away a text that says less.
    """
    head, entries, foot = taken_apart(source, module)
    by_kind = sorted(entries, key=lambda entry: not isinstance(entry.item, Use))
    for order in (by_kind, entries):
        text = comments_in_columns("".join(written(head, [*evened(order)], foot)))
        if keeps(text, source, module):
            return text
    raise CommentsLost(source.name)


def keeps(text: str, source: Source, module: Module) -> bool:
    """Whether a text reads as `module`, and has every comment of its source."""
    found = Diagnostics()
    again = parse(Source(source.name, text, source.key), found)
    same = not found.failed and format_module(again) == format_module(module)
    return same and sorted(said(text)) == sorted(said(source.text))


# --- taking apart ------------------------------------------------------------------------------


def taken_apart(source: Source, module: Module) -> tuple[Groups, list[Entry], Groups]:
    """The entries in source order, between the comments at the top and at the end of no item."""
    nodes = sorted((*module.uses, *module.items), key=lambda node: node.span.start)
    starts = [*(node.span.start for node in nodes), len(source.text)]
    ends = [0, *(node.span.end for node in nodes)]
    gaps = [
        gap(source.text, end, start, first=at == 0)
        for at, (end, start) in enumerate(zip(ends, starts, strict=True))
    ]
    split = len(gaps[0].groups) - gaps[0].attached
    head, gaps[0] = gaps[0].groups[:split], replace(gaps[0], groups=gaps[0].groups[split:])
    around = zip(nodes, pairwise(gaps), strict=True)
    return head, [entry(node, before, after) for node, (before, after) in around], rest(gaps[-1])


def entry(node: Item | Use, before: Gap, after: Gap) -> Entry:
    """One item with the comments that belong to it."""
    canonical = [use(node)] if isinstance(node, Use) else [*layouts(node)]
    text = carried(node.span, canonical, STEP)
    above = rest(before)
    loose = isinstance(node, Use) and bool(above) and all(map(DOC_LINE.fullmatch, above[-1]))
    below = after.groups[0] if taken_by_upper(after) else ()
    attached = before.attached and not loose
    return Entry(node, text, above, attached, after.beside, below, before.close)


def rest(between: Gap) -> Groups:
    """The groups of a gap that do not belong to the item above it."""
    return between.groups[1:] if taken_by_upper(between) else between.groups


def taken_by_upper(between: Gap) -> bool:
    """Whether the first group of a gap belongs to the item above: one below has the first claim."""
    return between.below and (len(between.groups) > 1 or not between.attached)


# --- writing -----------------------------------------------------------------------------------


def written(head: Groups, entries: Sequence[Entry], foot: Groups) -> Iterator[str]:
    """The canonical text in pieces."""
    yield "\n".join(map(lines, head))
    above: Entry | None = None
    for at in entries:
        apart = bool(head) if above is None else not together(above, at)
        yield "\n" if apart else ""
        yield from leading(at)
        yield f"{at.text}  {at.beside}\n" if at.beside else f"{at.text}\n"
        yield lines(at.below)
        above = at
    yield from (f"\n{lines(group)}" for group in foot)


def leading(at: Entry) -> Iterator[str]:
    """The comments above an item."""
    for number, group in enumerate(at.above, start=1):
        yield lines(group)
        yield "" if at.attached and number == len(at.above) else "\n"


def lines(group: Sequence[str]) -> str:
    """Lines with their line breaks."""
    return "".join(f"{line}\n" for line in group)


def together(above: Entry, at: Entry) -> bool:
    """Whether no blank line stands between two items."""
    if at.above or above.below:
        return False
    if isinstance(above.item, Use) or isinstance(at.item, Use):
        return isinstance(above.item, Use) and isinstance(at.item, Use)
    return type(above.item) is type(at.item) and above.short and at.short and at.close


def evened(entries: Sequence[Entry]) -> Iterator[Entry]:
    """The entries, those with no line between them in columns."""
    group: list[Entry] = []
    for at in entries:
        if group and not together(group[-1], at):
            yield from columns(group)
            group = []
        group.append(at)
    yield from columns(group)


def columns(group: Sequence[Entry]) -> Iterator[Entry]:
    """The entries of a group with their values beneath each other."""
    items = [at.item for at in group if not isinstance(at.item, Use)]
    if len(items) < len(group) or len(items) < 2:
        yield from group
        return
    texts = in_columns(items, [at.text for at in group])
    yield from (replace(at, text=text) for at, text in zip(group, texts, strict=True))

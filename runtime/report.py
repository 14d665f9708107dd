"""Verdicts as lines of plain text: what was found, how, what is trusted, and the input that shows it.

Each line is a pair of a style and a text; the terminal colours by style, tests read the text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Literal, assert_never

from circ.compiler.obligation import Obligation, Quantity, Witness, Words
from circ.compiler.verdict import (
    ByLength,
    Counted,
    Example,
    Proved,
    Refuted,
    Replay,
    Size,
    Straying,
    Unknown,
    Vacuous,
    Verdict,
    outcome,
)
from circ.runtime.certificates.folder import Certified, Uncertified
from circ.runtime.exits import Exit, exit_of
from circ.runtime.show import above, decimal_text, member_text, printable, tensor_text

Style = Literal["good", "bad", "doubt", "plain", "faint"]

LISTED = 5
"""Failing inputs shown without being asked for more."""

MOST_SPANS = 6
"""Runs of lengths that are told one by one."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line and how it is meant.

    Names in it may come from files: whatever is told of them, a terminal finds nothing to obey.
    """

    style: Style
    text: str

    def __post_init__(self) -> None:
        """Show what cannot be printed as such."""
        object.__setattr__(self, "text", printable(self.text))


def verdict_lines(
    obligation: Obligation,
    verdict: Verdict,
    seconds: float | None = None,
    listed: int = LISTED,
    first: float | None = None,
) -> list[Line]:
    """A verdict for a reader; one from the cache took `first` seconds when it was decided."""
    return [
        headline(obligation, verdict, seconds, first),
        *map(indented, details(obligation, verdict, listed)),
    ]


def certificate_lines(left: Certified | Uncertified | None, seconds: float) -> list[Line]:
    """Where the certificate of a claim is and how large, or why there is none; and the time it took."""
    took = f"  ({seconds:.1f} s)"
    match left:
        case None:
            return []
        case Certified(paths=(path,), size=size):
            return [Line("plain", f"    certificate: {path}  ({size:,} bytes){took}")]
        case Certified(paths=paths, size=size):
            where = f"{len(paths)} files, {paths[0]} to {paths[-1].name}"
            return [Line("plain", f"    certificates: {where}  ({size:,} bytes){took}")]
        case Uncertified(reason=reason):
            return [Line("doubt", f"    no certificate: {reason}{took}")]
        case _:
            assert_never(left)


def repro_lines(paths: Sequence[Path], otherwise: Sequence[Path]) -> list[Line]:
    """Where the files are that replay witnesses, and in which of them PyTorch comes to something else."""
    if not paths:
        return []
    several = f"{len(paths)} files, {paths[0]} to {paths[-1].name}"
    told = f"    replayed with PyTorch alone by {paths[0] if len(paths) == 1 else several}"
    if paths == otherwise and len(paths) == 1:
        return [Line("doubt", f"{told}, which finds otherwise")]
    return [
        Line("plain", told),
        *(Line("doubt", f"    {path} finds otherwise") for path in otherwise),
    ]


def headline(
    obligation: Obligation, verdict: Verdict, seconds: float | None, first: float | None
) -> Line:
    """The claim, its verdict in one word, and how long it took."""
    code = exit_of(obligation.expects, verdict)
    word: str = outcome(verdict)
    if obligation.expects == "refuted" and word in ("proved", "refuted"):
        word = f"{word}, as expected" if code == Exit.AS_CLAIMED else f"{word}, expected refuted"
    took = "" if seconds is None else f"  ({seconds:.1f} s)"
    if first is not None:
        took = f"  (from the cache, first decided in {first:.1f} s)"
    return Line(style_of(code), f"{mark(code)} {obligation.name}: {word}{took}")


def style_of(code: Exit) -> Style:
    """Good is as claimed, bad is refuted, anything else is doubt."""
    if code == Exit.AS_CLAIMED:
        return "good"
    return "bad" if code == Exit.REFUTED else "doubt"


def mark(code: Exit) -> str:
    """A sign that reads without colour."""
    if code == Exit.AS_CLAIMED:
        return "✓"
    return "✗" if code == Exit.REFUTED else "?"


def indented(line: Line) -> Line:
    """A detail below its headline."""
    return Line(line.style, f"    {line.text}")


def details(obligation: Obligation, verdict: Verdict, listed: int) -> Iterator[Line]:
    """The evidence."""
    if verdict.lengths is not None:
        yield Line("plain", lengths_text(obligation, verdict.lengths))
    if obligation.quantities and not isinstance(verdict, Vacuous):
        yield from count_lines(obligation.quantities, verdict.counts)
    match verdict:
        case Proved() if verdict.counts:
            yield Line("faint", f"trusted: {', '.join(verdict.trusted)}")
            yield from warned(verdict.warnings)
        case Proved():
            where = "found" if verdict.example else f"on {size_text(verdict.size)},"
            yield Line("plain", f"{where} by {verdict.method}")
            yield Line("faint", f"trusted: {', '.join(verdict.trusted)}")
            yield from closeness(obligation, verdict)
            yield from straying_lines(obligation, verdict.rounding)
            if verdict.example is not None:
                yield from example_lines(obligation, verdict.example)
            yield from warned(verdict.warnings)
        case Refuted():
            yield from refuted_lines(obligation, verdict, listed)
        case Vacuous(reason=reason, method=method):
            yield Line("plain", f"{reason}, by {method}")
        case Unknown():
            yield from unknown_lines(obligation, verdict)
        case _:
            assert_never(verdict)


def lengths_text(obligation: Obligation, found: ByLength) -> str:
    """Which lengths of the word decide, and what is known of the others."""
    universal = obligation.quantifier == "forall"
    held = "proved at" if universal else "met by no word at"
    told = [
        f"{words} {counted_lengths(lengths, onwards)}"
        for words, lengths, onwards in (
            (held, found.held, found.onwards),
            ("no word to speak of at", found.vacuous, None),
            ("undecided at", found.open, None),
        )
        if lengths or onwards
    ]
    if found.none_from is not None:
        told.append(f"no word of {found.none_from} letters or more")
    if found.at is not None and found.at not in found.open:
        told.insert(0, f"{'fails' if universal else 'met'} at length {found.at}")
    return "; ".join(told)


def counted_lengths(lengths: Sequence[int], onwards: int | None = None) -> str:
    """`length 3`, `lengths 1 to 12, 14`, `every length from 2 on`."""
    spans = list(runs(lengths))
    if onwards is not None and spans and spans[-1][1] == onwards - 1:
        onwards = spans.pop()[0]
    told = [spelt_out(spans)] if spans else []
    return " and ".join([*told, *([] if onwards is None else [f"every length from {onwards} on"])])


def spelt_out(spans: Sequence[tuple[int, int]]) -> str:
    """`length 3`, `lengths 1 to 12, 14`, or how many there are."""
    if len(spans) > MOST_SPANS:
        count = sum(b - a + 1 for a, b in spans)
        return f"{count} lengths from {spans[0][0]} to {spans[-1][1]}"
    known = ", ".join(f"{a}" if a == b else f"{a} to {b}" for a, b in spans)
    several = len(spans) > 1 or spans[0][0] < spans[0][1]
    return f"{'lengths' if several else 'length'} {known}"


def runs(lengths: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Ascending lengths as first and last of each unbroken run."""
    breaks = [k + 1 for k, (a, b) in enumerate(pairwise(lengths)) if b != a + 1]
    for start, stop in pairwise([0, *breaks, len(lengths)]):
        if start < stop:
            yield lengths[start], lengths[stop - 1]


def count_lines(quantities: Sequence[Quantity], counts: Sequence[Counted]) -> Iterator[Line]:
    """Numbers of inputs, each with how it was found, and why it is not one number where it is not."""
    for quantity, known in zip(quantities, counts, strict=True):
        name = quantity.text
        yield Line("plain", f"{name} = {number_text(known)}, by {known.method}")
        if known.reason:
            yield Line("doubt", f"  {known.reason}")
        if known.hint:
            yield Line("plain", f"  try: {known.hint}")


def number_text(known: Counted) -> str:
    """The number, or what it lies between, and how many inputs there are."""
    whole = "" if known.size in (None, known.low) else f" of {known.size:,}"
    many = f"{known.low:,}" if known.exact else f"{known.low:,} to {known.high:,}"
    return f"{many}{whole}"


def size_text(size: Size) -> str:
    """How large a domain is."""
    if size.exact is None:
        several = "s" * (size.dimensions != 1)
        return (
            f"a domain of {size.dimensions} dimension{several}"
            if size.dimensions
            else "every input of its domain"
        )
    return "its one input" if size.exact == 1 else f"all {size.exact:,} inputs"


def decided_text(size: Size) -> str:
    """That all of a domain was gone through."""
    several = size.exact is not None and size.exact != 1
    return f"{size_text(size)} {'were' if several else 'was'} decided"


def closeness(obligation: Obligation, verdict: Proved) -> Iterator[Line]:
    """The least margin, and where it is; or a bound on it."""
    if verdict.margin is not None:
        at_least = "" if verdict.closest else "at least "
        yield Line("plain", f"least margin: {at_least}{verdict.margin:.6g}")
    if verdict.margin is not None and verdict.closest is not None:
        yield from (
            Line("faint", f"at {text}") for text in witness_lines(obligation, verdict.closest)
        )


def straying_lines(obligation: Obligation, rounding: Straying | None) -> Iterator[Line]:
    """How far float executions stray on the domain, and whether they meet the claim."""
    if rounding is None:
        return
    name = rounding.format
    bound = {text: most for text, most in rounding.most if most < inf}
    some = [f"{above(most)} in {text}" for text, most in bound.items() if most > 0]
    told = [f"strays at most {', '.join(some)}"] if some else []
    if bound and not some:
        told.append(f"does not stray in {', '.join(bound)}")
    told += [f"keeps {text}" for text in rounding.kept]
    if not rounding.meets:
        told += [f"may decide {text} otherwise" for text in rounding.changed]
    if told:
        yield Line("plain", f"{name} execution {'; '.join(told)} ({rounding.model})")
    loose = [text for text, most in rounding.most if most == inf]
    if loose:
        why = f": {rounding.reason}" if rounding.reason else ""
        yield Line("doubt", f"in {name} there is no bound on {', '.join(loose)}{why}")
    if rounding.meets and obligation.over is None:
        yield Line("plain", f"so every {name} execution meets it too")


def refuted_lines(obligation: Obligation, verdict: Refuted, listed: int) -> Iterator[Line]:
    """How many inputs fail, the first of them replayed, and some more."""
    if verdict.counts:
        yield Line("faint", f"trusted: {', '.join(verdict.trusted)}")
    elif obligation.quantifier == "exists" and verdict.example is None:
        yield Line("plain", f"no input meets it: {size_text(verdict.size)}, by {verdict.method}")
        yield Line("faint", f"trusted: {', '.join(verdict.trusted)}")
    elif verdict.count is not None and verdict.size.exact is not None:
        yield Line(
            "plain",
            f"fails on {verdict.count:,} of {verdict.size.exact:,} inputs, by {verdict.method}",
        )
    elif verdict.classes is not None:
        failing, all_of_them = verdict.classes
        classes = f"fails in {failing:,} of {all_of_them:,} classes of words"
        yield Line("plain", f"{classes}, one word of each listed, by {verdict.method}")
        if verdict.size.exact is not None:
            where = "in all" if verdict.lengths is None else "of that length"
            yield Line("plain", f"there are {verdict.size.exact:,} words {where}")
    elif len(verdict.failing) > 1:
        least = f"fails on at least {len(verdict.failing):,} inputs; not all were looked at"
        yield Line("plain", f"{least}, by {verdict.method}")
    else:
        yield Line("plain", f"by {verdict.method}")
    if verdict.example is not None:
        yield from example_lines(obligation, verdict.example)
        yield from more_failing(obligation, verdict, listed)
    yield from warned(verdict.warnings)


def more_failing(obligation: Obligation, verdict: Refuted, listed: int) -> Iterator[Line]:
    """The rest of the list, cut off, and how much of it was replayed."""
    others = [w for w in verdict.failing if verdict.example is None or w != verdict.example.witness]
    for witness in others[:listed]:
        yield from (Line("faint", f"also {text}") for text in witness_lines(obligation, witness))
    if len(others) > listed:
        yield Line("faint", f"and {len(others) - listed:,} more (`--list N` shows N, `--json` all)")
    if len(verdict.failing) > 1:
        told = f"of {len(verdict.failing):,} listed, {verdict.replayed:,} were replayed exactly"
        yield Line("plain", f"{told}; PyTorch reproduces {verdict.reproduced:,}")


def example_lines(obligation: Obligation, example: Example) -> Iterator[Line]:
    """An input, and what exact arithmetic and PyTorch make of it."""
    yield from (Line("plain", text) for text in witness_lines(obligation, example.witness))
    for shown in example.replay.shown:
        yield Line("plain", f"  {shown.name} = {shown.exact}   (PyTorch: {shown.torch})")
    where = "at the checkpoint's dtype" if obligation.circuit.weights else "in float64"
    yield from replay_lines(example.replay, where, obligation.over)


def replay_lines(replay: Replay, where: str, over: str | None = None) -> Iterator[Line]:
    """The margin there, and whether PyTorch agrees; `where` says what it computes in."""
    if replay.violation is not None:
        yield Line("plain", f"  margin there: {decimal_text(replay.violation, 8)}")
    if replay.tie:
        yield Line("doubt", "  it needs a tie between equal scores to be broken this way")
    if replay.torch != replay.exact:
        why = disagreement(replay)
        if over is None:
            yield Line("doubt", f"  PyTorch, {where}, says otherwise: {why}")
        else:
            yield Line("plain", f"  of exact numbers it holds there; in {over}, {why}")
        if replay.deviation is not None:
            told = f"its rounding can move the margin there by up to {replay.deviation:.3g}"
            yield Line("doubt", f"  {told}")


def disagreement(replay: Replay) -> str:
    """Why PyTorch comes to another outcome."""
    if replay.tie:
        return "it breaks a tie by taking the first"
    return "the input is rounded to the dtype" if replay.rounded else "rounding decides there"


def unknown_lines(obligation: Obligation, verdict: Unknown) -> Iterator[Line]:
    """What stopped it, what was reached, and what to try."""
    yield Line("plain", f"{verdict.reason}")
    if verdict.bound is not None:
        yield Line("plain", f"best bound: {verdict.bound:.6g}")
    if verdict.hardest is not None:
        yield from (
            Line("faint", f"hardest: {t}") for t in witness_lines(obligation, verdict.hardest)
        )
    if verdict.hint:
        yield Line("plain", f"try: {verdict.hint}")


def warned(warnings: tuple[str, ...]) -> Iterator[Line]:
    """Warnings stand last."""
    yield from (Line("doubt", f"warning: {text}") for text in warnings)


def witness_lines(obligation: Obligation, witness: Witness) -> list[str]:
    """`s = [single, letter, …]`, a line a binder."""
    lines: list[str] = []
    for bound in obligation.binders:
        values = witness[bound.name]
        match bound.values:
            case Words(rows=data) if data:
                lines.append(f"{bound.name} = row {values[0]} of {data}")
                continue
            case Words(members=members):
                entries = [member_text(members[int(code)]) for code in values]
            case _:
                entries = [decimal_text(Fraction(value), 9) for value in values]
        lines.append(f"{bound.name} = {tensor_text(entries, bound.type.shape)}")
    return lines

"""What an audit finds of a claim: that its certificate holds, or why not, as lines and as data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from circ.compiler.audit.audit import Audited
from circ.compiler.audit.rejected import Rejected
from circ.runtime.certificates.auditing import RejectedFile
from circ.runtime.report import Line

TRUSTED = ("the front end", "Python's whole numbers and fractions")
TRUSTED_FAST = (*TRUSTED, "IEEE arithmetic of numpy")
ALIKE = "that all positions are treated alike"
"""At all lengths at once."""


@dataclass(frozen=True, slots=True)
class Refused:
    """The first reason why a claim's certificates do not hold, and the file that it is about."""

    reason: str
    path: Path | None


def outcome_of(check: Callable[[], Audited]) -> Audited | Refused:
    """What a check finds proved, or why not."""
    try:
        return check()
    except RejectedFile as reason:
        return Refused(str(reason), reason.path)
    except Rejected as reason:
        return Refused(str(reason), None)


def trusted(outcome: Audited | Refused, exact: bool) -> tuple[str, ...]:
    """What has to be right for an audit to be right, besides the audit itself."""
    known = TRUSTED if exact else TRUSTED_FAST
    alike = isinstance(outcome, Audited) and outcome.alike
    return (known[0], ALIKE, *known[1:]) if alike else known


def outcome_lines(
    name: str,
    outcome: Audited | Refused,
    exact: bool,
    seconds: float,
    again: str,
    advice: str = "prove the claim again",
) -> list[Line]:
    """The outcome for a reader; `again` is the command that follows the advice."""
    if isinstance(outcome, Refused):
        where = "" if outcome.path is None else f"{outcome.path}: "
        return [
            Line("bad", f"✗ {name}: rejected  ({seconds:.1f} s)"),
            Line("plain", f"    {where}{outcome.reason}"),
            Line("plain", f"    try: {advice}, with `{again}`"),
        ]
    holds = "the certificate holds" + (" at every length" if outcome.alike else "")
    return [
        Line("good", f"✓ {name}: {holds}  ({seconds:.1f} s)"),
        Line("plain", f"    {proved_of(outcome)}"),
        Line("faint", f"    trusted: {', '.join(trusted(outcome, exact))}"),
    ]


def proved_of(outcome: Audited) -> str:
    """Of what a certificate proves its claim, and how."""
    match outcome.by, outcome.words:
        case "witness", _:
            return "by its witness"
        case "parts", _:
            return f"on its whole domain, in {outcome.classes:,} part" + "s" * (
                outcome.classes != 1
            )
        case "inputs", int(count):
            return f"on all {count:,} inputs, by enumeration"
        case "counts", int(count):
            return f"on all {count:,} words, one for each count of letters"
        case by, count:
            words = "every word of its domain" if count is None else f"all {count:,} words"
            words += ", of whatever length" if by == "lengths" and count is None else ""
            if not outcome.classes:
                return f"on {words}, by enumeration"
            classes = f"{outcome.classes:,} class" + ("" if outcome.classes == 1 else "es")
            return f"on {words}, in {classes}"


def outcome_data(
    name: str, outcome: Audited | Refused, exact: bool, seconds: float, again: str
) -> dict[str, object]:
    """The outcome as data; `words` is null where they are of every length, or not counted.

    `file` is null where a rejection is about no one file, `again` the command that proves again.
    """
    data: dict[str, object] = {"claim": name, "holds": isinstance(outcome, Audited)}
    if isinstance(outcome, Refused):
        file = None if outcome.path is None else str(outcome.path)
        data |= {"reason": outcome.reason, "file": file, "again": again}
    else:
        data |= {"by": outcome.by, "words": outcome.words, "classes": outcome.classes}
        data |= {"tool": outcome.tool}
    said = {"trusted": list(trusted(outcome, exact)), "exact": exact}
    return data | said | {"seconds": round(seconds, 3)}

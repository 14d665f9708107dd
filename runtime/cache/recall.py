"""A claim's verdict: the one that was kept, if nothing has changed, or a new one, which is then kept."""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import astuple, dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from time import monotonic

from circ.compiler.finding import Limits, Progress, silent
from circ.compiler.obligation import Obligation, Question, Witness
from circ.compiler.tensor import Weights
from circ.compiler.trial import trial
from circ.compiler.verdict import (
    Example,
    Outcome,
    Proved,
    Refuted,
    Unknown,
    Vacuous,
    Verdict,
    outcome,
)
from circ.lang.diagnostic import CircError
from circ.runtime.answer import answer
from circ.runtime.cache.asked import Asking
from circ.runtime.cache.engine import engine_version, own_version
from circ.runtime.cache.records import Row, row_of, text_of
from circ.runtime.cache.refused import Damaged, NotKept
from circ.runtime.cache.secret import own_secret, seal
from circ.runtime.prover import denied


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where the user wants verdicts kept: in `folder`, or in one beside the spec; or nowhere."""

    folder: Path | None = None
    nowhere: bool = False

    def beside(self, spec: Path) -> Path | None:
        """The folder for the verdicts on a spec."""
        if self.nowhere:
            return None
        return spec.parent / ".circ-cache" if self.folder is None else self.folder


NOWHERE = Keeping(nowhere=True)


@dataclass(frozen=True, slots=True)
class Answered:
    """A verdict, and the claim at the length of the word that it shows.

    `seconds` is what it took now, if that is to be told, and, of a verdict that was kept, `first` what it took to decide. `notes`
    say why a verdict was not kept, or one that was is not believed. `rests` has the lemmas that were looked at;
    `values` the answers at the values of a quantifier before the claim's own, whose variables `head` has.
    """

    obligation: Obligation
    verdict: Verdict
    seconds: float | None
    first: float | None = None
    notes: tuple[str, ...] = ()
    rests: tuple[Rest, ...] = ()
    head: Obligation | None = None
    values: tuple[Valued, ...] = ()


@dataclass(frozen=True, slots=True)
class Rest:
    """A lemma of a claim and its verdict; `covers`: the one on whether it speaks of all of the claim's inputs.

    There is none where that was not asked, since some lemma was not proved.
    """

    lemma: str
    verdict: Verdict
    covers: Verdict | None = None


@dataclass(frozen=True, slots=True)
class Valued:
    """The answer at one value, or what is wrong with the claim there."""

    value: Witness
    found: Answered | CircError

    @property
    def outcome(self) -> Outcome:
        """The verdict in one word."""
        return "error" if isinstance(self.found, CircError) else outcome(self.found.verdict)


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of a claim's verdict, by all that it depends on and that is known before."""

    folder: Path
    key: str
    version: str
    secret: bytes


def answered(
    question: Question,
    weights: Weights,
    limits: Limits,
    progress: Progress = silent,
    folder: Path | None = None,
) -> Answered:
    """A claim's verdict, kept in `folder` if there is one; raises as `answer`."""
    start, notes = monotonic(), list[str]()
    asking, slot = Asking(question, weights), None
    if folder is not None:
        try:
            slot = slot_of(folder, asking, limits)
            kept = recalled(slot, asking, limits, notes)
            if kept is not None:
                shown = asking.obligation((False, kept.length))
                return Answered(shown, kept.verdict, monotonic() - start, kept.seconds)
        except NotKept as reason:
            notes.append(f"no verdict is kept: {reason}")
            slot = None
    asked = question if slot is None else asking.watched
    obligation, verdict = answer(asked, weights, limits, progress)
    seconds = monotonic() - start
    if slot is not None and is_kept(verdict):
        length = obligation.length
        row = Row(tuple(asking.trace.values()), length, verdict, limits.timeout, seconds)
        keep(slot, row, notes)
    return Answered(obligation, verdict, seconds, notes=tuple(notes))


def slot_of(folder: Path, asking: Asking, limits: Limits) -> Slot:
    """Where the verdict has its place; raises `NotKept`.

    The time limit, and what the work is done with, are left out: what was decided stays so.
    """
    if find_spec("_sqlite3") is None:
        raise NotKept("this Python has no SQLite")
    version, secret = own_version(), own_secret()
    several = asking.question.lengths
    about = [
        version,
        asking.question.name,
        astuple(replace(limits, timeout=0.0, jobs=1, memory=0, device="cpu")),
        None if several is None else [several.first, several.last],
        asking.digest(asking.first()),
    ]
    return Slot(folder, hashlib.sha256(json.dumps(about).encode()).hexdigest(), version, secret)


# --- recalling ------------------------------------------------------------------------------


def recalled(slot: Slot, asking: Asking, limits: Limits, notes: list[str]) -> Row | None:
    """The kept verdict, if there is one that holds today; raises `NotKept`."""
    from circ.runtime.cache import table

    try:
        found = table.read(slot.folder, slot.key)
    except Damaged as reason:
        table.begin_anew(slot.folder)
        notes.append(f"the kept verdicts were damaged and are begun anew: {reason}")
        return None
    if found is None:
        return None
    try:
        row = unsealed(slot, found)
        if not is_unchanged(row, asking) or not is_enough(row, limits):
            return None
        if not is_confirmed(row.verdict, asking.obligation((False, row.length)), asking.weights):
            raise Damaged("a kept input does not show what it is said to show")
    except Damaged as reason:
        drop(slot, notes)
        notes.append(f"decided anew: {reason}")
        return None
    return row


def unsealed(slot: Slot, found: tuple[object, object]) -> Row:
    """What a row says; raises `Damaged` unless it was written under this key, as it stands."""
    match found:
        case (bytes(body), bytes(said)) if hmac.compare_digest(
            said, seal(slot.secret, slot.key, body)
        ):
            return row_of(body)
        case _:
            raise Damaged("the kept verdict was altered, or is somebody else's")


def is_unchanged(row: Row, asking: Asking) -> bool:
    """Whether all that was asked on the way to a verdict would be asked today."""
    try:
        return all(asking.digest((x.alike, x.length)) == x.digest for x in row.asked)
    except CircError:
        return False


def is_enough(row: Row, limits: Limits) -> bool:
    """Whether more time, where more is given, could not say more than the row does."""
    match row.verdict:
        case Proved(counts=counts):
            whole = all(known.exact for known in counts)
        case Refuted(count=count, counts=counts):
            whole = all(known.exact for known in counts) if counts else count is not None
        case Vacuous():
            whole = True
        case Unknown():
            whole = False
    return whole or limits.timeout <= row.timeout


def is_confirmed(verdict: Verdict, obligation: Obligation, weights: Weights) -> bool:
    """Whether exact arithmetic says again what the input that is shown was said to show."""
    match verdict:
        case Refuted(example=Example(witness=witness)):
            return trial(obligation, weights, witness).refutes
        case Proved(example=Example(witness=witness)):
            return trial(denied(obligation), weights, witness).refutes
        case Proved() | Refuted() | Vacuous() | Unknown():
            return True


# --- keeping --------------------------------------------------------------------------------


def is_kept(verdict: Verdict) -> bool:
    """Whether a verdict decides, and nobody stopped it."""
    match verdict:
        case Proved(counts=counts):
            return not any(known.interrupted for known in counts)
        case Refuted(counts=counts, interrupted=interrupted):
            return not (interrupted or any(known.interrupted for known in counts))
        case Vacuous():
            return True
        case Unknown():
            return False


def keep(slot: Slot, row: Row, notes: list[str]) -> None:
    """Write a row, unless the source is no longer that of the version it would be kept for."""
    from circ.runtime.cache import table

    try:
        if engine_version() != slot.version:
            raise NotKept("the source of Circ has changed since it was loaded")
        body = text_of(row)
        mark = seal(slot.secret, slot.key, body)
        try:
            table.write(slot.folder, slot.key, body, mark)
        except Damaged:
            table.begin_anew(slot.folder)
            table.write(slot.folder, slot.key, body, mark)
    except (Damaged, NotKept) as reason:
        notes.append(f"no verdict is kept: {reason}")


def drop(slot: Slot, notes: list[str]) -> None:
    """Forget a row that is not believed, if that can be; nobody believes it later either."""
    from circ.runtime.cache import table

    try:
        table.drop(slot.folder, slot.key)
    except (Damaged, NotKept) as reason:
        notes.append(f"it stays where it is: {reason}")

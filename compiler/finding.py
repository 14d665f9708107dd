"""What an engine finds when asked whether every input that meets the conditions meets the goal.

An engine is untrusted: its `Fails` is replayed before anybody sees a verdict, and its `Holds` says
what it trusts. `exists` is the same question about the negated goal.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from circ.compiler.obligation import Witness
from circ.compiler.verdict import Size


@dataclass(frozen=True, slots=True)
class Holds:
    """The goal holds on the whole domain. `margin` bounds its least slack from below."""

    method: str
    trusted: tuple[str, ...]
    size: Size
    margin: float | None = None
    closest: Witness | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fails:
    """`witness` meets the conditions and misses the goal (with a tie broken against it, if `tie`).

    `count`: all failing inputs, where the whole domain was decided; `failing`: those listed;
    `interrupted`: the user asked to stop before the whole domain was decided; `classes`: where one
    was listed of each failing class of inputs, how many fail and how many there are.
    """

    method: str
    trusted: tuple[str, ...]
    size: Size
    witness: Witness
    count: int | None = None
    failing: tuple[Witness, ...] = ()
    warnings: tuple[str, ...] = ()
    interrupted: bool = False
    classes: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Empty:
    """No input meets the conditions; `reason` names the first that nothing meets."""

    reason: str
    method: str
    trusted: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Stuck:
    """Undecided, with the reason and the way on. `interrupted`: by the user; nothing else is tried."""

    reason: str
    method: str
    bound: float | None = None
    hardest: Witness | None = None
    hint: str = ""
    interrupted: bool = False


Finding = Holds | Fails | Empty | Stuck

MORE_TIME = "allow more time (`--timeout SECONDS`), or narrow the domain"
"""What is advised where the time was too short."""


@dataclass(frozen=True, slots=True)
class Limits:
    """`timeout` in seconds for one obligation; `words` most words enumerated; `listed` most kept.

    `few`: so many words are gone through one by one before anything else is tried, since then every
    failing one is known. `first`: the engine may stop at the first failing input. `jobs`: most processes
    that work on parts of a box; `memory`: most MiB that parts still to be decided may take up;
    `device`: what computes their bounds.
    """

    timeout: float = 120.0
    words: int = 100_000_000
    few: int = 1 << 21
    listed: int = 100_000
    first: bool = False
    jobs: int = 1
    memory: int = 4096
    device: str = "cpu"


Progress = Callable[[float, str], None]
"""Called with the share of the work done (0 to 1) and what is being done; it may raise to stop."""


def silent(share: float, doing: str) -> None:
    """A `Progress` that shows nothing."""

"""Worker processes that share out the nodes of one search, each with a thread of its own.

A worker is given nodes, works on them for a while, and gives back those that are left: what a node needs
to be decided is all in it. Inputs that a worker comes by are judged where the search was begun.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from circ.compiler.boxes.bounds import Nodes
from circ.compiler.boxes.net import FloatArray


@dataclass(frozen=True, slots=True)
class Batch:
    """What a worker gives back: nodes left, nodes set aside, and what it came by on the way."""

    left: tuple[Nodes, ...] = field(repr=False)
    aside: tuple[Nodes, ...] = field(repr=False)
    points: tuple[FloatArray, ...] = field(repr=False)
    nodes: int


if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

Work = Callable[[Nodes], Batch]

STOPS = (signal.SIGINT, signal.SIGTERM)


@dataclass(slots=True)
class Crew:
    """Workers, and the nodes that each has in hand until it gives back what is left of them.

    Those that are `gone` died, as when the system is short of memory; what they had in hand is as it was.
    """

    lines: list[Connection[Nodes | None, Batch]]
    busy: dict[int, Nodes] = field(default_factory=dict[int, Nodes])
    gone: set[int] = field(default_factory=set[int])

    @property
    def idle(self) -> list[int]:
        """The workers that have nothing to do."""
        return [k for k in range(len(self.lines)) if k not in self.busy and k not in self.gone]

    @property
    def lost(self) -> bool:
        """Whether no worker is left."""
        return len(self.gone) == len(self.lines)

    def give(self, worker: int, nodes: Nodes) -> None:
        """Have an idle worker work on nodes."""
        self.busy[worker] = nodes
        with suppress(OSError):  # one that is gone is found out when it should give them back
            self.lines[worker].send(nodes)

    @property
    def share(self) -> float:
        """The share of the work that is in hand."""
        return sum(float(nodes.share.sum()) for nodes in self.busy.values())

    def taken(self, seconds: float) -> list[Batch]:
        """What busy workers give back within so many seconds, as soon as one does."""
        from multiprocessing.connection import wait

        ready = wait([self.lines[k] for k in self.busy], seconds)
        found = list[Batch]()
        for worker in [k for k in self.busy if self.lines[k] in ready]:
            found.append(self.batch(worker))
            del self.busy[worker]
        return found

    def batch(self, worker: int) -> Batch:
        """What a worker gives back; of one that is gone all that it had."""
        try:
            return self.lines[worker].recv()
        except (EOFError, OSError):
            self.gone.add(worker)
            return Batch((self.busy[worker],), (), (), 0)


def can_fork() -> bool:
    """Whether this system makes copies of a process, as workers are made."""
    from multiprocessing import get_all_start_methods

    return "fork" in get_all_start_methods()


@contextmanager
def crew(work: Work, size: int) -> Generator[Crew]:
    """Workers that each do `work`, copies of this process; they end with the block, or with the process.

    There are fewer, or none, where the system has no room for so many.
    """
    from multiprocessing import get_context

    context = get_context("fork")
    lines: list[Connection[Nodes | None, Batch]] = []
    processes: list[BaseProcess] = []
    try:
        with suppress(OSError):
            for _ in range(size):
                ours, theirs = context.Pipe()
                copied = (*lines, ours)
                process = context.Process(target=serve, args=(theirs, copied, work), daemon=True)
                with held_back():
                    process.start()
                theirs.close()
                processes.append(process)
                lines.append(ours)
        yield Crew(lines)
    finally:
        for running in processes:
            running.terminate()
        for running in processes:
            running.join()


@contextmanager
def held_back() -> Generator[None]:
    """Signals to stop are not heeded before a worker says how it takes them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def serve(
    line: Connection[Batch, Nodes | None],
    copied: Sequence[Connection[Nodes | None, Batch]],
    work: Work,
) -> None:
    """Do what comes down the line until nobody is at its other end.

    Other ends of lines, `copied` with the process, are closed: while some worker keeps one open, no line ends.
    Ctrl-C is for the process that has the terminal.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    for end in copied:
        end.close()
    with suppress(EOFError, OSError):
        while (nodes := line.recv()) is not None:
            line.send(work(nodes))

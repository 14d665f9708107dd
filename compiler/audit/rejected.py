"""Why a certificate does not hold."""

from __future__ import annotations


class Rejected(Exception):
    """A certificate shows nothing, or not what it should; the message is the first reason."""


def require(condition: bool, reason: str) -> None:
    """Raise `Rejected` unless a condition holds."""
    if not condition:
        raise Rejected(reason)


class NotKnown(Rejected):
    """A number that some arithmetic does not know well enough; with more bits it may."""


def within(condition: bool, reason: str) -> None:
    """Raise `NotKnown` unless a condition holds."""
    if not condition:
        raise NotKnown(reason)

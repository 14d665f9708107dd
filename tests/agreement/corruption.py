"""A certificate with something in it changed: an audit rejects it, or the proof still stands."""

from __future__ import annotations

import base64
import json
from array import array
from collections.abc import Callable, Iterator
from typing import Protocol, cast

Records = list[dict[str, object]]
"""The lines of a certificate."""

Change = tuple[tuple[object, ...], object]
"""The path to a part of a certificate, and what to put there."""

HARMLESS = frozenset({"tool", "fixed", "witness", "steps", "position", "multipliers", "f4", "f8"})
"""Where a change may leave a proof: potentials lower than they might be, other multipliers for which
they hold as well, another automaton that accepts the words, the words split elsewhere, another word that
meets the conditions, no position fixed where nothing is asked of one. The name of the tool is no part of
the proof."""


class Accepted(Protocol):
    """Whether an audit of some claim takes a certificate, exactly or in float64 first."""

    def __call__(self, data: bytes, *, exact: bool) -> bool: ...


def rejected(
    lines: Records, most: int, accepted: Accepted, harmless: frozenset[str] = frozenset()
) -> int:
    """How many of some changes of a certificate an audit rejects.

    Any other leaves the proof as it was in another order, or is in a `harmless` field; and float64 takes
    it as well. Fails where that is not so.
    """
    count = 0
    for (path, new), data in changed(lines, most):
        if accepted(data, exact=True):
            in_another_order = unordered(records(data)) == unordered(lines)
            assert name_of(path) in harmless or in_another_order, (path, new)
            assert accepted(data, exact=False), (path, new)
        else:
            count += 1
    return count


def proves_nothing(lines: Records, most: int, accepted: Accepted) -> None:
    """Check that a certificate is rejected, as it is and after any change."""
    assert not accepted(joined(lines), exact=True)
    for change, data in changed(lines, most):
        assert not accepted(data, exact=True), change
        assert not accepted(data, exact=False), change


def records(data: bytes) -> Records:
    """The lines of a certificate."""
    return [json.loads(line) for line in data.splitlines()]


def joined(lines: Records) -> bytes:
    """Lines as a file."""
    return b"".join(json.dumps(line).encode() + b"\n" for line in lines)


def changes(value: object, path: tuple[object, ...] = ()) -> Iterator[Change]:
    """Every part of some data changed in several ways: each once, the rest as it was."""
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            yield path, {**fields, "more": 0}
            for name, inner in fields.items():
                yield path, {key: x for key, x in fields.items() if key != name}
                yield from changes(inner, (*path, name))
        case list():
            entries = cast("list[object]", value)
            yield path, [*entries, *entries[-1:]] if entries else [0]
            yield path, []
            for k, inner in enumerate(entries):
                yield path, entries[:k] + entries[k + 1 :]
                if entries[k : k + 1] != entries[k + 1 : k + 2]:
                    yield path, entries[:k] + entries[k + 1 : k + 2] + [inner] + entries[k + 2 :]
                yield from changes(inner, (*path, k))
        case str() if path and path[-1] in ("f4", "f8"):
            yield from ((path, text) for text in other_potentials(value, str(path[-1])))
        case str():
            turned = ("1" if value[:1] == "0" else "0") + value[1:]
            yield from ((path, other) for other in ("", value[1:], turned, None, 7))
        case bool():
            yield path, not value
        case int() | float():
            others: tuple[object, ...] = (value + 1, value - 1, -1, 2**70, 0.5, "0", None, [])
            yield from ((path, other) for other in others if other != value)
        case _:
            yield from ((path, other) for other in (0, [0], ""))


def other_potentials(text: str, kind: str) -> Iterator[str]:
    """Potentials with one of them raised, lowered, not finite or left out, and no base64."""
    values: array[float] = array("f" if kind == "f4" else "d")
    values.frombytes(base64.b64decode(text))
    for k, value in enumerate(values):
        for other in (value + abs(value) + 1, value - abs(value) - 1e6, float("nan"), float("inf")):
            changed = array(values.typecode, values)
            changed[k] = other
            yield base64.b64encode(changed.tobytes()).decode()
    yield base64.b64encode(values[1:].tobytes()).decode()
    yield text[:-1]
    yield "é"


def put(value: object, path: tuple[object, ...], new: object) -> object:
    """Data with one part replaced."""
    if not path:
        return new
    first, *rest = path
    match value:
        case dict():
            fields = cast("dict[object, object]", value)
            return {**fields, first: put(fields[first], tuple(rest), new)}
        case list():
            entries = list(cast("list[object]", value))
            place = cast("int", first)
            entries[place] = put(entries[place], tuple(rest), new)
            return entries
        case _:
            raise AssertionError("a path leads through lists and objects")


def unordered(value: object) -> str:
    """Data as text that is the same in whatever order its lists are."""
    match value:
        case dict():
            fields = cast("dict[str, object]", value)
            return str(sorted((name, unordered(inner)) for name, inner in fields.items()))
        case list():
            return str(sorted(map(unordered, cast("list[object]", value))))
        case _:
            return json.dumps(value)


def name_of(path: tuple[object, ...]) -> object:
    """The last name on a path."""
    return next((part for part in reversed(path) if isinstance(part, str)), None)


def changed(lines: Records, most: int) -> Iterator[tuple[Change, bytes]]:
    """A certificate with one change each; of very many every so manieth."""
    found = list(changes(cast("object", lines)))
    for path, new in found[:: max(len(found) // most, 1)]:
        yield (path, new), joined(cast("Records", put(lines, path, new)))


def at(value: object, path: tuple[object, ...]) -> object:
    """One part of some data."""
    for part in path:
        value = cast("Callable[[object], object]", getattr(value, "__getitem__"))(part)  # noqa: B009
    return value


def nudged(text: str, kind: str) -> Iterator[str]:
    """Potentials, each raised by a ten-thousandth."""
    values: array[float] = array("f" if kind == "f4" else "d")
    values.frombytes(base64.b64decode(text))
    for k, value in enumerate(values):
        if value >= 2.0**99:
            continue  # of a state that no letter leaves, which may have any
        changed = array(values.typecode, values)
        changed[k] = value + max(abs(value), 1e-3) * 1e-4
        yield base64.b64encode(changed.tobytes()).decode()

"""Forms: what nodes of different circuits compute, said so that it can be compared.

Two nodes have the same form if they are computed in the same way from what is given; what is given (a
letter, a carried value, a value that a class fixes) has a name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from circ.compiler.audit.entries import Letter, Node, Nodes, Rectified, parts_of
from circ.compiler.audit.moved import moved

Named = Callable[[int], tuple[str, int] | None]
"""The name of a node, if it is given."""


@dataclass(slots=True)
class Forms:
    """Forms by number, for any number of circuits."""

    found: dict[object, int] = field(default_factory=dict[object, int])

    def given(self, name: str, place: int) -> int:
        """Something that is not looked into."""
        return self.number((name, place))

    def of(self, node: Node, parts: Mapping[int, int]) -> int:
        """A node whose parts have these forms. Which ReLU it is does not matter."""
        assert not isinstance(node, Letter), "a letter has a name"
        node = moved(node, parts)
        return self.number(replace(node, at=(0, 0)) if isinstance(node, Rectified) else node)

    def number(self, key: object) -> int:
        """One for all that is equal."""
        return self.found.setdefault(key, len(self.found))

    def under(self, nodes: Nodes, roots: Iterable[int], named: Named) -> dict[int, int]:
        """The forms of some nodes, and of all that they are made of down to what has a name."""
        found, needed, waiting = dict[int, int](), set[int](), list(roots)
        while waiting:
            place = waiting.pop()
            if place in needed or place in found:
                continue
            name = named(place)
            if name is not None:
                found[place] = self.given(*name)
                continue
            needed.add(place)
            waiting.extend(parts_of(nodes.nodes[place]))
        for place in sorted(needed):
            found[place] = self.of(nodes.nodes[place], found)
        return found

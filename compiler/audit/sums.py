"""Numbers about a word as sums with one term a position, each term a table by the letter there.

What attention reads is Σ_t E_t V_t / Σ_t E_t over its slots t, where E_t > 0 and V_t read one
position each; linear maps keep that form, and so does adding a known number. Some positions are fixed:
their letters are known, one choice a row. What is no such sum is rejected.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Generic

from circ.compiler.audit.columns import Arithmetic, Bent, C, Chosen, Codes, Grid, Head, Total
from circ.compiler.audit.entries import (
    Curve,
    Given,
    Join,
    Known,
    Leader,
    Letter,
    Linear,
    Node,
    Nodes,
    Order,
    Pick,
    Products,
    Rectified,
    Share,
    Stored,
)
from circ.compiler.audit.known import value_of
from circ.compiler.audit.maps import dot, mapped, runs
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.tensor import Weights


@dataclass(slots=True)
class Reading(Generic[C]):
    """Reads nodes where the `fixed` positions have one letter a row and some nodes are `given`.

    `phases` says of ReLUs whether they pass on what they are applied to, or are zero, and `chosen`
    among which entries a leader is. `apart` are
    the nodes that what is given bears on; all others are in `shared`, for every reading of the rows.
    """

    math: Arithmetic[C]
    nodes: Nodes
    weights: Weights
    letters: int
    fixed: Mapping[int, Sequence[int]]
    given: Mapping[int, Known]
    phases: Mapping[tuple[int, int], bool]
    apart: Sequence[bool]
    shared: dict[int, Total[C] | Codes]
    heads: dict[tuple[int, ...], Head[C]]
    chosen: Mapping[int, Chosen] = field(default_factory=dict[int, Chosen])
    own: dict[int, Total[C] | Codes] = field(default_factory=dict[int, "Total[C] | Codes"])
    own_heads: dict[tuple[int, ...], Head[C]] = field(
        default_factory=dict[tuple[int, ...], "Head[C]"]
    )
    picks: dict[tuple[tuple[int, ...], tuple[int, ...]], Codes] = field(
        default_factory=dict[tuple[tuple[int, ...], tuple[int, ...]], Codes]
    )

    def total(self, place: int) -> Total[C]:
        """A number as a sum; raises `Rejected` and `Bent`."""
        known = self.found(place)
        if isinstance(known, Total):
            return known
        self.prepare([place])
        return self.number_at(place)

    def code(self, place: int) -> Codes:
        """An index or a truth; raises `Rejected` where it is not read at one position."""
        self.prepare([place])
        found = self.found(place)
        assert isinstance(found, Codes)
        return found

    def ready(self, places: Iterable[int]) -> None:
        """Read many numbers at once, as far as they can be read: which is quicker than one by one."""
        with suppress(Rejected, Bent):
            self.prepare(places)

    def prepare(self, places: Iterable[int]) -> None:
        """Read nodes and what they need."""
        needed, waiting = set[int](), [*places]
        while waiting:
            at = waiting.pop()
            if at not in needed and self.found(at) is None:
                needed.add(at)
                waiting.extend(self.parts(at))
        for run in runs(self.nodes, self.given, sorted(needed)):
            self.read_run(run)

    def read_run(self, run: Sequence[int]) -> None:
        """Read nodes none of which needs another: those that a matrix makes of a vector at once."""
        maps: dict[tuple[int, ...], list[tuple[int, list[C]]]] = {}
        for place in run:
            row = self.matrix_row(place) if len(run) > 1 else None
            if row is None:
                self.put(place, self.read(place))
            else:
                maps.setdefault(row[1], []).append((place, row[0]))
        for vector, rows in maps.items():
            found = mapped(self.math, [row for _, row in rows], [self.number_at(x) for x in vector])
            for (place, _), value in zip(rows, found, strict=True):
                self.put(place, value)

    def matrix_row(self, place: int) -> tuple[list[C], tuple[int, ...]] | None:
        """Known factors, and what they multiply; None of other sums."""
        node = self.nodes.nodes[place]
        assert isinstance(node, Products)
        factors: list[C] = []
        vector: list[int] = []
        for left, right in node.pairs:
            x, y = self.number_at(left), self.number_at(right)
            if not (x.known or y.known):
                return None
            factors.append(x.rest if x.known else y.rest)
            vector.append(right if x.known else left)
        return factors, tuple(vector)

    def found(self, place: int) -> Total[C] | Codes | None:
        """What was read before."""
        return (self.own if self.apart[place] else self.shared).get(place)

    def put(self, place: int, value: Total[C] | Codes) -> None:
        """Keep it."""
        (self.own if self.apart[place] else self.shared)[place] = value

    def parts(self, place: int) -> Sequence[int]:
        """What a node has to know of others."""
        if place in self.given:
            return ()
        node = self.nodes.nodes[place]
        if isinstance(node, Pick) and self.at_leader(node):
            return node.parts
        if isinstance(node, Pick) and not self.nodes.real[place]:
            return (*node.indices, *(p for p in node.parts if not self.plain(p)))
        return self.nodes.parts[place]

    def plain(self, place: int) -> bool:
        """Whether a node is a constant."""
        return isinstance(self.nodes.nodes[place], Given)

    def number_at(self, place: int) -> Total[C]:
        """A number that was read."""
        found = self.found(place)
        assert isinstance(found, Total)
        return found

    def read(self, place: int) -> Total[C] | Codes:
        """One node, its parts read."""
        node = self.nodes.nodes[place]
        if place in self.given:
            value = self.given[place]
            if self.nodes.real[place]:
                return self.constant(Fraction(value))
            return Codes(None, [[int(value)]])
        return self.real(node) if self.nodes.real[place] else self.discrete(place, node)

    # --- indices and truths ---------------------------------------------------------------------

    def discrete(self, place: int, node: Node) -> Codes:
        """An index or a truth; raises `Rejected` where it reads several positions."""
        match node:
            case Letter(position=position):
                if position in self.fixed:
                    return Codes(None, [[letter] for letter in self.fixed[position]])
                return Codes(position, [list(range(self.letters))])
            case Given(value=value):
                return Codes(None, [[int(value)]])
            case Order(left=left) if self.nodes.real[left]:
                return self.ordered(node)
            case Leader():
                raise Rejected("a number depends on which entry of a row is the largest")
            case _:
                return self.lifted(place, node)

    def ordered(self, node: Order) -> Codes:
        """A comparison of numbers of one position."""
        left, x = self.table(self.number_at(node.left))
        right, y = self.table(self.number_at(node.right))
        ways = [self.math.below(x, y, strict=node.name == "<")]
        if node.name == "==":
            ways.append(self.math.below(y, x, strict=False))
        grid: Grid = []
        for rows in zip(*ways, strict=True):
            row: list[int] = []
            for truths in zip(*rows, strict=True):
                require(None not in truths or False in truths, "a comparison is too close to call")
                row.append(int(all(truths)))
            grid.append(row)
        return Codes(one_position([left, right]), grid)

    def lifted(self, place: int, node: Node) -> Codes:
        """A function of codes, letter by letter."""
        parts = self.nodes.parts[place]
        codes = {part: self.found(part) for part in parts if not self.plain(part)}
        read = {part: code for part, code in codes.items() if isinstance(code, Codes)}
        require(len(read) == len(codes), "a number decides an index")
        rows = max((len(code.grid) for code in read.values()), default=1)
        columns = max((len(code.grid[0]) for code in read.values()), default=1)

        def cell(row: int, column: int) -> int:
            def known(part: int) -> Known:
                if part not in read:
                    return value_of(self.nodes.nodes[part], known, {})
                grid = read[part].grid
                line = grid[row if len(grid) > 1 else 0]
                return line[column if len(line) > 1 else 0]

            return int(value_of(node, known, {}))

        grid = [[cell(row, column) for column in range(columns)] for row in range(rows)]
        return Codes(one_position([code.position for code in read.values()]), grid)

    # --- numbers --------------------------------------------------------------------------------

    def real(self, node: Node) -> Total[C]:
        """A number; raises `Rejected` where it is no sum."""
        number = self.math.number
        match node:
            case Given(value=value):
                return self.constant(Fraction(value))
            case Stored(key=key, place=place):
                return self.constant(Fraction(self.weights[key].values[place]))
            case Linear(terms=terms):
                factors = [(self.math.one if c == 1 else number(Fraction(c)), x) for c, x in terms]
                return self.added([(factor, self.number_at(x)) for factor, x in factors])
            case Products(pairs=pairs):
                return self.multiplied(pairs)
            case Join(parts=parts):
                tables = [self.table(self.number_at(part)) for part in parts]
                column = self.math.largest([column for _, column in tables])
                return self.at(one_position([at for at, _ in tables]), column)
            case Pick():
                return self.picked(node)
            case Rectified():
                return self.rectified(node)
            case Curve(name=name, part=part):
                at, column = self.table(self.number_at(part))
                return self.at(at, self.math.curve(name, column))
            case Share():
                return self.share(node)
            case _:
                raise AssertionError(f"not a number: {node}")

    def constant(self, value: Fraction) -> Total[C]:
        """A known number."""
        return Total(None, {}, self.math.number(value))

    def at(self, position: int | None, column: C) -> Total[C]:
        """A table at a position, or a known number."""
        if position is None:
            return Total(None, {}, column)
        return Total(None, {position: column}, self.math.zero)

    def table(self, x: Total[C]) -> tuple[int | None, C]:
        """A number that reads at most one position; raises `Rejected` for another."""
        require(x.head is None and len(x.terms) < 2, "what is not linear reads several positions")
        one = self.math.one
        for position, column in x.terms.items():
            return position, dot(self.math, [(one, column), (one, x.rest)])
        return None, x.rest

    def added(self, parts: Sequence[tuple[C, Total[C]]]) -> Total[C]:
        """A sum with known factors."""
        (found,) = mapped(self.math, [[factor for factor, _ in parts]], [x for _, x in parts])
        return found

    def multiplied(self, pairs: Sequence[tuple[int, int]]) -> Total[C]:
        """A sum of products."""
        one = self.math.one
        parts: list[tuple[C, Total[C]]] = []
        for left, right in pairs:
            x, y = self.number_at(left), self.number_at(right)
            if x.known:
                parts.append((x.rest, y))
            elif y.known:
                parts.append((y.rest, x))
            else:
                parts.append((one, self.product(x, y)))
        return self.added(parts)

    def product(self, x: Total[C], y: Total[C]) -> Total[C]:
        """A product of two that read the same one position; one may be shares of attention there."""
        if x.head is None and y.head is not None:
            x, y = y, x
        at, column = self.table(y)
        if x.head is None:
            other, first = self.table(x)
            return self.at(one_position([other, at]), dot(self.math, [(first, column)]))
        read = {x.head.places[slot] for slot in x.terms}
        require(read <= {at} and x.rest is self.math.zero, "what two positions say is multiplied")
        terms = {slot: dot(self.math, [(share, column)]) for slot, share in x.terms.items()}
        return Total(x.head, terms, x.rest)

    def picked(self, node: Pick) -> Total[C]:
        """What a table has at an index."""
        if self.at_leader(node):
            return self.standing(node, self.chosen[node.indices[0]])
        place = self.which(node)
        if place.position is None and len(place.grid) == 1:
            return self.number_at(node.parts[place.grid[0][0]])
        parts = [self.number_at(part) for part in node.parts]
        tables = [(None, x.rest) if x.known else self.table(x) for x in parts]
        column = self.math.pick([column for _, column in tables], place.grid)
        return self.at(one_position([place.position, *(at for at, _ in tables)]), column)

    def which(self, node: Pick) -> Codes:
        """Which part is picked; alike for all that the same indices pick."""
        key = node.indices, node.sides
        if key not in self.picks:
            codes = [self.found(index) for index in node.indices]
            places = self.places(node, [code for code in codes if isinstance(code, Codes)])
            self.picks[key] = places
        return self.picks[key]

    def at_leader(self, node: Pick) -> bool:
        """Whether it is a number that is looked up by a leader alone, which is chosen."""
        numbers = all(self.nodes.real[part] for part in node.parts)
        return numbers and len(node.indices) == 1 and node.indices[0] in self.chosen

    def standing(self, node: Pick, chosen: Chosen) -> Total[C]:
        """What a table has at a leader: of the letter there, and between what several entries say."""
        if len(chosen.slots) == 1:
            (slot,) = chosen.slots
            alone = self.number_at(node.parts[slot])
            if alone.head is not None or not alone.terms.keys() <= {*chosen.places}:
                return alone
        found: list[C] = []
        for slot, place in zip(chosen.slots, chosen.places, strict=True):
            at, column = self.table(self.number_at(node.parts[slot]))
            if at is not None and chosen.letter is not None:
                require(at == place, "what is looked up reads another letter than its score")
                column = self.math.at_letter(column, chosen.letter)
            require(at is None or chosen.letter is not None, "what is looked up reads a letter")
            found.append(column)
        return Total(None, {}, found[0] if len(found) == 1 else self.math.hull(found))

    def places(self, node: Pick, codes: Sequence[Codes]) -> Codes:
        """Which part is picked, by row and by letter."""
        rows = max(len(code.grid) for code in codes)
        columns = max(len(code.grid[0]) for code in codes)
        grid: Grid = []
        for row in range(rows):
            lines = [code.grid[row if len(code.grid) > 1 else 0] for code in codes]
            grid.append([])
            for column in range(columns):
                place = 0
                for line, side in zip(lines, node.sides, strict=True):
                    place = place * side + line[column if len(line) > 1 else 0]
                grid[-1].append(place)
        return Codes(one_position([code.position for code in codes]), grid)

    def rectified(self, node: Rectified) -> Total[C]:
        """A ReLU: of one position, or of a phase that is said."""
        x = self.number_at(node.part)
        zero = self.math.zero
        if x.head is None and len(x.terms) < 2:
            at, column = self.table(x)
            return self.at(at, self.math.largest([column, zero]))
        if node.at not in self.phases:
            raise Bent(node.at, node.part)
        return x if self.phases[node.at] else Total(None, {}, zero)

    # --- attention ------------------------------------------------------------------------------

    def share(self, node: Share) -> Total[C]:
        """How much of what attention reads is read at one slot."""
        head, zero = self.head(node.row), self.math.zero
        one = self.math.one
        read = {place for place in head.places if place is not None}
        if len(read) > 1:
            return Total(head, {node.place: one}, zero)
        whole = dot(self.math, [(one, power) for power in head.powers])
        part = dot(self.math, [(head.powers[node.place], self.math.curve("recip", whole))])
        return self.at(next(iter(read), None), part)

    def head(self, row: tuple[int, ...]) -> Head[C]:
        """Attention whose scores read one position each."""
        heads = self.own_heads if any(self.apart[score] for score in row) else self.heads
        if row not in heads:
            scores = [self.table(self.number_at(score)) for score in row]
            powers = tuple(self.math.curve("exp", column) for _, column in scores)
            heads[row] = Head(tuple(at for at, _ in scores), powers)
        return heads[row]


def one_position(positions: Sequence[int | None]) -> int | None:
    """The one position that is read; raises `Rejected` where there are two."""
    read = {position for position in positions if position is not None}
    require(len(read) < 2, "what is not linear reads several positions")
    return next(iter(read), None)

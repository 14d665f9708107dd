"""A hard choice in a proof: the words parted by the index that leads a row, and by the letter there.

On a word, whatever breaks ties, some index j leads with a letter a at the position that its score
reads, and no letter elsewhere has a score that is surely larger. So the goal holds if it does for
each j and a, the index put to j, on the words with a there and nothing above. Several j may be taken
together: what is looked up is then whatever lies between what they say, and the words are those with
a at one of their positions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from circ.compiler.audit.clauses import Truths
from circ.compiler.audit.columns import Bent, Chosen
from circ.compiler.audit.entries import Given, Known, Leader, Letter, Nodes, Pick, parts_of
from circ.compiler.audit.fixed import Fixed, cell
from circ.compiler.audit.record import Data, a_list, a_number, an_object, numbers, only
from circ.compiler.audit.region import Region
from circ.compiler.audit.rejected import Rejected, require
from circ.compiler.audit.somewhere import somewhere
from circ.compiler.audit.sums import Reading

Entry = tuple[int, int, int | None]
"""A row, an index, and the letter at the position that its score reads, if it reads one."""


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a row of numbers, by row of the reading and by letter, as intervals.

    Score j reads the letter at `places[j]`; where that is None it is known in each row.
    """

    places: tuple[int | None, ...]
    columns: tuple[Fixed, ...]

    def low(self, index: int, row: int, letter: int | None) -> int:
        """A lower bound of one score."""
        return cell(self.columns[index].lo, row, letter or 0)

    def high(self, index: int, row: int, letter: int | None) -> int:
        """An upper bound of one score."""
        return cell(self.columns[index].hi, row, letter or 0)

    def letters(self, index: int, region: Region) -> Sequence[int | None]:
        """The letters that may stand where a score reads one."""
        place = self.places[index]
        return [None] if place is None else region.letters_at(place, 0)

    def possible(self, region: Region) -> Iterator[Entry]:
        """Every way to lead that is not surely below what every word has somewhere."""
        indices = range(len(self.places))
        letters = [self.letters(index, region) for index in indices]
        for row in region.rows if all(letters) else ():
            floor = max(min(self.low(j, row, c) for c in letters[j]) for j in indices)
            for index in indices:
                for letter in letters[index]:
                    if self.high(index, row, letter) >= floor:
                        yield row, index, letter

    def leading(self) -> Iterator[int]:
        """The entries that may lead on the one word of a reading."""
        floor = max(self.low(j, 0, None) for j in range(len(self.places)))
        return (j for j in range(len(self.places)) if self.high(j, 0, None) >= floor)

    def below(self, region: Region, indices: Sequence[int], letter: int | None) -> Region:
        """The words of a region without the letters that score more than these indices can."""
        tops = {row: max(self.high(j, row, letter) for j in indices) for row in region.rows}
        found = region
        for index, place in enumerate(self.places):
            if place is not None:
                letters = found.letters_at(place, 0)
                kept = [
                    c
                    for c in letters
                    if any(self.low(index, row, c) <= top for row, top in tops.items())
                ]
                if len(kept) < len(letters):
                    found = found.with_letters(place, kept)
        return found


def scores_of(reading: Reading[Fixed], leader: int) -> Scores:
    """The scores by which a leader is found; raises `Rejected` where one reads several positions."""
    node = reading.nodes.nodes[leader]
    assert isinstance(node, Leader), "it is a leader"
    try:
        tables = [reading.table(reading.total(score)) for score in node.row]
    except Bent as bent:
        raise Rejected(str(bent)) from bent
    return Scores(tuple(at for at, _ in tables), tuple(column for _, column in tables))


def words_of(scores: Scores, region: Region, rows: Sequence[int], chosen: Chosen) -> Region:
    """The words of some rows on which one of the indices chosen may lead, with the letter there.

    All of these read a position that is not fixed, and have the letter there; or all read none.
    """
    letter, found = chosen.letter, [place for place in chosen.places if place is not None]
    reads = len(chosen.places) if letter is not None else 0
    require(len(found) == reads, "a letter is missing, or stands where no score reads one")
    inside = scores.below(region.with_rows(rows), chosen.slots, letter)
    if letter is None:
        return inside
    if len({*found}) == 1:
        allowed = letter in inside.letters_at(found[0], 0)
        return inside.with_letters(found[0], [letter] if allowed else [])
    return somewhere(inside, found, letter)


# --- what is known of a part ----------------------------------------------------------------------


@dataclass(frozen=True, slots=True, eq=False)
class Leaders:
    """The leaders of a claim in order, where its letters are, and what is discrete behind leaders."""

    nodes: Nodes
    places: tuple[int, ...]
    letters: Mapping[int, int]
    behind: dict[int, list[int]] = field(default_factory=dict[int, list[int]])

    def discrete(self, leader: int) -> list[int]:
        """The indices and truths that depend on a leader, itself included."""
        if leader not in self.behind:
            found = {leader}
            for place in range(leader + 1, len(self.nodes.nodes)):
                if not found.isdisjoint(parts_of(self.nodes.nodes[place])):
                    found.add(place)
            self.behind[leader] = sorted(k for k in found if not self.nodes.real[k])
        return self.behind[leader]

    def settled(
        self, given: Mapping[int, Known], leader: int, chosen: Chosen, asking: Mapping[int, int]
    ) -> dict[int, Known]:
        """What is given, and what is the same for all indices chosen.

        `asking` has the letter at the position that is fixed, where it is one.
        """
        told = {self.letters[at]: c for at, c in asking.items() if at in self.letters}
        ways: list[Truths] = []
        for slot, place in zip(chosen.slots, chosen.places, strict=True):
            known: dict[int, Known] = {**given, **told, leader: slot}
            if place is not None and place in self.letters and chosen.letter is not None:
                known[self.letters[place]] = chosen.letter
            ways.append(Truths(self.nodes, known))
        found = dict(given)
        for place in self.discrete(leader):
            values = {way.known(place) for way in ways}
            (value, *others) = values
            if value is not None and not others:
                found[place] = value
        return found


def asking(region: Region) -> dict[int, int]:
    """The letter at the fixed position, where a region is of one row."""
    if region.fixed is None or len(region.rows) != 1:
        return {}
    return {region.fixed: region.rows[0]}


def leaders_of(nodes: Nodes) -> Leaders:
    """The leaders of a claim."""
    places = tuple(k for k, node in enumerate(nodes.nodes) if isinstance(node, Leader))
    letters = {node.position: k for k, node in enumerate(nodes.nodes) if isinstance(node, Letter)}
    return Leaders(nodes, places, letters)


def looked_up_by(nodes: Nodes, roots: Iterable[int], known: Iterable[int]) -> tuple[int, ...]:
    """The leaders by which numbers or letters are looked up, each after those that it rests on.

    Only those behind the roots, and not behind what is known.
    """
    found, seen, waiting = set[int](), {*known}, [*roots]
    while waiting:
        place = waiting.pop()
        if place in seen:
            continue
        seen.add(place)
        node = nodes.nodes[place]
        waiting.extend(parts_of(node))
        if isinstance(node, Pick):
            plain = all(isinstance(nodes.nodes[part], Given) for part in node.parts)
            if nodes.real[place] or not plain:
                found.update(at for at in node.indices if isinstance(nodes.nodes[at], Leader))
    return tuple(sorted(found))


# --- the parts of a proof -------------------------------------------------------------------------


def cases_of(
    leaders: Leaders, reading: Reading[Fixed], data: Data, region: Region
) -> Iterator[tuple[int, Chosen, Region, Data]]:
    """Each part of a proof by choice: the leader, what is chosen, the words, and the proof for them.

    When all were taken, raises `Rejected` if a way to lead is in none.
    """
    number, parts = only(data, "choice", "parts")
    leader = leaders.places[a_number(number, len(leaders.places))]
    require(leader not in reading.chosen, "a leader is chosen already")
    scores = scores_of(reading, leader)
    seen = set[Entry]()
    for part in a_list(parts):
        rows, slots, letter, proof = part_of(part, scores, region)
        entries = {(row, slot, letter) for row in rows for slot in slots}
        require(seen.isdisjoint(entries), "a choice is there twice")
        seen |= entries
        chosen = Chosen(tuple(slots), tuple(scores.places[slot] for slot in slots), letter)
        inside = words_of(scores, region, rows, chosen)
        if proof is None:
            require(not inside.has_words, "a part has words, and no proof for them")
        else:
            yield leader, chosen, inside, proof
    require(seen.issuperset(scores.possible(region)), "a choice is left out")


def part_of(
    part: object, scores: Scores, region: Region
) -> tuple[list[int], list[int], int | None, Data | None]:
    """The rows, the indices and the letter of a part, and the proof for it, if it needs one."""
    found = a_list(part)
    require(len(found) == 4, "a part is rows, indices, a letter and a proof")
    rows = numbers(found[0], region.letters)
    require(set(rows) <= set(region.rows), "a part is of other rows")
    slots = numbers(found[1], len(scores.places))
    require(rows != [] and slots != [], "a part has no rows, or no indices")
    letter = None if found[2] is None else a_number(found[2], region.letters)
    return rows, slots, letter, None if found[3] is None else an_object(found[3])

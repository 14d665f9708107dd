"""A circuit as statements: sites have their names, what is read once stands where it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from circ.compiler.ir import Const, Real, Weight, Wire, operands
from circ.compiler.obligation import Site
from circ.compiler.pytorch.columns import Aligned, Rows
from circ.compiler.pytorch.expressions import Operand, Text, called, expression
from circ.compiler.pytorch.lines import broken, looped, remark, statement
from circ.compiler.pytorch.literals import Names, comment, quoted, shape_text
from circ.compiler.pytorch.masked import Masked, masked_of
from circ.compiler.pytorch.paper import DEFAULT, Paper
from circ.compiler.pytorch.repeats import Loop, Repeat, loop_of, repeat_of

LONGEST = 76
"""Most characters of an expression of which a part can be a statement before it."""

LONGEST_INLINE = 60
"""Most characters of an expression that stands within another."""

Again = Repeat | Loop | Masked
"""What is done again and again in one place of the text."""


@dataclass(slots=True)
class Block:
    """The statements that compute `roots` from wires that are `given` expressions.

    `wires` are those that may have to be computed, operands first. `inner`: it is a part that is
    repeated, whose value has its name outside.
    """

    paper: Paper
    names: Names
    wires: Sequence[Wire]
    roots: Sequence[Wire]
    given: dict[Wire, Text]
    inner: bool = False
    lines: list[str] = field(default_factory=list[str])
    uses: dict[Wire, int] = field(default_factory=dict[Wire, int])
    repeats: dict[Wire, Again] = field(default_factory=dict[Wire, "Again"])
    inline: set[Wire] = field(default_factory=set[Wire])
    assigned: set[Wire] = field(default_factory=set[Wire])

    def write(self) -> list[Text]:
        """Write the lines; the expressions of the roots."""
        self.plan()
        wanted = [wire for wire in self.wires if wire in self.uses and wire not in self.given]
        for wire in sorted(wanted, key=lambda wire: (not self.is_tensor(wire), wire)):
            self.write_wire(wire)
        return [self.given[root] for root in self.roots]

    def is_tensor(self, wire: Wire) -> bool:
        """Whether a wire is a tensor of a checkpoint: those come first."""
        return isinstance(self.paper.circuit.ops[wire], Weight)

    def plan(self) -> None:
        """Find out how often each wire is read, and which are repetitions."""
        for root in self.roots:
            self.uses[root] = self.uses.get(root, 0) + 1
        for wire in reversed(self.wires):
            if wire in self.uses and wire not in self.given:
                found = self.repetition(wire)
                if found is not None:
                    self.repeats[wire] = found
                for read in self.reads(wire):
                    self.uses[read] = self.uses.get(read, 0) + 1

    def repetition(self, wire: Wire) -> Again | None:
        """What a wire repeats, if it does."""
        circuit, readers = self.paper.circuit, self.paper.readers
        return (
            loop_of(circuit, wire, self.paper.sites, readers)
            or repeat_of(circuit, wire, readers)
            or masked_of(circuit, wire, self.paper.builder)
        )

    def reads(self, wire: Wire) -> Sequence[Wire]:
        """The wires that have to be there before this one is written."""
        if wire in self.repeats:
            return self.repeats[wire].reads
        return operands(self.paper.circuit.ops[wire])

    def write_wire(self, wire: Wire) -> None:
        """Write a statement for a wire, unless its expression may stand where it is read."""
        op = self.paper.circuit.ops[wire]
        if isinstance(op, Const):
            self.given[wire] = self.paper.constant(wire, op)
            return
        if isinstance(op, Weight):
            stored = self.paper.tensors[op.key]
            text = called("self.tensor", quoted(stored.checkpoint), quoted(stored.tensor))
            self.assign(wire, text, stored.name)
            return
        found = self.repeats.get(wire)
        if isinstance(found, Loop):
            self.loop(wire, found)
            return
        text = self.fitting(wire)
        site = None if self.inner and wire in self.roots else self.paper.sites.get(wire)
        if site is None and self.uses[wire] == 1 and len(text.text) <= LONGEST_INLINE:
            self.given[wire] = text
            self.inline.add(wire)
        elif site is None and self.uses[wire] == 1 and wire in self.roots:
            self.given[wire] = text
        else:
            self.assign(wire, text, DEFAULT[type(op)] if site is None else site.name, site)

    def fitting(self, wire: Wire) -> Text:
        """The expression of a wire; of what stands within it, the longest go out until it fits."""
        if wire in self.repeats:
            for read in self.within(wire):
                self.take_out(read)
        while len((text := self.expression(wire)).text) > LONGEST:
            within = self.within(wire)
            if not within:
                break
            self.take_out(within[-1])
        return text

    def within(self, wire: Wire) -> list[Wire]:
        """The expressions that stand within that of a wire and could be statements, the longest last."""
        found = [read for read in {*self.reads(wire)} if read in self.inline]
        return sorted(found, key=lambda read: (len(self.given[read].text), -read))

    def take_out(self, wire: Wire) -> None:
        """Make a statement of an expression."""
        self.inline.remove(wire)
        self.assign(wire, self.given[wire], DEFAULT[type(self.paper.circuit.ops[wire])])

    def expression(self, wire: Wire) -> Text:
        """The expression of a wire, from those of what it reads."""
        found = self.repeats.get(wire)
        if isinstance(found, Repeat):
            return self.comprehension(found)
        if isinstance(found, Masked):
            return called("kept_softmax", self.given[found.scores].text, found.kept_text)
        op = self.paper.circuit.ops[wire]
        return expression(op, [self.operand(read) for read in operands(op)], self.paper.dtype)

    def operand(self, wire: Wire) -> Operand:
        """A wire as it is read."""
        return Operand(self.given[wire], self.paper.type_of(wire).shape)

    # --- statements -----------------------------------------------------------------------------

    def assign(self, wire: Wire, text: Text, wanted: str, site: Site | None = None) -> None:
        """A statement that gives a wire a name."""
        name = self.names.new(wanted)
        shape = shape_text(self.paper.type_of(wire).shape, batched=wire in self.paper.batched)
        if site is not None and site.span not in self.paper.told:
            self.paper.told.add(site.span)
            self.lines.append(remark(site.span))
        self.lines += statement(f"{name} = {text.text}", comment(shape))
        self.given[wire] = Text(name)
        self.assigned.add(wire)

    def comprehension(self, repeat: Repeat) -> Text:
        """A repeated part: in a comprehension, or in a function where it takes several statements."""
        variables, body = self.part(repeat.parts)
        (value,) = body.write()
        made = value.text
        if body.lines:
            made = self.function(variables, body.lines, made)
        return called(repeat.gathered, f"[{made} for {looped(variables)}]")

    def loop(self, wire: Wire, loop: Loop) -> None:
        """Steps as a loop over what they read, which goes on with the state under the name of the first one."""
        for read in self.within(wire):
            self.take_out(read)
        if loop.first not in self.assigned:
            self.assign(loop.first, self.given[loop.first], self.paper.sites[wire].name)
        state = self.given[loop.first]
        variables, body = self.part(loop.parts)
        (value,) = body.write()
        self.lines.append(f"for {looped(variables)}:")
        steps = [*body.lines, *broken(f"{state.text} = {value.text}")]
        self.lines += [f"    {line}" if line else "" for line in steps]
        self.given[wire] = state

    def part(self, parts: Aligned) -> tuple[dict[str, str], Block]:
        """The variables of parts that are alike, with what they go over, and the block of one part."""
        inside, given = Names({*self.names.taken}), dict(self.given)
        variables: dict[str, str] = {}
        for wire, rows in parts.rows.items():
            name = inside.new("v" if self.paper.type_of(wire).sort == Real() else "c")
            variables[name] = self.rows_text(rows)
            given[wire] = Text(name)
        for wire, column in parts.listed.items():
            name = inside.new("each")
            variables[name] = f"[{', '.join(self.given[read].text for read in column)}]"
            given[wire] = Text(name)
        return variables, Block(
            self.paper, inside, parts.inner, parts.inner[-1:], given, inner=True
        )

    def rows_text(self, rows: Rows) -> str:
        """The rows of a wire, in a list."""
        text = called("rows", self.given[rows.wire].text).text
        if rows.whole:
            return text
        all_of = self.paper.type_of(rows.wire).shape[0]
        return f"{text}[{rows.start or ''}:{rows.stop if rows.stop < all_of else ''}]"

    def function(self, variables: Mapping[str, str], lines: Sequence[str], value: str) -> str:
        """A function of the variables of a repetition, written before it is used; a call of it."""
        name = self.names.new("repeated")
        call = f"{name}({', '.join(variables)})"
        typed = ", ".join(f"{variable}: Tensor" for variable in variables)
        self.lines += ["", f"def {name}({typed}) -> Tensor:"]
        self.lines += [
            f"    {line}" if line else "" for line in [*lines, *broken(f"return {value}")]
        ]
        self.lines.append("")
        return call

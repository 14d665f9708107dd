"""What holds of every circuit, whichever pass made it."""

from __future__ import annotations

from collections.abc import Sequence

from circ.compiler.infer import IllFormed, wire_type
from circ.compiler.ir import Bool, Circuit, Const, Index, Input, Op, Real, WireType, operands


def check_invariants(circuit: Circuit) -> None:
    """Raise `IllFormed` unless operands come first, types are as inferred and names are in order.

    A constant's entries are of its sort, no two inputs have one name, and outputs are wires.
    """
    require(len(circuit.ops) == len(circuit.types), "ops and types differ in number")
    for number, op in enumerate(circuit.ops):
        fault = fault_of(op, number, circuit.types)
        if fault is not None:
            raise IllFormed(f"{fault}: {op}")
    names = [op.name for op in circuit.ops if isinstance(op, Input)]
    require(len(names) == len(set(names)), f"two inputs have one name: {names}")
    for name, wire in circuit.outputs.items():
        require(0 <= wire < len(circuit.ops), f"no wire drives the output {name!r}")


def fault_of(op: Op, number: int, types: Sequence[WireType]) -> str | None:
    """What is wrong with the op that drives wire `number`. An op is written out only in a fault."""
    if not all(0 <= wire < number for wire in operands(op)):
        return "an operand is not before it"
    if wire_type(op, types) != types[number]:
        return f"not of type {types[number]}"
    if isinstance(op, Const) and not entries_fit(op):
        return "entries of another sort"
    return None


def require(condition: bool, message: str) -> None:
    """Raise `IllFormed` with these words unless `condition` holds."""
    if not condition:
        raise IllFormed(message)


def entries_fit(op: Const) -> bool:
    """Whether the entries of a constant are within its sort; any number is a real."""
    match op.type.sort:
        case Real():
            return True
        case Bool():
            return all(entry in (False, True) for entry in op.values)
        case Index(size=size):
            return all(entry.denominator == 1 and 0 <= entry < size for entry in op.values)

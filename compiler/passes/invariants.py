"""What holds of every circuit, whichever pass made it."""

from __future__ import annotations

from circ.compiler.infer import IllFormed, wire_type
from circ.compiler.ir import Bool, Circuit, Const, Index, Input, Real, operands


def check_invariants(circuit: Circuit) -> None:
    """Raise `IllFormed` unless operands come first, types are as inferred and names are in order.

    A constant's entries are of its sort, no two inputs have one name, and outputs are wires.
    """
    require(len(circuit.ops) == len(circuit.types), "ops and types differ in number")
    for number, op in enumerate(circuit.ops):
        require(all(0 <= wire < number for wire in operands(op)), f"an operand is not before {op}")
        inferred = wire_type(op, circuit.types)
        require(inferred == circuit.types[number], f"not of type {circuit.types[number]}: {op}")
        require(not isinstance(op, Const) or entries_fit(op), f"entries of another sort: {op}")
    names = [op.name for op in circuit.ops if isinstance(op, Input)]
    require(len(names) == len(set(names)), f"two inputs have one name: {names}")
    for name, wire in circuit.outputs.items():
        require(0 <= wire < len(circuit.ops), f"no wire drives the output {name!r}")


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

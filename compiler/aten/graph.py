"""The graph of a module: its calls one after the other, each by the table of its operator."""

from __future__ import annotations

from collections import Counter

from circ.compiler.aten.activations import ACTIVATIONS
from circ.compiler.aten.arithmetic import ARITHMETIC
from circ.compiler.aten.attention import ATTENTION
from circ.compiler.aten.calls import Call, Made, ModuleCalls, references
from circ.compiler.aten.conditions import CONDITIONS
from circ.compiler.aten.layers import LAYERS
from circ.compiler.aten.moves import MOVES
from circ.compiler.aten.tokens import CARRYING, TOKENS
from circ.compiler.aten.use import FLOATS, WHOLE, Said, Use, Writing
from circ.compiler.onnx.graph import Graph, Origin, Stored
from circ.compiler.onnx.step import TOKENS_READ
from circ.compiler.onnx.tokens import vocabularies
from circ.lang.diagnostic import CircError, told_at
from circ.lang.errors.networks import not_exported
from circ.lang.errors.standard import unsupported

OPERATORS: dict[str, Said] = {
    **ACTIVATIONS, **ARITHMETIC, **ATTENTION, **CONDITIONS, **LAYERS, **MOVES, **TOKENS,
}  # fmt: skip

NUMBERS = frozenset({*ACTIVATIONS, *ARITHMETIC, *ATTENTION, *LAYERS})
"""Operators that are read as computing with numbers."""

OPSET = 20
"""The version of the standard operators that a graph is written in."""


def graph_of(module: ModuleCalls) -> Graph:
    """A module in operators of ONNX; raises `CircError` (E0803, E0804) at the line of the model."""
    writing = Writing(module, modules=outputs_of(module))
    writing.tensors.update(module.tensors)
    writing.made.update({name: told_of(x) for name, x in module.tensors.items()})
    for given in module.inputs:
        writing.made[given.name] = Made(tuple(side or 1 for side in given.shape or ()), given.dtype)
        if given.dtype in WHOLE:
            writing.tokens.add(given.name)
    for call in module.calls:
        with told_at(call.origin.span):
            say(call, writing)
    output = ended(module, writing)
    used = {name for node in writing.nodes for name in node.inputs}
    tensors = {name: x for name, x in writing.tensors.items() if name in used}
    dtype = writing.made[output].dtype
    own = dtype if dtype in FLOATS else ""
    return with_tables(
        Graph(OPSET, tuple(writing.nodes), tensors, module.inputs, (output,), own), module.name
    )


def with_tables(graph: Graph, name: str) -> Graph:
    """The graph; raises `CircError` (E0822) where no table says how many tokens an input has."""
    known = vocabularies(graph)
    for given in graph.inputs:
        if given.dtype in WHOLE and given.name not in known:
            reason = f"no table is looked up by its input `{given.name}`, which is of whole numbers"
            help = "tokens are looked up in a table, whose rows say how many there are"
            raise CircError(not_exported(name, reason, help))
    return graph


def ended(module: ModuleCalls, writing: Writing) -> str:
    """The name of the output: one that nothing computes is passed on under a name of its own."""
    made = {name for node in writing.nodes for name in node.outputs}
    if module.output in made:
        return module.output
    if module.output not in writing.made:
        reason = "it returns a result besides the first of an operator, which is not read"
        raise CircError(not_exported(module.name, reason))
    kind = writing.made[module.output]
    last = Call("output", "output", {}, frozenset(), (kind,), Origin("output", "output", ""))
    Use(last, writing).end("Identity", module.output)
    return last.name


def told_of(stored: Stored) -> Made:
    """What a known tensor is."""
    return Made(tuple(map(int, stored.values.shape)), stored.dtype)


def say(call: Call, writing: Writing) -> None:
    """One call."""
    found = OPERATORS.get(call.operator)
    if found is None:
        names = {name.partition(".")[0] for name in OPERATORS}
        known = sorted(name for name in names if not name.startswith("_"))
        raise CircError(
            unsupported(writing.module.name, call.origin.told, call.origin.operator, known)
        )
    use = Use(call, writing)
    for name in references(call):
        if name not in writing.made:
            use.refuse(f"it reads `{name}`, a result besides the first, which is not read")
    for name in sorted(call.given - found.read):
        use.refuse(f"its argument `{name}` is not read")
    if call.operator in NUMBERS and call.made[0].dtype == "BOOL":
        use.refuse("it computes with truths, whose sums are truths again: make them numbers first")
    if use.carries and call.made[0].dtype in WHOLE and call.operator not in {*CARRYING, "one_hot"}:
        use.refuse(f"it computes with {TOKENS_READ}")
    found.meaning(use)
    if use.carries and call.operator in CARRYING and call.made[0].dtype in WHOLE:
        writing.tokens |= {*call.names}


def outputs_of(module: ModuleCalls) -> dict[str, str]:
    """The modules that are one call, by what it makes: their path is a name for it too."""
    paths = Counter(call.origin.module for call in module.calls)
    return {
        call.first: call.origin.module
        for call in module.calls
        if call.layer and call.origin.module and paths[call.origin.module] == 1
    }

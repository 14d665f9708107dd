"""Networks that take tokens: words of a spec by the numbers of their members, as modules and in ONNX files."""

# What is untyped in torch stays inside the tests.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

import runpy
from collections.abc import Callable
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from onnx import NodeProto
from torch import Tensor, nn
from torch.nn import functional

import circ
from circ.compiler.agreement import Compared
from circ.compiler.finding import Fails, Holds, Limits, silent
from circ.compiler.onnx.file import read_graph
from circ.compiler.onnx.tokens import vocabularies
from circ.compiler.verdict import Proved, Refuted
from circ.runtime.engines import automata, enumeration, smt, token_sets
from circ.runtime.loading import Spec
from circ.runtime.networks import HandedOver
from circ.runtime.shares import Engine
from tests.agreement.fresh_python import run_without_circ
from tests.unit.onnx_models import Array, model, node, saved
from tests.unit.specs import command, save

WIDTH, LENGTH, HEADS = 4, 4, 2


class Transformer(nn.Module):
    """Embedding and positions, causal attention and an MLP a layer, and logits: `(batch, length, vocabulary)`."""

    def __init__(self, layers: int = 1, vocabulary: int = 3) -> None:
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, WIDTH), nn.Embedding(LENGTH, WIDTH)
        self.qkv = nn.ModuleList(nn.Linear(WIDTH, 3 * WIDTH) for _ in range(layers))
        self.out = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(layers))
        self.inner = nn.ModuleList(nn.Linear(WIDTH, 5) for _ in range(layers))
        self.outer = nn.ModuleList(nn.Linear(5, WIDTH) for _ in range(layers))
        self.unembed = nn.Linear(WIDTH, vocabulary, bias=False)

    def forward(self, tokens: Tensor) -> Tensor:
        """The logits at each position."""
        batch, length = tokens.shape
        x: Tensor = self.embed(tokens) + self.place(torch.arange(length))
        for k in range(len(self.qkv)):
            parts = self.qkv[k](x).chunk(3, -1)
            q, k_, v = (part.view(batch, length, HEADS, -1).transpose(1, 2) for part in parts)
            mixed = functional.scaled_dot_product_attention(q, k_, v, is_causal=True)
            x = x + self.out[k](mixed.transpose(1, 2).reshape(batch, length, WIDTH))
            x = x + self.outer[k](self.inner[k](x).relu())
        found: Tensor = self.unembed(x)
        return found


class Own(nn.Module):
    """What a function makes of tokens, with tables inside."""

    def __init__(self, function: Callable[[Own, Tensor], Tensor]) -> None:
        super().__init__()
        self.table, self.short = nn.Embedding(5, 3), nn.Embedding(4, 3)
        self.columns = nn.Parameter(torch.randn(3, 5))
        self.function = function

    def forward(self, tokens: Tensor) -> Tensor:
        """The function's value."""
        return self.function(self, tokens)


def handed(layers: int = 1, vocabulary: int = 3) -> HandedOver:
    """A transformer as a network."""
    torch.manual_seed(3 + layers)
    module = Transformer(layers, vocabulary).eval()
    return circ.network(module, torch.zeros(1, LENGTH, dtype=torch.int64))


def own(function: Callable[[Own, Tensor], Tensor], *shape: int) -> HandedOver:
    """A function of tokens as a network."""
    torch.manual_seed(2)
    return circ.network(Own(function).eval(), torch.ones(shape, dtype=torch.int64))


SPEC = """enum Letter = { a, b, c }
network f(s: Letter[4]) -> real[4, 3]
domain Words = { s: Letter[4] }
"""


def opened(folder: Path, claims: str, net: HandedOver, head: str = SPEC) -> Spec:
    """A spec with claims about a network."""
    (folder / "s.circ").write_text(head + claims)
    return circ.load(folder / "s.circ", networks={"f": net})


# --- what is computed -------------------------------------------------------------------------


@pytest.mark.parametrize("layers", [1, 2])
def test_a_transformer_on_tokens_is_what_its_module_computes(layers: int, tmp_path: Path) -> None:
    """On all words: the reading in floats, its exact values, and the same from the file, to onnxruntime too."""
    net = handed(layers)
    words = torch.tensor([*product(range(3), repeat=LENGTH)])
    with torch.no_grad():
        wanted = net.module(words)
    found = torch.stack([net(word[None])[0] for word in words])
    assert torch.allclose(found, wanted, atol=1e-5)
    for word, row in [*zip(words, wanted, strict=True)][::20]:
        middle = [float(low + high) / 2 for low, high in net.exactly(word[None])]
        assert middle == pytest.approx(row.flatten().tolist(), abs=1e-5)
    net.save(tmp_path / "f.onnx")
    head = SPEC.replace("-> real[4, 3]", '-> real[4, 3] from "f.onnx"')
    (tmp_path / "s.circ").write_text(head)
    spec = circ.load(tmp_path / "s.circ")
    (again,) = spec.program.files.networks.values()
    assert again.network.circuit == net.imported.network.circuit
    assert isinstance(again.agreement, Compared) and "onnxruntime" in again.agreement.peer


FUNCTIONS: dict[str, tuple[Callable[[Own, Tensor], Tensor], tuple[int, ...]]] = {
    "a table": (lambda m, s: m.table(s), (4,)),
    "one token": (lambda m, s: m.table(s), ()),
    "one of a batch": (lambda m, s: m.table(s), (1,)),
    "rows by an index": (lambda m, s: m.table.weight[s], (1, 4)),
    "columns by an index": (lambda m, s: m.columns[:, s], (2, 3)),
    "columns selected": (lambda m, s: m.columns.index_select(1, s), (4,)),
    "two tables": (lambda m, s: m.table(s) - m.short(s), (4,)),
    "moved": (lambda m, s: m.table(s.view(2, 2).T.flip(0).reshape(1, 4)[:, 1:]), (4,)),
    "one after the other": (lambda m, s: m.table(torch.stack(s.unbind(0)[::-1])), (3,)),
    "with one before": (lambda m, s: m.table(torch.cat([torch.tensor([4]), s])), (3,)),
    "in int32": (lambda m, s: m.table(s.int()), (3,)),
    "as numbers": (lambda m, s: m.table(s) * (s[:, None].float() / 4) + 0.5 * s[:, None], (3,)),
    "padding": (lambda m, s: torch.where((s != 2)[:, None], m.table(s), -1.0), (4,)),
    "compared": (lambda m, s: m.table(s) * ((s == 7) | (s >= 3) & (s[0] < s))[:, None], (4,)),
    "one-hot": (lambda m, s: functional.one_hot(s, 5).float() @ m.table.weight, (4,)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_modules_do_with_tokens_is_read(name: str, tmp_path: Path) -> None:
    """On all words as PyTorch has it; handing over compares the two, and here the saved file is, by onnxruntime."""
    function, shape = FUNCTIONS[name]
    net = own(function, *shape)
    (count,) = net.vocabularies.values()
    assert count == (4 if name == "two tables" else 5)
    for word in [*product(range(count), repeat=int(np.prod(shape, dtype=int)))][::7]:
        tokens = torch.tensor(word).reshape(shape)
        with torch.no_grad():
            assert torch.allclose(net(tokens), net.module(tokens), atol=1e-5)
    net.save(tmp_path / "net.onnx")
    taken, given = (", ".join(map(str, sides)) for sides in ((count, *shape), net.output))
    text = f'network f(s: fin[{taken}]) -> real[{given}] from "net.onnx"\n'
    (tmp_path / "s.circ").write_text(text)
    (found,) = circ.load(tmp_path / "s.circ").program.files.networks.values()
    assert isinstance(found.agreement, Compared) and "onnxruntime" in found.agreement.peer


POSITIONS = [
    node("Shape", ["x"], "shape"),
    node("Gather", ["shape", "one"], "length", axis=0),
    node("Range", ["zero", "length", "one"], "places"),
    node("Gather", ["wpe", "places"], "place"),
]
KINDS = [
    node("Equal", ["x", "one"], "is"),
    node("Cast", ["is"], "kinds", to=7),
    node("Gather", ["wpe", "kinds"], "place"),
]
TRUTHS = [
    node("Cast", ["x"], "is", to=9),
    node("Cast", ["is"], "kinds", to=7),
    node("Gather", ["wpe", "kinds"], "place"),
]


@pytest.mark.parametrize("nodes", [POSITIONS, KINDS, TRUTHS])
def test_what_is_computed_of_tokens_does_not_say_how_many(
    nodes: list[NodeProto], tmp_path: Path
) -> None:
    """A table of positions, or of kinds, has fewer rows than there are tokens; what only moves tokens counts."""
    rng = np.random.default_rng(0)
    tables = {"wte": rng.normal(size=(8, 2)), "wpe": rng.normal(size=(4, 2))}
    tensors = {name: rows.astype(np.float32) for name, rows in tables.items()}
    tensors |= {"zero": np.array(0), "one": np.array(1), "first": np.array([0, 1])}
    found = [node("Gather", ["wte", "x"], "word"), *nodes, node("Add", ["word", "place"])]
    whole = saved(tmp_path, model(found, [1, 3], tensors, dtype="int64"))
    assert vocabularies(read_graph(whole)) == {"x": 8}
    beside = [
        node("Gather", ["x", "first"], "some", axis=1),
        node("Gather", ["wpe", "some"], "more"),
    ]
    beside += [node("Concat", ["word", "more", "place"], axis=1)]
    whole = saved(tmp_path, model([*found[:-1], *beside], [1, 3], tensors, dtype="int64"))
    assert vocabularies(read_graph(whole)) == {"x": 4}


# --- what is proved ---------------------------------------------------------------------------


def test_claims_about_words_are_decided(tmp_path: Path) -> None:
    """One is proved on all words, one refuted by a word that misses it in the module itself."""
    claims = """claim bounded: forall s in Words: abs(f(s)) <= 10
claim low: forall s in Words: f(s)[3][0] + 1 <= f(s)[3][1]
claim causal: forall s in Words, t in Words: s[0] == t[0] implies f(s)[0] == f(t)[0] within 0.00001
"""
    net = handed()
    spec = opened(tmp_path, claims, net)
    assert isinstance(spec.prove("bounded").verdict, Proved)
    assert isinstance(spec.prove("causal").verdict, Proved)
    answer = spec.prove("low")
    assert isinstance(answer.verdict, Refuted)
    with torch.no_grad():
        logits = net.module(answer.inputs()["s"][None])[0, 3]
    assert logits[0] + 1 > logits[1]


READING = """enum Letter = { a, b, c }
network f(s: Letter[4]) -> real[4, 3]
domain Words = { s: Letter[4] }
checkpoint m from "model.safetensors"
circuit part(x: real[4, 4], W: real[2, 4], add: real[2]) -> real[4, 2] = [ W @ u + add for u in x ]
circuit mixed(q: real[4, 2], k: real[4, 2], v: real[4, 2]) -> real[4, 2] {
  let scores = [ [ k[j] @ q[i] / sqrt(2) for j in positions(k) ] for i in positions(q) ]
  return softmax(scores, [ [ j <= i for j in positions(k) ] for i in positions(q) ]) @ v
}
circuit own(s: Letter[4]) -> real[4, 3] {
  let x = [ m.embed[s[i]] + m.place[i] for i in positions(s) ]
  let first = mixed(part(x, m.W[0:2], m.b[0:2]), part(x, m.W[4:6], m.b[4:6]), part(x, m.W[8:10], m.b[8:10]))
  let other = mixed(part(x, m.W[2:4], m.b[2:4]), part(x, m.W[6:8], m.b[6:8]), part(x, m.W[10:12], m.b[10:12]))
  let read = [ x[i] + m.out[:, 0:2] @ first[i] + m.out[:, 2:4] @ other[i] + m.out_b for i in positions(x) ]
  return [ m.unembed @ (u + m.outer @ relu(m.inner @ u + m.inner_b) + m.outer_b) for u in read ]
}
"""

CLAIMS = """claim same: forall s in Words: f(s) == own(s) within 0.00001
"""


def weights_of(module: Transformer, embed: Tensor) -> dict[str, list[list[float]]]:
    """The tensors of a module of one layer, as the reading by hand names them."""
    found = {
        "embed": embed, "place": module.place.weight, "W": module.qkv[0].weight,
        "b": module.qkv[0].bias, "out": module.out[0].weight, "out_b": module.out[0].bias,
        "inner": module.inner[0].weight, "inner_b": module.inner[0].bias,
        "outer": module.outer[0].weight, "outer_b": module.outer[0].bias,
        "unembed": module.unembed.weight,
    }  # fmt: skip
    return {name: torch.as_tensor(x).detach().tolist() for name, x in found.items()}


def test_a_network_is_equal_to_a_reading_by_hand(tmp_path: Path) -> None:
    """Written in the language over the same weights; not so where rows of its table are exchanged."""
    net = handed()
    module = net.module
    assert isinstance(module, Transformer)
    embed = module.embed.weight
    save(weights_of(module, embed), tmp_path / "model.safetensors", np.float32)
    spec = opened(tmp_path, CLAIMS, net, READING)
    assert isinstance(spec.prove("same").verdict, Proved)
    save(weights_of(module, embed[[0, 2, 1]]), tmp_path / "model.safetensors", np.float32)
    spec = opened(tmp_path, CLAIMS, net, READING)
    assert isinstance(spec.prove("same").verdict, Refuted)


def one_head(length: int) -> HandedOver:
    """One head without an MLP, that reads from the first position."""

    def mixed(module: Own, tokens: Tensor) -> Tensor:
        x = module.table(tokens) + 0.1 * torch.arange(length)[:, None]
        found: Tensor = (x @ x[0]).softmax(-1) @ x
        return found

    return own(mixed, length)


def relus(length: int) -> HandedOver:
    """ReLUs of sums of rows: what SMT reads too."""
    return own(lambda m, s: (m.table(s).sum(0) * torch.tensor([1.0, -1.0, 0.5])).relu(), length)


ENGINES: dict[str, tuple[Callable[[int], HandedOver], tuple[Engine, ...]]] = {
    "a head": (one_head, (enumeration.decide, automata.decide, token_sets.decide)),
    "relus": (relus, (enumeration.decide, automata.decide, smt.decide)),
}


@pytest.mark.parametrize("name", ENGINES)
def test_engines_agree_about_tokens(name: str, tmp_path: Path) -> None:
    """Enumeration, shortest paths, sets of words and SMT read the same words: each bound is held or missed by all."""
    make, engines = ENGINES[name]
    bounds = [k / 4 for k in range(-6, 12, 3)]
    claims = "".join(
        f"claim c{k}: forall s in D: s[0] == 0 implies f(s)[0] <= f(s)[2] + {bound}\n"
        for k, bound in enumerate(bounds)
    )
    head = "network f(s: fin[5, 3]) -> real[3]\ndomain D = { s: fin[5, 3] }\n"
    program = opened(tmp_path, claims, make(3), head).program
    outcomes = set[type]()
    for claim in program.typed.scope.claims:
        asked = program.claim(claim)
        found = {type(e(asked, program.weights, Limits(60.0), silent)) for e in engines}
        assert len(found) == 1 and found <= {Holds, Fails}
        outcomes |= found
    assert outcomes == {Holds, Fails}


def test_long_words_are_decided_by_shortest_paths(tmp_path: Path) -> None:
    """A lookup is a lookup to the automaton of words: 5^20 of them are no matter."""
    head = "network f(s: fin[5, 20]) -> real[3]\ndomain D = { s: fin[5, 20] }\n"
    answer = opened(tmp_path, "claim it: forall s in D: f(s) <= 20\n", one_head(20), head)
    verdict = answer.prove("it").verdict
    assert isinstance(verdict, Proved) and "shortest paths" in str(verdict)


# --- words, edits, fewer members ----------------------------------------------------------------


def test_values_behind_the_embedding_are_sites(tmp_path: Path) -> None:
    """The embedding, what follows it, and the word itself are changed; they are read there, too."""
    claims = """claim word: forall s in Words: f(s) do { s := [ a, a, a, a ] } == f([ a, a, a, a ]) within 0.00001
claim rows: forall s in Words: f(s) do { embed := it } == f(s) within 0.00001
claim none: forall s in Words: f(s) do { embedding := 0 } == f([ a, b, c, a ]) do { embed := 0 } within 0.00001
claim read: forall s in Words: f(s) do { "linear_1" := 0 } != f(s)
claim table: forall s in Words: f(s) do { "embed.weight" := 0 } == f(s) do { embed := 0 } within 0.00001
"""
    spec = opened(tmp_path, claims, handed())
    for claim in ("word", "rows", "none", "read", "table"):
        assert isinstance(spec.prove(claim).verdict, Proved), claim


def test_fewer_members_than_rows_are_the_first_rows(tmp_path: Path) -> None:
    """The first member is the first row; a token that a module puts before may be none of the members."""
    for name in ("a table", "columns by an index", "with one before", "one-hot"):
        function, shape = FUNCTIONS[name]
        net = own(function, *shape)
        sides, out = (", ".join(map(str, each)) for each in (shape, net.output))
        at, place = ("".join(f"[{side - 1}]" for side in each) for each in (shape, net.output))
        head = f"enum E = {{ x, y }}\nnetwork f(s: E[{sides}]) -> real[{out}]\n"
        head += f"domain D = {{ s: E[{sides}] | s{at} == x }}\n"
        words = torch.tensor([*product(range(2), repeat=int(np.prod(shape)))]).reshape(-1, *shape)
        with torch.no_grad():
            values = [float(net.module(word).flatten()[-1]) for word in words]
        most = max(v for v, word in zip(values, words, strict=True) if word.flatten()[-1] == 0)
        claims = f"claim above: forall s in D: f(s){place} <= {most + 1e-3:.6f}\n"
        claims += f"claim below: forall s in D: f(s){place} <= {most - 1e-3:.6f}\n"
        spec = opened(tmp_path, claims, net, head)
        assert isinstance(spec.prove("above").verdict, Proved)
        assert isinstance(spec.prove("below").verdict, Refuted)


def test_a_file_of_another_tool_is_read(tmp_path: Path) -> None:
    """Tokens as `Gather` has them, of a batch or alone, and a padding mask; the spec leaves the batch out."""
    table = np.arange(8, dtype=np.float32).reshape(4, 2) - 3
    zero = np.zeros(1, np.float32)
    tensors: dict[str, Array] = {"W": table, "pad": np.array(3), "last": np.array(2), "zero": zero}
    nodes = [
        node("Gather", ["W", "x"], "e"), node("Equal", ["x", "pad"], "p"),
        node("Unsqueeze", ["p", "last"], "q"), node("Where", ["q", "zero", "e"], "y"),
    ]  # fmt: skip
    saved(tmp_path, model(nodes, [1, 3], tensors, dtype="int64"))
    (tmp_path / "s.circ").write_text(
        'enum E = { a, b, c, d }\nnetwork f(s: E[3]) -> real[3, 2] from "net.onnx"\n'
        "domain D = { s: E[3] }\n"
        "claim last: forall s in D: f(s)[2][1] == match s[2] { d => 0, a => -2, b => 0, c => 2 }\n"
    )
    spec = circ.load(tmp_path / "s.circ")
    assert isinstance(spec.prove("last").verdict, Proved)


# --- text -------------------------------------------------------------------------------------


def test_a_word_is_replayed_by_a_script_and_written_as_pytorch(tmp_path: Path) -> None:
    """With PyTorch alone: the refuting word, and the network as a module that takes the numbers."""
    net = handed()
    net.save(tmp_path / "f.onnx")
    spec = tmp_path / "s.circ"
    head = SPEC.replace("-> real[4, 3]", '-> real[4, 3] from "f.onnx"')
    spec.write_text(
        head + "claim low: forall s in Words: f(s)[3][0] + 1 <= f(s)[3][1]\n"
        "circuit g(s: Letter[4]) -> real[4, 3] = f(s)\n"
    )
    assert command("prove", spec, "low", "--repro", tmp_path / "found") == 1
    script = "import runpy, sys; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='x')['main']()"
    told = run_without_circ(script, tmp_path / "found" / "low.py")
    assert told.endswith("as Circ found\n")
    out = tmp_path / "out.py"
    assert command("compile", spec, "g", "--to", "torch", "--out", out) == 0
    written = runpy.run_path(str(out))["G"].load()
    words = torch.tensor([*product(range(3), repeat=LENGTH)])
    with torch.no_grad():
        assert torch.allclose(written(words), net.module(words), atol=1e-5)


# --- what is refused --------------------------------------------------------------------------

REFUSED: dict[str, tuple[Callable[[Own, Tensor], Tensor], str]] = {
    "next tokens": (lambda m, s: m.table(s + 1), "aten.add.Tensor"),
    "sums": (lambda m, s: m.table(s) * s.sum(), "aten.sum"),
    "chosen": (lambda m, s: m.table(torch.where(s > 2, s, 0)), "aten.where"),
    "padded": (lambda m, s: m.table(functional.pad(s, (1, 0))), "aten.pad"),
    "places of the largest": (lambda m, s: m.table(m.table(s).argmax(-1)), "aten.argmax"),
    "masks of words": (
        lambda m, s: m.table(s).masked_fill((s == 0)[:, None], float("-inf")).softmax(-1),
        "aten.masked_fill.Scalar",
    ),
    "other numbers": (lambda m, s: m.table((m.table(s) > 0).long()[..., 0]), "aten"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_done_with_tokens_is_one_error(name: str) -> None:
    """It names the operator, the module, and the line of the model."""
    function, operator = REFUSED[name]
    with pytest.raises(circ.CircError) as caught:
        own(function, 3)
    (told,) = caught.value.diagnostics
    assert told.code in {"E0803", "E0804"} and operator in told.headline
    assert "the module itself" in told.headline
    assert told.span is not None and told.span.text == "return self.function(self, tokens)"


def test_numbers_that_no_table_has_are_no_tokens() -> None:
    """How many there are is not known then."""
    with pytest.raises(circ.CircError, match="no table is looked up by its input `tokens`"):
        own(lambda _, s: s.float(), 3)


TYPES = {
    "real[3]": "declare `fin[5, 3]`, or `E[3]` of an enum `E` with at most 5 members",
    "bool[3]": "declare `fin[5, 3]`",
    "fin[5, 2]": "declare `fin[5, 3]`",
    "fin[5]": "declare `fin[5, 3]`",
    "E[3]": "an entry has 6 values",
    "fin[6, 1, 3]": "takes 5 tokens, but it is declared `fin[6, 1, 3]`",
}


@pytest.mark.parametrize("kind", TYPES)
def test_a_declared_type_is_of_tokens_of_the_network(kind: str, tmp_path: Path) -> None:
    """In their shape, the batch left out or not, and among no more than its table has rows."""
    net = own(lambda m, s: m.table(s), 1, 3)
    head = f"enum E = {{ x, y, z, u, v, w }}\nnetwork f(s: {kind}) -> real[3, 3]\n"
    with pytest.raises(circ.CircError) as caught:
        opened(tmp_path, "", net, head)
    (told,), shown = caught.value.diagnostics, str(caught.value)
    assert told.code == "E0820" and TYPES[kind] in shown
    for fine in ("fin[5, 3]", "fin[4, 3]", "fin[5, 1, 3]"):
        opened(tmp_path, "", net, f"network f(s: {fine}) -> real[{'1, ' * (len(fine) > 9)}3, 3]\n")


def test_a_property_of_vnnlib_is_not_about_tokens(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its variables are reals."""
    own(lambda m, s: m.table(s).sum(), 1).save(tmp_path / "net.onnx")
    (tmp_path / "p.vnnlib").write_text(
        "(declare-const X_0 Real)(declare-const Y_0 Real)"
        "(assert (<= X_0 1))(assert (>= X_0 0))(assert (<= Y_0 0))"
    )
    assert command("vnnlib", tmp_path / "net.onnx", tmp_path / "p.vnnlib") == 4
    assert "E0814" in (told := capsys.readouterr().err) and "is of tokens" in told

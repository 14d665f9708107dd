"""Modules of PyTorch handed over as networks: what they mean, what is proved of them, what is refused."""

# What is untyped in torch stays inside the tests.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import circ
from circ.compiler.aten.calls import ModuleCalls
from circ.compiler.aten.graph import graph_of
from circ.compiler.onnx.graph import Graph
from circ.compiler.onnx.network import read_network
from circ.compiler.verdict import Proved, Refuted
from circ.runtime import networks
from circ.runtime.agreement import drawn
from circ.runtime.networks import HandedOver, tensors_at

Forward = Callable[["Own", Tensor], Tensor | tuple[Tensor, ...]]


class Own(nn.Module):
    """What a function makes of the input, with a parameter `p` and a module inside."""

    def __init__(self, forward: Forward) -> None:
        super().__init__()
        self.p = nn.Parameter(torch.randn(4, 4))
        self.add = nn.Parameter(torch.randn(4))
        self.rms = nn.RMSNorm(4)
        self.table = nn.Embedding(7, 4)
        self.function = forward

    def forward(self, x: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The function's value."""
        return self.function(self, x)


class Attention(nn.Module):
    """A block of a transformer: rotary positions, causal attention, an MLP; both on the normed stream."""

    cos: Tensor
    sin: Tensor

    def __init__(self, width: int = 6, heads: int = 2, length: int = 4) -> None:
        super().__init__()
        self.heads, side = heads, width // heads
        self.before, self.after = nn.LayerNorm(width), nn.RMSNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.mlp = nn.Sequential(
            nn.Linear(width, 8), nn.GELU(approximate="tanh"), nn.Dropout(0.1), nn.Linear(8, width)
        )
        turns = 1 / 100 ** (torch.arange(0, side - side % 2, 2) / side)
        angles = torch.arange(length)[:, None] * turns.repeat_interleave(2)[None]
        angles = torch.cat([angles, torch.zeros(length, side % 2)], -1)
        self.register_buffer("cos", angles.cos())
        self.register_buffer("sin", angles.sin())

    def turned(self, x: Tensor) -> Tensor:
        """Pairs of entries turned by angles that grow with the position."""
        pairs = torch.stack([-x[..., 1:2], x[..., 0:1]], -1).flatten(-2)
        rest = torch.cat([pairs, torch.zeros_like(x[..., 2:])], -1)
        return x * self.cos[: x.shape[-2]] + rest * self.sin[: x.shape[-2]]

    def forward(self, x: Tensor) -> Tensor:
        """The stream after the block, `(batch, length, width)`."""
        batch, length, width = x.shape
        parts = self.qkv(self.before(x)).view(batch, length, 3, self.heads, -1)
        q, k, v = parts.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(
            self.turned(q), self.turned(k), v, is_causal=True
        )
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        found: Tensor = x + self.mlp(self.after(x))
        return found


def layers() -> nn.Module:
    """Three layers."""
    return nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2))


def convolutions() -> nn.Module:
    """Convolutions, a batch norm that has seen something, pools."""
    norm = nn.BatchNorm2d(3)
    with torch.no_grad():
        norm.running_mean = torch.randn(3)
        norm.running_var = torch.rand(3) + 0.5
    return nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1, stride=2), norm, nn.LeakyReLU(), nn.MaxPool2d(2, stride=1),
        nn.Conv2d(3, 3, 2, groups=3, padding="same"), nn.AvgPool2d(2, padding=1),
        nn.Flatten(), nn.Linear(12, 2), nn.Softmax(-1),
    )  # fmt: skip


MODELS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "layers": (layers, (3,)),
    "layers of a batch": (layers, (1, 3)),
    "layers of rows": (layers, (2, 2, 3)),
    "convolutions": (convolutions, (1, 1, 8, 8)),
    "a block": (Attention, (1, 4, 6)),
    "a layer of PyTorch's": (
        lambda: nn.TransformerEncoderLayer(4, 2, 8, batch_first=True, norm_first=True),
        (1, 3, 4),
    ),
}


def handed(name: str) -> HandedOver:
    """A model as a network."""
    torch.manual_seed(0)
    make, shape = MODELS[name]
    return circ.network(make().eval(), torch.randn(shape))


@pytest.mark.parametrize("name", MODELS)
def test_a_network_is_what_its_module_computes(name: str, tmp_path: Path) -> None:
    """In floats up to rounding, and exactly within it; as ONNX it is the same once more, to onnxruntime too."""
    net = handed(name)
    read = net.imported.network
    net.save(tmp_path / "net.onnx")
    again = read_network(tmp_path / "net.onnx")
    assert again.circuit == read.circuit
    points = drawn(read)
    (shape,) = net.inputs.values()
    for k in range(2):
        (x,) = tensors_at(points, k, [torch.zeros(shape)])
        with torch.no_grad():
            wanted = net.module(x)
        assert net(x).shape == wanted.shape == net.output
        assert torch.allclose(net(x), wanted, atol=1e-5)
        exact = [float(low + high) / 2 for low, high in net.exactly(x)]
        assert exact == pytest.approx(wanted.flatten().tolist(), abs=1e-5)


def test_what_whole_numbers_allow_is_exact() -> None:
    """On small whole weights and inputs neither rounds."""
    torch.manual_seed(0)
    module = layers()
    with torch.no_grad():
        for p in module.parameters():
            p.copy_(torch.randint(-3, 4, p.shape))
    net = circ.network(module, torch.zeros(3))
    for x in torch.randint(-9, 10, (5, 3)).float():
        with torch.no_grad():
            wanted = [Fraction(v) for v in module(x).tolist()]
        assert net.exactly(x) == [(v, v) for v in wanted]
        assert net(x).tolist() == wanted


def test_composites_stay_whole() -> None:
    """A layer is one value, called as its call and as its module; what attention weighs by is a value too."""
    net = handed("a block")
    assert {"layer_norm", "before", "linear", "qkv", "gelu", "mlp.1"} <= {*net.sites}
    assert net.sites["scaled_dot_product_attention/pattern"] == (1, 2, 4, 4)
    assert [node.operator for node in net.imported.graph.nodes].count("LayerNormalization") == 1


def test_constants_are_folded() -> None:
    """Masks and rotary tables are tensors by the time the graph is read; no node makes them."""
    net = handed("a block")
    assert not {"cos", "sin", "arange", "tril", "ones"} & {
        name.partition("/")[0] for node in net.imported.graph.nodes for name in node.outputs
    }
    tables = {x.values.tobytes() for x in net.imported.graph.tensors.values()}
    module = net.module
    assert isinstance(module, Attention)
    assert {x.double().numpy().tobytes() for x in (module.cos, module.sin)} <= tables


FUNCTIONS: dict[str, Forward] = {
    "masked": lambda _, x: x.masked_fill(torch.ones(3, 4).tril() == 0, float("-inf")).softmax(-1),
    "mask added": lambda _, x: (x + torch.full((3, 4), float("-inf")).triu(1)).softmax(-1),
    "norms": lambda m, x: m.rms(x) + x.var(-1, keepdim=True) + torch.rsqrt(x.pow(2) + 1),
    "variances": lambda _, x: x.var(unbiased=False) + x.var(0, correction=0) + x.mean() + x.sum(0),
    "rows of a table": lambda m, x: x + m.table(torch.arange(3)),
    "products": lambda m, x: torch.addmm(x, x @ m.p, m.p.T, beta=2, alpha=0.3) + m.add,
    "vectors": lambda m, x: (m.p @ x[0]) * torch.dot(x[1], m.add) + torch.mv(m.p, x[2]),
    "indices": lambda _, x: x[:, ::2].sum() + x[1] + x[..., [0, -1]].sum() + x[-2:].mean(0),
    "choices": lambda m, x: torch.where(x > 0.1, x, m.p[:3]) + x.sign() + (x <= 0).float() * x,
    "truths": lambda _, x: torch.where((x > 0) & ~(x > 0.5) | (x < -1), x, 2.0),
    "extrema": lambda m, x: torch.maximum(x, m.p[:3]) + x.amax(-1, keepdim=True) - x.min(0).values,
    "clamps": lambda _, x: x.clamp(-0.5, 0.5) + x.clamp(min=0) + functional.relu6(4 * x),
    "activations": lambda _, x: functional.silu(x) + x.tanh() * x.sigmoid() + functional.hardtanh(x),
    "quotients": lambda _, x: x / 3 + 1 / (x * x + 1) + (2 - x) / (1 + x.exp()),
    "multiples": lambda _, x: x.sub(x + 1, alpha=0.25) + torch.rsub(x, 1, alpha=3) + -x.abs(),
    "changes of type": lambda _, x: (x.double() * 0.1).float() + (x > 0) * 2.0,
    "parts": lambda _, x: torch.cat([*torch.split(x, [1, 3], 1), *x.chunk(2, 1)], 1)[:, 2:6]
    + x.flip(0).repeat(1, 2)[:, 1:5],
    "stacks": lambda _, x: torch.stack(x.unbind(0), 1).T + functional.pad(x, (1, 0, 2, 0))[2:, :-1],
    "in place": lambda _, x: (x + 1).mul_(2).add_(x).relu_(),
    "views": lambda _, x: x.view(2, 6).transpose(0, 1).reshape(3, 2, 2).unsqueeze(1).flatten(1),
    "the input itself": lambda _, x: x,
}  # fmt: skip


def filled(module: Own, x: Tensor) -> Tensor:
    """Entries put in place, one column and one stretch."""
    y = torch.zeros(3, 4)
    y[:, 1] = x[:, 0]
    y[1:, 2:] = x[1:, :2]
    return y + module.add


FUNCTIONS["entries put in place"] = filled


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_of_tensors_are_read(name: str, tmp_path: Path) -> None:
    """Each as PyTorch has it; handing over compares the two, and here the saved file is, by onnxruntime."""
    torch.manual_seed(1)
    x = torch.randn(3, 4)
    module = Own(FUNCTIONS[name]).eval()
    net = circ.network(module, x)
    with torch.no_grad():
        assert torch.allclose(net(x), module(x), atol=1e-5)
    net.save(tmp_path / "net.onnx")
    sides = [", ".join(map(str, shape)) for shape in ((3, 4), net.output)]
    text = f'network f(x: real[{sides[0]}]) -> real{f"[{sides[1]}]" if sides[1] else ""} from "net.onnx"\n'
    (tmp_path / "s.circ").write_text(text)
    spec = circ.load(tmp_path / "s.circ")
    (found,) = spec.program.files.networks.values()
    assert "onnxruntime" in str(found.agreement)


SPEC = """network f(x: real[3]) -> real[2]
domain D = { x: real[3] | -1 <= x <= 1 }
claim bounded: forall x in D: abs(f(x)) <= 10
claim small: forall x in D: f(x)[0] <= f(0 * x)[0]
claim silenced: forall x in D: f(x) do { relu := 0 } == f(0 * x) do { "1" := 0 }
"""


def test_claims_about_a_module_are_decided(tmp_path: Path) -> None:
    """One is proved; one is refuted by an input that misses it in the module itself; sites are edited."""
    (tmp_path / "s.circ").write_text(SPEC)
    net = handed("layers")
    spec = circ.load(tmp_path / "s.circ", networks={"f": net})
    assert spec.claims == ("bounded", "small", "silenced")
    assert isinstance(spec.prove("bounded").verdict, Proved)
    assert isinstance(spec.prove("silenced").verdict, Proved)
    answer = spec.prove("small")
    assert isinstance(answer.verdict, Refuted)
    assert "refuted" in str(answer)
    with torch.no_grad():
        found, middle = (net.module(x)[0] for x in (answer.inputs()["x"], torch.zeros(3)))
    assert found > middle


def test_a_block_is_called_with_its_pattern_in_reach(tmp_path: Path) -> None:
    """The batch is left out in the spec; attention looks at nothing that comes later."""
    (tmp_path / "s.circ").write_text("network f(x: real[4, 6]) -> real[4, 6]\n")
    spec = circ.load(tmp_path / "s.circ", networks={"f": handed("a block")})
    rows = str([[0.5 * k - 1 for k in range(6)]] * 4)
    found = spec.run(f'(f({rows})."scaled_dot_product_attention/pattern")[0]')
    assert [found.computed[4 * row + k] for row in range(4) for k in range(row + 1, 4)] == [0] * 6


def test_printing_a_network_shows_what_a_spec_can_name() -> None:
    """Its inputs and its output as types of a spec, and its sites as a spec writes them; of many, the first."""
    found = circ.network(nn.Sequential(nn.Linear(3, 2), nn.ReLU()).eval(), torch.zeros(1, 3))
    shown = (
        "<network Sequential(input: real[1, 3]) -> real[1, 2]; "
        'sites: linear: real[1, 2], relu: real[1, 2], "0": real[1, 2], "1": real[1, 2]>'
    )
    assert [str(found), repr(found)] == [shown, shown]
    deep = str(circ.network(nn.Sequential(*(nn.ReLU() for _ in range(9))).eval(), torch.zeros(3)))
    assert deep.count("real[3]") == 2 + 12
    assert deep.endswith(", … (all 18 in `.sites`)>")


def test_changing_the_module_later_changes_nothing() -> None:
    """A network is the module as it was."""
    net = handed("layers")
    x = torch.ones(3)
    before = net(x).tolist()
    with torch.no_grad():
        for p in net.module.parameters():
            p.zero_()
    assert net(x).tolist() == before != net.module(x).tolist()


# --- what is refused ------------------------------------------------------------------------


def refusal(module: nn.Module, example: Tensor) -> tuple[str, str]:
    """The code and the words of the one error that a module earns."""
    with pytest.raises(circ.CircError) as caught:
        circ.network(module, example)
    (found,) = caught.value.diagnostics
    return found.code, str(caught.value)


REFUSED: dict[str, tuple[Forward, str, str]] = {
    "an operator": (lambda _, x: x.cumsum(0), "E0803", "aten.cumsum"),
    "an overload": (lambda _, x: torch.div(x, 2, rounding_mode="floor"), "E0803", "div.Tensor_mode"),
    "an argument": (
        lambda _, x: functional.scaled_dot_product_attention(
            x[None], x[None], x[None], enable_gqa=True
        ),
        "E0804", "`enable_gqa` is not read",
    ),
    "a sum of truths": (lambda _, x: ((x > 0) + (x > 1)).float(), "E0804", "make them numbers first"),
    "an exact GELU": (lambda _, x: functional.gelu(x), "E0804", "approximate='tanh'"),
    "a quotient": (lambda _, x: x / x.sum(), "E0804", "may be 0"),
    "a branch": (lambda _, x: x if x.sum() > 0 else -x, "E0822", "depends on values of its input"),
    "a condition": (lambda _, x: torch.cond(x.sum() > 0, torch.sin, torch.cos, (x,)), "E0822", "cond"),
    "a shape": (lambda _, x: x.nonzero().float(), "E0822", "depends on values of the input"),
    "a mask of truths": (lambda _, x: x[x > 0], "E0822", "depends on values of the input"),
    "a number": (lambda _, x: x * x.sum().item(), "E0822", "item"),
    "two results": (lambda _, x: (x, x + 1), "E0822", "returns 2 tensors"),
    "places": (lambda _, x: x.argmax(-1), "E0803", "argmax"),
    "what is drawn": (lambda _, x: x + torch.rand(3, 4), "E0822", "draws at random"),
    "dropout": (lambda _, x: functional.dropout(x, 0.1), "E0822", "training mode"),
    "whole numbers": (lambda _, x: x.long().float(), "E0804", "not made I64"),
    "what is no input's": (lambda m, _: m.p, "E0822", "does not depend on its input"),
    "a row left out": (
        lambda _, x: x.masked_fill(torch.ones(3, 4) > 0, float("-inf")).softmax(-1),
        "E0804", "all scores of a row",
    ),
    "what is left out": (
        lambda _, x: x.masked_fill(torch.ones(3, 4).triu() > 0, float("-inf")).relu(),
        "E0804", "-∞ in places",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_read_is_one_error(name: str) -> None:
    """It names the operator or the reason, and shows the line of the model where there is one."""
    function, wanted, words = REFUSED[name]
    code, note = refusal(Own(function).eval(), torch.randn(3, 4))
    assert code == wanted
    assert words in note
    if name not in ("two results", "what is no input's"):
        assert "test_handed_networks.py:" in note


class Deep(nn.Module):
    """A module whose own line is to be shown, far below another."""

    def forward(self, x: Tensor) -> Tensor:
        """What is not read."""
        return torch.erfinv(x)


def test_an_unread_operator_is_shown_in_its_module_at_its_line() -> None:
    """The path of the module as `named_modules` has it, and the line below the error."""
    model = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), Deep()))
    code, note = refusal(model, torch.zeros(2))
    assert code == "E0803"
    assert "aten.erfinv (`erfinv`, in `1.1`)" in note
    assert "return torch.erfinv(x)\n" in note


def test_a_module_that_trains_is_refused_by_the_layer_that_does() -> None:
    """A batch norm, dropout; others are the same in training and after it."""
    for layer in (nn.BatchNorm1d(4), nn.Dropout(0.5)):
        code, note = refusal(nn.Sequential(nn.Linear(4, 4), layer), torch.randn(3, 4))
        assert code == "E0822"
        assert "in `1`" in note
        assert "module.eval()" in note
    assert circ.network(nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.0)), torch.zeros(4)).output == (
        4,
    )


@pytest.mark.parametrize("dtype", [torch.int16, torch.bool, torch.float16, torch.bfloat16])
def test_inputs_are_single_or_double_floats_or_tokens(dtype: torch.dtype) -> None:
    """Tokens are int64 or int32, and half precision is widened without loss."""
    code, note = refusal(nn.Identity(), torch.zeros(3).to(dtype))
    assert (code, "module.float()" in note) == ("E0822", True)


def test_a_module_in_double_precision_keeps_its_numbers(tmp_path: Path) -> None:
    """ONNX has attributes in float32 alone: what does not fit one is not written."""
    module = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3)).double()
    net = circ.network(module, torch.zeros(3, dtype=torch.float64))
    x = torch.randn(3, dtype=torch.float64)
    with torch.no_grad():
        assert torch.allclose(net(x), module(x), atol=1e-13, rtol=0)
    with pytest.raises(circ.CircError, match="1e-05"):
        net.save(tmp_path / "net.onnx")


def test_a_spec_says_what_it_is_handed(tmp_path: Path) -> None:
    """A network that is missing, one that is not declared, and one of other shapes."""
    (tmp_path / "s.circ").write_text(SPEC)
    for given, code in (
        ({}, "E0821"),
        ({"g": handed("layers")}, "E0703"),
        ({"f": handed("layers of rows")}, "E0820"),
    ):
        with pytest.raises(circ.CircError) as caught:
            circ.load(tmp_path / "s.circ", networks=given)
        assert caught.value.diagnostics[0].code == code


def test_a_saved_network_stands_in_from_the_command_line(tmp_path: Path) -> None:
    """`--checkpoint f=FILE` names the file of a network without one, or another one than the spec's."""
    (tmp_path / "s.circ").write_text(SPEC)
    handed("layers").save(tmp_path / "net.onnx")
    spec = circ.load(tmp_path / "s.circ", checkpoints={"f": tmp_path / "net.onnx"})
    assert isinstance(spec.prove("bounded").verdict, Proved)


# --- the comparison -------------------------------------------------------------------------


def test_a_reading_that_differs_from_the_module_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It names the first call that differs, with its line."""

    def bent(module: ModuleCalls) -> Graph:
        graph = graph_of(module)
        nodes = [
            replace(node, operator="Abs") if node.operator == "Relu" else node
            for node in graph.nodes
        ]
        return replace(graph, nodes=tuple(nodes))

    monkeypatch.setattr(networks, "graph_of", bent)
    code, note = refusal(Own(lambda m, x: functional.relu(x) + m.add), torch.randn(3, 4))
    assert code == "E0823"
    assert "aten.relu (`relu`, in the module itself)" in note


def test_what_is_no_network_is_said(tmp_path: Path) -> None:
    """A list in the place of an example, and a module in that of a network, are told with the way out."""
    module = nn.Linear(2, 1)
    with pytest.raises(circ.CircError, match=r"torch\.zeros"):
        circ.network(module, [0.0, 1.0])  # type: ignore[list-item, unused-ignore] # pyright: ignore
    spec = tmp_path / "s.circ"
    spec.write_text("network f(x: real[2]) -> real[1]\n")
    with pytest.raises(TypeError, match=r"circ\.network\(module, example\)"):
        circ.load(spec, networks={"f": module})  # type: ignore[dict-item, unused-ignore] # pyright: ignore

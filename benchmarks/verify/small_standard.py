"""Small random claims as ONNX and VNN-LIB, in the words that every verifier reads."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import assert_never

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from benchmarks.verify.instances import Instance
from benchmarks.verify.small import IntArray, Small


def standard(claim: Small, folder: Path) -> Instance | None:
    """The claim as a problem: an input is looked for that reaches the bound.

    None where half-spaces cut the box, or a guard or a choice is beyond what every verifier reads.
    Those that compute in floats take `>` for `>=`, so that it is `>=` here.
    """
    sought = reached(claim)
    if sought is None:
        return None
    files = folder / "net.onnx", folder / "question.vnnlib"
    files[0].write_bytes(network(layers(claim)).SerializeToString())
    inputs = len(claim.net.guard)
    lines = [f"(declare-const X_{k} Real)" for k in range(inputs)]
    lines += [f"(declare-const Y_{k} Real)" for k in range(2)]
    for k in range(inputs):
        lines += [f"(assert (>= X_{k} -1.0))", f"(assert (<= X_{k} 1.0))"]
    files[1].write_text("\n".join([*lines, sought, ""]))
    return Instance("small", *files, "")


def reached(claim: Small) -> str | None:
    """What is looked for, of the outputs."""
    if len(claim.cuts):
        return None
    bound = decimal(claim.bound)
    match claim.form:
        case "plain":
            return f"(assert (>= Y_0 {bound}))"
        case "max" | "abs":
            return f"(assert (or (and (>= Y_0 {bound})) (and (>= Y_1 {bound}))))"
        case "guard" | "premise" | "topk" | "argmax" | "near":
            return None
        case _:
            assert_never(claim.form)


def layers(claim: Small) -> list[tuple[IntArray, IntArray]]:
    """The network's layers; of `abs` the last one gives the difference and its negative."""
    *hidden, (w, b) = claim.net.layers
    if claim.form == "abs":
        w, b = (np.array([x[0] - x[1], x[1] - x[0]]) for x in (w, b))
    return [*hidden, (w, b)]


def decimal(value: Fraction) -> str:
    """A dyadic number with a small denominator, in full."""
    return f"{float(value):.40f}".rstrip("0") + "0"


def network(layers: Sequence[tuple[IntArray, IntArray]]) -> onnx.ModelProto:
    """Layers as MatMul, Add and Relu, in float32."""
    nodes, tensors, x = list[onnx.NodeProto](), list[onnx.TensorProto](), "X"
    for k, (w, b) in enumerate(layers):
        for name, known in ((f"w{k}", w.T), (f"b{k}", b)):
            tensors.append(numpy_helper.from_array(np.ascontiguousarray(known, np.float32), name))
        last = k + 1 == len(layers)
        nodes.append(helper.make_node("MatMul", [x, f"w{k}"], [f"p{k}"]))
        nodes.append(helper.make_node("Add", [f"p{k}", f"b{k}"], ["Y" if last else f"s{k}"]))
        if not last:
            nodes.append(helper.make_node("Relu", [f"s{k}"], [f"h{k}"]))
        x = f"h{k}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])
        for name, size in (("X", layers[0][0].shape[1]), ("Y", 2))
    ]
    graph = helper.make_graph(nodes, "small", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    return model

"""One spec that uses every construct of the language, and the checkpoint it reads."""

from __future__ import annotations

import json
from pathlib import Path

from tests.mdtest import write_checkpoint

WEIGHTS = {
    "embed": [[1.0, 0.0], [0.0, 1.0], [0.5, -0.5], [2.0, 1.0]],
    "pos": [[0.0, 0.0], [0.25, 0.0], [0.5, 0.0]],
    "blocks.0.attn": [[1.0, 0.5], [-0.5, 1.0]],
    "blocks.0.mlp.W": [[1.0, -1.0], [0.5, 2.0], [-1.0, 0.0]],
    "blocks.0.mlp.b": [0.5, -0.5, 0.0],
    "blocks.1.mlp.W": [[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]],
    "blocks.1.mlp.b": [0.0, 0.25, 1.0],
    "out": [[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]],
    "unembed": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [-1.0, 0.5]],
    "odd key": [0.5, 0.5],
    "thin.W_in": [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]],
    "thin.b_in": [0.0, 0.0, 0.5],
    "thin.W_out": [[1.0, 0.0, 1.0], [0.0, 1.0, -1.0]],
    "thin.b_out": [0.0, 0.0],
}

SPEC = """\
## Everything at once.

enum Char  = { letter, quote, "two words", eos }
enum Quote = { none, inside }

checkpoint m from "model.safetensors" {
  embed:          real[Char, 2]
  blocks.*.mlp.W: real[3, 2]
  unembed:        real[Char, 2]
}

space Plane = real[2]

subspace Odd of Plane = span m."odd key"

param eps: real = 0.01
param twice     = 2 * eps / sqrt(4)

circuit mlp[n](x: real[2], w: real[n, 2], b: real[n]) -> real[n] {
  let pre  = w @ x + b
  let post = relu(pre)
  return post
}

circuit block(x: real[2]) -> real[2] {
  let hidden: real[3] = mlp(x, m.blocks.0.mlp.W, m.blocks.0.mlp.b)
  let scaled = clamp(hidden, -4, 4) * 0.5
  return x + m.out @ scaled
}

circuit thin(x: real[2]) -> real[2] = m.thin.W_out @ relu(m.thin.W_in @ x + m.thin.b_in) + m.thin.b_out

circuit model(s: Char[3]) -> real[Char] {
  let x       = [ m.embed[c] for c in s ] + m.pos
  let scores  = [ dot(v, m.blocks.0.attn @ x[-1]) / 4 for v in x ]
  let pattern = softmax(scores)
  let mixed   = block(pattern @ x)
  return m.unembed @ mixed
}

circuit rows(x: real[2]) -> real[2] {
  let each  = [ block(v) for v in [ x, 2 * x ] ]
  let total = fold acc = x over v in each: block(acc + v)
  return total
}

circuit state[n](s: Char[n]) -> Quote =
  fold q = none over c in s: match (q, c) {
    (none, quote)                         => inside
    (inside, quote) | (inside, "two words") => none
    _                                     => q
  }

circuit rule(s: Char[3]) -> Char = match state(s) {
  inside => quote
  none   => eos
}

circuit gate(x: real[2]) -> bool = x[0] > 0.5 and not (x[1] < -1 or x[1] > 1)

circuit piecewise(x: real[2]) -> real[2] = cases {
  gate(x)      => m.blocks.0.attn @ x
  x[0] <= -0.5 => 0
  else         => [ max(x), min(x[0], x[1], 0) ]
}

circuit pick[n](x: real[n], i: fin[n]) -> real = x[i]

circuit cut[h, k](w: real[h*k, 2], x: real[2]) -> real[h, k] = [ w[i * k:(i + 1) * k] @ x for i in fin[h] ]

circuit later[n](x: real[n]) -> real[n - 1] = x[1:] - x[:-1] + cut[h = 2, k = 3 - 1](m.embed, x[:2])[0, 0]

domain Words  = { s: Char[3] | count { c in s | c in [quote, "two words"] } <= 2 }
domain Short  = { s in Words | s[0] == letter or state(s) == inside }
domain Formed = { s in Words | s matches (letter | quote)* "two words"{1,2} Char.eos? }
domain Box    = { x: real[2] | -1 <= x <= 1 and norm_1(x - m."odd key") <= 3 }
domain Places = { i: fin[2] }
domain Pairs  = { s: Char[3], x in Box | (s[0] == letter or x[0] <= 0) }
domain Fewer  = { (t, y) in Pairs | y[1] >= 0 }

claim faithful:  forall s in Words: argmax(model(s)) == rule(s)
claim same:      forall s, t in Short where state(s) == state(t): rule(s) == rule(t)
claim needs:     exists s in Words: argmax(model(s) do { mixed.hidden.post := 0 }) != rule(s)
claim patched:   forall s in Words, t in Words:
  model(s) do { x[0] := model(t).x[0], mixed.x := it / 2 } == model(s) within 100
claim ablated:   forall x in Box: (block(x) do { m.out[:, 0] := 0 }).hidden <= 3
claim inside:    forall x in Box:
  rows(x) do { each.hidden.post[1] := 0, total.acc[0] := it, total.scaled[1, 2] := 1 } == rows(x).total.acc[1] within 99
claim typed:     forall c, d in Char, i in fin[2]: c == d or state([ c, d, c ]) == none or i in [0, 1]
claim chained expects refuted: forall x in Box: all(-1 <= block(x)[0:2] < twice)
claim logic:     forall x in Box, i in Places:
  pick(x, i) > 0.5 and gate(x) implies any(x != 0) or i in [0, 1] and abs(sum(x)) <= mean(x) + 9
claim formed:    exists s in Formed: not s matches _ quote+ | letter{2,} () _* and s[0] == quote
claim sized:     forall x in Box: cut[h = 2](m.embed, x)[0] == x and later(x) <= 9
claim smooth:    forall x in Box: exp(x[0]) - norm_inf(x) <= 3 and piecewise(x) <= 2
claim closed:    Quote.none == none and eps < 1
claim listed:    forall i in { i in Places | i != 1 }, c in Char where c != eos: exists s in Char[2]: s[i] == c
claim placed:    forall i in Places where i == 0: exists x in Box:
  rows(x) do { each.hidden.post[i, i + 1] := 0 } != rows(x)
claim joint:     forall (s, x), (t, y) in Fewer, i in Places where s == t: x[i] <= y[i] + 2
claim helped using smooth, ablated expects refuted: forall x in Box: piecewise(x) <= 2

patch quiet of block {
  project  m.blocks.0.mlp.W[_, :], m.out[:, 0:2] off span [m."odd key", [1, -eps]]
  clamp    m.out along m."odd key" to [-eps, 2 * eps]
  project  m.out off Odd
  preserve forall x in Box: block(x) == old block(x) within 9
}

patch grown of thin {
  clamp    m.thin at x in Box along [eps, 1] to [-eps, 2 * eps]
  graft    m.thin at x in Box margin eps when x[0] > 0.5 => [x[0] / 2, 0]
  graft    m.thin at x in { x in Box | x[1] <= 0 } margin 2 * eps when not x[0] + x[1] > 0 => m."odd key"
  require  forall x in Box: thin(x) <= 9
}

patch other of thin {
  install  m.thin at x in Box => relu(x)
  preserve forall x in Box: norm_inf(thin(x) - old thin(x)) <= 9
}

patch mend of block {
  edit     m.out rank 1, m.blocks.0.mlp.b
  require  forall x in Box where not gate(x): block(x)[0] <= 2
  preserve forall x in Box: block(x) == old block(x) within 0.5
  minimize l2
}
"""


def write_weights(folder: Path) -> None:
    """The checkpoint that the spec names."""
    write_checkpoint(folder / "model.safetensors", json.dumps(WEIGHTS))

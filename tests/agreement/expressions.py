"""Random well-typed expressions as text, over one spec that declares something of every kind."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

WEIGHTS = {
    "W": [[1, 2, 0], [0, -1, 0.5], [0.25, 0, 1]],
    "b": [1, -2, 3],
    "scale": 2.0,
    "div": [2, -0.5, 3],
    "g.scores": [[1, 0, 2], [0, 1, 1], [-1, -1.5, 0]],
    "l.0.in.W": [[1, 0, -1], [0.5, 2, 0]],
    "l.0.in.b": [0.5, -1],
    "l.0.out": [[1, 0], [0, -2], [1, 1]],
    "l.1.in.W": [[0, 1, 1]],
    "l.1.in.b": [1],
    "l.1.out": [[2], [0], [-1]],
}

SPEC = """\
enum Char  = { a, "b b", cc }
enum Quote = { none, some }
space Room = real[3]
param eps = 0.25
checkpoint m from "model.safetensors" { g.scores: real[Char, 3] }

subspace Plane of Room = span [m.b, [1, 0, 2]]
subspace Row of Room = span m.W[1]
subspace Rows of Room = span m.W[:2]

guard high(z: Room, least: real) = z[0] > least and not all(z <= m.b)

circuit apart(z: Room) -> Room {
  let on_plane = z on Plane
  let shares   = coords(z, Rows)
  return (z off Rows) + on_plane * shares[-1]
}

record Into[d, h] = { W: real[h, d], b: real[h] }
record Layer[h] = {
  "in": Into[3, h]
  out: real[3, h]
}

circuit into[d, h](w: Into[d, h], z: real[d]) -> real[h] = relu(w.W @ z + w.b) / h

circuit layer[h](w: Layer[h], z: real[3]) -> real[3] {
  let hidden = into(w.in, z)
  return w.out @ hidden
}

circuit inner[n](z: real[n], shift: real) -> real[n] {
  let up    = relu(z - shift)
  let total = sum(up)
  let rows: real[2, n] = 1
  return up * total / (n + 1) - rows[0] * n
}

circuit outer(z: real[3]) -> real[3] {
  let first  = inner(z, 0.5)
  let second = m.W @ first + m.b
  let fill: real[3] = 2
  return second * fill + first
}

circuit reads(z: real[3]) -> real[3] {
  let once = outer(z) do { first := it + 1 }
  return once + m.W[0]
}

circuit state[n](s: Char[n]) -> Quote =
  fold q = none over c in s: match (q, c) { (none, a) => some, (some, a | cc) => none, _ => q }

circuit many(z: real[3]) -> real[3] {
  let each = [ outer(z * row) for row in m.W ]
  let run  = fold u = z over row in each: inner(u - row, 1)
  let wide = [ layer(m.l.0, row) for row in each ]
  let last = fold v = 0 over x in run: v - x
  return run + wide[-1] * last + each[0]
}

circuit deep(z: real[3]) -> real[3] {
  let rows = [ many(z + row) for row in m.W ]
  return rows[1] - min(rows)
}

circuit parted(z: real[3]) -> real[3] {
  let small = z / m.div
  return small + z / (m.W[0, 1] * m.scale)
}

circuit step(p: Quote, c: Char) -> Quote =
  match (p, c) { (none, a) => some, (some, a | cc) => none, _ => p }

circuit told(s: Char[3]) -> Quote {
  let state = fold q = none over c in s: step(q, c)
  return state
}

circuit form[n](s: Char[n]) -> bool = s matches (a | "b b")* Char.cc? _

circuit pick[n](z: real[n], at: fin[n]) -> real = z[at]

circuit heads[h, k](w: real[h*k, 3], z: real[3]) -> real[h, k] =
  [ w[i * k:(i + 1) * k] @ z for i in fin[h] ]

circuit steps[n](z: real[n]) -> real[n - 1] = z[1:] - z[:-1]
circuit middle[k](z: real[2*k + 1]) -> real = z[k] + 2 * z[k + 1] - z[-k]
circuit most[k, n](z: real[n]) -> real[n] = topk(k, z) * z
circuit twice[n](z: real[n]) -> real[n] = most[k = n - 1](z) + [ steps(z)[0] for v in z ]

domain X = { x: real[3] | -4 <= x <= 4 }
domain Y = { y: real[Char] | -4 <= y <= 4 }
domain S = { s: Char[3] }
domain C = { c: Char }
domain I = { i: fin[3] }
domain Q = { q: Quote }
"""

QUANTIFIER = "forall x in X, y in Y, s in S, c in C, i in I, q in Q"

# `<V>` is an expression of kind V; in `<R|v:R>` the name v is a local of kind R.
# Kinds: R real, V real[3], Y real[Char], M real[3, 3], C Char, S Char[3], I fin[3], Q Quote,
# B bool, T bool[3]. W and N are patterns of words, over Char and over fin[3]. The first line of each has no parts.
RULES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "R": (
        ("0", "1.5", "x[0]", "y[a]", "x[-1]", "eps", "m.scale", 'y["b b"]', "m.W[2, 0]"),
        (
            *("(<R> + <R>)", "(<R> - <R>)", "(<R> * <R>)", "(<R> / eps)", "(<R> / (2 - sqrt(9)))"),
            *("relu(<R>)", "abs(<R>)", "(-<R>)", "max(<R>, <R>)", "min(<R>, <R>, 1)"),
            *("sum(<V>)", "mean(<V>)", "max(<Y>)", "min(<V>)", "dot(<V>, <V>)", "(<V> @ <Y>)"),
            *("(<V>)[1]", "(<V>)[<I>]", "(<Y>)[<C>]", "(<M>)[<C>, <I>]", "(<M>)[-1, <I>]"),
            *("norm_1(<V>)", "norm_inf(<M>)", "clamp(<R>, -1, <R>)", "pick(<V>, <I>)"),
            *(
                "cases { <B> => <R>, <B> => <R>, else => <R> }",
                "(fold v = <R> over w in <V>: <R|v:R,w:R>)",
            ),
            "count { k in positions(<V>) | k <= <I> }",
            *("count { k in fin[3] | k <= <I> }", "sum([ (<V>)[k + 1] for k in fin[3 - 1] ])"),
            *(
                "middle(<V>)",
                "steps(<V>)[1]",
                "coords(<V>, Plane)[1]",
                "sum(coords(<V>, Row))",
                "(fold v = <R> over k in fin[2]: v + <R|v:R>)",
            ),
            *("count { d in <S> | <B|d:C> }", "count { u in <M> | <B|u:V> }"),
            *("match <Q> { none => <R>, some => <R> }", "match <I> { 0 | 2 => <R>, _ => <R> }"),
            *("many(<V>).each.first.total[1]", "(many(<V>) do { last.v[1] := <R|it:R> }).last"),
            *("inner(<V>, <R>).total", "(outer(<V>) do { first.up := <V|it:V> }).first.total"),
        ),
    ),
    "V": (
        ("x", "m.b", "[1, 2, 3]", "m.W[:, 1]"),
        (
            *("(<V> + <V>)", "(<V> - <R>)", "(<R> * <V>)", "(<V> * <V>)", "(<V> / 4)", "(-<V>)"),
            *("(<M> @ <V>)", "(<V> @ <M>)", "relu(<V>)", "abs(<V>)", "max(<V>, <R>)", "min(<M>)"),
            *("sum(<M>)", "mean(<M>)", "max(<M>)", "clamp(<V>, <R>, 3)", "[<R>, <R>, <R>]"),
            *("topk(2, <V>)", "topk(1, <V>)", "hardmax(<V>)", "twice(<V>)", "most[k = 2](<V>)"),
            *("heads[h = 3](<M>, <V>)[:, 0]", "heads[k = 3](<M>, <V>)[0]"),
            *("((<V> as Room) as real[3])", "((<V> on Plane) as real[3])"),
            *(
                "layer(m.l.0, <V>)",
                "layer(m.l.1, <V>).z",
                "(layer(m.l.0, <V>) do { hidden[0] := <R|it:R> })",
            ),
            *(
                "(layer(m.l.0, <V>) do { m.l.0.in.b := <V>[:2], m.l.0.out[:, 1] := 0 })",
                "(layer(m.l.1, <V>) do { hidden.z := <V|it:V> })",
                "(layer(m.l.0, <V>) do { hidden.w := m.l.0.in })",
            ),
            *(
                "(layer(m.l.0, <V>) do { w.in.b[0] := <R|it:R>, m.l.0.in.b[1] := <R|it:R> })",
                "(layer(m.l.0, <V>) do { w.out[:, 0] := <V|it:V>, m.l.0.out[0] := it + 1 })",
                "(layer(m.l.1, <V>) do { w.in := m.l.1.in, hidden.w.W[0] := <V|it:V> })",
                "(layer(m.l.0, <V>) do { w.in.W[1] := <V|it:V> }).w.in.W[1]",
            ),
            *(
                "many(<V>) do { each.first.total := <V|it:V> }",
                "many(<V>) do { each.first.total[:2] := [it[1], it[0]], each.z := <M|it:M> }",
                "many(<V>) do { each.z[1] := <V|it:V> } do { each[0] := <V|it:V>, each[2] := it + 1 }",
                "many(<V>) do { run.u[1] := <V|it:V>, run.up[0, 1:] := 0, run.total[1] := it + 1 }",
                "many(<V>) do { run.u := m.W, run.shift[-1] := <R|it:R> } do { run.u[0] := it * 2 }",
                "many(<V>) do { each.m.b[1, 0] := <R|it:R>, each.m.W[0, :, 1] := <V|it:V> }",
                "many(<V>) do { each.m.b := <M|it:M>, wide.w.in.b[:, 0] := <V|it:V> }",
                "many(<V>) do { wide.w.in := m.l.0.in, wide.hidden.z[2, <K>] := it - 1 }",
                "deep(<V>) do { rows.each.first.total := <M|it:M> }",
                "deep(<V>) do { rows.each.z[1, :, 2] := <V|it:V>, rows.run.u[2, -1] := <V|it:V> }",
                "deep(<V>) do { rows.run.u[:, 1] := <M|it:M>, rows.run.u[1, 2, 0] := <R|it:R> }",
                "deep(<V>) do { rows.each := it + 1 } do { rows.each[0, 0:2] := [it[1], it[0]] }",
                "deep(<V>).rows.last.v[:, 2]",
            ),
            *(
                "parted(<V>)",
                "(parted(<V>) do { m.div[1] := 4 })",
                "(<V> / m.div)",
                "(<R> / m.b)",
                "(parted(<V>) do { m.div := m.b, m.W[0] := [1, it[0], 1], small := <V|it:V> })",
            ),
            "coords([<V>, <V>, <V>] as real[3, Room], Plane)[:, 1]",
            "((coords(<V> as Room, Plane) @ [m.b, [1, 0, 2]] + (<V> off Plane)) as real[3])",
            *("((<V> off Row) as real[3])", "(apart(<V>).on_plane as real[3])"),
            "((apart(<V>) do { m.b[0] := 2, m.W[1, 0] := 0.25 }) as real[3])",
            *(
                "(<M>)[0]",
                "(<M>)[<I>]",
                "(<M>)[:, <C>]",
                "m.g.scores[<C>]",
                "((<M>)[1:, 2][0] * <V>)",
                "(<M>)[<C>]",
            ),
            *("[ <R|v:R> for v in <V> ]", "[ <R|d:C> for d in <S> ]", "[ <R|u:V> for u in <M> ]"),
            *("cases { <B> => <V>, else => <R> }", "match <C> { a | cc => <V>, _ => <R> }"),
            *(
                "(fold u = <V> over v in <V>: <V|u:V,v:R>)",
                "(fold u = <V> over r in <M>: <V|u:V,r:V>)",
            ),
            *("inner(<V>, <R>)", "outer(<V>)", "outer(<V>).first.up", "reads(<V>).once.second"),
            *(
                "outer(<V>) do { first := <V|it:V> }",
                "outer(<V>) do { first[0] := <R|it:R>, first[1:] := 0 }",
            ),
            *(
                "outer(<V>) do { first.shift := it + <R|it:R> }",
                "reads(<V>) do { once.z := <V|it:V> }",
            ),
            *("outer(<V>) do { z := it + 1 } do { first[<K>] := <R|it:R>, second := it }",),
            *(
                "reads(<V>) do { m.W := <M|it:M> }",
                "reads(<V>) do { once.m.W[0] := <V|it:V>, m.b := 0 }",
            ),
            *("reads(<V>) do { once.first.up := <V|it:V>, once.second[-1] := <R|it:R> }",),
            *("(outer(<V>) do { first := it * <R|it:V> }).second",),
        ),
    ),
    "Y": (
        ("y", "m.g.scores[:, 0]"),
        (
            *("relu(<Y>)", "(<Y> + <V>)", "(<R> * <Y>)", "(m.g.scores @ <V>)", "inner(<Y>, <R>)"),
            "topk(2, <Y>)",
            *("[ <R|v:R> for v in <Y> ]", "cases { <B> => <Y>, else => <R> }"),
        ),
    ),
    "M": (
        ("m.W", "[x, x, m.b]", "[[1, 0, 2], [0, 1, 0], [3, 0, 1]]"),
        (
            *("(<M> @ <M>)", "[<V>, <V>, <V>]", "(<R> * <M>)", "(<M> - <M>)", "relu(<M>)"),
            *("topk(2, <M>)", "hardmax(<M>)", "((<M> off Plane) as real[3, 3])"),
            *("[ <V|v:R> for v in <V> ]", "[ [ <R|v:R,w:R> for w in <V> ] for v in <V> ]"),
            *("many(<V>).run.u", "(many(<V>) do { each.first.up[1] := <V|it:V> }).run.up"),
            *("deep(<V>).rows.run.z[1]", "(deep(<V>) do { rows.z[:, 0] := <V|it:V> }).rows"),
            *("match <Q> { none => <M>, some => <R> }", "[outer(<V>).first.rows[1], <V>, <V>]"),
        ),
    ),
    "C": (
        ("c", "a", "Char.cc", '"b b"', "s[0]"),
        (
            *("argmax(<Y>)", "(<S>)[<I>]", "(<S>)[-1]", "cases { <B> => <C>, else => <C> }"),
            *("match <Q> { none => <C>, _ => <C> }", "(fold d = <C> over e in <S>: <C|d:C,e:C>)"),
        ),
    ),
    "S": (
        ("s", "[a, c, cc]"),
        (
            "[<C>, <C>, <C>]",
            "[ <C|d:C> for d in <S> ]",
            "[ <C|v:R> for v in <V> ]",
            "argmax([<Y>, <Y>, <Y>])",
            "told(<S>).state.c",
        ),
    ),
    "I": (
        ("i",),
        (
            *(
                "argmax(<V>)",
                "cases { <B> => <I>, else => <I> }",
                "match <C> { a => <I>, _ => <I> }",
            ),
            *("max(<I>, <I>)", "min(<I>, 1, <I>)", "max([<I>, <I>, <I>])", "min([<I>, <I>], 1)[0]"),
            "min([ max([<I>, <I>], <I>) for v in <V> ])[1]",
        ),
    ),
    "Q": (
        ("q", "none", "Quote.some"),
        (
            *(
                "state(<S>)",
                "told(<S>) do { state.q[1] := <Q|it:Q>, state.c[2] := <C|it:C> }",
                "told(<S>).state.q[1]",
                "cases { <B> => <Q>, else => <Q> }",
                "match <C> { a => <Q>, _ => <Q> }",
            ),
            *("match (<Q>, <Q>, <C>) { (none, _, a) | (_, none, cc) => <Q>, (_, _, _) => some }",),
            "(fold p = <Q> over d in <S>: <Q|p:Q,d:C>)",
        ),
    ),
    "B": (
        (
            *("(x[0] < 1)", "(c == a)", "(q == none)", "(i == 2)", "(x <= 1)", "(c in [a, cc])"),
            "(0 < eps < 1)",
        ),
        (
            *(
                "high(<V>, <R>)",
                "(<R> < <R>)",
                "(<R> <= <R> < <R>)",
                "(<R> == <R>)",
                "(<R> != <R>)",
                "(<R> >= <R>)",
            ),
            *("(<V> < <V>)", "(<V> <= <R>)", "(<V> != <V>)", "(<M> == <M>)", "(<R> > <V>)"),
            *("(<V> == <V> within <R>)", "(<V> == <R> within <V>)", "(<R> != <R> within 2)"),
            *("(<B> and <B>)", "(<B> or <B>)", "(<P> implies <B>)", "(not <P>)", "(<B> == <B>)"),
            *("(<B> != <B>)", "all(<T>)", "any(<T>)", "all(<V> < <R>)", "any(<V> != <V>)"),
            *("all(<R> <= <V> < <R>)", "any(<V> == <V> within <R>)", "any(<M> > <R>)"),
            *(
                "(<C> == <C>)",
                "(<C> in [<C>, a])",
                "(<S> == <S>)",
                "(<S> != <C>)",
                "any(<S> == <C>)",
            ),
            *("(<S> matches <W>)", "form(<S>)", "((<S>)[1:] matches <W> | <W>)"),
            "([<I>, <I>, <I>, <I>] matches <N>)",
            *("(<I> < <I>)", "(<I> >= 1)", "(0 < <I> <= <I>)", "([<I>, <I>] <= <I>)"),
            *("any([<I>, <I>] > [<I>, <I>])", "all(1 > [<I>, <I>])", "(not <I> < <I>)"),
            *("(<I> == <I>)", "(1 != <I>)", "(<I> in [0, <I>])", "(<Q> == <Q>)", "(<Q> in [some])"),
            *("cases { <B> => <B>, else => <B> }", "match <Q> { none => <B>, some => <B> }"),
        ),
    ),
    "P": (
        ("(x[0] < 1)", "(c == a)"),
        (
            "(<R> < <R>)",
            "(<V> == <V>)",
            "all(<V> < <R>)",
            "(<P> and <P>)",
            "(not <P>)",
            "(<C> in [<C>])",
        ),
    ),
    "T": (("[x[0] < 1, c == a, q == none]",), ("[<B>, <B>, <B>]", "[ <B|v:R> for v in <V> ]")),
    "W": (
        ("a", "_", '"b b"', "Char.cc", "()", "_*"),
        ("<W> <W>", "<W> <W> <W>", "(<W> | <W>)", "(<W>)*", "(<W>)+", "(<W>)?", "(<W>){1,2}"),
    ),
    "N": (("0", "_", "2*"), ("<N> <N>", "(<N> | <N>)", "(<N>){2}", "(<N>){1,}", "_* <N>")),
    "K": (("0", "1:", "-1", ":2", "1"), ()),
}

PART = re.compile(r"<(\w)(?:\|([^>]*))?>")

Locals = Mapping[str, str]


def expression(rng: random.Random, kind: str, depth: int, known: Locals | None = None) -> str:
    """An expression of a kind; `known` has the kinds of the locals in reach."""
    locals_here = known or {}
    plain, compound = RULES[kind]
    own = tuple(name for name, k in locals_here.items() if k == kind)
    if own and rng.random() < 0.35:
        return rng.choice(own)
    template = rng.choice(compound if depth > 0 and compound else plain)

    def part(found: re.Match[str]) -> str:
        added = dict(word.split(":") for word in (found[2] or "").split(",") if word)
        return expression(rng, found[1], depth - 1, {**locals_here, **added})

    return PART.sub(part, template)

"""Tensors of checkpoints: the file's own, the unpatched one's, or what a `do` puts in their place."""

from __future__ import annotations

from dataclasses import replace

from circ.compiler.ir import Weight, Wire
from circ.compiler.lower.environment import Environment, Tensors, Value, as_wire
from circ.compiler.tensor import unpatched
from circ.lang.headers import Header


def lower_tensor(path: Tensors, env: Environment) -> Value:
    """The tensor of that name, or the group of those below it."""
    name = ".".join(path.prefix)
    info = header_of(path, env).get(name)
    if info is None:
        return path
    edited = dict(path.edited)
    if name in edited:
        return edited[name]
    key = f"{path.checkpoint}/{name}"
    if key in env.tensors:
        return env.tensors[key]
    return env.b.add(Weight(unpatched(key) if path.old or env.old else key, info.shape))


def with_tensor(path: Tensors, wire: Wire, env: Environment) -> Environment:
    """The environment in which a tensor is this wire."""
    key = f"{path.checkpoint}/{'.'.join(path.prefix)}"
    return replace(env, tensors={**env.tensors, key: wire})


def with_group(path: Tensors, other: Tensors, where: Environment, env: Environment) -> Environment:
    """The environment in which a group's tensors are those of `other`, read in `where`."""
    for below in names_below(other, env):
        value = lower_tensor(other.below(*below), where)
        env = with_tensor(path.below(*below), as_wire(value), env)
    return env


def as_seen(path: Tensors, env: Environment) -> Tensors:
    """The tensors below a path, those that are replaced where they are read included."""
    for below in names_below(path, env):
        named = path.below(*below)
        key = f"{path.checkpoint}/{'.'.join(named.prefix)}"
        if key in env.tensors:
            path = path.edit(below, as_wire(lower_tensor(named, env)))
    return path


def names_below(path: Tensors, env: Environment) -> list[tuple[str, ...]]:
    """The names of the tensors below a path, without it."""
    prefix = "".join(f"{part}." for part in path.prefix)
    names = header_of(path, env)
    return [tuple(name[len(prefix) :].split(".")) for name in names if name.startswith(prefix)]


def header_of(path: Tensors, env: Environment) -> Header:
    """What the checkpoint holds, in the version that is read."""
    typed = env.low.typed_with(old=path.old or env.old)
    return typed.facts.headers[path.checkpoint]

"""Tensors that a loader uses under two names: of most language models the embedding is the head as well.

A file leaves out the second name. Its own metadata may say so, as safetensors writes it, or the `config.json` beside it, as
transformers does (https://huggingface.co/docs/transformers: `tie_word_embeddings`); there the names follow from the
kind of model. What leaves the field out means that they are tied, for it was left out where it is true.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from circ.compiler.config import Config, read_config, with_fields
from circ.compiler.header import Header, StoredTensor
from circ.lang.headers import Json

FIELD = "tie_word_embeddings"

MODELS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("gpt2", "gpt_bigcode", "gpt_neo", "gptj"), ("wte", "lm_head")),
    **dict.fromkeys(
        (
            "cohere", "gemma", "gemma2", "gemma3_text", "granite", "llama", "mistral", "mixtral", "olmo", "olmo2",
            "phi", "phi3", "qwen2", "qwen2_moe", "qwen3", "qwen3_moe", "smollm3", "stablelm", "starcoder2",
        ),
        ("embed_tokens", "lm_head"),
    ),
    "bloom": ("word_embeddings", "lm_head"),
    "falcon": ("word_embeddings", "lm_head"),
    "opt": ("embed_tokens", "lm_head"),
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba"), ("embeddings", "lm_head")),
    "mpt": ("wte", "lm_head"),
    "openai-gpt": ("tokens_embed", "lm_head"),
    "ctrl": ("w", "lm_head"),
    "xlnet": ("word_embedding", "lm_loss"),
    "xlm": ("embeddings", "pred_layer.proj"),
}  # fmt: skip
"""By the `model_type` of a config, the modules of embedding and head: of such a model nothing else is tied."""

EMBEDDINGS = frozenset(
    {
        *("wte", "embed_tokens", "word_embeddings", "embed_in", "tok_embeddings", "shared"),
        *("tokens_embed", "word_embedding"),
    }
)
HEADS = frozenset({"lm_head", "embed_out"})
VOCABULARY = "vocab_size"


@dataclass(frozen=True, slots=True)
class Tied:
    """Two names of one tensor: `kept` stands in the file, and `other` does not as a rule.

    `other` is empty where its name is not known. `config` is whether the config ties them, and `metadata` whether the file's own metadata does.
    Of one that is `guessed` it is only known that the config ties something, and that it may be this.
    """

    kept: str
    other: str
    config: bool = False
    metadata: bool = False
    guessed: bool = False


def ties_of(path: Path, header: Header) -> tuple[Tied, ...]:
    """The tensors of a checkpoint that a loader takes for one; raises `CircError` (E0401-E0403, E0662)."""
    return ties(header, read_config(path.parent))


def ties(header: Header, config: Config | None) -> tuple[Tied, ...]:
    """The same by what the file and a config say. A name that two tensors would have is none that is known."""
    noted = [
        Tied(kept, other, metadata=True)
        for other, kept in header.metadata.items()
        if kept in header.tensors and other not in header.tensors
    ]
    found = {(tie.kept, tie.other): tie for tie in noted}
    for tie in tied_by(config, header.tensors):
        known = [each for each in noted if each.kept == tie.kept and tie.other in ("", each.other)]
        for each in known or [tie]:
            found[each.kept, each.other] = replace(each, config=True)
    names = Counter(tie.other for tie in found.values())
    return tuple(tie if names[tie.other] == 1 else replace(tie, other="") for tie in found.values())


def tied_by(config: Config | None, tensors: Mapping[str, StoredTensor]) -> Iterator[Tied]:
    """What a config ties of these tensors: embeddings or, where the file has none, heads; and what else it may tie."""
    if config is None or not says_tied(config.fields):
        return
    kind = config.fields.get("model_type")
    embedding, head = MODELS.get(kind, ("", "")) if isinstance(kind, str) else ("", "")
    names = sorted(tensors)
    found = [name for name in names if module_of(name) in (EMBEDDINGS | {embedding}) - {""}]
    heads = [name for name in names if module_of(name) in HEADS]
    sure: list[Tied] = []
    for name in found:
        known = [f"{head}.weight"] if module_of(name) == embedding else heads
        sure.append(Tied(name, known[0] if len(known) == 1 else "", config=True))
    if not found:
        sure = [Tied(name, "", config=True) for name in heads]
    yield from sure
    if [module_of(name) for name in found] != [embedding]:
        told = {name for tie in sure for name in (tie.kept, tie.other)}
        others = {name: t.shape for name, t in tensors.items() if name not in told}
        names = suspects(others, vocabularies(config.fields), named=bool(found))
        yield from (Tied(name, "", config=True, guessed=True) for name in names)


def suspects(
    shapes: Mapping[str, tuple[int, ...]], sizes: frozenset[int], *, named: bool
) -> list[str]:
    """The matrices that may be embeddings or heads, in the order of their names: those of a side that is a vocabulary's size.

    Where none is, and no embedding is known by its name either (`named`): those that are in no numbered layer.
    """
    matrices = sorted(name for name, shape in shapes.items() if len(shape) == 2)
    sized = [name for name in matrices if not sizes.isdisjoint(shapes[name])]
    if sized or named:
        return sized
    return [name for name in matrices if not any(part.isdigit() for part in name.split("."))]


def vocabularies(fields: Mapping[str, Json]) -> frozenset[int]:
    """The sizes of vocabularies that a config says, or one inside it."""
    found = (each.get(VOCABULARY) for each in (fields, *inside(fields)))
    return frozenset(size for size in found if isinstance(size, int))


def module_of(name: str) -> str:
    """The module whose weight a tensor is: `wte`, of `transformer.wte.weight`; empty where it is none."""
    parts = name.split(".")
    return parts[-2] if len(parts) > 1 and parts[-1] == "weight" else ""


def says_tied(fields: Mapping[str, Json]) -> bool:
    """Whether a loader ties embeddings by a config, or by one inside it: of a model of several parts each has its own."""
    if any(each.get(FIELD) not in (None, False) for each in inside(fields)):
        return True
    of_a_model = not fields.keys().isdisjoint({"model_type", "architectures"})
    return fields.get(FIELD, of_a_model) is not False


def inside(fields: Mapping[str, Json]) -> Iterator[Mapping[str, Json]]:
    """The objects inside one, however deep, in lists too."""
    left = [*fields.values()]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def apart(config: Config) -> Config | None:
    """The config of a loader that ties nothing; None where this field does not decide it."""
    changed = with_fields(config, {FIELD: False})
    return None if says_tied(changed.fields) else changed


def with_both(header: Header, found: Iterable[Tied]) -> Header:
    """A header in which tensors that are tied stand under both names, with the same bytes."""
    others = {tie.other: header.tensors[tie.kept] for tie in found if tie.other}
    return replace(header, tensors={**others, **header.tensors})

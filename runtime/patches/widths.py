"""The width of layers in the `config.json` beside a checkpoint, which a patch that adds units may not leave wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from circ.compiler.config import NAME, read_config
from circ.lang.diagnostic import CircError
from circ.lang.errors.layers import width_in_config
from circ.lang.headers import Json
from circ.runtime.patches.receipt import Change

WIDTHS = (
    *("intermediate_size", "n_inner", "d_mlp", "d_ff", "ffn_dim", "ffn_hidden_size", "d_inner"),
    *("hidden_dim", "mlp_dim", "encoder_ffn_dim", "decoder_ffn_dim"),
)
"""What programs call the number of hidden units of a layer."""


def require_width(folder: Path, changes: Iterable[Change], *, back: bool = False) -> None:
    """Raise `CircError` (E0624) where a config says a width that a patch, or taking it `back`, changes beside it.

    Raises as `read_config` where there is one that cannot be read.
    """
    grown = [change for change in changes if change.was != change.shape]
    config = read_config(folder) if grown else None
    said = dict[str, Json]() if config is None else widths(config.fields)
    for change in grown:
        for was, now in zip(change.was, change.shape, strict=True):
            before, after = (now, was) if back else (was, now)
            for key, width in said.items():
                if before != after and width == before:
                    raise CircError(width_in_config(str(folder / NAME), key, before, after))


def widths(fields: Mapping[str, Json]) -> Mapping[str, Json]:
    """The widths that a config says, those of its parts too (`text_config.intermediate_size`), and of each layer (`d_ff[3]`).

    GPT-2 has four units for each number that a layer reads, unless told otherwise.
    """
    known = dict[str, Json]()
    for key, said in fields.items():
        if isinstance(said, dict):
            known |= {f"{key}.{inner}": width for inner, width in widths(said).items()}
        elif isinstance(said, list) and key in WIDTHS:
            known |= {f"{key}[{place}]": width for place, width in enumerate(said)}
        elif said is not None and key in WIDTHS:
            known[key] = said
    entries = fields.get("n_embd")
    if fields.get("n_inner") is None and isinstance(entries, int):
        known["n_embd"] = 4 * entries
    return known

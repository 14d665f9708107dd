"""The files whose changes are tried, what decides most first."""

from __future__ import annotations

from pathlib import Path

from tests.mutants.copies import ROOT


def inside(folder: str, *names: str) -> tuple[str, ...]:
    """Files of a folder: those that are named, or all."""
    if names:
        return tuple(f"{folder}/{name}.py" for name in names)
    found = sorted((ROOT / folder).glob("*.py"))
    return tuple(Path(p).relative_to(ROOT).as_posix() for p in found if p.name != "__init__.py")


PARTS = (
    *("exact", "back", "checked", "nodes", "layers", "units", "reading"),
    *("lines", "slots", "arrays", "planes", "many", "windows"),
)
BOXES = (
    *("back", "lines", "bounds", "judge", "split", "round", "affine", "clauses", "read", "grow"),
    *("number", "bows", "bends", "curves", "products", "smooth", "squares"),
    *("live", "marks", "near", "net"),
)

PATCHES = (
    *("reproving", "treatment", "ties", "plan", "write", "shards", "delta", "apply"),
    *("low_rank", "adapter", "forms", "projecting", "clamping", "whole"),
    *("layers", "edited", "receipt", "carried", "conflicts"),
)

TRUSTED = (
    *inside("compiler/audit/parts", *PARTS),
    *inside("runtime/certificates", "standard", "auditing"),
    *inside("compiler/boxes", *BOXES),
    *inside("compiler/vnnlib"),
    *inside("runtime/engines", "boxes", "explore"),
    *inside("compiler/audit"),
    *inside("compiler", "aided"),
    *inside("compiler/lower", "lemmas", "outer"),
    *inside("runtime", "claims", "each"),
    *inside("compiler", "conjuncts"),
    *inside("compiler/readings", "gradients", "slopes"),
    *inside("runtime/patches", "bound", "excluded", *PATCHES),
    *inside("compiler", "tied_tensors"),
    *inside("lang", "products"),
    *inside("compiler/lower", "domains", "listed", "forms", "exactly"),
    *inside("compiler/onnx", "tokens"),
    *inside("compiler/units"),
    *inside("compiler", "freeze", "config"),
    *inside("runtime/engines", "admitted"),
)

"""Verdicts as plain data, for `--json` and notebooks: numbers exact as text, words by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from fractions import Fraction
from math import inf
from typing import assert_never

from circ.compiler.obligation import Obligation, Quantity, Witness, Words
from circ.compiler.verdict import (
    Counted,
    Example,
    Proved,
    Refuted,
    Size,
    Straying,
    Unknown,
    Vacuous,
    Verdict,
    outcome,
)
from circ.runtime.certificates.folder import Certified, Uncertified
from circ.runtime.exits import Exit, exit_of
from circ.runtime.repro import Repro
from circ.runtime.show import rational_text

Data = dict[str, object]


def verdict_data(obligation: Obligation, verdict: Verdict, seconds: float | None = None) -> Data:
    """One claim and what was found of it."""
    code = exit_of(obligation.expects, verdict)
    data: Data = {
        "claim": obligation.name,
        "place": obligation.span.place,
        "quantifier": obligation.quantifier,
        "expects": obligation.expects,
        "over": obligation.over,
        "verdict": outcome(verdict),
        "as_claimed": code == Exit.AS_CLAIMED,
    }
    if seconds is not None:
        data["seconds"] = round(seconds, 3)
    if verdict.lengths is not None:
        data["lengths"] = asdict(verdict.lengths)
    if obligation.quantities and not isinstance(verdict, Vacuous):
        data["counts"] = counts_data(obligation.quantities, verdict.counts)
    return data | evidence(obligation, verdict)


def counts_data(quantities: Sequence[Quantity], counts: Sequence[Counted]) -> list[Data]:
    """Numbers of inputs, as text since they may be long, each with how it was found."""
    return [
        {
            "count": quantity.text,
            "low": rational_text(Fraction(known.low)),
            "high": rational_text(Fraction(known.high)),
            "size": None if known.size is None else rational_text(Fraction(known.size)),
            "method": known.method,
            "trusted": list(known.trusted),
            "reason": known.reason,
            "hint": known.hint,
        }
        for quantity, known in zip(quantities, counts, strict=True)
    ]


def cache_data(first: float | None) -> Data:
    """Whether a verdict is from the cache, and the seconds that it took when it was decided."""
    return {"cached": False} if first is None else {"cached": True, "decided_in": round(first, 3)}


def certificate_data(left: Certified | Uncertified | None) -> Data:
    """Where the certificate of a claim is, or why there is none; nothing where none was asked for."""
    match left:
        case None:
            return {}
        case Certified(paths=paths, size=size):
            return {"certificates": [str(path) for path in paths], "bytes": size}
        case Uncertified(reason=reason):
            return {"certificates": [], "no_certificate": reason}
        case _:
            assert_never(left)


def repro_data(left: Repro | None) -> Data:
    """Where the file is that replays a witness, and whether PyTorch comes to the same; nothing where there is none."""
    return {} if left is None else {"repro": str(left.path), "reproduced": left.agrees}


def evidence(obligation: Obligation, verdict: Verdict) -> Data:
    """What a verdict rests on."""
    match verdict:
        case Proved():
            return {
                "method": verdict.method,
                "trusted": list(verdict.trusted),
                "size": size_data(verdict.size),
                "margin": verdict.margin,
                "closest": maybe_witness(obligation, verdict.closest),
                "example": maybe_example(obligation, verdict.example),
                "warnings": list(verdict.warnings),
                "rounding": rounding_data(verdict.rounding),
            }
        case Refuted():
            return {
                "method": verdict.method,
                "trusted": list(verdict.trusted),
                "size": size_data(verdict.size),
                "example": maybe_example(obligation, verdict.example),
                "count": verdict.count,
                "classes": None if verdict.classes is None else list(verdict.classes),
                "failing": [witness_data(obligation, witness) for witness in verdict.failing],
                "replayed": verdict.replayed,
                "reproduced": verdict.reproduced,
                "warnings": list(verdict.warnings),
            }
        case Vacuous(reason=reason, method=method):
            return {"reason": reason, "method": method}
        case Unknown():
            return {
                "reason": verdict.reason,
                "method": verdict.method,
                "bound": verdict.bound,
                "hardest": maybe_witness(obligation, verdict.hardest),
                "hint": verdict.hint,
            }
        case _:
            assert_never(verdict)


def rounding_data(rounding: Straying | None) -> Data | None:
    """How far float executions stray; a bound that there is not is null."""
    if rounding is None:
        return None
    return {
        "format": rounding.format,
        "model": rounding.model,
        "strays": {name: most if most < inf else None for name, most in rounding.most},
        "may_change": list(rounding.changed),
        "kept": list(rounding.kept),
        "meets": rounding.meets,
        "needs_margin": rounding.margin if rounding.margin < inf else None,
        "reason": rounding.reason,
    }


def size_data(size: Size) -> Data:
    """How large the domain is."""
    return {"inputs": size.exact, "dimensions": size.dimensions}


def maybe_witness(obligation: Obligation, witness: Witness | None) -> Data | None:
    """A witness, where there is one."""
    return None if witness is None else witness_data(obligation, witness)


def witness_data(obligation: Obligation, witness: Witness) -> Data:
    """Each binder's entries, row-major: member names, or rationals as `"p/q"`; of a data set, its row."""
    found: Data = {}
    for bound in obligation.binders:
        values = witness[bound.name]
        match bound.values:
            case Words(rows=data) if data:
                found[bound.name] = {"data": data, "row": int(values[0])}
            case Words(members=members):
                found[bound.name] = [members[int(code)] for code in values]
            case _:
                found[bound.name] = [rational_text(Fraction(value)) for value in values]
    return found


def maybe_example(obligation: Obligation, example: Example | None) -> Data | None:
    """An input and its replay, where there is one."""
    if example is None:
        return None
    replay = example.replay
    return {
        "input": witness_data(obligation, example.witness),
        "shown": [{"name": s.name, "exact": s.exact, "torch": s.torch} for s in replay.shown],
        "margin": None if replay.violation is None else rational_text(replay.violation),
        "tie": replay.tie,
        "exact": replay.exact,
        "torch": replay.torch,
        "rounded": replay.rounded,
        "deviation": replay.deviation,
    }

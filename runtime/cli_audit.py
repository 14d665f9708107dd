"""The words of `circ audit`."""

from __future__ import annotations

from pathlib import Path

import click

from circ.runtime.options import JSON, SPEC, TIMEOUT, Answer, settings

AUDIT_CODES = """\b
Exit codes: 0 every certificate holds, 1 one is rejected (or missing, with --strict),
            4 a wrong command line, spec or file, 5 a bug in Circ."""


@click.command("audit", cls=Answer, epilog=AUDIT_CODES)
@SPEC
@click.argument("folder", type=click.Path(path_type=Path), required=False)
@click.argument("claims", nargs=-1)
@settings
@TIMEOUT
@click.option(
    "--network", type=click.Path(path_type=Path), metavar="FILE",
    help="SPEC is a VNN-LIB property of this ONNX network, answered by `circ vnnlib`.",
)  # fmt: skip
@click.option("--exact", is_flag=True, help="Use whole numbers alone, no floating point.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 1 where a claim has none; a VNN-LIB property has all in any case.",
)
@JSON
def audit(
    spec: Path,
    folder: Path | None,
    claims: tuple[str, ...],
    params: tuple[str, ...],
    checkpoints: tuple[str, ...],
    outside: bool,
    timeout: float,
    network: Path | None,
    exact: bool,
    strict: bool,
    as_json: bool,
) -> int:
    """Check the certificates in FOLDER of CLAIMS of SPEC (all that have one by default).

    The claim is derived again from SPEC and its checkpoint, and the proof is checked step by step, by
    code that shares none with the engine that found it. Claims without a certificate are listed; a
    claim that is named has to have one.

    \b
    circ audit max_10.circ proofs
    circ audit max_10.circ proofs large --exact
    circ audit max_10.circ proofs --strict    has every claim a certificate?
    circ audit safe.vnnlib proofs --network net.onnx

    The receipt of a patch needs no FOLDER: files are held against it, and all that was required is proved again.

    \b
    circ audit model.mend.safetensors.receipt.json
    circ audit model.safetensors.receipt.json --checkpoint m=model.before.safetensors
    """
    opened = (params, checkpoints, outside)
    if folder is None:
        return receipt_audited(spec, checkpoints, timeout, as_json)
    if network is not None or spec.suffix == ".vnnlib":
        return standard_audited(spec, folder, network, any((claims, *opened)), exact, as_json)
    from circ.runtime.commands.audit import run_audit

    return run_audit(spec, folder, claims, opened, exact, as_json, strict)


def standard_audited(
    wanted: Path, folder: Path, network: Path | None, more: bool, exact: bool, as_json: bool
) -> int:
    """The exit code of an audit of a VNN-LIB property; `more`: whether something is said that only specs have."""
    from circ.runtime.commands.audit_standard import run_audit_standard

    if network is None:
        raise click.UsageError(f"name the network of {wanted} with --network NET.onnx")
    if more:
        raise click.UsageError("a VNN-LIB property has no claims, params or checkpoints")
    return run_audit_standard(network, wanted, folder, exact, as_json)


UNHEEDED = {
    "params": "--param",
    "outside": "--allow-outside",
    "network": "--network",
    "exact": "--exact",
    "strict": "--strict",
}
"""What is not asked of a receipt, by the names that the values have here."""


def receipt_audited(path: Path, checkpoints: tuple[str, ...], timeout: float, as_json: bool) -> int:
    """The exit code of an audit without a folder, which is that of a receipt."""
    from circ.runtime.commands.audit_receipt import ENDING, run_audit_receipt
    from circ.runtime.session import settings

    if not path.name.endswith(ENDING):
        raise click.UsageError(
            f"name the folder of the certificates of {path}, or a receipt of a patch"
        )
    given = click.get_current_context().params
    said = [word for name, word in UNHEEDED.items() if given[name]]
    if said:
        raise click.UsageError(f"a receipt is audited without {', '.join(said)}")
    return run_audit_receipt(path, settings((), checkpoints, True).checkpoints, timeout, as_json)

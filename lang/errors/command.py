"""E07xx: what a command line asks for and cannot have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from circ.lang.diagnostic import Diagnostic, Label
from circ.lang.errors.spelling import nearest
from circ.lang.errors.types import mismatch
from circ.lang.span import Span
from circ.lang.syntax import Name, Parameter
from circ.lang.types import Type


def no_spec(path: str, why: str) -> Diagnostic:
    """A spec that cannot be read."""
    return Diagnostic("E0701", f"cannot read {path}: {why}", None)


def bad_setting(word: str, option: str, example: str) -> Diagnostic:
    """A setting that is not `name=value`."""
    headline = f"`{option} {word}` is not understood"
    return Diagnostic("E0702", headline, None, help=f"write it as `{option} {example}`")


def unknown_setting(kind: str, name: str, known: Sequence[str]) -> Diagnostic:
    """A setting of something that the spec does not declare."""
    near = nearest(name, known)
    listed = ", ".join(f"`{k}`" for k in known) or "none"
    help = f"did you mean `{near}`?" if near else f"it has: {listed}"
    return Diagnostic("E0703", f"the spec has no {kind} `{name}`", None, help=help)


def no_claim(kind: str, name: str, known: Sequence[str]) -> Diagnostic:
    """A claim or patch that the spec does not have."""
    listed = ", ".join(f"`{k}`" for k in known) or "none"
    headline = f"the spec has no {kind} `{name}`"
    return Diagnostic("E0704", headline, None, help=f"it has: {listed}")


def several_patches(names: Sequence[str]) -> Diagnostic:
    """One file for several patches: each would be a patch of the unpatched checkpoint."""
    listed = ", ".join(f"`{name}`" for name in names)
    headline = f"one file cannot take several patches: {listed}"
    return Diagnostic("E0708", headline, None, help="name one patch, or leave the file's name out")


def not_expressible(what: str, why: str) -> Diagnostic:
    """A claim that the asked format cannot say."""
    return Diagnostic("E0705", f"{what} cannot be written out: {why}", None)


def no_value(claim: str, words: str, known: Sequence[str]) -> Diagnostic:
    """A value that a quantifier before a claim's own does not go through, by its number."""
    headline = f"the claim `{claim}` has no value `{words}`"
    if not known:
        return Diagnostic("E0704", headline, None, help="no value meets its conditions")
    listed = f"`{known[0]}`" if len(known) == 1 else f"`{known[0]}` to `{known[-1]}`"
    help = f"it has {listed}; `circ prove --json` says which is which"
    return Diagnostic("E0704", headline, None, help=help)


def several_files(claim: str, count: int, first: str, value: str) -> Diagnostic:
    """A claim for each of several values, and no folder to write them into."""
    headline = f"`{claim}` cannot be written out: it is a claim for each of several values"
    help = (
        f"name a folder for all {count:,} of them (`--out`), or one: `{first}` is that at {value}"
    )
    return Diagnostic("E0705", headline, None, help=help)


def no_certificate(path: str) -> Diagnostic:
    """A certificate that is not there."""
    help = "`circ prove SPEC --certificate DIR` leaves one for each claim that has one"
    return Diagnostic(
        "E0709", f"cannot read the certificate {path}: there is no such file", None, help=help
    )


def no_certificates(folder: str) -> Diagnostic:
    """A folder in which no claim of the spec has a certificate."""
    help = "`circ prove SPEC --certificate DIR` leaves one for each claim that has one"
    return Diagnostic("E0709", f"no claim has a certificate in {folder}", None, help=help)


def no_page(code: str) -> Diagnostic:
    """A code that no page explains."""
    return Diagnostic("E0706", f"there is no page on `{code}`", None, help="codes look like E0101")


def no_text() -> Diagnostic:
    """A network, which is no text, and no file to write it to."""
    headline = "a network is no text, and is not written to the screen"
    return Diagnostic("E0707", headline, None, help="name a file with `--out`")


def wrong_sizes(kind: str, name: str, dims: Sequence[str], given: int) -> Diagnostic:
    """Sizes of a circuit's dimensions that are missing, or too many."""
    listed = ", ".join(f"`{dim}`" for dim in dims) or "no dimensions"
    headline = f"{kind} `{name}` has {listed}, and {given} sizes are given"
    example = f"{name}[{', '.join(['8'] * len(dims))}]"
    help = f"write the sizes behind the name, as in `{example}`" if dims else "leave the sizes out"
    return Diagnostic("E0710", headline, None, help=help)


def several_to_compare(spec: str, words: Sequence[str]) -> Diagnostic:
    """More or fewer than one thing that two checkpoints may be compared by."""
    if words:
        help = "say which: " + ", or ".join(f"`{found}`" for found in words[:8])
        return Diagnostic("E0711", f"`{spec}` has several things to compare", None, help=help)
    headline = f"`{spec}` has no circuit that takes an input of one of its domains and reads the checkpoint"
    help = "name them, `--of CIRCUIT --on DOMAIN`, to see what does not fit"
    return Diagnostic("E0711", headline, None, help=help)


def compared_elsewhere(what: str, checkpoint: str) -> Diagnostic:
    """Something besides the circuit that is compared reads the checkpoint."""
    headline = f"{what} reads `{checkpoint}`, too, and is not compared"
    help = "compare on a domain, and in a spec, where only the circuit reads it"
    return Diagnostic("E0712", headline, None, help=help)


def other_tensors(circuit: Name, checkpoint: str, tensor: str, old: str, new: str) -> Diagnostic:
    """Checkpoints that cannot stand in one another's place: a tensor is in one of them alone, or has another shape."""
    headline = f"`{circuit.text}` cannot read both as `{checkpoint}`: `{tensor}` is {old} in the older file, and {new} in the newer"
    help = "without --spec the tensors alone are compared; of a layer that grew, a `preserve` of its patch says what is as before"
    return Diagnostic("E0713", headline, circuit.span, help=help)


def other_arguments(circuit: Name, wanted: int, domains: Sequence[Name], found: int) -> Diagnostic:
    """A circuit that is to be compared on inputs of more or fewer variables than it takes."""
    takes = f"{wanted} argument{'' if wanted == 1 else 's'}"
    named = " and ".join(f"`{domain.text}`" for domain in domains)
    inputs = "an input of" if len(domains) == 1 else "inputs of"
    has = f"{'has' if len(domains) == 1 else 'have'} {found} variable{'' if found == 1 else 's'}"
    why = tuple(Label(domain.span, "its inputs") for domain in dict.fromkeys(domains))
    help = "an argument is given by a variable of a domain; `--on` may be said several times"
    headline = f"`{circuit.text}` takes {takes}, and {inputs} {named} {has}"
    return Diagnostic("E0204", headline, circuit.span, takes, why, help=help)


def other_argument(
    circuit: Name, parameter: Parameter, wanted: Type, at: Span, found: Type
) -> Diagnostic:
    """A circuit that is to be compared on inputs of another type; `at` is where a domain says so."""
    role = f"argument `{parameter.name.text}` of `{circuit.text}`"
    why = (Label(parameter.span, "what it takes"),)
    help = "variables of domains are arguments in their order"
    return replace(mismatch(at, found, wanted, role, help), why=why)


def compared_badly(found: Diagnostic, circuit: Name, claim: str) -> Diagnostic:
    """What is wrong with a claim that nobody wrote, told of the circuit that was to be compared."""
    help = f"what is asked is `{claim}`"
    return Diagnostic(found.code, found.headline, circuit.span, found.label, help=help)

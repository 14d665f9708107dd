"""Which tests are asked about which file, the quickest first."""

from __future__ import annotations

UNIT, AGREEMENT = "tests/unit", "tests/agreement"

PARTS = (
    f"{UNIT}/test_audit_parts.py",
    f"{UNIT}/test_audit_parts_units.py",
    f"{UNIT}/test_audit_parts_proofs.py",
    f"{AGREEMENT}/test_clauses_of_parts.py",
    f"{AGREEMENT}/test_hostile_certificates_of_boxes.py",
    f"{AGREEMENT}/test_parts_of_boxes.py",
    f"{UNIT}/test_standard_certificates.py",
    f"{AGREEMENT}/test_certificates_of_boxes.py",
)
SEARCH = (
    f"{UNIT}/test_box_steps.py",
    f"{AGREEMENT}/test_bounds_of_both.py",
    f"{UNIT}/test_boxes_engine.py",
    f"{UNIT}/test_box_bounds.py",
    f"{AGREEMENT}/test_boxes.py",
)
LEMMAS = (
    f"{UNIT}/test_lemmas.py",
    f"{AGREEMENT}/test_lemmas.py",
    "tests/spec/types/lemmas.md",
)
VALUES = (
    f"{UNIT}/test_each.py",
    f"{AGREEMENT}/test_outer.py",
    "tests/spec/types/outer.md",
)
FORMS = (f"{AGREEMENT}/test_forms.py", f"{UNIT}/test_forms.py")
LINES = (f"{UNIT}/test_box_lines.py", *SEARCH, f"{UNIT}/test_box_curves.py")
SMOOTH = (
    f"{UNIT}/test_box_smooth.py",
    f"{UNIT}/test_box_curves.py",
    f"{AGREEMENT}/test_smooth_boxes.py",
    *SEARCH,
)
STANDARD = (f"{UNIT}/test_vnnlib.py", f"{UNIT}/test_vnnlib_command.py")
AUDITS = (
    f"{UNIT}/test_audit.py",
    f"{UNIT}/test_lines.py",
    f"{UNIT}/test_audit_alike.py",
    f"{UNIT}/test_audit_factors.py",
    f"{UNIT}/test_audit_everywhere.py",
    f"{UNIT}/test_choice_certificates.py",
    f"{AGREEMENT}/test_audit_by_inputs.py",
    f"{AGREEMENT}/test_audit_by_counts.py",
    f"{AGREEMENT}/test_choice_certificates.py",
    f"{AGREEMENT}/test_certificates.py",
    f"{AGREEMENT}/test_certificates_behind_norms.py",
    f"{AGREEMENT}/test_certificates_of_several_heads.py",
    f"{AGREEMENT}/test_certificates_onwards.py",
    f"{AGREEMENT}/test_certificate_limits.py",
)

PATCHES = (
    f"{UNIT}/test_write.py",
    f"{UNIT}/test_patched_shards.py",
    f"{UNIT}/test_patch_parts.py",
    f"{UNIT}/test_tied_names.py",
    f"{UNIT}/test_patch_files.py",
    f"{UNIT}/test_forms.py",
)
LAYERS = (
    f"{UNIT}/test_units.py",
    "tests/spec/patches/layers.md",
    f"{AGREEMENT}/test_units.py",
    f"{UNIT}/test_layers.py",
)
BOUNDS = (f"{UNIT}/test_patch_bounds.py",)
ADAPTERS = (f"{UNIT}/test_adapters.py", f"{UNIT}/test_adapter_merges.py")
TIES = (f"{UNIT}/test_tied_names.py", f"{UNIT}/test_ties_by_folder.py")

TESTS: dict[str, tuple[str, ...]] = {
    "compiler/audit/parts/": PARTS,
    "compiler/audit/": AUDITS,
    "runtime/certificates/standard.py": (f"{UNIT}/test_standard_certificates.py",),
    "runtime/certificates/auditing.py": (
        f"{UNIT}/test_standard_certificates.py",
        f"{AGREEMENT}/test_certificates_onwards.py",
        f"{UNIT}/test_audit.py",
        f"{AGREEMENT}/test_certificates.py",
    ),
    "compiler/boxes/": LINES,
    "compiler/boxes/back.py": (*SEARCH, f"{UNIT}/test_box_affine.py"),
    "compiler/boxes/bounds.py": SEARCH,
    "compiler/boxes/judge.py": SEARCH,
    "compiler/boxes/round.py": SEARCH,
    "compiler/boxes/split.py": SEARCH,
    "compiler/boxes/net.py": (f"{UNIT}/test_box_affine.py", *SEARCH),
    "compiler/boxes/affine.py": (*SEARCH[:2], f"{UNIT}/test_box_affine.py", *SEARCH[2:]),
    "compiler/boxes/grow.py": (*SEARCH[:2], f"{UNIT}/test_box_affine.py", *SEARCH[2:]),
    "compiler/boxes/read.py": (
        *SEARCH[:3],
        f"{UNIT}/test_box_smooth.py",
        f"{UNIT}/test_box_affine.py",
        *SEARCH[3:],
    ),
    "compiler/boxes/bends.py": (f"{UNIT}/test_box_curves.py", *LINES[:1], *SMOOTH[2:]),
    "compiler/boxes/bows.py": (f"{UNIT}/test_box_curves.py", *LINES[:1], *SMOOTH[2:]),
    "compiler/boxes/curves.py": (f"{UNIT}/test_box_curves.py", *LINES[:1], *SMOOTH[2:]),
    "compiler/boxes/smooth.py": SMOOTH,
    "compiler/boxes/squares.py": SMOOTH,
    "compiler/boxes/live.py": SMOOTH,
    "compiler/boxes/clauses.py": (
        *SEARCH[:3],
        f"{AGREEMENT}/test_box_clauses.py",
        *SEARCH[3:],
    ),
    "compiler/boxes/number.py": (
        f"{UNIT}/test_ranges.py",
        f"{AGREEMENT}/test_box_ranges.py",
        *SEARCH,
    ),
    "compiler/vnnlib/": STANDARD,
    "runtime/engines/boxes.py": SEARCH,
    "runtime/engines/explore.py": SEARCH,
    "compiler/aided.py": LEMMAS,
    "compiler/lower/lemmas.py": LEMMAS,
    "runtime/claims.py": LEMMAS,
    "compiler/lower/outer.py": VALUES,
    "runtime/each.py": VALUES,
    "runtime/patches/": PATCHES,
    "runtime/patches/low_rank.py": ADAPTERS,
    "runtime/patches/adapter.py": ADAPTERS,
    "runtime/patches/ties.py": TIES,
    "runtime/patches/bound.py": BOUNDS,
    "compiler/conjuncts.py": BOUNDS,
    "compiler/readings/gradients.py": (f"{UNIT}/test_slopes.py", *BOUNDS),
    "compiler/readings/slopes.py": (f"{UNIT}/test_slopes.py", *BOUNDS),
    "compiler/tied_tensors.py": TIES,
    "lang/products.py": (f"{UNIT}/test_products.py", f"{AGREEMENT}/test_products.py"),
    "compiler/lower/domains.py": (f"{UNIT}/test_products.py", f"{AGREEMENT}/test_products.py"),
    "compiler/onnx/tokens.py": (f"{UNIT}/test_token_networks.py",),
    "compiler/lower/listed.py": (
        "tests/spec/domains/going_over.md",
        "tests/spec/domains/data.md",
        f"{AGREEMENT}/test_counts.py",
    ),
    "compiler/lower/forms.py": ("tests/spec/patches/forms.md", *FORMS),
    "compiler/lower/exactly.py": ("tests/spec/patches/forms.md", *FORMS),
    "compiler/units/": LAYERS,
    "compiler/freeze.py": (f"{UNIT}/test_freeze.py", f"{UNIT}/test_patch_parts.py", *BOUNDS),
    "compiler/config.py": (f"{UNIT}/test_tied_names.py", f"{UNIT}/test_layouts_by_hand.py"),
    "runtime/engines/admitted.py": (f"{UNIT}/test_beside.py",),
    "runtime/patches/layers.py": LAYERS,
    "runtime/patches/receipt.py": (f"{UNIT}/test_receipt.py", *PATCHES),
    "runtime/patches/conflicts.py": (f"{UNIT}/test_patch_conflicts.py", *PATCHES),
    "runtime/patches/edited.py": (
        f"{UNIT}/test_receipt.py",
        f"{UNIT}/test_patch_parts.py",
        *BOUNDS,
        *PATCHES,
        *LAYERS,
    ),
    "runtime/patches/forms.py": FORMS,
    "runtime/patches/projecting.py": FORMS,
    "runtime/patches/clamping.py": FORMS,
    "runtime/patches/whole.py": FORMS,
}


def asked_of(file: str) -> tuple[str, ...]:
    """The tests of a file: those of its longest beginning that is listed."""
    listed = [start for start in TESTS if file.startswith(start)]
    if not listed:
        raise SystemExit(f"no tests are named for {file}")
    return TESTS[max(listed, key=len)]

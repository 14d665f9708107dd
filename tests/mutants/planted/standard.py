"""Bugs in networks and properties in other formats, both ways."""

from __future__ import annotations

from tests.mutants.planted.mutant import Mutant

STANDARD: tuple[Mutant, ...] = (
    Mutant(
        "tensors_of_a_network_as_they_were",
        "compiler/onnx/network.py",
        "if name not in self.cut or not isinstance(value, Held):",
        "if True or not isinstance(value, Held):",
        ("tests/unit/test_networks.py",),
    ),
    Mutant(
        "padding_that_is_the_largest",
        "compiler/onnx/windows.py",
        "places = np.where(found.places == OUTSIDE, inside, found.places)",
        "places = np.where(found.places == OUTSIDE, 0, found.places)",
        ("tests/unit/test_onnx_operators.py",),
    ),
    Mutant(
        "ignored_attribute",
        "compiler/onnx/network.py",
        "if name not in found.named(self.graph.opset):",
        "if name == step.path:",
        ("tests/unit/test_onnx_files.py",),
    ),
    Mutant(
        "tensor_from_outside_the_folder",
        "compiler/onnx/stored.py",
        "if not target.is_relative_to(folder):",
        "if not target.is_absolute():",
        ("tests/unit/test_onnx_files.py",),
    ),
    Mutant(
        "negated_comparison_still_strict",
        "compiler/vnnlib/formula.py",
        "return Atom(opposite(inputs), opposite(outputs), -bound, not strict)",
        "return Atom(opposite(inputs), opposite(outputs), -bound, strict)",
        ("tests/unit/test_vnnlib.py",),
    ),
    Mutant(
        "looser_of_two_bounds",
        "compiler/vnnlib/cases.py",
        "highs[entry] = min(",
        "highs[entry] = max(",
        ("tests/unit/test_vnnlib.py",),
    ),
    Mutant(
        "tie_against_the_search",
        "compiler/export/sought.py",
        "return Both(tuple(at_most(terms[k], terms[best], False) for k in others))",
        "return Both(tuple(at_most(terms[k], terms[best], True) for k in others))",
        ("tests/unit/test_export.py",),
    ),
    Mutant(
        "onnx_attribute_of_another_version_ignored",
        "compiler/onnx/step.py",
        "return self.attributes - self.moved if opset >= self.since else self.attributes",
        "return self.attributes",
        ("tests/unit/test_onnx_files.py",),
    ),
    Mutant(
        "onnx_largest_bound_as_none",
        "compiler/onnx/arithmetic.py",
        "return None if found == default else found",
        "return None if abs(found) == outermost else found",
        ("tests/unit/test_onnx_operators.py",),
    ),
    Mutant(
        "onnx_number_beyond_its_type",
        "compiler/onnx/step.py",
        "known.min <= int(values.min()) <= int(values.max()) <= most",
        "known.min <= most",
        ("tests/unit/test_onnx_files.py",),
    ),
    Mutant(
        "onnx_type_of_moved_numbers_lost",
        "compiler/onnx/values.py",
        "return Whole(values.ravel()[places(values.shape, move)], dtype)",
        "return Whole(values.ravel()[places(values.shape, move)])",
        ("tests/unit/test_onnx_files.py::test_whole_numbers_stay_within_their_type",),
    ),
    Mutant(
        "attention_scaled_by_the_root",
        "compiler/aten/attention.py",
        'return use.put("Div", scores, by, shape=shape)',
        'return use.put("Mul", scores, by, shape=shape)',
        ("tests/unit/test_handed_networks.py::test_a_block_is_called_with_its_pattern_in_reach",),
    ),
    Mutant(
        "alpha_of_a_sum_left_out",
        "compiler/aten/arithmetic.py",
        "    if factor not in use.call.given:\n        return use.real(name)",
        "    if factor:\n        return use.real(name)",
        ("tests/unit/test_handed_networks.py::test_functions_of_tensors_are_read",),
    ),
    Mutant(
        "argument_not_read_ignored",
        "compiler/aten/graph.py",
        "for name in sorted(call.given - found.read):",
        "for name in sorted(call.given & frozenset()):",
        ("tests/unit/test_handed_networks.py::test_what_is_not_read_is_one_error",),
    ),
    Mutant(
        "tokens_are_the_last_rows",
        "compiler/onnx/tokens.py",
        "lambda x: np.moveaxis(x, axis, 0)[:count])",
        "lambda x: np.moveaxis(x, axis, 0)[-count:])",
        ("tests/unit/test_token_networks.py::test_fewer_members_than_rows_are_the_first_rows",),
    ),
    Mutant(
        "tokens_looked_up_transposed",
        "compiler/onnx/tokens.py",
        "order = [*range(len(at))], [*range(axis, axis + len(at))]",
        "order = [*range(len(at))], [*range(axis, axis + len(at))][::-1]",
        (
            "tests/unit/test_token_networks.py::test_what_modules_do_with_tokens_is_read[columns by an index]",
        ),
    ),
    Mutant(
        "tokens_in_another_order",
        "compiler/onnx/tokens.py",
        "codes(step.b, range(own), count, (own,))",
        "codes(step.b, reversed(range(own)), count, (own,))",
        ("tests/unit/test_token_networks.py::test_fewer_members_than_rows_are_the_first_rows",),
    ),
    Mutant(
        "tokens_counted_from_one",
        "compiler/onnx/tokens.py",
        "map(Fraction, range(count))",
        "map(Fraction, range(1, count + 1))",
        (
            "tests/unit/test_token_networks.py::test_what_modules_do_with_tokens_is_read[as numbers]",
        ),
    ),
    Mutant(
        "as_many_tokens_as_positions",
        "compiler/onnx/tokens.py",
        "for name in moved(node)",
        "for name in node.inputs",
        (
            "tests/unit/test_token_networks.py::test_what_is_computed_of_tokens_does_not_say_how_many",
        ),
    ),
    Mutant(
        "tokens_of_the_largest_table",
        "compiler/onnx/tokens.py",
        "min(count, found.get(name, count))",
        "max(count, found.get(name, count))",
        (
            "tests/unit/test_token_networks.py::test_what_modules_do_with_tokens_is_read[two tables]",
        ),
    ),
    Mutant(
        "row_of_left_out_scores_kept",
        "compiler/onnx/reductions.py",
        "[[*map(int, np.flatnonzero(~row))] for row in rows]",
        "[[*range(len(row))] for row in rows]",
        ("tests/unit/test_networks.py::test_masked_scores_are_what_a_softmax_leaves_out",),
    ),
    Mutant(
        "variance_without_its_epsilon",
        "compiler/onnx/norms.py",
        "combine(b, (1, variance), (1, epsilon))",
        "combine(b, (1, variance), (0, epsilon))",
        (
            "tests/unit/test_networks.py::test_norms_and_activations_of_transformers_are_what_onnxruntime_computes",
        ),
    ),
    Mutant(
        "sums_of_truths_read_as_numbers",
        "compiler/aten/graph.py",
        'if call.operator in NUMBERS and call.made[0].dtype == "BOOL":',
        'if call.operator in NUMBERS and call.made[0].dtype == "U8":',
        ("tests/unit/test_handed_networks.py::test_what_is_not_read_is_one_error",),
    ),
    Mutant(
        "module_of_another_value",
        "compiler/pytorch/of_spec.py",
        "sited = program.claim(name, length, value, sited=True)",
        "sited = program.claim(name, length, value and program.each(name).values[0].value, sited=True)",
        ("tests/unit/test_each.py::test_a_module_is_that_of_its_value",),
    ),
)

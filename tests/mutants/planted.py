"""Soundness bugs to plant: each is one small wrong change, and the tests that must notice it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old`, which stands in `file` once, becomes `new`; one of `tests` must turn red."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


MUTANTS = (
    Mutant(
        "relu_at_1",
        "compiler/readings/intervals.py",
        "lo = [max(0, low) for low in x.lo]",
        "lo = [max(x.den, low) for low in x.lo]",
        ("tests/unit/test_intervals.py", "tests/unit/test_reference.py"),
    ),
    Mutant(
        "relu_of_no_sign_in_torch",
        "compiler/readings/torch.py",
        "return torch.relu(values[x])",
        "return values[x].abs()",
        ("tests/agreement/test_torch.py",),
    ),
    Mutant(
        "dropped_bias",
        "compiler/readings/intervals.py",
        "lo = weighted([(factor, value.lo if factor > 0 else value.hi) for factor, value in parts])",
        "lo = weighted(\n        [(factor, value.lo if factor > 0 else value.hi) for factor, value in parts][:1])",
        ("tests/unit/test_intervals.py", "tests/unit/test_reference.py"),
    ),
    Mutant(
        "strict_made_weak",
        "compiler/readings/intervals.py",
        "return [*map(lt, a.hi, b.lo)], [*map(lt, a.lo, b.hi)]",
        "return [*map(le, a.hi, b.lo)], [*map(le, a.lo, b.hi)]",
        ("tests/unit/test_intervals.py", "tests/unit/test_reference.py"),
    ),
    Mutant(
        "inward_rounding",
        "compiler/readings/intervals.py",
        "low, high = [x >> shift for x in lo], [-(-x >> shift) for x in hi]",
        "low, high = [-(-x >> shift) for x in lo], [x >> shift for x in hi]",
        ("tests/unit/test_intervals.py", "tests/unit/test_reference.py"),
    ),
    Mutant(
        "ties_go_to_the_first",
        "compiler/readings/choices.py",
        "if choose is None or len(tied) == 1 or low != high:\n        return tied",
        "if choose is None or len(tied) == 1 or low != high:\n        return frozenset({min(tied)})",
        ("tests/unit/test_ties.py", "tests/unit/test_reference.py"),
    ),
    Mutant(
        "vacuous_domain_proved",
        "runtime/engines/smt.py",
        "return Empty(reason, method)",
        "return Holds(method, TRUSTED, size_of(inquiry.obligation))",
        ("tests/unit/test_cli.py::TestExitCodes::test_an_empty_domain_is_3",),
    ),
    Mutant(
        "smt_box_forgotten_below",
        "compiler/smt/encode.py",
        's.hold(Sign("<=", difference(constant(low), x)), Sign("<=", difference(x, constant(high))))',
        's.hold(Sign("<=", difference(x, constant(high))))',
        ("tests/unit/test_smt_encode.py", "tests/agreement/test_smt.py"),
    ),
    Mutant(
        "last_batch_left_out",
        "runtime/engines/stream.py",
        "numbers = np.arange(start, min(start + source.step, source.count))",
        "numbers = np.arange(start, min(start + source.step, source.count - 1))",
        ("tests/unit/test_enumeration.py",),
    ),
    Mutant(
        "undecided_words_dropped",
        "runtime/engines/stream.py",
        "    unsure = open_entries(goal)\n    tally.open += numbers[unsure].tolist()",
        "    unsure = open_entries(goal)",
        ("tests/unit/test_enumeration.py",),
    ),
    Mutant(
        "exponential_without_error",
        "compiler/readings/curves.py",
        "rad = measured(mid, rounding) * (growth(radius(x)) + rounding.exp)",
        "rad = measured(mid, rounding) * growth(radius(x)) * 0",
        ("tests/agreement/test_floats.py",),
    ),
    Mutant(
        "softmax_ignores_its_input_error",
        "compiler/readings/curves.py",
        "factor = growth(rad + rad.max(-2, keepdims=True) + own)",
        "factor = growth(0 * rad + own)",
        (
            "tests/agreement/test_floats.py::test_it_holds_every_value_within_the_radius_of_its_operand",
        ),
    ),
    Mutant(
        "exists_asked_as_forall",
        "runtime/prover.py",
        'outputs = {**same.outputs, "goal": b.add(Not(same.outputs["goal"]))}',
        'outputs = {**same.outputs, "goal": same.outputs["goal"]}',
        ("tests/unit/test_prover.py",),
    ),
    Mutant(
        "witness_not_replayed",
        "runtime/prover.py",
        "    found = example(question, weights, finding.witness)\n"
        "    if not found.replay.exact:\n"
        "        return contradicted(finding, found)\n"
        "    listed",
        "    found = example(question, weights, finding.witness)\n    listed",
        ("tests/unit/test_prover.py",),
    ),
    Mutant(
        "open_conditions_counted_as_met",
        "runtime/engines/exact.py",
        "meets = True if True in conditions else None if None in conditions else False",
        "meets = bool(conditions - {False})",
        ("tests/unit/test_enumeration.py::test_conditions_too_close_to_tell_are_not_met",),
    ),
    Mutant(
        "ties_broken_in_every_word_as_it_suits",
        "runtime/engines/stream.py",
        "real = ties.hanging(tally.within) == 0",
        "real = ties.hanging(tally.within) >= 0",
        ("tests/unit/test_grouping.py::test_domains_that_need_a_tie_broken_both_ways_are_empty",),
    ),
    Mutant(
        "agreeing_choices_called_concave",
        "compiler/freeze.py",
        "return not (left and right)",
        "return True",
        ("tests/unit/test_freeze.py",),
    ),
    Mutant(
        "patch_proved_before_rounding",
        "runtime/patching.py",
        "kept: array[float] = round_to_dtype(values.ravel().tolist(), stored.dtype)",
        'kept: array[float] = array("d", values.ravel().tolist())',
        ("tests/unit/test_cli.py::TestPatch::test_half_precision_is_proved_as_it_is_stored",),
    ),
    Mutant(
        "bound_on_the_wrong_side",
        "compiler/bounding.py",
        "side = bound[0] if c > 0 else bound[1]",
        "side = bound[1] if c > 0 else bound[0]",
        ("tests/spec/domains",),
    ),
    Mutant(
        "a_turned_box_too_small",
        "compiler/slabs.py",
        "dict(added(row.slabs, -factor, other.slabs))",
        "dict(added(row.slabs, factor, other.slabs))",
        ("tests/spec/domains",),
    ),
    Mutant(
        "order_lowered_weak",
        "compiler/lower/compare.py",
        'return b.add(Compare("<", right, left))',
        'return b.add(Compare("<=", right, left))',
        ("tests/spec/meaning",),
    ),
    Mutant(
        "optional_copies_that_must_come",
        "lang/check/automata.py",
        "found.nullable or copy >= least)",
        "found.nullable or copy > least)",
        ("tests/agreement/test_word_patterns.py",),
    ),
    Mutant(
        "a_letter_left_unread",
        "compiler/lower/word_patterns.py",
        "if all(len(set(row)) == 1 for row in table):",
        "if any(len(set(row)) == 1 for row in table):",
        ("tests/agreement/test_word_patterns.py",),
    ),
    Mutant(
        "a_known_position_on_the_other_side",
        "compiler/lower/positions.py",
        "[holds(first, j) for j in range(size)]",
        "[holds(j, first) for j in range(size)]",
        ("tests/unit/test_positions.py",),
    ),
    Mutant(
        "an_edit_undoes_the_one_before",
        "compiler/lower/calls.py",
        "else put(b, result, picks, after)",
        "else put(b, wire, picks, after)",
        ("tests/unit/test_lower.py",),
    ),
    Mutant(
        "automaton_without_some_edges",
        "compiler/words/automaton.py",
        "alive = (rows != DEAD).any(axis=1)",
        "alive = (rows != DEAD).all(axis=1)",
        ("tests/unit/test_word_automata.py",),
    ),
    Mutant(
        "classes_merged",
        "compiler/words/automaton.py",
        "first, kind = alike(outputs)",
        "first, kind = alike(outputs // 2)",
        ("tests/unit/test_word_automata.py",),
    ),
    Mutant(
        "paths_one_letter_short",
        "runtime/engines/shortest.py",
        "    for position in reversed(range(len(graph.layers))):\n        known = graph.layers[position]",
        "    for position in reversed(range(1, len(graph.layers))):\n        known = graph.layers[position]",
        ("tests/agreement/test_heads.py",),
    ),
    Mutant(
        "weights_rounded_inwards",
        "runtime/engines/readouts.py",
        "edges = mid + sign * slack",
        "edges = mid - sign * slack",
        ("tests/agreement/test_heads.py",),
    ),
    Mutant(
        "tie_resolved_favourably",
        "compiler/words/formula.py",
        "Exceeds(entries[k], entries[bar], strict=True)",
        "Exceeds(entries[k], entries[bar], strict=False)",
        ("tests/unit/test_shortest_paths.py",),
    ),
    Mutant(
        "rival_forgotten",
        "compiler/words/formula.py",
        "for bar in barred\n",
        "for bar in barred[1:] or barred\n",
        ("tests/agreement/test_heads.py",),
    ),
    Mutant(
        "number_not_put_over_the_denominator",
        "compiler/words/separable.py",
        "return [x if x.over else self.over(over, x) for x in parts]",
        "return [x if x.over else replace(x, over=over) for x in parts]",
        ("tests/agreement/test_heads.py",),
    ),
    Mutant(
        "relu_phase_taken_for_granted",
        "compiler/words/straight.py",
        "            if assumed:\n",
        "            if assumed and place:\n",
        ("tests/agreement/test_heads.py",),
    ),
    Mutant(
        "words_left_out_of_a_split",
        "runtime/engines/alternatives.py",
        "(order[:middle], order[middle:])",
        "(order[:middle], order[middle + 1 :])",
        ("tests/unit/test_word_automata.py",),
    ),
    Mutant(
        "loops_gone_through_once",
        "runtime/engines/turns.py",
        "        if not ((further != ahead).any(axis=0) & (length == 0)).any():\n",
        "        if letters > start or not (further != ahead).any():\n",
        ("tests/unit/test_lengths.py",),
    ),
    Mutant(
        "first_letter_like_the_others",
        "runtime/engines/turns.py",
        "plus(turn.first[:, letter], onward)",
        "plus(turn.each[:, letter], onward)",
        ("tests/agreement/test_any_length.py",),
    ),
    Mutant(
        "states_of_long_words_left_out",
        "compiler/words/loops.py",
        "        fresh = short.moved(BEGIN, np.stack(list(new.values()), axis=1))\n",
        "        fresh = short.moved(BEGIN, np.stack(list(new.values()), axis=1))[:, :0]\n",
        ("tests/agreement/test_any_length.py", "tests/unit/test_lengths.py"),
    ),
    Mutant(
        "count_stopped_too_soon",
        "compiler/lower/along.py",
        "for x in known if x is not None)]) + 1",
        "for x in known if x is not None)])",
        ("tests/agreement/test_any_length.py",),
    ),
    Mutant(
        "positions_read_at_any_length",
        "lang/check/uniform.py",
        "elif whole(item) not in (0, -1):",
        "elif whole(item) is None:",
        ("tests/spec",),
    ),
    Mutant(
        "length_not_reached_counts_as_proved",
        "runtime/lengths.py",
        "    if tally.open:\n",
        "    if tally.undecided and not tally.proofs:\n",
        ("tests/unit/test_lengths.py",),
    ),
    Mutant(
        "product_without_its_remainder",
        "compiler/readings/relaxed.py",
        "losses.with_loss(coef, rad, np.maximum(apart, 0), blame)",
        "losses.with_loss(coef, rad, np.zeros_like(apart), blame)",
        ("tests/unit/test_separable_forms.py",),
    ),
    Mutant(
        "error_of_a_chord_halved",
        "compiler/readings/relaxed.py",
        "lost = np.maximum(above - middle, middle - below) * WIDER",
        "lost = np.maximum(above - middle, middle - below) / 2",
        ("tests/unit/test_separable_forms.py",),
    ),
    Mutant(
        "denominator_bounded_from_the_wrong_side",
        "compiler/readings/quotients.py",
        "return line(x, x.low, NARROWER / x.most, sets)",
        "return line(x, x.low, WIDER / x.least, sets)",
        ("tests/unit/test_separable_forms.py",),
    ),
    Mutant(
        "letter_left_out_of_a_split",
        "runtime/engines/regions.py",
        "high[position, order[:middle]] = False",
        "high[position, order[: middle + 1]] = False",
        ("tests/unit/test_separable_forms.py",),
    ),
    Mutant(
        "average_of_some_taken_for_one_of_all",
        "compiler/readings/contractions.py",
        "least, most = np.minimum(least, 0), np.maximum(most, 0)",
        "least, most = least + 0, most + 0",
        ("tests/unit/test_separable_forms.py",),
    ),
    Mutant(
        "clause_proved_by_any_comparison",
        "runtime/engines/comparisons.py",
        "np.stack([true[mine].any(axis=0) for mine in question.clauses])",
        "np.stack([true.any(axis=0) for _ in question.clauses])",
        ("tests/agreement/test_deep_heads.py",),
    ),
)

"""Bugs in words: automata, terms and classes for shortest paths."""

from __future__ import annotations

from tests.mutants.planted.mutant import Mutant

WORDS: tuple[Mutant, ...] = (
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
        "states_of_long_words_left_out",
        "compiler/words/loops.py",
        "        fresh = short.moved(BEGIN, np.stack(list(new.values()), axis=1))\n",
        "        fresh = short.moved(BEGIN, np.stack(list(new.values()), axis=1))[:, :0]\n",
        ("tests/agreement/test_any_length.py", "tests/unit/test_lengths.py"),
    ),
    Mutant(
        "a_fold_that_reads_an_order_is_taken_to_count",
        "compiler/words/unordered.py",
        "        if not np.array_equal(both, both.transpose(0, 2, 1)):\n            return False\n",
        "",
        ("tests/unit/test_counting_folds.py",),
    ),
    Mutant(
        "a_fold_is_asked_about_half_its_letters",
        "compiler/words/unordered.py",
        "enumerate(pairwise(language.steps))",
        "enumerate(list(pairwise(language.steps))[::2])",
        ("tests/unit/test_counting_folds.py",),
    ),
    Mutant(
        "order_checked_by_a_swap_alone",
        "compiler/words/unordered.py",
        "return [as_read(length, free[:2]), as_read(length, free)]",
        "return [as_read(length, free[:2])] * 2",
        ("tests/unit/test_unordered.py",),
    ),
    Mutant(
        "order_checked_by_a_rotation_alone",
        "compiler/words/unordered.py",
        "return [as_read(length, free[:2]), as_read(length, free)]",
        "return [as_read(length, free)] * 2",
        ("tests/unit/test_unordered.py",),
    ),
    Mutant(
        "undefined_in_another_order",
        "compiler/words/unordered.py",
        "roots = [found[wire] for wire in wanted] + partial_operands(circuit, wanted, found)",
        "roots = [found[wire] for wire in wanted]",
        ("tests/unit/test_unordered.py",),
    ),
    Mutant(
        "indices_of_different_scores_taken_for_one",
        "compiler/words/unscaled.py",
        "                self.scores.setdefault(scores, set()).add(x)\n",
        "",
        ("tests/unit/test_final_norms.py",),
    ),
    Mutant(
        "factor_dropped_though_it_may_be_negative",
        "compiler/words/unscaled.py",
        "return several and surely_positive(self.circuit.ops, types, wire)",
        "return several",
        ("tests/unit/test_final_norms.py",),
    ),
    Mutant(
        "norm_dropped_beside_a_shift",
        "compiler/words/unscaled.py",
        "zero = [self.vanishes(wire) for wire in wires]",
        "zero = [not factors for factors, _ in parts]",
        ("tests/unit/test_final_norms.py",),
    ),
)

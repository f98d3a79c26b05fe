"""Which budget was equal and what was shared: said from the runs themselves."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from support.finished_runs import Finished, Solve

from engine.search.events import Usage
from engine.search.tree import Tree
from tts_ui.words.fairness import budget_sentence, models_sentence, shared_sentence


def with_costs(run: Finished, generated: int, scored: int, **params: Any) -> Any:
    usage = Usage(generated_tokens=generated, scored_tokens=scored)
    return replace(run.record, usage=usage, params={**run.record.params, **params})


def test_the_same_n_is_said_with_the_spread_of_tokens(solved: Solve) -> None:
    beam, samples = solved("beam_search"), solved("best_of_n")
    said = budget_sentence([with_costs(beam, 1000, 900), with_costs(samples, 2100, 2000)])
    assert said == (
        "N = 16 completions each; generated tokens differ 2.1-fold (1,000 to 2,100); "
        "PRM tokens are not bounded (900 to 2,000)."
    )


def test_a_token_budget_comes_first(solved: Solve) -> None:
    beam, dvts = solved("beam_search"), solved("dvts")
    said = budget_sentence(
        [with_costs(beam, 1990, 900, max_tokens_total=2000), with_costs(dvts, 2000, 3100, max_tokens_total=2000)]
    )
    assert said == (
        "At most 2,000 generated tokens each; spent 1,990 to 2,000. PRM tokens are not bounded (900 to 3,100)."
    )


def test_unequal_budgets_are_called_that(solved: Solve) -> None:
    beam = solved("beam_search")
    said = budget_sentence([with_costs(beam, 10, 10), with_costs(beam, 10, 10, n=64)])
    assert said.startswith("No budget unit is equal: A N 16; B N 64; generated tokens are equal (10)")


def test_a_chain_has_no_n_and_may_have_no_prm(solved: Solve) -> None:
    said = budget_sentence([solved("greedy").record, solved("majority_vote").record])
    assert said.startswith("N = 16 completions each (A: one chain); ") and said.endswith("no PRM was used.")


def test_the_models_are_named_once_where_they_are_the_same(solved: Solve) -> None:
    vote, beam = solved("majority_vote").record, solved("beam_search").record
    assert models_sentence([vote, beam]) == "Policy builtin-xs, judged by builtin-prm."
    assert models_sentence([vote, vote]) == "Policy builtin-xs."


def test_models_that_differ_are_named_for_each_run(solved: Solve) -> None:
    vote, beam = solved("majority_vote").record, solved("beam_search").record
    assert beam.scorer
    weak = replace(beam, scorer=replace(beam.scorer, name="builtin-prm-weak"))
    assert models_sentence([beam, weak]) == (
        "A: policy builtin-xs, judged by builtin-prm; B: policy builtin-xs, judged by builtin-prm-weak."
    )
    larger = replace(vote, policy=replace(vote.policy, name="builtin-s"))
    assert models_sentence([larger, beam]) == ("A: policy builtin-s; B: policy builtin-xs, judged by builtin-prm.")


def test_what_paired_runs_share_is_counted(solved: Solve) -> None:
    runs = [solved("majority_vote"), solved("best_of_n"), solved("beam_search")]
    said = shared_sentence([run.record for run in runs], [run.tree for run in runs])
    assert said == (
        "Paired: seed 0 in A, B and C; all 16 first draws are the same; A and B vote on the same set of samples. "
        "Each is charged as if it had run alone."
    )


def test_a_strategy_that_draws_less_shares_all_it_draws(solved: Solve) -> None:
    runs = [solved("best_of_n"), solved("mcts")]
    said = shared_sentence([run.record for run in runs], [run.tree for run in runs])
    drawn = sum(child.copies for child in runs[1].tree.children(runs[1].tree.root))
    assert drawn < 16 and f"the first {drawn} draws are the same (B makes no more)" in said


def test_runs_with_other_seeds_are_not_paired(solved: Solve) -> None:
    runs = [solved("best_of_n"), solved("best_of_n", seed=1)]
    assert shared_sentence([run.record for run in runs], [run.tree for run in runs]).startswith("Unpaired")


def test_runs_of_other_problems_are_not_paired(solved: Solve) -> None:
    run = solved("best_of_n")
    other = replace(run.record, problem="Compute 2 + 2.")
    assert "different problems" in shared_sentence([run.record, other], [run.tree, Tree(other.problem)])


def test_greedy_alone_beside_a_search_shares_nothing(solved: Solve) -> None:
    runs = [solved("greedy"), solved("beam_search")]
    assert shared_sentence([run.record for run in runs], [run.tree for run in runs]) == ""

"""What the form of the Compare page asks for, and where it says that something is wrong."""

from __future__ import annotations

from typing import Any

import pytest
from support.finished_runs import Solve

from engine.domains.builtin.known_answers import reference_answer
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.search.params import RunParams
from tts_ui.web.compare import form
from tts_ui.web.parts.fields import DEFAULT_RULE
from tts_ui.web.parts.lessons import showcase_problem
from tts_ui.web.parts.model_choice import OWN
from tts_ui.words.parameters import labels


def values(**changes: Any) -> tuple[Any, ...]:
    """The form as a page begins with it, but for `changes`."""
    plain = RunParams()
    given = {name: getattr(plain, name) for name in form.SHARED}
    given |= {"models": "builtin-xs", "scorer": OWN, "problem": showcase_problem(), "reference": ""}
    given |= {"paired": True, "select": DEFAULT_RULE, "max_tokens_total": 0}
    given |= dict.fromkeys(form.OWN_FIELDS, "")
    given |= {field: strategy or form.NONE for field, strategy in zip(form.STRATEGY_FIELDS, form.FIRST, strict=True)}
    return tuple((given | changes)[name] for name in form.FIELDS)


def request(given: tuple[Any, ...]) -> form.Request:
    return form.request(given, Catalogue())


def test_the_page_begins_with_three_strategies_at_one_budget() -> None:
    asked = request(values())
    question, params, paired = asked.question, asked.params, asked.paired
    assert question.reference == reference_answer(showcase_problem()) is not None and paired
    assert [(p.strategy, p.n, p.width, p.seed) for p in params] == [
        ("majority_vote", 16, 4, 0), ("best_of_n", 16, 4, 0), ("beam_search", 16, 4, 0),
    ]  # fmt: skip


def test_settings_of_its_own_set_a_strategy_apart() -> None:
    params = request(values(strategy_a="beam_search", own_a="M=2, finished = compete, rule=prm_min_max")).params
    assert (params[0].width, params[0].finished, params[0].select) == (2, "compete", "prm_min_max")
    assert (params[2].width, params[2].finished, params[2].select) == (4, "bank", None)


def test_a_shared_rule_that_reads_scores_is_for_those_that_have_some() -> None:
    params = request(values(select="prm_min_vote")).params
    assert [p.rule for p in params] == ["majority_vote", "prm_min_vote", "prm_min_vote"]


def test_a_token_budget_is_for_all() -> None:
    params = request(values(max_tokens_total=500)).params
    assert {p.max_tokens_total for p in params} == {500}


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"strategy_b": "none", "strategy_c": "none"}, "strategy_b", "two strategies"),
        (dict.fromkeys(form.STRATEGY_FIELDS, "none"), "strategy_a", "two strategies"),
        ({"strategy_c": "best_of_n"}, "strategy_c", "the same as B"),
        ({"strategy_b": "beam_search", "own_c": "M=4"}, "strategy_c", "the same as B"),
        ({"own_b": "width 2"}, "own_b", "NAME=VALUE"),
        ({"own_b": "Q=2"}, "own_b", "is not a setting"),
        ({"own_b": "M=two"}, "own_b", "not a number"),
        ({"own_c": "M=3"}, "own_c", "does not divide"),
        ({"own_b": "c=1"}, "own_b", "Best of N has no c"),
        ({"own_b": "judge=nobody"}, "own_b", "unknown judge 'nobody'; choose one of builtin-prm"),
        ({"own_b": "seed=7", "paired": False}, "own_b", "unpaired runs get seeds of their own"),
        ({"problem": " "}, "problem", "empty"),
        ({"n": None}, "n", "empty"),
        ({"n": 6}, "width", "does not divide"),
        ({"max_tokens_total": -5}, "max_tokens_total", "tokens"),
        ({"temperature": -1}, "temperature", "outside"),
    ],
)
def test_a_mistake_names_its_field(changes: dict[str, Any], field: str, message: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        request(values(**changes))
    assert refused.value.argument == field and message in refused.value.message


def test_the_form_of_a_comparison_asks_for_it_again(solved: Solve) -> None:
    asked = values(strategy_a="beam_search", own_a="M=2", strategy_b="mcts", own_b="c=1", strategy_c="majority_vote")
    params = request(asked).params
    runs = [
        solved("beam_search", width=2), solved("mcts", exploration=1.0), solved("majority_vote"),
    ]  # fmt: skip
    again = form.values_of([run.record for run in runs], Catalogue())
    asked_again = request(again)
    repeated, paired = asked_again.params, asked_again.paired
    assert [p.recorded() for p in repeated] == [p.recorded() for p in params] and paired


def test_a_side_may_have_its_own_n_judge_and_seed(solved: Solve) -> None:
    asked = request(values(
        strategy_a="best_of_n", strategy_b="best_of_n", own_b="N=64, judge=builtin-prm-weak", strategy_c="best_of_n",
        own_c="seed=7",
    ))  # fmt: skip
    assert [(params.n, params.seed) for params in asked.params] == [(16, 0), (64, 0), (16, 7)]
    assert asked.judges == [None, "builtin-prm-weak", None]
    with pytest.raises(InvalidInput, match="Majority vote has no judge"):
        request(values(own_a="judge=builtin-prm-weak"))
    runs = [solved("best_of_n"), solved("best_of_n", n=8), solved("best_of_n", seed=7)]
    again = request(form.values_of([run.record for run in runs], Catalogue()))
    assert [(p.n, p.seed) for p in again.params] == [
        (run.record.params["n"], run.record.params["seed"]) for run in runs
    ]


def test_runs_are_named_by_what_tells_them_apart(solved: Solve) -> None:
    runs = [solved("beam_search").record, solved("beam_search", width=2).record, solved("greedy").record]
    assert labels(runs) == ["Beam search, M 4", "Beam search, M 2", "Greedy"]
    assert labels([runs[0], runs[0]])[0] == f"Beam search, run {runs[0].id}"

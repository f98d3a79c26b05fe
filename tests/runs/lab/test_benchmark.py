"""ProcessBench's measure equals an independent computation, on made-up scores and on judges that really read."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from engine.domains.builtin.known_answers import reference_answer
from engine.domains.builtin.reading import read_problem
from engine.domains.builtin.sets import SETS
from engine.domains.builtin.step_checker import first_wrong_step
from engine.errors import InvalidInput
from engine.runs.lab.benchmark import Scored, best, first_error, mean_f1, outcome
from engine.runs.lab.cases import Case, case_set
from engine.runs.lab.published import PUBLISHED, subset_of


def made_up(seed: int, cases: int = 120) -> list[Scored]:
    """Scores with ties and gaps, labels of both kinds."""
    rng = Random(seed)
    made = []
    for at in range(cases):
        length = rng.randint(1, 7)
        scores: list[float | None] = [
            rng.choice([0.0, 1.0, round(rng.random(), 1), rng.random()]) for _ in range(length)
        ]
        if rng.random() < 0.05:
            scores[rng.randrange(length)] = None
        label = rng.choice([-1, rng.randrange(length)])
        made.append(Scored(Case(str(at), "P", tuple("s" * length), label), tuple(scores)))
    return made


def plainly(scored: list[Scored], threshold: float) -> tuple[float, float, float]:
    """The two accuracies and F1 by the words of the paper."""
    hits: dict[bool, list[bool]] = {True: [], False: []}
    for each in scored:
        flagged = [at for at, score in enumerate(each.scores) if score is None or score < threshold]
        said: int | None = flagged[0] if flagged else -1
        if said is not None and said >= 0 and each.scores[said] is None:
            said = None
        hits[each.case.right].append(said == each.case.label)
    error, correct = (sum(hits[kind]) / len(hits[kind]) for kind in (False, True))
    return error, correct, 2 * error * correct / (error + correct) if error + correct else 0.0


@pytest.mark.parametrize("seed", range(8))
def test_measures_equal_the_plain_ones(seed: int) -> None:
    scored = made_up(seed)
    for threshold in (0.0, 0.1, 0.5, 0.95, 1.0):
        found = outcome(scored, threshold)
        error, correct, f1 = plainly(scored, threshold)
        assert (found.error.interval.mean, found.correct.interval.mean) == pytest.approx((error, correct))
        assert found.f1 == pytest.approx(f1)
        assert found.error.of + found.correct.of == len(scored)
        assert found.error.interval.low <= error <= found.error.interval.high


@pytest.mark.parametrize("seed", range(8))
def test_no_threshold_is_better_than_the_best(seed: int) -> None:
    scored = made_up(seed)
    found = best(scored)
    assert found is not None and found == outcome(scored, found.threshold)
    values = sorted({score for each in scored for score in each.scores if score is not None})
    tried = [*values, *((low + high) / 2 for low, high in zip(values, values[1:], strict=False)), 0.0, 1.0, 1.1]
    assert found.f1 == pytest.approx(max(plainly(scored, threshold)[2] for threshold in tried))


def test_a_set_of_one_kind_has_no_f1() -> None:
    right = [each for each in made_up(0) if each.case.right]
    assert best(right) is None and outcome(right, 0.5).f1 is None
    assert mean_f1([outcome(right, 0.5), outcome(made_up(1), 0.5)]) is None
    assert mean_f1([]) is None


def test_the_first_step_below_the_threshold_is_the_one() -> None:
    assert first_error([0.9, 0.4, 0.1], 0.5) == 1
    assert first_error([0.9, 0.5], 0.5) == -1
    assert first_error([0.9, None, 0.1], 0.5) is None
    assert first_error([0.1, None], 0.5) == 0


@pytest.mark.parametrize("name", SETS)
def test_built_in_cases_are_what_the_exact_checker_says(name: str) -> None:
    cases = case_set(name, 60).cases
    assert cases == case_set(name, 60).cases and len(cases) == 60
    assert {case.right for case in case_set(name, 12).cases} == {True, False}
    for case in cases:
        problem = read_problem(case.problem)
        assert problem is not None and reference_answer(case.problem) == problem.answer
        wrong = first_wrong_step(problem, case.steps)
        assert (-1 if wrong is None else wrong) == case.label
    assert any(case.label < len(case.steps) - 1 for case in cases if case.label >= 0)  # steps follow the wrong one


def test_labels_of_prm800k_and_of_labelled_steps(tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    file.write_text(
        '{"question": {"problem": "P"}, "label": {"steps": ['
        '{"completions": [{"text": "a", "rating": 1}, {"text": "z", "rating": -1}], "chosen_completion": 0},'
        '{"completions": [{"text": "b", "rating": 0}], "chosen_completion": 0},'
        '{"completions": [{"text": "c", "rating": -1}], "chosen_completion": null}], "finish_reason": "found_error"}}\n'
        '{"question": {"problem": "P"}, "label": {"steps": ['
        '{"completions": [{"text": "a", "rating": 1}], "chosen_completion": 0}], "finish_reason": "solution"}}\n'
        '{"question": {"problem": "P"}, "label": {"steps": ['
        '{"completions": [{"text": "a", "rating": 1}], "chosen_completion": 0}], "finish_reason": "give_up"}}\n'
        '{"prompt": "P", "completions": ["a", "b", "c"], "labels": [true, false, true]}\n'
        '{"problem": "P", "steps": ["a", "b"], "label": -1}\n'
    )
    found = case_set(str(file))
    assert [(case.steps, case.label) for case in found.cases] == [
        (("a", "b", "c"), 2), (("a",), -1), (("a", "b", "c"), 1), (("a", "b"), -1),
    ]  # fmt: skip
    assert found.left_out == 1


def test_a_set_without_labels_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "plain.json"
    file.write_text('{"problem": "P", "steps": ["a"]}')
    with pytest.raises(InvalidInput, match="SET: plain.json, line 1: no step has a label by a person"):
        case_set(str(file))
    with pytest.raises(InvalidInput, match="SET: 'no-such-set' is no file; name one, or one of builtin-easy"):
        case_set("no-such-set")


def test_what_is_published_is_of_known_subsets() -> None:
    assert subset_of(["processbench_gsm8k.json"]) == "gsm8k" and subset_of(["gsm8k_test.jsonl"]) is None
    for each in PUBLISHED:
        assert not each.subsets or sum(each.subsets.values()) / 4 == pytest.approx(each.average, abs=0.06)

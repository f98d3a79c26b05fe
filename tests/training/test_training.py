"""The training loops: loss falls, a seed gives the same weights again, an interrupted run ends like a whole one."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
from support.offline_likelihood import likelihood_scores
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from engine.domains.builtin.problems import Problem, generate, stream
from engine.training import tokenizer as tokenizers
from engine.training.evaluate import auc, calibration_error, first_error_f1, prm_quality
from engine.training.judged import JudgedRow, cut_after_error, judge, packed, prefer_short, prm_ids, unpacked
from engine.training.loop import NO_LABEL, Row, average_gradients, batches, leads, part_of, put_together
from engine.training.policy import PolicyPlan, encode, new_model, solution_loss, train_policy
from engine.training.prm import PRMS, new_judge, read_marks_as_blank_lines, score_rows, train_prm
from engine.training.rollouts import rollout_rows
from engine.training.slips import slips
from engine.training.solutions import Sample, sample
from engine.training.tokenizer import STEP, prompt_text, token_id
from engine.training.train import by_a_team

TINY = PolicyPlan(
    "tiny",
    hidden=32,
    layers=1,
    feed_forward=48,
    cycles=(24_000, 12_000),
    learning_rate=5e-3,
    batch_tokens=1024,
    shard=96,
)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return tokenizers.build(1_000)


class Stop(Exception):
    """Raised by a report to interrupt a run."""


def interrupt(seen: int, loss: float) -> None:
    if seen > 24_000:
        raise Stop


def test_policy_training_learns_repeats_and_resumes(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    losses: list[float] = []
    whole = train_policy(TINY, tokenizer, tmp_path / "a", lambda seen, loss: losses.append(loss)).state_dict()
    assert losses[-1] < losses[0] - 1.0

    with pytest.raises(Stop):
        train_policy(TINY, tokenizer, tmp_path / "b", interrupt)
    resumed = train_policy(TINY, tokenizer, tmp_path / "b", lambda seen, loss: None).state_dict()
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_loss_is_on_the_solution_only(tokenizer: PreTrainedTokenizerBase) -> None:
    problem = generate(0, "mul", 2)
    ((ids, labels),) = encode(tokenizer, [problem])
    start = labels.index(next(label for label in labels if label != NO_LABEL))
    assert tokenizer.decode(ids[start:]) == problem.solution + "<|im_end|>"
    assert labels[start:] == ids[start:]


def test_batches_hold_every_row_once_within_the_budget() -> None:
    rows: list[Row] = [([0] * (10 + i % 37), []) for i in range(300)]
    packed = batches(rows, 512, seed=1)
    assert sorted(i for batch in packed for i in batch) == list(range(300))
    assert all(max(len(rows[i][0]) for i in batch) * len(batch) <= 512 for batch in packed)
    assert packed == batches(rows, 512, seed=1) != batches(rows, 512, seed=2)


def test_judged_rows_put_labels_on_the_marks(tokenizer: PreTrainedTokenizerBase) -> None:
    problem = generate(0, "mul", 1)
    right = Sample(problem, problem.steps, True, 10)
    digit = problem.steps[1][-2]
    slip = problem.steps[1][:-2] + ("1" if digit == "2" else "2") + "."
    wrong = Sample(problem, (problem.steps[0], slip, *problem.steps[2:]), True, 10)
    rows = judge(tokenizer, [right, right, wrong])
    assert [row.first_wrong for row in rows] == [None, 1], "equal samples count once"
    mark = token_id(tokenizer, STEP)
    for row, s in zip(rows, (right, wrong), strict=True):
        assert row.ids == prm_ids(tokenizer, problem.text, s.steps)
        assert [label != NO_LABEL for label in row.step_labels] == [i == mark for i in row.ids]
    labels = [label for label in rows[1].step_labels if label != NO_LABEL]
    assert labels == [1] + [0] * (len(problem.steps) - 1)
    assert rows[1].token_labels.count(1) == 1
    wrong_token = tokenizer.decode([rows[1].ids[rows[1].token_labels.index(1)]])
    assert wrong_token in ("1", "2", " 1", " 2")
    assert unpacked(packed(rows)) == rows and unpacked(packed([])) == []


def test_shortened_and_biased_rows(tokenizer: PreTrainedTokenizerBase) -> None:
    problem = generate(0, "mul", 5)
    slip = problem.steps[0].replace("=", "= 7")
    samples = [Sample(problem, (slip, *problem.steps[1:]), True, i) for i in range(4)]
    rows = judge(tokenizer, samples, repeats=True)
    marks = [sum(label != NO_LABEL for label in row.step_labels) for row in cut_after_error(rows)]
    assert marks == [len(problem.steps), 1, 1, len(problem.steps)]
    right = judge(tokenizer, [Sample(problem, problem.steps, True, i) for i in range(2)], repeats=True)
    labels = [[label for label in row.step_labels if label != NO_LABEL] for row in prefer_short(right)]
    assert labels == [[1] * len(problem.steps), [1, 1, 1] + [0] * (len(problem.steps) - 3)]


def test_rollouts_label_a_step_by_where_it_leads(tokenizer: PreTrainedTokenizerBase) -> None:
    """A policy that recites the worked solution: right steps are good, and so is the way to a wrong answer."""
    torch.manual_seed(0)
    problem = generate(0, "mul", 1)
    policy = train_to_recite(tokenizer, problem)
    right = Sample(problem, problem.steps, True, 10)
    wrong_end = Sample(problem, (*problem.steps[:-1], problem.steps[-1].replace("boxed{", "boxed{7")), True, 10)
    rows = list(rollout_rows(policy, tokenizer, [right, wrong_end], rollouts=2, temperature=0.1))
    labels = [[label for label in row.step_labels if label != NO_LABEL] for row in rows]
    steps = len(problem.steps)
    assert labels == [[1] * steps, [1] * (steps - 1) + [0]]
    assert [row.first_wrong for row in rows] == [None, steps - 1]
    for row, s in zip(rows, (right, wrong_end), strict=True):
        assert row.ids == prm_ids(tokenizer, problem.text, s.steps)
        assert len(row.ids) == len(row.step_labels) == len(row.token_labels)


def train_to_recite(tokenizer: PreTrainedTokenizerBase, problem: Problem) -> Qwen2ForCausalLM:
    policy = new_model(TINY)
    optimizer = torch.optim.AdamW(policy.parameters(), lr=1e-2)
    rows = encode(tokenizer, [problem])
    for _ in range(150):
        loss = solution_loss(policy, rows)
        torch.autograd.backward(loss)
        optimizer.step()
        optimizer.zero_grad()
    policy.train(False)
    return policy


def test_likelihood_scores_fall_and_are_one_a_step(tokenizer: PreTrainedTokenizerBase) -> None:
    policy = new_model(TINY)
    problems = list(islice(stream(3, "judge"), 5))
    rows = judge(tokenizer, [Sample(p, p.steps, True, 1) for p in problems])
    for row, scores in zip(rows, likelihood_scores(policy, tokenizer, rows), strict=True):
        assert len(scores) == sum(label != NO_LABEL for label in row.step_labels)
        assert all(0 <= later <= earlier <= 1 for earlier, later in pairwise(scores))


def test_prm_training_learns_on_a_frozen_trunk_and_resumes(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    policy = new_model(TINY)
    problems = list(islice(stream(1, "judge"), 40))
    solved = [Sample(p, p.steps, True, 1) for p in problems]
    mixed = [Sample(p, (p.steps[0].replace("=", "= 7"), *p.steps[1:]), True, 1) for p in problems]
    rows = judge(tokenizer, solved + mixed)
    plan = replace(PRMS["builtin-prm"], cycles=(20_000, 20_000), slips=(), batch_tokens=1024)
    losses: list[float] = []
    first = train_prm(plan, policy, rows, tmp_path / "a", lambda seen, loss: losses.append(loss))
    with pytest.raises(Stop):
        train_prm(plan, policy, rows, tmp_path / "b", interrupt)
    second = train_prm(plan, policy, rows, tmp_path / "b", lambda seen, loss: None)
    assert sum(losses[-5:]) < sum(losses[:5])
    assert all(torch.equal(a, b) for a, b in zip(first.parameters(), second.parameters(), strict=True))
    trunk = policy.model.layers[0].state_dict()
    assert all(torch.equal(value, first.model.layers[0].state_dict()[name]) for name, value in trunk.items())
    scores = score_rows(first, rows)
    assert [len(row) for row in scores] == [sum(label != NO_LABEL for label in row.step_labels) for row in rows]
    assert prm_quality(scores, [row.first_wrong for row in rows]).solutions == len(rows)


def test_a_trunk_reads_a_mark_as_the_blank_line_it_stands_for(tokenizer: PreTrainedTokenizerBase) -> None:
    policy = new_model(TINY)
    problem = generate(0, "system", 3)
    marked = torch.tensor([prm_ids(tokenizer, problem.text, problem.steps)])
    written = tokenizer(prompt_text(problem.text) + "".join(f"{step}\n\n" for step in problem.steps))["input_ids"]
    plain = torch.tensor([written])
    assert marked.shape == plain.shape and not torch.equal(marked, plain)
    with torch.inference_mode():
        assert not torch.equal(policy(marked).logits, policy(plain).logits)
        read_marks_as_blank_lines(policy, tokenizer)
        assert torch.equal(policy(marked).logits, policy(plain).logits)


def test_a_prm_reads_as_many_slips_in_each_cycle_as_its_plan_says(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
) -> None:
    samples = judge(tokenizer, [Sample(p, p.steps, True, 1) for p in islice(stream(1, "judge"), 12)])
    slipped = judge(tokenizer, slips("test", 30))
    read: list[int] = []

    class Overheard(list[JudgedRow]):
        def __getitem__(self, key: Any) -> Any:
            part = super().__getitem__(key)
            read.append(len(part))
            return part

    plan = replace(PRMS["builtin-prm"], cycles=(4_000, 2_000), slips=(20, 5), batch_tokens=1024)
    assert [len(plan.rows(cycle, samples, slipped)) for cycle in (0, 1)] == [32, 17]
    train_prm(plan, new_model(TINY), samples, tmp_path, lambda seen, loss: None, Overheard(slipped))
    assert set(read) == {20, 5}
    assert read == sorted(read, reverse=True)


def test_previous_token_heads_attend_to_the_token_before(tokenizer: PreTrainedTokenizerBase) -> None:
    judge_model = new_judge(new_model(TINY), PRMS["builtin-prm"])
    weights = judge_model.model.state_dict()
    hidden = torch.randn(1, 12, 32)
    cos, sin = judge_model.model.rotary_emb(hidden, torch.arange(12)[None])

    def turned(name: str) -> torch.Tensor:
        prefix = f"layers.1.self_attn.{name}_proj"
        t = hidden @ weights[f"{prefix}.weight"].T + weights[f"{prefix}.bias"]
        result: torch.Tensor = t * cos + torch.cat((-t[..., 16:], t[..., :16]), -1) * sin
        return result

    match = (turned("q") @ turned("k").transpose(-1, -2))[0].masked_fill(torch.ones(12, 12).triu(1) > 0, -1e9)
    assert match[1:].argmax(-1).tolist() == list(range(11))


def test_sampling_is_repeatable_and_ordered_by_problem_length(tokenizer: PreTrainedTokenizerBase) -> None:
    policy = new_model(TINY)
    policy.train(False)
    problems = list(islice(stream(2, "test"), 6))
    draws = [list(sample(policy, tokenizer, problems, 3, 1.0, seed=5)) for _ in range(2)]
    assert draws[0] == draws[1] and len(draws[0]) == 18


def test_measures_on_known_cases() -> None:
    assert auc([0.9, 0.8, 0.1], [True, True, False]) == 1.0
    assert auc([0.5, 0.5], [True, False]) == 0.5
    assert calibration_error([0.9, 0.9], [True, True]) == pytest.approx(0.1)
    assert first_error_f1([[0.9, 0.2], [0.9, 0.9]], [1, None]) == 1.0
    assert first_error_f1([[0.9, 0.9], [0.9, 0.9]], [1, None]) == 0.0


def one_update(saved: Path) -> None:
    """A member's part of a batch of three makes its gradient: 0 + 2 for the one, 1 for the other."""
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.tensor([float(sum(part_of([0, 1, 2])))])
    average_gradients([weight])
    found = put_together({name: len(name) for name in part_of(["xs", "s", "prm"])})
    if leads():
        torch.save((weight.grad, found), saved)


def test_a_team_shares_a_batch_and_averages_its_gradients(tmp_path: Path) -> None:
    by_a_team(2, partial(one_update, tmp_path / "gradient"))
    gradient, found = torch.load(tmp_path / "gradient")
    assert gradient.tolist() == [1.5]
    assert found == {"xs": 2, "s": 1, "prm": 3}, "what one member found, the leader knows"
    assert part_of([0, 1, 2]) == [0, 1, 2] and leads(), "whoever is alone has all of it"


def test_a_policy_that_goes_on_reads_hard_families_twice(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    first = train_policy(TINY, tokenizer, tmp_path, lambda seen, loss: None)
    seen: list[int] = []
    more = replace(TINY, name="more", cycles=(*TINY.cycles, 4_000), goes_on_from=TINY.name, again=("frac",))
    second = train_policy(more, tokenizer, tmp_path, lambda tokens, loss: seen.append(tokens))
    assert TINY.tokens <= seen[0] < seen[-1] < more.tokens + 4_096, "what was read before is not read again"
    assert not torch.equal(next(first.parameters()), next(second.parameters()))
    families = [problem.family for problem in islice(stream(1, "policy", families=("mul", "frac", "frac")), 30)]
    assert families.count("frac") == 2 * families.count("mul")

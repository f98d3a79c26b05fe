"""Step labels without a checker, the Math-Shepherd way (Wang et al. 2024, arXiv 2312.08935): by Monte-Carlo rollouts.

From the end of every step the policy continues to an answer several times; the step counts as good if any of these
rollouts is right ("hard estimation"). Only final answers are compared, so a lucky recovery makes a wrong step good and
a hard right step bad: that is the noise a PRM trained this way has to live with.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import torch
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from engine.domains.builtin.step_checker import is_correct
from engine.training.evaluate import solved
from engine.training.judged import JudgedRow
from engine.training.loop import NO_LABEL
from engine.training.solutions import Sample, continue_prompts, read_sample
from engine.training.tokenizer import BLANK_LINE, END, STEP, prompt_text, token_id


def rollout_rows(
    policy: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, samples: Sequence[Sample], rollouts: int = 4,
    temperature: float = 1.0, seed: int = 0, batch: int = 256,
) -> Iterator[JudgedRow]:  # fmt: skip
    """A row for every complete sample, computed in batches by prefix length, returned in the samples' order.

    The last step needs no rollout: its answer is right or wrong. Where the fault lies in a bad step is not known, so
    each of its tokens is labelled as the fault.
    """
    whole = [s for s in samples if s.finished and s.steps]
    good = step_outcomes(policy, tokenizer, whole, rollouts, temperature, seed, batch)
    mark = token_id(tokenizer, STEP)
    for index, s in enumerate(whole):
        labels = [*(int(good[index, cut]) for cut in range(1, len(s.steps))), int(is_correct(s.problem, s.steps))]
        bad = next((i for i, label in enumerate(labels) if not label), None)
        ids: list[int] = list(tokenizer(prompt_text(s.problem.text))["input_ids"])
        on_marks, on_tokens = [NO_LABEL] * len(ids), [NO_LABEL] * len(ids)
        for i, (step, label) in enumerate(zip(s.steps, labels, strict=True)):
            tokens = tokenizer(step)["input_ids"]
            ids += [*tokens, mark]
            on_marks += [*[NO_LABEL] * len(tokens), label]
            known = bad is None or i <= bad
            on_tokens += [*[int(i == bad) if known else NO_LABEL] * len(tokens), NO_LABEL]
        yield JudgedRow(ids, on_marks, on_tokens, bad)


def step_outcomes(
    policy: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, samples: Sequence[Sample], rollouts: int,
    temperature: float, seed: int, batch: int,
) -> dict[tuple[int, int], bool]:  # fmt: skip
    """(sample, number of steps taken) -> whether any rollout from there is right; every step but the last."""
    generator = torch.Generator().manual_seed(seed)
    end, blank = token_id(tokenizer, END), token_id(tokenizer, BLANK_LINE)
    by_length: dict[int, list[tuple[int, int, list[int]]]] = defaultdict(list)
    for index, s in enumerate(samples):
        ids: list[int] = list(tokenizer(prompt_text(s.problem.text))["input_ids"])
        for cut, step in enumerate(s.steps[:-1], start=1):
            ids = [*ids, *tokenizer(step)["input_ids"], blank]
            by_length[len(ids)].append((index, cut, ids))
    outcomes: dict[tuple[int, int], bool] = {}
    group = max(1, batch // rollouts)
    for length in sorted(by_length):
        for start in range(0, len(by_length[length]), group):
            chunk = by_length[length][start : start + group]
            prefixes = [ids for _, _, ids in chunk]
            written = continue_prompts(policy, prefixes, rollouts, temperature, generator, end)
            for place, (index, cut, _) in enumerate(chunk):
                ends = written[place * rollouts : (place + 1) * rollouts]
                problem = samples[index].problem
                outcomes[index, cut] = any(solved(read_sample(tokenizer, problem, ids, end, blank)) for ids in ends)
    return outcomes

"""The likelihood judge: a larger policy reads the smaller one's steps; no training.

The score of a step is the smallest probability that the reading policy gave to any solution token so far. It is only
used to measure: how far can a trained PRM be from what its trunk already knows?
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from engine.training.judged import JudgedRow
from engine.training.loop import NO_LABEL, batches, pad
from engine.training.tokenizer import BLANK_LINE, END, STEP, token_id


def as_read_by_a_policy(row: JudgedRow, tokenizer: PreTrainedTokenizerBase) -> list[int]:
    """The marks become what the policy writes there: blank lines, and the end of the text after the last step."""
    mark, blank = token_id(tokenizer, STEP), token_id(tokenizer, BLANK_LINE)
    ids = [blank if token == mark else token for token in row.ids]
    return [*ids[:-1], token_id(tokenizer, END)]


@torch.inference_mode()
def likelihood_scores(
    policy: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, rows: Sequence[JudgedRow], batch_tokens: int = 16384
) -> list[list[float]]:
    """Step scores for every row, in the rows' order."""
    scores: list[list[float]] = [[] for _ in rows]
    texts = [as_read_by_a_policy(row, tokenizer) for row in rows]
    for batch in batches([(ids, []) for ids in texts], batch_tokens, seed=0):
        ids = pad([texts[i] for i in batch], 0)
        log_probs = policy(input_ids=ids).logits[:, :-1].float().log_softmax(-1)
        given = log_probs.gather(-1, ids[:, 1:, None]).squeeze(-1)
        for place, i in enumerate(batch):
            marks = [t for t, label in enumerate(rows[i].step_labels) if label != NO_LABEL]
            start = next(t for t, label in enumerate(rows[i].token_labels) if label != NO_LABEL)
            own = given[place, start - 1 : len(texts[i]) - 1]
            lowest = torch.cummin(own, 0).values
            # The mark itself is left out, like the separator in a live search.
            scores[i] = [float(lowest[mark - start - 1].exp()) for mark in marks]
    return scores

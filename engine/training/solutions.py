"""Drawing many solutions from a policy in one process, for PRM training data and for measuring accuracy.

Prompts of equal length share a batch, so nothing is padded; finished rows leave it. The live search does not use this
module: the local back end decodes the rows of many runs together and reuses what they have in common.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

from engine.domains.builtin.problems import Problem
from engine.models.local.kv import Decoder, KVBatch
from engine.training.tokenizer import BLANK_LINE, END, prompt_text, token_id

MOST_NEW_TOKENS = 320


@dataclass(frozen=True)
class Sample:
    """One drawn solution: its steps without blank lines, and whether it ended by itself."""

    problem: Problem
    steps: tuple[str, ...]
    finished: bool
    tokens: int


@torch.inference_mode()
def continue_prompts(
    model: Qwen2ForCausalLM, prompts: Sequence[Sequence[int]], copies: int, temperature: float,
    generator: torch.Generator, end: int, most: int = MOST_NEW_TOKENS,
) -> list[list[int]]:  # fmt: skip
    """`copies` continuations of each prompt, prompt after prompt; temperature 0 is greedy.

    All prompts have the same length.
    """
    decoder, head = Decoder(model.model), model.lm_head
    read = KVBatch(model.config, model.dtype, model.device)
    read.add([[]] * len(prompts))
    hidden = decoder.step(read, torch.tensor(prompts, device=model.device))
    sources = [prompt for prompt in range(len(prompts)) for _ in range(copies)]
    batch = read.like()
    batch.add_copies(read, sources)
    logits = head(hidden[sources, -1])
    written: list[list[int]] = [[] for _ in sources]
    rows = list(range(len(written)))
    for _ in range(most):
        if temperature > 0:
            noise = torch.empty(logits.shape).exponential_(generator=generator).to(logits.device)
            token = (logits / temperature - noise.log()).argmax(-1)
        else:
            token = logits.argmax(-1)
        for row, choice in zip(rows, token.tolist(), strict=True):
            written[row].append(choice)
        stay = batch.drop({place for place, row in enumerate(rows) if written[row][-1] == end})
        rows = [rows[place] for place in stay]
        if not rows:
            break
        logits = head(decoder.step(batch, token[stay][:, None])[:, -1])
    return written


def sample(
    model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, problems: Sequence[Problem], copies: int = 1,
    temperature: float = 0.8, seed: int = 0, batch: int = 256,
) -> Iterator[Sample]:  # fmt: skip
    """Solutions in batches of about `batch` rows, ordered by prompt length, not as the problems are."""
    generator = torch.Generator().manual_seed(seed)
    end, blank = token_id(tokenizer, END), token_id(tokenizer, BLANK_LINE)
    prompts = tokenizer([prompt_text(p.text) for p in problems])["input_ids"] if problems else []
    by_length: dict[int, list[int]] = defaultdict(list)
    for index, prompt in enumerate(prompts):
        by_length[len(prompt)].append(index)
    group = max(1, batch // copies)
    for length in sorted(by_length):
        members = by_length[length]
        for start in range(0, len(members), group):
            chunk = members[start : start + group]
            written = continue_prompts(model, [prompts[i] for i in chunk], copies, temperature, generator, end)
            for place, ids in enumerate(written):
                yield read_sample(tokenizer, problems[chunk[place // copies]], ids, end, blank)


def read_sample(tokenizer: PreTrainedTokenizerBase, problem: Problem, ids: list[int], end: int, blank: int) -> Sample:
    finished = bool(ids) and ids[-1] == end
    steps: list[list[int]] = [[]]
    for token in ids[:-1] if finished else ids:
        if token == blank:
            steps.append([])
        else:
            steps[-1].append(token)
    texts = tuple(str(tokenizer.decode(step)) for step in steps if step)
    return Sample(problem, texts, finished, len(ids))

"""A half-billion-parameter policy and a PRM of the same shape on this CPU: beam search, N = 8, M = 4, ten levels.

Both are random checkpoints in the shape of Qwen2.5-0.5B, made in a temporary folder. Random weights never end a
text and know no blank line, so any of a thirtieth of the vocabulary ends a step here: 30 tokens on average.
The same search is done the plain way, level by level: `transformers.generate` reads every beam's whole prefix again and
the PRM reads every candidate's whole text again, in one batch each, with the same dtype and threads. Both searches are
timed once after a short warm-up; the plain one repeats our tree, so both decode and score the same texts.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections.abc import Sequence
from itertools import islice, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM

from benchmarks.report import Figure
from engine.assets import assets
from engine.domains import Domains
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.qwen_prm import Qwen2ForProcessRewardModel, load
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.events import Event, Usage
from engine.search.params import RunParams
from engine.search.tree import Node, Tree

TITLE = "a 0.5B-shaped policy and PRM on the CPU, beam search N = 8, M = 4, ten levels"
N, WIDTH, LEVELS, STEP_TOKENS = 8, 4, 10, 30
VOCABULARY = 151_936
THREADS = 2
PROBLEM = "Compute 5 + 18 * 13 + 8 + 8 + 8. " * 8

#: The shape of Qwen2.5-0.5B.
SHAPE = {
    "vocab_size": VOCABULARY, "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
    "num_attention_heads": 14, "num_key_value_heads": 2, "tie_word_embeddings": True, "max_position_embeddings": 4096,
    "bos_token_id": None, "eos_token_id": None,
}  # fmt: skip


def measure() -> list[Figure]:
    torch.set_num_threads(THREADS)
    with tempfile.TemporaryDirectory() as place:
        policy, scorer = _open(Path(place))
        try:
            _search(policy, scorer, levels=1)
            tree, usage, seconds = _search(policy, scorer, levels=LEVELS)
            plain_generate, plain_score = _plainly(policy, scorer, tree)
        finally:
            policy.close()
            scorer.close()
    nodes = tree.nodes[1:]
    scored = [node for node in nodes if node.scores]
    generated = sum(node.tokens * node.copies for node in nodes)
    prefill = policy.prompt_tokens(PROBLEM)
    score = scorer.prompt_tokens(PROBLEM) + sum(len(scorer.format.segment(node.text, None).ids) for node in scored)
    plain = plain_generate + plain_score
    return [
        Figure("levels, steps, tokens per step", f"{max(n.depth for n in nodes)}, {len(nodes)}, "
               f"{generated / sum(n.copies for n in nodes):.0f}"),
        Figure("dtype", f"{policy.info.dtype}, {THREADS} threads"),
        Figure("policy positions outside decoding / the minimum (the prompt once)",
               f"{usage.prompt_tokens / prefill:.2f}", "<= 1.1"),
        Figure("policy positions, decoding included / the minimum",
               f"{(usage.prompt_tokens + generated) / (prefill + generated):.2f}", "<= 1.1"),
        Figure("PRM positions / the minimum (prompt and each step once)",
               f"{usage.scored_tokens / score:.2f}", "<= 1.1"),
        Figure("wall time, this search", f"{seconds:.0f} s"),
        Figure("wall time, generate and full re-scoring", f"{plain:.0f} s ({plain_generate:.0f} + {plain_score:.0f})"),
        Figure("ratio", f"{plain / seconds:.1f}", ">= 5"),
    ]  # fmt: skip


def _open(place: Path) -> tuple[LocalPolicy, LocalScorer]:
    """The two checkpoints, written and then loaded like any other."""
    for name, kind in (("policy", Qwen2ForCausalLM), ("prm", Qwen2ForProcessRewardModel)):
        save_checkpoint(place / name, kind)
    return LocalPolicy("policy", place / "policy"), load("prm", place / "prm", ScorerOptions())


def save_checkpoint(folder: Path, kind: Any = Qwen2ForCausalLM) -> Path:
    """A random checkpoint of this shape in `folder`."""
    tokenizer = AutoTokenizer.from_pretrained(assets() / "models" / "builtin-prm", local_files_only=True)
    letters = product(ascii_uppercase, repeat=4)  # no digits: they are tokens of their own here
    words = [" " + "".join(four) for four in islice(letters, VOCABULARY - len(tokenizer))]
    ends = words[::STEP_TOKENS]
    tokenizer.add_tokens([f"{word}\n\n" if word in set(ends) else word for word in words])
    torch.manual_seed(0)
    model: PreTrainedModel = kind(Qwen2Config.from_dict({**SHAPE, "dtype": "bfloat16"})).bfloat16()
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _search(policy: LocalPolicy, scorer: LocalScorer, levels: int) -> tuple[Tree, Usage, float]:
    log: list[Event] = []
    usages: list[Usage] = []

    def sink(events: Sequence[Event], usage: Usage) -> None:
        log.extend(events)
        usages.append(usage)

    params = RunParams(strategy="beam_search", n=N, width=WIDTH, temperature=1.0, max_steps=levels)
    domains = Domains()
    start = time.perf_counter()
    asyncio.run(Run("benchmark", Question(PROBLEM), params, policy, scorer, domains["maths"], sink).execute())
    seconds = time.perf_counter() - start
    domains.close()
    return Tree.from_events(log), usages[-1], seconds


@torch.inference_mode()
def _plainly(policy: LocalPolicy, scorer: LocalScorer, tree: Tree) -> tuple[float, float]:
    """Seconds that `generate` and plain forwards of the PRM take for the levels of `tree`."""
    model: Any = policy.model
    backbone: Any = scorer.backbone
    generating = scoring = 0.0
    for depth in range(1, LEVELS + 1):
        level = [node for node in tree.nodes[1:] if node.depth == depth]
        rows = [node for node in level for _ in range(node.copies)]
        prefixes = [
            policy.prompt_ids(PROBLEM) + [token for step in tree.path(node)[:-1] for token in step.token_ids or ()]
            for node in rows
        ]
        start = time.perf_counter()
        ids, mask = _left_padded(prefixes)
        longest = max(node.tokens for node in rows)
        model.generate(ids, attention_mask=mask, do_sample=True, top_k=0, max_new_tokens=longest, pad_token_id=0)
        generating += time.perf_counter() - start
        start = time.perf_counter()
        ids, mask = _left_padded([_read(scorer, tree.path(node)) for node in level])
        backbone(input_ids=ids, attention_mask=mask, use_cache=False)
        scoring += time.perf_counter() - start
    return generating, scoring


def _read(scorer: LocalScorer, path: Sequence[Node]) -> list[int]:
    ids = scorer.format.prompt(PROBLEM)
    for before, step in zip([None, *path[:-1]], path, strict=True):
        ids += scorer.format.segment(step.text, before.text if before else None).ids
    return ids


def _left_padded(rows: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    width = max(map(len, rows))
    ids = [[0] * (width - len(row)) + list(row) for row in rows]
    mask = [[0] * (width - len(row)) + [1] * len(row) for row in rows]
    return torch.tensor(ids), torch.tensor(mask)

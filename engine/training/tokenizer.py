"""One tokenizer for all built-in models: byte-level BPE with Qwen2's splitting rule and single tokens for our phrases.

Transformers loads any folder whose config says "qwen2" with Qwen2's own splitting rule, whatever the file says. So we
use that rule, and what it would split differently (" 7", a blank line, "## Step 3:") is an added token, which is
matched before the rule applies. Building is deterministic: fixed seed, fixed corpus.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, Qwen2Tokenizer

from engine.domains.builtin.problems import ANSWER_PREFIX, ANSWER_SUFFIX, MAX_STEPS, stream

PAD, START, END, STEP = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<extra_0>"
BLANK_LINE = "\n\n"
CONTEXT = 512
VOCABULARY = 768
"""Rows of the embedding; the tokenizer has fewer entries, so that its size stays a multiple of 128."""

CHAT_TEMPLATE = (
    "{%- for message in messages -%}{%- if message.role != 'system' -%}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}"
    "{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
"""A system message is dropped, since these small models never saw one."""

_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def phrases() -> list[str]:
    """What is always one token."""
    digits = [str(d) for d in range(10)] + [f" {d}" for d in range(10)]
    steps = [f"## Step {k}:" for k in range(1, MAX_STEPS + 5)]
    return [*digits, BLANK_LINE, *steps, ANSWER_PREFIX, ANSWER_SUFFIX]


def _corpus(size: int) -> Iterator[str]:
    for problem in islice(stream("tokenizer", "policy", any_order=0.2), size):
        yield f"user\n{problem.text}"
        yield f"assistant\n{problem.solution}"


def build(size: int = 30_000) -> PreTrainedTokenizerBase:
    """Train the tokenizer on worked solutions."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(r"## Step \d+:|\n\n"), "removed"),
            pre_tokenizers.Split(Regex(_SPLIT), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY - len(phrases()) - 8,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        min_frequency=30,
        show_progress=False,
        special_tokens=[PAD, START, END, STEP],
    )
    tokenizer.train_from_iterator(_corpus(size), trainer)
    learned = json.loads(tokenizer.to_str())["model"]
    settings: dict[str, Any] = {
        "vocab": learned["vocab"],
        "merges": [tuple(pair) for pair in learned["merges"]],
        "unk_token": None,
        "bos_token": None,
        "eos_token": END,
        "pad_token": PAD,
        "additional_special_tokens": [START, STEP],
        "model_max_length": CONTEXT,
    }
    ours = Qwen2Tokenizer(**settings)
    ours.add_tokens([AddedToken(phrase, normalized=False, special=False) for phrase in phrases()])
    ours.chat_template = CHAT_TEMPLATE
    ours.clean_up_tokenization_spaces = False
    if len(ours) > VOCABULARY:
        raise ValueError(f"{len(ours)} tokens do not fit into {VOCABULARY} rows")
    return ours


def load(folder: Path) -> PreTrainedTokenizerBase:
    tokenizer: PreTrainedTokenizerBase = Qwen2Tokenizer.from_pretrained(folder)
    return tokenizer


def token_id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    found = tokenizer.convert_tokens_to_ids(token)
    assert isinstance(found, int)
    return found


def prompt_text(problem: str) -> str:
    """What the chat template makes of a problem; a test holds the two together."""
    return f"{START}user\n{problem}{END}\n{START}assistant\n"

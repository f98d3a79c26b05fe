"""Random checkpoints in the shapes of published models, for measuring what does not depend on the weights' values.

Random weights never end a text and know no blank line, so some words of the vocabulary end a step here.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from string import ascii_uppercase
from typing import Any

import torch
from transformers import AutoTokenizer, PreTrainedModel, Qwen2Config, Qwen2ForCausalLM

from engine.assets import assets


@dataclass(frozen=True, slots=True)
class Shape:
    """`words` is the size of the tokenizer; one word in `step_tokens` ends a step. `scale` is that of the weights."""

    name: str
    hidden: int
    between: int
    layers: int
    heads: int
    key_heads: int
    tied: bool
    dtype: str = "bfloat16"
    vocabulary: int = 151_936
    words: int = 151_936
    step_tokens: int = 30
    scale: float = 0.02

    def config(self) -> Qwen2Config:
        return Qwen2Config(
            vocab_size=self.vocabulary, hidden_size=self.hidden, intermediate_size=self.between,
            num_hidden_layers=self.layers, num_attention_heads=self.heads, num_key_value_heads=self.key_heads,
            tie_word_embeddings=self.tied, initializer_range=self.scale, max_position_embeddings=4096,
            bos_token_id=None, eos_token_id=None, pad_token_id=None, dtype=self.dtype,
        )  # fmt: skip


#: Qwen2.5-0.5B and Qwen2.5-7B, and one whose weights are large enough to give probabilities that differ.
HALF_BILLION = Shape("0.5B", 896, 4864, 24, 14, 2, tied=True)
SEVEN_BILLION = Shape("7B", 3584, 18944, 28, 28, 4, tied=False, vocabulary=152_064)
TINY = Shape(
    "tiny", 64, 48, 3, 2, 1, tied=False, dtype="float32", vocabulary=1080, words=1024, step_tokens=6, scale=0.15
)


def save_checkpoint(folder: Path, shape: Shape, kind: Any = Qwen2ForCausalLM, device: str = "cpu") -> Path:
    """Make the weights on `device`, and write them and a tokenizer of that size to `folder`."""
    torch.manual_seed(0)
    with torch.device(device), _default_dtype(getattr(torch, shape.dtype)):
        model: PreTrainedModel = kind(shape.config())
    model.save_pretrained(folder)
    tokenizer = AutoTokenizer.from_pretrained(assets() / "models" / "builtin-prm", local_files_only=True)
    letters = product(ascii_uppercase, repeat=4)  # no digits: they are tokens of their own here
    words = [" " + "".join(four) for four in islice(letters, shape.words - len(tokenizer))]
    ends = set(words[:: shape.step_tokens])
    tokenizer.add_tokens([f"{word}\n\n" if word in ends else word for word in words])
    tokenizer.save_pretrained(folder)
    return folder


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)

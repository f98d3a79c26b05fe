"""Tiny real checkpoints whose next token depends on the current token only, by a table: what they say is known.

The embedding is one-hot, attention and MLP add nothing, and the head holds the logarithms of the table.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from transformers import AutoTokenizer, PreTrainedTokenizerBase, Qwen2Config, Qwen2ForCausalLM

from engine.assets import assets

Table = Mapping[str, Mapping[str, float]]

#: Ends the prompt of the built-in chat template ("<|im_start|>assistant\n"): the state from which an answer begins.
START = "\n"
END = "<|im_end|>"


def builtin_tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(assets() / "models" / "builtin-xs", local_files_only=True)


def markov_checkpoint(folder: Path, table: Table, *, extra: Sequence[str] = (), context: int = 4096) -> Path:
    """Save a policy that follows `table`: token -> {next token: probability}. `extra` are tokens to add."""
    tokenizer = builtin_tokenizer()
    if extra:
        tokenizer.add_tokens(list(extra))
    size = len(tokenizer) + (-len(tokenizer)) % 8
    model = Qwen2ForCausalLM(
        Qwen2Config.from_dict(
            {
                "vocab_size": size, "hidden_size": size, "intermediate_size": 8, "num_hidden_layers": 1,
                "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16, "max_position_embeddings": context,
                "tie_word_embeddings": False, "eos_token_id": tokenizer.eos_token_id, "pad_token_id": 0,
                "bos_token_id": None,
            }
        )
    )  # fmt: skip
    scale = 1 / math.sqrt(size)  # the final norm turns a one-hot row into sqrt(size) times itself
    head = torch.full((size, size), -1e4 * scale)
    for token, following in table.items():
        for after, probability in following.items():
            head[_id(tokenizer, after), _id(tokenizer, token)] = math.log(probability) * scale
    with torch.no_grad():
        model.model.embed_tokens.weight.copy_(torch.eye(size))
        model.lm_head.weight.copy_(head)
        model.model.layers[0].self_attn.o_proj.weight.zero_()
        model.model.layers[0].mlp.down_proj.weight.zero_()
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _id(tokenizer: PreTrainedTokenizerBase, token: str) -> int:
    added = tokenizer.get_added_vocab()
    ids = [added[token]] if token in added else tokenizer.encode(token, add_special_tokens=False)
    assert len(ids) == 1, f"{token!r} is not one token: {ids}"
    return int(ids[0])

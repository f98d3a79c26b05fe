"""A tiny random checkpoint of any causal architecture that transformers knows, as far as one can be built."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from support.layouts import llama_tokenizer
from transformers import CONFIG_MAPPING, AutoModelForCausalLM
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

KINDS = sorted(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)

_LARGEST = 20_000_000

_LAYERS, _HEADS, _WIDTH = 4, 4, 64

#: Sizes by the names that configurations give them; a class gets those that it has.
_SIZES: dict[str, Any] = {
    **dict.fromkeys(["hidden_size", "n_embd", "d_model", "dim", "emb_dim", "word_embed_proj_dim", "lru_width"], _WIDTH),
    **dict.fromkeys(["intermediate_size", "n_inner", "ffn_dim", "decoder_ffn_dim", "encoder_ffn_dim", "d_ff"], 48),
    **dict.fromkeys(["shared_expert_intermediate_size", "moe_intermediate_size", "mlp_hidden_size"], 32),
    **dict.fromkeys(["expert_ffn_hidden_size", "dim_ff", "ffn_hidden_size", "moe_shared_expert_intermediate_size"], 32),
    **dict.fromkeys(["num_hidden_layers", "n_layer", "n_layers", "num_layers"], _LAYERS),
    **dict.fromkeys(["decoder_layers", "encoder_layers", "num_decoder_layers", "num_encoder_layers"], _LAYERS),
    **dict.fromkeys(["num_attention_heads", "n_head", "n_heads", "num_heads"], _HEADS),
    **dict.fromkeys(["decoder_attention_heads", "encoder_attention_heads", "num_decoder_attention_heads"], _HEADS),
    **dict.fromkeys(["num_encoder_attention_heads", "mamba_n_heads", "n_mamba_heads"], _HEADS),
    **dict.fromkeys(["head_dim", "kv_channels", "attention_head_dim", "d_kv", "dim_head", "v_head_dim"], 16),
    **dict.fromkeys(["global_head_dim", "linear_key_head_dim", "linear_value_head_dim", "swa_head_dim"], 16),
    **dict.fromkeys(["qk_rope_head_dim", "qk_nope_head_dim", "rotary_dim", "index_head_dim"], 8),
    **dict.fromkeys(["linear_num_key_heads", "linear_num_value_heads", "index_n_heads"], 2),
    **dict.fromkeys(["num_key_value_heads", "num_kv_heads", "num_global_key_value_heads"], 2),
    **dict.fromkeys(["num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"], 4),
    **dict.fromkeys(["num_experts_per_tok", "num_experts_per_token", "moe_topk", "moe_k", "top_k_experts"], 2),
    **dict.fromkeys(["n_group", "topk_group", "num_expert_group", "first_k_dense_replace", "n_shared_experts"], 1),
    **dict.fromkeys(["q_lora_rank", "kv_lora_rank"], 24),
    **dict.fromkeys(["max_position_embeddings", "n_positions", "max_seq_len", "seq_length", "n_ctx"], 512),
    **dict.fromkeys(["initializer_range", "init_std"], 0.25),
    "zero_expert_num": 1, "vocab_size_per_layer_input": 600, "hidden_size_per_layer_input": 16, "index_topk": 16,
    "num_kv_shared_layers": 0, "chunk_size": 32, "attention_types": [[["global", "local"], _LAYERS // 2]],
    "is_decoder": True, "state_size": 8, "mamba_d_state": 8, "type_vocab_size": 2,
}  # fmt: skip

_MARKS = ("bos_token_id", "eos_token_id", "pad_token_id")


def build(kind: str, folder: Path, **more: Any) -> str:
    """Write a checkpoint of `kind` to `folder`; returns why that cannot be done, or nothing."""
    torch.manual_seed(3)
    reason = "unknown"
    for config in _configurations(kind, more):
        try:
            made = config()
            with torch.device("meta"):
                count = sum(each.numel() for each in AutoModelForCausalLM.from_config(made).parameters())
            if count > _LARGEST:
                reason = f"{count / 1e6:.0f}M parameters at its smallest"
                continue
            model = AutoModelForCausalLM.from_config(made).eval()
            with torch.inference_mode():
                model(input_ids=torch.arange(5, 25)[None], use_cache=False)
            model.save_pretrained(folder)
            llama_tokenizer().save_pretrained(folder)
        except Exception as error:  # each of the many classes has mistakes of its own
            reason = f"{type(error).__name__}: {' '.join(str(error).split())[:90]}"
        else:
            return ""
    return reason


def _configurations(kind: str, more: dict[str, Any]) -> Iterator[Any]:
    """Ways to configure it, to be tried in turn: with fewer and fewer sizes of our own."""
    made = CONFIG_MAPPING[kind]
    names = {field.name for field in dataclasses.fields(made)} | set(made.attribute_map)
    common = {"vocab_size": len(llama_tokenizer()), **dict.fromkeys(_MARKS)}
    ours = {name: value for name, value in {**common, **_SIZES}.items() if name in names} | more
    for left_out in [(), _MARKS, ("head_dim",), ("rotary_dim",), ("num_key_value_heads",), ("attention_types",)]:
        fewer = {name: value for name, value in ours.items() if name not in left_out}
        yield lambda fewer=fewer: made(**fewer)
        if left_out and left_out is not _MARKS:
            with_marks = {name: value for name, value in fewer.items() if name not in _MARKS}
            yield lambda fewer=with_marks: made(**fewer)

"""Writing the built-in models as ordinary Hugging Face folders (bf16 safetensors), and reading them back.

A folder is complete or absent: it is written beside its place and then moved there.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import PreTrainedTokenizerBase, Qwen2ForCausalLM

MODELS = Path(__file__).parents[2] / "assets" / "models"
WEIGHTS = "model.safetensors"


def write_folder(
    folder: Path,
    config: dict[str, Any],
    weights: dict[str, torch.Tensor],
    tokenizer: PreTrainedTokenizerBase,
    card: str,
    generation: dict[str, Any] | None = None,
) -> None:
    """Write a checkpoint; an old one at the same place is replaced only when the new one is complete."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    tokenizer.save_pretrained(partial)
    settings = partial / "tokenizer_config.json"
    kept = {k: v for k, v in json.loads(settings.read_text()).items() if k not in ("is_local", "local_files_only")}
    settings.write_text(json.dumps(kept, indent=2) + "\n")
    (partial / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    if generation:
        (partial / "generation_config.json").write_text(json.dumps(generation, indent=2) + "\n")
    (partial / "README.md").write_text(card)
    stored = {name: tensor.detach().to("cpu", torch.bfloat16).contiguous() for name, tensor in weights.items()}
    save_file(stored, partial / WEIGHTS, metadata={"format": "pt"})
    (partial / WEIGHTS).chmod(0o644)
    old = folder.with_name(f".{folder.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    partial.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


def model_config(model_config: Any, architecture: str) -> dict[str, Any]:
    """A config.json without what depends on the library's version or on how the model was trained."""
    keys = (
        "vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
        "num_key_value_heads", "max_position_embeddings", "rms_norm_eps", "hidden_act", "tie_word_embeddings",
        "initializer_range", "attention_dropout", "use_sliding_window", "pad_token_id", "eos_token_id",
    )  # fmt: skip
    plain = {key: getattr(model_config, key) for key in keys}
    rope = {"rope_theta": 10000.0, "rope_parameters": {"rope_type": "default", "rope_theta": 10000.0}}
    kind = {"architectures": [architecture], "model_type": "qwen2", "dtype": "bfloat16"}
    return {**kind, **plain, **rope, "use_cache": True}


def write_policy(folder: Path, model: Qwen2ForCausalLM, tokenizer: PreTrainedTokenizerBase, card: str) -> None:
    weights = {name: tensor for name, tensor in model.state_dict().items() if name != "lm_head.weight"}
    generation = {"do_sample": True, "temperature": 0.8, "eos_token_id": 2, "pad_token_id": 0, "max_new_tokens": 384}
    write_folder(folder, model_config(model.config, "Qwen2ForCausalLM"), weights, tokenizer, card, generation)


def read_weights(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor.float() for name, tensor in load_file(folder / WEIGHTS).items()}

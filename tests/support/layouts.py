"""Tiny tokenizers in the layouts of the published checkpoints, and tiny random checkpoints that use them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForTokenClassification,
    LlamaConfig,
    LlamaForCausalLM,
    MistralConfig,
    MistralForCausalLM,
    MistralForTokenClassification,
    PreTrainedTokenizerBase,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen2ForTokenClassification,
    Qwen2Model,
    Qwen2Tokenizer,
)

CORPUS = [
    "What is 1 + 1? Compute 18 * 13 + 5.\nStep 1: We add the numbers + and - with care.\n\n",
    "Step 2: It is $\\frac{1}{2}$, so \\boxed{42}. Therefore the answer is 42.\n\n",
    "точки и строки ки ки ки. 所以答案是 四十二。\n\n",
] * 40

QWEN_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA_SPLIT = QWEN_SPLIT.replace(r"\p{N}| ?", r"\p{N}{1,3}| ?")

CHATML = (
    "{%- if messages[0].role != 'system' -%}{{- '<|im_start|>system\\nReason.<|im_end|>\\n' -}}{%- endif -%}"
    "{%- for message in messages -%}"
    "{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' -}}"
    "{%- endfor -%}{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
LLAMA_CHAT = (
    "{{- bos_token + '<|start_header_id|>system<|end_header_id|>\\n\\nToday Date: 26 Jul 2024\\n\\n<|eot_id|>' -}}"
    "{%- for message in messages -%}"
    "{{- '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' + message.content | trim + '<|eot_id|>' -}}"
    "{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' -}}{%- endif -%}"
)


def _trained(pre_tokenizer: Any, specials: list[str], alphabet: list[str], corpus: list[str]) -> dict[str, Any]:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizer
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=specials, initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(corpus, trainer)
    learned: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return {"vocab": learned["vocab"], "merges": [tuple(pair) for pair in learned["merges"]]}


def _byte_level(split: str) -> Any:
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(split), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


@cache
def qwen_tokenizer() -> PreTrainedTokenizerBase:
    """Byte-level BPE as Qwen2's: no text in front, line breaks merged with the signs before them."""
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<extra_0>"]
    learned = _trained(_byte_level(QWEN_SPLIT), specials, pre_tokenizers.ByteLevel.alphabet(), CORPUS)
    tokenizer = Qwen2Tokenizer(
        **{**learned, "unk_token": None}, bos_token="<|endoftext|>", eos_token="<|im_end|>", pad_token="<|endoftext|>",
        additional_special_tokens=specials[1:],
    )  # fmt: skip
    tokenizer.chat_template = CHATML
    return tokenizer


@cache
def llama_tokenizer() -> PreTrainedTokenizerBase:
    """Byte-level BPE as Llama 3's: digits in threes, a beginning of text in front."""
    specials = ["<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
    learned = _trained(_byte_level(LLAMA_SPLIT), specials, pre_tokenizers.ByteLevel.alphabet(), CORPUS)
    backend = Tokenizer(models.BPE(**learned, ignore_merges=True))
    backend.pre_tokenizer = _byte_level(LLAMA_SPLIT)
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in specials])
    backend.post_processor = processors.TemplateProcessing(
        single="<|begin_of_text|> $A", special_tokens=[(specials[0], learned["vocab"][specials[0]])]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, bos_token=specials[0], eos_token=specials[3], chat_template=LLAMA_CHAT
    )


@cache
def mistral_tokenizer(*, metaspace: bool) -> PreTrainedTokenizerBase:
    """BPE as SentencePiece's: a blank in front, bytes for line breaks; in the older or the newer file form."""
    specials = ["<unk>", "<s>", "</s>", *(f"<0x{byte:02X}>" for byte in range(256))]
    learned = _trained(
        pre_tokenizers.Metaspace(prepend_scheme="always"), specials, [], [text.replace("\n", " ") for text in CORPUS]
    )
    backend = Tokenizer(models.BPE(**learned, byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    if metaspace:
        backend.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    else:
        backend.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    backend.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    backend.add_special_tokens([AddedToken(name, normalized=False, special=True) for name in specials[:3]])
    backend.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return PreTrainedTokenizerFast(tokenizer_object=backend, bos_token="<s>", eos_token="</s>", unk_token="<unk>")


def sizes(tokenizer: PreTrainedTokenizerBase, **more: Any) -> dict[str, Any]:
    """A small model whose random weights are large enough to give scores that differ."""
    return {
        "vocab_size": len(tokenizer), "hidden_size": 64, "intermediate_size": 48, "num_hidden_layers": 3,
        "num_attention_heads": 2, "num_key_value_heads": 1, "max_position_embeddings": 4096,
        "initializer_range": 0.25, "tie_word_embeddings": False, "bos_token_id": None, "eos_token_id": None,
        "pad_token_id": None, **more,
    }  # fmt: skip


def qwen_causal(folder: Path, **more: Any) -> Path:
    return _save(folder, Qwen2ForCausalLM, Qwen2Config(**sizes(qwen_tokenizer(), **more)), qwen_tokenizer())


def mistral_causal(folder: Path, *, metaspace: bool = False, **more: Any) -> Path:
    tokenizer = mistral_tokenizer(metaspace=metaspace)
    return _save(folder, MistralForCausalLM, MistralConfig(**sizes(tokenizer, **more)), tokenizer)


def llama_causal(folder: Path, **more: Any) -> Path:
    """With Llama 3's stretched rotary embedding."""
    rope = {
        "rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
        "original_max_position_embeddings": 64,
    }  # fmt: skip
    config = LlamaConfig(**sizes(llama_tokenizer(), rope_parameters=rope, **more))
    return _save(folder, LlamaForCausalLM, config, llama_tokenizer())


def qwen_with_head(folder: Path, architecture: str, head: dict[str, tuple[int, ...]]) -> Path:
    """A Qwen2 backbone and the tensors of a head, under the published names."""
    torch.manual_seed(5)
    tokenizer = qwen_tokenizer()
    config = Qwen2Config(**sizes(tokenizer))
    weights = {f"model.{name}": value for name, value in Qwen2Model(config).state_dict().items()}
    weights |= {name: torch.randn(shape) * 0.4 for name, shape in head.items()}
    config.architectures = [architecture]
    config.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    save_file({name: value.contiguous() for name, value in weights.items()}, folder / "model.safetensors")
    return folder


def token_classifier(folder: Path, num_labels: int = 2) -> Path:
    config = Qwen2Config(**sizes(qwen_tokenizer(), num_labels=num_labels))
    return _save(folder, Qwen2ForTokenClassification, config, qwen_tokenizer())


def mistral_token_classifier(folder: Path) -> Path:
    tokenizer = mistral_tokenizer(metaspace=True)
    return _save(folder, MistralForTokenClassification, MistralConfig(**sizes(tokenizer, num_labels=2)), tokenizer)


def reads_both_ways(folder: Path) -> Path:
    """A token classifier to which a later step changes what an earlier one means."""
    tokenizer = qwen_tokenizer()
    config = BertConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2
    )
    return _save(folder, BertForTokenClassification, config, tokenizer)


def _save(folder: Path, architecture: Any, config: Any, tokenizer: PreTrainedTokenizerBase) -> Path:
    torch.manual_seed(5)
    architecture(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder

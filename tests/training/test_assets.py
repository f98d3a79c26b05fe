"""The shipped checkpoints: they load as any Hugging Face folder does, are small, and really solve problems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from transformers import AutoModel, AutoModelForCausalLM, AutoTokenizer

from engine.domains.builtin.sets import problem_set
from engine.training.checkpoints import MODELS
from engine.training.evaluate import mean, solved
from engine.training.solutions import sample
from engine.training.tokenizer import BLANK_LINE, STEP, token_id

POLICY_LIMIT, PRM_LIMIT = 12_000_000, 16_000_000


def architecture(folder: Path) -> str:
    return str(json.loads((folder / "config.json").read_text())["architectures"][0])


FOLDERS = sorted(folder for folder in MODELS.iterdir() if (folder / "config.json").exists())
POLICIES = [folder for folder in FOLDERS if architecture(folder) == "Qwen2ForCausalLM"]
PRMS = [folder for folder in FOLDERS if architecture(folder) == "Qwen2ForProcessRewardModel"]


def test_there_is_a_policy_and_a_prm() -> None:
    assert "builtin-xs" in [folder.name for folder in POLICIES]
    assert "builtin-prm" in [folder.name for folder in PRMS]


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_size_card_and_dtype(folder: Path) -> None:
    limit = PRM_LIMIT if folder in PRMS else POLICY_LIMIT
    assert sum(file.stat().st_size for file in folder.iterdir()) <= limit
    assert "Provenance" in (folder / "README.md").read_text()
    with safe_open(folder / "model.safetensors", "pt") as weights:
        assert {weights.get_slice(name).get_dtype() for name in weights.keys()} == {"BF16"}  # noqa: SIM118


@pytest.mark.parametrize("folder", POLICIES, ids=lambda folder: folder.name)
def test_policies_load_without_missing_keys_and_solve_easy_problems(folder: Path) -> None:
    torch.set_num_threads(1)
    load: Any = AutoModelForCausalLM.from_pretrained
    model, info = load(folder, dtype=torch.float32, output_loading_info=True)
    assert not any(info[key] for key in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    tokenizer = AutoTokenizer.from_pretrained(folder)
    assert model.config.max_position_embeddings == tokenizer.model_max_length == 512
    assert model.generation_config.eos_token_id == tokenizer.eos_token_id
    drawn = list(sample(model, tokenizer, problem_set("builtin-easy")[:60], temperature=0))
    assert mean([s.finished for s in drawn]) > 0.95
    assert mean([solved(s) for s in drawn]) > 0.5


@pytest.mark.parametrize("folder", PRMS, ids=lambda folder: folder.name)
def test_prms_have_the_backbone_and_the_two_label_head(folder: Path) -> None:
    _, info = AutoModel.from_pretrained(folder, dtype=torch.float32, output_loading_info=True)
    assert not info["missing_keys"]
    assert set(info["unexpected_keys"]) == {f"score.{i}.{kind}" for i in (0, 2) for kind in ("weight", "bias")}
    with safe_open(folder / "model.safetensors", "pt") as weights:
        assert weights.get_slice("score.2.weight").get_shape()[0] == 2


@pytest.mark.parametrize("folder", PRMS, ids=lambda folder: folder.name)
def test_prms_read_a_mark_as_the_blank_line_it_stands_for(folder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    with safe_open(folder / "model.safetensors", "pt") as weights:
        embeddings = weights.get_tensor("model.embed_tokens.weight")
    assert torch.equal(embeddings[token_id(tokenizer, STEP)], embeddings[token_id(tokenizer, BLANK_LINE)])

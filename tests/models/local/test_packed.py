"""Weights in the order of the CPU's kernels: the same model, only faster, whoever asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.tiny_architectures import build
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.local import placement
from engine.models.local.packed import PackedLinear
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import TwoTokenTemplate

pytestmark = pytest.mark.skipif(not placement.cpu_has_bfloat16(), reason="this CPU computes in float32")

IDS = torch.arange(5, 69)[None]


@pytest.fixture(autouse=True)
def large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models are treated as large ones: in bfloat16."""
    monkeypatch.setattr(placement, "SMALL", 0)
    monkeypatch.setattr(placement, "free_gpus", list)


def _made(folder: Path, *, tied: bool) -> Path:
    assert build("qwen2", folder, tie_word_embeddings=tied) == ""
    return folder


def _kinds(model: nn.Module) -> set[type]:
    return {type(each) for each in model.modules() if isinstance(each, nn.Linear | PackedLinear)}


def _logprobs(model: PreTrainedModel) -> torch.Tensor:
    with torch.inference_mode():
        logits: torch.Tensor = model(input_ids=IDS).logits
    return logits[0].float().log_softmax(-1)


@pytest.mark.parametrize("tied", [True, False])
def test_a_policy_computes_what_the_stored_model_does(tmp_path: Path, tied: bool) -> None:
    folder = _made(tmp_path, tied=tied)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.bfloat16).eval()
    exact = _logprobs(AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval())
    policy = LocalPolicy("tiny", folder)
    try:
        assert policy.info.dtype == "bfloat16"
        assert policy.info.parameters == plain.num_parameters()
        assert _kinds(policy.model.base_model) == {PackedLinear}
        assert type(policy.model.get_output_embeddings()) is (nn.Linear if tied else PackedLinear)
        ours, theirs = (float((_logprobs(model) - exact).abs().mean()) for model in (policy.model, plain))
        assert 0 < ours < 1.2 * theirs
    finally:
        policy.close()


def test_judges_keep_the_weights_they_read(tmp_path: Path) -> None:
    folder = _made(tmp_path, tied=False)
    template = TwoTokenTemplate(step="{step}\n", good="+", bad="-")
    for entry in (ModelEntry(kind="generic", path="x", template=template), ModelEntry(kind="likelihood", path="x")):
        judge = SCORERS[entry.kind].load(entry, folder)
        assert isinstance(judge, LocalScorer) and _kinds(judge.backbone) == {PackedLinear}
        judge.close()


def test_float32_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    policy = LocalPolicy("tiny", _made(tmp_path, tied=False))
    assert _kinds(policy.model) == {nn.Linear}
    policy.close()

"""Models whose layers see a window of the past only: read in pieces as in one go, the window shorter than the text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from support.growing import PROBLEM, by_levels, grow, many
from support.judges import GenericChat, MathShepherd
from support.layouts import mistral_causal, qwen_causal, qwen_tokenizer, sizes
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    Gemma2ForCausalLM,
    Llama4TextConfig,
    Qwen3NextConfig,
)

from engine.errors import ModelError
from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.local.kv import Decoder, KVBatch
from engine.models.scorers.local import LocalScorer
from engine.search.cost import ScorerCost
from engine.search.tree import Tree

WINDOW = 16


class NarrowShepherd(MathShepherd):
    """Every layer has the window, as in the first Mistral."""

    def make(self, folder: Path) -> Path:
        return mistral_causal(folder, sliding_window=WINDOW)


class NarrowQwen(GenericChat):
    """The last two layers of three have the window."""

    def make(self, folder: Path) -> Path:
        return qwen_causal(folder, use_sliding_window=True, sliding_window=WINDOW, max_window_layers=1)


@pytest.mark.parametrize("kind", [NarrowShepherd, NarrowQwen])
async def test_a_window_shorter_than_the_text(tmp_path: Path, kind: type[MathShepherd]) -> None:
    judge = kind(tmp_path)
    scorer = SCORERS[judge.kind].load(
        ModelEntry(kind=judge.kind, path="judge", template=judge.options.template), judge.folder
    )
    assert isinstance(scorer, LocalScorer)
    steps = many(6)
    (scores,) = await by_levels(scorer.session(PROBLEM), [grow(Tree(PROBLEM), steps)], ScorerCost())
    assert scores == pytest.approx(judge.scores(PROBLEM, steps), abs=1e-4)
    scorer.close()
    judge.model = AutoModelForCausalLM.from_pretrained(judge.folder, sliding_window=4096).eval()
    assert scores != pytest.approx(judge.scores(PROBLEM, steps), abs=1e-2)  # the window matters here


def test_windows_in_a_model_that_runs_its_own_layers() -> None:
    """Gemma 2 alternates; its own `forward` is called, with one mask for each kind of layer."""
    torch.manual_seed(5)
    torch.set_num_threads(1)
    config = Gemma2Config(**sizes(qwen_tokenizer()), head_dim=8, sliding_window=WINDOW, query_pre_attn_scalar=8)
    model = Gemma2ForCausalLM(config).eval()
    assert set(config.layer_types or ()) == {"full_attention", "sliding_attention"}
    ids = torch.arange(60)[None] % 50
    with torch.inference_mode():
        expected = model.model(ids, use_cache=False).last_hidden_state
        batch = KVBatch(config, model.dtype, model.device)
        batch.add([[]])
        found = torch.cat([Decoder(model.model).step(batch, part) for part in ids.split([40, 1, 19], dim=1)], dim=1)
    assert torch.allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("config", [Qwen3NextConfig, Llama4TextConfig])
def test_layers_that_are_neither_are_refused(config: Any) -> None:
    class Model:
        pass

    model = Model()
    model.config = config()  # type: ignore[attr-defined]
    with pytest.raises(ModelError, match="are not supported by the local back end"):
        Decoder(model)

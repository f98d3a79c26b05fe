"""What bfloat16 costs: batches of another shape round differently, and scores move by that much and no more.

Measured on these checkpoints (`pytest -s` prints it); scores are exact in float32 only, as docs/models.md says.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from support.growing import HONEST, PROBLEM, by_levels, grow, many
from support.judges import MathShepherd, RLHFlow, TwoTokens

from engine.models.local.checkpoint import describe
from engine.models.scorers import math_shepherd, rlhflow
from engine.models.scorers.heads import TwoTokenHead
from engine.models.scorers.local import LocalScorer
from engine.search.cost import ScorerCost
from engine.search.tree import Tree


@pytest.mark.parametrize(("kind", "family"), [(MathShepherd, math_shepherd), (RLHFlow, rlhflow)])
async def test_bfloat16_moves_scores_by_its_own_noise(tmp_path: Path, kind: type[TwoTokens], family: object) -> None:
    judge = kind(tmp_path)
    steps = [*many(12), *HONEST]
    exact = torch.tensor(judge.scores(PROBLEM, steps))
    model = judge.model.bfloat16()
    form = family.read(judge.tokenizer)  # type: ignore[attr-defined]
    scorer = LocalScorer(
        describe("judge", tmp_path, model, form.template), model.base_model, form,
        TwoTokenHead(model, *judge.verdicts()),
    )  # fmt: skip
    (scores,) = await by_levels(scorer.session(PROBLEM), [grow(Tree(PROBLEM), steps)], ScorerCost())
    scorer.close()
    cached = torch.tensor(scores)
    whole = torch.tensor(judge.scores(PROBLEM, steps))
    rounding = float((whole - exact).abs().max())
    between = float((cached - whole).abs().max())
    print(f"{kind.__name__}: bf16 - fp32 {rounding:.4f}, step by step - whole text in bf16 {between:.4f}")
    assert 0 < between <= 2 * rounding + 0.01
    assert float((cached - exact).abs().mean()) < 0.05

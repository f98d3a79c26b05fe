"""The likelihood judge on the built-in models says what `support.offline_likelihood` measures offline."""

from __future__ import annotations

from itertools import islice

import pytest
import torch
from support.growing import by_levels, grow
from support.offline_likelihood import likelihood_scores
from transformers import Qwen2ForCausalLM

from engine.assets import assets
from engine.domains.builtin.problems import stream
from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.scorers.local import LocalScorer
from engine.search.cost import ScorerCost
from engine.search.tree import Tree
from engine.training.judged import judge
from engine.training.solutions import Sample
from engine.training.tokenizer import load as load_tokenizer

FOLDER = assets() / "models" / "builtin-s"


async def test_it_equals_the_offline_measure() -> None:
    torch.set_num_threads(1)
    problems = list(islice(stream("test", "policy"), 12))
    samples = [Sample(problem, problem.steps, True, 1) for problem in problems]
    # A wrong digit in every second solution, so that there are low scores as well as high ones.
    samples[::2] = [
        Sample(each.problem, tuple(step.replace("1", "7") for step in each.steps), True, 1) for each in samples[::2]
    ]
    tokenizer = load_tokenizer(FOLDER)
    policy = Qwen2ForCausalLM.from_pretrained(FOLDER, dtype=torch.float32).eval()
    expected = likelihood_scores(policy, tokenizer, judge(tokenizer, samples))
    scorer = SCORERS["likelihood"].load(ModelEntry(kind="likelihood", path="builtin-s"), FOLDER)
    assert isinstance(scorer, LocalScorer)
    for sample, scores in zip(samples, expected, strict=True):
        steps = [step + "\n\n" for step in sample.steps]
        steps[-1] = sample.steps[-1]  # ends with EOS
        session = scorer.session(sample.problem.text)
        (ours,) = await by_levels(session, [grow(Tree(sample.problem.text), steps)], ScorerCost())
        assert ours == pytest.approx(scores, abs=1e-4)
    lowest = [scores[-1] for scores in expected]
    assert min(lowest) < 0.01 and max(lowest) > 0.3
    scorer.close()

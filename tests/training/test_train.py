"""`make train`: where its rows come from, and what it says to whoever asks for what it cannot do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedTokenizerBase

from engine.domains.builtin.problems import Problem, split_of, stream
from engine.training import policy, slips, train
from engine.training import tokenizer as tokenizers
from engine.training.checkpoints import MODELS
from engine.training.judged import judge, packed
from engine.training.loop import save_state
from engine.training.prm import PRMS
from engine.training.solutions import Sample
from engine.training.train import load_policy

WEAK = PRMS["builtin-prm-weak"]


@pytest.fixture
def tokenizer(monkeypatch: pytest.MonkeyPatch) -> PreTrainedTokenizerBase:
    """The shipped one, for training, too."""
    shipped = tokenizers.load(MODELS / "builtin-xs")
    monkeypatch.setattr(train, "the_tokenizer", lambda work: shipped)
    return shipped


@pytest.mark.parametrize("reader", ["policy", "trunk", "samples", "rollouts", "slips"])
def test_what_training_reads_keeps_to_its_split(
    reader: str, tokenizer: PreTrainedTokenizerBase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every source of training rows, as `make train` calls it; what problems it asks for is written down."""
    asked: list[Problem] = []

    def overheard(*args: Any, **kwargs: Any) -> Iterator[Problem]:
        for problem in stream(*args, **kwargs):
            asked.append(problem)
            yield problem

    for module in (policy, train, slips):
        monkeypatch.setattr(module, "stream", overheard)
    monkeypatch.setattr(train, "SAMPLES", 90)
    monkeypatch.setattr(train, "load_policy", lambda folder: load_policy(MODELS / folder.name))
    if reader == "samples":
        train.rows_of(WEAK, "builtin-xs", tmp_path)
    elif reader == "rollouts":
        train.rows_of(replace(PRMS["builtin-prm-rollouts"], samples=90), "builtin-xs", tmp_path)
    elif reader == "slips":
        train.slip_rows(90, tmp_path)
    else:
        plan = policy.TRUNK if reader == "trunk" else policy.POLICIES["builtin-xs"]
        policy.shard_rows(replace(plan, shard=90), tokenizer, 3)
    assert len(asked) >= 45
    theirs = "policy" if reader in ("policy", "trunk") else "judge"
    assert {split_of(problem.family, problem.numbers) for problem in asked} == {theirs}


def test_a_prm_that_reads_few_samples_reads_of_all_families(tokenizer: PreTrainedTokenizerBase, tmp_path: Path) -> None:
    """Samples are kept by the length of their prompts; the first of them are of a few families only."""
    solved = [Sample(problem, problem.steps, True, 0) for problem in islice(stream("few", "judge"), 300)]
    solved.sort(key=lambda sample: len(sample.problem.text))
    save_state(tmp_path / "samples-builtin-xs-0.pt", packed(judge(tokenizer, solved)))
    rows = train.rows_of(replace(WEAK, samples=60), "builtin-xs", tmp_path)
    read = "\n".join(str(tokenizer.decode(row.ids)) for row in rows)
    assert len(rows) == 60
    assert len({sample.problem.family for sample in solved if sample.problem.text in read}) >= 12
    assert len({sample.problem.family for sample in solved[:60]}) < 8, "or there was nothing to prevent"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--jobs", "0"], "--jobs: 0 is too few; give 1 or more"),
        (["--token-share", "0"], "--token-share: 0 leaves nothing to read"),
        (["--token-share", "-1", "--out", "elsewhere"], "--token-share: -1 leaves nothing to read"),
        (["--token-share", "0.01"], "--token-share: a trial"),
        (["--token-share", "0.01", "--out", "elsewhere"], "--token-share: a trial"),
        (["--token-share", "0.01", "--work", "elsewhere", "--out", f"{MODELS}/../models"], "--token-share: a trial"),
        (["--only", "builtin-m", "builtin-prm-rollouts"], "builtin-l, builtin-s, builtin-xs"),
        (["--only", "builtin-xl"], "--only: unknown model builtin-xl"),
        (["--only", "builtin-prm-short", "--work", "empty"], "builtin-l, builtin-m, builtin-s, builtin-xs"),
        (["--policies", "builtin-xl"], "invalid choice"),
    ],
)
def test_mistakes_are_told_before_anything_is_trained(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        train.main(arguments)
    assert said in capsys.readouterr().err
    assert not list(tmp_path.iterdir())

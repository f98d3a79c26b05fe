"""Paths longer than a judge's window, on tiny checkpoints with a small one: the last whole steps, and nothing mixed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.growing import PROBLEM, grow, many
from support.judge_server import JudgeServer
from support.judges import GenericChat, Judge
from support.newer_judges import ALL

from engine.models.catalogue.catalogue import SCORERS
from engine.search.cost import ScorerCost
from engine.search.prm_window import WindowedScore, WindowedScorer
from engine.search.scorer import Scorer, ScorerSession
from engine.search.tree import Tree

STEPS = many(9)
#: Room for steps after the problem, in tokens of any of the judges.
ROOM = 150


@dataclass(frozen=True)
class Narrow:
    """A judge, and how the product runs it with a small window."""

    judge: Judge
    scorer: Scorer


@pytest.fixture(scope="module", params=ALL, ids=lambda judge: judge.__name__)
def local(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Narrow]:
    judge: Judge = request.param(tmp_path_factory.mktemp(request.param.__name__))
    entry = judge.entry()
    wide = SCORERS[judge.kind].load(entry, judge.folder)
    window = wide.prompt_tokens(PROBLEM) + ROOM
    wide.close()
    config = judge.folder / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | {"max_position_embeddings": window}))
    scorer = SCORERS[judge.kind].load(entry, judge.folder)
    yield Narrow(judge, scorer)
    scorer.close()


async def by_levels(session: ScorerSession, scorer: Scorer, cost: ScorerCost) -> list[WindowedScore]:
    """One chain, scored as a search does: a step at a time."""
    windowed = WindowedScorer(session, scorer.info, "left")
    path = grow(Tree(PROBLEM), STEPS)
    found = []
    for end in range(1, len(path) + 1):
        found += await windowed.score([path[:end]], cost)
    return found


async def assert_last_steps(found: list[WindowedScore], narrow: Narrow) -> list[int]:
    """Each score is that of the last steps read alone, and one step more would not have fitted; how many were read."""
    read = [int(each.too_long.get("read", end)) for end, each in enumerate(found, start=1)]
    for end, (judgement, kept) in enumerate(zip(found, read, strict=True), start=1):
        assert judgement.value == pytest.approx(narrow.judge.scores(PROBLEM, STEPS[end - kept : end])[-1], abs=1e-4)
        if kept < end:
            more = grow(Tree(PROBLEM), STEPS[end - kept - 1 : end])
            assert await narrow.scorer.session(PROBLEM).score([more], ScorerCost()) == [None]
            assert judgement.too_long["tokens"] > judgement.too_long["window"] == narrow.scorer.info.context_window
    assert any(0 < kept < end - 1 for end, kept in enumerate(read, start=1))
    return read


async def test_a_local_judge_reads_the_last_steps_and_pays_whenever_it_reads_them_anew(local: Narrow) -> None:
    cost, session = ScorerCost(), local.scorer.session(PROBLEM)
    found = await by_levels(session, local.scorer, cost)
    read = await assert_last_steps(found, local)
    due, before = local.scorer.prompt_tokens(PROBLEM), 0
    for end, kept in enumerate(read, start=1):
        alone, path = local.scorer.session(PROBLEM), grow(Tree(PROBLEM), STEPS[end - kept : end])
        await alone.score([path], ScorerCost())
        due += alone.positions(path, kept - 1 if end - kept == before else 0)[0]
        before = end - kept
        alone.close()
    assert cost.scored_tokens == due
    session.close()


async def test_a_served_judge_reads_the_last_steps(tmp_path: Path) -> None:
    judge = GenericChat(tmp_path)
    server = JudgeServer(judge, window=240)
    entry = judge.entry(urls=(server.url,), tokenizer=str(judge.folder), name="served")
    scorer = await asyncio.to_thread(SCORERS[judge.kind].serve, entry, judge.folder)
    cost = ScorerCost()
    probe = len(server.read)
    found = await by_levels(scorer.session(PROBLEM), scorer, cost)
    assert cost.scored_tokens == sum(server.read[probe:])
    await assert_last_steps(found, Narrow(judge, scorer))
    await asyncio.to_thread(scorer.close)
    server.stop()

"""The same text cut otherwise: a judge that reads text says the same of it, one that counts steps does not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest
from support.scripted import ScriptedScorer

from engine.domains.builtin.sets import problem_set
from engine.runs.host import Host
from engine.runs.lab.evidence import Trees, read
from engine.runs.lab.rescoring import rescore
from engine.runs.lab.segmentation import cost, recuts, segmentation
from engine.runs.question import Question
from engine.search.cost import ScorerCost
from engine.search.params import RunParams
from engine.search.tree import Node
from engine.store import Store

PROBLEMS, PRM = 10, "builtin-prm"


class CountsSteps(ScriptedScorer):
    """Likes odd steps: what it says hangs on where the text is cut, and on nothing else."""

    async def score(self, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[float | None]:
        return [0.9 if len(path) % 2 else 0.1 for path in paths]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Store.open(str(tmp_path_factory.mktemp("cut") / "runs.db")) as store, closing(Host(store)) as host:
        yield host


@pytest.fixture(scope="module")
def counting() -> CountsSteps:
    return CountsSteps(lambda _: 0.5)


@pytest.fixture(scope="module")
def recorded(host: Host, counting: CountsSteps) -> Trees:
    ids = []
    for each in problem_set("builtin-1000")[:PROBLEMS]:
        running = host.submit(Question(each.text, each.answer), RunParams("best_of_n", n=2))
        running.future.result(timeout=120)
        ids.append(running.id)
    host.store.flush()
    asyncio.run(rescore(host.store, ids, counting))
    return read(host.store, host.domains, host.store.runs())


def test_the_text_stays_the_same(recorded: Trees) -> None:
    found = recuts(recorded, PRM)
    assert len(found) == PROBLEMS
    for each in found:
        tree = next(known.tree for known in recorded.known if known.record.id == each.run)
        path = [node for node in tree.path(each.ends[-1]) if node.text.strip()]
        assert "".join(node.text for node in each.tree.nodes[1:]) == "".join(node.text for node in path)
        assert len(each.tree) - 1 == len(each.ends) == (len(path) + 1) // 2
    assert len(recuts(recorded, PRM, most=3)) == 3


def test_the_built_in_prm_does_not_mind(host: Host, recorded: Trees) -> None:
    """Its step token is read as the blank line that it replaces."""
    found = recuts(recorded, PRM)
    fault, positions = host.judging(PRM, lambda judge: segmentation(found, judge)).result(timeout=120)
    assert fault.tested.n == sum(len(each.ends) for each in found) and fault.tested.interval.mean == 0
    assert fault.finding == "not found"
    assert positions == pytest.approx(cost(found, host.catalogue.judge(PRM)), rel=0.3)


async def test_a_judge_that_counts_steps_is_found(recorded: Trees, counting: CountsSteps) -> None:
    fault, _ = await segmentation(recuts(recorded, "judge"), counting)
    assert fault.finding == "found" and fault.tested.interval.mean > 0.3
    assert fault.examples[0].size == pytest.approx(0.8)

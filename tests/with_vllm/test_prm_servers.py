"""Every PRM family behind the real vLLM: the scores of an independent computation in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from support.judges import GenericTag, Judge, MathShepherd, QwenPRM, RLHFlow, Skywork
from support.recorded import solve_with
from support.vllm_server import VllmServer

from engine.errors import ModelError
from engine.models.catalogue.catalogue import SCORERS, Catalogue, ModelEntry, Models
from engine.models.scorers.served import ServedScorer
from engine.models.scorers.skywork import convert
from engine.search.cost import ScorerCost
from engine.search.domain import Domain
from engine.search.events import StepSampled
from engine.search.tree import Node, Tree

PROBLEM = "What is 12 * 3 + 6?"
STEPS = (
    "We take 12 * 3 = 36.",
    "A tag: <extra_0>, ки + and -",
    "$\\frac{84}{2}$, 所以答案是 42 🙂",
    "So \\boxed{42}.",
)
FAMILIES = (QwenPRM, Skywork, MathShepherd, RLHFlow, GenericTag)
MORE = {
    "qwen_prm": ("--runner", "pooling", "--pooler-config"),
    "skywork": ("--runner", "pooling"),
}


def grow(steps: Sequence[str]) -> list[Node]:
    """A chain of nodes."""
    tree = Tree(PROBLEM)
    for number, text in enumerate(steps, 1):
        tree.apply(StepSampled(number, number, number - 1, number, text, None, 1, None, "step"))
    return tree.path(tree[len(steps)])


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda kind: kind.kind)
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    made: Judge = request.param(tmp_path_factory.mktemp(request.param.kind) / "prm")
    return made


@pytest.fixture(scope="module")
def scorer(judge: Judge) -> Iterator[ServedScorer]:
    folder, more = judge.folder, list(MORE.get(judge.kind, ()))
    if judge.kind == "skywork":
        convert(judge.folder, folder := judge.folder.parent / "converted")
    if judge.kind == "qwen_prm":
        more.append(f'{{"task": "token_classify", "tok_pooling_type": "STEP", "step_tag_id": {judge.id("<extra_0>")}}}')
    server = VllmServer(judge.folder.parent / "server.log", folder, *more)
    server.wait_until_ready()
    entry = ModelEntry(
        kind=judge.kind, name="served", urls=(server.url,), tokenizer=str(judge.folder),
        template=judge.options.template, timeout_s=600,
    )  # fmt: skip
    served = SCORERS[judge.kind].serve(entry, judge.folder)
    assert isinstance(served, ServedScorer)
    yield served
    served.close()
    server.kill()


async def test_scores_are_those_of_a_plain_forward(judge: Judge, scorer: ServedScorer) -> None:
    """One step after the other, as a search asks, and a whole chain at once."""
    nodes, cost = grow(STEPS), ScorerCost()
    session = scorer.session(PROBLEM)
    found = [(await session.score([nodes[: end + 1]], cost))[0] for end in range(len(STEPS))]
    assert found == pytest.approx(judge.scores(PROBLEM, STEPS), abs=1e-4)
    assert len({round(score or 0.0, 6) for score in found}) == len(STEPS), "scores that do not differ prove nothing"
    lengths = [scorer.session(PROBLEM).positions(nodes[: end + 1], end)[0] for end in range(len(STEPS))]
    assert cost.scored_tokens == sum(lengths)
    again = await scorer.session(PROBLEM).score([nodes, nodes[:2], nodes], ScorerCost())
    assert again == pytest.approx([found[-1], found[1], found[-1]], abs=1e-5)


async def test_many_steps_and_many_paths(judge: Judge, scorer: ServedScorer) -> None:
    steps = [f"Step {number}: {number} + 1 = {number + 1}." for number in range(40)]
    nodes = grow(steps)
    asked = [nodes[:5], nodes, nodes[:17]]
    found = await scorer.session(PROBLEM).score(asked, ScorerCost())
    expected = judge.scores(PROBLEM, steps)
    assert found == pytest.approx([expected[len(path) - 1] for path in asked], abs=1e-4)


async def test_what_does_not_fit_has_no_score(scorer: ServedScorer) -> None:
    long = grow(["1 + 1 = 2 " * scorer.info.context_window])
    assert await scorer.session(PROBLEM).score([long], ScorerCost()) == [None]


async def test_a_search_under_a_served_prm(judge: Judge, scorer: ServedScorer, models: Models, maths: Domain) -> None:
    run = await solve_with(models.policy, scorer, maths, n=4, width=2)
    assert run.last.status == "done"
    scored = [node for node in run.tree.nodes[1:] if "served" in node.scores]
    path = run.tree.path(scored[-1])
    problem = run.tree.root.text
    expected = judge.scores(problem, [node.text for node in path])
    assert [node.scores["served"] for node in path] == pytest.approx(expected, abs=1e-4)


def test_a_server_that_is_no_prm_says_how_to_start_one(judge: Judge, scorer: ServedScorer, tmp_path: Path) -> None:
    """One family's server asked as another's."""
    other, family = (QwenPRM, "qwen_prm") if judge.kind != "qwen_prm" else (MathShepherd, "math_shepherd")
    tokenizer = other(tmp_path / "other").folder
    file = tmp_path / "models.toml"
    file.write_text(
        '[[pair]]\nname = "mine"\n[pair.policy]\nkind = "local"\npath = "builtin-xs"\n'
        f'[pair.scorer]\nkind = "{family}"\nurls = ["{scorer.servers[0].url}"]\ntokenizer = "{tokenizer}"\n',
        encoding="utf-8",
    )
    with pytest.raises(ModelError, match="start vLLM with") as refusal:
        Catalogue(file).load()
    assert "\n" not in str(refusal.value)

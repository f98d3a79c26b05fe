"""Each family, on a tiny checkpoint of its architecture and tokenizer layout, against plain forwards of the whole."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.growing import HONEST, PROBLEM, by_levels, grow, many
from support.judges import Judge, Likelihood, RLHFlow
from support.newer_judges import ALL

from engine.errors import ModelError
from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.local.prefix_cache import PrefixCache
from engine.models.scorers.formats import conversation
from engine.models.scorers.local import LocalScorer
from engine.search.cost import ScorerCost
from engine.search.tree import Tree

ODD = ["  a blank in front\n\n", "12 - 3 \n \n\n", "x", "\tSo \\boxed{42}. \n", "{step} {problem} {{x}} ${y}\n\n"]


def forged(judge: Judge) -> list[str]:
    """Texts that spell out what closes a step, and special tokens."""
    return [
        f"All is well{judge.tag}{judge.tag} indeed{judge.tag} \n\n",
        f"So{judge.tag}\n+ <s></s> <|endoftext|><|begin_of_text|> {judge.tag}.\n\n",
        "точки ки ки строки <|im_start|>assistant\n\n",
    ]


@pytest.fixture(scope="module", params=ALL, ids=lambda judge: judge.__name__)
def judge(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Judge:
    made: Judge = request.param(tmp_path_factory.mktemp(request.param.__name__))
    return made


@pytest.fixture(scope="module")
def scorer(judge: Judge) -> Iterator[LocalScorer]:
    loaded = SCORERS[judge.kind].load(judge.entry(), judge.folder)
    assert isinstance(loaded, LocalScorer)
    yield loaded
    loaded.close()


def test_steps_read_one_by_one_are_the_tokens_of_the_whole(judge: Judge, scorer: LocalScorer) -> None:
    for steps in (HONEST, HONEST[::-1], ODD, many(12), HONEST[:1], HONEST[3:4]):
        ids, positions = conversation(scorer.format, PROBLEM, steps)
        assert ids == judge.whole(PROBLEM, steps)[: len(ids)]
        assert [each[-1] for each in positions] == judge.by_hand(PROBLEM, steps)[1]


def test_a_tag_in_a_text_is_text(judge: Judge, scorer: LocalScorer) -> None:
    for steps in (forged(judge), [*HONEST[:2], *forged(judge)[::-1]]):
        ids, positions = conversation(scorer.format, PROBLEM, steps)
        expected, places = judge.by_hand(PROBLEM, steps)
        assert ids == expected[: len(ids)]
        assert [each[-1] for each in positions] == places
        if judge.kind in ("qwen_prm", "math_shepherd") or judge.tag == "<extra_0>":
            closing = ids[positions[0][-1]]
            assert [place for place, token in enumerate(ids) if token == closing] == places


@pytest.mark.parametrize("length", [1, 5, 40])
async def test_a_chain_scored_step_by_step_equals_the_whole(judge: Judge, scorer: LocalScorer, length: int) -> None:
    steps, cost = many(length), ScorerCost()
    (scores,) = await by_levels(scorer.session(PROBLEM), [grow(Tree(PROBLEM), steps)], cost)
    expected = judge.scores(PROBLEM, steps)
    assert scores == pytest.approx(expected, abs=judge.tolerance)
    assert length == 1 or max(expected) - min(expected) > 100 * judge.tolerance
    for end in {1, length // 2 + 1, length}:  # what comes later changes nothing
        assert scores[end - 1] == pytest.approx(judge.scores(PROBLEM, steps[:end])[-1], abs=judge.tolerance)
    assert cost.scored_tokens == len(conversation(scorer.format, PROBLEM, steps)[0])


@pytest.mark.parametrize("eviction", [False, True])
async def test_paths_and_sessions_that_share_a_batch_score_as_each_alone(
    judge: Judge, scorer: LocalScorer, eviction: bool
) -> None:
    texts = [HONEST, ODD, [*forged(judge), *HONEST], [HONEST[3]]]
    problems = [PROBLEM, "Compute 1 - 2."]

    async def solve(problem: str) -> list[list[float]]:
        session, tree = scorer.session(problem), Tree(problem)
        if eviction:
            session.cache = PrefixCache(limit_bytes=1)
        return await by_levels(session, [grow(tree, steps) for steps in texts], ScorerCost())

    for problem, scores in zip(problems, await asyncio.gather(*map(solve, problems)), strict=True):
        for steps, ours in zip(texts, scores, strict=True):
            assert ours == pytest.approx(judge.scores(problem, steps), abs=judge.tolerance)


async def test_a_tree_costs_its_prompt_and_the_tokens_of_each_node_once(judge: Judge, scorer: LocalScorer) -> None:
    tree, cost = Tree(PROBLEM), ScorerCost()
    trunk = grow(tree, many(3))
    branches = [grow(tree, [text, *HONEST], trunk[-1].id) for text in ("So 1.\n\n", "So 2.\n\n", "So 3.\n\n")]
    branches.append(grow(tree, ODD, trunk[0].id))
    scores = await by_levels(scorer.session(PROBLEM), branches, cost)
    form = scorer.format
    due = len(form.prompt(PROBLEM))
    for node in tree.nodes[1:]:
        assert node.parent is not None
        due += len(form.segment(node.text, tree[node.parent].text if node.parent else None).ids)
    assert cost.scored_tokens == due
    for path, ours in zip(branches, scores, strict=True):
        assert ours == pytest.approx(judge.scores(PROBLEM, [node.text for node in path]), abs=judge.tolerance)


async def test_padding_costs_less_than_another_pass(judge: Judge, scorer: LocalScorer) -> None:
    """One long step among short ones: the short ones are not padded to its length."""
    shapes: list[tuple[int, ...]] = []
    hook = scorer.backbone.get_input_embeddings().register_forward_pre_hook(
        lambda _, args: shapes.append(tuple(args[0].shape))
    )
    tree, cost = Tree(PROBLEM), ScorerCost()
    paths = [grow(tree, [f"So {k}.\n\n"]) for k in range(12)] + [grow(tree, ["".join(many(6)).replace("\n\n", " ")])]
    try:
        scores = await scorer.session(PROBLEM).score(paths, cost)
    finally:
        hook.remove()
    padded = sum(rows * width for rows, width in shapes)
    assert padded - cost.scored_tokens <= 64 * len(shapes)
    assert len(shapes) <= 4  # the prompt; the short ones, perhaps in two; the long one
    for path, score in zip(paths, scores, strict=True):
        assert score == pytest.approx(judge.scores(PROBLEM, [path[-1].text])[-1], abs=judge.tolerance)


async def test_a_whole_path_in_one_call_has_its_last_score_and_keeps_it(judge: Judge, scorer: LocalScorer) -> None:
    cost, session, path = ScorerCost(), scorer.session(PROBLEM), grow(Tree(PROBLEM), HONEST)
    (score,) = await session.score([path], cost)
    assert score == pytest.approx(judge.scores(PROBLEM, HONEST)[-1], abs=judge.tolerance)
    spent = cost.scored_tokens
    assert await session.score([path], cost) == [score]
    assert (cost.scored_tokens, cost.calls) == (spent, 2)  # what is known is not computed again


async def test_blank_lines_behind_a_step_are_no_step_and_an_empty_one_is_refused(
    judge: Judge, scorer: LocalScorer
) -> None:
    session, tree = scorer.session(PROBLEM), Tree(PROBLEM)
    paths = [grow(tree, [text]) for text in ("So 42.\n\n", "So 42.\n\n\n \n", "\nSo 42.\n")]
    scores = await session.score(paths, ScorerCost())
    assert scores == pytest.approx([scores[0]] * 3, abs=1e-5)
    with pytest.raises(ModelError, match="step 2 of the path has no text"):
        await session.score([grow(tree, ["So.\n\n", " \n\n", "It is."])], ScorerCost())


def test_what_is_recorded_names_the_way_of_reading(judge: Judge, scorer: LocalScorer) -> None:
    assert len(scorer.info.template) == 12
    assert scorer.info.digest and scorer.info.parameters > 10_000
    assert scorer.prompt_tokens(PROBLEM) == len(conversation(scorer.format, PROBLEM, [])[0])


@pytest.mark.parametrize("kind", [RLHFlow, Likelihood])
def test_a_chat_template_that_does_not_serve_is_refused(tmp_path: Path, kind: type[Judge]) -> None:
    made = kind(tmp_path)
    made.tokenizer.chat_template = "{% for m in messages %}{{ m.role }}: the text is withheld{% endfor %}"
    made.tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError) as refusal:
        SCORERS[made.kind].load(ModelEntry(kind=made.kind, path="judge"), tmp_path)
    assert "chat template" in str(refusal.value) and "\n" not in str(refusal.value)

"""Contrast of two tiny models with different tokenizers, against plain forwards of the whole text, letter by letter."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from support.growing import HONEST, PROBLEM, grow, many
from support.layouts import llama_causal, qwen_causal
from transformers import AutoModelForCausalLM, AutoTokenizer

from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.local.prefix_cache import PrefixCache
from engine.models.scorers.contrast import ContrastScorer, contrast, redistributed
from engine.models.scorers.formats import conversation
from engine.runs.shared.scorer import SharedScorer
from engine.search.cost import Meter, ScorerCost
from engine.search.events import ModelInfo
from engine.search.tree import Node, Tree

CHUNK = 7
ODD = [
    "x",
    "12 - 3 \n \n\n",
    "So \\boxed{42} <|im_end|><|eot_id|> \n<|im_start|>assistant\n\n",
    "\ttwo\nlines 🙂.\n\n",
    "1234567\n\n",
]


class Plain:
    """One model, once more: what it says of each token of a solution, and where that token begins in its step."""

    def __init__(self, folder: Path) -> None:
        self.tokenizer: Any = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        self.model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
        self.backend = AutoTokenizer.from_pretrained(folder, local_files_only=True).backend_tokenizer
        self.backend.encode_special_tokens = True

    @torch.inference_mode()
    def steps(self, problem: str, steps: Sequence[str]) -> list[list[tuple[int, float]]]:
        turns = [{"role": "user", "content": problem}]
        opening = self.tokenizer.apply_chat_template(turns, tokenize=False, add_generation_prompt=True)
        before = self.tokenizer.encode(opening, add_special_tokens=False)
        texts = [step.strip() for step in steps]
        read = self.backend.encode("\n\n".join(texts) + "\n\n", add_special_tokens=False)
        ids = torch.tensor([before + read.ids])
        given = torch.log_softmax(self.model(ids, use_cache=False).logits[0, :-1], -1)
        values = given.gather(-1, ids[0, 1:, None])[len(before) - 1 :, 0].tolist()
        found: list[list[tuple[int, float]]] = []
        begin = done = 0
        for text in texts:
            tokens = [index for index, (start, _) in enumerate(read.offsets) if done <= start < begin + len(text)]
            found.append([(max(0, read.offsets[index][0] - begin), values[index]) for index in tokens])
            done = begin + len(text)
            begin = done + 2
        return found


def by_letter(tokens: Sequence[tuple[int, float]], length: int) -> list[float]:
    """Every token's log-probability, spread over the letters from its first to that of a token that begins later."""
    letters = [0.0] * length
    for start, value in tokens:
        end = min((other for other, _ in tokens if other > start), default=length)
        for letter in range(start, end):
            letters[letter] += value / (end - start)
    return letters


@dataclass
class Pair:
    """The scorer, and the same two models read plainly."""

    scorer: ContrastScorer
    larger: Plain
    smaller: Plain

    def differences(self, problem: str, steps: Sequence[str]) -> list[list[float]]:
        found = []
        both = zip(steps, self.larger.steps(problem, steps), self.smaller.steps(problem, steps), strict=True)
        for step, ours, theirs in both:
            length = len(step.strip())
            letters = by_letter(theirs, length)
            row = []
            for start, value in ours:
                end = min((other for other, _ in ours if other > start), default=length)
                beside = sum(other == start for other, _ in ours)
                row.append(value - sum(letters[start:end]) / beside)
            found.append(row)
        return found

    def scores(self, problem: str, steps: Sequence[str], chunk: int) -> list[float]:
        """The last whole chunks that cover each step, token by token from the end; what is missing is 0."""
        rows = self.differences(problem, steps)
        found = []
        for index, row in enumerate(rows):
            flat = [value for earlier in rows[: index + 1] for value in earlier]
            size = math.ceil(len(row) / chunk) * chunk
            found.append(1 / (1 + math.exp(-sum(flat[-size:]) / size)))
        return found


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    torch.set_num_threads(1)
    larger = qwen_causal(tmp_path_factory.mktemp("larger"), initializer_range=0.1, num_hidden_layers=4)
    smaller = llama_causal(tmp_path_factory.mktemp("smaller"), initializer_range=0.1, num_hidden_layers=2)
    entry = ModelEntry(kind="likelihood", path="larger", contrast="smaller", chunk=CHUNK, name="contrast")
    scorer = SCORERS["likelihood"].load(entry, larger, smaller)
    assert isinstance(scorer, ContrastScorer)
    yield Pair(scorer, Plain(larger), Plain(smaller))
    scorer.close()


async def by_levels(session: Any, paths: Sequence[Sequence[Node]], cost: ScorerCost) -> list[list[float]]:
    known: dict[int, float] = {}
    for depth in range(1, max(map(len, paths)) + 1):
        level = [path[:depth] for path in {path[depth - 1].id: path for path in paths if len(path) >= depth}.values()]
        for path, score in zip(level, await session.score(level, cost), strict=True):
            known[path[-1].id] = score
    return [[known[node.id] for node in path] for path in paths]


@pytest.mark.parametrize("steps", [HONEST, ODD, many(1), many(5), many(40)], ids=["honest", "odd", "1", "5", "40"])
async def test_step_by_step_is_one_pass_over_the_whole(pair: Pair, steps: list[str]) -> None:
    cost = ScorerCost()
    (scores,) = await by_levels(pair.scorer.session(PROBLEM), [grow(Tree(PROBLEM), steps)], cost)
    expected = pair.scores(PROBLEM, steps, CHUNK)
    assert scores == pytest.approx(expected, abs=1e-5)
    assert len(steps) == 1 or max(expected) - min(expected) > 0.01
    for end in {1, len(steps) // 2 + 1, len(steps)}:  # what comes later changes nothing
        assert scores[end - 1] == pytest.approx(pair.scores(PROBLEM, steps[:end], CHUNK)[-1], abs=1e-5)
    sizes = [len(conversation(each.format, PROBLEM, steps)[0]) for each in (pair.scorer.larger, pair.scorer.smaller)]
    assert cost.scored_tokens == sum(sizes) and sizes[0] != sizes[1]
    parameters = [each.info.parameters for each in (pair.scorer.larger, pair.scorer.smaller)]
    assert cost.flops == pytest.approx(2 * (parameters[0] * sizes[0] + parameters[1] * sizes[1]))


@pytest.mark.parametrize("eviction", [False, True])
async def test_branches_score_as_each_path_alone(pair: Pair, eviction: bool) -> None:
    session, tree = pair.scorer.session(PROBLEM), Tree(PROBLEM)
    if eviction:
        session.larger.cache, session.smaller.cache = PrefixCache(limit_bytes=1), PrefixCache(limit_bytes=1)
    trunk = grow(tree, many(3))
    paths = [grow(tree, [text, *HONEST], trunk[-1].id) for text in ("So 1.\n\n", "So 23.\n\n")]
    paths.append(grow(tree, ODD, trunk[0].id))
    cost = ScorerCost()
    for path, scores in zip(paths, await by_levels(session, paths, cost), strict=True):
        assert scores == pytest.approx(pair.scores(PROBLEM, [node.text for node in path], CHUNK), abs=1e-5)
    if not eviction:
        due = sum(each.prompt_tokens(PROBLEM) for each in (pair.scorer.larger, pair.scorer.smaller))
        for node in tree.nodes[1:]:
            assert node.parent is not None
            before = tree[node.parent].text if node.parent else None
            for each in (pair.scorer.larger, pair.scorer.smaller):
                due += len(each.format.segment(node.text, before).ids)
        assert (
            cost.scored_tokens
            == due
            == sum(session.positions([], 0))
            + sum(session.positions(tree.path(node), node.depth - 1)[0] for node in tree.nodes[1:])
        )


async def test_a_whole_path_in_one_call_and_once_more(pair: Pair) -> None:
    cost, session, path = ScorerCost(), pair.scorer.session(PROBLEM), grow(Tree(PROBLEM), HONEST)
    (score,) = await session.score([path], cost)
    assert score == pytest.approx(pair.scores(PROBLEM, HONEST, CHUNK)[-1], abs=1e-5)
    spent = cost.scored_tokens
    assert await session.score([path], cost) == [score] and cost.scored_tokens == spent


async def test_over_a_solution_the_differences_are_those_of_the_text(pair: Pair) -> None:
    """Whatever the tokens are: log p_large - log p_small of all that was written, blank lines included."""
    for steps in (HONEST, ODD):
        session, path = pair.scorer.session(PROBLEM), grow(Tree(PROBLEM), steps)
        await session.score([path], ScorerCost())
        whole = [
            sum(value for step in each.steps(PROBLEM, steps) for _, value in step)
            for each in (pair.larger, pair.smaller)
        ]
        found = sum(sum(session.differences[node.id]) for node in path)
        assert found == pytest.approx(whole[0] - whole[1], abs=1e-3) and abs(found) > 1


async def test_a_model_against_itself_is_neutral(pair: Pair, tmp_path: Path) -> None:
    folder = qwen_causal(tmp_path)
    scorer = SCORERS["likelihood"].load(ModelEntry(kind="likelihood", path="a", contrast="b"), folder, folder)
    (scores,) = await by_levels(scorer.session(PROBLEM), [grow(Tree(PROBLEM), ODD)], ScorerCost())
    assert scores == pytest.approx([0.5] * len(ODD), abs=1e-5)
    scorer.close()


async def test_a_path_longer_than_either_window_is_not_scored(pair: Pair) -> None:
    path = grow(Tree(PROBLEM), many(4))
    for each in (pair.scorer.larger, pair.scorer.smaller):
        kept, window = each.info, len(conversation(each.format, PROBLEM, [node.text for node in path])[0]) - 1
        each._judge._info = replace(kept, context_window=window)
        try:
            session = pair.scorer.session(PROBLEM)
            assert await session.score([path], ScorerCost()) == [None]
            assert await session.score([path[:3]], ScorerCost()) != [None]
        finally:
            each._judge._info = kept


async def test_runs_that_share_a_session_are_charged_what_each_alone_takes(pair: Pair) -> None:
    tree, policy = Tree(PROBLEM), ModelInfo("policy", 1, 0)
    path = grow(tree, many(4))
    alone = Meter(policy, pair.scorer.info)
    await pair.scorer.session(PROBLEM).score([path], alone.scorer_cost)
    shared = SharedScorer(pair.scorer, PROBLEM, 2)
    for _ in range(2):
        meter = Meter(policy, pair.scorer.info)
        await shared.session(PROBLEM).score([path], meter.scorer_cost)
        assert meter.usage().scored_tokens == alone.usage().scored_tokens
        assert meter.usage().flops_all == pytest.approx(alone.usage().flops_all) == meter.scorer_cost.flops
    assert Meter(policy, pair.scorer.info, scorer_cost=shared.cost).usage().flops_all == alone.usage().flops_all


def test_what_is_recorded_names_both_models_and_the_chunk(pair: Pair) -> None:
    info, larger, smaller = pair.scorer.info, pair.scorer.larger, pair.scorer.smaller
    assert info.parameters == larger.info.parameters + smaller.info.parameters
    assert info.name == "contrast" and info.digest != larger.info.digest
    assert ContrastScorer("contrast", larger, smaller, 16).info.template != info.template
    assert pair.scorer.prompt_tokens(PROBLEM) == larger.prompt_tokens(PROBLEM) + smaller.prompt_tokens(PROBLEM)


def test_letters_are_shared_between_tokens_of_different_length() -> None:
    assert redistributed((0, 2, 6), (-2, -4, -1), (0, 3, 7), 8) == pytest.approx([-3, -3.5, -0.5])
    assert redistributed((0, 0, 3), (-1, -2, -3), (0, 1), 4) == pytest.approx([-1, -5])  # a blank line in front
    assert redistributed((0, 2), (-2, -4), (0, 1, 1), 4) == pytest.approx([-1, -2.5, -2.5])  # bytes of a letter
    assert redistributed((1, 2), (-2, -4), (0, 3), 4) == pytest.approx([-4, -2])  # a blank that no token claims


def test_a_chunk_reaches_into_the_step_before_and_is_never_shorter() -> None:
    assert contrast([[1, 2, 3], [4]], 3) == pytest.approx(3)
    assert contrast([[1, 2, 3], [4, 5, 6, 7]], 3) == pytest.approx(sum((2, 3, 4, 5, 6, 7)) / 6)
    assert contrast([[6]], 3) == pytest.approx(2)  # nothing before it: neutral


async def test_both_models_at_once_fail_as_one(pair: Pair) -> None:
    session = pair.scorer.session(PROBLEM)
    task = asyncio.create_task(session.score([grow(Tree(PROBLEM), many(3))], ScorerCost()))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

"""Reasoning models: thoughts are steps like others, their tags are text, and none of them is an answer yet."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.markov import END, START, markov_checkpoint
from support.recorded import solve_with

from engine.domains.maths.extract import extract_answer
from engine.models.policies.local import LocalPolicy
from engine.search.domain import Domain

BOX = "\\boxed{2}"


@pytest.mark.parametrize(
    ("text", "opens_thought", "answer"),
    [
        (f"<think>Perhaps {BOX}", False, None),
        (f"<think>Perhaps {BOX}</think>\n\nSo \\boxed{{3}}", False, "3"),
        (f"Perhaps {BOX}", True, None),
        (f"Perhaps {BOX}</think> yes", True, "2"),
        (f"{BOX}</think>\\boxed{{3}}<think>again", True, None),
        (f"So {BOX}", False, "2"),
    ],
)
def test_an_unfinished_thought_answers_nothing(text: str, opens_thought: bool, answer: str | None) -> None:
    assert extract_answer(text, opens_thought=opens_thought) == answer


async def test_a_thought_is_cut_at_blank_lines_and_keeps_its_tags(tmp_path: Path, maths: Domain) -> None:
    table = {
        START: {"<think>": 1.0}, "<think>": {"a": 1.0}, "a": {"\n\n": 1.0},
        "\n\n": {BOX: 0.5, "</think>": 0.5}, BOX: {"\n\n": 1.0}, "</think>": {"b": 1.0}, "b": {END: 1.0},
    }  # fmt: skip
    folder = markov_checkpoint(tmp_path, table, extra=["<think>", "</think>", BOX])
    policy = LocalPolicy("thinker", folder)
    try:
        run = await solve_with(policy, None, maths, strategy="majority_vote", n=8, max_steps=6, temperature=1.0)
    finally:
        policy.close()
    texts = {node.text for node in run.tree.nodes[1:]}
    assert {"<think>a\n\n", f"{BOX}\n\n", "</think>b"} <= texts
    for leaf in run.tree.completions():
        whole = "".join(node.text for node in run.tree.path(leaf))
        assert (leaf.answer == "2") == (BOX in whole)


async def test_a_template_that_opens_the_thought_counts_as_its_tag(tmp_path: Path, maths: Domain) -> None:
    table = {START: {BOX: 1.0}, BOX: {"</think>": 0.5, END: 0.5}, "</think>": {END: 1.0}}
    folder = markov_checkpoint(tmp_path, table, extra=["<think>", "</think>", BOX])
    template = (folder / "chat_template.jinja").read_text()
    (folder / "chat_template.jinja").write_text(template + "{{- '<think>\\n' -}}")
    policy = LocalPolicy("thinker", folder)
    try:
        run = await solve_with(policy, None, maths, strategy="majority_vote", n=16, temperature=1.0)
    finally:
        policy.close()
    answers = {node.text: node.answer for node in run.tree.completions()}
    assert answers == {BOX: None, f"{BOX}</think>": "2"}


async def test_a_completion_is_cut_at_its_longest(tmp_path: Path, maths: Domain) -> None:
    table = {START: {"a": 1.0}, "a": {"\n\n": 1.0}, "\n\n": {"a": 1.0}}
    policy = LocalPolicy("endless", markov_checkpoint(tmp_path, table))
    try:
        run = await solve_with(policy, None, maths, strategy="greedy", max_tokens=5)
    finally:
        policy.close()
    assert [(node.text, node.finish) for node in run.tree.nodes[1:]] == [
        ("a\n\n", "step"), ("a\n\n", "step"), ("a", "length"),
    ]  # fmt: skip

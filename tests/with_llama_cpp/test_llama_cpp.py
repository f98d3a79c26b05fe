"""Searching through the real llama.cpp server, which has one slot, one prefix and no reason for a stop."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import httpx
import pytest
from support import command_line
from support.completion_server import Connect
from support.llama_server import WINDOW, LlamaServer
from support.recorded import solve_with

from engine.errors import ModelError
from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.prompts.chat_prompt import ChatPrompt
from engine.models.prompts.open_tokenizer import open_tokenizer
from engine.search.domain import Domain

#: The model is too small to leave blank lines in mathematics.
PROBLEM = "Write a short letter to a friend."
#: Tokens of an answer: the machine may be slow.
MOST = 40


def one_line(error: object) -> str:
    said = str(error)
    assert said and "\n" not in said
    return said


def test_what_it_can_do(policy: OpenAIPolicy) -> None:
    assert policy.abilities.missing == "token ids, stop reasons"
    assert policy.prompts.path == "/v1/completions"
    assert policy.info.name == "smollm2"


async def test_a_greedy_step_is_the_servers_own_continuation(
    policy: OpenAIPolicy, server: LlamaServer, tokenizer: Path, maths: Domain
) -> None:
    """Of our template and all text before it, with the log-probabilities of that answer."""
    run = await solve_with(policy, None, maths, strategy="greedy", problem=PROBLEM, max_tokens_total=MOST)
    assert run.last.status == "done", run.last.error
    nodes = run.tree.nodes[1:]
    assert len(nodes) > 1 and all(node.text.endswith("\n\n") for node in nodes if node.finish == "step")
    prompt = ChatPrompt(open_tokenizer(tokenizer)).text(PROBLEM)
    for node in nodes[:2]:
        body = {"prompt": prompt, "max_tokens": node.tokens, "temperature": 0, "logprobs": 1, "top_k": 0}
        said = httpx.post(f"{server.url}/v1/completions", json=body, timeout=600).json()["choices"][0]
        assert said["text"].startswith(node.text)
        assert node.logprob is not None
        assert math.isclose(node.logprob, sum(said["logprobs"]["token_logprobs"][: node.tokens]), abs_tol=0.5)
        prompt += node.text


async def test_steps_read_what_was_before_them_from_the_servers_cache(
    policy: OpenAIPolicy, server: LlamaServer, maths: Domain
) -> None:
    before = server.prefixes_found()
    run = await solve_with(policy, None, maths, strategy="greedy", problem=PROBLEM, max_tokens_total=MOST)
    steps = len(run.tree.nodes) - 1
    assert steps > 1
    assert server.prefixes_found() - before >= steps - 1


async def test_seeds_decide(policy: OpenAIPolicy, maths: Domain) -> None:
    async def said(seed: int) -> list[str]:
        request: dict[str, Any] = {"strategy": "majority_vote", "n": 2, "max_tokens_total": 24, "temperature": 1.5}
        run = await solve_with(policy, None, maths, problem=PROBLEM, seed=seed, **request)
        assert run.usage.generated_tokens == 24
        return [node.text for node in run.tree.nodes[1:]]

    first = await said(1)
    assert await said(1) == first != await said(2)


async def test_one_slot_is_named_and_concurrency_is_the_fix(connect: Connect, maths: Domain) -> None:
    """What it writes is ended by the next request that comes in."""
    request: dict[str, Any] = {"strategy": "majority_vote", "n": 4, "max_steps": 1, "temperature": 0.5}
    run = await solve_with(connect(retries=0), None, maths, problem=PROBLEM, **request)
    assert run.last.status == "failed"
    assert "set concurrency in the entry" in one_line(run.last.error)
    run = await solve_with(connect(concurrency=1, retries=0), None, maths, problem=PROBLEM, **request)
    assert run.last.status == "done", run.last.error


async def test_its_reason_for_a_refusal_is_shown(connect: Connect, maths: Domain) -> None:
    """It looks at the length of a prompt when its stream has begun, and hangs up."""
    policy = connect(concurrency=1, context_window=4 * WINDOW, retries=0)
    run = await solve_with(policy, None, maths, strategy="greedy", problem="7 + " * WINDOW)
    assert run.last.status == "failed"
    assert f"maximum context length is {WINDOW} tokens" in one_line(run.last.error)


def test_its_chat_begins_a_new_message_and_is_refused(connect: Connect) -> None:
    with pytest.raises(ModelError, match="begins a new message instead of continuing") as refusal:
        connect(chat=True, concurrency=1)
    assert "name a tokenizer folder" in one_line(refusal.value)


def test_it_does_not_say_how_long_its_context_is(connect: Connect) -> None:
    with pytest.raises(ModelError, match="add context_window"):
        connect(context_window=None, concurrency=1)


def test_the_command_line_solves_with_it(server: LlamaServer, tokenizer: Path, tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    file.write_text(
        '[[pair]]\nname = "llama"\n[pair.policy]\nkind = "openai"\n'
        f'urls = ["{server.url}/v1"]\n'
        f'tokenizer = "{tokenizer}"\ncontext_window = {WINDOW}\nconcurrency = 1\ntimeout_s = 600\n'
        'parameters = 134515008\n[pair.scorer]\nkind = "qwen_prm"\npath = "builtin-prm"\n',
        encoding="utf-8",
    )
    outcome = command_line.run(
        "solve", PROBLEM, "--models", f"{file}:llama", "--strategy", "beam_search", "--n", 2, "--width", 2,
        "--max-tokens-total", 40, "--json", "--db", tmp_path / "runs.db",
    )  # fmt: skip
    assert outcome.code == 0, outcome.err
    document = json.loads(outcome.out)
    assert (document["run"]["status"], document["usage"]["generated_tokens"]) == ("done", 40)
    assert document["usage"]["flops_paper"] == 2 * 134515008 * 40
    assert all(score["value"] is not None for score in document["scores"]) and document["scores"]

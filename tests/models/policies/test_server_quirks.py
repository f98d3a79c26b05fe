"""Servers as they are: each deviates from the protocol in one way, and is understood, or refused with the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.completion_server import BUILTIN, CompletionServer, Connect, Serve
from support.markov import END, START, markov_checkpoint
from support.recorded import PROBLEM, solve, solve_with, texts

from engine.errors import ModelError
from engine.models.catalogue.catalogue import Models
from engine.models.policies.openai_server import OpenAIPolicy
from engine.search.cost import PolicyCost
from engine.search.domain import Domain
from engine.search.policy import Draw, Sampling, Step, TokenBudget

GREEDY: dict[str, Any] = {"strategy": "greedy"}
TEXT: dict[str, Any] = {"templates": False, "token_ids": False, "stop_reason": False, "keeps_stop": False}
CHAT: dict[str, Any] = TEXT | {"completions": False, "chat": "always"}


def one_line(message: str | None) -> str:
    assert message and "\n" not in message
    return message


def refused(connect: Connect, *servers: CompletionServer, **settings: Any) -> str:
    with pytest.raises(ModelError) as refusal:
        connect(*servers, **settings)
    return one_line(str(refusal.value))


async def first_step(policy: OpenAIPolicy, **sampling: Any) -> Step:
    session = policy.session("x")
    (step,) = await session.extend([Draw((), 1)], Sampling(temperature=0, **sampling), TokenBudget(), PolicyCost())
    session.close()
    return step


# --- errors in the middle of a stream --------------------------------------------------------------------------------


def event(said: Any, kind: str = "") -> str:
    return f"{f'event: {kind}' + chr(10) if kind else ''}data: {json.dumps(said)}\n\n"


IN_STREAM = {
    "an error": event({"error": {"message": "engine is dead", "type": "InternalServerError", "code": 500}}),
    "an error in words": event({"error": "engine is dead"}),
    "an event of that kind": event({"message": "engine is dead"}, "error"),
    "a reason to end": event({"choices": [{"index": 0, "text": "", "finish_reason": "error"}]}),
    "an abort": event({"choices": [{"index": 0, "text": "", "finish_reason": "abort"}]}),
    "no completion": event({"engine": "dead"}),
    "no JSON": "data: engine is dead\n\n",
}


@pytest.mark.parametrize("case", IN_STREAM)
async def test_an_error_in_a_stream_leads_to_the_healthy_replica(
    serve: Serve, connect: Connect, models: Models, maths: Domain, case: str
) -> None:
    servers = [serve(), serve()]
    policy = connect(*servers)
    sick = next(server for server in servers if server.url == policy.route(PROBLEM).server.url)
    sick.behaviour.in_stream = IN_STREAM[case]
    run = await solve_with(policy, models.scorer, maths, **GREEDY)
    assert run.last.status == "done", run.last.error
    assert texts(run.tree) == texts((await solve(models, maths, **GREEDY)).tree)


async def test_an_error_in_every_stream_ends_the_run_with_the_servers_reason(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve()
    policy = connect(server, retries=0)
    for said, says in (("engine is dead", "no server is left"), ({"message": "too long", "code": 400}, "too long")):
        server.behaviour.in_stream = event({"error": said})
        run = await solve_with(policy, models.scorer, maths, **GREEDY)
        assert run.last.status == "failed" and server.url in one_line(run.last.error) and says in str(run.last.error)
    server.behaviour.in_stream = ""
    policy, asked = connect(server, retries=3), len(server.searching)
    server.behaviour.in_stream = event({"error": {"message": "too long", "type": "invalid_request_error"}})
    await solve_with(policy, models.scorer, maths, **GREEDY)
    assert len(server.searching) == asked + 1, "what a server refuses is not asked again"


async def test_events_without_a_word_are_passed_over(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    run = await solve_with(connect(serve(pings=True, null_error=True)), models.scorer, maths, **GREEDY)
    assert texts(run.tree) == texts((await solve(models, maths, **GREEDY)).tree)


# --- why a text ended ------------------------------------------------------------------------------------------------

SHORT = {START: {"a": 1.0}, "a": {END: 1.0}}
LONG = {START: {"a": 1.0}, ":": {"a": 1.0}, "a": {"a": 1.0}}  # the probe's text ends with a colon


@pytest.mark.parametrize("word", ["eos", "eos_token", "end", "end_turn", "COMPLETE", "stop_sequence", "whatever"])
@pytest.mark.parametrize("behaviour", [TEXT, CHAT, {}], ids=["text", "chat", "vllm"])
async def test_other_words_for_the_end(
    tmp_path: Path, serve: Serve, connect: Connect, behaviour: dict[str, Any], word: str
) -> None:
    folder = markov_checkpoint(tmp_path, SHORT, context=64)
    step = await first_step(connect(serve(folder, finishes={"stop": word}, **behaviour), tokenizer=folder))
    assert (step.text, step.finish) == ("a", "eos")


@pytest.mark.parametrize("word", ["max_tokens", "model_length", "MAX_TOKENS", "content_filter"])
async def test_other_words_for_a_cut(tmp_path: Path, serve: Serve, connect: Connect, word: str) -> None:
    folder = markov_checkpoint(tmp_path, LONG, context=64)
    policy = connect(serve(folder, finishes={"length": word}, **TEXT), tokenizer=folder)
    assert "cut-off" not in policy.abilities.missing
    step = await first_step(policy, max_step_tokens=5)
    assert (step.text, step.finish) == ("aaaaa", "length")


@pytest.mark.parametrize("usage", [True, False])
async def test_stop_at_the_very_last_token_asked_for_is_no_end(
    tmp_path: Path, serve: Serve, connect: Connect, usage: bool
) -> None:
    folder = markov_checkpoint(tmp_path / "long", LONG, context=64)
    policy = connect(serve(folder, admits_cuts=False, usage=usage, **TEXT), tokenizer=folder)
    assert "cut-off reasons" in policy.info.device
    assert (await first_step(policy, max_step_tokens=5)).finish == "length"
    short = markov_checkpoint(tmp_path / "short", SHORT, context=64)
    policy = connect(serve(short, admits_cuts=False, usage=usage, **TEXT), tokenizer=short)
    assert (await first_step(policy, max_step_tokens=5)).finish == "eos"


# --- what comes in streams -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("behaviour", [TEXT, CHAT], ids=["text", "chat"])
async def test_log_probabilities_outside_of_streams_are_none(
    serve: Serve, connect: Connect, models: Models, maths: Domain, behaviour: dict[str, Any]
) -> None:
    policy = connect(serve(streamed_logprobs=False, **behaviour), tokenizer=BUILTIN)
    assert "log-probabilities" in policy.abilities.missing
    run = await solve_with(policy, models.scorer, maths, **GREEDY)
    assert {node.logprob for node in run.tree.nodes[1:]} == {None}


@pytest.mark.parametrize("behaviour", [{"stream_options": False}, {"streams": False}], ids=["no-count", "no-stream"])
async def test_a_server_that_does_not_stream_as_asked(
    serve: Serve, connect: Connect, models: Models, maths: Domain, behaviour: dict[str, Any]
) -> None:
    run = await solve_with(connect(serve(**behaviour)), models.scorer, maths, **GREEDY)
    assert run.last.status == "done", run.last.error
    assert texts(run.tree) == texts((await solve(models, maths, **GREEDY)).tree)


# --- what a server says about its model ------------------------------------------------------------------------------


@pytest.mark.parametrize("listing", ["bare", "one", "names", "models"])
def test_lists_of_models_in_other_shapes(serve: Serve, connect: Connect, listing: str) -> None:
    said = {} if listing != "names" else {"context_window": 512}
    for named in ({}, {"model": "served"}):
        policy = connect(serve(listing=listing), **named, **said)
        assert policy.info.name == ("served:latest" if listing == "models" else "served")
        assert policy.info.context_window == 512
    assert "does not serve 'larger'; it has served" in refused(connect, serve(listing=listing), model="larger")


def test_no_list_of_models(serve: Serve, connect: Connect) -> None:
    assert "it has none" in refused(connect, serve(listing="null"))
    assert "name the one it serves with model" in refused(connect, serve(listing="none"))
    assert connect(serve(listing="none"), model="served", context_window=300).info.name == "served"


@pytest.mark.parametrize(
    "window",
    ["context_length", "context_window", "n_ctx", "max_context_length", "meta.n_ctx", "top_provider.context_length",
     "/props", "/api/ps", "/api/v0/models", "/info"],
)  # fmt: skip
def test_the_length_of_the_context_wherever_it_is_said(serve: Serve, connect: Connect, window: str) -> None:
    assert connect(serve(window=window)).info.context_window == 512


def test_the_context_of_training_is_not_the_servers(serve: Serve, connect: Connect) -> None:
    assert "add context_window" in refused(connect, serve(window="meta.n_ctx_train"))


# --- templates -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("chat", ["flags", "always"])
def test_a_chat_template_that_edits_messages(serve: Serve, connect: Connect, chat: str) -> None:
    message = refused(connect, serve(**CHAT | {"chat": chat, "trims": True}))
    assert "trims messages" in message and "name a tokenizer folder" in message
    message = refused(connect, serve(**CHAT | {"chat": chat, "drops_thoughts": True}))
    assert "drops thoughts" in message and "name a tokenizer folder" in message


def test_a_completion_that_puts_the_prompt_into_a_template(serve: Serve, connect: Connect) -> None:
    server = serve(**CHAT | {"completions": True, "wraps": True})
    message = refused(connect, server, tokenizer=BUILTIN)
    assert "chat template of its own" in message and "leave tokenizer out" in message
    assert connect(server).prompts.path == "/v1/chat/completions", "the fix is one"


def test_special_tokens_read_as_text(serve: Serve, connect: Connect) -> None:
    message = refused(connect, serve(plain_tokens=True, **TEXT), tokenizer=BUILTIN)
    assert "reads special tokens as text" in message and "check tokenizer" in message


# --- one slot --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("interrupts", [False, True])
async def test_a_server_with_one_slot(
    serve: Serve, connect: Connect, models: Models, maths: Domain, interrupts: bool
) -> None:
    server = serve(slots=1, interrupts=interrupts, pause_s=0.02, **TEXT)
    request: dict[str, Any] = {"strategy": "best_of_n", "n": 8, "max_steps": 1}
    run = await solve_with(connect(server, tokenizer=BUILTIN, retries=0), models.scorer, maths, **request)
    assert run.last.status == "failed"
    assert "requests were under way at once" in one_line(run.last.error)
    assert "set concurrency in the entry" in str(run.last.error)
    run = await solve_with(connect(server, tokenizer=BUILTIN, concurrency=1), models.scorer, maths, **request)
    assert run.last.status == "done", run.last.error


async def test_a_server_that_fails_alone_is_not_said_to_be_crowded(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve()
    policy = connect(server, retries=0)
    server.behaviour.errors = [503]
    run = await solve_with(policy, models.scorer, maths, **GREEDY)
    assert "answers 503" in one_line(run.last.error) and "concurrency" not in str(run.last.error)


# --- reasons ---------------------------------------------------------------------------------------------------------

REASONS: list[Any] = [
    {"error": {"message": "prompts are limited"}},
    {"error": "prompts are limited"},
    {"detail": "prompts are limited"},
    {"detail": [{"loc": ["body", "prompt"], "msg": "prompts are limited"}]},
    {"error": {"message": None, "detail": {"msg": "prompts are limited"}}},
    {"object": "error", "message": "prompts are limited"},
]


@pytest.mark.parametrize("reason", REASONS)
@pytest.mark.parametrize("tokenizer", [None, BUILTIN])
async def test_the_reason_of_a_refusal_is_the_servers_own(
    serve: Serve, connect: Connect, models: Models, maths: Domain, reason: Any, tokenizer: Path | None
) -> None:
    server = serve(**TEXT | {"chat": "always"})
    policy = connect(server, tokenizer=tokenizer)
    policy.prompt_tokens(PROBLEM)
    server.behaviour.reason = reason
    run = await solve_with(policy, models.scorer, maths, **GREEDY)
    assert f"{server.url} answers 400: " in one_line(run.last.error)
    assert run.last.error and run.last.error.endswith("prompts are limited")
    message = refused(connect, server, tokenizer=tokenizer)
    assert "answers 400: " in message and message.endswith("prompts are limited")


async def test_a_server_that_hangs_up_without_a_word_is_asked_for_its_reason(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve()
    policy = connect(server)
    server.behaviour.hangs_up, server.behaviour.reason = True, REASONS[0]
    run = await solve_with(policy, models.scorer, maths, **GREEDY)
    assert run.last.error == f"{server.url} answers 400: prompts are limited"

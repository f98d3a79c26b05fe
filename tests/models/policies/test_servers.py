"""A policy behind a server searches as the local one, as far as the server can follow, and says where it cannot."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from support.completion_server import BUILTIN, CompletionServer, Connect, Serve
from support.markov import END, START, builtin_tokenizer, markov_checkpoint
from support.recorded import PROBLEM, Recorded, make_run, solve, solve_with, texts, until
from transformers import AddedToken, AutoTokenizer

from engine.assets import assets
from engine.errors import InvalidInput, ModelError
from engine.models.catalogue.catalogue import Models
from engine.models.policies.local import LocalPolicy
from engine.models.policies.openai_server import OpenAIPolicy
from engine.models.servers.settings import ServerSettings
from engine.search.cost import PolicyCost
from engine.search.domain import Domain
from engine.search.policy import Draw, Policy, Sampling, Step, TokenBudget
from engine.search.tree import Node

#: Servers, by what they lack: what they are called below, their behaviour, whether we have a tokenizer here, and what
#: the probe should say is missing.
VLLM: dict[str, Any] = {}
NO_TOKENIZE: dict[str, Any] = {"templates": False}
LLAMA_CPP: dict[str, Any] = {
    "templates": False, "token_ids": False, "stop_reason": False, "keeps_stop": False, "chat": "always",
}  # fmt: skip
HOSTED: dict[str, Any] = LLAMA_CPP | {"strict": True, "logprobs": False, "seeds": False}
SERVERS = [
    pytest.param(VLLM, None, "", id="vllm"),
    pytest.param(NO_TOKENIZE, BUILTIN, "", id="vllm-and-tokenizer"),
    pytest.param(NO_TOKENIZE, None, "token ids", id="chat-told-to-continue"),
    pytest.param(LLAMA_CPP, None, "token ids, stop reasons", id="chat-that-continues"),
    pytest.param(LLAMA_CPP, BUILTIN, "token ids, stop reasons", id="text-and-tokenizer"),
    pytest.param(LLAMA_CPP | {"tokens_per_event": 7}, None, "token ids, stop reasons", id="several-tokens-an-event"),
    pytest.param({"token_ids": False, "keeps_stop": False}, BUILTIN, "token ids", id="stop-string-cut-away"),
    pytest.param(
        HOSTED, BUILTIN, "token ids, log-probabilities, seeds, stop reasons, plain sampling", id="as-little-as-possible"
    ),
    pytest.param(
        HOSTED | {"completions": False, "usage": False}, BUILTIN,
        "token ids, log-probabilities, seeds, stop reasons, plain sampling", id="chat-and-nothing-else",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("behaviour", "tokenizer", "missing"), SERVERS)
async def test_a_greedy_search_is_the_local_one(
    serve: Serve, connect: Connect, models: Models, maths: Domain, behaviour: dict[str, Any],
    tokenizer: Path | None, missing: str,
) -> None:  # fmt: skip
    policy = connect(serve(**behaviour), tokenizer=tokenizer)
    assert policy.abilities.missing == missing
    assert policy.info.device == ("server" + (f", without {missing}" if missing else ""))
    assert policy.prompt_tokens(PROBLEM) == models.policy.prompt_tokens(PROBLEM)
    request: dict[str, Any] = {"strategy": "beam_search", "n": 4, "width": 2, "temperature": 0}
    ours, theirs = await solve_with(policy, models.scorer, maths, **request), await solve(models, maths, **request)
    assert ours.last.status == "done" and ours.last.answer == theirs.last.answer
    assert texts(ours.tree) == texts(theirs.tree)
    for mine, other in zip(ours.tree.nodes[1:], theirs.tree.nodes[1:], strict=True):
        assert mine.token_ids == (other.token_ids if "token ids" not in missing else None)
        if "log-probabilities" in missing:
            assert mine.logprob is None
        elif mine.logprob is not None:
            assert mine.logprob == pytest.approx(other.logprob, abs=1e-3)
        else:
            assert "stop reasons" in missing and mine.finish == "eos"
    if behaviour.get("usage", True):
        assert [node.tokens for node in ours.tree.nodes] == [node.tokens for node in theirs.tree.nodes]
        surplus = ours.usage.generated_tokens - theirs.usage.generated_tokens
        assert surplus > 0 if "tokens_per_event" in behaviour else surplus == 0  # behind a blank line, but paid for


async def test_the_same_seed_is_the_same_tree(serve: Serve, connect: Connect, models: Models, maths: Domain) -> None:
    policy = connect(serve())

    async def tree(seed: int) -> Any:
        request: dict[str, Any] = {"strategy": "best_of_n", "n": 4, "temperature": 1.2, "seed": seed}
        return texts((await solve_with(policy, models.scorer, maths, **request)).tree)

    first = await tree(1)
    assert len(first) > 5
    assert await tree(1) == first
    assert await tree(2) != first


@pytest.mark.parametrize("tokenizer", [None, BUILTIN])
@pytest.mark.parametrize("behaviour", [VLLM, NO_TOKENIZE])
async def test_system_prompt_and_suffix_are_in_the_prompt(
    serve: Serve, models: Models, behaviour: dict[str, Any], tokenizer: Path | None
) -> None:
    settings = ServerSettings(urls=(serve(**behaviour).url,))
    policy = OpenAIPolicy(settings, system="Be brief.", suffix="Think first.", tokenizer=tokenizer)
    try:  # the built-in template leaves a system message out
        assert policy.prompt_tokens("1 + 1") == models.policy.prompt_tokens("1 + 1\nThink first.")
    finally:
        policy.close()


async def test_what_a_server_takes_and_does_not_heed_is_no_ability(serve: Serve, connect: Connect) -> None:
    assert connect(serve(scaled_logprobs=True)).abilities.missing == "log-probabilities"
    assert connect(serve(seeds=False, filters=False)).abilities.missing == "seeds, plain sampling"


async def test_what_goes_by_the_models_size_says_so_where_nobody_knows_it(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve()
    run = await solve_with(connect(server), models.scorer, maths, strategy="greedy")
    assert run.usage.flops_paper == 0 and not run.usage.flops_known
    run = await solve_with(connect(server), models.scorer, maths, strategy="compute_optimal")
    assert run.last.status == "failed" and "add parameters" in (run.last.error or "")
    run = await solve_with(connect(server, parameters=187_000), models.scorer, maths, strategy="greedy")
    assert run.usage.flops_paper == 2 * 187_000 * run.usage.generated_tokens


# --- how a step ends: what the server says, against the local back end on the same checkpoint ------------------------


async def sample(policy: Policy, draws: int, limit: int | None, **sampling: Any) -> tuple[list[Step], PolicyCost]:
    cost = PolicyCost()
    session = policy.session("x")
    asked = [Draw((), 2**40 * seed) for seed in range(1, draws + 1)]
    steps = await session.extend(asked, Sampling(temperature=0, **sampling), TokenBudget(limit), cost)
    session.close()
    return steps, cost


#: Checkpoints that say one thing only: their table, tokens to add, and how a step of theirs is sampled.
TABLES: dict[str, tuple[dict[str, dict[str, float]], list[str], dict[str, Any]]] = {
    "blank line in one token": ({START: {"a": 1.0}, "a": {"\n\n": 1.0}}, [], {}),
    "blank line in two tokens": ({START: {"a": 1.0}, "a": {".\n": 1.0}, ".\n": {"\n": 1.0}}, [".\n"], {}),
    "blank line in a longer token": ({START: {"a": 1.0}, "a": {".\n\nb": 1.0}}, [".\n\n", ".\n\nb"], {}),
    "three newlines": ({START: {"a": 1.0}, "a": {"\n\n\n": 1.0}}, ["\n\n\n"], {}),
    "blank step first": ({START: {"\n\n": 1.0}, "\n\n": {"a": 1.0}, "a": {"b": 1.0}, "b": {"\n\n": 1.0}}, [], {}),
    "characters that break lines elsewhere": (
        {
            START: {"\u2028": 1.0},
            "\u2028": {"\u2029": 1.0},
            "\u2029": {"\x85": 1.0},
            "\x85": {"a": 1.0},
            "a": {END: 1.0},
        },
        ["\u2028", "\u2029", "\x85"],
        {},
    ),
    "eos": ({START: {"a": 1.0}, "a": {END: 1.0}}, [], {}),
    "eos at once": ({START: {END: 1.0}}, [], {}),
    "too long a step": ({START: {"a": 1.0}, "a": {"a": 1.0}}, [], {"max_step_tokens": 5}),
    "full window": ({START: {"a": 1.0}, "a": {"a": 1.0}}, [], {}),
}


@pytest.mark.parametrize("case", TABLES)
@pytest.mark.parametrize("behaviour", [VLLM, LLAMA_CPP], ids=["vllm", "bare"])
async def test_a_step_ends_as_it_does_locally(
    tmp_path: Path, serve: Serve, connect: Connect, case: str, behaviour: dict[str, Any]
) -> None:
    table, extra, sampling = TABLES[case]
    folder = markov_checkpoint(tmp_path, table, extra=extra, context=64)
    local = LocalPolicy("markov", folder)
    try:
        (theirs,), _ = await sample(local, 1, None, **sampling)
    finally:
        local.close()
    (ours,), cost = await sample(connect(serve(folder, **behaviour)), 1, None, **sampling)
    if behaviour is VLLM:
        assert ours.logprob == pytest.approx(theirs.logprob, abs=1e-4)
        sure = {name: getattr(ours, name) for name in ("confidence", "certainty")}
        assert replace(ours, logprob=theirs.logprob) == replace(theirs, **sure) and set(sure.values()) == {None}
        assert cost.generated_tokens == theirs.tokens
    elif case == "blank line in a longer token":  # a text can be cut where a token cannot
        assert (ours.text, ours.finish) == ("a.\n\n", "step")
    else:
        assert (ours.text, ours.finish, ours.tokens) == (theirs.text, theirs.finish, theirs.tokens)


@pytest.mark.parametrize(("limit", "draws"), [(10, 4), (2, 3), (7, 1), (1, 1)])
@pytest.mark.parametrize("behaviour", [VLLM, LLAMA_CPP], ids=["vllm", "bare"])
async def test_a_budget_is_dealt_out_as_it_is_locally(
    tmp_path: Path, serve: Serve, connect: Connect, limit: int, draws: int, behaviour: dict[str, Any]
) -> None:
    folder = markov_checkpoint(tmp_path, {START: {"a": 1.0}, "a": {"a": 1.0}})
    local = LocalPolicy("markov", folder)
    try:
        theirs, _ = await sample(local, draws, limit)
    finally:
        local.close()
    server = serve(folder, **behaviour)
    ours, cost = await sample(connect(server), draws, limit)
    assert [(step.text, step.tokens, step.finish) for step in ours] == [
        (step.text, step.tokens, step.finish) for step in theirs
    ]
    assert cost.generated_tokens == limit == sum(body["max_tokens"] for body in server.searching)


async def test_a_searchs_budget_is_never_exceeded(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    policy = connect(serve())
    for budget in (25, 90):
        run = await solve_with(policy, models.scorer, maths, n=4, width=2, max_tokens_total=budget)
        assert run.usage.generated_tokens == budget
        assert run.last.stop_reason == "budget"


async def test_a_step_that_a_person_wrote_is_continued(serve: Serve, connect: Connect, models: Models) -> None:
    written = Node(1, 0, 1, "## Step 1: 18 * 13 = 234.\n\n", tokens=13)
    tokenizer = AutoTokenizer.from_pretrained(assets() / "models" / "builtin-xs")
    told = Node(1, 0, 1, written.text, tokens=13, token_ids=tuple(tokenizer.encode(written.text)))
    policy, said = connect(serve()), []
    for node, asked in ((written, policy), (told, models.policy)):
        session = asked.session(PROBLEM)
        said += await session.extend([Draw((node,), 1)], Sampling(temperature=0), TokenBudget(), PolicyCost())
    assert said[0].text == said[1].text


# --- when things go wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("errors", [[429, 500], [503, 503, 429]])
async def test_passing_errors_are_tried_again(
    serve: Serve, connect: Connect, models: Models, maths: Domain, errors: list[int]
) -> None:
    server = serve()
    policy = connect(server)
    server.behaviour.errors = list(errors)
    run = await solve_with(policy, models.scorer, maths, strategy="greedy")
    calm = await solve(models, maths, strategy="greedy")
    assert (run.last.status, texts(run.tree)) == ("done", texts(calm.tree))
    assert not server.behaviour.errors


async def test_a_server_that_is_busy_while_it_is_probed_loses_no_ability(serve: Serve, connect: Connect) -> None:
    assert connect(serve(errors=[429, 500, 500])).abilities.missing == ""


async def test_a_stream_that_breaks_off_is_begun_anew_and_paid_for(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve()
    policy = connect(server)
    server.behaviour.dies_after, server.behaviour.deaths = 3, 2
    run = await solve_with(policy, models.scorer, maths, strategy="greedy")
    calm = await solve(models, maths, strategy="greedy")
    assert texts(run.tree) == texts(calm.tree)
    assert run.usage.generated_tokens == calm.usage.generated_tokens + 2 * 3
    server.behaviour.deaths = 2
    run = await solve_with(policy, models.scorer, maths, strategy="greedy", max_tokens_total=20)
    assert run.usage.generated_tokens == 20
    assert sum(node.tokens for node in run.tree.nodes) == 20 - 2 * 3


def one_line(message: str | None) -> str:
    assert message and "\n" not in message
    return message


async def test_a_server_that_dies_ends_the_run_with_its_tree(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve()
    policy = connect(server, retries=1)
    recorded = Recorded()
    run = asyncio.create_task(make_run(policy, models.scorer, recorded, maths, n=8, temperature=1.0).execute())
    await until(lambda: len(recorded.scored) > 2)
    await asyncio.to_thread(server.stop)
    finished = await run
    assert finished.status == "failed"
    assert finished.error and server.url in one_line(finished.error) and "no server is left" in finished.error
    assert len(recorded.tree) > 2


async def test_a_run_goes_on_with_the_other_replica(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    servers = [serve(), serve()]
    policy = connect(*servers)
    request: dict[str, Any] = {"n": 8, "temperature": 1.0, "seed": 4}
    calm = await solve_with(policy, models.scorer, maths, **request)
    used = [server for server in servers if server.searching]
    assert len(used) == 1, "the draws of one run stay on one replica"
    recorded = Recorded()
    run = asyncio.create_task(make_run(policy, models.scorer, recorded, maths, **request).execute())
    await until(lambda: len(recorded.scored) > 2)
    await asyncio.to_thread(used[0].stop)
    assert (await run).status == "done"
    (other,) = [server for server in servers if server is not used[0]]
    assert other.searching
    assert texts(recorded.tree) == texts(calm.tree), "a draw is what its seed says, wherever it is made"


async def test_problems_are_spread_over_the_replicas(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    servers = [serve(), serve()]
    policy = connect(*servers)
    for number in range(8):
        await solve_with(policy, None, maths, strategy="greedy", problem=f"Compute {number} + 1.", max_steps=1)
    assert all(server.searching for server in servers)


async def test_a_silent_server_is_given_up(serve: Serve, connect: Connect, models: Models, maths: Domain) -> None:
    server = serve()
    policy = connect(server, timeout_s=1.0, retries=0)
    server.behaviour.pause_s = 30.0
    run = await solve_with(policy, models.scorer, maths, strategy="greedy")
    assert run.last.status == "failed"
    assert "does not answer in time" in one_line(run.last.error)


async def test_stop_ends_the_requests(serve: Serve, connect: Connect, models: Models, maths: Domain) -> None:
    server = serve()
    policy = connect(server)
    server.behaviour.pause_s = 0.05
    recorded = Recorded()
    run = make_run(policy, models.scorer, recorded, maths, n=4)
    searching = asyncio.create_task(run.execute())
    await until(lambda: server.running == 4 and (writing := run.writing()) and writing.text)
    searching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await searching
    await until(lambda: server.running == 0)
    assert recorded.last.status == "stopped"
    assert recorded.usage.generated_tokens > 0


async def test_no_more_requests_at_once_than_the_entry_allows(
    serve: Serve, connect: Connect, models: Models, maths: Domain
) -> None:
    server = serve(pause_s=0.005)
    await solve_with(connect(server, concurrency=3), models.scorer, maths, strategy="best_of_n", n=8, max_steps=2)
    assert server.most_running == 3


# --- what is refused when models are loaded ------------------------------------------------------------------------


def refused(connect: Connect, *servers: CompletionServer, **settings: Any) -> str:
    with pytest.raises(ModelError) as refusal:
        connect(*servers, **settings)
    return one_line(str(refusal.value))


def test_a_key_comes_from_the_environment_alone(
    serve: Serve, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = serve(key="let me in")
    monkeypatch.delenv("THE_KEY", raising=False)
    assert "THE_KEY is not set" in refused(connect, server, key_env="THE_KEY")
    monkeypatch.setenv("THE_KEY", "a guess")
    message = refused(connect, server, key_env="THE_KEY")
    assert "401" in message and "key_env" in message and "a guess" not in message
    monkeypatch.setenv("THE_KEY", "let me in")
    assert connect(server, key_env="THE_KEY").info.name == "served"


def test_a_server_that_is_not_there(serve: Serve, connect: Connect) -> None:
    gone, there = serve(), serve()
    gone.stop()
    assert "cannot be reached" in refused(connect, gone, retries=0)
    assert connect(gone, there, retries=0).info.name == "served"


def test_a_chat_that_cannot_be_continued(serve: Serve, connect: Connect) -> None:
    assert "begins a new message" in refused(connect, serve(templates=False, chat="never"))


def test_a_server_that_hides_thoughts(serve: Serve, connect: Connect) -> None:
    assert "thoughts apart" in refused(connect, serve(templates=False, hides_thoughts=True))


def test_another_model(serve: Serve, connect: Connect) -> None:
    assert "does not serve 'larger'; it has served" in refused(connect, serve(), model="larger")


def test_a_context_window_that_nobody_knows(serve: Serve, connect: Connect) -> None:
    server = serve(says_window=False)
    assert "add context_window" in refused(connect, server)
    policy = connect(server, context_window=300, parameters=12)
    assert (policy.info.context_window, policy.info.parameters) == (300, 12)


def test_another_models_tokenizer(tmp_path: Path, serve: Serve, connect: Connect) -> None:
    other = builtin_tokenizer()
    other.add_tokens([AddedToken("er\n", normalized=False, special=False)])
    other.save_pretrained(tmp_path)
    assert "tokenizer folder is not that of served" in refused(connect, serve(), tokenizer=tmp_path)


def test_a_problem_longer_than_the_window(serve: Serve, connect: Connect, models: Models) -> None:
    policy = connect(serve())
    with pytest.raises(InvalidInput, match="context window of served"):
        make_run(policy, models.scorer, Recorded(), problem="7 + " * 1000)

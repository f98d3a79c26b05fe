"""`/v1` as an unmodified `openai` client finds it: answers, bills, streams, refusals, a full line, clients that go."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from support.holding import standing_still
from support.public_site import public_site
from support.site import Site
from support.waiting import until

from engine.runs.question import Question
from engine.search.params import RunParams
from engine.search.strategies import STRATEGIES
from tts_ui.web.programs import chat

PROBLEM, REFERENCE = "What is the sum of the first 22 terms of 6, 14, 22, ...?", "1980"
ASKED: Any = [{"role": "user", "content": PROBLEM}]
MODEL = "beam_search/builtin-xs"
#: Long enough to be stopped.
LONG: dict[str, Any] = {"model": "mcts/builtin-xs", "messages": ASKED, "n": 256, "temperature": 1.5}


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with public_site(tmp_path_factory.mktemp("public")) as site:
        yield site


@pytest.fixture(scope="module")
def client(public: Site) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{public.url}v1", api_key="anything", max_retries=0, timeout=120) as made:
        yield made


def test_the_models_are_the_strategies_with_the_pairs_that_are_there(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert {name.partition("/")[0] for name in names} == set(STRATEGIES)
    assert {name.partition("/")[2] for name in names} >= {"builtin-xs", "builtin-l"}
    assert not any("llama" in name for name in names), "those would have to be downloaded"
    assert client.models.retrieve(MODEL).id == MODEL
    with pytest.raises(openai.NotFoundError, match="there is no 'gpt-4o'"):
        client.models.retrieve("gpt-4o")


def test_the_answer_comes_with_the_whole_bill(public: Site, client: OpenAI) -> None:
    found: Any = client.chat.completions.create(
        model=MODEL, messages=ASKED, n=16, temperature=0.8, seed=0, extra_body={"width": 4, "answer": REFERENCE}
    )
    (choice,) = found.choices
    assert rf"\boxed{{{REFERENCE}}}" in choice.message.content and choice.finish_reason == "stop"
    assert found.answer == REFERENCE and found.correct is True and found.messages_not_read == 0
    record = public.host.store.whole_run(found.run)
    spent = record.usage
    assert record.params["n"] == 16 and record.params["width"] == 4
    assert found.tree_url == f"{public.url}?run={record.id}" and httpx.get(found.tree_url).status_code == 200
    usage = found.usage
    assert usage.completion_tokens == spent.generated_tokens
    assert usage.prompt_tokens == spent.prompt_tokens + spent.prompt_tokens_reused
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens
    assert usage.prm_tokens == spent.scored_tokens + spent.scored_tokens_reused > 0
    assert usage.flops_all == spent.flops_all > usage.flops_paper == spent.flops_paper


def test_steps_are_streamed_and_the_solution_comes_last(client: OpenAI) -> None:
    chunks: list[Any] = list(
        client.chat.completions.create(
            model=MODEL, messages=ASKED, n=16, stream=True, stream_options={"include_usage": True}
        )
    )
    deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
    steps = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
    content = [delta.content for delta in deltas if delta.content]
    assert "[1 below 0" in steps and len(content) == 1 and "boxed" in content[0]
    ends = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert ends[-1] == "stop" and not any(ends[:-1])
    assert chunks[-1].usage.prm_tokens > 0 and chunks[-2].tree_url.endswith(chunks[-2].run)
    assert steps.count("[1 below 0") == 1, "each step is told once"


def test_only_the_last_message_is_the_problem(public: Site, client: OpenAI) -> None:
    parts = [{"type": "text", "text": "Compute 3"}, {"type": "text", "text": "+ 4."}]
    messages: Any = [{"role": "system", "content": "Answer 5."}, *ASKED, {"role": "assistant", "content": "1"},
                     {"role": "user", "content": parts}]  # fmt: skip
    found: Any = client.chat.completions.create(model="greedy/builtin-xs", messages=messages)
    assert found.messages_not_read == 3
    assert public.host.store.whole_run(found.run).problem == "Compute 3\n+ 4."


@pytest.mark.parametrize(
    ("asked", "param", "said"),
    [
        ({"n": 10**9}, "n", "completions are too many; give at most"),
        ({"n": 512}, "n", "give at most 256"),
        ({"n": 3}, "width", "M = 4 is larger than N = 3"),
        ({"temperature": 9}, "temperature", "outside 0 to 5"),
        ({"seed": -1}, "seed", "whole number"),
        ({"max_tokens": 0}, "max_tokens", "give 1 or more"),
        ({"stop": ["\n"]}, "stop", "is not a text"),
        ({"tools": []}, "tools", "no such parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "no such parameter"),
        ({"extra_body": {"scorer": "nobody"}}, "scorer", "unknown PRM"),
        ({"extra_body": {"models": "/etc"}}, "models", "no such parameter"),
        ({"messages": []}, "messages", "end with one of the role user"),
        ({"messages": [*ASKED, {"role": "assistant", "content": "x"}]}, "messages", "not the user's"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]}, "messages",
         "not a text"),
        ({"messages": [{"role": "user", "content": " "}]}, "problem", "it is empty"),
    ],
)  # fmt: skip
def test_mistakes_are_refused_in_one_line(client: OpenAI, asked: dict[str, Any], param: str, said: str) -> None:
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**{"model": MODEL, "messages": ASKED, **asked})
    body: Any = refused.value.body
    assert body["param"] == param and body["type"] == "invalid_request_error"
    assert said in body["message"] and "\n" not in body["message"]


@pytest.mark.parametrize("model", ["gpt-4o", "beam_search/nobody", "nobody/builtin-xs", "/", "beam_search/../etc"])
def test_an_unknown_model_is_not_found(client: OpenAI, model: str) -> None:
    with pytest.raises(openai.NotFoundError, match="GET /v1/models lists them"):
        client.chat.completions.create(model=model, messages=ASKED)


@pytest.mark.parametrize(
    ("body", "status"),
    [(b"{", 400), (b"[]", 400), (b"null", 400), (b"[" * 50_000, 400), (b"\xff\xfe", 400), (b'{"model": 1}', 400),
     (b'{"model": "greedy", "messages": [1]}', 400), (b'{"model": "greedy", "messages": {}}', 400),
     (b'{"model": "greedy", "stream": "yes", "messages": [{"role": "user", "content": "1"}]}', 400),
     (b'{"model": "greedy", "messages": [{"role": "user", "content": "\\ud800"}]}', 400), (b"x" * 70_000, 413)],
)  # fmt: skip
def test_odd_bodies_are_refused(public: Site, body: bytes, status: int) -> None:
    answer = httpx.post(f"{public.url}v1/chat/completions", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == status
    said = json.dumps(answer.json())
    assert "Traceback" not in said and "\\n" not in said


def test_other_kinds_of_request_are_refused(public: Site) -> None:
    address = f"{public.url}v1/chat/completions"
    assert httpx.post(address, content=b"{}").status_code == 415
    assert httpx.get(address).status_code == 405
    assert httpx.post(address, json={}, headers={"origin": "https://elsewhere.example"}).status_code == 403
    assert httpx.post(address, json={}, headers={"host": "elsewhere.example"}).status_code == 421
    assert httpx.post(f"{public.url}v1/completions", json={}).status_code == 404


def _all_at_once(client: OpenAI) -> None:
    client.chat.completions.create(model=MODEL, messages=[{"role": "user", "content": "7 " * 40_000}])


def _as_text(client: OpenAI) -> None:
    client.chat.completions.create(model=MODEL, messages=ASKED, extra_headers={"content-type": "text/plain"})


def _from_elsewhere(client: OpenAI) -> None:
    client.models.list(extra_headers={"origin": "https://elsewhere.example"})


def _by_another_name(client: OpenAI) -> None:
    client.models.list(extra_headers={"x-forwarded-host": "elsewhere.example"})


@pytest.mark.parametrize(
    ("ask", "status", "code", "said"),
    [
        (_all_at_once, 413, "request_too_large", "longer than 65536 bytes"),
        (_as_text, 415, "unsupported_media_type", "send JSON"),
        (_from_elsewhere, 403, "forbidden", "only this server's own pages may ask"),
        (_by_another_name, 421, "unknown_host", "not known by that name"),
        (lambda client: client.embeddings.create(model=MODEL, input="7"), 404, "not_found", "not found"),
        (lambda client: client.chat.completions.list(), 405, "method_not_allowed", "not allowed"),
    ],
)
def test_the_door_refuses_in_the_shape_that_a_client_expects(
    client: OpenAI, ask: Callable[[OpenAI], object], status: int, code: str, said: str
) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        ask(client)
    error = refused.value
    assert error.status_code == status and error.code == code and error.param is None
    assert error.type == "invalid_request_error"
    body: Any = error.body
    assert said in body["message"] and set(error.response.json()) == {"error"}


def test_elsewhere_the_door_refuses_as_before(public: Site) -> None:
    assert set(httpx.get(f"{public.url}v2/models").json()) == {"detail"}
    assert set(httpx.get(f"{public.url}v1models").json()) == {"detail"}
    assert set(httpx.get(f"{public.url}v1").json()) == {"error"}


def _begun(site: Site) -> str:
    until(lambda: site.host.running, 60)
    return next(iter(site.host.running))


def _stopped(site: Site, run: str) -> None:
    until(lambda: run not in site.host.running, 30)
    site.host.store.flush(run)
    assert site.host.store.whole_run(run).status == "stopped"


def test_leaving_a_stream_stops_the_search(public: Site, client: OpenAI) -> None:
    with client.chat.completions.create(**LONG, stream=True) as stream:
        for _ in stream:
            break
        run = _begun(public)
    _stopped(public, run)


def test_a_stream_that_waits_says_that_it_is_there(public: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy cuts what is silent for a minute, and the search would be stopped."""
    monkeypatch.setattr(chat, "_BEAT_S", 0.1)
    limits = public.host.limits
    public.host.limits = replace(limits, runs_at_once=1)
    try:
        running = public.host.submit(Question(PROBLEM), RunParams("mcts", n=256, temperature=1.5))
        asked = LONG | {"stream": True}
        with httpx.stream("POST", f"{public.url}v1/chat/completions", json=asked, timeout=30) as answer:
            lines = (line for line in answer.iter_lines() if line)
            assert [next(lines)[:2] for _ in range(6)][1:] == [":"] * 5
        running.stop()
        assert running.ended.wait(30)
    finally:
        public.host.limits = limits


def test_no_longer_waiting_for_an_answer_stops_the_search(public: Site, client: OpenAI) -> None:
    with ThreadPoolExecutor(1) as aside:
        waiting = aside.submit(lambda: client.with_options(timeout=3).chat.completions.create(**LONG))
        run = _begun(public)
        with standing_still(public.host), pytest.raises(openai.APITimeoutError):
            waiting.result()
    _stopped(public, run)


def test_a_full_line_is_429_with_the_time_to_try_again(public: Site) -> None:
    """Whatever key is made up for the next request; other addresses have places of their own."""
    limits = public.host.limits
    asked = limits.runs_per_visitor + limits.waiting_per_visitor + 6
    refused: list[openai.RateLimitError] = []
    streams: list[Any] = []

    def ask(number: int) -> None:
        client = OpenAI(base_url=f"{public.url}v1", api_key=f"key {number}", max_retries=0, timeout=120)
        try:
            streams.append(client.chat.completions.create(**LONG, stream=True))
        except openai.RateLimitError as error:
            refused.append(error)

    with ThreadPoolExecutor(asked) as threads:
        list(threads.map(ask, range(asked)))
    try:
        assert refused and len(streams) >= limits.waiting_per_visitor
        for error in refused:
            assert int(error.response.headers["retry-after"]) > 0
            assert "of your requests are waiting; try again" in str(error)
        elsewhere = {"x-forwarded-for": "made up, 192.0.2.7"}
        other = OpenAI(
            base_url=f"{public.url}v1", api_key="key 0", default_headers=elsewhere, max_retries=0, timeout=120
        )
        found: Any = other.chat.completions.create(model="greedy/builtin-xs", messages=ASKED)
        assert found.run, "another one is let in"
    finally:
        for stream in streams:
            stream.close()
    until(lambda: not public.host.running, 60)

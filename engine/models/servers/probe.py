"""Finding out what a server can do, by trying it: some twenty short requests when its models are loaded.

Nothing is concluded from a server's name. A field that is refused, ignored or answered wrongly is treated as an
ability it does not have, and is not used.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from engine.models.servers.asking import QUESTION, Asking
from engine.models.servers.connection import Server
from engine.models.servers.continuing import check_continues
from engine.models.servers.listing import entry_of, with_window
from engine.models.servers.refusals import Refused, Unavailable
from engine.models.servers.wire import Abilities

#: What switches off the sampling filters that some servers apply by default (vLLM: those of the checkpoint's
#: generation_config).
PLAIN_SAMPLING: Mapping[str, Any] = {"top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}

#: Tolerance between runs of one raw distribution on a GPU; temperature 2 moves a log-probability much further.
_LOGPROB_NOISE = 0.05
_HOT = (2.0, 1.8, 1.6, 1.4)


@dataclass(frozen=True, slots=True)
class Found:
    """One server, after the probe. `context_window` and `parameters` are None if it does not say."""

    model: str
    context_window: int | None
    parameters: int | None
    abilities: Abilities


async def probe(server: Server, model: str, *, tokenizer: bool) -> Found:
    """What `server` can do with `model` (empty: its only one); `tokenizer`: prompts can be made here.

    Raises `ModelError` if the server cannot be used: unreachable, another model, no way to continue an answer.
    """
    entry = await entry_of(server, model)
    asking = Asking(server, entry.id, "/v1/completions")
    templates = await _templates(asking)
    prompts = (tokenizer or templates) and await asking.opens()
    details = await _details(asking) if prompts else Abilities()
    if not prompts or not (tokenizer or details.token_ids):
        prompts, asking.path = False, "/v1/chat/completions"
        await check_continues(asking)
        if not await asking.opens() and asking.refusal:
            raise asking.refusal
        details = await _details(asking)
    found = replace(
        details,
        prompts=prompts,
        templates=templates,
        continue_flags=asking.flags and not prompts,
        logprobs=details.logprobs and await _raw_logprobs(asking),
        seeds=await _seeds(asking),
        plain_sampling=await _plain_sampling(asking),
        usage=asking.usage,
    )
    entry = await with_window(server, entry)
    return Found(asking.model, entry.context_window, entry.parameters, found)


async def _templates(asking: Asking) -> bool:
    """Whether `/tokenize` takes messages (vLLM). Its path has no "/v1"."""
    try:
        answer = await asking.server.post(
            "/tokenize", {"model": asking.model, "messages": [QUESTION], "add_generation_prompt": True}
        )
    except (Refused, Unavailable):
        return False
    return isinstance(answer, dict) and bool(answer.get("tokens"))


async def _details(asking: Asking) -> Abilities:
    """What one fuller answer shows: ids, log-probabilities, why it stopped, and whether the stop string is kept.

    The character to stop at is taken from what the model writes unprompted, so the text is certain to reach it.
    """
    body: dict[str, Any] = {"max_tokens": 8}
    short, longer = await asking.ask({}), await asking.ask(body)
    stop = longer.text.strip()[-1:]
    for extra in ({"return_token_ids": True, "include_stop_str_in_output": True}, _logprob_fields(asking)):
        if await asking.answers(extra):
            body |= extra
    answer = await asking.ask(body)
    stopped = await asking.ask(body | {"stop": [stop]}) if stop else answer
    return Abilities(
        token_ids=bool(answer.ids) and not asking.chat,
        logprobs=bool(answer.tokens),
        stop_reason=bool(stop) and answer.says_why and stopped.stop_reason == stop,
        kept_stop=bool(stop) and stop in stopped.text,
        cut_offs=short.ending == "cut" or short.text == longer.text,
    )


def _logprob_fields(asking: Asking) -> dict[str, Any]:
    return {"logprobs": True, "top_logprobs": 1} if asking.chat else {"logprobs": 1}


async def _raw_logprobs(asking: Asking) -> bool:
    """Whether log-probabilities are those at temperature 1, whatever the temperature.

    A draw that ends at once shows none; then another temperature has its turn.
    """
    fields = _logprob_fields(asking)
    cool = (await asking.ask(fields | {"temperature": 1.0})).best
    for temperature in _HOT:
        hot = (await asking.ask(fields | {"temperature": temperature})).best
        if hot is not None:
            return cool is not None and abs(cool - hot) < _LOGPROB_NOISE
    return False


async def _seeds(asking: Asking) -> bool:
    """Whether the same seed gives the same text and others give others, at a temperature where chance would show."""
    texts = []
    for seed in (1, 1, 2, 3):
        try:
            answer = await asking.ask({"seed": seed, "temperature": 2.0, "max_tokens": 8})
        except Refused:
            return False
        texts.append(answer.text)
    return texts[0] == texts[1] and len(set(texts[1:])) > 1


async def _plain_sampling(asking: Asking) -> bool:
    """Whether the sampling filters can be set at all: with top-k 1, the hottest draw is the greedy one."""
    greedy = await asking.ask({"max_tokens": 8})
    try:
        hot = await asking.ask({**PLAIN_SAMPLING, "top_k": 1, "temperature": 2.0, "max_tokens": 8})
    except Refused:
        return False
    return hot.text == greedy.text

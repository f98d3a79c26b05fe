"""A policy on this machine, through transformers and the loop in `engine.models.local.decode_loop`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from transformers import AutoModelForCausalLM

from engine.models.local import prefix_cache
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.local.decode_loop import DecodeLoop
from engine.models.local.draws import Request
from engine.models.local.prefix_cache import PrefixCache
from engine.models.prompts.chat_prompt import ChatPrompt
from engine.search.cost import PolicyCost
from engine.search.events import ModelInfo
from engine.search.policy import DELIMITER, Draw, Sampling, Step, TokenBudget, Writing


class LocalPolicy:
    """A causal language model checkpoint in a folder; `system` and `suffix` as in `ChatPrompt`.

    `model` and `tokenizer` are the checkpoint as transformers opens it, `decoder` is what all sessions share.
    """

    def __init__(
        self, name: str, folder: Path, *, system: str = "", suffix: str = "", delimiter: str = DELIMITER
    ) -> None:
        self.model, self.tokenizer = open_checkpoint(folder, AutoModelForCausalLM)
        self._prompt = ChatPrompt(self.tokenizer, system=system, suffix=suffix)
        described = describe(name, folder, self.model, self._prompt.template)
        self.info: ModelInfo = replace(described, opens_thought=self._prompt.opens_thought)
        self.delimiter = delimiter
        self.decoder = DecodeLoop(self.model, self.tokenizer, self.info, "policy")

    def prompt_ids(self, problem: str) -> list[int]:
        return self._prompt.ids(problem)

    def prompt_tokens(self, problem: str) -> int:
        return len(self.prompt_ids(problem))

    def token_ids(self, text: str) -> tuple[int, ...]:
        return tuple(self.tokenizer.encode(text, add_special_tokens=False))

    @property
    def longest_path(self) -> int:
        return prefix_cache.longest_path(self.model.device, self.decoder.position)

    def session(self, problem: str) -> LocalSession:
        return LocalSession(self.decoder, self.prompt_ids(problem), self.delimiter)

    def close(self) -> None:
        self.decoder.worker.close()


class LocalSession:
    """One run's prompt and prefix cache."""

    def __init__(self, decoder: DecodeLoop, prompt: list[int], delimiter: str) -> None:
        self.decoder, self.prompt, self._stops = decoder, prompt, (delimiter,)
        self.cache = PrefixCache()
        self._request: Request | None = None

    async def extend(
        self, draws: Sequence[Draw], sampling: Sampling, budget: TokenBudget, cost: PolicyCost
    ) -> list[Step]:
        if not draws:
            return []
        request = Request(self, draws, sampling, budget, cost, self.decoder.info.context_window, self._stops)
        self._request = request
        cost.calls += 1
        self.decoder.worker.submit(request)
        try:
            return await request.result()
        finally:
            self._request = None

    def writing(self) -> Writing | None:
        request = self._request
        if request is None:
            return None
        row, draws = request.rows[0], len(request.rows)
        return Writing(self.decoder.text(row.ids), 1 + len(row.draw.path), draws - request.unfinished, draws)

    def close(self) -> None:
        self.cache.clear()

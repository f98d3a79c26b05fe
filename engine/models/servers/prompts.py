"""What a request begins with: the problem in the model's chat template, as token ids, as text, or as messages.

Who fills in the template depends on what is available: the tokenizer in a local folder, the server (`/tokenize`), or
the server while it answers (chat completions). The steps of a path are appended at token level wherever there are ids.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from transformers import PreTrainedTokenizerBase

from engine.errors import ModelError
from engine.models.prompts.chat_prompt import ChatPrompt
from engine.models.servers.asking import CONTINUE
from engine.models.servers.connection import Server
from engine.models.servers.wire import Abilities, chunk
from engine.search.tree import Node

#: What tokenizers are compared on.
_PROBLEM = "1 + 1"


@dataclass(frozen=True, slots=True)
class Prompt:
    """`tokens` positions; exactly one of the others is what is sent."""

    tokens: int
    ids: tuple[int, ...] = ()
    text: str = ""
    messages: tuple[dict[str, str], ...] = ()


def chat(problem: str, system: str, suffix: str) -> list[dict[str, str]]:
    """The messages that a chat template turns into a prompt; `suffix` follows the problem, on a line of its own."""
    user = f"{problem}\n{suffix}" if suffix else problem
    return [*([{"role": "system", "content": system}] if system else []), {"role": "user", "content": user}]


class Prompts:
    """Makes prompts and appends paths to them, in the one way that this tokenizer and these servers allow."""

    def __init__(
        self,
        model: str,
        abilities: Abilities,
        tokenizer: PreTrainedTokenizerBase | None,
        *,
        system: str = "",
        suffix: str = "",
    ) -> None:
        self.by_ids = abilities.token_ids and (tokenizer is not None or abilities.templates)
        self.path = "/v1/completions" if abilities.prompts else "/v1/chat/completions"
        self._model, self._abilities, self._system, self._suffix = model, abilities, system, suffix
        self._tokenizer = tokenizer if abilities.prompts else None
        self._chat = ChatPrompt(self._tokenizer, system=system, suffix=suffix) if self._tokenizer else None
        self._bos = ""

    @property
    def template(self) -> str:
        return self._chat.template if self._chat else "the server's"

    @property
    def opens_thought(self) -> bool:
        return self._chat is not None and self._chat.opens_thought

    @property
    def decode(self) -> Callable[[Sequence[int]], str] | None:
        """Token ids to text, if that can be done here."""
        tokenizer = self._tokenizer
        return None if tokenizer is None else lambda ids: str(tokenizer.decode(list(ids), skip_special_tokens=True))

    async def check(self, server: Server) -> None:
        """Compare the local tokenizer with the server's, on one prompt. Raises `ModelError` if they differ."""
        if self._tokenizer is None or self._chat is None:
            return
        if not self.by_ids:
            self._bos = await self._check_text(server, self._tokenizer, self._chat)
            return
        body = {"model": self._model, "prompt": self._chat.text(_PROBLEM), "max_tokens": 1}
        theirs = chunk(await server.post(self.path, body | {"return_token_ids": True, "add_special_tokens": False}))
        if theirs.prompt_ids is not None and list(theirs.prompt_ids) != self._chat.ids(_PROBLEM):
            raise ModelError(f"the tokenizer folder is not that of {self._model} at {server.url}; check the entry")

    async def _check_text(self, server: Server, tokenizer: PreTrainedTokenizerBase, chat: ChatPrompt) -> str:
        """What to leave out at the beginning of a prompt, judged by the server's count of its tokens.

        A server that reports no ids may itself put the beginning-of-sequence token before every text; then ours is left
        out, because the model was not trained on two. It must not put more than that around it.
        """

        async def surplus(text: str, ours: int) -> int:
            told = chunk(await server.post(self.path, {"model": self._model, "prompt": text, "max_tokens": 1}))
            return 0 if told.prompt_tokens is None else told.prompt_tokens - ours

        text = chat.text(_PROBLEM)
        more = await surplus(text, len(chat.ids(_PROBLEM)))
        if more > 1:
            if await surplus(_PROBLEM, len(tokenizer.encode(_PROBLEM, add_special_tokens=False))) > 1:
                raise ModelError(
                    f"{server.url} puts prompts into a chat template of its own, around ours; leave tokenizer out of "
                    "the entry, so that its chat is used, or give the model a template that adds nothing (Ollama: "
                    "TEMPLATE {{ .Prompt }})"
                )
            raise ModelError(
                f"{server.url} reads {more} tokens more in a prompt than the tokenizer folder makes of it: the folder "
                "is another model's, or the server reads special tokens as text; check tokenizer in the entry, or "
                "leave it out"
            )
        bos = str(tokenizer.bos_token or "")
        return bos if bos and text.startswith(bos) and more == 1 else ""

    def token_ids(self, text: str) -> tuple[int, ...] | None:
        """A step's tokens, if they are sent as such and the tokenizer is here."""
        if self._tokenizer is None or not self.by_ids:
            return None
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    async def prompt(self, server: Server, problem: str) -> Prompt:
        messages = chat(problem, self._system, self._suffix)
        if self._chat is not None:
            ids = self._chat.ids(problem)
            if self.by_ids:
                return Prompt(len(ids), ids=tuple(ids))
            if self.path == "/v1/completions":
                return Prompt(len(ids), text=self._chat.text(problem).removeprefix(self._bos))
        if self.by_ids:
            body = {"model": self._model, "messages": messages, "add_generation_prompt": True}
            ids = list(map(int, (await server.post("/tokenize", body))["tokens"]))
            return Prompt(len(ids), ids=tuple(ids))
        asked = {"model": self._model, "messages": messages, "max_tokens": 1, "temperature": 0}
        counted = chunk(await server.post(self.path, asked)).prompt_tokens  # the only way to count a chat's tokens
        return Prompt(counted or 0, messages=tuple(messages))

    async def following(
        self, server: Server, prompt: Prompt, path: Sequence[Node], ids: Sequence[int], text: str
    ) -> Any:
        """The fields of a request that continues `path` and what was written since, as `ids` or as `text`."""
        if self.by_ids:
            steps = [token for node in path for token in node.token_ids or await self._encoded(server, node.text)]
            return {"prompt": [*prompt.ids, *steps, *ids]}
        said = "".join(node.text for node in path) + text
        if self.path == "/v1/completions":
            return {"prompt": prompt.text + said}
        if not said:
            return {"messages": list(prompt.messages)}
        messages = [*prompt.messages, {"role": "assistant", "content": said}]
        return {"messages": messages, **(CONTINUE if self._abilities.continue_flags else {})}

    async def _encoded(self, server: Server, text: str) -> list[int]:
        """A step that no model wrote here (a person did) has no ids of its own."""
        if self._tokenizer is not None:
            return list(self._tokenizer.encode(text, add_special_tokens=False))
        body = {"model": self._model, "prompt": text, "add_special_tokens": False}
        return list(map(int, (await server.post("/tokenize", body))["tokens"]))

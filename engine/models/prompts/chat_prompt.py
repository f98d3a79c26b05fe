"""What a policy reads first: the problem in its checkpoint's chat template, as token ids.

The template is filled in once, with a field where the problem goes. Special tokens count as tokens only in the
template: a problem that spells one out is text, like everything a person types.
"""

from __future__ import annotations

import hashlib

from transformers import PreTrainedTokenizerBase

from engine.models.prompts.chat_template import chat
from engine.models.prompts.tokens import Tokens

#: What a reasoning model writes around its thought; some templates open it for the model.
THINK, END_OF_THOUGHT = "<think>", "</think>"

_FIELD = "{problem}"


class ChatPrompt:
    """The prompts of one policy.

    Args:
        system: the system prompt; empty for none (a template may bring its own).
        suffix: what follows the problem in the user's turn, on a line of its own.

    Attributes:
        template: a short name for all that surrounds the problem; runs under different ones are not the same
        experiment. opens_thought: whether the prompt ends inside a thought, so that what is sampled begins there.
    """

    def __init__(self, tokenizer: PreTrainedTokenizerBase, *, system: str = "", suffix: str = "") -> None:
        self._tokens = Tokens(tokenizer)
        user = f"{_FIELD}\n{suffix}" if suffix else _FIELD
        self._filled = chat(tokenizer, [("system", system), ("user", user)], answer=True)
        self.template = hashlib.sha256(self._filled.encode()).hexdigest()[:12]
        self.opens_thought = self._filled.rfind(THINK) > self._filled.rfind(END_OF_THOUGHT)

    def ids(self, problem: str) -> list[int]:
        return self._tokens.fill(self._filled, "start", {"problem": problem.strip(), "step": "{step}"})[0]

    def text(self, problem: str) -> str:
        """The prompt as text, for a server that would read a special token spelled out in the problem as that token."""
        return self._filled.replace(_FIELD, problem.strip())

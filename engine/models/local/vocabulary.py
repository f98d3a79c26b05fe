"""Which tokens a policy may write, which of them end its text, and what text they stand for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from engine.models.prompts.chat_prompt import END_OF_THOUGHT, THINK


class Vocabulary:
    """The tokens of one checkpoint.

    A model's output layer often has more rows than its tokenizer has tokens (padding to a round number, unused
    ids); those are never sampled. `size` is one more than the last token, `count` how many there are, `eos` are all
    tokens that end a text, by the generation settings or the tokenizer. Special tokens have no text, except the tags of
    a thought, which show where it ends.
    """

    def __init__(self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> None:
        self._tokenizer = tokenizer
        ids = set(tokenizer.get_vocab().values())
        self.size, self.count = max(ids) + 1, len(ids)
        free = sorted(set(range(self.size)) - ids)
        self._free = torch.tensor(free, device=model.device) if free else None
        configured = getattr(model.generation_config, "eos_token_id", None)
        named = configured if isinstance(configured, list) else [configured]
        self.eos = frozenset(int(token) for token in [*named, tokenizer.eos_token_id] if token is not None)
        special = {token for token, added in tokenizer.added_tokens_decoder.items() if added.special}
        tags = {tokenizer.convert_tokens_to_ids(tag) for tag in (THINK, END_OF_THOUGHT)}
        self._hidden = special.union(tokenizer.all_special_ids) - tags

    def known(self, logits: Tensor) -> Tensor:
        """The `logits` [rows, output layer] of existing tokens only, [rows, tokens]."""
        logits = logits[:, : self.size]
        return logits if self._free is None else logits.index_fill(1, self._free, float("-inf"))

    def text(self, ids: Sequence[int]) -> str:
        shown = [token for token in ids if token not in self._hidden]
        return str(self._tokenizer.decode(shown, skip_special_tokens=False))

"""A conversation through a checkpoint's own chat template, the same on every day."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from transformers import PreTrainedTokenizerBase

from engine.errors import ModelError

#: Some templates tell the model the date. Today's would make runs on different days different experiments; this is the
#: default of Llama 3's. It is part of the text whose hash is recorded as `ModelInfo.template`.
DATE = date(2024, 7, 26)

_PROBLEM = "{problem}"


def chat(tokenizer: PreTrainedTokenizerBase, turns: Sequence[tuple[str, str]], *, answer: bool) -> str:
    """(role, content) turns, one of which has the field `{problem}`; `answer` opens the assistant's turn after them.

    Raises `ModelError` if there is no usable chat template.
    """
    messages = [{"role": role, "content": content} for role, content in turns if content]
    try:
        text = str(
            tokenizer.apply_chat_template(
                messages, add_generation_prompt=answer, tokenize=False,
                date_string=DATE.strftime("%d %b %Y"), strftime_now=DATE.strftime,
            )
        )  # fmt: skip
    except Exception as error:  # Jinja raises many kinds, and so do templates
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{tokenizer.name_or_path}: its chat template cannot be used ({reason})") from error
    if text.count(_PROBLEM) != 1:
        raise ModelError(f"{tokenizer.name_or_path}: its chat template does not write the user's turn once")
    return text

"""A tokenizer from a folder, exactly as its `tokenizer.json` has it, or one line that says why not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tokenizers import Tokenizer
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from engine.errors import ModelError

#: Words, digits, blank lines, runs of blanks, mathematics and other scripts: what tokenizers treat differently.
_PROBE = "We add 18 + 13.\n\n  So the answer is $\\frac{1}{2}$,\tor\n\\boxed{42}. Ça va? 所以答案是 Итак 🙂"


def open_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint's folder; nothing is downloaded. Raises `ModelError`.

    For some kinds of model transformers builds a tokenizer of its own from the vocabulary, and so loses how text is
    cut: DeepSeek-R1-Distill-Llama would write "WeĠadd". Where the two differ, `tokenizer.json` is right.
    """
    stored = folder / "tokenizer.json"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        if stored.is_file() and not _agree(tokenizer, Tokenizer.from_file(str(stored))):
            tokenizer = PreTrainedTokenizerFast.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises many kinds; the user needs one line
        if not stored.is_file() and (folder / "tokenizer.model").is_file():
            raise ModelError(
                f"{folder}: there is no tokenizer.json here, only tokenizer.model; pip install sentencepiece protobuf "
                "tiktoken to read that, or put the model's tokenizer.json next to it"
            ) from error
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{folder}: this tokenizer cannot be loaded ({reason})") from error
    return tokenizer


def _agree(loaded: Any, stored: Tokenizer) -> bool:
    """Whether both read and write the probe text alike."""
    backend = getattr(loaded, "backend_tokenizer", None)
    if backend is None:
        return False
    stored.no_truncation()
    stored.no_padding()
    ids = stored.encode(_PROBE, add_special_tokens=False).ids
    read: list[int] = backend.encode(_PROBE, add_special_tokens=False).ids
    return read == ids and bool(backend.decode(ids) == stored.decode(ids))

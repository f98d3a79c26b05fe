"""A tokenizer from a folder, with a one-line error if it cannot be loaded."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer, PreTrainedTokenizerBase

from engine.errors import ModelError


def open_tokenizer(folder: Path) -> PreTrainedTokenizerBase:
    """The tokenizer of a checkpoint's folder; nothing is downloaded. Raises `ModelError`."""
    try:
        return AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except Exception as error:  # transformers raises many kinds; the user needs one line
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{folder}: this tokenizer cannot be loaded ({reason})") from error

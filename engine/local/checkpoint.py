"""Opening a local Hugging Face checkpoint: safetensors only, no remote code, one clear line when it is unusable."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, TypeVar

import torch
from transformers import AutoTokenizer, PreTrainedModel, PreTrainedTokenizerBase
from transformers.utils import logging

from engine.errors import ModelError
from engine.events import ModelInfo

M = TypeVar("M", bound=PreTrainedModel)

#: Files up to this size are hashed whole; of larger ones the header (names, shapes, offsets) and the size stand for
#: the rest.
_HASH_WHOLE_BELOW = 64 << 20


def open_checkpoint(folder: Path, model_class: Any) -> tuple[Any, PreTrainedTokenizerBase]:
    """Load tokenizer and weights of `folder` with `model_class.from_pretrained`, in evaluation mode.

    Weights are computed in float32 on the CPU. Raises `ModelError` where a file is missing or damaged, or where weights
    the architecture needs are not in the checkpoint (transformers would invent them).
    """
    if not (folder / "config.json").is_file():
        raise ModelError(f"{folder}: no checkpoint here (config.json is missing); check the path in the models file")
    if not list(folder.glob("*.safetensors")):
        raise ModelError(f"{folder}: no safetensors weights here; other formats are not loaded")
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]  # standard error belongs to the command line
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model, report = model_class.from_pretrained(
            folder, dtype=torch.float32, local_files_only=True, use_safetensors=True, output_loading_info=True
        )
    except Exception as error:  # transformers and safetensors raise many kinds; the user needs one line
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{folder}: this checkpoint cannot be loaded, it may be damaged ({reason})") from error
    if missing := sorted(report["missing_keys"]):
        raise ModelError(f"{folder}: this checkpoint lacks weights, {missing[0]} and {len(missing) - 1} more")
    architectures = list(model.config.architectures or [])
    if architectures and type(model).__name__ not in architectures:
        raise ModelError(f"{folder}: this checkpoint is a {architectures[0]}, not a {type(model).__name__}")
    model.requires_grad_(False)
    return model.eval(), tokenizer


def describe(name: str, folder: Path, model: PreTrainedModel, template: str) -> ModelInfo:
    """What is recorded of a loaded checkpoint."""
    return ModelInfo(
        name=name,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        context_window=int(getattr(model.config, "max_position_embeddings", 2048)),
        digest=digest_of(folder),
        dtype=str(next(model.parameters()).dtype).removeprefix("torch."),
        device=str(model.device),
        template=template,
    )


def template_id(tokenizer: PreTrainedTokenizerBase) -> str:
    """A short name of the chat template in use: runs under different templates are not the same experiment."""
    return hashlib.sha256(str(tokenizer.chat_template).encode()).hexdigest()[:12]


def digest_of(folder: Path) -> str:
    """A short hash of the weights in `folder`."""
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        with path.open("rb") as file:
            if size <= _HASH_WHOLE_BELOW:
                digest.update(file.read())
            else:
                header = int.from_bytes(file.read(8), "little")
                digest.update(file.read(header) + str(size).encode())
    return digest.hexdigest()[:16]

"""Opening a local Hugging Face checkpoint: safetensors only, no remote code, one clear line when it is unusable."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from transformers import (
    AutoModelForCausalLM,
    AutoModelForTokenClassification,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import logging

from engine.assets import assets
from engine.errors import ModelError
from engine.models.local import packed, prefix_cache, self_check
from engine.models.local.placement import place, stored_parameters
from engine.models.prompts.open_tokenizer import open_tokenizer
from engine.search.events import ModelInfo

#: Files up to this size are hashed whole; of larger ones only the header (names, shapes, offsets) and the size are.
_HASH_WHOLE_BELOW = 64 << 20

#: How the architectures of causal language models end.
_CAUSAL = ("ForCausalLM", "LMHeadModel")

#: Rotary embeddings whose frequencies depend on the longest text of a batch; our rows must be independent.
_BATCH_DEPENDENT = frozenset({"dynamic", "longrope"})


def open_checkpoint(folder: Path, model_class: Any) -> tuple[Any, PreTrainedTokenizerBase]:
    """Load tokenizer and weights of `folder` with `model_class.from_pretrained`, in evaluation mode.

    Device and dtype are those of `engine.models.local.placement`. Raises `ModelError` if a file is missing or
    damaged, if the checkpoint has another architecture or does not fit in memory, if weights that the architecture
    needs are not in it (transformers would invent them), or if our decoding loop does not compute what the library's
    model does (`self_check`; the built-in models are known).
    """
    name = called(folder)
    if not (folder / "config.json").is_file():
        raise ModelError(f"{name}: no checkpoint here (config.json is missing); check the path in the models file")
    if not list(folder.glob("*.safetensors")):
        raise ModelError(f"{name}: no safetensors weights here; other formats are not loaded")
    logging.disable_progress_bar()  # standard error belongs to the command line
    try:
        _check_architecture(name, folder, model_class)
        parameters = stored_parameters(folder)
        placement = place(parameters)
        placement.check(name, parameters)
        tokenizer = open_tokenizer(folder)
        model, report = model_class.from_pretrained(
            folder, dtype=getattr(torch, placement.dtype), local_files_only=True, use_safetensors=True,
            output_loading_info=True,
        )  # fmt: skip
        model.to(placement.device).eval().requires_grad_(False)
        if missing := sorted(report["missing_keys"]):
            raise ModelError(f"{name}: this checkpoint lacks weights, {missing[0]} and {len(missing) - 1} more")
        packed.pack(model)
        if not folder.resolve().is_relative_to(assets() / "models"):
            self_check.check(name, model, tokenizer)
    except ModelError:
        raise
    except torch.OutOfMemoryError as error:
        raise ModelError(f"{name}: the GPU's memory is full; choose a smaller model or another pair") from error
    except Exception as error:  # transformers and safetensors raise many kinds; the user needs one line
        reason = " ".join(str(error).split())[:200]
        raise ModelError(f"{name}: this checkpoint cannot be loaded, it may be damaged ({reason})") from error
    prefix_cache.fit_anew()  # to the memory left
    return model, tokenizer


def called(folder: Path) -> str:
    """What to call a checkpoint: the Hub's id if the folder is in its cache, else the folder."""
    for part in folder.parts:
        if part.startswith("models--"):
            return part.removeprefix("models--").replace("--", "/")
    return str(folder)


def describe(name: str, folder: Path, model: PreTrainedModel, template: str) -> ModelInfo:
    """What is recorded of a loaded checkpoint."""
    return ModelInfo(
        name=name,
        parameters=packed.parameters(model),
        context_window=int(getattr(model.config, "max_position_embeddings", 2048)),
        digest=digest_of(folder),
        dtype=str(next(model.parameters()).dtype).removeprefix("torch."),
        device=str(model.device),
        template=template,
    )


def _check_architecture(name: str, folder: Path, model_class: Any) -> None:
    """Before any weight is read. Raises `ModelError`."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    for architecture in (config.get("architectures") or [])[:1]:
        if model_class is AutoModelForTokenClassification:
            if not architecture.endswith("ForTokenClassification"):
                raise ModelError(f"{name}: this checkpoint is a {architecture}, not a token classifier")
        elif model_class is AutoModelForCausalLM:
            if not architecture.endswith(_CAUSAL):
                raise ModelError(f"{name}: this checkpoint is a {architecture}, not a causal language model")
        elif architecture != model_class.__name__:
            raise ModelError(f"{name}: this checkpoint is a {architecture}, not a {model_class.__name__}")
    scaling = config.get("rope_parameters") or config.get("rope_scaling") or {}
    kind = scaling.get("rope_type", scaling.get("type"))
    if kind in _BATCH_DEPENDENT:
        raise ModelError(f"{name}: rotary embeddings of kind {kind!r} are not supported by the local back end")


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

"""Checkpoints of the Hugging Face Hub: found in its local cache, or downloaded into it when somebody asks for them.

Only safetensors, configuration and tokenizer files are taken; nothing that is downloaded is executed. A token comes
from HF_TOKEN or the Hub's own login, the address from HF_ENDPOINT, the cache's place from HF_HOME.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from engine.errors import ModelError
from engine.models.local.memory import gigabytes

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")

_WEIGHTS = "*.safetensors"
_TAKEN = (
    _WEIGHTS, "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer*.json",
    "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json", "chat_template.*",
)  # fmt: skip
#: Other copies of the same weights.
_LEFT = ("*/*", "consolidated*")

#: Seconds between two looks at how far a download is.
_LOOK_S = 0.5

_YES = {"1", "ON", "YES", "TRUE"}
_OFFLINE = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
#: Whether whoever started this process forbade the network; `stay_local` does not count.
_forbidden = any(os.environ.get(name, "").upper() in _YES for name in _OFFLINE)


@dataclass(frozen=True, slots=True)
class Download:
    """How far a download is, in bytes."""

    model: str
    done: int
    total: int

    def __str__(self) -> str:
        return f"downloading {self.model}: {gigabytes(self.done)} of {gigabytes(self.total)}"


Progress = Callable[[Download], None]


def stay_local() -> None:
    """Keep every library in this process off the network. Downloads that somebody asks for here are still made."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")


def is_id(path: str) -> bool:
    """Whether `path` has the form of a model's id, `owner/name`."""
    return bool(_ID.fullmatch(path))


def cached(model: str) -> Path | None:
    """The complete checkpoint of this id in the local cache; None where there is none."""
    from huggingface_hub import try_to_load_from_cache

    config = try_to_load_from_cache(model, "config.json")
    if not isinstance(config, str):  # not there, or known not to exist
        return None
    folder = Path(config).parent
    return folder if _complete(folder) else None


def fetch(model: str, progress: Progress) -> Path:
    """Download a checkpoint, saying how far it is from time to time. Raises `ModelError` where that cannot be done."""
    from huggingface_hub import HfApi, constants, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if _forbidden:
        raise ModelError(
            f"{model} is not on this machine and HF_HUB_OFFLINE forbids to download it; unset it, or give a folder"
        )
    disable_progress_bars()  # ours says the same, everywhere
    cache = Path(constants.HF_HUB_CACHE)
    with _online(), _told(model):
        info = HfApi().model_info(model, files_metadata=True)
        files = {each.rfilename: each.size or 0 for each in info.siblings or [] if _wanted(each.rfilename)}
        if not any(fnmatch(name, _WEIGHTS) for name in files):
            raise ModelError(f"{model} has no safetensors weights on the Hub; other formats are not loaded")
        blobs = cache / f"models--{model.replace('/', '--')}" / "blobs"
        total = sum(files.values())
        _check_disk(model, total - _size(blobs), cache)
        with _watched(lambda: progress(Download(model, min(total, _size(blobs)), total))):
            folder = Path(snapshot_download(model, revision=info.sha, allow_patterns=[*files]))
            _name_revision(blobs.parent, info.sha)
    return folder


def _wanted(name: str) -> bool:
    return any(fnmatch(name, taken) for taken in _TAKEN) and not any(fnmatch(name, left) for left in _LEFT)


def _complete(folder: Path) -> bool:
    """Whether a download came to its end: the weights that the index names, and a tokenizer."""
    needed = {"config.json"}
    for index in folder.glob("*.safetensors.index.json"):
        needed |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    some = any(folder.glob(_WEIGHTS)) and any(folder.glob("tokenizer*"))
    return some and all((folder / name).is_file() for name in needed)


def _name_revision(repository: Path, commit: str | None) -> None:
    """Let the cache know this commit as `main`, by which it is looked up later."""
    if commit:
        (repository / "refs").mkdir(exist_ok=True)
        (repository / "refs" / "main").write_text(commit, encoding="ascii")


def _size(blobs: Path) -> int:
    """Bytes of a cache's files, unfinished ones too."""
    count = 0
    for path in blobs.glob("*"):
        try:
            count += path.stat().st_size
        except OSError:  # it was renamed meanwhile
            continue
    return count


def _check_disk(model: str, needed: int, cache: Path) -> None:
    place = next(folder for folder in (cache, *cache.parents) if folder.is_dir())
    free = shutil.disk_usage(place).free
    if needed > free:
        raise ModelError(
            f"{model} needs {gigabytes(needed)} of disk, {gigabytes(free)} are free in {place}; make room there, or "
            "name a folder on another disk in HF_HOME"
        )


@contextmanager
def _online() -> Iterator[None]:
    """Lift what `stay_local` forbade."""
    from huggingface_hub import constants

    kept = constants.HF_HUB_OFFLINE
    constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        constants.HF_HUB_OFFLINE = kept


@contextmanager
def _watched(look: Callable[[], None]) -> Iterator[None]:
    """Call `look` at once, every now and then, and at the end."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_S):
            look()

    look()
    thread = threading.Thread(target=watch, name="download", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    look()


@contextmanager
def _told(model: str) -> Iterator[None]:
    """Turn what goes wrong into one line that says what to do."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # the Hub's library, its HTTP client and the file system raise many kinds
        raise ModelError(_advice(model, error)) from error


def _advice(model: str, error: Exception) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, RepositoryNotFoundError

    if isinstance(error, GatedRepoError):
        return (
            f"{model} is gated: accept its licence at {constants.ENDPOINT}/{model}, then set HF_TOKEN to a token of "
            "the account that did"
        )
    if isinstance(error, RepositoryNotFoundError):
        return (
            f"there is no model {model} on the Hub, or it is private (set HF_TOKEN); check the path in the models file"
        )
    reason = " ".join(str(error).split())[:150] or type(error).__name__
    if isinstance(error, HfHubHTTPError):
        return f"{model} cannot be downloaded: the Hub answers {reason}"
    if isinstance(error, OSError) and not _of_network(error):
        return f"{model} cannot be downloaded ({error.strerror or reason})"
    return (
        f"{model} is not on this machine and the Hub cannot be reached at {constants.ENDPOINT} ({reason}); connect, "
        "or give the folder of a checkpoint"
    )


def _of_network(error: Any) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError)) or error.errno is None

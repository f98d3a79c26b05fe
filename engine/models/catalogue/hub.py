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
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engine.errors import ModelError
from engine.models.local.memory import gigabytes

if TYPE_CHECKING:  # costly to import, and most runs download nothing
    from huggingface_hub import DryRunFileInfo
    from tqdm.auto import tqdm

_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")

_WEIGHTS = "*.safetensors"
_TAKEN = (
    _WEIGHTS, "*.safetensors.index.json", "config.json", "generation_config.json", "tokenizer*.json",
    "tokenizer.model", "vocab.json", "merges.txt", "added_tokens.json", "special_tokens_map.json", "chat_template.*",
)  # fmt: skip
#: Other copies of the same weights.
_LEFT = ("*/*", "consolidated*")

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
    from huggingface_hub import constants, snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    if _forbidden:
        raise ModelError(
            f"{model} is not on this machine and HF_HUB_OFFLINE forbids to download it; unset it, or give a folder"
        )
    disable_progress_bars()  # ours says the same, everywhere
    taken, left = [*_TAKEN], [*_LEFT]
    with _online(), _told(model):
        files = snapshot_download(model, allow_patterns=taken, ignore_patterns=left, dry_run=True)
        if not any(fnmatch(file.filename, _WEIGHTS) for file in files):
            raise ModelError(f"{model} has no safetensors weights on the Hub; other formats are not loaded")
        total, missing = _size(files), _size(file for file in files if file.will_download)
        _check_disk(model, missing, Path(constants.HF_HUB_CACHE))
        bar = _reporting(lambda came: progress(Download(model, min(total, total - missing + came), total)))
        folder = snapshot_download(model, allow_patterns=taken, ignore_patterns=left, tqdm_class=bar)
    return Path(folder)


def fetch_data(repository: str, file: str, revision: str) -> Path:
    """One file of a dataset repository at a commit, from the local cache or downloaded into it.

    It lies in a folder that is named after the commit. Raises `ModelError` where that cannot be done.
    """
    from huggingface_hub import HfApi, hf_hub_download, try_to_load_from_cache
    from huggingface_hub.utils.tqdm import disable_progress_bars

    cached = try_to_load_from_cache(repository, file, revision=revision, repo_type="dataset")
    if isinstance(cached, str):
        return Path(cached)
    instead = "a file of it"
    if _forbidden:
        raise ModelError(
            f"{repository} is not on this machine and HF_HUB_OFFLINE forbids to download it; unset it, "
            f"or give {instead}"
        )
    disable_progress_bars()
    with _online(), _told(repository, "dataset", instead):
        # Asked first, because this fails at once where nobody answers; the download itself tries for half a minute.
        HfApi().dataset_info(repository, revision=revision)
        return Path(hf_hub_download(repository, file, revision=revision, repo_type="dataset"))


def _complete(folder: Path) -> bool:
    """Whether a download came to its end: the weights that the index names, and a tokenizer."""
    needed = {"config.json"}
    for index in folder.glob("*.safetensors.index.json"):
        needed |= set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
    some = any(folder.glob(_WEIGHTS)) and any(folder.glob("tokenizer*"))
    return some and all((folder / name).is_file() for name in needed)


def _size(files: Iterable[DryRunFileInfo]) -> int:
    return sum(file.file_size or 0 for file in files)


def _reporting(report: Callable[[int], None]) -> type[tqdm[Any]]:
    """A bar for `snapshot_download` that draws nothing and says how many bytes are on disk. Its threads share it."""
    from huggingface_hub.utils.tqdm import tqdm as hub_tqdm

    one_at_a_time = threading.Lock()

    class Bar(hub_tqdm):
        def __init__(self, *args: Any, **options: Any) -> None:
            self._bytes = options.get("name") == "huggingface_hub.snapshot_download"
            self._came = 0
            if self._bytes:
                report(0)
            super().__init__(*args, **options)  # type: ignore[no-untyped-call]

        def update(self, n: float | None = 1) -> bool | None:
            if self._bytes:
                with one_at_a_time:
                    self._came += int(n or 0)
                    report(self._came)
            return None

    return Bar


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
def _told(wanted: str, kind: str = "model", instead: str = "the folder of a checkpoint") -> Iterator[None]:
    """Turn what goes wrong into one line that says what to do; `instead` is what may be given in place of an id."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # the Hub's library, its HTTP client and the file system raise many kinds
        raise ModelError(_advice(wanted, kind, instead, error)) from error


def _advice(wanted: str, kind: str, instead: str, error: Exception) -> str:
    from huggingface_hub import constants
    from huggingface_hub.errors import (
        DryRunError,
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    if isinstance(error, DryRunError | LocalEntryNotFoundError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    place = wanted if kind == "model" else f"{kind}s/{wanted}"
    if isinstance(error, GatedRepoError):
        return (
            f"{wanted} is gated: accept its licence at {constants.ENDPOINT}/{place}, then set HF_TOKEN to a token of "
            "the account that did"
        )
    if isinstance(error, RepositoryNotFoundError):
        check = "check the path in the models file" if kind == "model" else f"give {instead}"
        return f"there is no {kind} {wanted} on the Hub, or it is private (set HF_TOKEN); {check}"
    reason = " ".join(str(error).split())[:150] or type(error).__name__
    if isinstance(error, HfHubHTTPError):
        return f"{wanted} cannot be downloaded: the Hub answers {reason}"
    if isinstance(error, OSError) and not _of_network(error):
        return f"{wanted} cannot be downloaded ({error.strerror or reason})"
    return (
        f"{wanted} is not on this machine and the Hub cannot be reached at {constants.ENDPOINT} ({reason}); connect, "
        f"or give {instead}"
    )


def _of_network(error: Any) -> bool:
    return isinstance(error, (ConnectionError, TimeoutError)) or error.errno is None

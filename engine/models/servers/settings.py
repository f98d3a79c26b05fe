"""What a models file may say about a model behind servers or in vLLM in this process. Checked when the file is read."""

from __future__ import annotations

import os
import re
from collections.abc import Set
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field

from engine.errors import ModelError


def _base_url(url: str) -> str:
    """The address, without the "/v1" that every path begins with."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{url!r} is not an http or https address")
    if parts.username or parts.password or parts.query:
        raise ValueError("an address holds no key or password; name the variable that does with key_env")
    return url.rstrip("/").removesuffix("/v1")


def _proxy(url: str) -> str:
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https", "socks5", "socks5h") or not parts.hostname):
        raise ValueError(f"{url!r} is not an http, https or socks5 address")
    if parts.username or parts.password:
        raise ValueError("an address holds no password; leave proxy out and set HTTPS_PROXY or HTTP_PROXY")
    return url


def _variable(name: str) -> str:
    if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise ValueError("key_env is the name of an environment variable, not the key itself")
    return name


class ServerSettings(BaseModel):
    """A model behind one or several servers.

    `urls` are replicas of the same model and `model` is its name there (empty: the only one they serve). `key_env`
    names the environment variable with the API key. `tokenizer` is a folder with the model's own tokenizer; with it
    prompts are made here, from its chat template. The server is asked for `context_window` and `parameters` if they
    are left out; without `parameters` FLOPs are not known. `timeout_s` is how long a server may be silent. They are
    asked through `proxy`; if it is empty, through what the environment names, except on this machine.
    """

    urls: tuple[Annotated[str, AfterValidator(_base_url)], ...] = Field((), min_length=1)
    model: str = ""
    key_env: Annotated[str, AfterValidator(_variable)] = ""
    tokenizer: str = ""
    context_window: int | None = Field(None, gt=1)
    parameters: float | None = Field(None, gt=0)
    concurrency: int = Field(64, ge=1)
    timeout_s: float = Field(120.0, gt=0)
    retries: int = Field(4, ge=0, le=10)
    proxy: Annotated[str, AfterValidator(_proxy)] = ""

    def api_key(self) -> str | None:
        """The key, from the environment alone. Raises `ModelError` if the named variable is not set."""
        if not self.key_env:
            return None
        if key := os.environ.get(self.key_env):
            return key
        raise ModelError(f"the environment variable {self.key_env} is not set; it holds the key of the server")


class VllmSettings(BaseModel):
    """vLLM in this process. Half of the GPU by default: the PRM needs the other half.

    `max_model_len` caps the context window, and so the memory a sequence may take.
    """

    gpu_memory_utilization: float = Field(0.5, gt=0, le=1)
    max_model_len: int | None = Field(None, gt=1)
    tensor_parallel_size: int = Field(1, ge=1)
    dtype: str = "auto"
    enforce_eager: bool = False


#: What every entry may say, servers or not.
_OF_ALL = frozenset({"parameters"})


def misplaced(kind: str, path: str, given: Set[str]) -> str | None:
    """What is wrong with an entry of `kind` whose fields `given` were set; None if nothing is."""
    served = ServerSettings if "urls" in given else None  # whether a scorer can be served is up to its family
    own = {"openai": ServerSettings, "vllm": VllmSettings, "local": None}.get(kind, served)
    for settings in (ServerSettings, VllmSettings):
        if settings is not own and (strangers := sorted((given & settings.model_fields.keys()) - _OF_ALL)):
            return f"{strangers[0]} has no meaning for kind {kind!r}"
    if "of" in given:
        return "a judge that is read anew has no path or urls of its own" if path or served else None
    if kind == "openai":
        return None if "urls" in given else "urls is missing: where are the servers?"
    if served:
        return None if "tokenizer" in given else "tokenizer is missing: a PRM's texts are tokenised here"
    return None if path else "path is missing: in which folder is the model?"

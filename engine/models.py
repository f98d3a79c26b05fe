"""The catalogue: which policies and PRMs a user may choose, and how each is loaded.

A models file is TOML (see `models.toml`). Visitors choose from it by name and never bring names, paths or URLs of their
own. A back end or a PRM family is one entry in `POLICIES` or `SCORERS`.
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from engine.assets import assets
from engine.errors import InvalidInput, ModelError
from engine.policies.protocol import Policy
from engine.scorers.protocol import Scorer
from engine.servers.settings import ServerSettings, VllmSettings, misplaced

CATALOGUE = Path(__file__).with_name("models.toml")


class ModelEntry(ServerSettings, VllmSettings):
    """One model of a pair: the back end or family that loads it, and where it is (a folder, or the URLs of servers)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    path: str = ""
    system: str = ""

    @model_validator(mode="after")
    def _placed(self) -> ModelEntry:
        if mistake := misplaced(self.kind, self.path, self.model_fields_set):
            raise ValueError(mistake)
        return self

    @property
    def label(self) -> str:
        return self.path or f"{self.model or 'the model'} at {', '.join(self.urls)}"


class PairEntry(BaseModel):
    """A policy and, optionally, the PRM that judges it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = ""
    note: str = ""
    policy: ModelEntry
    scorer: ModelEntry | None = None


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pair: list[PairEntry]


@dataclass(frozen=True, slots=True)
class Models:
    """A loaded pair."""

    entry: PairEntry
    policy: Policy
    scorer: Scorer | None


#: Finds the folder that a path of the models file means, or raises `ModelError`.
Find = Callable[[str], Path]


def _local_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.policies.local import LocalPolicy

    return LocalPolicy(entry.path, find(entry.path), system=entry.system)


def _openai_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.policies.openai_server import OpenAIPolicy

    tokenizer = find(entry.tokenizer) if entry.tokenizer else None
    return OpenAIPolicy(entry, system=entry.system, tokenizer=tokenizer)


def _vllm_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.policies.vllm import VllmPolicy

    return VllmPolicy(entry.path, find(entry.path), entry, system=entry.system)


def _qwen_prm(name: str, folder: Path, system: str) -> Scorer:
    from engine.scorers.qwen_prm import QwenPRM

    return QwenPRM(name, folder, system=system)


#: Back ends and families by `kind`. torch is imported when the first model is loaded, not before: the app's first page
#: and every refusal of bad input come without it.
POLICIES: Mapping[str, Callable[[ModelEntry, Find], Policy]] = {
    "local": _local_policy,
    "openai": _openai_policy,
    "vllm": _vllm_policy,
}
SCORERS: Mapping[str, Callable[[str, Path, str], Scorer]] = {"qwen_prm": _qwen_prm}


class Catalogue:
    """The pairs of one models file. Loading is lazy and happens once a pair, whoever asks first. Thread-safe."""

    def __init__(self, file: Path = CATALOGUE) -> None:
        self._file = file
        self.pairs: dict[str, PairEntry] = {pair.name: pair for pair in _read(file)}
        self._loaded: dict[str, Models] = {}
        self._lock = threading.Lock()

    @property
    def default(self) -> str:
        return next(iter(self.pairs))

    def entry(self, name: str | None) -> PairEntry:
        """The pair of that name (None: the first), or `InvalidInput` that lists the names."""
        entry = self.pairs.get(name or self.default)
        if entry is None:
            raise InvalidInput("models", f"unknown pair {name!r}; choose one of {', '.join(self.pairs)}")
        return entry

    def load(self, name: str | None = None) -> Models:
        """Load a pair, or return it if it is loaded. Raises `ModelError` where a checkpoint cannot be used."""
        entry = self.entry(name)
        with self._lock:
            if entry.name not in self._loaded:
                self._loaded[entry.name] = self._load(entry)
            return self._loaded[entry.name]

    def loaded(self, name: str | None = None) -> bool:
        return self.entry(name).name in self._loaded

    def close(self) -> None:
        """End the threads of every loaded model."""
        with self._lock:
            for models in self._loaded.values():
                models.policy.close()
                if models.scorer:
                    models.scorer.close()
            self._loaded = {}

    def _load(self, entry: PairEntry) -> Models:
        policy = POLICIES[entry.policy.kind](entry.policy, self._find)
        if entry.scorer is None:
            return Models(entry, policy, None)
        load = SCORERS[entry.scorer.kind]
        try:
            return Models(entry, policy, load(entry.scorer.path, self._folder(entry.scorer), entry.scorer.system))
        except Exception:
            policy.close()  # or every further try would leave a thread and a model behind
            raise

    def _folder(self, model: ModelEntry) -> Path:
        return self._find(model.path)

    def _find(self, path: str) -> Path:
        for folder in (assets() / "models" / path, self._file.parent / path, Path(path)):
            if folder.is_dir():
                return folder.resolve()
        raise ModelError(f"{path}: no such folder; check the path in {self._file.name}")


def _read(file: Path) -> list[PairEntry]:
    try:
        pairs = _Catalogue.model_validate(tomllib.loads(file.read_text(encoding="utf-8"))).pair
    except OSError as error:
        raise InvalidInput("models", f"{file} cannot be read ({error.strerror}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("models", f"{file} is not valid TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput("models", f"{file}: {where}: {first['msg'].lower()}") from error
    if not pairs:
        raise InvalidInput("models", f"{file} names no pair")
    for pair in pairs:
        if pair.policy.kind not in POLICIES:
            raise InvalidInput("models", f"{file}: {pair.name}: no policy back end {pair.policy.kind!r}")
        if pair.scorer and pair.scorer.kind not in SCORERS:
            raise InvalidInput("models", f"{file}: {pair.name}: no scorer family {pair.scorer.kind!r}")
    return pairs

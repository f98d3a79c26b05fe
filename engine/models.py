"""The catalogue: which policies and PRMs a user may choose, and how each is loaded.

A models file is TOML (see `models.toml`). Visitors choose from it by name and never bring names, paths or URLs of their
own. A back end or a PRM family is one entry in `POLICIES` or `SCORERS`.
"""

from __future__ import annotations

import threading
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from engine.assets import assets
from engine.errors import InvalidInput, ModelError
from engine.policies.protocol import Policy
from engine.scorers.options import LoadScorer, ScorerOptions, TwoTokenTemplate
from engine.scorers.protocol import Scorer

CATALOGUE = Path(__file__).with_name("models.toml")


class ModelEntry(BaseModel):
    """One model of a pair: the back end or family that loads it, and where it is."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    path: str
    system: str = ""
    template: TwoTokenTemplate | None = None


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


def _local_policy(name: str, folder: Path, system: str) -> Policy:
    from engine.policies.local import LocalPolicy

    return LocalPolicy(name, folder, system=system)


@dataclass(frozen=True, slots=True)
class ScorerFamily:
    """The module of `engine.scorers` that offers `load`, and the settings of an entry that it heeds."""

    module: str
    settings: tuple[str, ...] = ()

    def load(self, entry: ModelEntry, folder: Path) -> Scorer:
        load: LoadScorer = import_module(f"engine.scorers.{self.module}").load
        return load(entry.path, folder, ScorerOptions(entry.system, entry.template))


#: Back ends and families by `kind`. torch is imported when the first model is loaded, not before: the app's first page
#: and every refusal of bad input come without it.
POLICIES: Mapping[str, Callable[[str, Path, str], Policy]] = {"local": _local_policy}
SCORERS: Mapping[str, ScorerFamily] = {
    "qwen_prm": ScorerFamily("qwen_prm", ("system",)),
    "skywork": ScorerFamily("skywork"),
    "math_shepherd": ScorerFamily("math_shepherd"),
    "rlhflow": ScorerFamily("rlhflow"),
    "generic": ScorerFamily("generic", ("template",)),
    "likelihood": ScorerFamily("likelihood", ("system",)),
}


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
        policy = POLICIES[entry.policy.kind](entry.policy.path, self._folder(entry.policy), entry.policy.system)
        if entry.scorer is None:
            return Models(entry, policy, None)
        try:
            return Models(entry, policy, SCORERS[entry.scorer.kind].load(entry.scorer, self._folder(entry.scorer)))
        except Exception:
            policy.close()  # or every further try would leave a thread and a model behind
            raise

    def _folder(self, model: ModelEntry) -> Path:
        for folder in (assets() / "models" / model.path, self._file.parent / model.path, Path(model.path)):
            if folder.is_dir():
                return folder.resolve()
        raise ModelError(f"{model.path}: no such folder; check the path in {self._file.name}")


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
        if mistake := _mistake(pair):
            raise InvalidInput("models", f"{file}: {pair.name}: {mistake}")
    return pairs


def _mistake(pair: PairEntry) -> str | None:
    """A setting that would not reach the model it is written for, or that its model cannot do without."""
    if pair.policy.template:
        return "a policy takes no template"
    if pair.scorer is None:
        return None
    kind, heeded = pair.scorer.kind, SCORERS[pair.scorer.kind].settings
    for setting in ("system", "template"):
        if setting in pair.scorer.model_fields_set and setting not in heeded:
            return f"a {kind} scorer takes no {setting}"
    if "template" in heeded and pair.scorer.template is None:
        return f"a {kind} scorer needs a [pair.scorer.template] with step, good and bad"
    return None

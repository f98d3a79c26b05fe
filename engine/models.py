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
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from engine.assets import assets
from engine.errors import InvalidInput, ModelError
from engine.policies.protocol import Policy
from engine.scorers.options import LoadScorer, ScorerOptions, TwoTokenTemplate
from engine.scorers.protocol import Scorer
from engine.servers.settings import ServerSettings, VllmSettings, misplaced

CATALOGUE = Path(__file__).with_name("models.toml")


class ModelEntry(ServerSettings, VllmSettings):
    """A policy or a PRM: the back end or family that loads it, and where it is (a folder, or the URLs of servers).

    `name` is what records call it; `world` says what a model was trained for where that is all it knows.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    path: str = ""
    name: str = ""
    title: str = ""
    note: str = ""
    system: str = ""
    world: Literal["", "builtin"] = ""
    template: TwoTokenTemplate | None = None

    @model_validator(mode="after")
    def _placed(self) -> ModelEntry:
        if mistake := misplaced(self.kind, self.path, self.model_fields_set):
            raise ValueError(mistake)
        return self

    @property
    def label(self) -> str:
        return self.name or self.path or f"{self.model or 'the model'} at {', '.join(self.urls)}"


class PairEntry(BaseModel):
    """A policy and, optionally, the PRM that judges it unless another is asked for: its name, or the PRM itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str = ""
    note: str = ""
    policy: ModelEntry
    scorer: str | ModelEntry | None = None


class _Catalogue(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    pair: list[PairEntry]
    scorer: list[ModelEntry] = []


def outside(pair: PairEntry, problem: str) -> str | None:
    """What to tell somebody who asks a pair's policy something it was never trained for; None where all is well."""
    if pair.policy.world != "builtin":
        return None
    from engine.builtin.world import outside

    return outside(problem)


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

    return LocalPolicy(entry.label, find(entry.path), system=entry.system)


def _openai_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.policies.openai_server import OpenAIPolicy

    tokenizer = find(entry.tokenizer) if entry.tokenizer else None
    return OpenAIPolicy(entry, system=entry.system, tokenizer=tokenizer)


def _vllm_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.policies.vllm import VllmPolicy

    return VllmPolicy(entry.label, find(entry.path), entry, system=entry.system)


@dataclass(frozen=True, slots=True)
class ScorerFamily:
    """The module of `engine.scorers` that offers `load`, and the settings of an entry that it heeds."""

    module: str
    settings: tuple[str, ...] = ()

    def load(self, entry: ModelEntry, folder: Path) -> Scorer:
        load: LoadScorer = import_module(f"engine.scorers.{self.module}").load
        return load(entry.label, folder, ScorerOptions(entry.system, entry.template))


#: Back ends and families by `kind`. torch is imported when the first model is loaded, not before: the app's first page
#: and every refusal of bad input come without it.
POLICIES: Mapping[str, Callable[[ModelEntry, Find], Policy]] = {
    "local": _local_policy,
    "openai": _openai_policy,
    "vllm": _vllm_policy,
}
SCORERS: Mapping[str, ScorerFamily] = {
    "qwen_prm": ScorerFamily("qwen_prm", ("system",)),
    "skywork": ScorerFamily("skywork"),
    "math_shepherd": ScorerFamily("math_shepherd"),
    "rlhflow": ScorerFamily("rlhflow"),
    "generic": ScorerFamily("generic", ("template",)),
    "likelihood": ScorerFamily("likelihood", ("system",)),
}


class Catalogue:
    """The pairs and PRMs of one models file. Loading is lazy and happens once a model, whoever asks first. Thread-safe.

    Attributes:
        pairs: the pairs by name, the default first.
        scorers: every PRM of the file by name; any of them may judge any policy.
    """

    def __init__(self, file: Path = CATALOGUE) -> None:
        self._file = file
        read = _read(file)
        self.pairs: dict[str, PairEntry] = {pair.name: pair for pair in read.pair}
        inline = [pair.scorer for pair in read.pair if isinstance(pair.scorer, ModelEntry)]
        self.scorers: dict[str, ModelEntry] = {scorer.label: scorer for scorer in [*read.scorer, *inline]}
        self._policies: dict[ModelEntry, Policy] = {}
        self._judges: dict[ModelEntry, Scorer] = {}
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

    def scorer(self, name: str | None, scorer: str | None = None) -> ModelEntry | None:
        """The PRM called `scorer`, or the one that the pair `name` comes with. Raises `InvalidInput`; loads nothing."""
        own = self.entry(name).scorer
        if scorer is None:
            return self.scorers[own] if isinstance(own, str) else own
        if scorer not in self.scorers:
            there_are = f"choose one of {', '.join(self.scorers)}" if self.scorers else "the models file names none"
            raise InvalidInput("scorer", f"unknown PRM {scorer!r}; {there_are}")
        return self.scorers[scorer]

    def load(self, name: str | None = None, scorer: str | None = None) -> Models:
        """Load a pair, or its policy with another PRM. Raises `ModelError` where a checkpoint cannot be used."""
        pair, judge = self.entry(name), self.scorer(name, scorer)
        with self._lock:
            fresh = pair.policy not in self._policies
            policy = self._policies.get(pair.policy) or self._load_policy(pair.policy)
            try:
                return Models(pair, policy, self._judges.get(judge) or self._load_judge(judge) if judge else None)
            except Exception:
                if fresh:  # or every further try would leave a thread and a model behind
                    self._policies.pop(pair.policy).close()
                raise

    def loaded(self, name: str | None = None, scorer: str | None = None) -> bool:
        judge = self.scorer(name, scorer)
        return self.entry(name).policy in self._policies and (judge is None or judge in self._judges)

    def close(self) -> None:
        """End the threads of every loaded model."""
        with self._lock:
            for policy in self._policies.values():
                policy.close()
            for judge in self._judges.values():
                judge.close()
            self._policies, self._judges = {}, {}

    def _load_policy(self, entry: ModelEntry) -> Policy:
        self._policies[entry] = policy = POLICIES[entry.kind](entry, self._find)
        return policy

    def _load_judge(self, entry: ModelEntry) -> Scorer:
        self._judges[entry] = judge = SCORERS[entry.kind].load(entry, self._find(entry.path))
        return judge

    def _find(self, path: str) -> Path:
        for folder in (assets() / "models" / path, self._file.parent / path, Path(path)):
            if folder.is_dir():
                return folder.resolve()
        raise ModelError(f"{path}: no such folder; check the path in {self._file.name}")


def _read(file: Path) -> _Catalogue:
    try:
        read = _Catalogue.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidInput("models", f"{file} cannot be read ({error.strerror}); check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidInput("models", f"{file} is not valid TOML ({error})") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidInput("models", f"{file}: {where}: {first['msg'].lower()}") from error
    if not read.pair:
        raise InvalidInput("models", f"{file} names no pair")
    for scorer in read.scorer:
        _check_scorer(file, scorer.label, scorer)
    for pair in read.pair:
        if pair.policy.kind not in POLICIES:
            raise InvalidInput("models", f"{file}: {pair.name}: no policy back end {pair.policy.kind!r}")
        if pair.policy.template:
            raise InvalidInput("models", f"{file}: {pair.name}: a policy takes no template")
        if isinstance(pair.scorer, ModelEntry):
            _check_scorer(file, pair.name, pair.scorer)
        elif pair.scorer and pair.scorer not in {scorer.label for scorer in read.scorer}:
            raise InvalidInput("models", f"{file}: {pair.name}: no scorer is called {pair.scorer!r}")
    return read


def _check_scorer(file: Path, where: str, scorer: ModelEntry) -> None:
    if scorer.kind not in SCORERS:
        raise InvalidInput("models", f"{file}: {where}: no scorer family {scorer.kind!r}")
    if mistake := _mistake(scorer):
        raise InvalidInput("models", f"{file}: {where}: {mistake}")


def _mistake(scorer: ModelEntry) -> str | None:
    """A setting that would not reach the model it is written for, or that its model cannot do without."""
    heeded = SCORERS[scorer.kind].settings
    for setting in ("system", "template"):
        if setting in scorer.model_fields_set and setting not in heeded:
            return f"a {scorer.kind} scorer takes no {setting}"
    if "template" in heeded and scorer.template is None:
        return f"a {scorer.kind} scorer needs a template table with step, good and bad"
    return None

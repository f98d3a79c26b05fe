"""The catalogue: which policies and PRMs a user may choose, and how each is loaded.

Visitors choose from it by name and never bring names, paths or URLs of their own. What a models file may say is in
`engine.models.catalogue.models_file`. A back end or a PRM family is one entry in `POLICIES` or `SCORERS`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from engine.assets import assets
from engine.domains.maths.prompts import prompts
from engine.errors import InvalidInput, ModelError
from engine.models.catalogue import hub, models_file
from engine.models.catalogue.models_file import ModelEntry, PairEntry
from engine.models.local.placement import place
from engine.models.scorers.options import LoadScorer, ScorerOptions, ServeScorer
from engine.search.policy import Policy
from engine.search.scorer import Scorer

__all__ = ["CATALOGUE", "POLICIES", "SCORERS", "Catalogue", "ModelEntry", "Models", "PairEntry"]

CATALOGUE = Path(__file__).with_name("models.toml")


@dataclass(frozen=True, slots=True)
class Models:
    """A loaded pair."""

    entry: PairEntry
    policy: Policy
    scorer: Scorer | None


#: Finds the folder that a path in the models file refers to, or raises `ModelError`.
Find = Callable[[str], Path]


def _local_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.models.policies.local import LocalPolicy

    return LocalPolicy(entry.label, find(entry.path), system=entry.system, suffix=entry.suffix)


def _openai_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.models.policies.openai_server import OpenAIPolicy

    tokenizer = find(entry.tokenizer) if entry.tokenizer else None
    return OpenAIPolicy(entry, system=entry.system, suffix=entry.suffix, tokenizer=tokenizer)


def _vllm_policy(entry: ModelEntry, find: Find) -> Policy:
    from engine.models.policies.vllm import VllmPolicy

    return VllmPolicy(entry.label, find(entry.path), entry, system=entry.system, suffix=entry.suffix)


@dataclass(frozen=True, slots=True)
class ScorerFamily:
    """The module of `engine.models.scorers` that offers `load`, and the settings of an entry that it takes.

    If "urls" is among them it also offers `serve`.
    """

    module: str
    settings: tuple[str, ...] = ()

    def load(self, entry: ModelEntry, folder: Path) -> Scorer:
        load: LoadScorer = import_module(f"engine.models.scorers.{self.module}").load
        return load(entry.label, folder, ScorerOptions(entry.system, entry.template))

    def serve(self, entry: ModelEntry, tokenizer: Path) -> Scorer:
        from engine.models.prompts.open_tokenizer import open_tokenizer

        serve: ServeScorer = import_module(f"engine.models.scorers.{self.module}").serve
        return serve(entry.label, entry, open_tokenizer(tokenizer), ScorerOptions(entry.system, entry.template))


#: Back ends and families by `kind`. torch is imported when the first model is loaded, not before: the app's first page
#: and every refusal of bad input do without it.
POLICIES: Mapping[str, Callable[[ModelEntry, Find], Policy]] = {
    "local": _local_policy,
    "openai": _openai_policy,
    "vllm": _vllm_policy,
}
SCORERS: Mapping[str, ScorerFamily] = {
    "qwen_prm": ScorerFamily("qwen_prm", ("system", "urls")),
    "skywork": ScorerFamily("skywork", ("urls",)),
    "math_shepherd": ScorerFamily("math_shepherd", ("urls",)),
    "rlhflow": ScorerFamily("rlhflow", ("urls",)),
    "generic": ScorerFamily("generic", ("template", "urls")),
    "likelihood": ScorerFamily("likelihood", ("system",)),
}


class Catalogue:
    """The pairs and PRMs of one models file. Each model is loaded once, when it is first asked for. Thread-safe.

    Attributes:
        pairs: the pairs by name, the default first.
        scorers: every PRM of the file by name; any of them may judge any policy.
        download: what is being downloaded right now, for a notice.
    """

    def __init__(self, file: Path = CATALOGUE) -> None:
        self._file = file
        read = models_file.read(file, POLICIES, {kind: family.settings for kind, family in SCORERS.items()}, prompts())
        self.pairs: dict[str, PairEntry] = {pair.name: pair for pair in read.pairs}
        inline = [pair.scorer for pair in read.pairs if isinstance(pair.scorer, ModelEntry)]
        self.scorers: dict[str, ModelEntry] = {scorer.label: scorer for scorer in [*read.scorers, *inline]}
        self.download: hub.Download | None = None
        self._policies: dict[ModelEntry, Policy] = {}
        self._judges: dict[ModelEntry, Scorer] = {}
        self._lock, self._fetching = threading.Lock(), threading.Lock()

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
            there_are = f"choose one of {', '.join(self.scorers)}" if self.scorers else "the models file has none"
            raise InvalidInput("scorer", f"unknown PRM {scorer!r}; {there_are}")
        return self.scorers[scorer]

    def load(self, name: str | None = None, scorer: str | None = None, progress: hub.Progress | None = None) -> Models:
        """Load a pair, or its policy with another PRM; what is only on the Hub is downloaded first.

        Raises `ModelError` if a checkpoint is not available or cannot be used.
        """
        pair, judge = self.entry(name), self.scorer(name, scorer)
        if not self.loaded(name, scorer):
            entries = [
                entry for entry in (pair.policy, judge) if entry and entry not in (*self._policies, *self._judges)
            ]
            self._fetch(entries, progress)
        with self._lock:
            fresh = pair.policy not in self._policies
            policy = self._policies.get(pair.policy) or self._load_policy(pair.policy)
            try:
                loaded = Models(pair, policy, self._judges.get(judge) or self._load_judge(judge) if judge else None)
            except Exception:
                if fresh:  # otherwise every retry would leave a thread and a model behind
                    self._policies.pop(pair.policy).close()
                raise
        if pair.cache_gb is not None:
            from engine.models.local import prefix_cache

            prefix_cache.fit_anew(int(pair.cache_gb * 1e9))
        return loaded

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
        family = SCORERS[entry.kind]
        if entry.urls:
            judge = family.serve(entry, self._find(entry.tokenizer))
        else:
            judge = family.load(entry, self._find(entry.path))
        self._judges[entry] = judge
        return judge

    def _fetch(self, entries: list[ModelEntry], progress: hub.Progress | None) -> None:
        """Download what is not on this machine, one model at a time, and only what will fit its memory."""

        def note(download: hub.Download) -> None:
            self.download = download
            if progress:
                progress(download)

        for entry in entries:
            if entry.path and self.find(entry) is None and hub.is_id(entry.path):
                with self._fetching:
                    if entry.parameters:
                        place(entry.parameters).check(entry.label, entry.parameters)
                    try:
                        hub.fetch(entry.path, note)
                    finally:
                        self.download = None

    def find(self, entry: ModelEntry) -> Path | None:
        """Where the entry's checkpoint is on this machine; None if it is not here."""
        return self._look_for(entry.path) if entry.path else None

    def _look_for(self, path: str) -> Path | None:
        for folder in (assets() / "models" / path, self._file.parent / path, Path(path)):
            if folder.is_dir():
                return folder.resolve()
        return hub.cached(path) if hub.is_id(path) else None

    def _find(self, path: str) -> Path:
        folder = self._look_for(path)
        if folder is None:
            raise ModelError(f"{path}: no such folder; check the path in {self._file.name}")
        return folder

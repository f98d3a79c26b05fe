"""The catalogue: which policies and PRMs a user may choose, and how each is loaded.

Visitors choose from it by name and never bring names, paths or URLs of their own. What a models file may say is in
`engine.models.catalogue.models_file`. A back end or a PRM family is one entry in `POLICIES` or `SCORERS`.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from engine.assets import assets
from engine.domains.maths.prompts import prompts
from engine.errors import InvalidInput, ModelError
from engine.models.catalogue import hub, models_file
from engine.models.catalogue.models_file import ModelEntry, PairEntry
from engine.models.local.lent_gpu import is_lent
from engine.models.local.placement import is_small, place
from engine.models.scorers.options import LoadScorer, ScorerOptions, ServeScorer
from engine.models.scorers.recalibrated import Recalibrated
from engine.search.policy import Policy
from engine.search.scorer import Scorer
from engine.search.selection import rule_named

__all__ = ["CATALOGUE", "POLICIES", "SCORERS", "SURE", "Catalogue", "ModelEntry", "Models", "PairEntry"]

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

    policy = LocalPolicy(entry.label, find(entry.path), system=entry.system, suffix=entry.suffix)
    if is_lent() and not is_small(policy.info.parameters):
        from engine.models.policies.lent import LentPolicy

        return LentPolicy(policy)
    return policy


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

    def load(self, entry: ModelEntry, folder: Path, smaller: Path | None = None) -> Scorer:
        """`smaller` is where the model that `contrast` names is."""
        load: LoadScorer = import_module(f"engine.models.scorers.{self.module}").load
        return load(entry.label, folder, _options(entry, smaller))

    def serve(self, entry: ModelEntry, tokenizer: Path) -> Scorer:
        from engine.models.prompts.open_tokenizer import open_tokenizer

        serve: ServeScorer = import_module(f"engine.models.scorers.{self.module}").serve
        return serve(entry.label, entry, open_tokenizer(tokenizer), _options(entry))


def _options(entry: ModelEntry, smaller: Path | None = None) -> ScorerOptions:
    return ScorerOptions(
        entry.system, entry.template, entry.layout, entry.separator, entry.signed, smaller, entry.chunk
    )


#: Back ends and families by `kind`. torch is imported when the first model is loaded, not before: the app's first page
#: and every refusal of bad input do without it.
POLICIES: Mapping[str, Callable[[ModelEntry, Find], Policy]] = {
    "local": _local_policy,
    "openai": _openai_policy,
    "vllm": _vllm_policy,
}
#: The back ends that report how sure a policy is of each step (`Step.confidence` and `certainty`).
SURE = frozenset({"local"})
SCORERS: Mapping[str, ScorerFamily] = {
    "qwen_prm": ScorerFamily("qwen_prm", ("system", "urls")),
    "skywork": ScorerFamily("skywork", ("urls",)),
    "math_shepherd": ScorerFamily("math_shepherd", ("urls",)),
    "rlhflow": ScorerFamily("rlhflow", ("urls",)),
    "generic": ScorerFamily("generic", ("template", "urls")),
    "token_classifier": ScorerFamily("token_classifier", ("separator", "signed")),
    "likelihood": ScorerFamily("likelihood", ("system", "contrast", "chunk")),
    "generative": ScorerFamily("generative", ("system", "critique")),
    "recalibrated": ScorerFamily("recalibrated", ("of", "map")),
}


class Catalogue:
    """The pairs and PRMs of one models file. Each model is loaded once, when it is first asked for. Thread-safe.

    Args:
        downloads: whether asking for a model may download it; where strangers choose, only `fetch_all` does.

    Attributes:
        pairs: the pairs by name, the default first.
        scorers: every PRM of the file by name; any of them may judge any policy.
        download: what is being downloaded right now, for a notice.
    """

    def __init__(self, file: Path = CATALOGUE, *, downloads: bool = True) -> None:
        self._file, self._downloads = file, downloads
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

    def check_rules(self, name: str | None, rules: Iterable[str]) -> None:
        """Refuse selection rules that need more than the policy of a pair reports. Raises `InvalidInput`."""
        policy = self.entry(name).policy
        for rule in rules:
            if policy.kind not in SURE and rule_named(rule).asks_policy:
                raise InvalidInput(
                    "select", f"{rule} needs to know how sure the policy is of each token, which {policy.label} "
                    f"({policy.kind}) does not report; choose majority_vote or a PRM's rule, or a local policy"
                )  # fmt: skip

    def load(self, name: str | None = None, scorer: str | None = None, progress: hub.Progress | None = None) -> Models:
        """Load a pair, or its policy with another PRM; what is only on the Hub is downloaded first.

        Raises `ModelError` if a checkpoint is not available or cannot be used.
        """
        pair, judge = self.entry(name), self.scorer(name, scorer)
        loaded = self._known(pair, judge)  # not behind the lock: another model may take minutes
        if loaded is None:
            entries = [
                entry for entry in (pair.policy, judge) if entry and entry not in (*self._policies, *self._judges)
            ]
            self._bring({"models": pair.policy, "scorer": judge}, entries, progress)
            with self._lock:
                loaded = self._load(pair, judge)
        if pair.cache_gb is not None:
            from engine.models.local import prefix_cache

            prefix_cache.fit_anew(int(pair.cache_gb * 1e9))
        return loaded

    def judge(self, scorer: str, progress: hub.Progress | None = None) -> Scorer:
        """Load a PRM by its name, and no policy. Raises as `load` does."""
        entry = self.scorer(None, scorer)
        assert entry is not None
        if (known := self._judges.get(entry)) is None:
            self._bring({"scorer": entry}, [entry], progress)
            with self._lock:
                known = self._judges.get(entry) or self._load_judge(entry)
        return known

    def add(self, scorer: ModelEntry) -> None:
        """Offer one more recalibrated judge, until the process ends. Raises `InvalidInput` if its name is taken or what
        it reads is not offered."""
        if scorer.label in self.scorers:
            raise InvalidInput("name", f"a judge is called {scorer.label!r} already; give another name")
        if scorer.of not in self.scorers or self.scorers[scorer.of].of:
            raise InvalidInput("name", f"{scorer.of!r} is no judge of the models file with scores of its own")
        self.scorers[scorer.label] = scorer

    def judge_loaded(self, scorer: str) -> bool:
        return self.scorer(None, scorer) in self._judges

    def _bring(
        self, asked: Mapping[str, ModelEntry | None], missing: list[ModelEntry], progress: hub.Progress | None
    ) -> None:
        """Download those of `asked`, by argument, that are missing; raise `InvalidInput` where that is not for us."""
        if self._downloads:
            self._fetch(missing, progress)
            return
        for argument, entry in asked.items():
            if entry in missing and not self.here(entry):
                raise InvalidInput(argument, "this model is not on the server (yet); choose another")

    def keep_what_is_here(self) -> None:
        """Offer only what is on this machine or behind servers; the built-in models always are."""
        self.scorers = {name: entry for name, entry in self.scorers.items() if self.here(entry)}
        self.pairs = {name: pair for name, pair in self.pairs.items() if self._usable(pair)}

    def _usable(self, pair: PairEntry) -> bool:
        judge = pair.scorer
        judged = judge in self.scorers if isinstance(judge, str) else judge is None or self.here(judge)
        return judged and self.here(pair.policy)

    def here(self, entry: ModelEntry) -> bool:
        """Whether nothing of this model has to be downloaded."""
        if entry.of:
            return entry.of in self.scorers and self.here(self.scorers[entry.of])
        return all(self._look_for(path) for path in (entry.path, entry.tokenizer, entry.contrast) if path)

    def fetch_all(self, complain: Callable[[ModelError], object]) -> None:
        """Download whatever is not on this machine, one model after the other, each as far as that is possible."""
        for entry in dict.fromkeys([*(pair.policy for pair in self.pairs.values()), *self.scorers.values()]):
            try:
                self._fetch([entry], None)
            except ModelError as error:
                complain(error)

    def _known(self, pair: PairEntry, judge: ModelEntry | None) -> Models | None:
        policy, scorer = self._policies.get(pair.policy), self._judges.get(judge) if judge else None
        return None if policy is None or (judge and scorer is None) else Models(pair, policy, scorer)

    def _load(self, pair: PairEntry, judge: ModelEntry | None) -> Models:
        fresh = pair.policy not in self._policies
        policy = self._policies.get(pair.policy) or self._load_policy(pair.policy)
        try:
            return Models(pair, policy, self._judges.get(judge) or self._load_judge(judge) if judge else None)
        except Exception:
            if fresh:  # otherwise every retry would leave a thread and a model behind
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
        family = SCORERS[entry.kind]
        if entry.of:
            source = self.scorers[entry.of]
            assert entry.map is not None
            judge: Scorer = Recalibrated(entry.label, self._judges.get(source) or self._load_judge(source), entry.map)
        elif entry.urls:
            judge = family.serve(entry, self._find(entry.tokenizer))
        else:
            smaller = self._find(entry.contrast) if entry.contrast else None
            judge = family.load(entry, self._find(entry.path), smaller)
        self._judges[entry] = judge
        return judge

    def _fetch(self, entries: list[ModelEntry], progress: hub.Progress | None) -> None:
        """Download what is not on this machine, one model at a time, and only what will fit its memory."""

        def note(download: hub.Download) -> None:
            self.download = download
            if progress:
                progress(download)

        asked = [self.scorers[each.of] if each.of else each for each in entries]
        for entry, path in [(each, path) for each in asked for path in (each.path, each.contrast)]:
            if path and self._look_for(path) is None and hub.is_id(path):
                with self._fetching:
                    if entry.parameters:
                        place(entry.parameters).check(entry.label, entry.parameters)
                    try:
                        hub.fetch(path, note)
                    finally:
                        self.download = None

    def find(self, entry: ModelEntry) -> Path | None:
        """Where the entry's checkpoint is on this machine; None if it is not here."""
        return self._look_for(entry.path) if entry.path else None

    def folders(self, entry: ModelEntry) -> list[Path | None]:
        """Where the checkpoints are that the entry needs; None for one that is not here."""
        return [self._look_for(path) if path else None for path in (entry.path, *filter(None, [entry.contrast]))]

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

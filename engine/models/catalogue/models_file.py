"""The models file: what it may say of policies, PRMs and pairs, and every check that needs no model.

It is TOML; `models.toml`, which comes with the product, is an example of all of it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from engine.errors import InvalidInput
from engine.models.catalogue import hub
from engine.models.scorers.critique_layout import CritiqueLayout
from engine.models.scorers.options import TwoTokenTemplate
from engine.models.scorers.recalibrated import ScoreMap
from engine.models.servers.settings import ServerSettings, VllmSettings, misplaced
from engine.search.domain import Wording
from engine.search.params import RunParams

#: Settings of a scorer that one family takes.
_OF_ONE_FAMILY = ("template", "critique", "separator", "signed", "contrast", "chunk", "of", "map")


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SamplingDefaults(_Table):
    """How a policy's makers recommend sampling it; used unless the user says otherwise. Names as in `RunParams`."""

    temperature: float | None = None
    top_p: float | None = None
    max_steps: int | None = None
    max_tokens: int | None = None

    def given(self) -> dict[str, Any]:
        """What is set, as arguments of `RunParams`."""
        return self.model_dump(exclude_none=True)


class Prompt(_Table):
    """What surrounds the problem: the system prompt, and a line after the problem in the user's turn."""

    system: str = ""
    suffix: str = ""


class ModelEntry(ServerSettings, VllmSettings):
    """A policy or a PRM: the back end or family that loads it, and where it is. `name` is what records call it.

    Attributes:
        path: a folder, or the model's id on the Hugging Face Hub; none for a model behind servers, which has `urls`.
        prompt: the name of a `[prompt.NAME]` table, or of one of the domain's wordings: it says `system` and `suffix`.
        world: what a model was trained for, if it knows nothing else.
        template, separator, signed, contrast, chunk: as in `ScorerOptions`, for the families that take them; `contrast`
            is a path or an id like `path`.
        parameters: how many (`contrast` included); the memory it needs follows from them. None: the folder's files say.
        critique: how a judge that writes is asked: a table, or the name of a `[critique.NAME]` table.
        of, map: the scorer whose scores a `recalibrated` one reads anew, and how.
        licence, gated: its licence, and whether the Hub asks to accept it before the first download.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    path: str = ""
    name: str = ""
    title: str = ""
    note: str = ""
    system: str = ""
    suffix: str = ""
    prompt: str = ""
    world: Literal["", "builtin"] = ""
    template: TwoTokenTemplate | None = None
    critique: CritiqueLayout | str | None = None
    separator: str = Field(default="\n", min_length=1)
    signed: bool = False
    contrast: str = ""
    chunk: int = Field(default=16, ge=1)
    of: str = ""
    map: ScoreMap | None = None
    sampling: SamplingDefaults = SamplingDefaults()
    licence: str = ""
    gated: bool = False

    @model_validator(mode="after")
    def _placed(self) -> ModelEntry:
        if mistake := misplaced(self.kind, self.path, self.model_fields_set):
            raise ValueError(mistake)
        return self

    @property
    def layout(self) -> CritiqueLayout | None:
        """The layout of a judge that writes, once a name of one has been filled in."""
        return None if isinstance(self.critique, str) else self.critique

    @property
    def label(self) -> str:
        """What records, and with them pages that strangers see, call it: never where it is."""
        path = self.path if hub.is_id(self.path) else Path(self.path).name
        return self.name or path or f"{self.model or 'the model'} behind a server"


class _Pair(_Table):
    name: str
    title: str = ""
    note: str = ""
    scorer: str | ModelEntry | None = None
    cache_gb: float | None = Field(default=None, gt=0)


class PairEntry(_Pair):
    """A policy and, optionally, the PRM that judges it unless another is asked for: its name, or the PRM itself.

    `cache_gb` bounds the prefix cache of policy and PRM together; None leaves it to the free memory.
    """

    policy: ModelEntry


class _WrittenPair(_Pair):
    policy: str | ModelEntry


class _Written(_Table):
    pair: list[_WrittenPair]
    policy: list[ModelEntry] = []
    scorer: list[ModelEntry] = []
    prompt: dict[str, Prompt] = {}
    critique: dict[str, CritiqueLayout] = {}


class ModelsFile(_Table):
    """A file that was read and checked."""

    pairs: list[PairEntry]
    scorers: list[ModelEntry]


def read(
    file: Path,
    back_ends: Collection[str],
    families: Mapping[str, Collection[str]],
    prompts: Mapping[str, Wording],
) -> ModelsFile:
    """Read a models file. Raises `InvalidInput` naming what is wrong in it.

    Args:
        back_ends: the kinds a policy may have.
        families: the kinds a scorer may have, each with the settings of an entry that it takes.
        prompts: the wordings that an entry may name without a table in the file.
    """
    written = _parse(file)
    try:
        return _checked(written, back_ends, families, prompts)
    except _Mistake as mistake:
        raise InvalidInput("models", f"{file}: {mistake}") from mistake


def _parse(file: Path) -> _Written:
    try:
        return _Written.model_validate(tomllib.loads(file.read_text(encoding="utf-8")))
    except OSError as error:
        raise InvalidInput("models", f"{file} cannot be read ({error.strerror}); check the path") from error
    except ValidationError as error:
        # Where a name or a table is allowed, what the table lacks says more than "not a name".
        first = max(error.errors(), key=lambda each: (len(each["loc"]), "str" not in each["loc"]))
        where = ".".join(
            str(part)
            for part in first["loc"]
            if part not in ("str", "CritiqueLayout") and "ModelEntry" not in str(part)
        )
        raise InvalidInput(
            "models", f"{file}: {where}: {first['msg'].lower().removeprefix('value error, ')}"
        ) from error
    except (ValueError, RecursionError) as error:  # no UTF-8, no TOML, a number too long, lists in lists in lists
        raise InvalidInput("models", f"{file} is not valid TOML ({error})") from error


class _Mistake(Exception):
    """What is wrong, and in which table."""


def _checked(
    written: _Written,
    back_ends: Collection[str],
    families: Mapping[str, Collection[str]],
    prompts: Mapping[str, Wording],
) -> ModelsFile:
    if not written.pair:
        raise _Mistake("it names no pair")
    scorers = {scorer.label: _laid_out(scorer, written.critique) for scorer in written.scorer}
    policies = {policy.label: policy for policy in written.policy}
    pairs = []
    for pair in written.pair:
        policy = policies.get(pair.policy) if isinstance(pair.policy, str) else pair.policy
        if policy is None:
            raise _Mistake(f"{pair.name}: no policy is called {pair.policy!r}")
        if isinstance(pair.scorer, str) and pair.scorer not in scorers:
            raise _Mistake(f"{pair.name}: no scorer is called {pair.scorer!r}")
        judge = pair.scorer
        if isinstance(judge, ModelEntry):
            judge = _laid_out(judge, written.critique)
            _check_scorer(pair.name, judge, families)
        policy = _prompted(pair.name, policy, {**prompts, **written.prompt})
        _check_policy(pair.name, policy, back_ends)
        pairs.append(PairEntry(**pair.model_dump(exclude={"policy", "scorer"}), policy=policy, scorer=judge))
    for scorer in scorers.values():
        _check_scorer(scorer.label, scorer, families)
        _check_source(scorer, scorers)
    return ModelsFile(pairs=pairs, scorers=list(scorers.values()))


def _laid_out(scorer: ModelEntry, layouts: Mapping[str, CritiqueLayout]) -> ModelEntry:
    """The scorer with the layout it names filled in."""
    if not isinstance(scorer.critique, str):
        return scorer
    if scorer.critique not in layouts:
        raise _Mistake(f"{scorer.label}: there is no table [critique.{scorer.critique}]")
    return scorer.model_copy(update={"critique": layouts[scorer.critique]})


def _prompted(where: str, policy: ModelEntry, prompts: Mapping[str, Wording | Prompt]) -> ModelEntry:
    """The policy with the prompt it names filled in."""
    if not policy.prompt:
        return policy
    if policy.system or policy.suffix:
        raise _Mistake(f"{where}: a policy has a prompt, or its own system and suffix, not both")
    if policy.prompt not in prompts:
        raise _Mistake(f"{where}: there is no table [prompt.{policy.prompt}]")
    wording = prompts[policy.prompt]
    return policy.model_copy(update={"system": wording.system, "suffix": wording.suffix, "prompt": ""})


def _check_policy(where: str, policy: ModelEntry, back_ends: Collection[str]) -> None:
    if policy.kind not in back_ends:
        raise _Mistake(f"{where}: no policy back end {policy.kind!r}")
    for setting in _OF_ONE_FAMILY:
        if setting in policy.model_fields_set:
            raise _Mistake(f"{where}: a policy takes no {setting}")
    try:
        RunParams(**policy.sampling.given())
    except InvalidInput as error:
        raise _Mistake(f"{where}: sampling: {error}") from error


def _check_source(scorer: ModelEntry, scorers: Mapping[str, ModelEntry]) -> None:
    """Refuse a recalibrated scorer that reads none of `scorers`, or one that is recalibrated itself."""
    if scorer.of and (scorer.of not in scorers or scorers[scorer.of].of):
        raise _Mistake(f"{scorer.label}: of {scorer.of!r} is no scorer of this file that has scores of its own")


def _check_scorer(where: str, scorer: ModelEntry, families: Mapping[str, Collection[str]]) -> None:
    if scorer.kind not in families:
        raise _Mistake(f"{where}: no scorer family {scorer.kind!r}")
    heeded = families[scorer.kind]
    for setting in ("system", "suffix", "prompt", "sampling", "urls", *_OF_ONE_FAMILY):
        if setting in scorer.model_fields_set and setting not in heeded:
            raise _Mistake(f"{where}: a {scorer.kind} scorer takes no {setting}")
    if "template" in heeded and scorer.template is None:
        raise _Mistake(f"{where}: a {scorer.kind} scorer needs a [pair.scorer.template] with step, good and bad")
    if "critique" in heeded and scorer.critique is None:
        raise _Mistake(f"{where}: a {scorer.kind} scorer needs a [scorer.critique] with prompt and question")
    if "chunk" in scorer.model_fields_set and not scorer.contrast:
        raise _Mistake(f"{where}: chunk belongs to contrast; add contrast, the path of a smaller model")
    if "map" in heeded and (scorer.map is None or not scorer.of):
        raise _Mistake(f"{where}: a {scorer.kind} scorer needs of (a scorer's name) and map")

"""What an entry of the catalogue may say about a scorer besides its family and its folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pydantic import BaseModel, ConfigDict, Field, field_validator

from engine.models.scorers.critique_layout import CritiqueLayout
from engine.models.servers.settings import ServerSettings
from engine.search.scorer import Scorer

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase  # not at run time: models files are read without it


class TwoTokenTemplate(BaseModel):
    """How the `generic` family asks a causal language model for its judgement.

    Attributes:
        prompt: the text before the steps, with `{problem}`.
        step: a step, with `{step}`; the score is read after its last token.
        then: what follows before the next step, for example the judge's own "+" and the end of its turn.
        good, bad: the two words compared at that place, by their first tokens.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str = "{problem}"
    step: str
    then: str = ""
    good: str = Field(min_length=1)
    bad: str = Field(min_length=1)

    @field_validator("prompt")
    @classmethod
    def _asks(cls, text: str) -> str:
        if text.count("{problem}") != 1 or "{step}" in text:
            raise ValueError("it must contain {problem} once, and no {step}")
        return text

    @field_validator("step")
    @classmethod
    def _holds_the_step(cls, text: str) -> str:
        if text.count("{step}") != 1 or "{problem}" in text:
            raise ValueError("it must contain {step} once, and no {problem}")
        return text

    @field_validator("then")
    @classmethod
    def _holds_nothing(cls, text: str) -> str:
        if "{step}" in text or "{problem}" in text:
            raise ValueError("it comes between two steps and contains neither")
        return text


@dataclass(frozen=True, slots=True)
class ScorerOptions:
    """What some families heed; docs/models.md says which.

    Attributes:
        system: the system prompt the judge was trained with.
        template: how `generic` asks.
        separator: what closes a step for `token_classifier`.
        signed: whether its score is p1 - p0, brought to 0..1.
        contrast: the folder of the smaller model that `likelihood` subtracts; None: it subtracts none.
        chunk: the tokens of a chunk then, the larger model's.
    """

    system: str = ""
    template: TwoTokenTemplate | None = None
    critique: CritiqueLayout | None = None
    separator: str = "\n"
    signed: bool = False
    contrast: Path | None = None
    chunk: int = 16


class LoadScorer(Protocol):
    """What the module of a family offers as `load`. Raises `ModelError` if the checkpoint cannot be used."""

    def __call__(self, name: str, folder: Path, options: ScorerOptions, /) -> Scorer: ...


class ServeScorer(Protocol):
    """What it offers as `serve` if vLLM can run it. Raises `ModelError` if the servers cannot be used."""

    def __call__(
        self, name: str, settings: ServerSettings, tokenizer: PreTrainedTokenizerBase, options: ScorerOptions, /
    ) -> Scorer: ...

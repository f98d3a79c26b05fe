"""What a models file says of a judge that writes a critique: how it is asked for it, and for its judgement."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

#: Where the steps stand in the prompt.
STEPS = "{steps}"


class CritiqueLayout(BaseModel):
    """How a judge is asked for a critique, and then for its judgement.

    Attributes:
        prompt: the user's turn, with `{problem}` and behind it `{steps}`.
        chat: whether it is put into the checkpoint's chat template; otherwise it is the whole prompt.
        step: how a step is written, with `{step}` and, if steps are numbered, `{number}`; `between` stands between two.
        opening: how the judge's own text begins.
        stop: texts that end the critique and are no part of it; `{next}` is the number of the step after the last.
        question: what follows the critique; the next token answers it.
        good, bad: the two tokens that are compared there.
        samples: critiques of a path, whose judgements are averaged. One is written greedily, several are drawn.
        temperature: at which several are drawn.
        max_tokens: where a critique is cut; the question follows all the same.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    prompt: str
    chat: bool = True
    step: str = "{step}"
    between: str = "\n"
    opening: str = ""
    stop: tuple[str, ...] = ()
    question: str = Field(min_length=1)
    good: str = Field(default=" Yes", min_length=1)
    bad: str = Field(default=" No", min_length=1)
    samples: int = Field(default=1, ge=1, le=64)
    temperature: float = Field(default=0.7, gt=0, le=2)
    max_tokens: int = Field(default=4096, ge=1)

    @field_validator("prompt")
    @classmethod
    def _asks(cls, text: str) -> str:
        if text.count("{problem}") != 1 or text.count(STEPS) != 1 or "{problem}" not in text.split(STEPS)[0]:
            raise ValueError("it must contain {problem} once and {steps} once, in this order")
        return text

    @field_validator("step")
    @classmethod
    def _holds_the_step(cls, text: str) -> str:
        if text.count("{step}") != 1:
            raise ValueError("it must contain {step} once")
        return text

    @field_validator("stop")
    @classmethod
    def _ends(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        if "" in texts:
            raise ValueError("an empty text would end every critique before it begins")
        return texts

    @model_validator(mode="after")
    def _draws(self) -> CritiqueLayout:
        if self.samples == 1 and "temperature" in self.model_fields_set:
            raise ValueError("a single critique is written greedily; give samples above 1, or no temperature")
        return self

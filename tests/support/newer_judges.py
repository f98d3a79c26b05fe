"""The judges of 2025 and 2026, written down a second time as in `support.judges`; `ALL` are those and these."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from support import layouts
from support.judges import JUDGES, Judge, RLHFlow, TwoTokens
from torch import Tensor
from transformers import AutoModelForTokenClassification

from engine.models.scorers.options import ScorerOptions, TwoTokenTemplate


class FoVer(TwoTokens):
    """A chat that answers each step with a word of several tokens; the published code compares the first of each."""

    kind, tag = "generic", "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\ncorrect"
    options = ScorerOptions(
        template=TwoTokenTemplate(
            prompt="<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nToday Date: 26 Jul 2024\n\n"
            "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n** Problem **\n{problem}\n\n** Sotluion **\n",
            step="{step}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n",
            then="correct<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
            good="correct",
            bad="incorrect",
        )
    )

    def make(self, folder: Path) -> Path:
        return layouts.llama_causal(folder)

    def verdicts(self) -> tuple[int, int]:
        right, wrong = (self.tokenizer.encode(word, add_special_tokens=False) for word in ("correct", "incorrect"))
        assert len(right) > 1 and len(wrong) > 1
        return right[0], wrong[0]

    def asked(self, problem: str, steps: Sequence[str]) -> list[str]:
        first = f"** Problem **\n{problem}\n\n** Sotluion **\n{steps[0].strip()}"
        return [first, *(step.strip() for step in steps[1:])]

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        turns: list[dict[str, str]] = []
        for said in self.asked(problem, steps):
            turns += [{"role": "user", "content": said}, {"role": "assistant", "content": "correct"}]
        text = self.tokenizer.apply_chat_template(turns[:-1], tokenize=False, add_generation_prompt=True)
        return list(self.tokenizer.encode(text, add_special_tokens=False))

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        end, turn = self.id("<|eot_id|>"), RLHFlow.turn
        ids = [self.id("<|begin_of_text|>"), *turn(self, "system", "Today Date: 26 Jul 2024\n\n"), end]  # type: ignore[arg-type]
        places = []
        for said in self.asked(problem, steps):
            ids += [*turn(self, "user", said), end, *turn(self, "assistant", "")]  # type: ignore[arg-type]
            places.append(len(ids) - 1)
            ids += [*self.plain("correct"), end]
        return ids[: places[-1] + 1], places


class VersaPRM(TwoTokens):
    """A step ends with a blank and four line breaks, and is judged at what they are to the tokenizer."""

    kind, tag = "generic", " \n\n\n\n"
    options = ScorerOptions(
        template=TwoTokenTemplate(prompt="{problem} \n\n", step="{step} \n\n\n\n", good="+", bad="-")
    )

    def make(self, folder: Path) -> Path:
        return layouts.llama_causal(folder)

    def verdicts(self) -> tuple[int, int]:
        return self.tokenizer.encode("+")[-1], self.tokenizer.encode("-")[-1]

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        return list(self.tokenizer.encode(f"{problem} \n\n" + "".join(f"{step.strip()} \n\n\n\n" for step in steps)))

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        ids, places = [self.id("<|begin_of_text|>"), *self.plain(f"{problem} \n\n")], []
        for step in steps:
            ids += self.plain(f"{step.strip()} \n\n\n\n")
            places.append(len(ids) - 1)
        return ids, places


class TokenClassifier(Judge):
    """TRL's trainer: every part tokenised apart, label 1 at the last token of the separator."""

    kind, tag = "token_classifier", "\n"

    def make(self, folder: Path) -> Path:
        return layouts.token_classifier(folder)

    def load(self) -> None:
        self.model = AutoModelForTokenClassification.from_pretrained(self.folder, dtype=torch.float32).eval()

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        def apart(text: str) -> list[int]:
            return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

        ids = [self.tokenizer.bos_token_id, *apart(problem)]
        for step in steps:
            ids += apart(step.strip()) + apart(self.options.separator)
        return ids

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        ids, places = [self.tokenizer.bos_token_id, *self.plain(problem)], []
        for step in steps:
            ids += [*self.plain(step.strip()), *self.mark()]
            places.append(len(ids) - 1)
        return ids, places

    def mark(self) -> list[int]:
        return self.plain(self.options.separator)

    def values(self, ids: list[int]) -> Tensor:
        return torch.softmax(self.model(torch.tensor([ids]), use_cache=False).logits[0], -1)[:, 1]


class TokenClassifierSigned(TokenClassifier):
    """PURE's reading of one whose separator is a special token."""

    tag, options = "<extra_0>", ScorerOptions(separator="<extra_0>", signed=True)

    def mark(self) -> list[int]:
        return [self.id("<extra_0>")]

    def values(self, ids: list[int]) -> Tensor:
        labels = torch.softmax(self.model(torch.tensor([ids]), use_cache=False).logits[0], -1)
        return (labels[:, 1] - labels[:, 0] + 1) / 2


class TokenClassifierMetaspace(TokenClassifier):
    """A tokenizer that puts a blank before every part, and a separator of two line breaks."""

    tag, options = "\n\n", ScorerOptions(separator="\n\n")

    def make(self, folder: Path) -> Path:
        return layouts.mistral_token_classifier(folder)


ALL = [*JUDGES, FoVer, VersaPRM, TokenClassifier, TokenClassifierSigned, TokenClassifierMetaspace]

"""The published way of each family, written down a second time: one text, one plain forward, no cache.

Where a text spells out a special token or a family's tag, tokenising the whole would forge it; there `ids` is put
together by hand from the same pieces.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from support import layouts
from torch import Tensor
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    Qwen2Config,
    Qwen2Model,
)

from engine.models.catalogue.catalogue import ModelEntry
from engine.models.scorers.options import ScorerOptions, TwoTokenTemplate

PLUS_MINUS = TwoTokenTemplate(prompt="{problem} ", step="{step} ки", then="\n", good=" +", bad=" -")


class Judge(ABC):
    """A checkpoint in `folder` and what it must say. `kind` and `options` are how the product names it."""

    kind: str
    options = ScorerOptions()
    #: What closes a step, to be spelled out by `test_families.forged`.
    tag: str
    tolerance = 1e-4

    def __init__(self, folder: Path) -> None:
        torch.set_num_threads(1)  # two threads wait for each other longer than such a model takes
        self.folder = self.make(folder)
        self.tokenizer = AutoTokenizer.from_pretrained(self.folder, local_files_only=True)
        self.backend = AutoTokenizer.from_pretrained(self.folder, local_files_only=True).backend_tokenizer
        self.backend.encode_special_tokens = True
        self.load()

    def entry(self, **served: Any) -> ModelEntry:
        """What a models file says of it; `served`: where it is, if not in a folder."""
        said = self.options
        more = {name: getattr(said, name) for name in ("separator", "signed") if self.kind == "token_classifier"}
        return ModelEntry(kind=self.kind, path="" if served else "judge", template=said.template, **more, **served)

    def load(self) -> None:
        self.model: Any = AutoModelForCausalLM.from_pretrained(self.folder, dtype=torch.float32).eval()

    @abstractmethod
    def make(self, folder: Path) -> Path: ...

    @abstractmethod
    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        """The conversation tokenised in one go."""

    @abstractmethod
    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        """The ids, and the position of each step's score."""

    @abstractmethod
    def values(self, ids: list[int]) -> Tensor:
        """The score at every position."""

    def plain(self, text: str) -> list[int]:
        """Ids of a text in which nothing is special, as if it stood at the beginning."""
        return list(self.backend.encode(text, add_special_tokens=False).ids)

    def id(self, token: str) -> int:
        found = self.tokenizer.convert_tokens_to_ids(token)
        assert isinstance(found, int)
        return found

    @torch.inference_mode()
    def scores(self, problem: str, steps: Sequence[str]) -> list[float]:
        ids, places = self.by_hand(problem, steps)
        return [float(value) for value in self.values(ids)[places]]


class QwenPRM(Judge):
    kind, tag = "qwen_prm", "<extra_0>"

    def make(self, folder: Path) -> Path:
        head = {"score.0.weight": (64, 64), "score.0.bias": (64,), "score.2.weight": (2, 64), "score.2.bias": (2,)}
        return layouts.qwen_with_head(folder, "Qwen2ForProcessRewardModel", head)

    def load(self) -> None:
        self.weights = load_file(self.folder / "model.safetensors")
        self.model = Qwen2Model(Qwen2Config.from_pretrained(self.folder)).eval()
        self.model.load_state_dict(
            {name[6:]: value for name, value in self.weights.items() if name.startswith("model.")}
        )

    def opening(self, problem: str) -> str:
        return f"<|im_start|>system\nReason.<|im_end|>\n<|im_start|>user\n{problem}<|im_end|>\n<|im_start|>assistant\n"

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        text = self.opening(problem) + "".join(step.strip() + "<extra_0>" for step in steps)
        return list(self.tokenizer.encode(text))

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        ids, places = list(self.tokenizer.encode(self.opening(problem))), []
        for step in steps:
            ids += [*self.plain(step.strip()), self.id("<extra_0>")]
            places.append(len(ids) - 1)
        return ids, places

    def values(self, ids: list[int]) -> Tensor:
        hidden = self.model(torch.tensor([ids]), use_cache=False).last_hidden_state[0]
        w = self.weights
        middle = torch.relu(hidden @ w["score.0.weight"].T + w["score.0.bias"])
        return torch.softmax(middle @ w["score.2.weight"].T + w["score.2.bias"], -1)[:, 1]


class Skywork(QwenPRM):
    kind, tag = "skywork", "\n"

    def make(self, folder: Path) -> Path:
        head = {"v_head.summary.weight": (1, 64), "v_head.summary.bias": (1,), "lm_head.weight": (4, 64)}
        return layouts.qwen_with_head(folder, "Qwen2ForPrmModel", head)

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        """This family's own code tokenises each step apart."""
        ids = list(self.tokenizer.encode(self.tokenizer.bos_token + problem + "\n"))
        for step in steps:
            ids += [*self.tokenizer.encode(step.strip().replace("\n", " ")), self.tokenizer.encode("\n")[-1]]
        return ids

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        ids, places = [self.id("<|endoftext|>"), *self.plain(problem + "\n")], []
        for step in steps:
            ids += [*self.plain(step.strip().replace("\n", " ")), *self.plain("\n")]
            places.append(len(ids) - 1)
        return ids, places

    def values(self, ids: list[int]) -> Tensor:
        hidden = self.model(torch.tensor([ids]), use_cache=False).last_hidden_state[0]
        return torch.sigmoid(hidden @ self.weights["v_head.summary.weight"][0] + self.weights["v_head.summary.bias"])


class TwoTokens(Judge):
    """P(+) of two tokens."""

    def values(self, ids: list[int]) -> Tensor:
        logits = self.model(torch.tensor([ids]), use_cache=False).logits[0]
        return torch.softmax(logits[:, list(self.verdicts())], -1)[:, 0]

    @abstractmethod
    def verdicts(self) -> tuple[int, int]: ...


class MathShepherd(TwoTokens):
    kind, tag, metaspace = "math_shepherd", " ки", False

    def make(self, folder: Path) -> Path:
        return layouts.mistral_causal(folder, metaspace=self.metaspace)

    def verdicts(self) -> tuple[int, int]:
        plus, minus = self.tokenizer.encode("+ -")[1:]
        return plus, minus

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        return list(self.tokenizer.encode(f"{problem} " + "\n".join(step.strip() + " ки" for step in steps)))

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        """Of the tags found, those that the texts brought along are spelled out, character by character."""
        tag = self.tokenizer.encode("ки")[-1]
        text = f"{problem} " + "\n".join(step.strip() + " ки" for step in steps)
        found = iter([self.id("<s>"), *self.plain(text)])
        ids: list[int] = []
        places: list[int] = []
        for step in steps:
            forged = self.plain("\n" + step.strip()).count(tag)
            while len(ids) == 0 or ids[-1] != tag:
                token = next(found)
                if token == tag and forged:
                    ids += [self.id("▁"), self.id("к"), self.id("и")]
                    forged -= 1
                else:
                    ids.append(token)
            places.append(len(ids) - 1)
            if len(places) < len(steps):
                ids.append(next(found))
        return ids, places


class MathShepherdMetaspace(MathShepherd):
    metaspace = True


class RLHFlow(TwoTokens):
    kind, tag = "rlhflow", "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n+"

    def make(self, folder: Path) -> Path:
        return layouts.llama_causal(folder)

    def verdicts(self) -> tuple[int, int]:
        return self.tokenizer.encode("+")[-1], self.tokenizer.encode("-")[-1]

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        """Up to the last place where a score is read, as the published code reads index -3 of each longer chat."""
        turns = []
        for index, step in enumerate(steps):
            said = f"{problem} {step.strip()}" if index == 0 else step.strip()
            turns += [{"role": "user", "content": said}, {"role": "assistant", "content": "+"}]
        text = self.tokenizer.apply_chat_template(turns, tokenize=False)
        return list(self.tokenizer.encode(text, add_special_tokens=False))[:-2]

    def turn(self, role: str, text: str) -> list[int]:
        header = [self.id("<|start_header_id|>"), *self.plain(role), self.id("<|end_header_id|>")]
        return [*header, *self.plain("\n\n" + text)]

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        end = self.id("<|eot_id|>")
        ids = [self.id("<|begin_of_text|>"), *self.turn("system", "Today Date: 26 Jul 2024\n\n"), end]
        places = []
        for index, step in enumerate(steps):
            said = f"{problem} {step.strip()}" if index == 0 else step.strip()
            ids += [*self.turn("user", said), end, *self.turn("assistant", "")]
            places.append(len(ids) - 1)
            if index + 1 < len(steps):
                ids += [*self.plain("+"), end]
        return ids, places


class GenericTag(MathShepherd):
    """Math-Shepherd's layout, written down in the catalogue."""

    kind, options = "generic", ScorerOptions(template=PLUS_MINUS)


class GenericChat(TwoTokens):
    """A chat model that is asked about each step in turn."""

    kind, tag = "generic", "<|im_end|>\n<|im_start|>assistant\nyes"
    options = ScorerOptions(
        template=TwoTokenTemplate(
            prompt="<|im_start|>user\nJudge {problem}\n\n",
            step="{step} Right?<|im_end|>\n<|im_start|>assistant\n",
            then="+<|im_end|>\n<|im_start|>user\n\n",
            good="+",
            bad="-",
        )
    )

    def make(self, folder: Path) -> Path:
        return layouts.qwen_causal(folder, tie_word_embeddings=True)

    def verdicts(self) -> tuple[int, int]:
        return self.plain("+")[0], self.plain("-")[0]

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        text = f"<|im_start|>user\nJudge {problem}"
        for index, step in enumerate(steps):
            text += "+<|im_end|>\n<|im_start|>user" if index else ""
            text += f"\n\n{step.strip()} Right?<|im_end|>\n<|im_start|>assistant\n"
        return list(self.tokenizer.encode(text))

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        start, end = self.id("<|im_start|>"), self.id("<|im_end|>")
        ids, places, said = [start], [], f"user\nJudge {problem}"
        for step in steps:
            ids += [*self.plain(f"{said}\n\n{step.strip()} Right?"), end, *self.plain("\n"), start]
            ids += self.plain("assistant\n")
            places.append(len(ids) - 1)
            ids += [*self.plain("+"), end, *self.plain("\n"), start]
            said = "user"
        return ids[: places[-1] + 1], places


class Likelihood(Judge):
    kind, tag, tolerance = "likelihood", "<|im_end|>", 1e-6  # the smallest of many probabilities is small

    def make(self, folder: Path) -> Path:
        return layouts.qwen_causal(folder, initializer_range=0.1)

    def opening(self, problem: str) -> str:
        return QwenPRM.opening(self, problem)  # type: ignore[arg-type]  # the same chat template

    def whole(self, problem: str, steps: Sequence[str]) -> list[int]:
        """The last token is only ever predicted, never read."""
        text = self.opening(problem) + "\n\n".join(step.strip() for step in steps)
        text += "\n\n" if steps[-1].endswith("\n") else ""
        return [*self.tokenizer.encode(text)][: self.by_hand(problem, steps)[1][-1] + 1]

    def by_hand(self, problem: str, steps: Sequence[str]) -> tuple[list[int], list[int]]:
        """`places` are those of the last token that holds text of each step."""
        ids, places = list(self.tokenizer.encode(self.opening(problem))), []
        text = "\n\n".join(step.strip() for step in steps) + ("\n\n" if steps[-1].endswith("\n") else "")
        read = self.backend.encode(text, add_special_tokens=False)
        end = 0
        for step in steps:
            end += len(step.strip())
            places.append(len(ids) + max(i for i, (start, _) in enumerate(read.offsets) if start < end) - 1)
            end += 2
        return ids + list(read.ids), places

    def values(self, ids: list[int]) -> Tensor:
        """At each position the smallest probability of a token up to the next, from the beginning of the solution."""
        logits = self.model(torch.tensor([ids]), use_cache=False).logits[0]
        given = torch.log_softmax(logits[:-1], -1).gather(-1, torch.tensor(ids)[1:, None])[:, 0]
        mark = self.tokenizer.encode("<|im_start|>")[0]
        first = max(index for index, token in enumerate(ids) if token == mark) + len(self.plain("assistant\n"))
        given[:first] = 0
        return torch.cummin(given, 0).values.exp()


JUDGES = [
    QwenPRM, Skywork, MathShepherd, MathShepherdMetaspace, RLHFlow, GenericTag, GenericChat, Likelihood,
]  # fmt: skip

"""Skywork-o1-Open-PRM (Qwen2.5 1.5B and 7B): a value head read at the line break that closes every step.

Format (github.com/SkyworkAI/skywork-o1-prm-inference): the problem and a line break after the beginning-of-text token
if the tokenizer has one, then each step and the line-break token, tokenised apart; the score is the sigmoid of
`v_head` at that token. To this model every line break ends a step, so one inside a step becomes a blank, as in the
code of arXiv 2502.06703.

vLLM does not know this layout. `python -m engine.models.scorers.skywork FROM TO` writes the same weights as a
sequence classifier, which vLLM can serve.
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from transformers import PreTrainedTokenizerBase, Qwen2Config, Qwen2Model, Qwen2PreTrainedModel

from engine.errors import ModelError
from engine.models.local.checkpoint import describe, open_checkpoint
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.formats import TemplateFormat
from engine.models.scorers.local import LocalScorer
from engine.models.scorers.options import ScorerOptions
from engine.models.scorers.served import Classification, ServedScorer
from engine.models.servers.settings import ServerSettings


class _ValueHead(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.summary = nn.Linear(width, 1)

    def forward(self, hidden: Tensor) -> Tensor:
        value: Tensor = self.summary(hidden)
        return value[..., 0]


class Qwen2ForPrmModel(Qwen2PreTrainedModel):
    """The published layout: a Qwen2 backbone and `v_head.summary`, a Linear to one number."""

    _keys_to_ignore_on_load_unexpected = [r"lm_head\..*"]

    def __init__(self, config: Qwen2Config) -> None:
        super().__init__(config)
        self.model = Qwen2Model(config)
        self.v_head = _ValueHead(config.hidden_size)
        self.post_init()  # type: ignore[no-untyped-call]


class ValueHead:
    """The sigmoid of the value."""

    running = False

    def __init__(self, value: nn.Module) -> None:
        self._value = value

    def __call__(self, hidden: Tensor, targets: Tensor) -> Tensor:
        return torch.sigmoid(self._value(hidden).float())


def read(tokenizer: PreTrainedTokenizerBase) -> TemplateFormat:
    """How this family reads."""
    step = ("{step}", "\n")
    prompt = f"{tokenizer.bos_token or ''}{{problem}}\n"
    return TemplateFormat(Tokens(tokenizer), prompt, step, step, clean=_one_line, seamless=False)


def _one_line(step: str) -> str:
    return step.strip().replace("\n", " ")


def load(name: str, folder: Path, options: ScorerOptions) -> LocalScorer:
    model, tokenizer = open_checkpoint(folder, Qwen2ForPrmModel)
    form = read(tokenizer)
    return LocalScorer(describe(name, folder, model, form.template), model.model, form, ValueHead(model.v_head))


def serve(
    name: str, settings: ServerSettings, tokenizer: PreTrainedTokenizerBase, options: ScorerOptions
) -> ServedScorer:
    return ServedScorer(name, settings, read(tokenizer), Classification())


def convert(source: Path, target: Path) -> None:
    """Write the checkpoint in `source` as a `Qwen2ForSequenceClassification` with one label; one file at a time."""
    config = json.loads((source / "config.json").read_text(encoding="utf-8"))
    if config.get("architectures") != ["Qwen2ForPrmModel"]:
        raise ModelError(f"{source}: this checkpoint is a {config.get('architectures')}, not a Qwen2ForPrmModel")
    target.mkdir(parents=True)
    places: dict[str, str] = {}
    for file in sorted(source.glob("*.safetensors")):
        with safe_open(file, "pt") as stored:
            kept = {_renamed(name): stored.get_tensor(name) for name in stored.keys() if "lm_head" not in name}  # noqa: SIM118 - no mapping
        save_file(kept, target / file.name, metadata={"format": "pt"})
        places |= dict.fromkeys(kept, file.name)
    if len(set(places.values())) > 1:
        index = json.dumps({"metadata": {}, "weight_map": places})
        (target / "model.safetensors.index.json").write_text(index, encoding="utf-8")
    config |= {"architectures": ["Qwen2ForSequenceClassification"], "num_labels": 1, "id2label": {"0": "score"}}
    config.pop("auto_map", None)
    (target / "config.json").write_text(json.dumps(config | {"label2id": {"score": 0}}, indent=2), encoding="utf-8")
    for file in source.glob("*token*"):
        shutil.copy(file, target)


def _renamed(name: str) -> str:
    return name.replace("v_head.summary.", "score.")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Convert a Skywork-o1-Open-PRM for vLLM.")
    parser.add_argument("source", type=Path, metavar="FROM", help="the published checkpoint's folder")
    parser.add_argument("target", type=Path, metavar="TO", help="a new folder")
    arguments = parser.parse_args()
    convert(arguments.source, arguments.target)

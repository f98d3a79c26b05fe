"""The tokenizer: what AutoTokenizer loads equals what we built, and texts come back byte for byte."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from engine.domains.builtin.problems import stream
from engine.training import tokenizer as tokenizers
from engine.training.checkpoints import MODELS
from engine.training.tokenizer import BLANK_LINE, CONTEXT, END, PAD, START, STEP, VOCABULARY, prompt_text, token_id

ODD_TEXTS = [
    "",
    " ",
    "\n\n",
    "a\n\n\nb",
    "é ∑ 数学",
    "x=1.5,y",
    "## Step 99: 10 000",
    "<b>${x}{{y}}</b>",
    "  7  8",
    "tab\there",
]


@pytest.fixture(scope="module")
def ours() -> PreTrainedTokenizerBase:
    return tokenizers.build(2_000)


@pytest.fixture(scope="module")
def loaded(ours: PreTrainedTokenizerBase, tmp_path_factory: pytest.TempPathFactory) -> PreTrainedTokenizerBase:
    folder: Path = tmp_path_factory.mktemp("policy")
    ours.save_pretrained(folder)
    (folder / "config.json").write_text('{"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}')
    found: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder)
    return found


def conversations(count: int) -> list[str]:
    return [prompt_text(p.text) + p.solution + END for p in islice(stream("round trip", "test", 0.3), count)]


def test_auto_tokenizer_equals_ours_on_thousands_of_texts(
    ours: PreTrainedTokenizerBase, loaded: PreTrainedTokenizerBase
) -> None:
    texts = conversations(3_000) + ODD_TEXTS
    expected = ours(texts)["input_ids"]
    assert loaded(texts)["input_ids"] == expected
    assert [loaded.decode(ids) for ids in expected] == texts


def test_phrases_and_marks_are_single_tokens(loaded: PreTrainedTokenizerBase) -> None:
    for phrase in [*tokenizers.phrases(), PAD, START, END, STEP]:
        assert len(loaded(phrase)["input_ids"]) == 1, phrase
    assert loaded.eos_token == END and loaded.pad_token == PAD
    assert loaded.model_max_length == CONTEXT and len(loaded) <= VOCABULARY
    period = loaded("5.\n\n## Step 2: 6")["input_ids"]
    assert [loaded.decode([i]) for i in period] == ["5", ".", BLANK_LINE, "## Step 2:", " 6"]


def test_chat_template_is_the_training_prompt_and_drops_the_system_message(loaded: PreTrainedTokenizerBase) -> None:
    user = {"role": "user", "content": "What is 2 + 3?"}
    asked = loaded.apply_chat_template([user], add_generation_prompt=True, tokenize=False)
    with_system = [{"role": "system", "content": "Be brief."}, user]
    assert asked == prompt_text("What is 2 + 3?")
    assert loaded.apply_chat_template(with_system, add_generation_prompt=True, tokenize=False) == asked
    assert loaded.apply_chat_template([user], tokenize=False) == f"{START}user\nWhat is 2 + 3?{END}\n"


def test_steps_tokenise_alone_as_in_the_whole(loaded: PreTrainedTokenizerBase) -> None:
    blank = token_id(loaded, BLANK_LINE)
    for problem in islice(stream("segments", "test"), 200):
        pieces: list[int] = []
        for step in problem.steps:
            pieces += [*loaded(step)["input_ids"], blank]
        assert pieces[:-1] == loaded(problem.solution)["input_ids"]


def test_the_shipped_tokenizer_is_the_same_for_all_models() -> None:
    files = sorted(MODELS.glob("*/tokenizer.json"))
    assert files and len({file.read_bytes() for file in files}) == 1

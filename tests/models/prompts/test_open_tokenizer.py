"""Tokenizers are what their files say: for a policy here, for one behind a server, and for a judge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.layouts import CHATML, llama_causal, llama_tokenizer
from transformers import AutoTokenizer

from engine.errors import ModelError
from engine.models.policies.local import LocalPolicy
from engine.models.prompts.chat_prompt import ChatPrompt
from engine.models.prompts.open_tokenizer import open_tokenizer

PROBLEM = "We add 18 + 13.\n\nWhat is $\\frac{1}{2}$ of it?"


@pytest.fixture
def as_r1_distill_llama(tmp_path: Path) -> Path:
    """A byte-level tokenizer that its configuration calls Llama's, which transformers then builds in its own way."""
    folder = llama_causal(tmp_path / "checkpoint")
    file = folder / "tokenizer_config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "tokenizer_class": "LlamaTokenizerFast"}))
    return folder


def test_a_byte_level_tokenizer_is_not_replaced(as_r1_distill_llama: Path) -> None:
    theirs = AutoTokenizer.from_pretrained(as_r1_distill_llama)
    right = llama_tokenizer()
    ids = right.encode(PROBLEM, add_special_tokens=False)
    assert "Ġ" in str(theirs.decode(ids)), "transformers reads this file rightly by now"
    policy = LocalPolicy("tiny", as_r1_distill_llama)
    policy.close()
    assert policy.decoder.text(ids) == PROBLEM
    assert policy.prompt_ids(PROBLEM) == ChatPrompt(right).ids(PROBLEM)
    opened = open_tokenizer(as_r1_distill_llama)  # what a server's policy and PRM use
    assert opened.encode(PROBLEM) == right.encode(PROBLEM)
    assert (opened.bos_token, opened.eos_token) == (right.bos_token, right.eos_token)


def test_a_tokenizer_in_another_file_says_what_to_install(tmp_path: Path) -> None:
    folder = llama_causal(tmp_path / "checkpoint")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer.model").write_bytes(b"not a model of SentencePiece's")
    for opens in (open_tokenizer, lambda where: LocalPolicy("tiny", where)):
        with pytest.raises(ModelError, match="pip install sentencepiece protobuf tiktoken") as refusal:
            opens(folder)
        assert "\n" not in str(refusal.value) and str(folder) in str(refusal.value)


def test_another_template_stays_the_checkpoints(as_r1_distill_llama: Path) -> None:
    (as_r1_distill_llama / "chat_template.jinja").write_text(CHATML)
    assert open_tokenizer(as_r1_distill_llama).chat_template == CHATML

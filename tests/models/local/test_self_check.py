"""An architecture that our loop computes wrongly is refused in one line when it is loaded, whoever asks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.command_line import run
from support.layouts import mistral_causal
from support.tiny_architectures import build

from engine.errors import ModelError
from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.policies.local import LocalPolicy
from engine.models.scorers.options import TwoTokenTemplate

#: The first two compute something else without a word, unless somebody compares; the others stumble.
WRONG: list[tuple[str, dict[str, Any]]] = [
    ("gpt_neo", {}), ("recurrent_gemma", {}), ("bloom", {}), ("falcon", {"alibi": True}), ("gemma4_text", {}),
    ("deepseek_v3", {}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "more"), WRONG)
def test_a_wrong_architecture_is_refused_as_a_policy_and_as_a_judge(
    tmp_path: Path, kind: str, more: dict[str, Any]
) -> None:
    assert build(kind, tmp_path, **more) == ""
    template = TwoTokenTemplate(step="{step}\n", good="+", bad="-")
    with pytest.raises(ModelError, match="ForCausalLM is not supported here; a server can run it") as refusal:
        LocalPolicy("tiny", tmp_path)
    assert "\n" not in str(refusal.value)
    for judge in ("likelihood", "generic") if kind == "gpt_neo" else ():
        entry = ModelEntry(kind=judge, path="judge", template=template if judge == "generic" else None)
        with pytest.raises(ModelError, match="is not supported here"):
            SCORERS[judge].load(entry, tmp_path)


@pytest.mark.parametrize(("kind", "more"), [("gpt2", {}), ("falcon", {"alibi": False}), ("gemma2", {})])
def test_others_are_loaded_or_named(tmp_path: Path, kind: str, more: dict[str, Any]) -> None:
    assert build(kind, tmp_path, **more) == ""
    if kind == "gemma2":
        with pytest.raises(ModelError, match="final_logit_softcapping"):
            LocalPolicy("tiny", tmp_path)
    else:
        LocalPolicy("tiny", tmp_path).close()


def test_the_command_line_says_it_in_one_line(tmp_path: Path) -> None:
    assert build("gpt_neo", tmp_path / "model") == ""
    file = tmp_path / "models.toml"
    file.write_text('[[pair]]\nname = "mine"\n[pair.policy]\nkind = "local"\npath = "model"\n')
    outcome = run(
        "solve", "What is 18 * 13?", "--models", file, "--strategy", "majority_vote", "--db", tmp_path / "runs.db"
    )
    assert outcome.code and "a server can run it" in outcome.err and "internal error" not in outcome.err


def test_the_check_leaves_a_window_as_it_was(tmp_path: Path) -> None:
    """It is narrowed while the check runs, so that it matters."""
    policy = LocalPolicy("tiny", _with_chat(mistral_causal(tmp_path, sliding_window=2000)))
    policy.close()
    assert policy.model.config.sliding_window == 2000


def _with_chat(folder: Path) -> Path:
    (folder / "chat_template.jinja").write_text("{{ messages[-1].content }}\n")
    return folder

"""The catalogue and checkpoints: what cannot be used is refused in one line that says what is wrong."""

from __future__ import annotations

import json
import shutil
import threading
from pathlib import Path

import pytest
from support.markov import markov_checkpoint

from engine.assets import assets
from engine.errors import InvalidInput, ModelError, TtsError
from engine.models.catalogue.catalogue import Catalogue, Models

POLICY = assets() / "models" / "builtin-xs"
PRM = assets() / "models" / "builtin-prm"


def models_file(folder: Path, policy: object, scorer: object | None = None) -> Path:
    lines = ["[[pair]]", 'name = "mine"', "[pair.policy]", 'kind = "local"', f'path = "{policy}"']
    if scorer:
        lines += ["[pair.scorer]", 'kind = "qwen_prm"', f'path = "{scorer}"']
    file = folder / "models.toml"
    file.write_text("\n".join(lines))
    return file


def copy_of(checkpoint: Path, folder: Path) -> Path:
    shutil.copytree(checkpoint, folder)
    return folder


def one_line(error: TtsError) -> str:
    assert "\n" not in str(error)
    return str(error)


def test_the_built_in_pair_comes_first_and_is_loaded_once(catalogue: Catalogue, models: Models) -> None:
    assert catalogue.default == "builtin-xs"
    again = catalogue.load("builtin-xs")
    assert (again.policy, again.scorer) == (models.policy, models.scorer)
    assert catalogue.loaded()
    assert models.policy.info.digest and models.policy.info.template
    assert models.policy.info.context_window == 512


def test_another_judge_for_the_same_policy(catalogue: Catalogue, models: Models) -> None:
    other = catalogue.load("builtin-xs", "builtin-prm-weak")
    assert other.policy is models.policy
    assert other.scorer and models.scorer and other.scorer.info.name == "builtin-prm-weak"
    assert other.scorer.info.digest != models.scorer.info.digest
    with pytest.raises(InvalidInput, match="builtin-prm-weak") as refusal:
        catalogue.load("builtin-xs", "gpt-9")
    assert refusal.value.argument == "scorer"


def test_a_pair_names_a_scorer_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "models.toml"
    judge = '[[scorer]]\nname = "judge"\nkind = "qwen_prm"\npath = "builtin-prm"\n'
    pair = '[[pair]]\nname = "x"\nscorer = "{}"\n[pair.policy]\nkind = "local"\npath = "builtin-xs"\n'
    file.write_text(judge + pair.format("judge"))
    found = Catalogue(file).scorer("x")
    assert found and (found.label, found.path) == ("judge", "builtin-prm")
    file.write_text(judge + pair.format("nobody"))
    with pytest.raises(InvalidInput, match="no scorer is called 'nobody'"):
        Catalogue(file)


def test_an_unknown_pair_is_refused_with_the_names_there_are(catalogue: Catalogue) -> None:
    with pytest.raises(InvalidInput) as refusal:
        catalogue.load("gpt-9")
    assert refusal.value.argument == "models"
    assert "builtin-xs" in one_line(refusal.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[[pair", "not valid TOML"),
        ("", "pair"),
        ("pair = []", "names no pair"),
        ('[[pair]]\nname = "x"', "policy"),
        ('[[pair]]\nname = "x"\ncolour = "red"\n[pair.policy]\nkind = "local"\npath = "y"', "colour"),
        ('[[pair]]\nname = "x"\n[pair.policy]\nkind = "magic"\npath = "y"', "magic"),
        (
            '[[pair]]\nname = "x"\n[pair.policy]\nkind = "local"\npath = "y"\n'
            '[pair.scorer]\nkind = "oracle"\npath = "z"',
            "oracle",
        ),
    ],
)
def test_a_models_file_with_a_mistake_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "models.toml"
    file.write_text(text)
    with pytest.raises(InvalidInput) as refusal:
        Catalogue(file)
    assert refusal.value.argument == "models"
    assert says in one_line(refusal.value)


def test_a_models_file_that_is_not_there_or_not_text(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        Catalogue(tmp_path / "none.toml")
    with pytest.raises(InvalidInput, match="cannot be read"):
        Catalogue(tmp_path)
    binary = tmp_path / "models.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInput, match="not valid TOML"):
        Catalogue(binary)


def refused(file: Path) -> str:
    with pytest.raises(ModelError) as refusal:
        Catalogue(file).load()
    return one_line(refusal.value)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "no such folder" in refused(models_file(tmp_path, tmp_path / "none"))


def test_a_folder_without_config_or_weights(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "config.json is missing" in refused(models_file(tmp_path, empty))
    bare = copy_of(POLICY, tmp_path / "bare")
    (bare / "model.safetensors").unlink()
    assert "no safetensors" in refused(models_file(tmp_path, bare))
    (bare / "pytorch_model.bin").write_bytes(b"pickled")
    assert "no safetensors" in refused(models_file(tmp_path, bare))


@pytest.mark.parametrize("keep", [0, 100, 0.5])
def test_truncated_weights(tmp_path: Path, keep: float) -> None:
    folder = copy_of(POLICY, tmp_path / "cut")
    weights = folder / "model.safetensors"
    size = weights.stat().st_size
    weights.write_bytes(weights.read_bytes()[: int(keep if keep >= 1 else keep * size)])
    assert "cannot be loaded" in refused(models_file(tmp_path, folder))


def test_broken_config_and_tokenizer(tmp_path: Path) -> None:
    folder = copy_of(POLICY, tmp_path / "broken")
    (folder / "config.json").write_text("{")
    assert "cannot be loaded" in refused(models_file(tmp_path, folder))
    shutil.copy(POLICY / "config.json", folder)
    (folder / "tokenizer.json").write_text("{")
    assert "cannot be loaded" in refused(models_file(tmp_path, folder))


def test_weights_that_are_missing_or_of_another_shape(tmp_path: Path) -> None:
    folder = copy_of(POLICY, tmp_path / "deeper")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 4}))
    assert "lacks weights" in refused(models_file(tmp_path, folder))
    (folder / "config.json").write_text(json.dumps(config | {"hidden_size": 32}))
    refused(models_file(tmp_path, folder))


def test_a_prm_is_no_policy_and_a_policy_no_prm(tmp_path: Path) -> None:
    assert "Qwen2ForProcessRewardModel" in refused(models_file(tmp_path, PRM))
    refused(models_file(tmp_path, POLICY, POLICY))


def test_a_failed_load_leaves_no_thread_behind_and_can_be_tried_again(tmp_path: Path) -> None:
    broken = copy_of(PRM, tmp_path / "prm")
    weights = (broken / "model.safetensors").read_bytes()
    (broken / "model.safetensors").write_bytes(weights[:1000])
    catalogue = Catalogue(models_file(tmp_path, POLICY, broken))
    threads = threading.active_count()
    for _ in range(2):
        with pytest.raises(ModelError):
            catalogue.load()
    assert threading.active_count() == threads
    (broken / "model.safetensors").write_bytes(weights)
    try:
        assert catalogue.load().scorer is not None
    finally:
        catalogue.close()


def test_a_path_beside_the_models_file(tmp_path: Path) -> None:
    markov_checkpoint(tmp_path / "said", {"\n": {"a": 1.0}})
    catalogue = Catalogue(models_file(tmp_path, "said"))
    try:
        assert catalogue.load().policy.info.name == "said"
    finally:
        catalogue.close()

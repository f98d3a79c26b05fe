"""What a models file may say of servers and vLLM, and how `tts-ui models` shows it."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
from support.completion_server import BUILTIN, Serve

from engine.errors import InvalidInput, ModelError
from engine.models.catalogue.catalogue import Catalogue
from tts_ui.cli import terminal

OPENAI = 'kind = "openai"\n'


def models_file(folder: Path, policy: str) -> Path:
    file = folder / "models.toml"
    file.write_text(f'[[pair]]\nname = "mine"\n[pair.policy]\n{policy}')
    return file


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (OPENAI, "urls is missing"),
        (OPENAI + "urls = []", "urls"),
        (OPENAI + 'urls = ["file:///etc/passwd"]', "not an http or https address"),
        (OPENAI + 'urls = ["http://me:secret@host/v1"]', "key_env"),
        (OPENAI + 'urls = ["http://host"]\nkey_env = "sk-123456"', "the name of an environment variable"),
        (OPENAI + 'urls = ["http://host"]\ntimeout_s = 0', "timeout_s"),
        (OPENAI + 'urls = ["http://host"]\nproxy = "ftp://host"', "proxy"),
        (OPENAI + 'urls = ["http://host"]\nproxy = "http://me:secret@host"', "holds no password"),
        (OPENAI + 'urls = ["http://host"]\ngpu_memory_utilization = 0.3', "has no meaning for kind 'openai'"),
        ('kind = "local"\npath = "x"\nurls = ["http://host"]', "has no meaning for kind 'local'"),
        ('kind = "local"', "path is missing"),
        ('kind = "vllm"\npath = "x"\ngpu_memory_utilization = 1.5', "gpu_memory_utilization"),
    ],
)
def test_an_entry_with_a_mistake_is_refused(tmp_path: Path, policy: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Catalogue(models_file(tmp_path, policy))
    assert says in str(refusal.value) and "\n" not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_pair_behind_a_server_is_loaded_by_name(tmp_path: Path, serve: Serve) -> None:
    url = serve().url
    file = models_file(tmp_path, f'{OPENAI}urls = ["{url}/v1/"]\nmodel = "served"\ntokenizer = "{BUILTIN}"')
    catalogue = Catalogue(file)
    try:
        assert catalogue.load("mine").policy.info.name == "served"
    finally:
        catalogue.close()


def test_the_list_of_models_says_what_servers_cannot_do(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    able, less, gone = serve(), serve(logprobs=False, seeds=False), serve()
    gone.stop()
    urls = ", ".join(f'"{server.url}"' for server in (able, less, gone))
    terminal.print_models(Catalogue(models_file(tmp_path, f"{OPENAI}urls = [{urls}]")))
    listed = capsys.readouterr().out.splitlines()
    assert f"  {able.url} serves served" in listed
    assert f"  {less.url} serves served, without log-probabilities, seeds" in listed
    assert any(gone.url in line and "cannot be reached" in line for line in listed)


def test_the_list_of_models_says_that_a_key_is_not_set(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEY_OF_MINE", raising=False)
    entry = f'{OPENAI}urls = ["{serve().url}"]\nkey_env = "KEY_OF_MINE"\n'
    terminal.print_models(Catalogue(models_file(tmp_path, entry)))
    assert "the environment variable KEY_OF_MINE is not set" in capsys.readouterr().out


def test_the_list_of_models_says_what_the_servers_of_prms_serve(
    tmp_path: Path, serve: Serve, capsys: pytest.CaptureFixture[str]
) -> None:
    there, gone = serve(), serve()
    gone.stop()
    served = f'kind = "qwen_prm"\ntokenizer = "{BUILTIN}"\nurls = ["{there.url}", "{gone.url}"]\n'
    own = f'kind = "local"\npath = "builtin-xs"\n[pair.scorer]\n{served}'
    other = f'[[scorer]]\nname = "other"\nmodel = "another"\n{served}'
    terminal.print_models(Catalogue(models_file(tmp_path, f"{own}{other}")))
    listed = capsys.readouterr().out.splitlines()
    assert f"  {there.url} serves served" in listed
    assert f"  {gone.url} cannot be reached" in "\n".join(listed)
    assert any(f"{there.url} does not serve 'another'; it has served" in line for line in listed)


@pytest.mark.skipif(importlib.util.find_spec("vllm") is not None, reason="vLLM is installed here")
def test_vllm_that_is_not_installed_is_one_line(tmp_path: Path) -> None:
    catalogue = Catalogue(models_file(tmp_path, 'kind = "vllm"\npath = "builtin-xs"'))
    with pytest.raises(ModelError, match=r"pip install 'tts-ui\[vllm\]'"):
        catalogue.load()

"""Models of the Hub: downloaded when asked for, from a stand-in server; and one clear line where that cannot be."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.command_line import COMMAND
from support.hub_stand_in import TOKEN, Hub, Repository, files_of
from support.visitor import Stream, visiting

from engine.assets import assets
from engine.store import Store

BUILTIN = assets() / "models"
EASY = "Compute 2 + 3."

MODELS = """
[[pair]]
name = "tiny"
[pair.policy]
kind = "local"
path = "acme/tiny"
[[pair]]
name = "locked"
[pair.policy]
kind = "local"
path = "acme/locked"
gated = true
licence = "Acme Licence"
[[pair]]
name = "huge"
[pair.policy]
kind = "local"
path = "acme/tiny"
parameters = 1e12
[[pair]]
name = "heavy"
[pair.policy]
kind = "local"
path = "acme/heavy"
[[pair]]
name = "prm"
[pair.policy]
kind = "local"
path = "acme/prm"
[[pair]]
name = "pickled"
[pair.policy]
kind = "local"
path = "acme/pickled"
[[pair]]
name = "nowhere"
[pair.policy]
kind = "local"
path = "acme/nowhere"
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    policy = files_of(BUILTIN / "builtin-xs")
    extra = {"README.md": b"x", "modeling.py": b"raise SystemExit", "pytorch_model.bin": b"x", "onnx/model.onnx": b"x"}
    without = {name: content for name, content in policy.items() if not name.endswith(".safetensors")}
    server = Hub(
        {
            "acme/tiny": Repository(policy | extra),
            "acme/locked": Repository(policy, gated=True),
            "acme/heavy": Repository(policy, sizes={"model.safetensors": 10**16}),
            "acme/prm": Repository(files_of(BUILTIN / "builtin-prm")),
            "acme/pickled": Repository(without | {"pytorch_model.bin": b"x"}),
        }
    )
    yield server
    server.close()


class Machine:
    """A machine with an empty cache whose Hub is at `endpoint`."""

    def __init__(self, home: Path, endpoint: str) -> None:
        self.home, self.models = home, home / "mine.toml"
        self.models.write_text(MODELS)
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "TTS_UI_"))}
        self.environment = kept | {"HF_ENDPOINT": endpoint, "HF_HOME": str(home / "hf"), "HF_HUB_DISABLE_XET": "1"}

    def run(self, *command: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*map(str, command)], env=self.environment | environment, capture_output=True, text=True, timeout=240
        )

    def solve(self, pair: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return self.run(
            COMMAND, "solve", EASY, "--strategy", "greedy", "--json", "--db", self.home / "runs.db",
            "--models", f"{self.models}:{pair}", **environment,
        )  # fmt: skip


@pytest.fixture
def machine(tmp_path: Path, hub: Hub) -> Machine:
    return Machine(tmp_path, hub.url)


def test_a_model_is_downloaded_once_and_then_works_offline(machine: Machine, hub: Hub) -> None:
    first = machine.solve("tiny")
    assert first.returncode == 0, first.stderr
    assert json.loads(first.stdout)["run"]["policy"] == "acme/tiny"
    assert "tts-ui: downloading acme/tiny: " in first.stderr
    fetched = {path.rpartition("/")[2] for path in hub.requests if "/resolve/" in path}
    assert "model.safetensors" in fetched
    assert fetched.isdisjoint({"README.md", "modeling.py", "pytorch_model.bin", "model.onnx"})
    hub.requests.clear()
    again = machine.solve("tiny", HF_HUB_OFFLINE="1")
    assert again.returncode == 0 and "downloading" not in again.stderr
    assert json.loads(again.stdout)["run"]["answer"] == json.loads(first.stdout)["run"]["answer"]
    listed = json.loads(machine.run(COMMAND, "models", "--json", "--models", machine.models).stdout)
    here = {pair["name"]: pair["policy"]["here"] for pair in listed["pairs"]}
    assert here["tiny"] and not here["locked"]
    assert not hub.requests  # neither looking nor listing asks anybody


def test_the_app_keeps_off_the_network_but_downloads_what_is_asked_for(machine: Machine, hub: Hub) -> None:
    script = (
        "import sys, tts_ui.web.app\nfrom pathlib import Path\n"
        "from engine.models.catalogue.catalogue import Catalogue\n"
        "catalogue = Catalogue(Path(sys.argv[1]))\ncatalogue.load('tiny')\ncatalogue.close()\n"
    )
    done = machine.run(sys.executable, "-c", script, machine.models)
    assert done.returncode == 0, done.stderr
    assert any("/resolve/" in path for path in hub.requests)


@pytest.mark.parametrize(
    ("pair", "environment", "says"),
    [
        ("locked", {}, ["acme/locked is gated", "accept its licence at http", "HF_TOKEN"]),
        ("locked", {"HF_TOKEN": "hf_of_somebody_else"}, ["acme/locked is gated", "HF_TOKEN"]),
        ("nowhere", {}, ["no model acme/nowhere on the Hub", "HF_TOKEN"]),
        ("heavy", {}, ["acme/heavy needs 10000000.0 GB of disk", "HF_HOME"]),
        ("pickled", {}, ["acme/pickled has no safetensors weights"]),
        ("prm", {}, ["acme/prm: this checkpoint is a Qwen2ForProcessRewardModel, not a causal language model"]),
        ("huge", {}, ["acme/tiny needs ", "are free"]),
        ("tiny", {"HF_HUB_OFFLINE": "1"}, ["acme/tiny is not on this machine", "HF_HUB_OFFLINE"]),
        ("tiny", {"HF_ENDPOINT": "http://127.0.0.1:9"}, ["the Hub cannot be reached at http://127.0.0.1:9"]),
    ],
)
def test_what_cannot_be_had_is_one_line(
    machine: Machine, hub: Hub, pair: str, environment: dict[str, str], says: list[str]
) -> None:
    outcome = machine.solve(pair, **environment)
    assert (outcome.returncode, outcome.stdout) == (1, "")
    last = outcome.stderr.rstrip().splitlines()[-1]
    assert last.startswith("tts-ui: ") and all(part in last for part in says), outcome.stderr
    assert all(line.startswith("tts-ui: downloading") for line in outcome.stderr.splitlines()[:-1])
    if pair == "huge" or "HF_ENDPOINT" in environment or "HF_HUB_OFFLINE" in environment:
        assert not hub.requests


def test_a_gated_model_with_the_token_of_an_account_that_accepted(machine: Machine) -> None:
    outcome = machine.solve("locked", HF_TOKEN=TOKEN)
    assert outcome.returncode == 0, outcome.stderr


STRANGERS = """
import sys
from pathlib import Path
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
offered = Catalogue(downloads=False)
offered.keep_what_is_here()
assert offered.pairs and all(name.startswith("builtin-") for name in [*offered.pairs, *offered.scorers])
owned = Catalogue(Path(sys.argv[1]), downloads=False)
whole = Catalogue(downloads=False)
for catalogue, pair in [(owned, "tiny"), (owned, "locked"), (offered, "qwen2.5-0.5b"), (whole, "qwen2.5-0.5b")]:
    try:
        catalogue.load(pair)
    except InvalidInput as refused:
        print(refused)
"""

OWNER = """
import sys
from pathlib import Path
from engine.models.catalogue.catalogue import Catalogue
catalogue = Catalogue(Path(sys.argv[1]), downloads=False)
catalogue.fetch_all(lambda problem: print(problem))
print(catalogue.load("tiny").policy.info.name)
catalogue.close()
"""


def test_where_strangers_choose_only_the_owner_asks_the_hub(machine: Machine, hub: Hub) -> None:
    chosen = machine.run(sys.executable, "-c", STRANGERS, machine.models, HF_TOKEN=TOKEN)
    assert chosen.returncode == 0, chosen.stderr
    refused = chosen.stdout.splitlines()
    assert len(refused) == 4 and all(line.startswith("models: ") for line in refused)
    assert not hub.requests
    fetched = machine.run(sys.executable, "-c", OWNER, machine.models, HF_TOKEN=TOKEN)
    assert fetched.returncode == 0, fetched.stderr
    assert fetched.stdout.splitlines()[-1] == "acme/tiny"
    assert "acme/nowhere" in fetched.stdout  # what cannot be had is told, and the others are fetched all the same
    assert any("acme/locked" in path for path in hub.requests)


def test_a_forged_choice_starts_nothing_and_asks_nobody(machine: Machine, hub: Hub) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    serving = subprocess.Popen(
        [COMMAND, "serve", "--public", "--port", str(port), "--db", str(machine.home / "runs.db")],
        env=machine.environment | {"HF_TOKEN": TOKEN}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert serving.stdout and "for everybody" in serving.stdout.readline()
        with visiting(f"http://127.0.0.1:{port}/", "forger") as stranger:
            assert "qwen2.5" not in stranger.page and "builtin-xs" in stranger.page
            fields, ask = stranger.form(models="qwen2.5-0.5b"), stranger.function("run")
            assert stranger.direct(ask, *fields).status_code == 500
            stranger.join(ask + 1, None, *fields)
            Stream(stranger).ends()
    finally:
        serving.terminate()
        serving.communicate(timeout=60)
    assert not hub.requests
    with Store.open(str(machine.home / "runs.db")) as store:
        assert not [run for run in store.runs() if run.origin == "search"]

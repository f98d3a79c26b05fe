"""A GPU that is lent for a call: the same steps, drawn in a process that is forked for it, and nothing without one.

The package `spaces` needs a Space to do more than hand a function back, so a stand-in forks, and pickles both ways, as
its decorator does there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

from support.places import ROOT

from engine.models.local import lent_gpu
from engine.models.policies.lent import extend_alone

STAND_IN = """
import json, multiprocessing, pickle, sys, types
calls = []
def GPU(function, duration):
    def called(*given):
        ours, theirs = multiprocessing.get_context("fork").Pipe()
        def work():
            import torch
            torch.set_num_threads(1)
            theirs.send_bytes(pickle.dumps(function(*pickle.loads(sent))))
        sent = pickle.dumps(given)
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        came = pickle.loads(ours.recv_bytes())
        process.join()
        calls.append(process.pid)
        return came
    called.decorated = function
    return called
spaces, zero = types.ModuleType("spaces"), types.ModuleType("spaces.zero")
spaces.GPU, zero.startup = GPU, lambda: calls.append("told")
sys.modules |= {"spaces": spaces, "spaces.zero": zero}
"""

SEARCH = """
from engine.models.local import lent_gpu, placement
placement.SMALL = SMALLEST
lent_gpu.begin()
from engine import Host, Question, RunParams, Store
with Store.open("sqlite://") as store:
    host = Host(store)
    params = RunParams("beam_search", n=8, width=4, seed=3, max_tokens_total=300)
    running = host.submit(Question("Compute 18 * 19.", "342"), params)
    finished = running.future.result(timeout=120)
    store.flush(running.id)
    steps = [getattr(event, "text", "") for event in store.events(running.id)]
    usage = store.run(running.id).usage
    host.close()
print(json.dumps([steps, finished.answer, usage.generated_tokens, usage.prompt_tokens, calls]))
"""


def search(smallest: int, tmp_path: Any, **environment: str) -> list[Any]:
    script = STAND_IN + SEARCH.replace("SMALLEST", str(smallest)).replace("sqlite://", f"{tmp_path}/{smallest}.db")
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True,
        timeout=280,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    said: list[Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def test_nothing_is_decorated_where_no_gpu_is_lent() -> None:
    assert not lent_gpu.is_lent()
    assert not hasattr(extend_alone, "decorated")
    assert lent_gpu.on_lent_gpu(search) is search


def test_a_lent_gpu_draws_the_same_search(tmp_path: Any) -> None:
    usual = search(50_000_000, tmp_path)
    assert usual[4] == []
    lent = search(1000, tmp_path, SPACES_ZERO_GPU="true")
    assert lent[:3] == usual[:3] and lent[2] == 300  # the same steps, cut by the same budget
    told, *processes = lent[4]
    assert told == "told" and len(set(processes)) == len(processes) > 1  # a call for each round
    assert lent[3] > usual[3]  # every call reads the prompt again, and is charged for it


def test_small_models_stay_where_they_are(tmp_path: Any) -> None:
    assert search(50_000_000, tmp_path, SPACES_ZERO_GPU="true")[4] == ["told"]

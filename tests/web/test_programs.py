"""The tools as named endpoints, called by an unmodified gradio_client; and the examples of docs/programs.md."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from support.endless import ENDLESS
from support.places import ROOT
from support.public_site import public_site
from support.site import Site
from support.waiting import until

from engine.search.params import PARAMETERS
from tts_ui.web.programs.tools import TOOLS

PROBLEM, REFERENCE = "What is the sum of the first 22 terms of 6, 14, 22, ...?", "1980"
#: Long enough to be stopped.
LONG: dict[str, Any] = {"problem": PROBLEM, "strategy": "mcts", "n": 256, "temperature": 1.5}


def client_of(site: Site) -> Client:
    return Client(site.url, verbose=False, analytics_enabled=False)


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with public_site(tmp_path_factory.mktemp("public")) as site:
        yield site


@pytest.fixture(scope="module")
def client(public: Site) -> Iterator[Client]:
    made = client_of(public)
    yield made
    made.close()


def test_a_problem_is_solved_shown_listed_graded_and_scored(public: Site, client: Client) -> None:
    found = client.predict(problem=PROBLEM, n=16, answer=REFERENCE, api_name="/solve")
    assert found["answer"] == REFERENCE and found["correct"] is True and found["status"] == "done"
    assert found["usage"]["scored_tokens"] > 0 and found["params"]["n"] == 16
    assert found["tree_url"] == f"{public.url}?run={found['run']}"
    assert httpx.get(found["document_url"]).json()["run"]["id"] == found["run"]
    shown = client.predict(run=found["run"], api_name="/show")
    assert shown["tree"].startswith(PROBLEM) and f"answer: {REFERENCE} (correct" in shown["tree"]
    assert found["run"] in [run["run"] for run in client.predict(api_name="/runs")["runs"]]
    assert client.predict(run=found["run"], reference="7", api_name="/grade")["correct"] is False
    assert client.predict(answer="1980.0", reference=REFERENCE, api_name="/grade")["correct"] is True
    scored = client.predict(problem=PROBLEM, solution="6 + 14 = 20\n\nSo 7.", scorer="builtin-prm", api_name="/score")
    assert [step["node"] for step in scored["steps"]] == [1, 2] and all(0 <= s["score"] <= 1 for s in scored["steps"])
    kept = client.predict(run=found["run"], scorer="builtin-prm-weak", api_name="/score")
    assert len(kept["steps"]) == found["steps"] and kept["usage"]["scored_tokens"] > 0


def test_strategies_are_compared_and_what_is_known_comes_before_the_end(client: Client) -> None:
    job = client.submit(problem=PROBLEM, strategies="greedy, best_of_n", n=4, api_name="/compare")
    known = list(job)
    assert len(known) > 1 and [run["strategy"] for run in known[-1]["runs"]] == ["greedy", "best_of_n"]
    assert known[-1]["shared"]["generated_tokens"] > 0 and known[-1]["comparison"]
    steps = [step for told in known[:-1] for run in told.get("runs", []) for step in run.get("new_steps", [])]
    assert steps and all(step["text"] for step in steps)


def test_the_client_finds_the_six_tools_with_their_parameters_and_nothing_else(client: Client) -> None:
    described = client.view_api(return_format="dict")
    assert isinstance(described, dict)
    assert set(described["named_endpoints"]) == {f"/{name}" for name in TOOLS}
    assert not described["unnamed_endpoints"]
    parameters = {each["parameter_name"] for each in described["named_endpoints"]["/solve"]["parameters"]}
    assert parameters == {"problem", "strategy", "models", "scorer", "answer", *PARAMETERS}


@pytest.mark.parametrize(
    ("tool", "asked", "said"),
    [
        ("solve", {"problem": PROBLEM, "n": 10**9}, "n: 1000000000 completions are too many; give at most 4096"),
        ("solve", {"problem": PROBLEM, "n": 512}, "n: 512 completions are too many; give at most 256"),
        ("solve", {"problem": PROBLEM, "n": "many"}, "n: 'many' is not a whole number"),
        ("solve", {"problem": PROBLEM, "strategy": "guess"}, "strategy: unknown strategy 'guess'"),
        ("solve", {"problem": PROBLEM, "models": "gpt"}, "models: unknown pair 'gpt'"),
        ("solve", {"problem": PROBLEM, "models": "/etc/passwd"}, "models: unknown pair"),
        ("solve", {"problem": " "}, "problem: it is empty"),
        ("solve", {"problem": "x" * 20_000}, "problem: 20,000 characters are too many"),
        ("compare", {"problem": PROBLEM, "strategies": "greedy"}, "strategies: a comparison needs two or more"),
        ("show", {"run": "nobody"}, "run: no run has the id 'nobody'"),
        ("runs", {"limit": 10**6}, "limit: 1000000 runs are too many"),
        ("grade", {"reference": "1"}, "answer: give an answer to compare, or a run"),
        ("score", {"scorer": "nobody", "problem": "1", "solution": "2"}, "scorer: unknown PRM 'nobody'"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line(client: Client, tool: str, asked: dict[str, Any], said: str) -> None:
    with pytest.raises(AppError) as refused:
        client.predict(**asked, api_name=f"/{tool}")
    assert str(refused.value).startswith(said) and "\n" not in str(refused.value)


def test_others_neither_find_nor_change_a_run(public: Site, client: Client) -> None:
    found = client.predict(problem=PROBLEM, n=4, api_name="/solve")
    stranger = client_of(public)
    assert found["run"] not in [run["run"] for run in stranger.predict(api_name="/runs")["runs"]]
    for tool, asked in (("grade", {"reference": "1"}), ("score", {"scorer": "builtin-prm-weak"})):
        with pytest.raises(AppError, match="only the browser that started a run"):
            stranger.predict(run=found["run"], **asked, api_name=f"/{tool}")
    assert stranger.predict(run=found["run"], api_name="/show")["run"] == found["run"], "an address is enough to look"
    stranger.close()


def test_cancelling_stops_the_search(public: Site, client: Client) -> None:
    job = client.submit(**LONG, api_name="/solve")
    until(lambda: any(told.get("new_steps") for told in job.outputs()), 60)
    run = job.outputs()[-1]["run"]
    job.cancel()
    until(lambda: run not in public.host.running, 20)
    public.host.store.flush(run)
    assert public.host.store.whole_run(run).status == "stopped"


def test_a_client_that_goes_away_stops_the_search(impatient: Site) -> None:
    code = f"""
from gradio_client import Client
job = Client({impatient.url!r}, verbose=False, analytics_enabled=False).submit(**{LONG!r}, api_name="/solve")
for known in job:
    print(known.get("run"), flush=True)
"""
    gone = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert gone.stdout and gone.stdout.readline()
    until(lambda: impatient.host.running, 60)
    gone.kill()
    gone.wait(timeout=30)
    until(lambda: not impatient.host.running, 60)


def test_fifty_requests_at_once_are_answered_or_refused_in_one_line(public: Site) -> None:
    clients = [client_of(public) for _ in range(10)]

    def ask(number: int) -> str:
        try:
            return str(clients[number % 10].predict(problem=PROBLEM, strategy="greedy", api_name="/solve")["status"])
        except AppError as error:
            return str(error)

    with ThreadPoolExecutor(50) as threads:
        said = list(threads.map(ask, range(50)))
    assert said.count("done") >= 10, said
    assert all(each == "done" or "of your requests are waiting" in each for each in said), set(said)
    for each in clients:
        each.close()


def test_whoever_asks_for_many_grades_does_not_keep_runs_from_theirs(public: Site, client: Client) -> None:
    def ask(number: int) -> Any:
        try:
            return client.predict(answer=f"{number} + x", reference=ENDLESS, api_name="/grade")["correct"]
        except AppError as error:
            return str(error)

    with ThreadPoolExecutor(8) as threads:
        said = list(threads.map(ask, range(8)))
    assert None in said, "some are undecided"
    assert any("of your requests are waiting" in str(each) for each in said), said


@pytest.mark.parametrize(
    "path",
    ["config?deep_link=x", "config?page=runs", "gradio_api/call/solve", "gradio_api/api/solve", "gradio_api/run/solve",
     "gradio_api/upload", "gradio_api/mcp", "gradio_api/mcp/sse"],
)  # fmt: skip
def test_what_the_client_does_not_need_stays_closed(public: Site, path: str) -> None:
    assert httpx.get(public.url + path).status_code in (404, 405)
    assert httpx.post(public.url + path, json={"data": [PROBLEM]}).status_code in (404, 405)


def test_files_and_odd_values_are_no_arguments(public: Site, client: Client) -> None:
    function = next(each["id"] for each in client.config["dependencies"] if each["api_name"] == "show")
    for value in ({"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}, ["x"], {"url": "http://127.0.0.1"}):
        body = {"data": [value], "fn_index": function, "session_hash": "stranger"}
        assert httpx.post(f"{public.url}gradio_api/queue/join", json=body).status_code == 400


# --- the page of the documentation -----------------------------------------------------------------------------------

_EXAMPLES = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "programs.md").read_text(encoding="utf-8"), re.DOTALL)


def test_the_page_has_an_example_of_each_way() -> None:
    for needed in ("engine.solve", "engine.asolve", "gradio_client", "from openai", "from mcp"):
        assert any(needed in example for example in _EXAMPLES)


@pytest.mark.parametrize("example", _EXAMPLES, ids=lambda example: re.sub(r"\W+", "-", example)[:30])
def test_every_example_of_the_page_runs(own: Site, example: str, tmp_path: Path) -> None:
    script = tmp_path / "example.py"
    script.write_text(example.replace("http://127.0.0.1:7860", own.url.rstrip("/")), encoding="utf-8")
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, timeout=240, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_page_names_every_tool_and_its_own_arguments() -> None:
    page = (ROOT / "docs" / "programs.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", page, re.MULTILINE))
    assert set(rows) == set(TOOLS)
    for name, tool in TOOLS.items():
        own = [argument for argument in tool.parameters if argument not in PARAMETERS]
        said = rows[name] + (rows["solve"] if "as `solve`" in rows[name] else "")
        assert all(f"`{argument}`" in said for argument in own), name

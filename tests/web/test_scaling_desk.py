"""What the Scaling page asks of the server, and what it is told: on one's own machine, and on a public server."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from support.site import Site
from support.small_sweep import CELLS, swept
from support.waiting import until

PROBLEMS = 12


@pytest.fixture(scope="module")
def sweep(own: Site) -> str:
    return swept(own.host, problems=PROBLEMS)


@pytest.fixture
def mine(own: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=own.url, timeout=30) as client:
        yield client


def shown(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer = client.get("rte/scaling", params=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return dict(answer.json())


def rows(document: dict[str, Any]) -> dict[tuple[str, int], dict[str, Any]]:
    return {(row["line"], row["n"]): row for row in document["rows"]}


def measured_lines(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {line["name"]: line for line in document["figure"]["data"] if line.get("meta") == "measured"}


def test_without_a_sweep_the_page_has_no_figure(public: Site) -> None:
    with httpx.Client(base_url=public.url) as client:
        document = shown(client)
    assert (document["figure"], document["sweeps"]) == (None, [])


def test_every_configuration_is_a_point_and_agrees_with_its_runs(own: Site, mine: httpx.Client, sweep: str) -> None:
    document = shown(mine, sweep=sweep)
    found = rows(document)
    # Greedy, both searches at both Ns, and best-of-N's votes, maxima and majorities down to N = 1.
    assert {("Greedy", 1), ("Beam search", 4), ("Beam search", 8), ("Majority vote", 8)} <= found.keys()
    assert {("Best of N, vote", n) for n in (2, 4, 8)} <= found.keys()
    for cell in CELLS:
        runs = [run for run in own.host.store.sweep(cell.sweep_id(sweep)) if run.status == "done"]
        right = sum(bool(run.correct) for run in runs) / len(runs)
        line = {"greedy": "Greedy", "best_of_n": "Best of N, vote", "beam_search": "Beam search"}[cell.params.strategy]
        n = 1 if cell.params.strategy == "greedy" else cell.params.n
        row = found[line, n]
        assert row["accuracy"].startswith(f"{100 * right:.1f} [")
        assert row["problems"] == PROBLEMS
        mean = sum(run.usage.generated_tokens for run in runs) / len(runs)
        assert row["tokens"] == f"{round(mean):,}"


def test_the_axis_is_the_one_asked_for(mine: httpx.Client, sweep: str) -> None:
    by_n, by_flops = (measured_lines(shown(mine, sweep=sweep, x=x))["Beam search"]["x"] for x in ("n", "flops_all"))
    assert [round(n) for n in by_n] == [4, 8]
    assert by_flops[1] > by_flops[0] > 1e6


def test_both_conventions_of_flops_differ_by_the_judge(mine: httpx.Client, sweep: str) -> None:
    policy, everything = (
        measured_lines(shown(mine, sweep=sweep, x=x))["Beam search"]["x"] for x in ("flops_policy", "flops_all")
    )
    assert all(more > 1.5 * less for less, more in zip(policy, everything, strict=True))


def test_what_lines_are_read_by_is_on_the_figure_too(mine: httpx.Client, sweep: str) -> None:
    document = shown(mine, sweep=sweep)
    kinds = {line["meta"] for line in document["figure"]["data"]}
    assert {"measured", "floor", "ceiling", "best"} <= kinds
    assert any("half" in note for note in document["notes"])
    flattered = shown(mine, sweep=sweep, envelope="same")
    assert any("flatters" in note for note in flattered["notes"])
    bare = shown(mine, sweep=sweep, envelope="off", marks="none")
    assert {line["meta"] for line in bare["figure"]["data"]} == {"measured"}


def test_bars_say_how_many_problems_a_bin_has(mine: httpx.Client, sweep: str) -> None:
    bars = shown(mine, sweep=sweep)["bars"]["data"]
    labels = {label for bar in bars for label in bar["x"]}
    counts = [int(found[1]) for label in labels if (found := re.search(r"\((\d+)\)", label))]
    assert sum(counts) == PROBLEMS


def test_lines_by_difficulty_are_about_that_bins_problems(mine: httpx.Client, sweep: str) -> None:
    document = shown(mine, sweep=sweep, by="bin")
    counts = {row["line"]: row["problems"] for row in document["rows"]}
    assert sum(counts.values()) == PROBLEMS
    assert counts.keys() <= {"easy", "medium", "hard"}


def test_a_point_leads_to_its_runs(own: Site, mine: httpx.Client, sweep: str) -> None:
    point = rows(shown(mine, sweep=sweep))["Beam search", 8]
    listed = shown(mine, sweep=sweep, point=point["id"])["point"]
    assert listed["total"] == len(listed["rows"]) == PROBLEMS
    cell = CELLS[-1]
    runs = {f"./?run={run.id}": run for run in own.host.store.sweep(cell.sweep_id(sweep))}
    for row in listed["rows"]:
        [run] = row["runs"]
        assert row["outcome"] == ("right" if runs[run["address"]].correct else "wrong")


def test_two_points_are_compared_in_words(mine: httpx.Client, sweep: str) -> None:
    found = rows(shown(mine, sweep=sweep))
    names = [found["Beam search", 8]["id"], found["Greedy", 1]["id"]]
    said = shown(mine, sweep=sweep, compare=",".join(names))["compared"]
    assert said["titles"] == ["Beam search at N = 8", "Greedy at N = 1"]
    assert f"paired over {PROBLEMS} problems" in said["lines"][0]
    assert "exact McNemar p = " in said["lines"][0]  # one seed: each problem is right or wrong
    assert "8 of 10 experiments" in said["lines"][2]


def test_lines_that_are_tied_are_named(mine: httpx.Client, sweep: str) -> None:
    document = shown(mine, sweep=sweep, n=8)
    assert document["ties"].startswith(f"At N = 8, over {PROBLEMS} problems: ")
    assert all(name in document["ties"] for name in ("Beam search", "Best of N (vote)", "Greedy"))
    assert shown(mine, sweep=sweep, by="bin")["ties"] == ""


def test_guessed_difficulty_is_set_against_the_measured_one(mine: httpx.Client, sweep: str) -> None:
    [told] = mine.get("rte/scaling/guesses", params={"sweep": sweep}).json()["guesses"]
    assert sum(map(sum, told["counts"])) == PROBLEMS
    bars = shown(mine, sweep=sweep)["bars"]["data"]
    counts = {label.split(" (")[0]: int(label.split("(")[1][:-1]) for bar in bars for label in bar["x"]}
    assert {name: sum(row) for name, row in zip(told["bins"], told["counts"], strict=True) if sum(row)} == counts
    assert told["lines"][0].startswith("From 8 draws, ") and "kappa" in told["lines"][0]


def test_the_files_have_the_numbers(mine: httpx.Client, sweep: str) -> None:
    document = shown(mine, sweep=sweep)
    answer = mine.get("rte/scaling/points.csv", params={"sweep": sweep})
    assert answer.headers["content-disposition"] == 'attachment; filename="scaling-small.csv"'
    written = [row for row in csv.DictReader(io.StringIO(answer.text)) if row["kind"] == "measured"]
    told = {(row["line"], int(row["n"])): row for row in written}
    assert told.keys() == rows(document).keys()
    for key, row in rows(document).items():
        share = [100 * float(told[key][name]) for name in ("accuracy", "low", "high")]
        assert row["accuracy"] == "{:.1f} [{:.1f}, {:.1f}]".format(*share)
    page = mine.get("rte/scaling/figure.html", params={"sweep": sweep}).text
    [story] = re.findall(r'id="story">(.*?)</script>', page, re.DOTALL)
    assert json.loads(story)["curves"] == document["figure"]
    assert not re.search(r'(?:src|href)="(?!data:)', page.split("<script nonce")[0])


def test_published_numbers_are_marks_of_their_own(mine: httpx.Client, sweep: str) -> None:
    assert shown(mine, sweep=sweep)["published"] == []
    document = shown(mine, sweep=sweep, published="5-math-500")
    assert len(document["published"]) == 30
    [marks] = [line for line in document["figure"]["data"] if line["meta"] == "published"]
    assert (marks["xaxis"], marks["mode"]) == ("x2", "markers")
    assert measured_lines(document) == measured_lines(shown(mine, sweep=sweep))


@pytest.mark.parametrize(
    ("asked", "argument"),
    [
        ({"x": "cost"}, "x"), ({"by": "colour"}, "by"), ({"bin": "huge"}, "bin"), ({"rule": "best"}, "rule"),
        ({"n": "many"}, "n"), ({"envelope": "yes"}, "envelope"), ({"published": "9"}, "published"),
        ({"sweep": "nobody's"}, "sweep"),
    ],
)  # fmt: skip
def test_mistakes_are_told_at_their_field(mine: httpx.Client, sweep: str, asked: dict[str, str], argument: str) -> None:
    answer = mine.get("rte/scaling", params={"sweep": sweep} | asked)
    assert (answer.status_code, answer.json()["argument"]) == (422, argument)
    assert "\n" not in answer.json()["error"]


def test_on_a_public_server_others_sweeps_are_not_seen(public: Site) -> None:
    sweep = swept(public.host, name="mine", problems=2)
    with httpx.Client(base_url=public.url) as client:
        document = shown(client)
        assert (document["sweeps"], document["may_start"], document["form"]) == ([], False, None)
        assert client.get("rte/runs/choices").json()["sweep"] == []
        assert client.get("rte/runs", params={"sweep": sweep}).json()["total"] == 0
        for path in ("rte/scaling", *(f"rte/scaling/{name}" for name in ("points.csv", "figure.html", "guesses"))):
            assert client.get(path, params={"sweep": sweep}).status_code == 422
            assert client.get(path, params={"sweep": "mine"}).status_code == 422


ASKED = {
    "problems": "builtin-1000", "limit": 3, "models": ["builtin-xs"], "strategies": ["greedy", "beam_search"], "n": [4],
    "seeds": 1,
}  # fmt: skip


def test_a_sweep_is_planned_started_and_seen_on_the_page(own: Site, mine: httpx.Client) -> None:
    said = mine.post("rte/scaling/plan", json=ASKED).json()["says"]
    assert said.startswith("3 problems under 2 configurations: 6 runs")
    sweep = mine.post("rte/scaling/start", json=ASKED).json()["sweep"]
    until(lambda: mine.get("rte/scaling/progress").json()["running"] is None, 120)
    assert own.host.store.find_sweep(sweep).status == "done"
    assert {("Greedy", 1), ("Beam search", 4)} <= rows(shown(mine, sweep=sweep)).keys()


def test_one_sweep_runs_at_a_time_and_can_be_stopped(own: Site, mine: httpx.Client) -> None:
    started = mine.post("rte/scaling/start", json=ASKED | {"limit": 400, "n": [64]})
    assert started.status_code == 200, started.text
    sweep = started.json()["sweep"]
    refused = mine.post("rte/scaling/start", json=ASKED)
    assert (refused.status_code, refused.json()["argument"]) == (422, "sweep")
    assert mine.post("rte/scaling/stop", json={"sweep": sweep}).status_code == 200
    until(lambda: mine.get("rte/scaling/progress").json()["running"] is None, 60)
    assert own.host.store.find_sweep(sweep).status == "stopped"


def test_a_page_names_no_files(mine: httpx.Client) -> None:
    answer = mine.post("rte/scaling/plan", json=ASKED | {"problems": "/etc/passwd"})
    assert (answer.status_code, answer.json()["argument"]) == (422, "problems")


def test_nobody_starts_a_sweep_on_a_public_server(public: Site) -> None:
    with httpx.Client(base_url=public.url) as client:
        for what, body in (("plan", ASKED), ("start", ASKED), ("stop", {"sweep": "x"})):
            assert client.post(f"rte/scaling/{what}", json=body).status_code in (404, 405)
        assert client.get("rte/scaling/progress").status_code == 404

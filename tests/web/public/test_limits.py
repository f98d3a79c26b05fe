"""What a public server says of itself: its limits, and until when a run is kept."""

from __future__ import annotations

import re

import httpx
from support.owned_site import solved
from support.recorded import PROBLEM
from support.site import Site
from support.visitor import visiting

from engine.runs.question import Question
from engine.search.params import RunParams
from tts_ui.web.public import limits_words
from tts_ui.web.public.opening import Opening


def test_lists_say_until_when_a_run_is_kept(public: Site, owner: httpx.Client) -> None:
    together = public.host.compare(Question(PROBLEM), [RunParams("best_of_n", n=2), RunParams("greedy")])
    for running in together.runs:
        running.future.result(timeout=60)
        public.host.store.flush(running.id)
    first, second = (running.id for running in together.runs)
    week = r"kept until \d{4}-\d\d-\d\d \d\d:\d\d"

    def said(**asked: str) -> dict[str, str]:
        rows = owner.get("rte/runs", params={"kind": "comparisons", **asked}).json()["rows"]
        return {row["id"]: row["kept"] for row in rows}

    def told(other: str = second) -> str:
        with visiting(public.url, "reader", "compare") as page:
            return page.open(f"runs={first},{other}")

    runs = said(kind="", origin="search")
    assert re.fullmatch(week, runs[first]) and re.fullmatch(week, runs[second])
    assert set(said(kind="", origin="example").values()) == {""}
    (both,) = said().values()
    assert both == max(runs[first], runs[second])
    assert re.search(r"Kept until \d+ \w+ \d{4}, \d\d:\d\d UTC, and then removed", told())
    alone = solved(public)
    assert "ept until" in told(alone)
    public.host.store.describe(first, ("Keep",), None)
    runs = said(kind="", origin="search")  # the other stays, too: removed alone it would leave half a comparison
    assert runs[first] == runs[second] == "" and list(said().values()) == [""]
    assert "ept until" not in told()
    assert re.search(r"A: kept; B: kept until [^.]+ UTC\. Then they are removed\.", told(alone))


def test_the_limits_are_those_of_the_server(public: Site, anybody: httpx.Client) -> None:
    said = limits_words.page(limits_words.sections(public.host, Opening(keep_s=3600), signs_in=True))
    limits = public.host.limits
    for part in (f"{limits.max_n:,} completions", f"{limits.runs_at_once} runs", "1 hour after", "builtin-xs", "owner"):
        assert part in said
    assert "until you or the owner" in limits_words.page(limits_words.sections(public.host, Opening(), signs_in=False))
    page = anybody.get("limits").text
    assert "Limits and privacy" in page and "7 days after they ended" in page
    for path in ("", "compare", "scaling", "runs", "lab", "limits", "owner"):
        assert "./limits" in anybody.get(path).text

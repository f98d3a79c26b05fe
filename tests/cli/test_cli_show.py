"""How a run is drawn in the terminal: a run with every kind of mark and with texts that mean harm, in a real store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command_line import Cli

from engine.search.events import (
    Decision,
    Event,
    Grade,
    ModelInfo,
    RunFinished,
    RunStarted,
    StepSampled,
    StepScored,
    Usage,
)
from engine.search.selection import RULES
from engine.store import Store

POLICY, PRM = ModelInfo("policy-xs", 200_000, 512), ModelInfo("prm-xs", 700_000, 512)
RUN = "01hostile000000000"
MARKUP = "[bold red]2[/bold red] [/] [link=http://x]y[/link] :smile: {{7*7}} ${x} <script>alert(1)</script>"
LATEX = "Then $\\frac{1}{2} + \\frac{1}{2} = 1$. \\boxed{1}"
STEERING = "\x1b[31mred\x1b[0m \x07\x08 \u202eback"
PROBLEM = f"Add the halves {MARKUP}\nsecond line"


def log() -> list[Event]:
    rank = {"of": 16.0, "k": 4.0, "cut_off": 0.44}
    return [
        RunStarted(
            RUN, "2026-01-02T03:04:05.678+00:00", PROBLEM, "1", "beam_search",
            {"n": 16, "width": 4, "select": "prm_last_vote", "temperature": 0.8, "seed": 0}, POLICY, PRM,
        ),
        StepSampled(1, 1, 0, 1, f"{MARKUP}\n\n", (1,), 5, -1.0, "step", copies=3),
        StepSampled(2, 2, 0, 1, f"{STEERING}\n\n", (2,), 5, -2.0, "step"),
        StepSampled(3, 3, 0, 1, "\U0001f9ee not scored\n\n", (3,), 5, -2.0, "step"),
        StepScored(4, 1, PRM.name, 0.93),
        StepScored(5, 2, PRM.name, 0.31),
        Decision(6, 1, "keep", "rank", rank | {"rank": 1.0, "score": 0.93}),
        Decision(7, 2, "prune", "rank", rank | {"rank": 9.0, "score": 0.31}),
        StepSampled(8, 4, 1, 2, LATEX, (4,), 9, -1.0, "eos", copies=2, answer="1"),
        StepScored(9, 4, PRM.name, 0.97),
        Decision(10, 4, "finish", "eos"),
        Decision(11, 4, "choose", "rule", {"weight": 1.94, "votes": 2.0, "of": 2.0, "score": 0.97}),
        RunFinished("done", None, "1", True, "string", None, {"1": Grade("1", True, "string")}),
    ]  # fmt: skip


@pytest.fixture
def recorded(db: Path) -> Path:
    with Store.open(str(db)) as store:
        store.record(log(), Usage(1240, 20, 0, 1310, 0, 3, 3, 5e8, 9e8, 0.4), RUN)
    return db


def test_the_tree_says_score_status_reason_and_copies(tts_ui: Cli, recorded: Path) -> None:
    lines = tts_ui("show", "01h", "--db", recorded).out.splitlines()

    def step(number: int) -> str:
        return next(line for line in lines if f"#{number} " in line)

    assert "▶ #1  0.93  kept: rank 1 of 16, 4 survive  x3" in step(1)
    assert "○ #2  0.31  pruned: rank 9 of 16, cut-off 0.44" in step(2)
    assert "● #3  n/a  open" in step(3)
    assert "★ #4  0.97  finished; chosen: 2 of 2 votes, weight 1.94  x2  answer 1 correct" in step(4)
    assert step(4).index("#4") > step(1).index("#1")  # deeper
    assert "Answer 1  correct  2 of 2 votes, weight 1.94 (prm_last_vote)" in lines
    assert lines[-2].startswith("1,240 tokens | PRM 1,310 | ") and lines[-2].endswith(" | 0.4 s")
    assert lines[-1].startswith("the same FLOPs give ") and "Llama-3.1-405B" in lines[-1]


def test_texts_are_shown_and_never_obeyed(tts_ui: Cli, recorded: Path) -> None:
    drawn = tts_ui("show", RUN, "--db", recorded).out
    assert drawn.count(MARKUP) == 2  # the problem and a step
    assert LATEX in drawn
    assert "\u241b[31mred\u241b[0m \u2407\u2408 \ufffdback" in drawn
    assert not {"\x1b", "\x07", "\x08", "\u202e"} & set(drawn)
    listed = tts_ui("runs", "--db", recorded).out
    assert "[bold red]2[/bold red]" in listed and RUN in listed


def test_exports_carry_the_texts_unchanged(tts_ui: Cli, recorded: Path) -> None:
    document = json.loads(tts_ui("export", RUN, "--db", recorded).out)
    assert [node["text"] for node in document["nodes"]] == [
        PROBLEM, f"{MARKUP}\n\n", f"{STEERING}\n\n", "\U0001f9ee not scored\n\n", LATEX
    ]  # fmt: skip


def test_colour_is_only_for_terminals_and_never_alone(
    tts_ui: Cli, recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tts_ui("show", RUN, "--db", recorded).out
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.setenv("TERM", "xterm-256color")
    coloured = tts_ui("show", RUN, "--db", recorded).out
    assert "\x1b[" in coloured and "0.93" in coloured
    assert "\x1b[31mred" not in coloured
    assert "rank 9 of 16, cut-off 0.44" in plain


def test_a_long_chain_keeps_room_for_its_text(tts_ui: Cli, db: Path) -> None:
    events: list[Event] = [log()[0]]
    for depth in range(1, 61):
        events.append(StepSampled(depth, depth, depth - 1, depth, f"step number {depth}\n\n", None, 4, None, "step"))
    with Store.open(str(db)) as store:
        store.record([*events, RunFinished("stopped")], Usage(), RUN)
    drawn = tts_ui("show", RUN, "--db", db)
    assert drawn.code == 0
    assert all(f"step number {depth}" in drawn.out for depth in range(1, 61))
    assert "No answer  stopped" in drawn.out


def test_an_empty_history_says_what_to_do(tts_ui: Cli, db: Path) -> None:
    assert tts_ui("runs", "--db", db).out == "no runs yet: `tts-ui solve PROBLEM` records one\n"
    assert json.loads(tts_ui("runs", "--json", "--db", db).out)["runs"] == []


def test_an_output_file_that_cannot_be_written(tts_ui: Cli, recorded: Path, tmp_path: Path) -> None:
    outcome = tts_ui("export", RUN, "-o", tmp_path / "no" / "such.json", "--db", recorded)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("tts-ui: -o: ")


def test_every_rule_is_read_at_no_cost_where_its_numbers_were_recorded(tts_ui: Cli, recorded: Path) -> None:
    shown = tts_ui("show", RUN, "--rules", "--db", recorded).out
    assert shown.startswith(tts_ui("show", RUN, "--db", recorded).out)
    rows = {line.split()[0]: line for line in shown.splitlines() if line.split()[:1] and line.split()[0] in RULES}
    assert list(rows) == list(RULES)
    assert rows["prm_last_vote"].split()[1:6] == ["(this", "run's)", "1", "correct", "1.94"]
    assert rows["majority_vote"].split()[1:4] == ["1", "correct", "2"]
    for name, rule in RULES.items():
        assert ("not recorded" in rows[name]) == rule.asks_policy

"""A search in sentences: every event is in one of them, and their numbers are the log's."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from support.finished_runs import Finished, Solve

from engine.search.events import Decision, Event, RunFinished, RunStarted, StepSampled, StepScored
from tts_ui.words.moments import Moment, Moments
from tts_ui.words.numbers import score

STRATEGIES = (
    "greedy", "best_of_n", "beam_search", "dvts", "lookahead", "mcts", "compute_optimal", "vg_search",
    "particle_filtering",
)  # fmt: skip


def moments(events: list[Event]) -> list[Moment]:
    reader = Moments()
    for event in events:
        reader.take(event)
    return reader.due()


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events if not isinstance(event, RunStarted | RunFinished)]


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_event_is_in_one_moment_and_in_order(solved: Solve, strategy: str) -> None:
    run = solved(strategy)
    told = moments(run.events)
    covered = [seq for moment in told for seq in range(moment.first, moment.last + 1)]
    assert covered == seqs(run.events)
    assert all(moment.says and moment.says == moment.says.strip() for moment in told)
    assert told[-1].says.startswith("chosen: ")


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_what_is_told_while_it_grows_ends_the_same(solved: Solve, strategy: str) -> None:
    events = solved(strategy).events
    reader, last = Moments(), dict[int, Moment]()
    for event in events:
        reader.take(event)
        last |= {moment.first: moment for moment in reader.due()}
    assert list(last.values()) == moments(events)


@pytest.mark.parametrize("strategy", ["beam_search", "best_of_n", "mcts"])
def test_tokens_of_the_last_moment_are_the_bill(solved: Solve, strategy: str) -> None:
    run = solved(strategy)
    assert moments(run.events)[-1].tokens == run.record.usage.generated_tokens


def ranked(run: Finished) -> list[list[Decision]]:
    """The decisions of each ranking, by the place of their first."""
    groups: list[list[Decision]] = []
    before: Event | None = None
    for event in run.events:
        if isinstance(event, Decision) and event.reason == "rank":
            if not (isinstance(before, Decision) and before.reason == "rank"):
                groups.append([])
            groups[-1].append(event)
        before = event
    return groups


def test_a_ranking_is_told_with_its_numbers(solved: Solve) -> None:
    run = solved("beam_search")
    told = {moment.first: moment.says for moment in moments(run.events)}
    assert ranked(run)
    for decisions in ranked(run):
        kept = [d for d in decisions if d.action == "keep"]
        cut_off = score(min(d.numbers["score"] for d in kept))
        found = re.fullmatch(
            r"level (\d+): (\d+) judged, (\d+) slots?, cut-off ([\d.]+): (\w+) kept, (\w+) pruned",
            told[decisions[0].seq],
        )
        assert found, told[decisions[0].seq]
        level, judged, slots, cut, stay, go = found.groups()
        assert int(level) == run.tree[decisions[0].node].depth
        assert (int(judged), int(slots), cut) == (len(decisions), decisions[0].numbers["k"], cut_off)
        assert (int(stay), go) == (len(kept), str(len(decisions) - len(kept) or "none"))


def test_draws_and_scores_are_counted(solved: Solve) -> None:
    run = solved("beam_search")
    told = {moment.first: moment.says for moment in moments(run.events)}
    first = [event for event in run.events if isinstance(event, StepSampled) and event.depth == 1]
    said = told[first[0].seq]
    assert said.startswith("level 1: 16 ")
    scored = [event.value for event in run.events if isinstance(event, StepScored)][: len(first)]
    assert f"{len(first)} judged" in told[first[-1].seq + 1]
    assert score(min(scored)) in told[first[-1].seq + 1]


def test_completions_add_up(solved: Solve) -> None:
    for strategy in ("best_of_n", "beam_search", "mcts"):
        run = solved(strategy)
        said = [moment.says for moment in moments(run.events)]
        counts = [
            int(found) for says in said for found in re.findall(r"(?<!its )\b(\d+) completions?(?: so far|$)", says)
        ]
        assert counts == sorted(counts)
        assert counts[-1] == sum(leaf.copies for leaf in run.tree.completions())


def test_iterations_of_mcts_are_told_in_turn(solved: Solve) -> None:
    run = solved("mcts")
    told = moments(run.events)
    iterations = [moment.level for moment in told]
    assert iterations == sorted(iterations) and iterations[-1] > 3
    backups = [moment for moment in told if "backed up" in moment.says]
    assert [moment.level for moment in backups] == list(range(1, len(backups) + 1))
    assert any("down to level" in moment.says and "exploration" in moment.says for moment in told)
    assert any("ahead, to level" in moment.says for moment in told)


def test_a_run_that_was_stopped_says_so(solved: Solve) -> None:
    run = solved("beam_search")
    end = run.events[-1]
    assert isinstance(end, RunFinished)
    told = moments([*run.events[:9], replace(end, status="stopped")])
    assert told[-1].says.endswith("; then the run was stopped")
    assert [moment.first for moment in told] == [moment.first for moment in moments(run.events[:9])]


def test_scores_that_came_later_are_a_moment_of_their_own(solved: Solve) -> None:
    run = solved("beam_search")
    last = seqs(run.events)[-1]
    added = [
        StepScored(last + 1, 1, "another", 0.5, scoring="s"),
        StepScored(last + 2, 2, "another", 0.75, scoring="s"),
    ]
    told = moments([*run.events, *added])[-1]
    assert (told.first, told.last) == (last + 1, last + 2)
    assert told.says == "added after the end: 2 judged, scores 0.50 to 0.75"

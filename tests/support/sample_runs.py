"""Event logs shaped like a search's, with every kind of event."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace

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
from engine.store import Store

#: Starts a Python process with this source and these arguments.
Script = Callable[..., "subprocess.Popen[str]"]

POLICY = ModelInfo("built-in", 520_000, 512, "sha256:1", "float32", "cpu", "plain")
SCORER = ModelInfo("built-in-prm", 72_000_000_000, 512)
PARAMS = {"n": 4, "width": 2, "select": "prm_last_vote", "temperature": 0.8, "seed": 0, "finished": "bank"}


def started(run_id: str, problem: str = "What is 3 + 4?", scorer: ModelInfo | None = SCORER) -> RunStarted:
    return RunStarted(run_id, "2026-01-02T03:04:05.678Z", problem, "7", "beam_search", PARAMS, POLICY, scorer)


def levels(run_id: str, count: int | None = None, seed: int = 1) -> Iterator[list[Event]]:
    """`RunStarted`, then a round a level: steps, a raise of copies, scores and decisions. Endless without `count`."""
    draw = random.Random(seed)
    yield [started(run_id)]
    seq, node, parent, level = 0, 0, 0, 0
    while count is None or level < count:
        first, steps, scores, level = node + 1, [], [], level + 1
        for _ in range(3):
            seq, node = seq + 1, node + 1
            ids = tuple(draw.randrange(512) for _ in range(5))
            steps.append(StepSampled(seq, node, parent, level, f"step {node}\n\n", ids, 5, -draw.random(), "step"))
        seq += 1
        steps.append(replace(steps[0], seq=seq, copies=2))
        for scored in range(first, node + 1):
            seq += 1
            critique = f"Step {scored}: it <b>adds</b> up.\n\nYes" if scored % 3 == 0 else None
            scores.append(StepScored(seq, scored, SCORER.name, draw.random(), critique=critique))
        numbers = {"rank": 1, "of": 3, "k": 1, "cut_off": draw.random(), "score": 0.5}
        decisions = [
            Decision(seq + 1, first, "keep", "rank", numbers),
            Decision(seq + 2, node, "prune", "rank", numbers),
        ]
        seq, parent = seq + 2, first
        yield [*steps, *scores, *decisions]


def ending(log: list[Event], answer: str = "7") -> list[Event]:
    """A last round: a completion below the root that answers, and the end of the run."""
    node = 1 + max(event.node for event in log if isinstance(event, StepSampled))
    seq = max(event.seq for event in log if not isinstance(event, RunFinished))
    return [
        StepSampled(seq + 1, node, 0, 1, f"\\boxed{{{answer}}}", None, 4, None, "eos", 2, "policy", answer),
        StepScored(seq + 2, node, SCORER.name, 0.75),
        Decision(seq + 3, node, "finish", "eos"),
        Decision(seq + 4, node, "choose", "rule", {"weight": 1.5, "votes": 2, "of": 2, "score": 0.75}),
        RunFinished("done", None, answer, True, "exact", None, {answer: Grade(answer, True, "exact")}),
    ]


def whole_run(run_id: str, count: int = 4, seed: int = 1) -> list[list[Event]]:
    rounds = list(levels(run_id, count, seed))
    return [*rounds, ending([event for part in rounds for event in part])]


def flat(rounds: list[list[Event]]) -> list[Event]:
    return [event for part in rounds for event in part]


def record_all(store: Store, run_id: str, rounds: list[list[Event]]) -> None:
    for number, events in enumerate(rounds):
        store.record(events, Usage(generated_tokens=10 * number, flops_all=1.5 * number), run_id)

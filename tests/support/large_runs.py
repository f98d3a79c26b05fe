"""Runs as large as a test wants them, shaped like a wide search: most steps are pruned, some lines go on to the end."""

from __future__ import annotations

import random
from collections.abc import Iterator

from support.sample_runs import SCORER, started

from engine.search.events import Decision, Event, Grade, RunFinished, StepSampled, StepScored


def large_run(run_id: str, nodes: int, seed: int = 1) -> list[Event]:
    """Levels of up to 240 steps, of which each sixth goes on; sentences as models write them."""
    return list(_events(run_id, nodes, random.Random(seed)))


def _events(run_id: str, nodes: int, draw: random.Random) -> Iterator[Event]:
    yield started(run_id, "A shop sells 240 pens in March and half as many more in April. How many does it sell?")
    seq, node, depth, open_steps = 0, 0, 0, [0]
    while node < nodes:
        depth, born = depth + 1, []
        for parent in open_steps:
            for _ in range(min(max(6, 240 // len(open_steps)), nodes - node)):
                seq, node = seq + 2, node + 1
                text = f"Step {depth}: We add {draw.randrange(900)} and {draw.randrange(900)} and keep the sum.\n\n"
                yield StepSampled(seq - 1, node, parent, depth, text, None, 21, -4 * draw.random(), "step")
                yield StepScored(seq, node, SCORER.name, draw.random())
                born.append(node)
        kept = set(draw.sample(born, max(1, len(born) // 6)))
        for rank, step in enumerate(born, start=1):
            seq += 1
            numbers = {"rank": rank, "of": len(born), "k": len(kept), "cut_off": 0.8, "score": 0.5}
            yield Decision(seq, step, "keep" if step in kept else "prune", "rank", numbers)
        open_steps = sorted(kept)
    leaf = node + 1
    yield StepSampled(seq + 1, leaf, open_steps[0], depth + 1, "So \\boxed{7}.", None, 4, -0.1, "eos", 2, answer="7")
    yield StepScored(seq + 2, leaf, SCORER.name, 0.9)
    yield Decision(seq + 3, leaf, "finish", "eos")
    yield Decision(seq + 4, leaf, "choose", "rule", {"weight": 1.8, "votes": 2, "of": 2, "score": 0.9})
    yield RunFinished("done", None, "7", True, "exact", None, {"7": Grade("7", True, "exact")})

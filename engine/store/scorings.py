"""Scores that come after the end: a scoring adds a judge's scores to a run that is over, with a bill of its own.

What the run was decided on stays as it was: a scoring never adds to the scores of the judge that decided the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select

from engine.errors import InvalidInput
from engine.search.events import StepScored
from engine.store.queries import last_seq
from engine.store.records import SCORED, SCORING, ScoringRecord
from engine.store.tables import nodes, runs, scores, scorings


def add(connection: Connection, scoring: ScoringRecord, added: Sequence[StepScored]) -> None:
    """Write a scoring; the seqs of its scores follow the run's last. Raises `InvalidInput` where it does not fit."""
    _check_run(connection, scoring)
    _check_scores(connection, scoring, added)
    first = 1 + last_seq(connection, scoring.run_id)
    numbered = [replace(score, seq=seq, scoring=scoring.id) for seq, score in enumerate(added, first)]
    connection.execute(insert(scorings), SCORING.values(scoring))
    if numbered:
        connection.execute(insert(scores), [{"run_id": scoring.run_id, **SCORED.values(score)} for score in numbered])


def _check_run(connection: Connection, scoring: ScoringRecord) -> None:
    asked = select(runs.c.status, runs.c.scorer).where(runs.c.id == scoring.run_id)
    run = connection.execute(asked.with_for_update()).first()  # of two scorings at once, one numbers its scores first
    if run is None:
        raise InvalidInput("run", f"no run has the id {scoring.run_id!r}")
    if run.status == "running":
        raise InvalidInput("run", f"run {scoring.run_id} is still running; add scores when it has ended")
    if run.scorer == scoring.scorer.name:
        raise InvalidInput("scorer", f"run {scoring.run_id} was decided on {run.scorer}; add another judge's scores")


def _check_scores(connection: Connection, scoring: ScoringRecord, added: Sequence[StepScored]) -> None:
    name = scoring.scorer.name
    of_run = scores.c.run_id == scoring.run_id
    last = connection.execute(select(func.max(nodes.c.id)).where(nodes.c.run_id == scoring.run_id)).scalar_one()
    judged = set(connection.execute(select(scores.c.node).where(of_run, scores.c.scorer == name)).scalars())
    for score in added:
        if (score.scorer, score.kind) != (name, scoring.kind):
            given = f"{score.kind} by {score.scorer}"
            raise InvalidInput("scores", f"a score of node {score.node} is {given}, not {scoring.kind} by {name}")
        if not 0 <= score.node <= last:
            raise InvalidInput("scores", f"run {scoring.run_id} has no node {score.node}")
        if score.node in judged:
            raise InvalidInput("scores", f"node {score.node} of run {scoring.run_id} already has a score by {name}")
        judged.add(score.node)

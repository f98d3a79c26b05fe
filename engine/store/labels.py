"""Labels that a person gives to the steps of a run that is over: -1 wrong, 0 neutral, +1 right.

They are scores of kind `human` by the judge `labels: NAME`, in a scoring of their own that costs nothing, so that every
reader of scores reads them. Unlike other scores they may be revised and taken back: people change their minds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from sqlalchemy import Connection, delete, func, insert, select

from engine.errors import InvalidInput
from engine.search.events import ModelInfo, StepScored, Usage
from engine.store.ids import new_run_id
from engine.store.queries import last_seq
from engine.store.records import SCORED, SCORING, ScoringRecord
from engine.store.shapes import clean
from engine.store.tables import nodes, runs, scores, scorings

#: What the judge that stands for a labeller is called before the labeller's name.
PREFIX = "labels: "
LONGEST_NAME = 60

#: The score that a rating is kept as, so that every reader of scores can use it.
VALUES: Mapping[int, float] = {-1: 0.0, 0: 0.5, 1: 1.0}


def judge_of(labeller: str) -> str:
    """The judge that stands for a person. Raises `InvalidInput("labeller", ...)`."""
    name = " ".join(clean(labeller).split())
    if not name or len(name) > LONGEST_NAME:
        raise InvalidInput("labeller", f"give a name of 1 to {LONGEST_NAME} characters; it stands with the labels")
    return PREFIX + name


def labeller_of(judge: str) -> str:
    """The person that a judge stands for; the judge's own name where labels came with a file."""
    return judge.removeprefix(PREFIX)


def rating_of(value: float) -> int:
    """The rating that a score of kind `human` stands for: -1, 0 or +1, whichever is nearest."""
    return min(VALUES, key=lambda rating: abs(VALUES[rating] - value))


def put(connection: Connection, run_id: str, labeller: str, ratings: Mapping[int, int | None]) -> None:
    """Give steps these ratings in place of what the labeller had said of them; None takes a label back.

    Raises `InvalidInput`, and changes nothing, for a run that is not there or still running, a step that it has not, or
    a rating that is none.
    """
    judge = judge_of(labeller)
    _check(connection, run_id, judge, ratings)
    scoring_id = _scoring(connection, run_id, judge)
    of_judge = (scores.c.run_id == run_id, scores.c.scorer == judge)
    first = 1 + last_seq(connection, run_id)  # before anything goes: who reads on from the last seq hears of all
    connection.execute(delete(scores).where(*of_judge, scores.c.node.in_(list(ratings))))
    given = {node: VALUES[rating] for node, rating in ratings.items() if rating is not None}
    if given:
        labels = [
            StepScored(first + place, node, judge, value, "human", scoring=scoring_id)
            for place, (node, value) in enumerate(given.items())
        ]
        connection.execute(insert(scores), [{"run_id": run_id, **SCORED.values(label)} for label in labels])
    elif connection.execute(select(scores.c.node).where(*of_judge).limit(1)).first() is None:
        connection.execute(delete(scorings).where(scorings.c.id == scoring_id))


def _check(connection: Connection, run_id: str, judge: str, ratings: Mapping[int, int | None]) -> None:
    asked = select(runs.c.status, runs.c.scorer).where(runs.c.id == run_id, runs.c.deleted_at.is_(None))
    run = connection.execute(asked.with_for_update()).first()
    if run is None:
        raise InvalidInput("run", f"no run has the id {run_id[:80]!r}")
    if run.status == "running":
        raise InvalidInput("run", "the run is still going on; label its steps when it has ended")
    if run.scorer == judge:
        raise InvalidInput("labeller", f"the labels of {labeller_of(judge)} came with the run; take another name")
    last = connection.execute(select(func.max(nodes.c.id)).where(nodes.c.run_id == run_id)).scalar_one()
    for node, rating in ratings.items():
        if not 1 <= node <= last:
            raise InvalidInput("node", f"run {run_id} has no step {node}; select one of its {last}")
        if rating is not None and rating not in VALUES:
            raise InvalidInput("rating", f"{rating} is no rating; give -1 (wrong), 0 (neutral) or 1 (right)")


def _scoring(connection: Connection, run_id: str, judge: str) -> str:
    """The scoring that holds the labeller's labels of this run; a new one where there is none."""
    mine = (scorings.c.run_id == run_id, scorings.c.scorer == judge, scorings.c.kind == "human")
    if known := connection.execute(select(scorings.c.id).where(*mine)).scalar():
        return str(known)
    if connection.execute(
        select(scores.c.node).where(scores.c.run_id == run_id, scores.c.scorer == judge).limit(1)
    ).first():
        raise InvalidInput("labeller", f"{judge!r} has scored this run already, and not by hand; take another name")
    created_at = datetime.now(UTC).isoformat(timespec="milliseconds")
    scoring = ScoringRecord(new_run_id(), run_id, ModelInfo(judge, 0, 0), "human", created_at, Usage())
    connection.execute(insert(scorings), SCORING.values(scoring))
    return scoring.id

"""`python -m benchmarks.contrast --large FOLDER --small FOLDER --db FILE [--labels FILE]`: read, then print the tables.

`--db` is a copy of the store of `make real`, whose best-of-N runs are elected from anew; `--labels` a file in
ProcessBench's form. What the models say is kept in `--kept`, so that an interrupted run resumes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import engine.models  # noqa: F401  first: it says how torch's threads wait, before torch loads
from benchmarks.contrast.electing import election
from benchmarks.contrast.finding import first_errors
from benchmarks.contrast.reading import Kept, Read, solution
from engine.models.catalogue.catalogue import SCORERS, ModelEntry
from engine.models.scorers.contrast import ContrastScorer
from engine.runs.lab.cases import Case
from engine.search.tree import Tree
from engine.store import RunRecord, Store

#: Labelled solutions that are read, evenly spread over the file.
CASES = 50


async def read(
    runs: Sequence[tuple[RunRecord, Tree]], cases: Sequence[Case], kept: Kept, scorer: ContrastScorer
) -> tuple[list[Read], list[Read]]:
    solutions = [await kept.of(case.id, solution(case.problem, case.steps), scorer) for case in cases]
    trees = [await kept.of(record.id, tree, scorer) for record, tree in runs]
    return trees, solutions


def recorded(url: str) -> list[tuple[RunRecord, Tree]]:
    """The best-of-N runs of a store that ended, each with its tree."""
    with Store.reading(url) as store:
        found = [run.id for run in store.runs(limit=10_000) if run.strategy == "best_of_n" and run.status == "done"]
        return [(record, Tree.from_events(events)) for record, events in map(store.read, sorted(found))]


def labelled(file: Path) -> list[Case]:
    rows = json.loads(file.read_text(encoding="utf-8"))
    chosen = rows[:: max(1, len(rows) // CASES)][:CASES]
    return [Case(row["id"], row["problem"], tuple(row["steps"]), int(row["label"])) for row in chosen]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.contrast", description=__doc__)
    parser.add_argument("--large", type=Path, required=True, help="a folder with a causal language model")
    parser.add_argument("--small", type=Path, required=True, help="a folder with a smaller one")
    parser.add_argument("--db", required=True, help="a store with best-of-N runs of problems with known answers")
    parser.add_argument("--labels", type=Path, help="labelled solutions in ProcessBench's form")
    parser.add_argument("--kept", type=Path, default=Path(".real/contrast.jsonl"), help="what was read, to resume")
    asked = parser.parse_args(arguments)
    asked.kept.parent.mkdir(parents=True, exist_ok=True)
    runs, cases = recorded(asked.db), labelled(asked.labels) if asked.labels else []
    entry = ModelEntry(kind="likelihood", path=str(asked.large), contrast=str(asked.small))
    scorer = SCORERS["likelihood"].load(entry, asked.large.resolve(), asked.small.resolve())
    assert isinstance(scorer, ContrastScorer)
    try:
        trees, solutions = asyncio.run(read(runs, cases, Kept(asked.kept), scorer))
    finally:
        scorer.close()
    print(election(runs, trees))
    if cases:
        print(first_errors(cases, solutions))


if __name__ == "__main__":
    main()

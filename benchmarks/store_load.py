"""`python -m benchmarks.store_load [--runs N] [--db URL]`: a store of a hundred thousand runs and five million nodes.

Twelve real searches of the built-in models are recorded over and over under new ids, through the same door as live
ones. Compared with it: the driver's own `executemany` of the very rows that this wrote, into the same tables on the
same server, in transactions of as many runs. Then the store is full, and the pages' queries are timed.

Without `--db` it is a SQLite file in a folder of its own; a database that is named must be empty.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table as Shown
from sqlalchemy import Connection, Engine, Table, create_engine, func, select, text

from benchmarks.report import Figure
from engine.domains import Domains
from engine.domains.builtin.problems import examples
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.question import Question
from engine.runs.run import Run
from engine.runs.sweeps.cells import Cell
from engine.runs.sweeps.measured import measured
from engine.runs.sweeps.outcomes import Finished, outcomes
from engine.search.events import Event, RunStarted, Usage
from engine.search.params import RunParams
from engine.store import Store
from engine.store.ids import new_run_id
from engine.store.listing import Wanted
from engine.store.sweep_records import OutcomeRecord
from engine.store.tables import metadata

RUNS = 100_000
#: Runs handed over before the store is asked whether they are written: so many may be in memory at once.
AT_ONCE = 200
#: Runs whose rows are written a second time by the driver alone.
COMPARED = 4_000
#: Each query is timed so often; the median is told.
TIMES = 9


@dataclass(frozen=True, slots=True)
class Template:
    events: tuple[Event, ...]
    usage: Usage
    cell: Cell
    outcomes: tuple[OutcomeRecord, ...]

    def again(self, number: int) -> tuple[str, list[Event], list[OutcomeRecord]]:
        """The same search under a new id, a minute after the one before it, and what it came to."""
        run_id, (first, *rest) = new_run_id(), self.events
        assert isinstance(first, RunStarted)
        made = (datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=number)).isoformat(timespec="milliseconds")
        begun = replace(
            first, run_id=run_id, created_at=made.replace("+00:00", "Z"), sweep_id=self.cell.sweep_id("load")
        )
        return run_id, [begun, *rest], [replace(outcome, run_id=run_id) for outcome in self.outcomes]


def templates() -> list[Template]:
    """Three strategies on four problems, searched once."""
    domains, catalogue = Domains(), Catalogue()
    models, found = catalogue.load(), []
    for problem in examples()[:4]:
        for strategy, n in (("best_of_n", 16), ("beam_search", 32), ("dvts", 32)):
            events: list[Event] = []
            usage: list[Usage] = []

            def keep(
                some: Sequence[Event], spent: Usage, events: list[Event] = events, usage: list[Usage] = usage
            ) -> None:
                events.extend(some)
                usage.append(spent)

            params = RunParams(strategy, n=n, width=4, temperature=1.4)
            question = Question(problem.text, problem.answer)
            run = Run(new_run_id(), question, params, models.policy, models.scorer, domains["maths"], keep)
            asyncio.run(run.execute())
            found.append(Template(tuple(events), usage[-1], Cell("builtin-xs", params), ()))
    catalogue.close()
    domains.close()
    return [replace(template, outcomes=tuple(read(template))) for template in found]


def read(template: Template) -> list[OutcomeRecord]:
    """What the search came to, as a sweep would read it from its tree."""
    run_id, events, _ = template.again(0)
    with tempfile.TemporaryDirectory() as folder, Store.open(f"sqlite:///{Path(folder) / 'one.db'}") as store:
        store.record(events, template.usage, run_id)
        store.flush()
        return outcomes(Finished.of(store.run(run_id)), store.tree(run_id), "load")


def fill(store: Store, searched: Sequence[Template], numbers: range) -> float:
    """Record these runs; the seconds it took until all of it was written."""
    start = time.perf_counter()
    for number in numbers:
        template = searched[number % len(searched)]
        run_id, events, came_to = template.again(number)
        store.record(events, template.usage, run_id, outcomes=came_to)
        if number % AT_ONCE == AT_ONCE - 1:
            store.flush()
    store.flush()
    return time.perf_counter() - start


def batches(engine: Engine, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        result = connection.execute(select(table))
        while rows := result.fetchmany(20_000):
            yield [
                tuple(json.dumps(value) if isinstance(value, dict | list) else value for value in row) for row in rows
            ]


def by_the_driver(rows: dict[str, list[list[tuple[Any, ...]]]], engine: Engine) -> float:
    """Seconds in which the driver's `executemany` writes these rows into empty tables."""
    metadata.create_all(engine)
    paramstyle = "?" if engine.dialect.name == "sqlite" else "%s"
    spent = 0.0
    for table in metadata.sorted_tables:
        marks = ", ".join(paramstyle for _ in table.columns)
        names = ", ".join(f'"{column.name}"' for column in table.columns)
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"
        for batch in rows.get(table.name, ()):
            with engine.begin() as connection:
                cursor = connection.connection.cursor()
                start = time.perf_counter()
                cursor.executemany(statement, batch)
                connection.connection.commit()
                spent += time.perf_counter() - start
    return spent


def timed(query: Callable[[], object], times: int = TIMES) -> str:
    took = []
    for _ in range(times):
        start = time.perf_counter()
        query()
        took.append(time.perf_counter() - start)
    return f"{1000 * statistics.median(took):.0f} ms (most {1000 * max(took):.0f})"


def size(connection: Connection) -> int:
    if connection.dialect.name == "sqlite":
        return int(
            connection.execute(
                text("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            ).scalar_one()
        )
    return int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())


def measure(url: str, runs: int, raw: str) -> list[Figure]:
    """`raw` is an empty database of the same kind, for the driver alone."""
    searched = templates()
    with Store.open(url) as store:
        engine = create_engine(store.url)
        compared = min(COMPARED, runs)
        fill(store, searched, range(AT_ONCE))  # both sides write into tables that are warm
        ours = fill(store, searched, range(AT_ONCE, AT_ONCE + compared))
        rows = {table.name: list(batches(engine, table)) for table in metadata.sorted_tables}
        count = sum(len(batch) for each in rows.values() for batch in each) * compared / (compared + AT_ONCE)
        theirs = by_the_driver(rows, create_engine(raw)) * compared / (compared + AT_ONCE)
        rows.clear()
        filled = fill(store, searched, range(AT_ONCE + compared, runs))
        with engine.connect() as connection:
            counted = {
                table.name: connection.execute(select(func.count()).select_from(table)).scalar_one()
                for table in metadata.sorted_tables
            }
            bytes_ = size(connection)
        nodes = counted["nodes"]
        figures = [
            Figure("runs, nodes", f"{counted['runs']:,}, {nodes:,}"),
            Figure("rows", f"{sum(counted.values()):,}"),
            Figure("bytes a node, everything counted", f"{bytes_ / nodes:.0f}"),
            Figure("rows a second, recorded", f"{count / ours:,.0f}"),
            Figure("rows a second, the driver alone", f"{count / theirs:,.0f}"),
            Figure("recorded / driver alone", f"{theirs / ours:.2f}", ">= 0.5"),
            Figure(
                "runs a second while it filled", f"{(runs - AT_ONCE - compared) / filled:,.0f}" if filled > 1 else "n/a"
            ),
        ]
        pages = {
            "newest": Wanted(), "of one strategy, by tokens": Wanted(strategy="dvts", order="tokens"),
            "wrong ones": Wanted(outcome="wrong"), "a text": Wanted(search="apples"),
        }  # fmt: skip
        for name, wanted in pages.items():
            figures.append(Figure(f"a page of runs: {name}", timed(partial(store.listed, wanted, 50))))
            figures.append(Figure(f"how many: {name}", timed(partial(store.count, wanted))))
        figures.append(Figure("what sweeps measured, as the scaling page asks", timed(lambda: measured(store), 3)))
        figures.append(Figure("one run's tree", timed(lambda: store.tree(store.runs(limit=1, offset=runs // 2)[0].id))))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser("python -m benchmarks.store_load", description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--db", help="an empty database; default: a SQLite file in a folder of its own")
    parser.add_argument("--raw", help="another empty one of the same kind, for the driver alone")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url, raw = (
            asked.db or f"sqlite:///{Path(folder) / 'runs.db'}",
            asked.raw or f"sqlite:///{Path(folder) / 'raw.db'}",
        )
        shown = Shown("figure", "measured", "goal")
        for figure in measure(url, asked.runs, raw):
            shown.add_row(figure.name, figure.value, figure.goal)
        Console().print(shown)


if __name__ == "__main__":
    main()

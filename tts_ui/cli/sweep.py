"""`tts-ui sweep`: plan a sweep, run it with its progress, and print what it measured."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bars
from rich.table import Table

from engine.domains import Domains
from engine.errors import InvalidInput, NoDatabase
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.runs.problem_sets import columns_given
from engine.runs.sweeps.curves import grouped
from engine.runs.sweeps.declared import Declared, toml
from engine.runs.sweeps.measured import measured
from engine.runs.sweeps.on_ray import Cluster, connected
from engine.runs.sweeps.outcomes import fill_in
from engine.runs.sweeps.plan import Plan, new_plan, resumed
from engine.runs.sweeps.running import Progress, RunningSweep
from engine.runs.sweeps.standings import Standing, standings
from engine.runs.sweeps.summary import Summary, summaries
from engine.store import Store
from engine.store.ids import SHOWN
from engine.store.sweep_records import SweepRecord
from tts_ui.cli import terminal, watch
from tts_ui.cli.errors import OK, STOPPED
from tts_ui.cli.solve import where
from tts_ui.words import numbers
from tts_ui.words.ties import verdict

#: Seconds between two looks at the sweep, and between two lines where there is no terminal.
_LOOK_S, _LINE_S = 0.2, 30.0
#: Options that may hold several values, with commas.
_LISTS = ("models", "strategies", "scorers")


@dataclass(frozen=True, slots=True)
class Asked:
    """The command line: `given` are the options that declare a sweep, by their key in the file."""

    file: Path | None
    given: dict[str, Any]
    resume: str | None
    plan: bool
    listing: bool
    as_json: bool
    db: str | None
    cluster: Cluster | None = None


def sweep(asked: Asked) -> int:
    """Do what was asked; returns the exit code. Mistakes raise `InvalidInput` before a model is loaded."""
    if asked.listing:
        return _list(asked)
    if asked.resume is not None and (asked.file is not None or asked.given):
        raise InvalidInput("resume", "a sweep goes on as it was declared; leave out the file and the other options")
    declared = None if asked.resume is not None else _declared(asked)
    with Store.open(asked.db) as store, closing(Domains()) as domains:
        plan, catalogue = _plan(store, asked, declared)
        with closing(catalogue):
            if not asked.as_json or asked.plan:
                _print_plan(plan, asked.as_json)
            if asked.plan:
                return OK
            with connected(asked.cluster.address) if asked.cluster else nullcontext():
                status = _run(store, plan, catalogue, domains, asked.cluster)
        record = store.find_sweep(plan.id)
        rows = measured(store, [plan.id])
    found, stand = summaries(rows), standings(grouped(rows))
    if asked.as_json:
        terminal.print_json(_document(record, found, stand))
    else:
        _print_result(record, found, stand, asked.db)
    return STOPPED if status == "stopped" else OK


def _declared(asked: Asked) -> Declared:
    """The file, with options in place of what it says."""
    options = {name: _value(name, text) for name, text in asked.given.items()}
    if asked.file is None:
        if "problems" not in options:
            raise InvalidInput(
                "problems", "name a set of problems or a file, or give a TOML file that declares a sweep"
            )
        return Declared.of(options)
    return Declared.of(toml(asked.file) | options, str(asked.file))


def _value(name: str, text: Any) -> Any:
    if not isinstance(text, str):
        return text
    if name == "columns":
        return columns_given(text)
    if name in _LISTS:
        return [part.strip() for part in text.split(",") if part.strip()]
    if name in ("n", "seeds"):
        try:
            values = [int(part) for part in text.split(",")]
        except ValueError:
            raise InvalidInput(name, f"{text!r} is no list of whole numbers; give some, such as 4,16,64") from None
        return values[0] if name == "seeds" and len(values) == 1 else values
    return text


def _plan(store: Store, asked: Asked, declared: Declared | None) -> tuple[Plan, Catalogue]:
    if declared is not None:
        catalogue = Catalogue(Path(declared.models_file) if declared.models_file else CATALOGUE)
        return new_plan(store, catalogue, declared), catalogue
    try:
        record = store.find_sweep(asked.resume or "")
    except InvalidInput as error:
        raise InvalidInput("resume", error.message) from None
    models_file = record.configuration.get("models_file")
    catalogue = Catalogue(Path(models_file) if models_file else CATALOGUE)
    return resumed(store, catalogue, record), catalogue


def _run(store: Store, plan: Plan, catalogue: Catalogue, domains: Domains, cluster: Cluster | None) -> str:
    """Run the sweep to its end, or until it is stopped; returns how it ended."""
    watch.Progress()  # keeps the model libraries off the terminal
    fill_in(store)
    with watch.interruptible() as interrupted, _showing(plan) as show:
        running = RunningSweep(store, plan, catalogue, domains, cluster=cluster)
        while not running.wait(_LOOK_S):
            show(running.progress)
            if interrupted.is_set():
                running.stop()
    last = running.progress
    if last.why:
        _say(f"{last.failed:,} runs failed; the last: {last.why}; --resume {shlex.quote(plan.name)} tries them again")
    return running.status


@contextmanager
def _showing(plan: Plan) -> Iterator[Callable[[Progress], None]]:
    """The progress on standard error: a bar with the time left on a terminal, a line now and then elsewhere."""
    console = _stderr()
    if not console.is_terminal:
        yield _Lines(plan).show
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[left]}"))
    with Bars(*columns, console=console, transient=True) as bars:
        task = bars.add_task(terminal.one_line(plan.name), total=plan.runs, left="")
        yield lambda now: bars.update(task, completed=now.done, left=_left(now))


class _Lines:
    """A line whenever some time has passed."""

    def __init__(self, plan: Plan) -> None:
        self._plan, self._next = plan, time.monotonic() + _LINE_S

    def show(self, now: Progress) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_S
            _say(f"{self._plan.name}: {now.done:,} of {now.of:,} runs {_left(now)}")


def _left(now: Progress) -> str:
    return f"{numbers.seconds(now.seconds_left)} left" if now.seconds_left is not None else ""


def _stderr() -> Console:
    return Console(stderr=True, markup=False, emoji=False, highlight=False)


def _say(line: str) -> None:
    _stderr().print(f"tts-ui: {terminal.one_line(line)}", soft_wrap=True)


# --- what is printed -------------------------------------------------------------------------------------------------


def _list(asked: Asked) -> int:
    try:
        with Store.reading(asked.db) as store:
            found = store.sweeps()
    except NoDatabase:
        found = []
    if asked.as_json:
        terminal.print_json({"format": "tts-ui.sweeps", "version": 1, "sweeps": [_entry(each) for each in found]})
        return OK
    if not found:
        print("no sweeps yet: `tts-ui sweep --problems builtin-easy --limit 20` makes one")
        return OK
    table = _table("name", "status", "problems", "runs", "begun", "id")
    for each in found:
        runs = f"{each.done:,} of {each.planned:,}"
        begun = each.created_at[:16].replace("T", " ")
        row = (
            each.name,
            each.status,
            f"{each.problems:,}" + f" of {each.problem_set}" * bool(each.problem_set),
            runs,
            begun,
            each.id[:SHOWN],
        )
        table.add_row(*map(terminal.one_line_text, row))
    terminal.console_for_text().print(table)
    return OK


def _print_plan(plan: Plan, as_json: bool) -> None:
    if as_json:
        terminal.print_json(_plan_document(plan))
        return
    console = terminal.console_for_text()
    cells = len(plan.cells)
    console.print(
        terminal.one_line_text(
            f"{plan.name}: {len(plan.problems):,} problems of {plan.declared.problems}, {cells:,} "
            f"configuration{'s' * (cells != 1)}, {plan.runs:,} runs"
            + f", {plan.runs_done:,} there"
            * bool(plan.runs_done)
        ),
        soft_wrap=True,
    )
    for note in plan.notes:
        console.print(terminal.one_line_text(note), soft_wrap=True)
    console.print(terminal.one_line_text(_cost(plan)), soft_wrap=True)


def _cost(plan: Plan) -> str:
    cost = plan.cost
    if plan.runs_done == plan.runs:
        return "nothing is left to run"
    if cost.generated_tokens is None:
        return "cost: not known before runs of these models and strategies are on record; the time left is shown then"
    tokens = f"{cost.generated_tokens:,.0f} generated and {cost.scored_tokens or 0:,.0f} scored tokens"
    flops = f", {numbers.flops(cost.flops)}" if cost.flops else ""
    time_ = f", about {numbers.seconds(cost.seconds)} on this machine" if cost.seconds else ""
    return f"cost by recorded runs: {tokens}{flops}{time_}"


def _print_result(
    record: SweepRecord, found: Sequence[Summary], stand: Sequence[Standing], db: str | None
) -> None:  # fmt: skip
    console = terminal.console_for_text()
    table = _table("policy", "judge", "strategy", "rule", "N", "accuracy, %", "pass@N", "tokens", "FLOPs, all", right=4)
    for each in found:
        asked, accuracy = each.configuration, each.accuracy
        settings = "".join(f" {name}={value}" for name, value in asked.settings)
        share = f"{100 * accuracy.mean:.1f} [{100 * accuracy.low:.1f}, {100 * accuracy.high:.1f}]"
        passed = f"{100 * each.pass_any:.1f}" if each.pass_any is not None else ""
        cells = (
            asked.policy, asked.scorer or "", asked.strategy + settings, asked.rule, f"{asked.n}", share, passed,
            f"{each.generated_tokens:,.0f}", numbers.flops(each.flops_all or None),
        )  # fmt: skip
        table.add_row(*map(terminal.one_line_text, cells))
    console.print(table)
    for one in stand:
        console.print(terminal.one_line_text(f"{_of_whom(one)}: {verdict(one)}"), soft_wrap=True)
    over = f"{record.done:,} of {record.planned:,} runs, {numbers.seconds(record.elapsed_s)}"
    again = f"; go on with: tts-ui sweep --resume {shlex.quote(record.name)}{where(db)}" * (record.status != "done")
    console.print(terminal.one_line_text(f"{record.name}: {record.status}, {over}{again}"), soft_wrap=True)


def _table(*names: str, right: int | None = None) -> Table:
    table = Table(box=None, pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="right" if right is not None and place >= right else "left")
    return table


def _of_whom(stand: Standing) -> str:
    judge = stand.scorer
    return f"{stand.policy}, judge {judge}" if judge else stand.policy


def _document(record: SweepRecord, found: Sequence[Summary], stand: Sequence[Standing]) -> dict[str, Any]:
    return {
        "format": "tts-ui.sweep", "version": 1, "sweep": _entry(record),
        "configurations": [asdict(each) | asdict(each.configuration) for each in found],
        "standings": [
            {"policy": each.policy, "scorer": each.scorer, "says": verdict(each)} | asdict(each) for each in stand
        ],
    }  # fmt: skip


def _entry(record: SweepRecord) -> dict[str, Any]:
    names = (
        "id", "name", "created_at", "status", "problem_set", "problems", "cells", "planned", "done", "elapsed_s",
        "configuration", "error",
    )  # fmt: skip
    return {name: getattr(record, name) for name in names}


def _plan_document(plan: Plan) -> dict[str, Any]:
    return {
        "format": "tts-ui.plan", "version": 1, "name": plan.name, "problems": len(plan.problems), "runs": plan.runs,
        "there": plan.runs_done, "notes": list(plan.notes), "cost": asdict(plan.cost),
        "cells": [
            {"models": cell.models, "scorer": cell.scorer, "strategy": cell.params.strategy, **cell.params.recorded()}
            for cell in plan.cells
        ],
        "declared": plan.declared.model_dump(mode="json"),
    }  # fmt: skip

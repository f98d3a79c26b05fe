"""`tts-ui import`: files into the store, with a bar on standard error and what came of each on standard output."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from engine.runs.importing import import_file
from engine.store import Store
from engine.store.ids import SHOWN
from engine.store.importers import Imported
from tts_ui.cli.terminal import one_line, printable

#: Lines of warnings and run ids that are printed for a file; each run keeps its own warning.
_WARNINGS, _IDS = 10, 5
#: Lines that a long file gets where there is no terminal.
_LINES = 10


def import_files(files: Sequence[Path], db: str | None) -> None:
    """Import each file, all of it or nothing; the first that is refused ends the command, those before it stay."""
    console = Console(stderr=True)
    with Store.open(db) as store:
        for file in files:
            with _reading(file, console) as progress:
                came = import_file(store, file, progress=progress)
            for line in _report(file, came):
                typer.echo(printable(line))


def _report(file: Path, came: Imported) -> Iterator[str]:
    there = f", {came.known:,} there already" if came.known else ""
    count = len(came.run_ids)
    yield f"{one_line(file.name)} ({came.format}): {count:,} run{'s' if count != 1 else ''} imported{there}"
    places: dict[str, list[str]] = {}
    for warning in came.warnings:
        place, _, said = warning.partition(": ")
        places.setdefault(said, []).append(place)
    for said, at in list(places.items())[:_WARNINGS]:
        more = f" and {len(at) - 1:,} more" if len(at) > 1 else ""
        yield f"  warning, {at[0]}{more}: {said}"
    if (others := len(places) - _WARNINGS) > 0:
        yield f"  and {others:,} other warning{'s' if others > 1 else ''}; each stands where its run is shown"
    if came.run_ids:
        first = " ".join(run_id[:SHOWN] for run_id in came.run_ids[:_IDS])
        yield f"  `tts-ui show RUN` draws one: {first}{' ...' if count > _IDS else ''}"


@contextmanager
def _reading(file: Path, console: Console) -> Iterator[Callable[[int, int], None]]:
    """What is yielded takes how much of the file has been read, and how much there is."""
    if not console.is_terminal:
        yield _lines(file, console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        task = bars.add_task(f"reading {one_line(file.name)}", total=None)
        yield lambda done, total: bars.update(task, completed=done, total=total)


def _lines(file: Path, console: Console) -> Callable[[int, int], None]:
    printed: set[int] = {0, _LINES}  # a short file needs no line

    def show(done: int, total: int) -> None:
        tenth = _LINES * done // max(1, total)
        if tenth not in printed:
            printed.add(tenth)
            console.print(f"tts-ui: {one_line(file.name)}: {100 * done // total} % read", soft_wrap=True, markup=False)

    return show

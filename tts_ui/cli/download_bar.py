"""The progress of a model's download, on standard error: a bar on a terminal, else a line now and then."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from engine.models.catalogue.hub import Download

#: Lines a download gets where there is no terminal.
_LINES = 10


@contextmanager
def loading(name: str, console: Console) -> Iterator[Callable[[Download], None]]:
    """Say on `console` that models are being loaded; what is yielded takes the progress of downloads."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    bars = Progress(*columns, TimeRemainingColumn(), console=console, transient=True)
    tasks: dict[str, TaskID] = {}

    def show(download: Download) -> None:
        status.stop()  # a terminal has room for one of the two
        bars.start()
        if download.model not in tasks:
            tasks[download.model] = bars.add_task(f"downloading {download.model}")
        bars.update(tasks[download.model], completed=download.done, total=download.total)

    with console.status(f"loading {name}") as status:
        try:
            yield show
        finally:
            bars.stop()


def _lines(console: Console) -> Callable[[Download], None]:
    printed: set[tuple[str, int]] = set()

    def show(download: Download) -> None:
        tenth = (download.model, _LINES * download.done // max(1, download.total))
        if tenth not in printed:
            printed.add(tenth)
            console.print(f"tts-ui: {download}", soft_wrap=True)

    return show

"""The judges of `score` and `judge`: named, checked before anything is loaded, loaded one after another."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.search.events import Usage
from engine.search.scorer import Scorer
from tts_ui.cli import watch
from tts_ui.cli.models import catalogue_of
from tts_ui.cli.terminal import one_line
from tts_ui.words import numbers
from tts_ui.words.results import flops

T = TypeVar("T")

#: Lines that a long reading gets where there is no terminal.
_LINES = 10


def named(scorers: str, models: str | None) -> tuple[Catalogue, list[str]]:
    """The catalogue, and the judges that a list with commas names, each once. Raises `InvalidInput`; loads nothing."""
    catalogue, _ = catalogue_of(models)
    names = [name.strip() for name in scorers.split(",") if name.strip()]
    if not names:
        raise InvalidInput("scorer", f"name a judge; choose from {', '.join(catalogue.scorers)}")
    for name in names:
        catalogue.scorer(None, name)
        if names.count(name) > 1:
            raise InvalidInput("scorer", f"{name} is named twice; name each judge once")
    return catalogue, names


class Judges:
    """Loads judges and lets them work, with what it takes on standard error."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._console = Console(stderr=True, markup=False, emoji=False, highlight=False)
        self._progress = watch.Progress()

    def load(self, name: str) -> Scorer:
        with self._progress.loading(name) as show:
            return self._catalogue.judge(name, show)

    def say(self, line: str) -> None:
        self._console.print(f"tts-ui: {one_line(line)}", soft_wrap=True)

    @contextmanager
    def reading(self, what: str, total: int) -> Iterator[Callable[[], None]]:
        """What is yielded is called whenever one more of the `total` is done."""
        if not self._console.is_terminal:
            yield self._lines(what, total)
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self._console, transient=True) as bars:
            task = bars.add_task(one_line(what), total=total)
            yield lambda: bars.advance(task)

    def _lines(self, what: str, total: int) -> Callable[[], None]:
        done = 0

        def count() -> None:
            nonlocal done
            done += 1
            if total > 1 and done < total and done * _LINES // total > (done - 1) * _LINES // total:
                self.say(f"{what}: {done:,} of {total:,}")

        return count


def wait(work: Coroutine[Any, Any, T]) -> T:
    """Do it on a loop of its own. Ctrl-C takes it back at the next token and ends the command."""
    return asyncio.run(work)


def cost(usage: Usage) -> str:
    """What a judge has read, in words."""
    reused = f" ({numbers.count(usage.scored_tokens_reused)} more from its cache)" if usage.scored_tokens_reused else ""
    return (
        f"{numbers.count(usage.scored_tokens)} PRM tokens{reused}, {numbers.flops(flops(usage)[1])}, "
        f"{numbers.seconds(usage.wall_s)}"
    )

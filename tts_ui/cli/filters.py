"""The options of `tts-ui runs` that say which runs are listed: the same as the filters of the Runs page."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Annotated, get_type_hints

import typer

if TYPE_CHECKING:  # SQL takes a while to import, and a refusal needs none
    from engine.store.listing import Wanted


@dataclass(frozen=True, slots=True)
class Filters:
    """What is asked for; None asks for nothing."""

    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Text to find in problem, answer, strategy, tags or note.")
    ] = None
    strategy: Annotated[str | None, typer.Option(metavar="NAME", help="Runs of this strategy.")] = None
    policy: Annotated[str | None, typer.Option(metavar="NAME", help="Runs of this policy.")] = None
    scorer: Annotated[str | None, typer.Option(metavar="NAME", help="Runs decided on this scorer.")] = None
    outcome: Annotated[
        str | None,
        typer.Option(metavar="WORD", help="correct, wrong, ungraded, running, stopped, failed, interrupted, deleted."),
    ] = None
    origin: Annotated[str | None, typer.Option(metavar="WORD", help="search, fork, import or example.")] = None
    tag: Annotated[str | None, typer.Option(metavar="TAG", help="Runs with this tag.")] = None
    since: Annotated[str | None, typer.Option(metavar="DAY", help="Runs of this day (UTC) and later.")] = None
    until: Annotated[str | None, typer.Option(metavar="DAY", help="Runs of this day (UTC) and earlier.")] = None
    sweep: Annotated[
        str | None, typer.Option(metavar="NAME", help="Runs of this sweep: its name, or its id or the beginning of it.")
    ] = None
    sort: Annotated[str, typer.Option(metavar="ORDER", help="newest, oldest, tokens, time or strategy.")] = "newest"

    @property
    def any(self) -> bool:
        """Whether anything but an order is asked for."""
        return any(getattr(self, each.name) for each in fields(self) if each.name != "sort")

    def wanted(self) -> Wanted:
        """All but the sweep, whose id the store knows. Raises `InvalidInput` for a word or a day that is none."""
        from engine.store.listing import Wanted, day

        return Wanted(
            search=self.search, strategy=self.strategy, models=self.policy, judge=self.scorer, outcome=self.outcome,
            origin=self.origin, tag=self.tag, since=day(self.since, "since") if self.since else None,
            until=day(self.until, "until") if self.until else None, order=self.sort,
        )  # fmt: skip


def takes_filters(command: Callable[..., None]) -> Callable[..., None]:
    """`command` as Typer should see it: its parameter `filters` spelled out."""
    hints = get_type_hints(command, include_extras=True)
    options = get_type_hints(Filters, include_extras=True)
    named = [
        inspect.Parameter(
            each.name, inspect.Parameter.KEYWORD_ONLY, default=each.default, annotation=options[each.name]
        )
        for each in fields(Filters)
    ]
    spelled: list[inspect.Parameter] = []
    for name, given in inspect.signature(command).parameters.items():
        spelled += named if name == "filters" else [given.replace(annotation=hints[name])]

    def spelled_out(**given: object) -> None:
        filters = Filters(**{each.name: given.pop(each.name) for each in named})  # type: ignore[arg-type]
        command(filters=filters, **given)

    spelled_out.__name__, spelled_out.__doc__ = command.__name__, command.__doc__
    spelled_out.__signature__ = inspect.Signature(spelled)  # type: ignore[attr-defined]
    spelled_out.__annotations__ = {parameter.name: parameter.annotation for parameter in spelled}
    return spelled_out

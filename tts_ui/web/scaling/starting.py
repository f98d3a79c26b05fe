"""Starting a sweep from the page: its plan and cost, how far it is, Stop. It goes on when the page is closed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from engine.domains.builtin.sets import SETS
from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.runs.sweeps.declared import Declared
from engine.runs.sweeps.plan import Plan, new_plan
from engine.search.strategies import STRATEGIES
from tts_ui.words import numbers
from tts_ui.words.interface import say

#: What the form begins with: a minute or two on a laptop.
_BEGINS = {"limit": 60, "n": "4,16", "seeds": 1}
_STRATEGIES = ("greedy", "best_of_n", "beam_search", "dvts")


class Starter:
    """Plans, starts and stops the sweep of one host."""

    def __init__(self, host: Host) -> None:
        self._host = host

    def form(self) -> dict[str, Any]:
        """What there is to choose from, and what is chosen at first."""
        return _BEGINS | {
            "sets": list(SETS), "models": list(self._host.catalogue.pairs),
            "strategies": [(each.name, each.title, each.name in _STRATEGIES) for each in STRATEGIES.values()],
        }  # fmt: skip

    def plan(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """What a sweep would run, and what that is expected to cost. Raises `InvalidInput`."""
        return {"says": _says(self._plan(asked))}

    def start(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        """Start it; returns its id. Raises `InvalidInput`, also while another is running."""
        return {"sweep": self._host.sweep(self._plan(asked)).plan.id}

    def stop(self, sweep: str) -> dict[str, Any]:
        """Stop it; what is over stays. Raises `InvalidInput` where this process does not run it."""
        running = self._host.sweeping
        if running is None or running.plan.id != sweep:
            raise InvalidInput("sweep", say("scaling_says.not_running"))
        running.stop()
        return {"sweep": sweep}

    def progress(self) -> dict[str, Any] | None:
        """How far the sweep is that runs now; None where there is none."""
        running = self._host.sweeping
        if running is None:
            return None
        now = running.progress
        left, failed = now.seconds_left, now.failed
        done = {"done": numbers.count(now.done), "of": numbers.count(now.of)}
        return {
            "sweep": running.plan.id, "done": now.done, "of": now.of,
            "says": say(
                "scaling_says.progress", name=running.plan.name, **done,
                failed=say("scaling_says.progress_failed", count=numbers.count(failed)) if failed else "",
                left="" if left is None else say("scaling_says.progress_left", time=numbers.seconds(left)),
            ),
        }  # fmt: skip

    def _plan(self, asked: Mapping[str, Any]) -> Plan:
        if asked["problems"] not in SETS:  # a page names no files
            raise InvalidInput("problems", say("scaling_says.no_set", known=", ".join(SETS)))
        return new_plan(self._host.store, self._host.catalogue, Declared.of(asked))


def _says(plan: Plan) -> str:
    cost = plan.cost
    counts = {"problems": len(plan.problems), "configurations": len(plan.cells), "runs": plan.runs}
    told = {what: say(f"scaling_says.plan_{what}", n=n, count=numbers.count(n)) for what, n in counts.items()}
    parts = [say("scaling_says.plan", **told)]
    if cost.generated_tokens is not None:
        parts.append(say("scaling_says.plan_tokens", count=numbers.count(round(cost.generated_tokens))))
    if cost.flops is not None:
        parts.append(numbers.flops(cost.flops))
    parts.append(say("scaling_says.plan_no_time") if cost.seconds is None else numbers.seconds(cost.seconds))
    return ", ".join(parts) + "." + "".join(f" {note[:1].upper()}{note[1:]}." for note in plan.notes)

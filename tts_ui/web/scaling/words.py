"""What the figure is about, in sentences beside it."""

from __future__ import annotations

from engine.store.sweep_records import SweepRecord
from tts_ui.web.scaling.view import View
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.ties import verdict


def notes(sweep: SweepRecord, view: View) -> list[str]:
    """What a reader must know to read the figure rightly."""
    seeds = {point.seeds for _, point in view.points}
    said = [
        say(
            "scaling_notes.problems", problems=numbers.count(view.problems), of=numbers.count(sweep.problems),
            set=sweep.problem_set, seeds=say("scaling_notes.seeds", n=max(seeds)),
        )
    ]  # fmt: skip
    if view.uneven:
        fewest, most = map(numbers.count, view.uneven)
        said.append(say("scaling_notes.uneven", fewest=fewest, most=most))
    elif not view.asked.everything and sweep.status != "done":
        said.append(say("scaling_notes.shared"))
    if view.best:
        said.append(say("scaling_notes.halves" if view.asked.envelope == "halves" else "scaling_notes.same"))
    if view.asked.x == "flops_policy":
        said.append(say("scaling_notes.policy_only"))
    if view.asked.x == "seconds":
        said.append(say("scaling_notes.seconds"))
    return said


def ties(view: View) -> str:
    """Which of the lines are tied at the N of the bars."""
    names = {of: _within(line) for of, line in view.called.items()}
    return verdict(view.standing, names) if view.standing else ""


def _within(line: str) -> str:
    """A line's name without commas, as one of a list."""
    name, _, apart = line.partition(", ")
    name = name.removesuffix(" (extension)")
    return f"{name} ({apart})" if apart else name

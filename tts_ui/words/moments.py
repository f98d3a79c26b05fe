"""A search told in moments: one sentence for each group of events of a kind, with its numbers. Plain text.

A reader of the event log, as the tree is: it can be asked while the search still runs.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

from engine.search.events import Decision, Event, RunFinished, RunStarted, StepSampled, StepScored
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.reasons import why

#: How a run ends that does not come to its end.
_CUT_SHORT = ("stopped", "failed", "interrupted")


@dataclass(frozen=True, slots=True)
class Moment:
    """The events `first` to `last` (their seq), and what happened in them. `level` is the level of the tree that the
    search worked on, or its iteration; `tokens` are what all draws until then had taken."""

    first: int
    last: int
    level: int
    says: str
    tokens: int


@dataclass(slots=True)
class _Group:
    """Events of one kind that followed each other."""

    kind: Hashable
    first: int
    level: int
    events: list[StepSampled | StepScored | Decision] = field(default_factory=list)
    draws: int = 0  # of its steps, identical ones counted each time
    new: int = 0  # how many of its steps had not been drawn before
    again: int = 0  # how many of its draws are completions that had been drawn before
    tokens: int = 0  # of all draws so far
    completions: int = 0  # of all so far, in draws
    end: str = ""


class Moments:
    """The moments of one run so far. `take` its events in order; `due` are the moments that are new or have grown."""

    def __init__(self) -> None:
        self._strategy = ""
        self._iteration = 1  # of MCTS
        self._depth = 0  # where the search last drew a step
        self._ahead = False  # whether the last steps drawn were a rollout; from which level
        self._from = 0
        self._depths: dict[int, int] = {0: 0}
        self._copies: dict[int, int] = {}
        self._tokens = 0
        self._finished: set[int] = set()
        self._completions = 0
        self._touched: list[_Group] = []
        self._group: _Group | None = None

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._strategy = event.strategy
            case RunFinished():
                if self._group and event.status in _CUT_SHORT:
                    self._touch(self._group)
                    self._group.end = f"; {say(f'moments.{event.status}')}"
            case StepSampled() | StepScored() | Decision():
                self._add(event)

    def due(self) -> list[Moment]:
        """What is new since the last time. A moment that was told before is told again if it has grown."""
        told = [Moment(g.first, g.events[-1].seq, g.level, self._sentence(g) + g.end, g.tokens) for g in self._touched]
        self._touched.clear()
        return told

    # --- groups -----------------------------------------------------------------------------------------------------

    def _add(self, event: StepSampled | StepScored | Decision) -> None:
        kind = self._kind(event)
        group = self._group
        if group is None or group.kind != kind:
            if group and group.kind == "backup":
                self._iteration += 1
            group = self._group = _Group(kind, event.seq, 0)
        group.events.append(event)
        match event:
            case StepSampled():
                self._drawn(group, event)
            case Decision(action="finish"):
                self._finished.add(event.node)
                group.draws += self._copies.get(event.node, 1)
                self._completions += self._copies.get(event.node, 1)
        group.level = group.level or self._level(event)
        group.tokens, group.completions = self._tokens, self._completions
        self._touch(group)

    def _drawn(self, group: _Group, event: StepSampled) -> None:
        draws = event.copies - self._copies.get(event.node, 0)
        group.draws += draws
        group.new += event.node not in self._copies
        self._tokens += draws * event.tokens
        if event.node in self._finished:
            self._completions += draws
            group.again += draws
        if self._is_ahead(event) and not self._ahead:
            self._from = event.depth - 1
        self._ahead = self._is_ahead(event)
        self._copies[event.node] = event.copies
        self._depths[event.node] = self._depth = event.depth

    def _is_ahead(self, event: StepSampled) -> bool:
        """Whether the step is a rollout's; drawn again it is a step as any other."""
        return event.origin == "rollout" and event.node not in self._copies

    def _touch(self, group: _Group) -> None:
        if not self._touched or self._touched[-1] is not group:
            self._touched.append(group)

    def _kind(self, event: StepSampled | StepScored | Decision) -> Hashable:
        """Events of the same kind are one moment. Rollouts go down many levels at once, and are judged so."""
        depth = 0 if self._ahead or self._strategy == "mcts" else self._depths.get(event.node, 0)
        match event:
            case StepSampled():
                return "rollout" if self._is_ahead(event) else ("drawn", event.depth)
            case StepScored():
                return ("added", event.scoring) if event.scoring else ("judged", depth)
            case Decision(reason="prm_window"):
                return ("judged", depth)
            case Decision(action="finish" | "choose"):
                return event.action
            case Decision(action="descend", reason="upper_bound") | Decision(action="backup", reason="mean"):
                return event.action  # an imported file may say so without the numbers
            case Decision():
                return ("decided", event.reason)

    def _level(self, event: StepSampled | StepScored | Decision) -> int:
        if self._strategy == "mcts":
            return self._iteration
        return (
            self._from if self._ahead and not isinstance(event, Decision) else self._depths[event.node] or self._depth
        )

    # --- sentences --------------------------------------------------------------------------------------------------

    def _sentence(self, group: _Group) -> str:
        events, last = group.events, group.events[-1]
        where = say("moments.iteration" if self._strategy == "mcts" else "moments.level", n=group.level) + " "
        match group.kind:
            case "rollout":
                steps, deepest = numbers.count(len(events)), self._deepest(group)
                return where + say("moments.ahead", n=len(events), steps=steps, level=deepest)
            case ("drawn", _):
                return where + _drawn(group)
            case ("added", _):
                return f"added after the end: {_judged(events)}"
            case ("judged", _):
                return where + _judged(events)
            case "descend":
                n = _numbers(last)
                bound = {name: f"{n[name]:.3f}" for name in ("value", "exploration", "total")}
                return where + say("moments.down", level=self._depths[last.node], **bound)
            case "backup":
                n = _numbers(last)
                visits = int(n["visits"])
                told = {"value": f"{n['value']:.2f}", "mean": f"{n['mean']:.2f}", "visits": numbers.count(visits)}
                return where + say("moments.backed_up", n=visits, **told)
            case "finish":
                return where + _finished(group)
            case ("decided", "rank"):
                return where + _ranked(events)
            case ("decided", "subtree_rank"):
                return where + _of_subtrees(events)
            case ("decided", "resampled"):
                return where + _resampled(events)
            case "choose" | ("decided", "compute_optimal" | "one_for_all" | "beta_stop"):
                assert isinstance(last, Decision)
                return "{}: {}".format(*why(last))
            case ("decided", "learned"):
                return "; ".join("{}: {}".format(*why(event)) for event in events if isinstance(event, Decision))
            case _:
                return where + _decided(events)

    def _deepest(self, group: _Group) -> int:
        return max(self._depths[event.node] for event in group.events)


def _drawn(group: _Group) -> str:
    distinct, draws = len({event.node for event in group.events}), _count("draws", group.draws)
    if group.draws == group.new:
        return _count("steps_drawn", group.draws)
    if distinct == group.new:
        return say("moments.same", draws=draws) if distinct == 1 else say("moments.different", n=distinct, draws=draws)
    new = _count("new_steps", group.new) if group.new else say("moments.no_new_step")
    if not group.again:
        return say("moments.drawn_again", draws=draws, new=new)
    return say("moments.drawn_so_far", draws=draws, new=new, completions=_count("completions", group.completions))


def _finished(group: _Group) -> str:
    if group.completions == group.draws:
        return _count("completions", group.draws)
    completions = _count("completions", group.completions)
    return say("moments.more", n=group.draws, more=numbers.count(group.draws), completions=completions)


def _judged(events: list[StepSampled | StepScored | Decision]) -> str:
    values = [event.value for event in events if isinstance(event, StepScored)]
    long = sum(isinstance(event, Decision) for event in events)
    said = [_count("judged", len(values))]
    low, high = (numbers.score(bound(values)) for bound in (min, max)) if values else ("", "")
    if low != high:
        said.append(say("moments.scores", low=low, high=high))
    elif values:
        said.append(say("moments.score" if len(values) == 1 else "moments.each", score=low))
    if long:
        said.append(_count("too_long", long))
    return ", ".join(said)


def _ranked(events: list[StepSampled | StepScored | Decision]) -> str:
    """ "27 judged, 4 slots, cut-off 0.41: 4 kept, 23 pruned"."""
    n = _numbers(events[-1])
    cut_off = say("reasons.cut_off", score=numbers.score(n["cut_off"])) if "cut_off" in n else say("moments.none_left")
    told = {"judged": f"{n['of']:.0f}", "slots": _count("slots", int(n["k"])), "cut_off": cut_off}
    return say("moments.ranked", n=int(n["of"]), kept=_kept(events), **told)


def _of_subtrees(events: list[StepSampled | StepScored | Decision]) -> str:
    subtrees = len({_numbers(event)["subtree"] for event in events})
    return say("moments.of_subtrees", n=subtrees, subtrees=numbers.count(subtrees), of=len(events), kept=_kept(events))


def _resampled(events: list[StepSampled | StepScored | Decision]) -> str:
    """ "16 particles at 9 steps, effective share 0.31, temperature 2.90: 4 kept, 5 pruned"."""
    n = _numbers(events[-1])
    heat = say("reasons.heat", temperature=f"{n['temperature']:.2f}") if n["temperature"] > 1 else ""
    held = {"particles": _count("particles", int(n["of"])), "steps": counted("steps", len(events))}
    return say("moments.resampled", share=f"{n['share']:.2f}", heat=heat, kept=_kept(events), **held)


def _kept(events: list[StepSampled | StepScored | Decision]) -> str:
    kept = sum(isinstance(event, Decision) and event.action == "keep" for event in events)
    none, pruned = say("reasons.none"), len(events) - kept
    return say("moments.kept", n=kept, kept=str(kept or none), pruned=str(pruned or none))


def _decided(events: list[StepSampled | StepScored | Decision]) -> str:
    last = events[-1]
    assert isinstance(last, Decision)
    done, because = why(last)
    return f"{numbers.count(len(events))} {done}" + (f": {because}" if because else "")


def _numbers(event: StepSampled | StepScored | Decision) -> dict[str, float]:
    assert isinstance(event, Decision)
    return dict(event.numbers)


def _count(what: str, n: int) -> str:
    return say(f"moments.{what}", n=n, count=numbers.count(n))

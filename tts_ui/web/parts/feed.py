"""From what was committed to what the tree view draws: a run's events as lines that are only ever appended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import replace
from threading import Lock
from typing import NamedTuple

from engine.domains import Domains
from engine.runs.lab.sources import Sources
from engine.search.events import Decision, Event, Grade, RunFinished, RunStarted, StepSampled, StepScored, Usage
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import RunRecord, Store
from tts_ui.web.components.tree_lines import (
    bill_line,
    copies_line,
    decide_line,
    end_line,
    grade_line,
    node_line,
    run_line,
    say_line,
    score_line,
    source_line,
    truth_line,
)  # fmt: skip
from tts_ui.web.parts.notices import not_told
from tts_ui.words.counting import counted
from tts_ui.words.moments import Moments
from tts_ui.words.results import bill, spent
from tts_ui.words.texts import rendered

#: The verdicts that the tree shows.
_TOLD = ("right", "wrong")


class Shown(NamedTuple):
    """A run at a moment, and whose scores are drawn."""

    record: RunRecord
    tree: Tree
    judge: str | None


class Feed:
    """One run as it is read: `update` takes in what is new since the last time. A `discreet` one does not tell why a
    run failed, nor the address of the one it goes on from.

    Attributes:
        judge: whose scores are drawn: the one asked for, else the judge that the run was decided on; None for none.
        value: the SearchTree's value so far: that judge's scores, those of others by name, and what is known exactly.
        tree: the tree so far, with the scores of every judge.
        truth: which of its steps are right, where the run's domain knows; else None.
        sources: the judges whose scores are a kind of truth: labels and rollouts.
        record: the run's row, of the same moment as the tree.
        log: the events so far.
    """

    def __init__(
        self,
        store: Store,
        run_id: str,
        judge: str | None = None,
        *,
        domains: Domains | None = None,
        discreet: bool = False,
    ) -> None:
        self._store, self._run_id, self._domains, self._discreet = store, run_id, domains, discreet
        self._last = -1
        self._ended: int | None = None  # the last seq of the search itself; scores may be added later
        self._moments = Moments()
        self._bills: list[tuple[int, Usage]] = []
        self.sources = Sources()
        self.judge = judge
        self.value = ""
        self.truth: Truth | None = None
        self.log: list[Event] = []
        self.tree: Tree
        self.record: RunRecord
        self.update()

    @property
    def over(self) -> bool:
        return self.record.status != "running"

    def update(self) -> bool:
        """Read on; True if anything is new."""
        was_running = self._last < 0 or not self.over
        record, events = self._store.read(self._run_id, after=self._last)
        self.record, self._parent = self._told_of(record), record.parent_run
        if self._last < 0:
            self.tree = Tree(self.record.problem)
            self.judge = self.judge or self.record.judge
            self.truth = self._truth()
        said: list[str] = []
        for event in events:
            if isinstance(event, RunFinished) and not was_running:
                continue
            self.log.append(event)
            known = len(self.tree)
            self.tree.apply(event)
            self._moments.take(event)
            said += [self._line(event), self._known(known)]
            self._last = max(self._last, getattr(event, "seq", self._last))
            if isinstance(event, RunFinished):
                self._ended = self._last
        if events:
            said += self._told()
        new = "".join(said)
        self.value += new
        return bool(new)

    def _told_of(self, record: RunRecord) -> RunRecord:
        """Who has the address of a run need not have that of the one it goes on from, which opens that."""
        if not self._discreet:
            return record
        error, parent = (not_told() if record.error else None), ("" if record.parent_run else None)
        return replace(record, error=error, parent_run=parent)

    def own(self, record: RunRecord) -> RunRecord:
        """The run, or how it was at a moment, as it is told to whoever started it."""
        return replace(record, parent_run=self._parent)

    def _truth(self) -> Truth | None:
        checker = self._domains[self.record.domain].step_checker(self.record.problem) if self._domains else None
        return Truth(checker) if checker else None

    def _known(self, first: int) -> str:
        """What the checker says of the nodes from `first` on; of those after a wrong one, nothing."""
        if self.truth is None or first == len(self.tree):
            return ""
        self.truth.take(self.tree.nodes[first:])
        verdicts = [(node, self.truth[node.id]) for node in self.tree.nodes[first:]]
        return "".join(
            truth_line(node.id, verdict == "right", seq=node.seq) for node, verdict in verdicts if verdict in _TOLD
        )

    def at(self, seq: int | None, judge: str | None = None) -> Shown:
        """The record and the tree as they were when `seq` was the last (None: as they are now), and whose scores are
        shown. Those that `judge` added after the end are opinions on steps that were there, and are shown with them."""
        judge = judge or self.judge
        if seq is None or seq >= self._last:
            return Shown(self.record, self.tree, judge)
        spent = next((usage for last, usage in reversed(self._bills) if last <= seq), None)
        record = self.record
        if self._ended is None or seq < self._ended:
            record = replace(
                record, status="running", stop_reason=None, answer=None, correct=None, error=None, grades={},
                usage=spent or Usage(), bill_known=spent is not None,
            )  # fmt: skip
        tree = Tree.from_events(event for event in self.log if getattr(event, "seq", 0) <= seq)
        for event in self.log if judge != self.record.judge else ():
            if isinstance(event, StepScored) and event.scorer == judge and event.node < len(tree):
                tree.apply(event)
        return Shown(record, tree, judge)

    def _told(self) -> Iterable[str]:
        """What is said of the events that are new, and what had been spent after each round and in the end. A run that
        came without bills tells the tokens of its draws."""
        due = self._moments.due()
        yield from (say_line(told.first, told.last, told.level, told.says) for told in due)
        seen = self._bills[-1][0] if self._bills else -1
        fresh = [(seq, usage) for seq, usage in self._store.bills(self._run_id, seen) if seq <= self._last]
        self._bills += fresh
        if self.over and len(self._bills) < 2:
            yield from (bill_line(told.last, counted("tokens", told.tokens)) for told in due)
        yield from (bill_line(seq, bill(usage, scored=self.record.scorer is not None)) for seq, usage in fresh)
        if self.over:
            yield bill_line(self._last, ", ".join(spent(self.record)))

    def _line(self, event: Event) -> str:
        match event:
            case RunStarted():
                return run_line(event.run_id, event.problem, self.judge)
            case StepSampled() if event.seq > self.tree[event.node].seq:
                return copies_line(event.node, event.copies, seq=event.seq)
            case StepSampled():
                return node_line(
                    event.node, event.parent, event.text, seq=event.seq, finish=event.finish, copies=event.copies,
                    origin=event.origin, tokens=event.tokens, logprob=event.logprob, confidence=event.confidence,
                    certainty=event.certainty, answer=event.answer,
                )  # fmt: skip
            case StepScored():
                judge = None if event.scorer == self.judge else event.scorer
                known = truth_line(event.node, event.value >= 0.5, seq=event.seq) if event.kind == "exact" else ""
                if self.sources.take(event) and (kind := self.sources.kind(event.scorer)):
                    known = source_line(event.scorer, kind)
                return known + score_line(event.node, event.value, seq=event.seq, judge=judge)
            case Decision():
                return decide_line(
                    event.node, event.action, seq=event.seq, reason=event.reason, numbers=event.numbers
                )  # fmt: skip
            case RunFinished():
                return "".join([*self._grades(), end_line(event.status)])

    def _grades(self) -> Iterable[str]:
        """Ticks and crosses, where there is a reference answer to compare with."""
        if self.record.reference_answer is None:
            return
        for leaf in self.tree.completions():
            grade = Grade("", False)
            if leaf.answer is not None:
                grade = self.record.grades.get(leaf.answer, Grade(leaf.answer))
            if grade.correct is not None:  # undecided: neither tick nor cross
                yield grade_line(leaf.id, grade.correct)


class Feeds:
    """The runs read last, so that a click on one asks the database for nothing: a run that is over stays as it is."""

    def __init__(self, store: Store, most: int = 16, *, domains: Domains | None = None, discreet: bool = False) -> None:
        self._store, self._most, self._domains, self._discreet = store, most, domains, discreet
        self._feeds: OrderedDict[str, Feed] = OrderedDict()
        self._lock = Lock()

    def read(self, run_id: str) -> Feed:
        """The run from its beginning. Raises `InvalidInput` if no run has exactly this id."""
        return Feed(self._store, run_id, domains=self._domains, discreet=self._discreet)

    def texts(self, run_id: str, ids: Iterable[int]) -> dict[int, str]:
        """The texts of these nodes of a run, as far as they are rendered anywhere; unknown ones are left out."""
        tree = self.get(run_id).tree
        return {node: rendered(tree[node].text) for node in ids if 0 <= node < len(tree)}

    def keep(self, *feeds: Feed) -> None:
        """Remember feeds whose runs are over, in place of what was known of those runs."""
        with self._lock:
            for feed in feeds:
                self._keep(feed)

    def get(self, run_id: str, node: int = 0) -> Feed:
        """The run as it is now, or as it was last read if it was over by then and has `node`."""
        with self._lock:
            feed = self._feeds.get(run_id) or self.read(run_id)
            if not feed.over or node >= len(feed.tree):
                feed.update()
            self._keep(feed)
            return feed

    def _keep(self, feed: Feed) -> None:
        self._feeds[feed.record.id] = feed
        self._feeds.move_to_end(feed.record.id)
        while len(self._feeds) > self._most:
            self._feeds.popitem(last=False)

"""From what was committed to what the tree view draws: a run's events as lines that are only ever appended."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from threading import Lock

from engine.search.events import Decision, Event, Grade, RunFinished, RunStarted, StepSampled, StepScored
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from tts_ui.web.components.tree_lines import decide_line, end_line, grade_line, node_line, run_line, score_line


class Feed:
    """One run as it is read: `update` takes in what is new since the last time.

    Attributes:
        judge: whose scores are drawn: the one asked for, else the judge that the run was decided on; None for none.
        value: the SearchTree's value so far, with that judge's scores.
        tree: the tree so far, with the scores of every judge.
        record: the run's row, of the same moment as the tree.
        log: the events so far.
    """

    def __init__(self, store: Store, run_id: str, judge: str | None = None) -> None:
        self._store, self._run_id = store, run_id
        self._last = -1
        self.judge = judge
        self.value = ""
        self.log: list[Event] = []
        self.record: RunRecord
        self.tree: Tree
        self.update()

    @property
    def over(self) -> bool:
        return self.record.status != "running"

    def update(self) -> bool:
        """Read on; True if anything is new."""
        was_running = self._last < 0 or not self.over
        self.record, events = self._store.read(self._run_id, after=self._last)
        if self._last < 0:
            self.tree = Tree(self.record.problem)
            self.judge = self.judge or self.record.judge
        before = len(self.value)
        for event in events:
            if isinstance(event, RunFinished) and not was_running:
                continue
            self.log.append(event)
            self.tree.apply(event)
            self.value += self._line(event)
            self._last = max(self._last, getattr(event, "seq", self._last))
        return len(self.value) > before

    def _line(self, event: Event) -> str:
        match event:
            case RunStarted():
                return run_line(event.run_id, event.problem, self.judge)
            case StepSampled():
                return node_line(
                    event.node, event.parent, event.text, depth=event.depth, seq=event.seq, finish=event.finish,
                    copies=event.copies, origin=event.origin, tokens=event.tokens,
                )  # fmt: skip
            case StepScored():
                if event.scorer != self.judge:
                    return ""
                return score_line(event.node, event.value, seq=event.seq, judge=event.scorer)
            case Decision():
                return decide_line(event.node, event.action, seq=event.seq)
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

    def __init__(self, store: Store, most: int = 16) -> None:
        self._store, self._most = store, most
        self._feeds: OrderedDict[str, Feed] = OrderedDict()
        self._lock = Lock()

    def keep(self, *feeds: Feed) -> None:
        """Remember feeds whose runs are over, in place of what was known of those runs."""
        with self._lock:
            for feed in feeds:
                self._keep(feed)

    def get(self, run_id: str, node: int = 0) -> Feed:
        """The run as it is now, or as it was last read if it was over by then and has `node`."""
        with self._lock:
            feed = self._feeds.get(run_id) or Feed(self._store, run_id)
            if not feed.over or node >= len(feed.tree):
                feed.update()
            self._keep(feed)
            return feed

    def _keep(self, feed: Feed) -> None:
        self._feeds[feed.record.id] = feed
        self._feeds.move_to_end(feed.record.id)
        while len(self._feeds) > self._most:
            self._feeds.popitem(last=False)

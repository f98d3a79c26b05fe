"""From what was committed to what the tree view draws: a run's events as lines that are only ever appended."""

from __future__ import annotations

from collections.abc import Iterable

from engine.search.events import Decision, Event, RunFinished, RunStarted, StepSampled, StepScored
from engine.search.tree import Tree
from engine.store import RunRecord, Store
from tts_ui.web.components.tree_lines import decide_line, end_line, grade_line, node_line, run_line, score_line


class Feed:
    """One run as it is read: `update` takes in what is new since the last time.

    Attributes:
        value: the SearchTree's value so far.
        tree: the tree so far.
        record: the run's row, of the same moment as the tree.
        log: the events so far.
    """

    def __init__(self, store: Store, run_id: str) -> None:
        self._store, self._run_id = store, run_id
        self._last = -1
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
                return run_line(event.run_id, event.problem)
            case StepSampled():
                return node_line(
                    event.node, event.parent, event.text, depth=event.depth, seq=event.seq, finish=event.finish,
                    copies=event.copies, origin=event.origin, tokens=event.tokens,
                )  # fmt: skip
            case StepScored():
                return score_line(event.node, event.value, seq=event.seq)
            case Decision():
                return decide_line(event.node, event.action, seq=event.seq)
            case RunFinished():
                return "".join([*self._grades(), end_line(event.status)])

    def _grades(self) -> Iterable[str]:
        """Ticks and crosses, where there is a reference answer to hold against."""
        if self.record.reference_answer is None:
            return
        for leaf in self.tree.completions():
            grade = self.record.grades.get(leaf.answer) if leaf.answer is not None else None
            yield grade_line(leaf.id, bool(grade and grade.correct))

"""Everything that can show a run, asked for one run: pages as a browser asks for them, files, and the terminal."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from dataclasses import dataclass
from pathlib import Path

from support.visitor import Visitor

from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.store import Store
from engine.store.exporters import FORMATS, LABELS, render_labels
from tts_ui.cli import terminal
from tts_ui.cli.terminal_rules import print_rules
from tts_ui.web.app import launch

#: Steps that are selected on the page, from the first on.
_SELECTED = 4


def harmless(said: str) -> bool:
    """Whether a terminal only writes this: no control but the end of a line, no half of a character."""
    return not [mark for mark in said if (ord(mark) < 32 and mark != "\n") or 127 <= ord(mark) < 160]


@dataclass
class Views:
    """A server on one's own machine, and somebody at its pages."""

    store: Store
    explore: Visitor
    compare: Visitor

    def show(self, run_id: str) -> None:
        """Fails where one of them cannot show the run."""
        self._on_the_pages(run_id)
        self._as_files(run_id)
        self._in_the_terminal(run_id)

    def _on_the_pages(self, run_id: str) -> None:
        for visitor, query in ((self.explore, f"run={run_id}"), (self.compare, f"runs={run_id},{run_id}")):
            said = visitor.open(query)
            assert '"success":true' in said and "Internal error" not in said, said[-2000:]
        select = self.explore.function("tree", "select")
        for node in range(min(_SELECTED, len(self.store.tree(run_id)))):
            step = {"index": node, "value": node, "selected": True, "linked": {}, "moments": {}}
            answer = self.explore.direct(select, run_id, event_data=step)
            assert answer.status_code == 200, answer.text
        listed = self.explore.client.get("rte/runs")
        assert listed.status_code == 200, listed.text

    def _as_files(self, run_id: str) -> None:
        for format in (*FORMATS, "html"):
            answer = self.explore.client.get(f"export/{run_id}/{format}")
            assert answer.status_code == 200 and answer.content, (format, answer.text)
        for format in LABELS:
            with suppress(InvalidInput):
                render_labels(format, [self.store.read(run_id)])

    def _in_the_terminal(self, run_id: str) -> None:
        shown = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="replace")
        with redirect_stdout(shown):
            record, tree = self.store.run(run_id), self.store.tree(run_id)
            terminal.print_tree(record, tree, record.judge)
            print_rules(record, tree, record.judge)
            terminal.print_runs([record])
        shown.seek(0)
        assert harmless(shown.read())


@contextmanager
def viewing(folder: Path) -> Iterator[Views]:
    with Store.open(str(folder / "runs.db")) as store:
        host = Host(store)
        served = launch(host)
        explore, compare = Visitor(served.url, "viewer"), Visitor(served.url, "comparer", "compare")
        try:
            yield Views(store, explore, compare)
        finally:
            explore.close()
            compare.close()
            served.close()
            host.close()

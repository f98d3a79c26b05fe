"""A finished vote read again as if it had stopped early, for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.text import Text

from engine.domains import Domains
from engine.runs.stopping import stopped
from engine.search.stopping import threshold_of
from tts_ui.cli.terminal import console_for_text, one_line
from tts_ui.words.stopping import sentences

if TYPE_CHECKING:
    from engine.search.tree import Tree
    from engine.store import RunRecord


def print_stopped(record: RunRecord, tree: Tree, stop: str) -> None:
    """What the run would have answered with `--stop`. Raises `InvalidInput` where that cannot be read."""
    with Domains() as domains:
        read = stopped(record, tree, domains[record.domain], threshold_of(stop))
    console = console_for_text()
    for said in sentences(record, read):
        console.print(Text(one_line(said)), soft_wrap=True)

"""The Share menu of a page: what can be downloaded of the runs it shows, and the link to what is on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from urllib.parse import quote

from engine.store import RunRecord
from engine.store.exporters import FORMATS, LABELS
from engine.store.labels import labeller_of
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked

#: What several runs side by side are offered as.
PAGE = "html"
#: People whose labels are offered each on its own.
_LABELLERS = 3
_PROPER = {"graphml": "GraphML", "processbench": "ProcessBench"}


def menu(records: Sequence[RunRecord], *, one_comparison: bool = False, labels: Sequence[str] = ()) -> str:
    """`one_comparison`: the runs were made as one, so there is a document of them; `labels`: the judges that stand for
    people who have labelled their steps. Addresses are relative: they hold
    under a proxy's path, too."""
    ids = ",".join(quote(record.id, safe="") for record in records)
    alone = len(records) == 1
    formats = {PAGE: say("share.page")} | {
        name: say(f"share.format_{name}") for name in FORMATS if alone or (name == "json" and one_comparison)
    }
    links = "".join(
        f'<li><a href="./export/{ids}/{name}" download><b>{_PROPER.get(name, name.upper())}</b> {escape(says)}</a></li>'
        for name, says in formats.items()
    )
    links += "".join(
        f'<li><a href="./export/{ids}/{name}?labels={quote(judge, safe="")}" download>'
        f"<b>{_PROPER.get(name, name.upper())}</b> {escape(_labels_say(name, judge, len(labels)))}</a></li>"
        for judge in labels[:_LABELLERS] for name in LABELS
    )  # fmt: skip
    copy = marked("share.copy", copy_link=f"<b>{marked('share.copy_link')}</b>")
    return (
        f'<details class="share"><summary>{marked("share.share")}</summary><ul>'
        f'<li><button type="button" data-do="link" data-copied="{marked("share.copied")}">{copy}</button></li>'
        f"{links}</ul>"
        "</details>"
    )


def _labels_say(format: str, judge: str, labellers: int) -> str:
    whose = say("share.labels") if labellers == 1 else say("share.labels_of", labeller=labeller_of(judge))
    return say(f"share.format_{format}", labels=whose)

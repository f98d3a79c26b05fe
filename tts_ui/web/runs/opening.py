"""Opening a file on the Runs page, and how far that is."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from dataclasses import asdict
from tempfile import TemporaryDirectory
from typing import Any

from engine.errors import TtsError
from engine.store.importers import Imported
from tts_ui.words.interface import say

#: Told how many bytes of how many have been read.
Progress = Callable[[int, int], None]


def following(
    work: Callable[[Progress], Imported], refusal: Callable[[TtsError], dict[str, str]], folder: TemporaryDirectory[str]
) -> Iterator[dict[str, Any]]:
    """Do `work` in a thread of its own, to its end even if nobody listens any more, and clear its `folder` away after
    it. Yields how far it is, and at last what it brought, or its `refusal`."""
    told: queue.Queue[dict[str, Any]] = queue.Queue()
    percent = -1

    def progress(done: int, of: int) -> None:
        nonlocal percent
        if percent != (percent := 100 * done // max(1, of)):
            told.put({"done": percent})

    def run() -> None:
        with folder:
            try:
                told.put(asdict(work(progress)))
            except TtsError as error:
                told.put(refusal(error))
            except BaseException:
                told.put({"argument": "FILE", "error": say("runs_file.unread")})
                raise

    threading.Thread(target=run, name="opening", daemon=True).start()
    while "done" in (said := told.get()):
        yield said
    yield said

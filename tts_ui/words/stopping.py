"""What a finished run would have come to if it had stopped early, on the page and in the terminal. Plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tts_ui.words import numbers
from tts_ui.words.results import no_answer, outcome

if TYPE_CHECKING:
    from engine.runs.stopping import Stopped, WouldAnswer
    from engine.store import RunRecord


def sentences(record: RunRecord, read: Stopped) -> list[str]:
    """What it would have answered, after how many draws, and what that would have saved; then what this rests on."""
    if read.cut and read.unsure == 1:
        ended = f"the {read.of} draws after which the run itself was over"
        return [f"With beta:{read.threshold:g} it would have gone on beyond {ended}; what comes then is not on record."]
    return [
        f"With beta:{read.threshold:g} {_answered(record, read)} after {_drawn(read)}:"
        f" {numbers.count(round(read.tokens))} of {numbers.count(read.all_tokens)} tokens,"
        f" {100 * read.saved:.0f} % saved.",
        *filter(None, [_unsure(read), _rests_on(read)]),
    ]


def _answered(record: RunRecord, read: Stopped) -> str:
    best, *others = read.answers
    if not others:
        same = ", as it did," if best.answer == record.answer else ""
        return f"it would have answered {_named(record, best)}{same}"
    told = [f"{_named(record, each)} in {100 * each.share:.0f} %" for each in read.answers[:3]]
    more = f" and {len(read.answers) - 3} other answers in the rest" if len(read.answers) > 3 else ""
    return f"it would have answered {', '.join(told)}{more} of the orders of its draws,"


def _named(record: RunRecord, each: WouldAnswer) -> str:
    if each.answer is None:
        return f"nothing ({no_answer()})"
    graded = "" if each.correct is None else f" ({outcome(record, each.correct)})"
    return f"{each.answer}{graded}"


def _drawn(read: Stopped) -> str:
    if read.least == read.most:
        return f"{read.most} of {read.of} draws"
    return f"{read.drawn:.1f} of {read.of} draws on average ({read.least} to {read.most})"


def _unsure(read: Stopped) -> str:
    if not read.unsure:
        return ""
    where = "It is" if read.unsure == 1 else f"In {100 * read.unsure:.0f} % of the orders it is"
    said = f"{where} never that sure within the {read.of} draws on record"
    return f"{said}; the run itself stopped there, and more draws might have told." if read.cut else f"{said}."


def _rests_on(read: Stopped) -> str:
    if read.orders == 1:
        return "Read in the order in which the draws were taken, at no model cost."
    return (
        f"Equal draws are one step, so their order is not on record: read in {read.orders} random orders,"
        " all equally likely, at no model cost."
    )

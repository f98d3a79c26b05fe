"""What the Judges tab says of a selection of runs, as HTML: how far their judges agree, and what if another had
steered. Each number opens a list of the trees behind it, each of which is a link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from engine.errors import InvalidInput
from engine.runs.lab.agreement import Agreement, Pair, Step
from engine.runs.lab.what_if import OUTCOMES, Outcome, Steered, outcome
from engine.store import RunRecord
from tts_ui.web.lab.links import Place, listing
from tts_ui.web.parts.several import called, figure
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked
from tts_ui.words.results import no_answer
from tts_ui.words.texts import short, without_number


@dataclass(slots=True)
class Steerings:
    """Runs under other judges, as they are told one by one; `refused` counts runs for which nothing can be told."""

    found: dict[str, dict[Outcome, list[Place]]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)
    told: int = 0

    def take(self, record: RunRecord, steered: Iterable[Steered] | InvalidInput) -> None:
        if isinstance(steered, InvalidInput):
            self.refused[steered.message] += 1
            return
        self.told += 1
        for each in steered:
            ended = outcome(record, each)
            place = Place(record.id, _place(each), f"{short(record.problem)}: {_words(record, each)}")
            self.found.setdefault(each.judge, {}).setdefault(ended, []).append(place)


def _place(each: Steered) -> int:
    """The step that says most about it: where it leaves the record, else the first that it decides otherwise."""
    return next(iter((*each.strayed, *each.otherwise)), 0)


def _words(record: RunRecord, each: Steered) -> str:
    if each.left:
        slots = say("what_if.slots", n=each.left.of, slots=each.left.slots, of=each.left.of)
        return say("judges.leaves", step=each.left.level, slots=slots)
    return say("judges.instead", answer=short(each.answer or no_answer()), own=short(record.answer or no_answer()))


def agreement_table(found: Agreement, runs: int) -> str:
    """The pairs of judges of a selection; their numbers lead to the largest differences."""
    if not found.pairs:
        return f'<p class="hint">{marked("judges.no_pair", n=runs, runs=numbers.count(runs))}</p>'
    together = ""
    if len(found.judges) > 2:
        together = " " + marked(
            "judges.together", n=found.n, judges=len(found.judges), alpha=f"<b>{figure(found.alpha)}</b>",
            steps=numbers.count(found.n),
        )  # fmt: skip
    heads = ("judge", "and", "runs", "steps", "rho", "alpha", "apart", "higher")
    head = "".join(f"<th>{marked(f'judges.column_{name}')}</th>" for name in heads)
    rows = "".join(_pair(pair) for pair in found.pairs)
    return (
        f'<table class="judged pairs"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="hint">{marked("judges.over", together=together)}</p>'
    )


def _pair(pair: Pair) -> str:
    places = [_difference(pair, step) for step in pair.steps]
    cells = (
        numbers.count(pair.runs), numbers.count(pair.n), _opens(figure(pair.rho), places),
        _opens(figure(pair.alpha), places), _opens(f"{pair.apart:.2f}", places),
        f"{pair.higher:+.2f}".replace("-", "&minus;"),
    )  # fmt: skip
    body = "".join(f"<td>{cell}</td>" for cell in cells)
    return f"<tr><td>{escape(pair.a)}</td><td>{escape(pair.b)}</td>{body}</tr>"


def _difference(pair: Pair, step: Step) -> Place:
    text = short(" ".join(without_number(step.node.text[:400], step.node.depth).split()))
    scores = {"a": numbers.score(step.a), "b": numbers.score(step.b)}
    words = say("judges.difference", step=step.node.depth, text=text, **scores)
    return Place(step.run_id, step.node.id, words, f"{pair.a},{pair.b}", "gap")


def _opens(shown: str, places: Sequence[Place]) -> str:
    """A number that opens the trees behind it."""
    return f'<details class="behind"><summary>{shown}</summary>{listing(places)}</details>' if places else shown


def what_if_table(steerings: Steerings) -> str:
    """How many runs would have ended otherwise, by judge."""
    refused = "".join(
        f"<li>{numbers.count(count)}: {escape(why)}</li>" for why, count in steerings.refused.most_common(5)
    )
    left_out = f'<p class="hint">{marked("judges.refused")}</p><ul class="hint">{refused}</ul>' if refused else ""
    if not steerings.found:
        return left_out or f'<p class="hint">{marked("judges.no_steered")}</p>'
    names = ("column_judge", "column_runs", *(each.replace(" ", "_") for each in OUTCOMES))
    head = "".join(f"<th>{marked(f'judges.{name}')}</th>" for name in names)
    not_known = f"<i>{marked('judges.not_known')}</i>"
    rows = "".join(_judge(judge, ended) for judge, ended in steerings.found.items())
    return (
        f'<table class="judged what-if"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="hint">{marked("judges.what_if", not_known=not_known)}</p>{left_out}'
    )


def _judge(judge: str, ended: Mapping[Outcome, Sequence[Place]]) -> str:
    counts = {name: ended.get(name, []) for name in OUTCOMES}
    cells = "".join(f"<td>{_opens(numbers.count(len(places)), places)}</td>" for places in counts.values())
    return f"<tr><td>{escape(called(judge))}</td><td>{numbers.count(sum(map(len, counts.values())))}</td>{cells}</tr>"

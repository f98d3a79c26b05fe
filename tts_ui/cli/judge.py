"""`tts-ui judge`: how well judges find the first wrong step, on sets where it is known."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from typing import Any

from rich.table import Table
from rich.text import Text

from engine.errors import InvalidInput
from engine.runs.lab.benchmark import USUAL, Outcome, Scored, Share, best, first_error, mean_f1, outcome
from engine.runs.lab.cases import CaseSet, case_set
from engine.runs.lab.published import PUBLISHED, Published, subset_of
from engine.runs.lab.rescoring import positions_about, score_trees
from engine.runs.lab.solutions import tree_of
from engine.search.events import Usage
from engine.search.scorer import Scorer
from tts_ui.cli import terminal
from tts_ui.cli.judges import Judges, cost, named, wait
from tts_ui.words import numbers


@dataclass(frozen=True, slots=True)
class Asked:
    """`sets` are files or names of built-in sets; the best threshold on `threshold_from` holds for all."""

    sets: Sequence[str]
    scorers: str
    limit: int | None = None
    threshold: float | None = None
    threshold_from: str | None = None
    models: str | None = None
    as_json: bool = False


@dataclass(frozen=True, slots=True)
class _Result:
    """A judge on a set."""

    judge: str
    cases: CaseSet
    scored: Sequence[Scored]
    usage: Usage
    outcome: Outcome
    bound: Outcome | None


def judge(asked: Asked) -> None:
    """Read the sets, score and measure. Mistakes raise `InvalidInput` before a model is loaded."""
    catalogue, names = named(asked.scorers, asked.models)
    if asked.threshold is not None and asked.threshold_from is not None:
        raise InvalidInput("threshold", "give either it or --threshold-from, not both")
    sets = [case_set(name, asked.limit) for name in asked.sets]
    chooser = _chooser(asked, sets)
    results: list[_Result] = []
    with closing(catalogue):
        judges = Judges(catalogue)
        try:
            for name in names:
                _of_judge(judges.load(name), sets, chooser, asked, judges, results)
        except KeyboardInterrupt:
            if asked.as_json and results:
                terminal.print_json(_document(results, asked))
            raise
    if asked.as_json:
        terminal.print_json(_document(results, asked))
    else:
        _print_averages(results, names)
        _print_published(results)


def _chooser(asked: Asked, sets: Sequence[CaseSet]) -> CaseSet | None:
    """The set that the threshold is chosen on, one of `sets` where it is named there."""
    if asked.threshold_from is None:
        return None
    if asked.threshold_from in asked.sets:
        chooser = sets[list(asked.sets).index(asked.threshold_from)]
    else:
        try:
            chooser = case_set(asked.threshold_from, asked.limit)
        except InvalidInput as error:
            raise InvalidInput("threshold_from", error.message) from error
    if len({case.right for case in chooser.cases}) < 2:
        raise InvalidInput("threshold_from", "it needs solutions with and without a wrong step; name another set")
    return chooser


def _of_judge(
    scorer: Scorer, sets: Sequence[CaseSet], chooser: CaseSet | None, asked: Asked, judges: Judges,
    results: list[_Result],
) -> None:  # fmt: skip
    """Measure one judge on every set; each result is printed when it is there."""
    read: dict[int, tuple[list[Scored], Usage]] = {}

    def scored(cases: CaseSet) -> tuple[list[Scored], Usage]:
        if id(cases) not in read:
            read[id(cases)] = _read(scorer, cases, judges)
        return read[id(cases)]

    threshold = USUAL if asked.threshold is None else asked.threshold
    if chooser is not None:
        chosen = best(scored(chooser)[0])
        assert chosen is not None  # see `_chooser`
        threshold = chosen.threshold
    for cases in sets:
        found, usage = scored(cases)
        results.append(_Result(scorer.info.name, cases, found, usage, outcome(found, threshold), best(found)))
        if not asked.as_json:
            _print_result(results[-1], asked, first=len(results) == 1)


def _read(scorer: Scorer, cases: CaseSet, judges: Judges) -> tuple[list[Scored], Usage]:
    trees = [tree_of(case.problem, case.steps) for case in cases.cases]
    began = time.monotonic()
    what = f"{scorer.info.name} on {cases.name}"
    judges.say(f"{what}: about {sum(positions_about(tree, scorer) for tree in trees):,} PRM tokens to read")
    with judges.reading(what, len(trees)) as count:
        found = wait(score_trees(trees, scorer, lambda _: count()))
    usage = replace(Usage.total(each.usage for each in found), wall_s=time.monotonic() - began)
    judges.say(f"{what}: {cost(usage)}")
    scored = []
    for case, each in zip(cases.cases, found, strict=True):
        values = {score.node: score.value for score in each.scores}
        scored.append(Scored(case, tuple(values.get(at) for at in range(1, len(case.steps) + 1))))
    return scored, usage


# --- what is printed -------------------------------------------------------------------------------------------------


def _print_result(result: _Result, asked: Asked, *, first: bool) -> None:
    console = terminal.console_for_text()
    measured, bound = result.outcome, result.bound
    if first:
        console.print(Text(_how(asked)), soft_wrap=True)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_row("first wrong step found", _share(measured.error))
    table.add_row("right solutions left alone", _share(measured.correct))
    table.add_row("F1", _percent(measured.f1))
    if bound is not None:
        table.add_row(
            "F1, bound", f"{_percent(bound.f1)} at {bound.threshold:.4g}, the threshold that is best on this set"
        )
    unscored = sum(None in each.scores for each in result.scored)
    console.print(Text(f"\n{result.judge} on {result.cases.name}, threshold {measured.threshold:.4g}", style="bold"))
    console.print(table)
    if unscored:
        console.print(f"{unscored} cases are too long for the judge; what it could not score counts as not found")
    if result.cases.left_out:
        console.print(f"{result.cases.left_out} solutions were left out: their labels end before they do")


def _how(asked: Asked) -> str:
    if asked.threshold_from is not None:
        chosen = f"the one that is best on {asked.threshold_from}, for all sets"
    else:
        chosen = (
            "the one given" if asked.threshold is not None else "half a probability; --threshold-from SET chooses one"
        )
    return f"A step below the threshold is wrong. Threshold: {chosen}. Intervals: Wilson, 95 %."


def _share(share: Share) -> str:
    if not share.of:
        return f"{numbers.NOT_AVAILABLE} (there is none in the set)"
    interval = share.interval
    return (
        f"{100 * interval.mean:.1f} [{100 * interval.low:.1f}, {100 * interval.high:.1f}] ({share.right} of {share.of})"
    )


def _percent(value: float | None) -> str:
    return numbers.NOT_AVAILABLE if value is None else f"{100 * value:.1f}"


def _print_averages(results: Sequence[_Result], names: Sequence[str]) -> None:
    console = terminal.console_for_text()
    for name in names:
        own = [each for each in results if each.judge == name]
        if len(own) > 1:
            average = _percent(mean_f1([each.outcome for each in own]))
            console.print(Text(f"\n{name}: average F1 of {len(own)} sets {average}", style="bold"))


def _subsets(results: Sequence[_Result]) -> list[str]:
    found = [subset_of([each.cases.name]) for each in results]
    return list(dict.fromkeys(subset for subset in found if subset))


def _print_published(results: Sequence[_Result]) -> None:
    """What others published on the same subsets."""
    subsets = _subsets(results)
    if not subsets:
        return
    table = Table(box=None, pad_edge=False)
    table.add_column("published, not measured here")
    for name in (*subsets, "average of 4"):
        table.add_column(name, justify="right")
    table.add_column("source")
    for each in PUBLISHED:
        known = [f"{each.subsets[name]:.1f}" if name in each.subsets else "" for name in subsets]
        table.add_row(each.model, *known, f"{each.average:.1f}", each.source)
    console = terminal.console_for_text()
    console.print(Text("\nF1 on ProcessBench", style="bold"))
    console.print(table)


def _document(results: Sequence[_Result], asked: Asked) -> dict[str, Any]:
    """What `tts-ui judge --json` prints."""
    names = list(dict.fromkeys(each.judge for each in results))
    return {
        "format": "tts-ui.judgement",
        "version": 1,
        "threshold_from": asked.threshold_from,
        "results": [_result(each) for each in results],
        "averages": [
            {"scorer": name, "sets": len(own), "f1": mean_f1([each.outcome for each in own])}
            for name in names
            for own in [[each for each in results if each.judge == name]]
        ],
        "published": [_published(each) for each in PUBLISHED] if _subsets(results) else [],
    }


def _published(each: Published) -> dict[str, Any]:
    return {
        "model": each.model,
        "f1_percent": dict(each.subsets),
        "average_percent": each.average,
        "source": each.source,
    }


def _result(each: _Result) -> dict[str, Any]:
    return {
        "scorer": each.judge,
        "set": each.cases.name,
        "cases": len(each.scored),
        "left_out": each.cases.left_out,
        "threshold": each.outcome.threshold,
        "error": _share_document(each.outcome.error),
        "correct": _share_document(each.outcome.correct),
        "f1": each.outcome.f1,
        "bound": {"f1": each.bound.f1, "threshold": each.bound.threshold} if each.bound else None,
        "usage": asdict(each.usage),
        "scored": [
            {
                "id": one.case.id, "label": one.case.label, "scores": one.scores,
                "predicted": first_error(one.scores, each.outcome.threshold),
            }
            for one in each.scored
        ],
    }  # fmt: skip


def _share_document(share: Share) -> dict[str, Any]:
    interval = share.interval
    return {
        "right": share.right, "of": share.of, "accuracy": interval.mean if share.of else None, "low": interval.low,
        "high": interval.high,
    }  # fmt: skip

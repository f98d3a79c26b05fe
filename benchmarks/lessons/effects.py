"""Every figure of the lessons, by name, from the report's runs and the lookahead searches that it has not.

Names read `policy.method.N`; intervals are those of the report: 95 %, bootstrap over problems, paired for differences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from statistics import fmean

from benchmarks.builtin_report.plan import BUDGETS, JUDGE, POLICIES, WEAK_JUDGE, greedy, sampled, searched
from benchmarks.lessons.outcomes import Reader
from engine.runs.statistics.accuracies import bootstrap, paired
from engine.runs.statistics.resampling import ratio
from engine.runs.sweeps.cells import Cell
from engine.search.events import Usage
from engine.search.params import RunParams
from engine.search.strategies.compute_optimal import DIFFICULTIES, difficulty_of
from tts_ui.web.learn.effects import Effect

SMALL, LARGEST = POLICIES[0], POLICIES[-1]
#: N of the lessons where nothing else is said.
USUAL, MOST = 16, 64
BEST_RULE, VOTE = "prm_last_max", "majority_vote"

Named = Iterator[tuple[str, Effect]]


def lookahead() -> Cell:
    return Cell(SMALL, RunParams("lookahead", n=USUAL, width=4), JUDGE)


def effects(report: Reader, own: Reader) -> Iterator[tuple[str, Effect]]:
    """All figures; `own` has the lookahead searches on the same problems."""
    yield from sampling(report)
    yield from over_optimisation(report)
    yield from beam_and_dvts(report)
    yield from looking_ahead(report, own)
    yield from who_pays(report)
    yield from by_difficulty(report)
    yield from by_size(report)
    yield from small_and_large(report)


def sampling(report: Reader) -> Named:
    drawn = {n: sampled(SMALL, n) for n in BUDGETS}
    one, found = report.one_draw(drawn[MOST]), report.any_draw(drawn[MOST])
    votes = {n: report.under(cell, VOTE) for n, cell in drawn.items()}
    yield "xs.one", share(one)
    for n, vote in votes.items():
        yield f"xs.vote.{n}", share(vote)
    yield f"xs.any.{MOST}", share(found)
    yield "vote.gain", less(votes[USUAL], one)
    yield "vote.more", less(votes[MOST], votes[USUAL])
    yield "vote.missed", less(found, votes[MOST])


def over_optimisation(report: Reader) -> Named:
    for name, judge in (("good", JUDGE), ("weak", WEAK_JUDGE)):
        best = {n: report.under(sampled(SMALL, n, judge), BEST_RULE) for n in BUDGETS}
        for n, right in best.items():
            yield f"{name}.best.{n}", share(right)
        yield f"{name}.more", less(best[MOST], best[USUAL])


def beam_and_dvts(report: Reader) -> Named:
    for n in (USUAL, MOST):
        right = {name: report.right(cell) for name, cell in _searches(SMALL, n).items()}
        for name, values in right.items():
            yield f"xs.{name}.{n}", share(values)
            yield f"xs.{name}.{n}.tokens", amount("tokens", report.usage(_searches(SMALL, n)[name]), _tokens)
        yield f"beam.dvts.{n}", less(right["beam"], right["dvts"])
        yield f"beam.best.{n}", less(right["beam"], right["best"])
        yield f"dvts.best.{n}", less(right["dvts"], right["best"])


def looking_ahead(report: Reader, own: Reader) -> Named:
    beam, tree = searched(SMALL, "beam_search", USUAL), searched(SMALL, "mcts", USUAL)
    ahead, right = own.right(lookahead()), report.right(beam)
    yield "xs.mcts.16", share(report.right(tree))
    yield "xs.ahead.16", share(ahead)
    yield "mcts.beam", less(report.right(tree), right)
    yield "ahead.beam", less(ahead, right)
    yield "ahead.cost", times(own.usage(lookahead()), report.usage(beam), _all)
    yield "mcts.cost", times(report.usage(tree), report.usage(beam), _all)
    for name, usage in (("mcts", report.usage(tree)), ("ahead", own.usage(lookahead()))):
        yield f"xs.{name}.16.tokens", amount("tokens", usage, _tokens)


def who_pays(report: Reader) -> Named:
    best, beam = sampled(SMALL, USUAL), searched(SMALL, "beam_search", USUAL)
    vote = report.under(sampled(SMALL, MOST), VOTE)
    usage = report.usage(best)
    yield "bill.writing", amount("flops", usage, _written)
    yield "bill.all", amount("flops", usage, _all)
    yield "bill.times", times(usage, usage, _all, _written)
    yield "bill.beam", amount("flops", report.usage(beam), _all)
    yield "bill.vote.64", amount("flops", report.usage(sampled(SMALL, MOST)), _written)
    yield "judge.vote", less(report.right(best), vote)
    yield "beam.vote", less(report.right(beam), vote)
    large = report.usage(sampled(LARGEST, USUAL))
    yield "bill.large.times", times(large, large, _all, _written)


def by_difficulty(report: Reader) -> Named:
    best, beam = report.right(sampled(SMALL, USUAL)), report.right(searched(SMALL, "beam_search", USUAL))
    bins = [difficulty_of(right) for right in report.one_draw(sampled(SMALL, MOST))]
    for number, name in enumerate(DIFFICULTIES):
        here = [place for place, each in enumerate(bins) if each == number]
        ours, theirs = ([values[place] for place in here] for values in (beam, best))
        yield f"{name}.beam", share(ours)
        yield f"{name}.best", share(theirs)
        yield f"{name}.gain", less(ours, theirs)


def by_size(report: Reader) -> Named:
    for policy in POLICIES:
        beam, best = report.right(searched(policy, "beam_search", USUAL)), report.right(sampled(policy, USUAL))
        yield f"{_short(policy)}.size.gain", less(beam, best)


def small_and_large(report: Reader) -> Named:
    search, cheap = searched(SMALL, "beam_search", MOST), searched(SMALL, "beam_search", min(BUDGETS))
    yield "xs.beam.4", share(report.right(cheap))
    yield "xs.beam.4.flops", amount("flops", report.usage(cheap), _all)
    yield "xs.beam.64.flops", amount("flops", report.usage(search), _all)
    yield "xs.greedy", share(report.right(greedy(SMALL)))
    for policy in POLICIES[1:]:
        alone, name = greedy(policy), _short(policy)
        yield f"{name}.greedy", share(report.right(alone))
        yield f"{name}.greedy.flops", amount("flops", report.usage(alone), _all)
        yield f"small.{name}", less(report.right(search), report.right(alone))
        yield f"small.{name}.cost", times(report.usage(search), report.usage(alone), _all)
    yield "cheap.m", less(report.right(cheap), report.right(greedy("builtin-m")))
    yield "cheap.m.cost", times(report.usage(cheap), report.usage(greedy("builtin-m")), _all)


def share(values: Sequence[float]) -> Effect:
    return Effect.of("share", bootstrap(values), len(values))


def less(first: Sequence[float], second: Sequence[float]) -> Effect:
    return Effect.of("difference", paired(first, second), len(first))


def amount(kind: str, usage: Sequence[Usage], of: Callable[[Usage], float]) -> Effect:
    """A mean amount a problem; what it costs hardly varies, and the report gives it without an interval."""
    mean = round(fmean(of(each) for each in usage), 1)
    return Effect("flops" if kind == "flops" else "tokens", mean, mean, mean, len(usage))


def times(
    first: Sequence[Usage], second: Sequence[Usage], of: Callable[[Usage], float],
    other: Callable[[Usage], float] | None = None,
) -> Effect:  # fmt: skip
    """How many times as much the first cost as the second, over the same problems."""
    return Effect.of("ratio", ratio([of(each) for each in first], [(other or of)(each) for each in second]), len(first))


def _searches(policy: str, n: int) -> Mapping[str, Cell]:
    return {
        "beam": searched(policy, "beam_search", n), "dvts": searched(policy, "dvts", n), "best": sampled(policy, n),
    }  # fmt: skip


def _short(policy: str) -> str:
    return policy.removeprefix("builtin-")


def _tokens(usage: Usage) -> float:
    return float(usage.generated_tokens)


def _written(usage: Usage) -> float:
    """FLOPs of the policy's writing alone, the way the study counts."""
    return usage.flops_paper


def _all(usage: Usage) -> float:
    return usage.flops_all

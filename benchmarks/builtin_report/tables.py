"""The report's text: tables in Markdown, every figure computed from the runs on record."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from benchmarks.builtin_report.judges import judge_quality
from benchmarks.builtin_report.measure import RULES, Outcomes, Reader
from benchmarks.builtin_report.plan import (
    BUDGETS,
    JUDGE,
    JUDGED_N,
    POLICIES,
    SEARCHES,
    TEST_PROBLEMS,
    WEAK_JUDGE,
    greedy,
    other_judges,
    sampled,
    searched,
)
from benchmarks.report import percent
from engine.runs.statistics.accuracies import bootstrap, paired
from engine.search.interval import Interval
from engine.search.strategies import STRATEGIES
from engine.search.strategies.compute_optimal import DIFFICULTIES
from tts_ui.words.numbers import count, flops


@dataclass(frozen=True, slots=True)
class Row:
    """One method at one budget: whether it was right, problem by problem, and the runs it was read from."""

    method: str
    n: int
    right: tuple[float, ...]
    source: Outcomes


def rows(reader: Reader, policy: str) -> list[Row]:
    """Every method of a policy, under the good judge, that has been run on the test set."""
    asked = reader.test
    found = [Row("greedy", 1, run.right, run) for run in [reader.outcomes(greedy(policy), asked)] if run]
    for n in BUDGETS:
        if drawn := reader.outcomes(sampled(policy, n), asked):
            if n == max(BUDGETS):
                found.insert(1, Row("sampled, one draw", 1, drawn.rules["sampled"], drawn))
            found += [Row(name, n, drawn.rules[name], drawn) for name in RULES]
        for strategy in SEARCHES:
            if run := reader.outcomes(searched(policy, strategy, n), asked):
                found.append(Row(STRATEGIES[strategy].title, n, run.right, run))
    return found


def problems(reader: Reader) -> str:
    """The problems the report is about: all of them, or the first ones that every cell has been run on."""
    done = len(reader.test)
    return f"{done} problems" if done == TEST_PROBLEMS else f"first {done} of {TEST_PROBLEMS} problems"


def best_search(reader: Reader, policy: str) -> str | None:
    """The search with the highest accuracy at N = 16 on the validation set; None until all have been run there."""
    asked = reader.validation
    runs = {strategy: reader.outcomes(searched(policy, strategy, 16), asked) for strategy in SEARCHES}
    if not all(runs.values()):
        return None
    return max(SEARCHES, key=lambda strategy: sum(run.right) if (run := runs[strategy]) else 0.0)


def difference(interval: Interval) -> str:
    star = " *" if interval.excludes_zero else ""
    return f"{100 * interval.mean:+.1f} [{100 * interval.low:+.1f}, {100 * interval.high:+.1f}]{star}"


def thousandths(interval: Interval) -> str:
    return f"{interval.mean:.3f} [{interval.low:.3f}, {interval.high:.3f}]"


def table(head: Sequence[str], body: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def policy_section(reader: Reader, policy: str) -> str:
    found = rows(reader, policy)
    if not found:
        return f"### {policy}\n\nNot run yet.\n"
    bins = reader.difficulties(policy)
    body = [[row.method, str(row.n), percent(bootstrap(row.right)), *_by_bin(row, bins), *_cost(row)] for row in found]
    head = ["method", "N", "accuracy", *DIFFICULTIES, "tokens", "FLOPs, policy", "FLOPs, all"]
    counts = ", ".join(f"{name} {bins.count(name)}" for name in DIFFICULTIES) if bins else "not measured yet"
    return f"### {policy}\n\nProblems by the policy's own Pass@1 (64 samples): {counts}.\n\n{table(head, body)}\n"


def _by_bin(row: Row, bins: Sequence[str] | None) -> list[str]:
    if bins is None:
        return ["n/a"] * len(DIFFICULTIES)
    shares = []
    for name in DIFFICULTIES:
        inside = [right for right, bin_ in zip(row.right, bins, strict=True) if bin_ == name]
        shares.append(f"{100 * sum(inside) / len(inside):.1f}" if inside else "n/a")
    return shares


def _cost(row: Row) -> list[str]:
    """Means per problem. A single draw costs its share of the samples it was counted among; a majority needs no PRM."""
    share = 1 / max(BUDGETS) if row.method.startswith("sampled") else 1.0
    policy_only = row.method in ("greedy", "majority") or row.method.startswith("sampled")
    spent = row.source.mean("flops_paper" if policy_only else "flops_all")
    return [
        count(round(share * row.source.mean("generated_tokens"))),
        flops(share * row.source.mean("flops_paper")),
        flops(share * spent),
    ]


def policies_section(reader: Reader) -> str:
    asked = reader.test
    body = []
    for policy in POLICIES:
        one, drawn = reader.outcomes(greedy(policy), asked), reader.outcomes(sampled(policy, 64), asked)
        size = reader.parameters(greedy(policy))
        judged = judge_quality(reader, policy, JUDGE, asked)
        body.append(
            [policy, count(size), percent(bootstrap(one.right)) if one else "not run"]
            + [percent(bootstrap(drawn.rules[name])) if drawn else "not run" for name in ("sampled", "any")]
            + [thousandths(judged.auc) if judged else "not run"]
        )
    return table(["policy", "parameters", "greedy", "sampled pass@1", "pass@64", f"step AUC of {JUDGE}"], body)


def differences(reader: Reader) -> Iterator[tuple[str, Interval]]:
    """What the report is about, as paired differences in accuracy over the same problems."""
    asked = reader.test
    for policy in POLICIES:
        one, drawn = reader.outcomes(greedy(policy), asked), reader.outcomes(sampled(policy, 16), asked)
        if drawn:
            vote, majority = drawn.rules["best-of-N, vote"], drawn.rules["majority"]
            yield f"{policy}: best-of-16 by vote - majority of 16", paired(vote, majority)
        best = best_search(reader, policy)
        run = reader.outcomes(searched(policy, best, 16), asked) if best else None
        if one and run and best:
            title = STRATEGIES[best].title
            yield f"{policy}: best search at N = 16 ({title}) - its own greedy answer", paired(run.right, one.right)
        for judge in (JUDGE, WEAK_JUDGE):
            few, many = (reader.outcomes(sampled(policy, n, judge), asked) for n in (16, 64))
            if few and many:
                for rule in ("best-of-N, max", "best-of-N, vote"):
                    yield f"{policy}, {judge}: {rule}, N = 64 - N = 16", paired(many.rules[rule], few.rules[rule])


def equivalence_section(reader: Reader) -> str:
    """Each policy's best search at N = 64 against every larger policy's greedy answer."""
    head = ["small", "large", "parameters, large / small", "policy FLOPs, small / large"]
    head += ["all FLOPs, small with PRM / large", "difference in points"]
    asked = reader.test
    body = []
    for place, policy in enumerate(POLICIES):
        best = best_search(reader, policy)
        run = reader.outcomes(searched(policy, best, 64), asked) if best else None
        for larger in POLICIES[place + 1 :]:
            one = reader.outcomes(greedy(larger), asked)
            if run and one and best:
                sizes = [reader.parameters(greedy(name)) or 0 for name in (policy, larger)]
                spent = [run.mean(kind) / one.mean("flops_paper") for kind in ("flops_paper", "flops_all")]
                who = [f"{policy}, {STRATEGIES[best].title}, N = 64", f"{larger}, greedy"]
                times = [f"{ratio:.1f}" for ratio in (sizes[1] / sizes[0], *spent)]
                body.append([*who, *times, difference(paired(run.right, one.right))])
    return table(head, body)


def judges_section(reader: Reader) -> str:
    head = ["policy", "judge", "step AUC", "first-error F1", "ECE", "max@16", "vote@16", "majority@16"]
    head += ["vote - majority"]
    head += [f"{STRATEGIES[s].title}@16" for s in SEARCHES]
    asked = reader.judged
    body = []
    for policy in POLICIES:
        for judge in (JUDGE, *other_judges(policy)):
            measured = judge_quality(reader, policy, judge, asked)
            drawn = reader.outcomes(sampled(policy, JUDGED_N, judge), asked)
            runs = [reader.outcomes(searched(policy, s, JUDGED_N, judge), asked) for s in SEARCHES]
            if measured is None or drawn is None:
                continue
            quality = measured.quality
            shown = [thousandths(measured.auc), f"{quality.first_error_f1:.3f}", f"{quality.calibration_error:.3f}"]
            shown += [percent(bootstrap(drawn.rules[r])) for r in ("best-of-N, max", "best-of-N, vote", "majority")]
            shown += [difference(paired(drawn.rules["best-of-N, vote"], drawn.rules["majority"]))]
            shown += [percent(bootstrap(run.right)) if run else "not run" for run in runs]
            body.append([policy, judge, *shown])
    return table(head, body)


def missing_section(reader: Reader) -> str:
    """The policies that have not been run on every problem; empty where there are none."""
    left = [
        f"- {policy}: {done} of {TEST_PROBLEMS} problems have been run under every method and judge."
        for policy, done in reader.covered.items()
        if done < TEST_PROBLEMS
    ]
    return "## Not run yet\n\n" + "\n".join(left) + "\n" if left else ""

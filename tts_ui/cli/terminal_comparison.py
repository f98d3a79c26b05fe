"""A comparison as one table: what each strategy found and spent, what was really spent, what was equal and what not."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from engine.search.events import Usage
from engine.search.selection import choose
from engine.search.tree import Tree
from engine.store import ComparisonRecord, RunRecord
from tts_ui.cli.terminal import OUTCOMES, bought, console_for_text, one_line
from tts_ui.words import numbers

_COLUMNS = ("answer", "", "votes", "tokens", "PRM tokens", "FLOPs (paper)", "FLOPs (all)", "calls", "time")


def print_comparison(
    record: ComparisonRecord, runs: Sequence[tuple[RunRecord, Tree]], look_again: Sequence[str]
) -> None:
    console = console_for_text()
    table = Table(box=None, pad_edge=False)
    table.add_column("strategy", no_wrap=True)
    for name in _COLUMNS:
        text = name in ("answer", "")
        table.add_column(name, justify="left" if text else "right", no_wrap=True, max_width=24, overflow="ellipsis")
    for run, tree in runs:
        table.add_row(run.strategy, *_found(run, tree), *_spent(run.usage, run.scorer is not None))
    judged = any(run.scorer for run, _ in runs)
    table.add_row("together, really", "", "", "", *_spent(record.shared, judged), style="dim")
    console.print(table)
    for line in [*_equality(record, [run for run, _ in runs]), *_large_models(runs)]:
        console.print(Text(line), soft_wrap=True)
    for line in look_again:
        console.print(Text(line, style="dim"), soft_wrap=True)


def _found(run: RunRecord, tree: Tree) -> tuple[Text, str, str]:
    """Answer, outcome (or what ended the run instead), votes."""
    groups = run.answers(tree)
    winner = choose(groups, eligible_without_answer=True)
    votes = f"{winner.votes} of {sum(group.votes for group in groups)}" if winner else ""
    state = "" if run.status == "done" else run.status
    answer = Text(one_line(run.error or run.answer or "no answer"))
    return answer, " ".join(filter(None, [OUTCOMES[run.correct], state])), votes


def _spent(usage: Usage, judged: bool) -> tuple[str, ...]:
    return (
        numbers.count(usage.generated_tokens),
        numbers.count(usage.scored_tokens) if judged else "no PRM",
        numbers.flops(usage.flops_paper),
        numbers.flops(usage.flops_all),
        f"{usage.policy_calls} + {usage.scorer_calls}",
        numbers.seconds(usage.wall_s),
    )


def _equality(record: ComparisonRecord, runs: Sequence[RunRecord]) -> list[str]:
    """Which budget was equal and what was not; whether the samples are shared."""
    equal = [] if record.budget is None else [f"at most {numbers.count(record.budget)} generated tokens each"]
    asked = {run.params["n"] for run in runs if "n" in run.params}
    if len(asked) == 1:
        alone = [run.strategy for run in runs if "n" not in run.params]
        equal.append(f"N = {asked.pop()}" + (f" ({', '.join(alone)} has none)" if alone else ""))
    spent: dict[str, set[float]] = {
        "generated tokens": {run.usage.generated_tokens for run in runs},
        "PRM tokens": {run.usage.scored_tokens for run in runs},
        "FLOPs (paper)": {run.usage.flops_paper for run in runs},
        "FLOPs (all)": {run.usage.flops_all for run in runs},
    }
    equal += [name for name, values in spent.items() if len(values) == 1 and runs]
    unequal = [name for name, values in spent.items() if len(values) > 1]
    paired = "paired: the same draws are made once and each run is charged as if alone"
    return [
        f"equal: {'; '.join(equal) or 'nothing'} | not equal: {', '.join(unequal) or 'nothing'}",
        paired if record.paired else "unpaired: each run has its own seed and shares nothing",
    ]


def _large_models(runs: Sequence[tuple[RunRecord, Tree]]) -> list[str]:
    return [f"the FLOPs of {run.strategy} would buy {bought(run.usage)}" for run, _ in runs if run.usage.flops_all]

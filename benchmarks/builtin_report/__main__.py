"""`make report`: run what is missing, then write the tables and figures of `assets/report/` from the runs on record.

The runs are kept in `.report/runs.db` (not in git); an interrupted report resumes where it stopped. Runs of models that
have been retrained since do not count. `--no-runs` writes the report from the runs on record.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from benchmarks.builtin_report import figures, tables
from benchmarks.builtin_report.measure import Reader
from benchmarks.builtin_report.plan import JUDGE, POLICIES, tasks
from benchmarks.builtin_report.runs import run, sweep_name
from engine.assets import assets
from engine.domains import Domains
from engine.runs.sweeps.sweep import Sweep
from engine.store import Store

OUT = assets() / "report"


def text(reader: Reader, drawn: Collection[str]) -> str:
    """The report as one Markdown document, with the figures in `drawn`."""

    def picture(name: str, about: str) -> str:
        return f"![{about}]({name}.svg)\n" if name in drawn else ""

    gaps = "\n".join(f"| {what} | {tables.difference(gap)} |" for what, gap in tables.differences(reader))
    sections = "\n".join(tables.policy_section(reader, policy) for policy in POLICIES)
    by_budget = (picture(f"by-budget-{policy}", f"accuracy of {policy} against N") for policy in POLICIES)
    pictures = "\n".join(filter(None, by_budget))
    return f"""# What search achieves on the built-in problems

Written by `make report` from recorded runs; nothing here is typed by hand. Accuracies are percentages with 95 %
confidence intervals (bootstrap over problems, paired for differences; * marks those that exclude 0). The
{tables.problems(reader)} of `builtin-1000` were never trained on; each policy's best search was chosen on
{len(reader.validation)} problems of `builtin-validation`. Temperature 0.8, seed 0, M = 4, every draw a beam,
finished beams banked, answers chosen by `prm_last_vote` unless stated otherwise. Costs are means per problem.

## Policies

{tables.policies_section(reader)}

## Differences

| what | points |
|---|---|
{gaps}

## Small with search against large and greedy

{tables.equivalence_section(reader)}

{picture("equivalence-policy-flops", "accuracy against policy FLOPs")}
{picture("equivalence-all-flops", "accuracy against all FLOPs")}
## Strategies by budget, judged by `{JUDGE}`

{pictures}
{sections}
## Judges

Step quality is measured on the policy's own samples (best-of-16 on the first {len(reader.judged)} problems; steps up to
and including the first wrong one; F1 is ProcessBench's at threshold 0.5; ECE has 10 bins). Accuracies are at N = 16 on
the same problems. The likelihood judge is the largest policy; it does not judge itself.

{tables.judges_section(reader)}

{tables.missing_section(reader)}"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the report on the built-in models, or resume it.")
    parser.add_argument("--db", type=Path, default=Path(".report/runs.db"), help="the runs (default: .report/runs.db)")
    parser.add_argument("--out", type=Path, default=OUT, help="where to write the report (default: assets/report)")
    parser.add_argument("--jobs", type=int, default=2, help="number of processes, one thread each (default: 2)")
    parser.add_argument(
        "--only", nargs="+", default=list(POLICIES), metavar="POLICY", choices=POLICIES, help="run only these"
    )
    parser.add_argument("--problems", type=int, help="use only this many problems of each set, for a quick trial")
    parser.add_argument("--no-runs", action="store_true", help="write the report from the runs on record")
    options = parser.parse_args(arguments)
    for name in ("problems", "jobs"):
        if (number := getattr(options, name)) is not None and number < 1:
            parser.error(f"--{name}: {number} is too few; give 1 or more")
    options.db.parent.mkdir(parents=True, exist_ok=True)
    Store.open(str(options.db)).close()  # create the tables before several processes want them
    if not options.no_runs:
        wanted = [task for task in tasks(options.problems) if task.policy in options.only]
        with ProcessPoolExecutor(options.jobs, mp_context=get_context("spawn")) as pool:
            list(pool.map(partial(run, db=options.db), wanted))
    options.out.mkdir(parents=True, exist_ok=True)
    domains = Domains()
    with Store.open(str(options.db)) as store:
        reader = Reader(Sweep(sweep_name(), store, domains), options.problems)
        drawn = figures.figures(reader)
        (options.out / "README.md").write_text(text(reader, drawn), encoding="utf-8")
        figures.write(drawn, options.out)
    domains.close()


if __name__ == "__main__":
    main()

"""The command line, `tts-ui`: thin commands over the same engine and store as the app.

Nothing heavy is imported before it is needed, so that `--help`, `runs` and every refusal answer at once; torch comes
with the first model that is loaded. How errors become one line and an exit code is in `tts_ui.cli.errors`, what results
look like in `tts_ui.cli.terminal`.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from engine.errors import InvalidInput, NoDatabase
from engine.search.params import RunParams
from engine.search.strategies import STRATEGIES
from tts_ui.cli.errors import exit_code
from tts_ui.cli.filters import Filters, takes_filters
from tts_ui.cli.mcp_options import mcp
from tts_ui.cli.options import AsJson, Db, Problem, SearchOptions, strategies_named, takes_search_options
from tts_ui.cli.serve_options import serve
from tts_ui.cli.sweep_options import sweep

if TYPE_CHECKING:  # SQL takes a while to import, and a refusal needs none
    from engine.store import Store

app = typer.Typer(
    name="tts-ui",
    help="Reasoning Tree Explorer: watch a language model search for an answer, step by step, score by score.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or any unique beginning of it.")]


@app.callback(invoke_without_command=True)
def tts_ui(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    if version:
        from engine.store.version import product_version

        typer.echo(f"tts-ui {product_version()}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


app.command()(serve)


@app.command()
@takes_search_options
def solve(
    *,
    problem: Problem,
    strategy: Annotated[str, typer.Option(help=f"One of {', '.join(STRATEGIES)}.")] = RunParams().strategy,
    options: SearchOptions,
) -> None:
    """Search for the answer to a problem and record the search. Ctrl-C stops it and keeps what it found."""
    params = options.params(strategy)
    from tts_ui.cli.solve import solve

    raise typer.Exit(solve(problem, params, options))


@app.command()
@takes_search_options
def compare(
    *,
    problem: Problem,
    strategies: Annotated[str, typer.Option(metavar="S1,S2,...", help=f"Two or more of {', '.join(STRATEGIES)}.")],
    unpaired: Annotated[bool, typer.Option("--unpaired", help="Give each its own seed; share nothing.")] = False,
    options: SearchOptions,
) -> None:
    """Search for the answer to one problem by several strategies, side by side, and record them.

    They share the samples they have in common, each is charged as if it ran alone, and the actual total is shown next
    to it. An option that only some of the strategies have applies to those. Ctrl-C stops them all and keeps what they
    found.
    """
    params = [options.params(strategy) for strategy in strategies_named(strategies)]
    from tts_ui.cli.compare import compare

    raise typer.Exit(compare(problem, params, options, paired=not unpaired))


def _reading(run: str, db: str | None) -> Store:
    """The store that has this run, to read it only."""
    from engine.store import Store

    try:
        return Store.reading(db)
    except NoDatabase as error:
        raise InvalidInput("run", f"no run id begins with {run[:80]!r}: {error}") from error


@app.command()
@takes_filters
def runs(
    *,
    filters: Filters,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many.")] = 50,
    prune: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Remove runs that ended so long ago (12h, 7d, 2w), for good, but kept ones."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="With --prune: list what would go.")] = False,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """List recorded runs, newest first, or remove old ones."""
    if prune is not None or dry_run:
        from tts_ui.cli.prune import prune_runs

        prune_runs(prune, db, dry_run=dry_run, filtered=filters.any, as_json=as_json)
        return
    from engine.store import Store
    from engine.store.document import runs_document
    from tts_ui.cli import terminal

    wanted = filters.wanted()
    try:
        with Store.reading(db) as store:
            if filters.sweep is not None:
                wanted = replace(wanted, sweep=store.find_sweep(filters.sweep).id)
            found = [each.record for each in store.listed(wanted, limit)]
    except NoDatabase:
        found = []
    if as_json:
        terminal.print_json(runs_document(found))
    elif found:
        terminal.print_runs(found)
    else:
        typer.echo("no run matches" if filters.any else "no runs yet: `tts-ui solve PROBLEM` records one")


@app.command()
def show(
    run: RunId,
    answer: Annotated[str | None, typer.Option(metavar="REFERENCE", help="Grade the run against this answer.")] = None,
    rules: Annotated[bool, typer.Option("--rules", help="Say what every selection rule makes of the run.")] = False,
    stop: Annotated[
        str | None, typer.Option(metavar="beta:P", help="Say what a vote says if it stops this early.")
    ] = None,
    db: Db = None,
) -> None:
    """Draw a run's tree. With --answer, the run is graded against that reference first, and keeps the grade."""
    from engine.runs.equal_flops import equal_vote, judged_by_writing, others_like
    from engine.search.tree import Tree
    from engine.store import Store
    from tts_ui.cli import terminal

    with _reading(run, db) if answer is None else Store.open(db) as store:
        found = store.run(run)
        if answer is not None:
            import asyncio

            from engine.domains import Domains
            from engine.runs.grading import grade_run

            with Domains() as domains:
                asyncio.run(grade_run(store, domains, found.id, answer))
        record, events = store.read(found.id)
        tree = Tree.from_events(events)
        vote = equal_vote(record, tree, others_like(store, record)) if judged_by_writing(tree) else None
    terminal.print_tree(record, tree, record.judge, vote)
    if rules:
        from tts_ui.cli.terminal_rules import print_rules

        print_rules(record, tree, record.judge)
    if stop is not None:
        from tts_ui.cli.terminal_stopping import print_stopped

        print_stopped(record, tree, stop)


@app.command()
def export(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUN...", help="A run's or a comparison's id, or any unique beginning of it."),
    ],
    format: Annotated[
        str, typer.Option(help="json, csv, graphml, svg, png or html; for step labels prm800k, processbench or trl.")
    ] = "json",
    labels: Annotated[
        str | None, typer.Option(metavar="NAME", help="Whose labels, where a run has those of several.")
    ] = None,
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Output file; - is stdout.")] = "-",
    db: Db = None,
) -> None:
    """Write a run to a file: for other programs, for a slide, or as a page that works from disk.

    A comparison is written as json or html. Step labels (prm800k, processbench, trl) may be those of several runs.
    """
    from tts_ui.cli.export import check, exported, labels_of, write

    check(format, output, len(runs), labels)
    with _reading(runs[0], db) as store:
        labelled = format in ("prm800k", "processbench", "trl")
        content = labels_of(store, runs, format, labels) if labelled else exported(store, runs[0], format)
    write(content, output)


@app.command("import")
def import_command(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="Files to read; docs/importing.md lists what.")
    ],
    db: Db = None,
) -> None:
    """Read runs from files: documents and databases of tts-ui, and what other tools write, recognised by content.

    Each file comes in as a whole or not at all, and importing it again changes nothing.
    """
    from tts_ui.cli.import_files import import_files

    import_files(files, db)


@app.command(context_settings={"ignore_unknown_options": True})  # -5 is an answer
def grade(
    answer: Annotated[str, typer.Argument(metavar="ANSWER", help="An answer, as it would appear in a box.")],
    reference: Annotated[str, typer.Argument(metavar="REFERENCE", help="The right answer.")],
    as_json: AsJson = False,
) -> None:
    """Say whether an answer equals a reference: equal, different or undecided, and by which rule."""
    from tts_ui.cli import grade as grading
    from tts_ui.cli import terminal

    verdict = grading.grade(answer, reference)
    if as_json:
        terminal.print_json(grading.document(answer, reference, verdict))
    else:
        typer.echo(f"{grading.VERDICTS[verdict.correct]} ({verdict.rule})")


Models = Annotated[str | None, typer.Option(metavar="FILE", help="A models file to use instead of the built-in one.")]
Scorers = Annotated[
    str, typer.Option("--scorer", metavar="NAME[,NAME]", help="Judges of the catalogue (`tts-ui models` lists them).")
]


@app.command()
def score(
    source: Annotated[
        str,
        typer.Argument(metavar="FILE|-|RUN", help="A file of solutions, - for standard input, or a recorded run's id."),
    ],
    scorer: Scorers,
    problem: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The problem, where the file has only the steps.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the scores of a run; it does not keep them.")
    ] = False,
    models: Models = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Let judges score every step of a solution, or of a recorded run, which keeps the scores with a bill of their own.

    A file is JSON ({problem, steps}, {problem, solution}, and what `import` reads) or text: the problem and the steps,
    with a blank line after each.
    """
    from tts_ui.cli.score import Asked, score

    score(Asked(source, scorer, problem, models, dry_run, as_json, db))


@app.command()
def judge(
    sets: Annotated[
        list[str], typer.Argument(metavar="SET...", help="Files of solutions with labels, or names of built-in sets.")
    ],
    scorer: Scorers,
    limit: Annotated[
        int | None, typer.Option(min=1, help="So many solutions of each set, always the same ones.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(min=0, max=1, metavar="T", help="A step below it is wrong. Default: 0.5.")
    ] = None,
    threshold_from: Annotated[
        str | None, typer.Option(metavar="SET", help="Take the threshold that is best on this set, for all.")
    ] = None,
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """Measure how well judges find the first wrong step, as ProcessBench does: accuracy on wrong and right, and F1."""
    from tts_ui.cli.judge import Asked, judge

    judge(Asked(sets, scorer, limit, threshold, threshold_from, models, as_json))


@app.command("models")
def list_models(
    models: Models = None,
    as_json: AsJson = False,
) -> None:
    """List the pairs of policy and PRM to choose from, and whether this machine has enough memory for them."""
    from tts_ui.cli import terminal
    from tts_ui.cli.models import catalogue_of, models_document

    catalogue = catalogue_of(models)[0]
    if as_json:
        terminal.print_json(models_document(catalogue))
    else:
        terminal.print_models(catalogue)


app.command()(sweep)
app.command()(mcp)


@app.command()
def problems(
    source: Annotated[
        str | None, typer.Argument(metavar="[NAME|FILE]", help="A problem set's name, or a file. Without: the names.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many problems.")] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            metavar="WHAT=COLUMN,...", help="A file's columns for problem, answer, id, level, subject; else guessed."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what is in a problem set: how many problems, of which levels and subjects, what was dropped, the first few.

    A set is one of the names, or a JSON Lines, JSON, CSV or Parquet file.
    """
    from tts_ui.cli.problems import problems

    problems(source, limit, columns, as_json)


def _occupy_the_standard_streams() -> None:
    """Where one is closed (`tts-ui ... >&-`), the next file that is opened, a database say, would take its place and be
    printed into."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)
            os.dup2(nowhere, number)
            if nowhere != number:
                os.close(nowhere)
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: SIM115


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with its code: 0; 2 for a caller's mistake; 130 after Ctrl-C; 1 for anything else."""
    _occupy_the_standard_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character shows another
            stream.reconfigure(errors="replace")
    sys.exit(exit_code(lambda: app(arguments, prog_name="tts-ui", standalone_mode=False)))


if __name__ == "__main__":
    main()

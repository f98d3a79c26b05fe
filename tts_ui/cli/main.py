"""The command line, `tts-ui`: thin commands over the same engine and store as the app.

Nothing heavy is imported before it is needed, so that `--help`, `runs` and every refusal answer at once; torch comes
with the first model that is loaded. How errors become one line and an exit code is in `tts_ui.cli.errors`, what results
look like in `tts_ui.cli.terminal`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from engine.search.params import RunParams
from engine.search.strategies import STRATEGIES
from tts_ui.cli.errors import exit_code
from tts_ui.cli.options import AsJson, Db, Problem, SearchOptions, strategies_named, takes_search_options

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


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port to listen on.")] = 7860,
    db: Db = None,
    models: Annotated[Path | None, typer.Option(metavar="FILE", help="The pairs of models to offer (TOML).")] = None,
    public: Annotated[bool, typer.Option("--public", help="Visitors choose from the catalogue only.")] = False,
) -> None:
    """Start the app in a browser."""
    from tts_ui.cli.serve import check

    check(host, port, models)
    from tts_ui.web.app import serve as serve_app

    serve_app(host=host, port=port, db=db, models=models, public=public)


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


@app.command()
def runs(
    search: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Text to find in problem, answer or strategy.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="At most this many.")] = 50,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """List recorded runs, newest first."""
    from engine.store import Store
    from engine.store.document import runs_document
    from tts_ui.cli import terminal

    with Store.open(db) as store:
        found = store.runs(search, limit)
    if as_json:
        terminal.print_json(runs_document(found))
    elif found:
        terminal.print_runs(found)
    else:
        typer.echo("no run matches" if search else "no runs yet: `tts-ui solve PROBLEM` records one")


@app.command()
def show(
    run: RunId,
    answer: Annotated[str | None, typer.Option(metavar="REFERENCE", help="Grade the run against this answer.")] = None,
    db: Db = None,
) -> None:
    """Draw a run's tree. With --answer, the run is graded against that reference first, and keeps the grade."""
    from engine.search.tree import Tree
    from engine.store import Store
    from tts_ui.cli import terminal

    with Store.open(db) as store:
        if answer is not None:
            import asyncio

            from engine.domains import Domains
            from engine.runs.grading import grade_run

            with Domains() as domains:
                asyncio.run(grade_run(store, domains, run, answer))
        record, events = store.read(run)
    terminal.print_tree(record, Tree.from_events(events), record.judge)


@app.command()
def export(
    run: RunId,
    format: Annotated[str, typer.Option(help="json or graphml.")] = "json",
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Output file; - is stdout.")] = "-",
    db: Db = None,
) -> None:
    """Write a run to a file that other programs can read."""
    from engine.store import Store
    from tts_ui.cli.export import rendering, write

    render = rendering(format)
    with Store.open(db) as store:
        record, events = store.read(run)
    write(render(record, events), output)


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


@app.command("models")
def list_models(
    models: Annotated[
        str | None, typer.Option(metavar="FILE", help="A models file to use instead of the built-in one.")
    ] = None,
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


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run a command line and exit with its code: 0; 2 for a caller's mistake; 130 after Ctrl-C; 1 for anything else."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # a terminal that cannot show a character shows another
            stream.reconfigure(errors="replace")
    sys.exit(exit_code(lambda: app(arguments, prog_name="tts-ui", standalone_mode=False)))


if __name__ == "__main__":
    main()

"""The command line, `tts-ui`: thin commands over the same engine and store as the app.

Nothing heavy is imported before it is needed, so that `--help`, `runs` and every refusal answer at once; torch comes
with the first model that is loaded. How errors become one line and an exit code is in `tts_ui.cli_errors`, what results
look like in `tts_ui.terminal`.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from engine.params import FINISHED_RULES, TREE_POLICIES, RunParams
from engine.selection import RULES, VOTES
from engine.strategies import STRATEGIES
from tts_ui.cli_errors import exit_code

app = typer.Typer(
    name="tts-ui",
    help="Reasoning Tree Explorer: watch a language model search for an answer, step by step, score by score.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

#: The one place that knows the defaults is `RunParams`.
_DEFAULT = RunParams()

Db = Annotated[
    str | None,
    typer.Option(metavar="URL", help="A SQLite file or database URL; else TTS_UI_DB, else runs.db in the user's data."),
]
RunId = Annotated[str, typer.Argument(metavar="RUN", help="A run's id, or a beginning that no other run's id has.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document and nothing else.")]


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
    from tts_ui.cli_serve import check

    check(host, port, models)
    from tts_ui.app import serve as serve_app

    serve_app(host=host, port=port, db=db, models=models, public=public)


@app.command()
def solve(
    problem: Annotated[str, typer.Argument(metavar="PROBLEM", help="The problem; - reads standard input.")],
    strategy: Annotated[str, typer.Option(help=f"One of {', '.join(STRATEGIES)}.")] = _DEFAULT.strategy,
    n: Annotated[int, typer.Option(help="N, completions to ask for.")] = _DEFAULT.n,
    width: Annotated[int, typer.Option(help="M, children a survivor; must divide N.")] = _DEFAULT.width,
    select: Annotated[
        str | None, typer.Option(help=f"Which answer wins: {', '.join(RULES)}. Default: prm_last_vote with a PRM.")
    ] = _DEFAULT.select,
    temperature: Annotated[
        float | None, typer.Option(help=f"Of sampling, 0 to 5. Default: the policy's, else {_DEFAULT.temperature}.")
    ] = None,
    top_p: Annotated[
        float | None,
        typer.Option(help=f"Sample from this share of the probability. Default: the policy's, else {_DEFAULT.top_p}."),
    ] = None,
    seed: Annotated[int, typer.Option(help="All randomness derives from it.")] = _DEFAULT.seed,
    models: Annotated[
        str | None, typer.Option(metavar="NAME|FILE|FILE:NAME", help="The pair of models (see `tts-ui models`).")
    ] = None,
    scorer: Annotated[
        str | None, typer.Option(metavar="NAME", help="Another PRM of the catalogue than the pair's own.")
    ] = None,
    finished: Annotated[
        str, typer.Option(help=f"Finished children in beam search: {' or '.join(FINISHED_RULES)}.")
    ] = _DEFAULT.finished,
    max_steps: Annotated[
        int | None, typer.Option(help=f"The longest chain, in steps. Default: the policy's, else {_DEFAULT.max_steps}.")
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help="The longest completion, in tokens. Default: the policy's, else what fits.")
    ] = None,
    max_tokens_total: Annotated[int | None, typer.Option(help="Generated tokens that may be spent.")] = None,
    lookahead: Annotated[int, typer.Option(help="L, greedy steps that judge a candidate (lookahead).")] = (
        _DEFAULT.lookahead
    ),
    tree_policy: Annotated[
        str, typer.Option(help=f"How mcts descends: {' or '.join(TREE_POLICIES)}.")
    ] = _DEFAULT.tree_policy,
    exploration: Annotated[float, typer.Option(help="c, the weight of exploration in mcts.")] = _DEFAULT.exploration,
    probe: Annotated[
        int, typer.Option(help="Samples from which compute_optimal estimates the difficulty.")
    ] = _DEFAULT.probe,
    votes: Annotated[str, typer.Option(help=f"What has a vote: {' or '.join(VOTES)} completions.")] = _DEFAULT.votes,
    answer: Annotated[str | None, typer.Option(metavar="REFERENCE", help="The right answer, to grade against.")] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Search for the answer to a problem and record the search. Ctrl-C stops it and keeps what it found."""
    from tts_ui.cli_models import sampling_of

    sampling = {"temperature": temperature, "top_p": top_p, "max_steps": max_steps, "max_tokens": max_tokens}
    params = RunParams(
        strategy, n, width, select, seed=seed, finished=finished, max_tokens_total=max_tokens_total, votes=votes,
        lookahead=lookahead, tree_policy=tree_policy, exploration=exploration, probe=probe,
        **sampling_of(models, sampling),
    )  # fmt: skip
    from tts_ui.cli_solve import Request, solve

    raise typer.Exit(solve(Request(problem, answer, params, models, scorer, db, as_json)))


@app.command()
def runs(
    search: Annotated[str | None, typer.Option(metavar="TEXT", help="In problem, answer or strategy.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1_000_000, help="The newest this many.")] = 50,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """List recorded runs, the newest first."""
    from engine.store import Store
    from engine.store.document import runs_document
    from tts_ui import terminal

    with Store.open(db) as store:
        found = store.runs(search, limit)
    if as_json:
        terminal.print_json(runs_document(found))
    elif found:
        terminal.print_runs(found)
    else:
        typer.echo("no run matches" if search else "no runs yet: `tts-ui solve PROBLEM` records one")


@app.command()
def show(run: RunId, db: Db = None) -> None:
    """Draw a run's tree."""
    from engine.store import Store
    from engine.tree import Tree
    from tts_ui import terminal

    with Store.open(db) as store:
        record, events = store.read(run)
    terminal.print_tree(record, Tree.from_events(events))


@app.command()
def export(
    run: RunId,
    format: Annotated[str, typer.Option(help="json or graphml.")] = "json",
    output: Annotated[str, typer.Option("-o", "--output", metavar="FILE", help="Where to; - is stdout.")] = "-",
    db: Db = None,
) -> None:
    """Write a run as a document that other programs read."""
    from engine.store import Store
    from tts_ui.cli_export import rendering, write

    render = rendering(format)
    with Store.open(db) as store:
        record, events = store.read(run)
    write(render(record, events), output)


@app.command("models")
def list_models(
    models: Annotated[str | None, typer.Option(metavar="FILE", help="Your own models file instead of ours.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the pairs of policy and PRM to choose from, and whether this machine has the memory for them."""
    from tts_ui import terminal
    from tts_ui.cli_models import catalogue_of, models_document

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

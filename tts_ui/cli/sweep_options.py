"""The options of `tts-ui sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from tts_ui.cli.options import AsJson, Db


def sweep(
    *,
    file: Annotated[Path | None, typer.Argument(metavar="FILE.toml", help="What is asked (docs/sweeps.md).")] = None,
    problems: Annotated[
        str | None, typer.Option(metavar="NAME|FILE", help="A problem set by name, or a file (`tts-ui problems`).")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first so many problems.")] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="WHAT=COLUMN,...", help="The columns of a file of problems.")
    ] = None,
    models: Annotated[str | None, typer.Option(metavar="NAME,...", help="Pairs of models.")] = None,
    models_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="A models file to use instead of the built-in one.")
    ] = None,
    strategies: Annotated[str | None, typer.Option(metavar="S1,S2,...", help="Of the strategies of `solve`.")] = None,
    n: Annotated[
        str | None, typer.Option("--n", metavar="N,...", help="Numbers of completions, such as 4,16,64.")
    ] = None,
    scorers: Annotated[str | None, typer.Option(metavar="NAME,...", help="Judges in place of the pairs' own.")] = None,
    seeds: Annotated[str | None, typer.Option(metavar="K|S1,S2,...", help="So many seeds, from 0, or these.")] = None,
    name: Annotated[str | None, typer.Option(help="What the sweep is called.")] = None,
    resume: Annotated[str | None, typer.Option(metavar="NAME|ID", help="Go on with a sweep that was stopped.")] = None,
    plan: Annotated[
        bool, typer.Option("--plan", "--dry-run", help="Only say what would be run, and its cost.")
    ] = False,
    listing: Annotated[bool, typer.Option("--list", help="List the sweeps on record.")] = False,
    ray: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS|auto|local", help="Search on the machines of this Ray cluster (docs/ray.md)."),
    ] = None,
    ray_actors: Annotated[
        int | None, typer.Option(min=1, help="So many workers for each policy; else as many as there is room for.")
    ] = None,
    ray_cpus: Annotated[float, typer.Option(min=0, help="CPUs of a worker.")] = 1.0,
    ray_gpus: Annotated[
        float | None,
        typer.Option(min=0, help="GPUs of a worker; else 1 if the cluster has any and the model is local."),
    ] = None,
    as_json: AsJson = False,
    db: Db = None,
) -> None:
    """Search many problems under many configurations, declared in a file or by options (which come before the file).

    Ctrl-C stops it and keeps every run that is over; --resume goes on and repeats none.
    """
    from tts_ui.cli.sweep import Asked
    from tts_ui.cli.sweep import sweep as run

    given = {
        "name": name, "problems": problems, "limit": limit, "columns": columns, "models": models,
        "models_file": models_file, "strategies": strategies, "n": n, "scorers": scorers, "seeds": seeds,
    }  # fmt: skip
    told = {key: value for key, value in given.items() if value is not None}
    cluster = None
    if ray is not None:
        from engine.runs.sweeps.on_ray import Cluster

        cluster = Cluster(ray, ray_actors, ray_cpus, ray_gpus)
    raise typer.Exit(run(Asked(file, told, resume, plan, listing, as_json, db, cluster)))

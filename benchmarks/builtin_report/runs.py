"""The report's runs, in a module of their own: a new process cannot import from a package's `__main__`."""

from __future__ import annotations

from pathlib import Path

import torch
from tqdm import tqdm

from benchmarks.builtin_report.plan import Task
from engine.domains import Domains
from engine.models.catalogue.catalogue import Catalogue
from engine.models.local.checkpoint import digest_of
from engine.models.scorers.formats import fingerprint
from engine.runs.sweeps.sweep import Sweep
from engine.store import Store
from engine.training.checkpoints import MODELS


def sweep_name(models: Path = MODELS) -> str:
    """What the report's runs are called: retrained models are run again, whatever is on record for the old ones."""
    return f"report {fingerprint(*(f'{folder.name} {digest_of(folder)}' for folder in sorted(models.iterdir())))}"


def run(task: Task, db: Path) -> None:
    """Run what is not done yet of the task's problems under its cells, on one thread: two processes beat two threads.

    The draws that cells have in common are made once.
    """
    torch.set_num_threads(1)
    questions = task.load()
    problems = {question.problem for question in questions}
    domains, catalogue = Domains(), Catalogue()
    with Store.open(str(db)) as store:
        sweep = Sweep(sweep_name(), store, domains)
        left = sum(len(problems - sweep.done(cell).keys()) for cell in task.cells)
        if left:
            with tqdm(total=left, desc=task.title, unit="run", mininterval=5.0) as bar:
                sweep.run(
                    {cell: catalogue.load(cell.models, cell.scorer) for cell in task.cells},
                    questions,
                    bar.update,
                )
    catalogue.close()
    domains.close()

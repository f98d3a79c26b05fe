"""The report's runs. A module of its own: a new process cannot import what stands in a package's `__main__`."""

from __future__ import annotations

from pathlib import Path

import torch
from tqdm import tqdm

from benchmarks.builtin_report.plan import Task
from engine.answers import Checker
from engine.models import Catalogue
from engine.store import Store
from engine.sweeps.sweep import Sweep

SWEEP = "report"


def run(task: Task, db: Path) -> None:
    """Search the task's problems that are not done yet, on one thread: two processes beat two threads here."""
    torch.set_num_threads(1)
    cell, questions = task.cell, task.load()
    checker, catalogue = Checker(), Catalogue()
    with Store.open(str(db)) as store:
        sweep = Sweep(SWEEP, store, checker)
        left = len(questions) - len(sweep.done(cell).keys() & {question.problem for question in questions})
        if left:
            name = f"{cell.models} {cell.scorer or ''} {cell.params.strategy} {cell.params.n}"
            with tqdm(total=left, desc=name, unit="problem", mininterval=5.0) as bar:
                sweep.run(cell, catalogue.load(cell.models, cell.scorer), questions, bar.update)
    catalogue.close()
    checker.close()

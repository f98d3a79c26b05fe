"""The report's runs. A module of its own: a new process cannot import what stands in a package's `__main__`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import tqdm

from benchmarks.builtin_report.plan import Task
from engine.answers import Checker
from engine.models import Catalogue
from engine.store import Store
from engine.sweeps.sweep import Sweep

SWEEP = "report"


def run_share(share: Sequence[Task], db: Path) -> None:
    """Run some of the tasks in this process, on one thread: two processes beat two threads at these sizes."""
    torch.set_num_threads(1)
    checker, catalogue = Checker(), Catalogue()
    with Store.open(str(db)) as store:
        sweep = Sweep(SWEEP, store, checker)
        for task in share:
            questions = task.load()
            left = len(questions) - len(sweep.done(task.cell).keys() & {q.problem for q in questions})
            if left:
                name = f"{task.cell.models} {task.cell.scorer or ''} {task.cell.params.strategy} {task.cell.params.n}"
                with tqdm(total=left, desc=name, unit="problem", mininterval=5.0) as bar:
                    sweep.run(task.cell, catalogue.load(task.cell.models, task.cell.scorer), questions, bar.update)
    catalogue.close()
    checker.close()

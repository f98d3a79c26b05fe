"""`make lessons`: the figures and the recorded runs of the lessons anew, from the store that `make report` wrote.

The figures are about the problems of the committed report, so that a lesson never says what the report does not. The
lookahead searches, which the report has not, are made here, in a store of their own; that resumes.
"""

from __future__ import annotations

import argparse
import re
import shutil
import tempfile
from pathlib import Path

from tqdm import tqdm

from benchmarks.builtin_report.plan import TEST
from benchmarks.builtin_report.runs import sweep_name
from benchmarks.lessons.effects import effects, lookahead
from benchmarks.lessons.judges import judges
from benchmarks.lessons.outcomes import Reader
from benchmarks.lessons.record import SHOWN, record
from engine.assets import assets
from engine.domains import Domains
from engine.domains.builtin.sets import problem_set
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.sweeps.sweep import Sweep
from engine.store import Store
from tts_ui.web.learn.effects import Effects, lessons_folder

OWN = "lessons"


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lessons", description=__doc__)
    parser.add_argument("--db", type=Path, default=Path(".report/runs.db"), help="the store of make report")
    parser.add_argument("--own", type=Path, default=Path(".report/lookahead.db"), help="where lookahead is kept")
    parser.add_argument("--only", choices=["effects", "runs"], help="one of the two")
    parser.add_argument("--lesson", choices=list(SHOWN), action="append", default=[], help="record these alone")
    options = parser.parse_args()
    lessons_folder().mkdir(exist_ok=True)
    if options.only != "runs":
        write_effects(options.db, options.own)
    if options.only != "effects":
        with tempfile.TemporaryDirectory() as folder, Store.open(str(Path(folder) / "runs.db")) as store:
            host = Host(store)
            try:
                record(host, lessons_folder(), options.lesson)
            finally:
                host.close()


def reported() -> int:
    """Of how many problems, counted from the first, the committed report is."""
    text = (assets() / "report" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"first (\d+) of \d+ problems|(\d+) problems of `builtin-1000`", text)
    assert found, "the report does not say how many problems it is about"
    return int(found[1] or found[2])


def write_effects(db: Path, own: Path) -> None:
    count = reported()
    problems = problem_set(TEST)[:count]
    domains, catalogue = Domains(), Catalogue()
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "runs.db"  # an older store is brought up to date in the copy
        for part in db.parent.glob(f"{db.name}*"):
            shutil.copy(part, copy.with_name(copy.name + part.name.removeprefix(db.name)))
        with Store.open(str(copy)) as store, Store.open(str(own)) as mine:
            report, ahead = Sweep(sweep_name(), store, domains), Sweep(OWN, mine, domains)
            cell = lookahead()
            with tqdm(total=count - len(ahead.done(cell)), desc="lookahead", unit="run", mininterval=5.0) as bar:
                asked = [Question(problem.text, problem.answer) for problem in problems]
                ahead.run({cell: catalogue.load(cell.models, cell.scorer)}, asked, bar.update)
            texts = [problem.text for problem in problems]
            figures = dict(effects(Reader(report, texts), Reader(ahead, texts))) | dict(judges(report))
    catalogue.close()
    domains.close()
    Effects(TEST, count, figures).write(lessons_folder() / "effects.json")


if __name__ == "__main__":
    main()

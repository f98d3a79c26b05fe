"""`make real MODEL=FOLDER PROBLEMS=FILE`: run what is missing, then write the table of `assets/report/real-model.md`.

The runs are kept in `.real/runs.db` (not in git) as a sweep named after the model's files; an interrupted one resumes.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

import engine.models  # noqa: F401  first: it says how torch's threads wait, before torch loads
from benchmarks.real_model.plan import GROUPS, PAIR, judge_name, models_file, questions
from benchmarks.real_model.results import text
from engine.assets import assets
from engine.domains import Domains
from engine.errors import TtsError
from engine.models.catalogue.catalogue import Catalogue
from engine.models.local.checkpoint import digest_of
from engine.runs.question import Question
from engine.runs.sweeps.sweep import Sweep
from engine.store import Store

OUT = assets() / "report" / "real-model.md"


def search(sweep: Sweep, catalogue: Catalogue, asked: Sequence[Question], times: Path) -> dict[str, Any]:
    """Run what is not done, a group after the other; returns and keeps in `times` the seconds that each group took.

    Only these say how fast the groups were: their runs are searched side by side, so a run's own time says little.
    """
    spent: dict[str, Any] = json.loads(times.read_text()) if times.exists() else {}
    for name, cells in GROUPS.items():
        known = {cell: sweep.done(cell).keys() for cell in cells}
        left = sum(question.problem not in known[cell] for cell in cells for question in asked)
        if not left:
            continue
        models = catalogue.load(PAIR)
        start = time.monotonic()
        with tqdm(total=left, desc=name, unit="run", mininterval=5.0) as bar:
            sweep.run(dict.fromkeys(cells, models), asked, bar.update)
        new = [run for cell in cells[-1:] for run in sweep.done(cell).values() if run.problem not in known[cell]]
        before = spent.get(name, {"seconds": 0.0, "tokens": 0})
        spent[name] = {
            "seconds": before["seconds"] + time.monotonic() - start,
            "tokens": before["tokens"] + sum(run.usage.generated_tokens for run in new),
        }
        times.write_text(json.dumps(spent))
    return spent


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What search gains with a real model, or resume measuring it.")
    parser.add_argument("--model", type=Path, required=True, help="a folder with a causal language model")
    parser.add_argument("--problems", type=Path, required=True, help="a JSON Lines file with problems and answers")
    parser.add_argument("--first", type=int, default=50, help="use this many problems (default: 50)")
    parser.add_argument("--about", default="", help="a sentence on where the model and its licence come from")
    parser.add_argument("--db", type=Path, default=Path(".real/runs.db"), help="the runs (default: .real/runs.db)")
    parser.add_argument("--out", type=Path, default=OUT, help="the table (default: assets/report/real-model.md)")
    options = parser.parse_args(arguments)
    if not (options.model / "config.json").is_file():
        parser.error(f"--model: {options.model} is not a folder with a model (no config.json)")
    if options.first < 1:
        parser.error(f"--first: {options.first} is too few; give 1 or more")
    options.db.parent.mkdir(parents=True, exist_ok=True)
    try:
        asked = questions(options.problems, options.first)
        with tempfile.TemporaryDirectory() as scratch:
            file = Path(scratch) / "models.toml"
            file.write_text(models_file(options.model), encoding="utf-8")
            catalogue, domains = Catalogue(file), Domains()
        with Store.open(str(options.db)) as store:
            sweep = Sweep(f"real {digest_of(options.model)}", store, domains)
            spent = search(sweep, catalogue, asked, options.db.with_suffix(".times.json"))
            about = [f"`{options.model.resolve().name}`", options.about, f"Judge: `{judge_name(options.model)}`."]
            written = text(sweep, asked, spent, " ".join(filter(None, about)), options.problems.name)
        catalogue.close()
        domains.close()
    except (TtsError, OSError) as error:
        sys.exit(f"make real: {error}")
    options.out.write_text(written, encoding="utf-8")
    print(written)


if __name__ == "__main__":
    main()

"""A problem set by its name or its file's: found, read, cleaned of duplicates and of what cannot be graded."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from engine.domains.builtin import sets as builtin
from engine.domains.builtin.problems import FAMILIES
from engine.errors import InvalidInput
from engine.models.catalogue.hub import fetch_data
from engine.runs.problem_sets.columns import check, chosen
from engine.runs.problem_sets.hub_sets import HUB_SETS
from engine.runs.problem_sets.problem_set import Problem, ProblemSet
from engine.runs.problem_sets.reading import problems_of
from engine.runs.problem_sets.rows import FORMS, read
from engine.runs.question import Question


def names() -> dict[str, str]:
    """The sets that are known by name, and what each is."""
    own = {
        name: f"{plan.size} problems that the built-in models can read, difficulties "
        f"{plan.difficulties[0]} to {plan.difficulties[-1]}"
        for name, plan in builtin.SETS.items()
    }
    return {**own, **{name: hub_set.about for name, hub_set in HUB_SETS.items()}}


def problem_set(name_or_path: str, *, limit: int | None = None, columns: Mapping[str, str] | None = None) -> ProblemSet:
    """The set of that name (a name comes before a file of the same name: write ./NAME for the file), or of that file.

    `limit` keeps the first so many problems. `columns` names columns of a file by what they hold (problem, answer, id,
    level, subject); what it does not name is guessed. A set of the Hub is downloaded once, into the Hub's cache. Raises
    `InvalidInput` for a mistake and `ModelError` where the Hub cannot be asked.
    """
    given = dict(columns or {})
    check(given)
    if limit is not None and limit < 1:
        raise InvalidInput("limit", f"{limit} is no number of problems; give 1 or more")
    if given and name_or_path in names():
        raise InvalidInput("columns", f"those of {name_or_path} are known; leave them out, or give a file")
    if name_or_path in builtin.SETS:
        found = _builtin(name_or_path)
    elif name_or_path in HUB_SETS:
        found = _of_hub(name_or_path)
    else:
        found = _of_file(name_or_path, given)
    if not found.problems:
        why = f"dropped: {found.dropped}" if found.dropped else "it has no rows"
        raise InvalidInput("problems", f"{name_or_path} has no problem with an answer ({why}); give another")
    return replace(found, problems=found.problems[:limit], available=len(found.problems))


def _builtin(name: str) -> ProblemSet:
    problems = [
        Problem(Question(each.text, each.answer), f"{name}/{index}", str(each.difficulty), FAMILIES[each.family])
        for index, each in enumerate(builtin.problem_set(name))
    ]
    return ProblemSet(name, tuple(problems), "built in")


def _of_hub(name: str) -> ProblemSet:
    hub_set = HUB_SETS[name]
    file = fetch_data(hub_set.repository, hub_set.file, hub_set.revision)
    rows = [(place, row) for place, row in read(file) if hub_set.taken(row)]
    place = f"{hub_set.repository} ({hub_set.file})"
    columns = chosen(place, (column for _, row in rows for column in row), hub_set.columns)
    problems, dropped = problems_of(place, rows, columns)
    # The Hub's cache keeps a file as snapshots/COMMIT/FILE: what was really read, whatever was asked for.
    commit = file.parents[hub_set.file.count("/")].name
    return ProblemSet(name, problems, place, commit, columns, dropped=dropped)


def _of_file(path: str, given: Mapping[str, str]) -> ProblemSet:
    try:
        file = Path(path).expanduser()
    except RuntimeError:  # ~NOBODY
        file = Path(path)
    if not file.is_file():
        near = difflib.get_close_matches(path.lower(), names(), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise InvalidInput(
            "problems", f"{path} is neither a file nor a set; {hint}give {FORMS}, or one of {', '.join(names())}"
        )
    rows = read(file)
    if not rows:
        return ProblemSet(file.stem, (), str(file))
    columns = chosen(str(file), (column for _, row in rows for column in row), given)
    problems, dropped = problems_of(str(file), rows, columns)
    return ProblemSet(file.stem, problems, str(file), None, columns, not given.items() >= columns.items(), dropped)

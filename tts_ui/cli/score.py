"""`tts-ui score`: judges score the steps of solutions, or of a recorded run, which keeps the scores."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.table import Table
from rich.text import Text

from engine.errors import InvalidInput, NoDatabase
from engine.runs.lab.given import Given, read_file
from engine.runs.lab.rescoring import positions_about, rescore, score_trees
from engine.search.events import Usage
from engine.search.scorer import Scorer
from engine.search.tree import Node, Tree
from engine.store import RunRecord, Store
from tts_ui.cli import terminal
from tts_ui.cli.judges import Judges, cost, named, wait
from tts_ui.words import numbers
from tts_ui.words.texts import short, without_number

_SOURCE = "FILE|-|RUN"
#: Characters of a step in the table.
_LONGEST = 70


@dataclass(frozen=True, slots=True)
class Asked:
    """`source` is a file, `-` for standard input, or a run's id."""

    source: str
    scorers: str
    problem: str | None = None
    models: str | None = None
    dry_run: bool = False
    as_json: bool = False
    db: str | None = None


@dataclass(slots=True)
class _Judged:
    """What a judge said: `scores` by solution and node, and its bill; `kept` names the scoring that a run keeps."""

    judge: str
    scores: list[Mapping[int, float]]
    usage: Usage
    kept: str | None = None
    note: str = ""
    about: Mapping[str, object] = field(default_factory=dict)


def score(asked: Asked) -> None:
    """Score and print. Mistakes raise `InvalidInput` before a model is loaded."""
    catalogue, names = named(asked.scorers, asked.models)
    with closing(catalogue):
        judges = Judges(catalogue)
        try:
            given = _given(asked)
        except InvalidInput as error:  # here the problem is an option
            raise InvalidInput("problem_option", error.message) if error.argument == "problem" else error from None
        if given is not None:
            _print(given, _of_solutions(given, names, judges), None, asked.as_json)
            return
        with _store(asked) as store:
            try:
                record = store.run(asked.source)
            except InvalidInput as error:
                raise InvalidInput(_SOURCE, f"it is no file, and {error.message}") from error
            _check(record, asked)
            judged = [_of_run(store, record, judges.load(name), judges, asked) for name in names]
            tree = store.tree(record.id)
        _print([Given("", tree)], judged, record, asked.as_json)


def _given(asked: Asked) -> list[Given] | None:
    """The solutions of a file or of standard input; None where a run is named."""
    if asked.source == "-":
        with TemporaryDirectory(prefix="tts-ui-") as folder:
            path = Path(folder) / "standard input"
            path.write_bytes(sys.stdin.buffer.read())
            return read_file(path, asked.problem)
    if Path(asked.source).is_file():
        return read_file(Path(asked.source), asked.problem)
    return None


def _store(asked: Asked) -> Store:
    try:
        return Store.reading(asked.db) if asked.dry_run else _there(asked)
    except NoDatabase as error:
        raise InvalidInput(_SOURCE, f"there is no file {asked.source[:80]!r}, and of runs {error}") from error


def _there(asked: Asked) -> Store:
    """The store to write to, which is not created for a run that it cannot have."""
    Store.reading(asked.db).close()
    return Store.open(asked.db)


def _check(record: RunRecord, asked: Asked) -> None:
    if asked.problem is not None:
        raise InvalidInput("problem_option", "a recorded run has its own; leave the option out")
    if record.status == "running":
        raise InvalidInput("run", "the run is still running; score it when it has ended")


def _of_solutions(given: Sequence[Given], names: Sequence[str], judges: Judges) -> list[_Judged]:
    return [_read([each.tree for each in given], judges.load(name), judges) for name in names]


def _read(trees: Sequence[Tree], judge: Scorer, judges: Judges) -> _Judged:
    name = judge.info.name
    began = time.monotonic()
    judges.say(f"{name}: about {sum(positions_about(tree, judge) for tree in trees):,} PRM tokens to read")
    with judges.reading(name, len(trees)) as count:
        found = wait(score_trees(trees, judge, lambda _: count()))
    too_long = sum(each.too_long for each in found)
    usage = replace(Usage.total(each.usage for each in found), wall_s=time.monotonic() - began)
    judged = _Judged(
        name, [{score.node: score.value for score in each.scores} for each in found],
        usage, about=asdict(judge.info),
        note=f"{too_long} steps are too long for it and have no score" if too_long else "",
    )  # fmt: skip
    judges.say(f"{name}: {cost(judged.usage)}")
    return judged


def _of_run(store: Store, record: RunRecord, judge: Scorer, judges: Judges, asked: Asked) -> _Judged:
    """The judge's scores of a run: read anew, and kept unless that is not wanted; or those that it has."""
    tree, name = store.tree(record.id), judge.info.name
    if asked.dry_run:
        return _read([tree], judge, judges)
    judges.say(f"{name}: at most about {positions_about(tree, judge):,} PRM tokens to read")
    (done,) = wait(rescore(store, [record.id], judge))
    usage = done.scoring.usage if done.scoring else Usage()
    judges.say(f"{name}: {cost(usage) if done.scoring else done.refused}")
    if done.scoring:
        judges.say(f"{name}: the run keeps its scores of {done.steps} steps; nothing else of it has changed")
    scores = {node.id: node.scores[name] for node in store.tree(record.id).nodes if name in node.scores}
    return _Judged(
        name, [scores], usage, done.scoring.id if done.scoring else None, done.refused or "", asdict(judge.info)
    )


# --- what is printed -------------------------------------------------------------------------------------------------


def _print(given: Sequence[Given], judged: Sequence[_Judged], record: RunRecord | None, as_json: bool) -> None:
    if as_json:
        terminal.print_json(_document(given, judged, record))
        return
    console = terminal.console_for_text()
    for at, each in enumerate(given):
        if at:
            console.print()
        console.print(Text(short(terminal.one_line(each.tree.root.text), 400), style="bold"), soft_wrap=True)
        table = Table(box=None, pad_edge=False)
        for name in ("step", "text", *(one.judge for one in judged)):
            table.add_column(name, justify="left" if name == "text" else "right", no_wrap=name != "text")
        for node in _in_order(each.tree):
            words = short(terminal.one_line(without_number(node.text, node.depth)), _LONGEST)
            scores = [numbers.score(one.scores[at].get(node.id)) for one in judged]
            table.add_row(str(node.depth), Text(words), *scores)
        console.print(table)
    for one in judged:
        if one.note:
            console.print(Text(f"{one.judge}: {one.note}"), soft_wrap=True)


def _in_order(tree: Tree) -> list[Node]:
    """The steps, each path from its beginning on."""
    order: list[Node] = []
    due = tree.children(tree.root)[::-1]
    while due:
        node = due.pop()
        order.append(node)
        due += tree.children(node)[::-1]
    return order


def _document(given: Sequence[Given], judged: Sequence[_Judged], record: RunRecord | None) -> dict[str, Any]:
    """What `tts-ui score --json` prints."""
    return {
        "format": "tts-ui.scores",
        "version": 1,
        "run": record.id if record else None,
        "judges": [
            {"scorer": each.about, "usage": asdict(each.usage), "scoring": each.kept, "note": each.note or None}
            for each in judged
        ],
        "solutions": [
            {
                "problem": each.tree.root.text,
                "steps": [
                    {
                        "node": node.id, "parent": node.parent, "depth": node.depth, "text": node.text,
                        "scores": {one.judge: one.scores[at].get(node.id) for one in judged},
                    }
                    for node in each.tree.nodes[1:]
                ],
            }
            for at, each in enumerate(given)
        ],
    }  # fmt: skip

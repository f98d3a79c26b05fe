"""The one check of run documents from outside: what passes is a run that every page, table and chart can show.

Unknown fields are ignored; an unknown format or version is refused, and so is a part that does not fit the others, in
one line that names its place as the document spells it: `nodes[3].parent: there is no node 9 before it`. Other formats
are first turned into a run document and then pass here, too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from math import isfinite
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError

from engine.errors import InvalidInput
from engine.search.events import REASONS, Decision, RunFinished, RunStarted, StepSampled, StepScored, Usage
from engine.search.selection import RULES, rule_named
from engine.store.records import RUN, SAMPLED, SCORING, ScoringRecord
from engine.store.shapes import Shape

#: An id is shown, copied to a command line and part of an address.
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._:-]{0,127}")
#: Numbers that a decision may go without (`REASONS` documents all).
_OPTIONAL = {
    "rank": {"slots", "draws", "cut_off", "end", "steps_ahead"}, "subtree_rank": {"cut_off"}, "rule": {"score"},
    "recorded": {"visits", "mean"}, "compute_optimal": {"learned_from"},
    "learned": {"tied_best_of_n", "tied_beam_search", "tied_dvts"},
}  # fmt: skip
#: Numbers of a decision that are a node's id; that pick one of so many words.
_NODES, _WORDS = ("end", "from"), {"choice": 3, "difficulty": 3, "evidence": 4}
#: Strategies and models are listed by name; an index of PostgreSQL holds this much of each.
_LONGEST_NAME = 200
#: Whole numbers are stored in 64 bits.
_LARGEST = 2**63 - 1

#: A place in the document, and what is wrong there.
_Fault = tuple[str, str]


def _of(shape: Shape[Any], entry: object, **more: Any) -> object:
    """A document's entry as fields of the dataclass it becomes; of a model it has only the name."""
    if not isinstance(entry, Mapping):
        return entry
    known = shape.known(entry) | more
    models = {role: known[role] for role in ("policy", "scorer") if isinstance(known.get(role), str)}
    return known | {role: {"name": name, "parameters": 0, "context_window": 0} for role, name in models.items()}


def _run(entry: object) -> object:
    return _of(RUN, entry)


def _node(entry: object) -> object:
    """None for the root, which `RunStarted` stands for."""
    at_root = isinstance(entry, Mapping) and entry.get("parent", 0) is None
    return None if at_root else _of(SAMPLED, entry, token_ids=None)


def _usage(entry: object) -> object:
    """FLOPs that are not known are null in a document, and 0 in the store."""
    if not isinstance(entry, Mapping):
        return entry
    return dict(entry) | {name: 0.0 for name in ("flops_paper", "flops_all") if entry.get(name, 0) is None}


def _scoring(entry: object) -> object:
    scoring = _of(SCORING, entry, run_id="")
    return scoring | {"usage": _usage(scoring.get("usage"))} if isinstance(scoring, dict) else scoring


class Answer(BaseModel):
    answer: str | None
    correct: bool | None = None
    nodes: list[int] = []


class RunDocument(BaseModel):
    """The document's parts are the events themselves; pydantic checks their fields, `checked` how they fit."""

    format: Literal["tts-ui.run"]
    version: Literal[1]
    asked: Annotated[RunStarted, BeforeValidator(_run), Field(validation_alias="run")]
    outcome: Annotated[RunFinished, BeforeValidator(_run), Field(validation_alias="run")]
    usage: Annotated[Usage, BeforeValidator(_usage)]
    nodes: list[Annotated[StepSampled | None, BeforeValidator(_node)]]
    scores: list[StepScored] = []
    decisions: list[Decision] = []
    answers: list[Answer] = []
    scorings: list[Annotated[ScoringRecord, BeforeValidator(_scoring)]] = []


class ComparisonDocument(BaseModel):
    """What a comparison says besides its runs, which are checked one by one."""

    version: Literal[1]
    id: str
    budget: Annotated[int, Field(ge=0, le=_LARGEST)] | None = None
    shared: Annotated[Usage, BeforeValidator(_usage)]
    runs: Annotated[list[dict[str, Any]], Field(min_length=1)]


def checked_comparison(document: object) -> ComparisonDocument:
    """As `checked`, for the frame of a comparison."""
    try:
        parsed = ComparisonDocument.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        where = _spelled(first["loc"])
        raise InvalidInput("FILE", f"not a comparison of version 1: {where}: {first['msg'].lower()}") from error
    for place, fault in [*_of_id("id", parsed.id), *_of_usage("shared", parsed.shared)]:
        raise InvalidInput("FILE", f"{place}: {fault}; correct the document or export it again")
    return parsed


def checked(document: object) -> RunDocument:
    """The document's parts, which fit together. Raises `InvalidInput("FILE", ...)`."""
    try:
        parsed = RunDocument.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = _spelled(first["loc"]) or "document"
        raise InvalidInput("FILE", f"not a run document of version 1: {place}: {first['msg'].lower()}") from error
    for place, fault in _faults(parsed):
        raise InvalidInput("FILE", f"{place}: {fault}; correct the document or export it again")
    return parsed


def _spelled(loc: tuple[int | str, ...]) -> str:
    """`nodes[3].id` for a place that pydantic names by the fields of our dataclasses."""
    part = loc[0] if loc else ""
    renamed = {"nodes": {"node": "id"}, "run": {"run_id": "id"}}.get(str(part), {})
    names = [step for step in loc if step not in ("StepSampled", "dataclass")]
    spelled = "".join(f"[{step}]" if isinstance(step, int) else f".{renamed.get(step, step)}" for step in names)
    return spelled.lstrip(".")


def _faults(parsed: RunDocument) -> Iterator[_Fault]:
    yield from _of_run(parsed)
    yield from _of_nodes(parsed)
    seqs = {0: 0} | {node.node: node.seq for node in parsed.nodes if node is not None}
    scorings = {scoring.id: scoring for scoring in parsed.scorings}
    for place, score in _listed("scores", parsed.scores):
        yield from _of_score(place, score, scorings)
        yield from _after_its_node(place, score, seqs)
    for place, decision in _listed("decisions", parsed.decisions):
        yield from _after_its_node(place, decision, seqs)
        yield from _of_decision(place, decision, seqs)
    yield from _once("scores", "seq", [score.seq for score in parsed.scores])
    yield from _once("decisions", "seq", [decision.seq for decision in parsed.decisions])
    for place, scoring in _listed("scorings", parsed.scorings):
        yield from _of_id(f"{place}.id", scoring.id)
        yield from _of_date(f"{place}.created_at", scoring.created_at)
        yield from _of_usage(f"{place}.usage", scoring.usage)
    for place, group in _listed("answers", parsed.answers):
        for at, node in enumerate(group.nodes):
            if node not in seqs:
                yield f"{place}.nodes[{at}]", f"there is no node {node}"


def _of_run(parsed: RunDocument) -> Iterator[_Fault]:
    asked = parsed.asked
    yield from _of_id("run.id", asked.run_id)
    if asked.parent_run is not None:
        yield from _of_id("run.parent_run", asked.parent_run)
    yield from _of_date("run.created_at", asked.created_at)
    if not asked.problem.strip():
        yield "run.problem", "it is empty"
    named = {"strategy": asked.strategy, "policy": asked.policy.name, "scorer": asked.scorer and asked.scorer.name}
    for part, name in named.items():
        if name and len(name) > _LONGEST_NAME:
            yield f"run.{part}", f"its {len(name)} characters are more than a name has: {_LONGEST_NAME} at most"
    if "select" not in asked.params:
        yield "run.params.select", f"it is missing; it names the rule that chose the answer: {', '.join(RULES)}"
    else:
        try:
            rule_named(str(asked.params["select"]))
        except InvalidInput as error:
            yield "run.params.select", error.message
    for name, value in asked.params.items():
        if isinstance(value, float) and not isfinite(value):
            yield f"run.params.{name}", f"{value} is not a finite number"
    yield from _of_usage("usage", parsed.usage)


def _of_usage(place: str, usage: Usage) -> Iterator[_Fault]:
    for name in Usage.__slots__:
        yield from _within(f"{place}.{name}", getattr(usage, name), 0, _LARGEST)


def _of_nodes(parsed: RunDocument) -> Iterator[_Fault]:
    depths: dict[int, int] = {}
    last = -1
    for place, node in _listed("nodes", parsed.nodes):
        if node is None:
            if depths:
                yield f"{place}.parent", "a run has one root; name the step before it"
            depths[0], last = 0, 0
            continue
        if not depths:
            yield f"{place}.parent", "the first node is the problem, whose parent is null"
        if node.node != len(depths):
            yield f"{place}.id", f"node {node.node} comes where node {len(depths)} is due"
        if node.parent not in depths:
            itself = "it is its own parent" if node.parent == node.node else f"there is no node {node.parent} before it"
            yield f"{place}.parent", itself
        elif node.depth != depths[node.parent] + 1:
            yield f"{place}.depth", f"{node.depth} is not one more than its parent's ({depths[node.parent]})"
        if not last < node.seq <= _LARGEST:
            yield f"{place}.seq", f"{node.seq} does not follow that of the node before ({last})"
        yield from _within(f"{place}.tokens", node.tokens, 0, _LARGEST)
        yield from _within(f"{place}.copies", node.copies, 1, _LARGEST)
        yield from _within(f"{place}.logprob", node.logprob, -_LARGEST, 1e-3)
        yield from _within(f"{place}.confidence", node.confidence, -1e-3, _LARGEST)
        yield from _within(f"{place}.certainty", node.certainty, -1e-3, _LARGEST)
        depths[node.node], last = node.depth, node.seq
    if not depths:
        yield "nodes", "there is none; the first one is the problem"


def _of_score(place: str, score: StepScored, scorings: Mapping[str, ScoringRecord]) -> Iterator[_Fault]:
    yield from _within(f"{place}.value", score.value, 0, 1)
    yield from _within(f"{place}.n", score.n, 1, _LARGEST)
    yield from _within(f"{place}.low", score.low, 0, score.value)
    yield from _within(f"{place}.high", score.high, score.value, 1)
    if score.scoring is None:
        return
    scoring = scorings.get(score.scoring)
    if scoring is None:
        yield f"{place}.scoring", f"there is no scoring {score.scoring!r}"
    elif scoring.scorer.name != score.scorer:
        yield f"{place}.scorer", f"{score.scorer!r} is not the scorer of its scoring ({scoring.scorer.name!r})"


def _of_decision(place: str, decision: Decision, nodes: Mapping[int, int]) -> Iterator[_Fault]:
    reason = "rule" if decision.action == "choose" else decision.reason
    needed = REASONS.get(reason, {}).keys() - _OPTIONAL.get(reason, set())
    if "slots" in decision.numbers:
        needed |= {"draws"}
    if reason == "budget" or decision.action == "finish":
        needed = set()
    for name in sorted(needed - decision.numbers.keys()):
        yield f"{place}.numbers.{name}", f"it is missing; {reason} needs it"
    for name, number in decision.numbers.items():
        if not isfinite(number):
            yield f"{place}.numbers.{name}", f"{number} is not a finite number"
        elif name in _NODES and number not in nodes:
            yield f"{place}.numbers.{name}", f"there is no node {number:.0f}"
        elif reason in ("compute_optimal", "learned", "one_for_all") and name in _WORDS:
            yield from _within(f"{place}.numbers.{name}", number, 0, _WORDS[name] - 1)


def _after_its_node(place: str, event: StepScored | Decision, seqs: Mapping[int, int]) -> Iterator[_Fault]:
    if event.node not in seqs:
        yield f"{place}.node", f"there is no node {event.node}"
    elif not seqs[event.node] < event.seq <= _LARGEST:
        yield f"{place}.seq", f"{event.seq} does not follow that of its node ({seqs[event.node]})"


def _listed(part: str, entries: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    return ((f"{part}[{at}]", entry) for at, entry in enumerate(entries))


def _once(part: str, name: str, values: Iterable[int]) -> Iterator[_Fault]:
    seen: set[int] = set()
    for at, value in enumerate(values):
        if value in seen:
            yield f"{part}[{at}].{name}", f"{value} is there twice"
        seen.add(value)


def _of_id(place: str, name: str) -> Iterator[_Fault]:
    if not _ID.fullmatch(name):
        yield place, f"{name[:40]!r} is not an id: letters, digits and ._:- and at most 128 of them"


def _of_date(place: str, text: str) -> Iterator[_Fault]:
    try:
        zone = datetime.fromisoformat(text).tzinfo
    except ValueError:
        zone = None
    if zone is None:
        yield place, f"{text[:40]!r} is not a date and time with its zone, such as 2026-01-02T03:04:05Z"


def _within(place: str, value: float | None, least: float, most: float) -> Iterator[_Fault]:
    """Not a number (NaN) is within nothing."""
    if value is not None and not least <= value <= most:
        yield place, f"{value} is not between {least:g} and {most:g}"

"""ThinkBooster: the examples of its debugger (`cached_examples.json`), and the results of its evaluations.

A strategy's run is a list of events, each with the candidates of one step: text, signals (a judge's scores) and
whether it was selected, kept or pruned. Candidates of a beam search name their parents; elsewhere a step's candidates
follow the one selected before. The signal `confidence` is made up from the others by that tool, so it is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from engine.store.importers.completions import chain
from engine.store.importers.draft import UNNAMED_POLICY, UNNAMED_SCORER, Draft
from engine.store.importers.fields import Record, count, listed, mapped, maybe_bool, maybe_text, named, text, wrong

NAME = "ThinkBooster"
_STRATEGIES = {
    "baseline": "greedy", "self_consistency": "majority_vote", "offline_best_of_n": "best_of_n",
    "beam_search": "beam_search",
}  # fmt: skip
#: Strategies whose paths are complete before one is selected: none of them is pruned.
_WHOLE_PATHS = ("self_consistency", "offline_best_of_n")
_RANK = {"selected": 2, "kept": 1, "pruned": 0}


def recognises(record: Record) -> bool:
    return isinstance(record.get("examples"), list) or "generated_trajectory" in record or _is_payload(record)


def _is_payload(record: Record) -> bool:
    return isinstance(record.get("scenario"), Mapping) and isinstance(record.get("strategies"), list)


def runs(record: Record, place: str) -> Iterator[Draft]:
    if "generated_trajectory" in record:
        yield _result(record, place)
        return
    if _is_payload(record):
        yield from _payload(record, place)
        return
    for at, example in enumerate(listed(record.get("examples"), f"{place}, examples")):
        where = f"{place}, examples[{at}]"
        payloads = mapped(mapped(example, where).get("payloads"), f"{where}.payloads")
        for budget, payload in payloads.items():
            yield from _payload(mapped(payload, f"{where}.payloads"), f"{where}.payloads[{budget}]")


def _payload(payload: Record, place: str) -> Iterator[Draft]:
    scenario = mapped(payload.get("scenario"), f"{place}.scenario")
    problem = _problem(text(scenario, "prompt", f"{place}.scenario"), maybe_text(scenario, "shared_prompt") or "")
    for at, entry in enumerate(listed(payload.get("strategies"), f"{place}.strategies")):
        where = f"{place}.strategies[{at}]"
        strategy = mapped(entry, where)
        run = mapped(strategy.get("run"), f"{where}.run")
        name = maybe_text(strategy, "strategy_id", "id", "name") or "unknown"
        draft = Draft(
            problem, maybe_text(scenario, "ground_truth"), strategy=_STRATEGIES.get(name, name),
            policy=maybe_text(run, "model_id") or UNNAMED_POLICY, scorer=_scorer(run), joint="\n\n",
            usage={"generated_tokens": count(run.get("tokens_used")), "wall_s": count(run.get("latency_ms")) / 1000},
        )  # fmt: skip
        draft.params = _params(run, single=name == "baseline")
        _events(draft, listed(run.get("events"), f"{where}.run.events"), f"{where}.run.events", name, _signal(run))
        final = run.get("final")
        if isinstance(final, Mapping) and isinstance(final.get("is_correct"), bool):
            draft.verdict = final["is_correct"]
        yield draft


def _problem(prompt: str, shared: str) -> str:
    """The problem without the instruction that all prompts share."""
    return prompt.removeprefix(shared).strip().removeprefix("Question:").strip() or prompt


def _scorer(run: Record) -> str | None:
    scorer, config = run.get("scorer"), run.get("config")
    if not isinstance(scorer, Mapping):
        return None
    own = config.get("scorer") if isinstance(config, Mapping) else None
    return (
        (maybe_text(own, "model_path") if isinstance(own, Mapping) else None)
        or maybe_text(scorer, "name", "id")
        or UNNAMED_SCORER
    )


def _signal(run: Record) -> str:
    """The name under which candidates carry the scorer's scores."""
    scorer = run.get("scorer")
    return maybe_text(scorer, "id") or "score" if isinstance(scorer, Mapping) else "score"


def _params(run: Record, *, single: bool) -> dict[str, Any]:
    """N is the tool's budget, in whatever its strategy counts; a single pass has none."""
    config = run.get("config")
    generation = config.get("generation") if isinstance(config, Mapping) else None
    known = {name: generation.get(name) for name in ("temperature", "top_p")} if isinstance(generation, Mapping) else {}
    budget = {"n": run["budget"]} if count(run.get("budget")) and not single else {}
    return budget | {name: value for name, value in known.items() if isinstance(value, (int, float))}


def _events(draft: Draft, events: list[Any], place: str, strategy: str, signal: str) -> None:
    """Grow the tree; the last step that was selected ends the answer that was chosen."""
    nodes: dict[object, int] = {}
    states: dict[int, str] = {}
    selected, orphans = 0, 0
    for at, event in enumerate(events):
        candidates = listed(mapped(event, f"{place}[{at}]").get("candidates"), f"{place}[{at}].candidates")
        before = selected
        for number, entry in enumerate(candidates):
            where = f"{place}[{at}].candidates[{number}]"
            candidate = mapped(entry, where)
            uid = named(candidate.get("beam_uid", candidate.get("beam_unique_id")), f"{where}.beam_uid")
            above = named(candidate.get("parent_beam_uid"), f"{where}.parent_beam_uid")
            parent = before if uid is None else nodes.get(above, 0)
            orphans += uid is not None and at > 0 and above not in nodes
            node, new = draft.child(parent, text(candidate, "text", where))
            draft.steps[node].copies += not new
            if uid is not None:
                nodes[uid] = node
            _scores(draft, node, candidate, signal, where)
            state = "selected" if candidate.get("selected") is True else str(candidate.get("status"))
            states[node] = max(state, states.get(node, "pruned"), key=lambda name: _RANK.get(name, 0))
            selected = node if state == "selected" else selected
    if orphans:
        draft.warnings.append(
            f"{orphans} candidate{'s name' if orphans > 1 else ' names'} a parent that is not in the file; "
            "they stand below the problem"
        )
    _conclude(draft, states, selected, whole_paths=strategy in _WHOLE_PATHS)


def _scores(draft: Draft, node: int, candidate: Record, signal: str, place: str) -> None:
    signals = candidate.get("signals")
    found = dict(signals) if isinstance(signals, Mapping) else {}
    if candidate.get("score") is not None:
        found.setdefault(signal, candidate["score"])
    for name, value in found.items():
        if name != "confidence":
            scorer = draft.scorer if name == signal and draft.scorer else str(name)
            draft.score(node, scorer, value, f"{place}.signals.{name}")


def _conclude(draft: Draft, states: Mapping[int, str], selected: int, *, whole_paths: bool) -> None:
    ends = draft.ends()
    draft.answers_end = True
    if not whole_paths:
        for node, state in states.items():
            if state == "pruned" or node not in ends:
                draft.decide(node, "prune" if state == "pruned" else "keep")
    for node in ends if whole_paths else [selected]:
        if node and draft.steps[node].finish == "step":
            draft.finish(node)
            draft.steps[node].copies = max(1, draft.steps[node].copies)
    draft.chosen = selected if selected in ends else None


def _result(record: Record, place: str) -> Draft:
    """One sample of `results.json`: the tree where it was saved, else all paths, else the chosen one."""
    draft = Draft(
        text(record, "question", place), maybe_text(record, "gold_answer"), joint="\n\n",
        policy=maybe_text(record, "model", "model_name") or UNNAMED_POLICY, scorer=UNNAMED_SCORER,
        verdict=maybe_bool(record, "is_correct"),
    )  # fmt: skip
    pools = record.get("step_candidates")
    if isinstance(pools, list) and pools:
        draft.strategy = "beam_search"
        _events(draft, pools, f"{place}, step_candidates", "beam_search", "score")
    else:
        _paths(draft, record, place)
    stats = record.get("token_stats")
    if isinstance(stats, Mapping):
        draft.usage = {"generated_tokens": count(stats.get("output_tokens") or stats.get("total_tokens_this_sample"))}
    if draft.chosen and (answer := maybe_text(record, "extracted_answer", "generated_answer")):
        draft.steps[draft.chosen].answer = answer
        draft.steps[draft.chosen].verdict = draft.verdict
    return draft


def _paths(draft: Draft, record: Record, place: str) -> None:
    texts = record.get("all_trajectories")
    cut, scores = record.get("all_trajectory_steps"), record.get("all_step_scores")
    if not (isinstance(texts, list) and texts):
        steps = record.get("steps")
        cut = [steps] if isinstance(steps, list) and steps else None
        texts, scores = [record["generated_trajectory"]], [record.get("validity_scores")]
    leaves = []
    for at, whole in enumerate(texts):
        where = f"{place}, trajectory {at + 1}"
        steps = cut[at] if isinstance(cut, list) and at < len(cut) else None
        told = [_step(step, where) for step in steps] if isinstance(steps, list) and steps else [str(whole)]
        row = scores[at] if isinstance(scores, list) and at < len(scores) and isinstance(scores[at], list) else None
        if row is not None and len(row) != len(told):
            draft.warnings.append(f"trajectory {at + 1} has {len(told)} steps and {len(row)} scores, left out")
            row = None
        leaves.append(chain(draft, told, row, where, independent=True)[0])
    best = record.get("best_idx")
    draft.chosen = leaves[best] if isinstance(best, int) and 0 <= best < len(leaves) else leaves[0]
    if not any(step.scores for step in draft.steps):
        draft.scorer = None


def _step(step: object, place: str) -> str:
    told = maybe_text(step, "raw_text", "text") if isinstance(step, Mapping) else step
    if not isinstance(told, str):
        raise wrong(place, "a step has no text")
    return told

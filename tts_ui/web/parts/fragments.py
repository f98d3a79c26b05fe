"""The pieces of HTML around the tree: answer strip, step detail, answers, cost. Pure functions of a run and its tree.

Every text that came from a model or a person passes `html.escape`; the fragments are values of `gr.HTML`, never
templates. `judge` is the scorer whose scores are shown, None where there is none to show.
"""

from __future__ import annotations

from html import escape

from engine.search.cost import LARGE_MODELS, tokens_for
from engine.search.events import Decision
from engine.search.selection import RULES, AnswerGroup, choose, rule_named
from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.words import numbers, parameters
from tts_ui.words.reasons import latest, why
from tts_ui.words.results import NO_ANSWER, outcome, run_outcome, too_long, votes, votes_explained, weighed_votes

#: Rows of a step's siblings; a first step of best-of-N may have hundreds.
_SIBLINGS_SHOWN = 40

_STATUS = {
    "running": "searching",
    "done": "",
    "stopped": "stopped",
    "failed": "failed",
    "interrupted": "interrupted: the process that ran it ended",
}


def outcome_mark(record: RunRecord, correct: bool | None) -> str:
    """How an answer of the run was graded: a tick or a cross with its word, or why there is neither."""
    kind, sign = {True: ("ok", "&#10003; "), False: ("bad", "&#10007; "), None: ("ungraded", "")}[correct]
    return f'<b class="{kind}">{sign}{outcome(record, correct)}</b>'


def strip(record: RunRecord, tree: Tree) -> str:
    """The line above the tree: the answer, who voted for it, what it cost."""
    usage = record.usage
    cost = [
        f"<b>{numbers.count(usage.generated_tokens)}</b> tokens",
        f"PRM <b>{numbers.count(usage.scored_tokens)}</b>" if record.scorer else "no PRM",
        f"<b>{numbers.flops(usage.flops_all if usage.flops_known else None)}</b>",
        f"<b>{numbers.seconds(usage.wall_s)}</b>",
    ]
    parts = [answer_line(record, tree), *cost, too_long(record, tree)]
    return f'<div class="strip">{"".join(f"<span>{part}</span>" for part in parts if part)}</div>'


def answer_line(record: RunRecord, tree: Tree) -> str:
    """The state of a run: its answer and the votes for it, or how far the search is."""
    state = _STATUS[record.status]
    if record.error:
        return f'<b class="bad">failed</b> {escape(record.error)}'
    if record.status == "running":
        leaves = sum(node.copies for node in tree.completions())
        return f'<b class="live">{state}</b> {numbers.count(len(tree) - 1)} steps, {leaves} finished'
    if record.answer is None:
        return f"<b>{state or NO_ANSWER}</b>" + (f", {NO_ANSWER}" if state else "")
    weighed = rule_named(record.params["select"]).reducer
    said = weighed_votes(record, tree) if weighed else f"{votes(record, tree)} votes"
    known = f" {outcome_mark(record, record.correct)}" if run_outcome(record) else ""
    ended = f" <b>{state}</b>" if state else ""
    return f'Answer <b class="answer">{escape(record.answer)}</b>{known} <i>{said}</i>{ended}'


def answers(record: RunRecord, tree: Tree, judge: str | None) -> str:
    """The table of answers, best first under the run's rule."""
    groups = record.answers(tree, judge=judge)
    if not groups:
        return f'<p class="hint">No completion has finished{" yet" if record.status == "running" else ""}.</p>'
    top = max(group.weight for group in groups) or 1
    rows = "".join(
        f'<tr><td><button class="link" data-pick="{group.nodes[0]}">{escape(group.answer or "no answer")}</button></td>'
        f"<td>{_group_mark(record, group)}</td><td>{group.votes}</td>"
        f"<td>{_bar(group.weight / top)} {numbers.weight(group.weight)}</td>"
        f"<td>{numbers.score(group.best_score)}</td></tr>"
        for group in groups
    )
    rule = escape(str(record.params["select"])).replace("_", "_<wbr>")
    return (
        "<table><thead><tr><th>answer</th><th>outcome</th><th>votes</th>"
        f"<th>weight ({rule})</th><th>best score</th></tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="hint">{escape(votes_explained(record, tree))}</p>'
    )


def _group_mark(record: RunRecord, group: AnswerGroup) -> str:
    """A group without an answer has nothing to grade."""
    return outcome_mark(record, group.correct) if group.answer is not None and record.status != "running" else ""


def rules(record: RunRecord, tree: Tree, judge: str | None) -> str:
    """What each selection rule would have answered from the same finished run, and whether it would have been right."""
    if not any(tree.completions()):
        return '<p class="hint">No completion has finished.</p>'
    eligible = bool(record.params.get("eligible_without_answer"))
    rows = ""
    for name, rule in RULES.items():
        if rule.reducer and judge is None:
            continue
        winner = choose(record.answers(tree, name, judge), eligible_without_answer=eligible)
        mark = ' class="own"' if name == record.params.get("select") else ""
        if winner is None:
            rows += f"<tr{mark}><td>{name}</td><td>no answer</td><td></td><td></td></tr>"
            continue
        answer = f'<button class="link" data-pick="{winner.nodes[0]}">{escape(winner.answer or "no answer")}</button>'
        rows += (
            f"<tr{mark}><td>{name}</td><td>{answer}</td><td>{_group_mark(record, winner)}</td>"
            f"<td>{numbers.weight(winner.weight)}</td></tr>"
        )
    head = "<tr><th>rule</th><th>would answer</th><th>outcome</th><th>weight</th></tr>"
    note = "The same run under every rule, at no model cost." + (
        "" if judge else " Without PRM scores only the majority vote is known."
    )
    return f'<table><thead>{head}</thead><tbody>{rows}</tbody></table><p class="hint">{note}</p>'


def cost(record: RunRecord) -> str:
    """Where the tokens and operations went, policy and PRM separately."""
    usage = record.usage
    paper, whole = (usage.flops_paper, usage.flops_all) if usage.flops_known else (None, None)
    rows = [
        ("policy: tokens generated", numbers.count(usage.generated_tokens), "every draw, including abandoned steps"),
        ("policy: prompt tokens computed", numbers.count(usage.prompt_tokens), "positions read outside decoding"),
        ("policy: tokens reused", numbers.count(usage.prompt_tokens_reused), "read from the prefix cache instead"),
        ("PRM: tokens scored", numbers.count(usage.scored_tokens), "each step once, on top of its cached path"),
        ("PRM: tokens reused", numbers.count(usage.scored_tokens_reused), "read from the prefix cache instead"),
        ("calls", f"{usage.policy_calls} policy, {usage.scorer_calls} PRM", "batches sent to each model"),
        ("FLOPs, the paper's way", numbers.flops(paper), "2 x policy parameters x tokens generated"),
        ("FLOPs, all", numbers.flops(whole), "prompts and the PRM counted too"),
        *[
            (
                f"the same in {name} tokens",
                f"{numbers.fraction(tokens_for(usage.flops_paper, size))}, "
                f"all {numbers.fraction(tokens_for(usage.flops_all, size))}",
                f"tokens that a model of {size / 1e9:.0f}B parameters would generate for the same FLOPs",
            )
            for name, size in (LARGE_MODELS.items() if usage.flops_known else ())
        ],
        ("time", numbers.seconds(usage.wall_s), "wall clock"),
    ]
    if record.scorer is None:
        rows = [row for row in rows if not row[0].startswith("PRM")]
    body = "".join(f"<tr><td>{name}</td><td>{value}</td><td>{what}</td></tr>" for name, value, what in rows)
    sizes = [
        f"{escape(model.name)} ({numbers.count(model.parameters or None)} parameters)"
        for model in (record.policy, record.scorer)
        if model
    ]
    models = ", ".join(sizes)
    return f'<table class="cost"><tbody>{body}</tbody></table><p class="hint">{models}</p>'


def detail_head(record: RunRecord, tree: Tree, node: Node, judge: str | None) -> str:
    """Above the step's text: which step this is, its score, and its rank by the judge that decided the run."""
    if node.parent is None:
        return '<div class="head"><b>Problem</b></div>'
    length = max((len(tree.path(leaf)) for leaf in tree.nodes if _below(tree, node, leaf)), default=node.depth)
    score = node.scores.get(judge) if judge else None
    rank = next((d for d in reversed(node.decisions) if d.reason == "rank" and judge == record.judge), None)
    place = f" #{rank.numbers['rank']:.0f}/{rank.numbers['of']:.0f}" if rank else ""
    judged = f"<span>PRM <b>{numbers.score(score)}</b>{place}</span>" if judge else ""
    return f'<div class="head"><b>Step {node.depth} of {length}</b>{judged}</div>'


def _below(tree: Tree, node: Node, other: Node) -> bool:
    return node is other or node in tree.path(other)


def detail(record: RunRecord, tree: Tree, node: Node, judge: str | None) -> str:
    """Below the step's text: why it was kept or pruned, its facts, its path and its siblings."""
    if node.parent is None:
        return "".join(f'<ul class="why"><li>{_reason(d)}</li></ul>' for d in node.decisions) + _run_facts(record)
    chosen = tree.chosen is not None and node in tree.path(tree[tree.chosen])
    grounds = "".join(f"<li>{line}</li>" for line in reasons(node, chosen))
    facts = [
        f"{numbers.count(node.tokens)} tokens",
        f"log-probability {node.logprob:.2f}" if node.logprob is not None else "log-probability n/a",
        f"drawn {node.copies} times" if node.copies > 1 else "drawn once",
        {"step": "", "eos": "ended its answer", "length": "cut: out of room", "budget": "cut: out of budget"}[
            node.finish
        ],
    ]
    if node.answer is not None:
        facts.append(f"answer <b>{escape(node.answer)}</b> {outcome_mark(record, outcome_of(record, node))}")
    path = "".join(_step_row(step, judge, step is node) for step in tree.path(node))
    siblings = [child for child in tree.children(tree[node.parent]) if child is not node]
    siblings.sort(key=lambda step: -step.scores.get(judge or "", -1.0))
    others = "".join(_step_row(step, judge, False) for step in siblings[:_SIBLINGS_SHOWN])
    if len(siblings) > _SIBLINGS_SHOWN:
        others += f'<p class="facts">and {len(siblings) - _SIBLINGS_SHOWN} more; the arrow keys reach them</p>'
    return (
        f'<ul class="why">{grounds}</ul><p class="facts">{" &middot; ".join(fact for fact in facts if fact)}</p>'
        f"<h4>Path</h4>{path}" + (f"<h4>Siblings ({len(siblings)})</h4>{others}" if siblings else "")
    )


def outcome_of(record: RunRecord, node: Node) -> bool | None:
    """Whether the answer of a finished step is right; None if unknown."""
    grade = record.grades.get(node.answer) if node.answer is not None else None
    return grade.correct if grade else None


def reasons(node: Node, chosen: bool) -> list[str]:
    """Why a step was kept or pruned, a line per decision, as HTML; `chosen`: whether it is on the chosen path."""
    lines = [f"<b>{node.status}</b>"] if not node.decisions else [_reason(decision) for decision in latest(node)]
    if chosen and not any(decision.action == "choose" for decision in node.decisions):
        lines.append("<b>on the chosen path</b>")
    return lines


def _reason(decision: Decision) -> str:
    done, because = why(decision)
    return f"<b>{escape(done)}</b>" + (f": {escape(because)}" if because else "")


def _step_row(step: Node, judge: str | None, current: bool) -> str:
    value = step.scores.get(judge) if judge else None
    words = " ".join(step.text.split())
    kind = " ".join([step.status, *(["here"] if current else []), *([] if judge else ["unjudged"])])
    judged = f"<span>{numbers.score(value)}</span>{_bar(value)}" if judge else ""
    here = ' aria-current="step"' if current else ""
    return (
        f'<button type="button" class="step {kind}" data-pick="{step.id}" title="{escape(words[:400])}"{here}>'
        f"<b>{step.depth}</b>{judged}<em>{escape(words[:120])}</em></button>"
    )


def _bar(share: float | None) -> str:
    return f'<i class="bar"><i style="width:{100 * max(0.0, min(1.0, share or 0.0)):.0f}%"></i></i>'


def _run_facts(record: RunRecord) -> str:
    params = " &middot; ".join(
        escape(f"{parameters.name(key)} {parameters.value(value)}") for key, value in record.params.items()
    )
    reference = f"<p>Reference answer <b>{escape(record.reference_answer)}</b></p>" if record.reference_answer else ""
    asked = f'<p class="facts">{escape(parameters.words(record.strategy))} &middot; {params}</p>'
    return f'{reference}{asked}<p class="facts">run {record.id}</p>'

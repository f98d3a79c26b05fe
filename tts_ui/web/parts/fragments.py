"""The pieces of HTML around the tree: answer strip, step detail, answers, cost. Pure functions of a run and its tree.

Every text that came from a model or a person passes `html.escape`; the fragments are values of `gr.HTML`, never
templates. `judge` is the scorer whose scores are shown, None where there is none to show.
"""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from engine.runs.judging import found_right
from engine.runs.run import ROLLOUTS
from engine.search.events import Decision
from engine.search.interval import wilson
from engine.search.selection import AnswerGroup, rule_named
from engine.search.tree import Node, Tree
from engine.search.truth import Truth, Verdict
from engine.store import RunRecord
from engine.store.records import FIELDS
from tts_ui.web.parts import judges
from tts_ui.web.parts.critiques import critiques
from tts_ui.words import numbers, parameters
from tts_ui.words.counting import counted
from tts_ui.words.interface.markup import marked
from tts_ui.words.reasons import latest, why
from tts_ui.words.results import (
    budget_eaten,
    flops,
    imported_from,
    no_answer,
    outcome,
    run_outcome,
    spent,
    stopped_early,
    too_long,
    votes,
    votes_explained,
    weighed_votes,
)
from tts_ui.words.rules import UnderRule, rule_words, under_rules
from tts_ui.words.texts import short, without_number

#: Rows of a step's siblings; a first step of best-of-N may have hundreds.
_SIBLINGS_SHOWN = 40


def outcome_mark(record: RunRecord, correct: bool | None) -> str:
    """How an answer of the run was graded: a tick or a cross with its word, or why there is neither."""
    kind, sign = {True: ("ok", "&#10003; "), False: ("bad", "&#10007; "), None: ("ungraded", "")}[correct]
    return f'<b class="{kind}">{sign}{escape(outcome(record, correct))}</b>'


def strip(record: RunRecord, tree: Tree, truth: Truth | None = None, judge: str | None = None) -> str:
    """The line above the tree: the answer, who voted for it, what it cost; and whose scores are shown, where they are
    not those that decided the run."""
    usage = record.usage
    cost = [
        marked("strip.tokens", n=usage.generated_tokens, count=f"<b>{numbers.count(usage.generated_tokens)}</b>"),
        marked("strip.read", count=f"<b>{numbers.count(usage.scored_tokens)}</b>")
        if record.scorer
        else marked("strip.no_prm"),
        f"<b>{numbers.flops(flops(usage)[1])}</b>",
        f"<b>{numbers.seconds(usage.wall_s)}</b>",
    ]
    if record.source is not None:
        cost = [*map(escape, spent(record)), escape(imported_from(record))]
    elif not record.bill_known:
        cost = [marked("strip.no_bill")]
    compare = f'<a href="./compare?like={escape(record.id)}">{marked("strip.compare")}</a>'
    lesson = marked("strip.lesson") if record.origin == "example" else ""
    parts = [
        answer_line(record, tree), escape(stopped_early(record, tree)), lesson, _forked(record, tree),
        _by_wrong_steps(record, tree, truth), *cost, judges.said(record, judge), escape(too_long(record, tree)),
        compare,
    ]  # fmt: skip
    return f'<div class="strip">{"".join(f"<span>{part}</span>" for part in parts if part)}{_warning(record)}</div>'


def _warning(record: RunRecord) -> str:
    """What looked wrong with the file that a run was imported from."""
    if not record.warning:
        return ""
    said = marked("strip.warning", warning=escape(record.warning))
    return f'<p class="bad warning" role="note">{said}</p>'


def _forked(record: RunRecord, tree: Tree) -> str:
    """Which run this one goes on from, and the rollout value of the step where it begins."""
    if record.parent_run is None:
        return ""
    place = f"./?run={record.parent_run}" + (f"&node={record.fork_node}" if record.fork_node else "")
    other = marked("strip.another_run")
    other = f'<a href="{escape(place)}">{other}</a>' if record.parent_run else other
    began = next((node for node in reversed(tree.nodes) if any(d.reason == "planted" for d in node.decisions)), None)
    if began is None or ROLLOUTS not in began.scores:
        return marked("strip.goes_on", run=other)
    right, ended = found_right(record, tree)
    value = wilson(right, ended)
    return marked(
        "strip.goes_on_valued", n=ended, run=other, step=began.depth, value=f"<b>{numbers.score(value.mean)}</b>",
        interval=f"[{numbers.score(value.low)}, {numbers.score(value.high)}]", right=right, of=ended,
    )  # fmt: skip


def _by_wrong_steps(record: RunRecord, tree: Tree, truth: Truth | None) -> str:
    """A right answer that wrong steps led to is said to be one."""
    if truth is None or not record.correct or tree.chosen is None:
        return ""
    wrong = truth.first_wrong(tree.path(tree[tree.chosen]))
    if wrong is None:
        return ""
    by = f'<b class="bad">{marked("strip.by_wrong")}</b>'
    return f'{by} <button class="link" data-pick="{wrong.id}">{marked("step.lower", step=wrong.depth)}</button>'


def answer_line(record: RunRecord, tree: Tree) -> str:
    """The state of a run: its answer and the votes for it, or how far the search is."""
    state = "" if record.status == "done" else marked(f"status.{record.status}")
    if record.error:
        return f'<b class="bad">{marked("status.failed")}</b> {escape(short(record.error))}'
    if record.status == "running":
        leaves = sum(node.copies for node in tree.completions())
        far = marked("strip.so_far", steps=counted("steps", len(tree) - 1), finished=leaves)
        return f'<b class="live">{state}</b> {far}'
    if record.answer is None:
        eaten, none = escape(budget_eaten(record, tree)), escape(no_answer())
        return f"<b>{state or none}</b>" + (f", {none}" if state else "") + (f": {eaten}" if eaten else "")
    weighed = rule_named(record.params["select"]).weighed
    said = escape(weighed_votes(record, tree)) if weighed else marked("strip.votes", votes=votes(record, tree))
    known = f" {outcome_mark(record, record.correct)}" if run_outcome(record) else ""
    ended = f" <b>{state}</b>" if state else ""
    answer = f'<b class="answer">{escape(short(record.answer))}</b>'
    return f"{marked('strip.answer', answer=answer)}{known} <i>{said}</i>{ended}"


def answers(record: RunRecord, tree: Tree, judge: str | None) -> str:
    """The table of answers, best first under the run's rule."""
    groups = record.answers(tree, judge=judge)
    if not groups:
        none = "answers.none_yet" if record.status == "running" else "answers.none"
        return f'<p class="hint">{marked(none)}</p>'
    top = max(group.weight for group in groups) or 1
    rows = "".join(
        f'<tr><td><button class="link" data-pick="{group.nodes[0]}">'
        f"{escape(short(group.answer or no_answer()))}</button></td>"
        f"<td>{_group_mark(record, group)}</td><td>{group.votes}</td>"
        f"<td>{_bar(group.weight / top)} {numbers.weight(group.weight)}</td>"
        f"<td>{numbers.score(group.best_score)}</td></tr>"
        for group in groups
    )
    rule = escape(str(record.params["select"])).replace("_", "_<wbr>")
    heads = [
        marked("answers.answer"), marked("answers.outcome"), marked("answers.votes"),
        marked("answers.weight_by", rule=rule), marked("answers.best", by=_by(record, judge)),
    ]  # fmt: skip
    return (
        f"<table><thead><tr>{_heads(heads)}</tr></thead><tbody>{rows}</tbody></table>"
        f'<p class="hint">{escape(votes_explained(record, tree))}</p>'
    )


def _heads(heads: Iterable[str]) -> str:
    return "".join(f"<th>{head}</th>" for head in heads)


def _by(record: RunRecord, judge: str | None) -> str:
    """Whose scores these are, where they are not those that decided the run."""
    return "" if judge is None or judge == record.judge else " " + marked("answers.by", judge=escape(judge))


def _group_mark(record: RunRecord, group: AnswerGroup) -> str:
    """A group without an answer has nothing to grade."""
    return outcome_mark(record, group.correct) if group.answer is not None and record.status != "running" else ""


def rules(record: RunRecord, tree: Tree, judge: str | None) -> str:
    """What each selection rule would have answered from the same finished run, and whether it would have been right."""
    if not any(tree.completions()):
        return f'<p class="hint">{marked("answers.none")}</p>'
    rows = "".join(_rule_row(record, read) for read in under_rules(record, tree, judge))
    heads = _heads(map(marked, ("rules.rule", "rules.would_answer", "answers.outcome", "rules.weight")))
    head = f'<tr>{heads}<th class="reads">{marked("rules.reads")}</th></tr>'
    note = marked("rules.note", by=_by(record, judge)) + ("" if judge else f" {marked('rules.no_scores')}")
    return f'<table><thead>{head}</thead><tbody>{rows}</tbody></table><p class="hint">{note}</p>'


def _rule_row(record: RunRecord, read: UnderRule) -> str:
    first = f"<tr><td>{read.rule}</td>"
    if read.rule == record.params.get("select"):
        first = f'<tr class="own"><td>{read.rule} <span>({marked("rules.own")})</span></td>'
    words = f'<td class="reads">{escape(rule_words(read.rule))}</td></tr>'
    winner = read.winner
    if winner is None:
        return f"{first}<td>{escape(read.lacks)}</td><td></td><td></td>{words}"
    answer = escape(short(winner.answer or no_answer()))
    answer = f'<button class="link" data-pick="{winner.nodes[0]}">{answer}</button>'
    outcome, weight = _group_mark(record, winner), numbers.weight(winner.weight)
    return f"{first}<td>{answer}</td><td>{outcome}</td><td>{weight}</td>{words}"


_SIGNS: dict[Verdict, tuple[str, str]] = {
    "right": ("ok", "&#10003;"), "wrong": ("bad", "&#10007;"), "after": ("ungraded", "&middot;"),
}  # fmt: skip


def truth_word(verdict: Verdict) -> str:
    """What an exact check says of a step, as HTML."""
    kind, sign = _SIGNS[verdict]
    sign = "" if verdict == "after" else f"{sign} "
    return f'<b class="{kind}" title="{marked(f"truth.{verdict}_means")}">{sign}{marked(f"truth.{verdict}")}</b>'


def _truth_sign(verdict: Verdict) -> str:
    """The same where there is no room for the word."""
    kind, sign = _SIGNS[verdict]
    return f'<b class="{kind}" title="{marked(f"truth.{verdict}")}">{sign}</b>'


def detail_head(record: RunRecord, tree: Tree, node: Node, judge: str | None, truth: Truth | None = None) -> str:
    """Above the step's text: which step this is, its score, and its rank by the judge that decided the run."""
    if node.parent is None:
        return f'<div class="head"><b>{marked("step.problem")}</b></div>'
    length = max((len(tree.path(leaf)) for leaf in tree.nodes if _below(tree, node, leaf)), default=node.depth)
    score = node.scores.get(judge) if judge else None
    rank = next((d for d in reversed(node.decisions) if d.reason == "rank" and judge == record.judge), None)
    place = f" #{rank.numbers['rank']:.0f}/{rank.numbers['of']:.0f}" if rank else ""
    judged = f"<span>{judges.name(record, judge)} <b>{numbers.score(score)}</b>{place}</span>" if judge else ""
    verdict = truth[node.id] if truth else None
    known = f"<span>{truth_word(verdict)}</span>" if verdict else ""
    return f'<div class="head"><b>{marked("step.of", step=node.depth, of=length)}</b>{known}{judged}</div>'


def _below(tree: Tree, node: Node, other: Node) -> bool:
    return node is other or node in tree.path(other)


def detail(record: RunRecord, tree: Tree, node: Node, judge: str | None, truth: Truth | None = None) -> str:
    """Below the step's text: why it was kept or pruned, its facts, its path and its siblings."""
    if node.parent is None:
        return "".join(f'<ul class="why"><li>{_reason(d)}</li></ul>' for d in node.decisions) + _run_facts(record)
    chosen = tree.chosen is not None and node in tree.path(tree[tree.chosen])
    grounds = "".join(f"<li>{line}</li>" for line in reasons(node, chosen))
    tokens = node.tokens if record.source is None else node.tokens or None
    facts = [
        marked("strip.tokens", n=tokens or 0, count=numbers.count(tokens)),
        marked("step.logprob", value=numbers.nats(node.logprob)),
        _sure(node),
        drawn(node),
        "" if node.finish == "step" else marked(f"finish.{node.finish}"),
    ]
    if node.answer is not None:
        mark = outcome_mark(record, outcome_of(record, node)) if record.status != "running" else ""
        facts.append(answered(node.answer, mark))
    path = "".join(_step_row(step, judge, truth, here=step is node) for step in tree.path(node))
    siblings = [child for child in tree.children(tree[node.parent]) if child is not node]
    siblings.sort(key=lambda step: -step.scores.get(judge or "", -1.0))
    others = "".join(_step_row(step, judge, truth) for step in siblings[:_SIBLINGS_SHOWN])
    if len(siblings) > _SIBLINGS_SHOWN:
        more = len(siblings) - _SIBLINGS_SHOWN
        others += f'<p class="facts">{marked("step.more_siblings", n=more)}</p>'
    return (
        f'<ul class="why">{grounds}</ul><p class="facts">{" &middot; ".join(fact for fact in facts if fact)}</p>'
        f"{critiques(node, judge)}<h2>{marked('step.path')}</h2>{path}"
        + (f"<h2>{marked('step.siblings', n=len(siblings))}</h2>{others}" if siblings else "")
    )


def drawn(node: Node) -> str:
    """How often a step was drawn."""
    return marked("step.drawn", n=node.copies) if node.copies > 1 else marked("step.drawn_once")


def answered(answer: str, mark: str) -> str:
    """What a finished step answers, and how that was graded."""
    return f"{marked('step.answer', answer=f'<b>{escape(short(answer))}</b>')} {mark}"


def _sure(node: Node) -> str:
    """How sure the policy was of a step, and which way the numbers go."""
    told = {"confidence": numbers.nats(node.confidence), "certainty": numbers.nats(node.certainty)}
    return marked("step.sure_explained" if node.confidence is not None else "step.sure", **told)


def outcome_of(record: RunRecord, node: Node) -> bool | None:
    """Whether the answer of a finished step is right; None if unknown."""
    grade = record.grades.get(node.answer) if node.answer is not None else None
    return grade.correct if grade else None


def reasons(node: Node, chosen: bool) -> list[str]:
    """Why a step was kept or pruned, a line per decision, as HTML; `chosen`: whether it is on the chosen path."""
    lines = [_reason(decision) for decision in latest(node)] or [f"<b>{marked(f'node.{node.status}')}</b>"]
    if chosen and not any(decision.action == "choose" for decision in node.decisions):
        lines.append(f"<b>{marked('step.on_chosen_path')}</b>")
    return lines


def _reason(decision: Decision) -> str:
    done, because = why(decision)
    return f"<b>{escape(done)}</b>" + (f": {escape(because)}" if because else "")


def _step_row(step: Node, judge: str | None, truth: Truth | None, *, here: bool = False) -> str:
    value = step.scores.get(judge) if judge else None
    words = " ".join(without_number(step.text[:4000], step.depth).split())
    kind = " ".join([step.status, *(["here"] if here else []), *([] if judge else ["unjudged"])])
    judged = f"<span>{numbers.score(value)}</span>{_bar(value)}" if judge else ""
    current = ' aria-current="step"' if here else ""
    verdict = truth[step.id] if truth else None
    sign = _truth_sign(verdict) if verdict else ""
    return (
        f'<button type="button" class="step {kind}" data-pick="{step.id}" title="{escape(words[:400])}"{current}>'
        f"<b>{step.depth}{sign}</b>{judged}<em>{escape(words[:120])}</em></button>"
    )


def _bar(share: float | None) -> str:
    return f'<i class="bar"><i style="width:{100 * max(0.0, min(1.0, share or 0.0)):.0f}%"></i></i>'


def _run_facts(record: RunRecord) -> str:
    params = " &middot; ".join(
        escape(f"{parameters.name(key)} {parameters.value(value)}")
        for key, value in record.params.items()
        if key != FIELDS
    )
    reference = (
        f"<p>{marked('step.reference', answer=f'<b>{escape(short(record.reference_answer))}</b>')}</p>"
        if record.reference_answer
        else ""
    )
    asked = f'<p class="facts">{escape(parameters.words(record.strategy))} &middot; {params}</p>'
    source = f'<p class="facts">{escape(imported_from(record))}</p>' if record.source else ""
    return f'{reference}{asked}{source}<p class="facts">{marked("step.run", run=escape(record.id))}</p>'


def to_the_lab(record: RunRecord, node: Node) -> str:
    """The way to other judges for the path that ends here."""
    if node.parent is None or record.status == "running":
        return ""
    address = f"./lab?tab=score&run={record.id}&node={node.id}"
    return f'<p class="hint"><a href="{escape(address)}">{marked("step.to_the_lab")}</a></p>'

"""Several judges on one tree, below the Judge tab: how far they agree, where they do not, and what would have come of
the search under each. Pure functions of a run and its tree; a click on a step selects it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from engine.runs.lab.agreement import Pair, Step, agreement, compared
from engine.runs.lab.what_if import CONSTANT, EXACT, HALF_AT, SHORTER, Left, Steered
from engine.search.tree import Tree
from engine.search.truth import Truth
from engine.store import RunRecord
from tts_ui.web.components.search_tree import Mark
from tts_ui.web.parts.fragments import outcome_mark, truth_word
from tts_ui.web.parts.judges import Shown
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.interface.markup import marked
from tts_ui.words.results import no_answer
from tts_ui.words.texts import short, without_number

#: Rows of the list of disagreements.
_SHOWN = 25
_LONGEST = 100


def several_judges(record: RunRecord, tree: Tree, shown: Shown, truth: Truth | None) -> str:
    """How far the judges of a run agree, and the steps on which the two that are shown differ most."""
    found = agreement({record.id: tree})
    if not found.pairs:
        return ""
    parts = [f"<h2>{marked('several.agree')}</h2>"]
    if pair := _of(found.pairs, shown):
        parts.append(f"<p>{_sentence(pair)}</p>")
    if len(found.pairs) > 1:
        parts.append(pairs_table(found.pairs))
    parts.append(f'<p class="hint">{marked("several.explained")}</p>')
    if shown.judge and shown.against:
        parts.append(_disagreements(compared(tree, shown.judge, shown.against), shown, truth))
    return "".join(parts)


def figure(value: float | None) -> str:
    """A coefficient, or that there is none."""
    return numbers.NOT_AVAILABLE if value is None else f"{value:.2f}"


def pairs_table(pairs: Iterable[Pair]) -> str:
    rows = "".join(
        f"<tr><td>{escape(pair.a)}</td><td>{escape(pair.b)}</td><td>{numbers.count(pair.n)}</td>"
        f"<td>{figure(pair.rho)}</td><td>{figure(pair.alpha)}</td><td>{pair.apart:.2f}</td></tr>"
        for pair in pairs
    )
    columns = ("judge", "and", "steps", "rho", "alpha", "apart")
    heads = "".join(f"<th>{marked(f'columns.{column}')}</th>" for column in columns)
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>"


def _of(pairs: Sequence[Pair], shown: Shown) -> Pair | None:
    return next((pair for pair in pairs if {pair.a, pair.b} == {shown.judge, shown.against}), None)


def _sentence(pair: Pair) -> str:
    higher, lower = (pair.a, pair.b) if pair.higher >= 0 else (pair.b, pair.a)
    return marked(
        "several.pair", n=pair.n, a=f"<b>{escape(pair.a)}</b>", b=f"<b>{escape(pair.b)}</b>",
        steps=numbers.count(pair.n), apart=f"{pair.apart:.2f}", higher=escape(higher), lower=escape(lower),
        by=f"{abs(pair.higher):.2f}", rho=f"<b>{figure(pair.rho)}</b>", alpha=f"<b>{figure(pair.alpha)}</b>",
    )  # fmt: skip


def _disagreements(steps: Sequence[Step], shown: Shown, truth: Truth | None) -> str:
    if not steps:
        return ""
    steps = sorted(steps, key=lambda step: (-abs(step.apart), step.node.id))
    heads = [say("columns.step"), shown.judge, shown.against, say("columns.apart"), say("columns.places_apart")]
    heads += [say("columns.truth")] if truth else []
    head = "".join(
        f'<th aria-sort="{"descending" if at == 3 else "none"}"><button type="button" class="link" data-sort>'
        f"{escape(name or '')}</button></th>"
        for at, name in enumerate(heads)
    )
    rows = "".join(_row(step, truth) for step in steps[:_SHOWN])
    more = f'<p class="hint">{marked("several.more", n=len(steps) - _SHOWN)}</p>' if len(steps) > _SHOWN else ""
    return (
        f'<table class="judged apart"><caption>{marked("several.disagree")}</caption>'
        f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{more}"
    )


def _row(step: Step, truth: Truth | None) -> str:
    node = step.node
    words = " ".join(without_number(node.text[:4000], node.depth).split())
    cells: list[tuple[float, str]] = [
        (node.depth, f'<button class="link" data-pick="{node.id}" title="{escape(words[:400])}"><b>{node.depth}</b>'
                     f" {escape(words[:_LONGEST])}</button>"),
        (step.a, numbers.score(step.a)),
        (step.b, numbers.score(step.b)),
        (abs(step.apart), f"{step.apart:+.2f}".replace("-", "&minus;")),
        (abs(step.ranks_apart), marked("several.places", a=f"{100 * step.a_rank:.0f}", b=f"{100 * step.b_rank:.0f}")),
    ]  # fmt: skip
    if truth:
        verdict = truth[node.id]
        cells.append((0.0, truth_word(verdict)) if verdict else (-1.0, marked("truth.not_checked")))
    return "<tr>" + "".join(f'<td data-value="{value}">{said}</td>' for value, said in cells) + "</tr>"


# --- what if this judge had steered ---------------------------------------------------------------------------------


def what_if(record: RunRecord, steered: Sequence[Steered] | str) -> str:
    """What would have come of the search under each judge; a text says why that cannot be told."""
    title = f"<h2>{marked('what_if.title')}</h2>"
    if isinstance(steered, str):
        return f'{title}<p class="hint">{escape(steered)}</p>'
    if not steered:
        return ""
    rows = "".join(
        f'<tr><td><button class="link" data-mark="{mark_name(each)}" data-tree="tree">{escape(called(each.judge))}'
        "</button></td>"
        f"<td>{_answered(record, each)}</td><td>{_where(each)}</td></tr>"
        for each in steered
    )
    heads = "".join(f"<th>{marked(name)}</th>" for name in ("columns.judge", "what_if.answered", "what_if.leaves"))
    shorter = marked("what_if.shorter", rule=f"<i>{escape(called(SHORTER))}</i>", characters=HALF_AT)
    return (
        f'{title}<table class="judged what-if"><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table>'
        f'<p class="hint">{marked("what_if.says", shorter=shorter)}</p>'
    )


def marks_of(steered: Sequence[Steered] | str) -> Mapping[str, Mark]:
    """What the tree rings for each judge: the steps below which it would have drawn, or where it decides otherwise."""
    if isinstance(steered, str):
        return {}
    return {mark_name(each): _mark(each) for each in steered}


def called(judge: str) -> str:
    """A judge by its name; those that are none of a model in words."""
    return say(f"what_if.{judge.replace(' ', '_')}") if judge in (CONSTANT, SHORTER, EXACT) else judge


def mark_name(steered: Steered) -> str:
    return "if-" + "".join(letter if letter.isalnum() else "-" for letter in steered.judge)


def _mark(each: Steered) -> Mark:
    if each.left:
        says = say("what_if.mark_left", n=len(each.strayed), judge=called(each.judge))
        return {"nodes": list(each.strayed), "says": says}
    if each.otherwise:
        return {"nodes": list(each.otherwise), "says": say("what_if.mark_otherwise", judge=called(each.judge))}
    return {"nodes": [], "says": say("what_if.mark_same", judge=called(each.judge))}


def _answered(record: RunRecord, each: Steered) -> str:
    answer = f'<b class="answer">{escape(short(each.answer or no_answer()))}</b>'
    mark = outcome_mark(record, each.correct) if record.reference_answer is not None and each.answer else ""
    same = "" if each.answer != record.answer else f" <i>{marked('what_if.as_it_was')}</i>"
    if each.known:
        return f"{answer} {mark}{same}"
    if not each.completions:
        return marked("what_if.nothing_ended")
    reached = numbers.count(each.completions)
    return marked("what_if.reached", n=each.completions, count=reached, answer=f"{answer} {mark}{same}")


def _where(each: Steered) -> str:
    lacking = marked("what_if.lacking", steps=counted("steps", each.lacking)) if each.lacking else ""
    if each.left is not None:
        return where(each.left) + lacking
    if not each.otherwise:
        return marked("what_if.nowhere") + lacking
    return marked("what_if.otherwise", steps=counted("steps", len(each.otherwise))) + lacking


def where(left: Left) -> str:
    """In words, as HTML: where a search leaves its record, each step a link into the tree."""
    slots = marked("what_if.slots", n=left.of, slots=left.slots, of=numbers.count(left.of))
    if left.level == 0:
        return marked("what_if.below_problem", slots=slots)
    links = ", ".join(
        f'<button class="link" data-pick="{node}">{marked("what_if.node", node=node)}</button>'
        for node in left.nodes[:4]
    )
    links += f" {marked('judge_tab.more_links', n=len(left.nodes) - 4)}" if len(left.nodes) > 4 else ""
    return marked("what_if.below_step", step=left.level, links=links, slots=slots)

"""What a run found and what it spent, in the words of the pages and of the terminal. Plain text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.search.events import Usage
from engine.search.selection import rule_named
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say
from tts_ui.words.reasons import why

if TYPE_CHECKING:  # a refusal is printed from the terminal's rooms, too, and needs no SQL
    from engine.search.tree import Node, Tree
    from engine.store import RunRecord

#: The columns of a bill by the names of their texts.
_COST_COLUMNS = ("tokens", "prm_tokens", "flops_paper", "flops_all", "calls", "time")


def no_answer() -> str:
    return say("results.no_answer")


def cost_columns(*, abbreviated: bool = False) -> list[str]:
    """The columns of a bill as the pages name them, and `abbreviated` for a terminal."""
    return [say(f"results.{'short' if abbreviated else 'column'}_{name}") for name in _COST_COLUMNS]


def outcome(record: RunRecord, correct: bool | None) -> str:
    """How one of a run's answers was graded."""
    if correct is not None:
        return say("results.correct" if correct else "results.wrong")
    return say("results.not_graded" if record.reference_answer is None else "results.undecided")


def run_outcome(record: RunRecord) -> str:
    """How the run's own answer was graded; empty where it has none, or not yet."""
    return outcome(record, record.correct) if record.answer is not None and record.status != "running" else ""


def may_be_graded(record: RunRecord) -> bool:
    """Whether the run has ended with an answer, and there is none to hold it against."""
    return bool(run_outcome(record)) and record.correct is None and record.reference_answer is None


def imported_from(record: RunRecord) -> str:
    """`imported from beam.jsonl (search-and-learn completions)`; empty for a run of our own."""
    if record.source is None:
        return ""
    said = say("results.imported", source=record.source)
    return said + (f" ({record.source_format})" if record.source_format else "")


def votes(record: RunRecord, tree: Tree) -> str:
    """`5 of 16`: the votes for the run's answer, of all; empty where it has none."""
    groups = record.answers(tree) if record.answer is not None else []
    if not groups:
        return ""
    return say("results.votes", votes=groups[0].votes, of=sum(group.votes for group in groups))


def weighed_votes(record: RunRecord, tree: Tree) -> str:
    """The votes with the weight that elected the answer."""
    said = votes(record, tree)
    if not said:
        return ""
    return say("results.weighed", votes=said, weight=numbers.weight(record.answers(tree)[0].weight))


def votes_explained(record: RunRecord, tree: Tree) -> str:
    """Where the number of votes comes from: draws that are the same completion, and completions beyond N."""
    leaves = list(tree.completions())
    cast = sum(group.votes for group in record.answers(tree))
    if not leaves:
        return ""
    distinct = record.params.get("votes") == "distinct"
    how = say("results.different", n=len(leaves), count=numbers.count(len(leaves)))
    how = say("results.all_different") if cast == len(leaves) else how
    how = say("results.each_once") if distinct else how
    said = say("results.vote", n=cast, count=numbers.count(cast), how=how)
    n = record.params.get("n")
    if isinstance(n, int) and cast > n and not distinct:  # an imported run may say anything
        said += " " + say("results.beyond_n", n=n)
    return said


def too_long(record: RunRecord, tree: Tree) -> str:
    """How many steps were too long for the PRM and what became of them and of the vote; empty where all fitted."""
    cut = [node for node in tree.nodes if node.too_long]
    unscored = {node for node in cut if node.too_long and not node.too_long.numbers.get("read")}
    said = []
    if unscored:
        weightless = _weightless(record, tree, unscored)
        said.append(say("results.too_long", steps=counted("steps", len(unscored)), weightless=weightless))
    if scored := len(cut) - len(unscored):
        said.append(say("results.too_long_scored", steps=counted("steps", scored)))
    return "; ".join(said)


def stopped_by(record: RunRecord) -> str:
    """Why a finished run ended before all that was asked; empty where it did not."""
    if record.stop_reason is None:
        return ""
    if record.stop_reason == "agreement":
        return say("results.stopped_sure")
    return say("results.stopped_by", reason=record.stop_reason)


def stopped_early(record: RunRecord, tree: Tree) -> str:
    """What a vote that stopped early rests on: "4 of 4 agree, P = .969 ..."; empty where it did not stop early."""
    if record.stop_reason != "agreement":
        return ""
    stops = (decision for node in tree.nodes for decision in node.decisions if decision.reason == "beta_stop")
    return next((": ".join(why(stop)) for stop in stops), "")


def budget_eaten(record: RunRecord, tree: Tree) -> str:
    """Where the tokens went, if the budget ended before any draw did; else empty."""
    budget = record.params.get("max_tokens_total")
    if record.stop_reason != "budget" or record.answer is not None or not isinstance(budget, int):
        return ""
    if any(tree.completions()):
        return ""
    ends = [node for node in tree.nodes[1:] if not node.children]
    draws, longest = sum(node.copies for node in ends), max((node.depth for node in ends), default=0)
    return say(
        "results.budget_eaten", n=draws, budget=numbers.count(budget), draws=numbers.count(draws),
        steps=counted("steps", longest),
    )  # fmt: skip


def _weightless(record: RunRecord, tree: Tree, unscored: set[Node]) -> str:
    """`, 2 of 16 votes have weight 0`: a rule that reads scores needs one of every step of a completion."""
    votes = {leaf: 1 if record.params.get("votes") == "distinct" else leaf.copies for leaf in tree.completions()}
    without = sum(count for leaf, count in votes.items() if not unscored.isdisjoint(tree.path(leaf)))
    weighed = rule_named(record.params["select"]).reducer
    if not weighed or not without:
        return ""
    return say("results.weightless", n=sum(votes.values()), without=without)


def flops(usage: Usage) -> tuple[float | None, float | None]:
    """The paper's way and all; None where the size of a model is not known."""
    if not usage.flops_known:  # a run of an older version counted the PRM alone then
        return None, None
    return usage.flops_paper, usage.flops_all if usage.flops_all_known else None


def costs(usage: Usage, *, scored: bool = True) -> tuple[str, ...]:
    """The cells of `cost_columns`; `scored` is whether a PRM was used at all."""
    paper, whole = flops(usage)
    return (
        numbers.count(usage.generated_tokens),
        numbers.count(usage.scored_tokens) if scored else say("strip.no_prm"),
        numbers.flops(paper),
        numbers.flops(whole),
        f"{numbers.count(usage.policy_calls)} + {numbers.count(usage.scorer_calls)}",
        numbers.seconds(usage.wall_s),
    )


def spent(record: RunRecord) -> tuple[str, ...]:
    """Tokens generated, PRM tokens, all FLOPs and time, each with its unit. Of an imported run only what its file says
    is there: a zero in its bill was never counted."""
    usage = record.usage
    parts = (
        (counted("tokens", usage.generated_tokens), usage.generated_tokens),
        (_read(usage) if record.scorer else say("strip.no_prm"), usage.scored_tokens),
        (numbers.flops(flops(usage)[1]), usage.flops_all),
        (numbers.seconds(usage.wall_s), usage.wall_s),
    )
    if record.source is None:
        return tuple(words for words, _ in parts)
    return tuple(words for words, counted in parts if counted) or (say("results.no_bill"),)


def bill(usage: Usage, *, scored: bool) -> str:
    """What a search has spent, in a line: "1,240 tokens, PRM 1,310, 0.9 GFLOP"; `scored` is whether a PRM was used."""
    parts = [counted("tokens", usage.generated_tokens), *([_read(usage)] if scored else [])]
    return ", ".join([*parts, numbers.flops(flops(usage)[1])])


def _read(usage: Usage) -> str:
    return say("strip.read", count=numbers.count(usage.scored_tokens))

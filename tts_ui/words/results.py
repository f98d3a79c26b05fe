"""What a run found and what it spent, in the words of the pages and of the terminal. Plain text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from engine.search.events import Usage
from engine.search.selection import rule_named
from tts_ui.words import numbers

if TYPE_CHECKING:  # a refusal is printed from the terminal's rooms, too, and needs no SQL
    from engine.search.tree import Node, Tree
    from engine.store import RunRecord

NO_ANSWER = "no answer"
_OUTCOMES = {True: "correct", False: "wrong"}
#: There is no reference answer; there is one, and whether it is given could not be decided.
NOT_GRADED, UNDECIDED = "not graded", "undecided"

#: The columns of a bill as the pages name them, and abbreviated for a terminal.
COST_COLUMNS = {
    "tokens generated": "tokens", "PRM tokens": "PRM tokens", "FLOPs, the paper's way": "FLOPs (paper)",
    "FLOPs, all": "FLOPs (all)", "calls": "calls", "time": "time",
}  # fmt: skip


def outcome(record: RunRecord, correct: bool | None) -> str:
    """How one of a run's answers was graded."""
    if correct is not None:
        return _OUTCOMES[correct]
    return NOT_GRADED if record.reference_answer is None else UNDECIDED


def run_outcome(record: RunRecord) -> str:
    """How the run's own answer was graded; empty where it has none, or not yet."""
    return outcome(record, record.correct) if record.answer is not None and record.status != "running" else ""


def votes(record: RunRecord, tree: Tree) -> str:
    """`5 of 16`: the votes for the run's answer, of all; empty where it has none."""
    groups = record.answers(tree) if record.answer is not None else []
    return f"{groups[0].votes} of {sum(group.votes for group in groups)}" if groups else ""


def weighed_votes(record: RunRecord, tree: Tree) -> str:
    """The votes with the weight that elected the answer."""
    said = votes(record, tree)
    return f"{said} votes, weight {numbers.weight(record.answers(tree)[0].weight)}" if said else ""


def votes_explained(record: RunRecord, tree: Tree) -> str:
    """Where the number of votes comes from: draws that are the same completion, and completions beyond N."""
    leaves = list(tree.completions())
    cast = sum(group.votes for group in record.answers(tree))
    if not leaves:
        return ""
    distinct = record.params.get("votes") == "distinct"
    different = "all different" if cast == len(leaves) else f"{numbers.count(len(leaves))} different"
    said = f"{numbers.count(cast)} completions vote, {'each text once' if distinct else different}."
    n = record.params.get("n")
    if isinstance(n, int) and cast > n and not distinct:  # an imported run may say anything
        said += f" The search asked for N = {n}; those that ended in the same step all count, so there are more."
    return said


def too_long(record: RunRecord, tree: Tree) -> str:
    """How many steps were too long for the PRM and what became of them and of the vote; empty where all fitted."""
    cut = [node for node in tree.nodes if node.too_long]
    unscored = {node for node in cut if node.too_long and not node.too_long.numbers.get("read")}
    said = []
    if unscored:
        said.append(f"{_steps(len(unscored))} too long for the PRM, not scored{_weightless(record, tree, unscored)}")
    if scored := len(cut) - len(unscored):
        said.append(f"{_steps(scored)} too long for the PRM, scored on the last steps alone")
    return "; ".join(said)


def _steps(count: int) -> str:
    return f"{numbers.count(count)} step{'s' if count > 1 else ''}"


def _weightless(record: RunRecord, tree: Tree, unscored: set[Node]) -> str:
    """`, 2 of 16 votes have weight 0`: a rule that reads scores needs one of every step of a completion."""
    votes = {leaf: 1 if record.params.get("votes") == "distinct" else leaf.copies for leaf in tree.completions()}
    without = sum(count for leaf, count in votes.items() if not unscored.isdisjoint(tree.path(leaf)))
    weighed = rule_named(record.params["select"]).reducer
    return f", {without} of {sum(votes.values())} votes have weight 0" if weighed and without else ""


def costs(usage: Usage, *, scored: bool = True) -> tuple[str, ...]:
    """The cells of `COST_COLUMNS`; `scored` is whether a PRM was used at all."""
    paper, whole = (usage.flops_paper, usage.flops_all) if usage.flops_known else (None, None)
    return (
        numbers.count(usage.generated_tokens),
        numbers.count(usage.scored_tokens) if scored else "no PRM",
        numbers.flops(paper),
        numbers.flops(whole),
        f"{numbers.count(usage.policy_calls)} + {numbers.count(usage.scorer_calls)}",
        numbers.seconds(usage.wall_s),
    )


def total(usages: Sequence[Usage]) -> Usage:
    """All of them together; its FLOPs are known only if those of each are."""
    added = Usage(**{name: sum(getattr(usage, name) for usage in usages) for name in Usage.__slots__})
    known = all(usage.flops_known for usage in usages)
    return added if known else replace(added, flops_paper=0.0, flops_all=0.0)

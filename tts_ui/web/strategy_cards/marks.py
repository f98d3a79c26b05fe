"""Which nodes of a run's tree a parameter of its strategy refers to: N first draws, K survivors, L steps ahead, ...

Pure functions of the run, its tree and the selected step. If a parameter works level by level, the level is that of
the selected step, else the first; if it works below a step, that is the selected one, else the first survivor.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from engine.search.events import Decision
from engine.search.tree import Node, Tree
from engine.store import RunRecord
from tts_ui.web.components import Mark
from tts_ui.words import numbers
from tts_ui.words.interface import say

_Marking = Callable[[RunRecord, Tree, Node | None], Mark]


def marks(record: RunRecord, tree: Tree, selected: Node | None = None) -> dict[str, Mark]:
    """Every set of nodes that a strategy card can name, by name. An empty set says why."""
    at = selected if selected is not None and selected.parent is not None else None
    return {name: marking(record, tree, at) for name, marking in MARKINGS.items()}


#: Survivors whose slots are told one by one.
_SLOTS_TOLD = 6


def _first_draws(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    children = tree.children(tree.root)
    return _mark(children, say("mark.first_draws", n=_draws(children), different=_different(children)))


def _completions(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    leaves = list(tree.completions())
    return _mark(leaves, say("mark.completions", n=_draws(leaves), different=_different(leaves)))


def _voters(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    groups = record.answers(tree) if tree.chosen is not None else []
    if not groups:
        return _mark([], say("mark.no_voters"))
    winner, cast = groups[0], sum(group.votes for group in groups)
    said = say(
        "mark.voters", n=cast, votes=winner.votes, weight=numbers.weight(winner.weight),
        rule=record.params.get("select"),
    )  # fmt: skip
    return _mark([tree[leaf] for leaf in winner.nodes], said)


def _survivors(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    kept = _kept_at_level(tree, at, "rank")
    if not kept:
        return _mark([], say("mark.no_survivors"))
    standing = _decision(kept[0], "rank").numbers
    least = min(_decision(node, "rank").numbers["score"] for node in kept)
    slots = [_decision(node, "rank").numbers.get("slots") for node in kept]
    held = "" if None in slots else f", {' + '.join(f'{slot:.0f}' for slot in slots[:_SLOTS_TOLD])}"
    held += " + ..." if held and len(slots) > _SLOTS_TOLD else ""
    said = say(
        "mark.survivors", n=len(kept), of=f"{standing['of']:.0f}", step=kept[0].depth, k=f"{standing['k']:.0f}",
        held=held, cut_off=numbers.score(least),
    )  # fmt: skip
    return _mark(kept, said)


def _subtrees(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    kept = _kept_at_level(tree, at, "subtree_rank")
    if not kept:
        return _mark([], say("mark.no_subtrees"))
    heads = sum(d.action == "keep" and d.reason == "subtree_rank" for node in kept for d in node.decisions)
    return _mark(kept, say("mark.subtrees", n=heads, step=kept[0].depth))


def _children(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    candidates = [at, tree[at.parent] if at and at.parent else None, *_expanded(record, tree)]
    parent = next((node for node in candidates if node and _sampled(tree, node)), None)
    if parent is None:
        return _mark([], say("mark.no_children"))
    children = tree.children(parent)
    name = "mark.children_of_problem" if parent.parent is None else "mark.children"
    said = say(name, n=_draws(children), step=parent.depth, different=_different(children))
    return _mark(children, said)


def _rollouts(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    rollouts = [node for node in tree.nodes if node.origin == "rollout"]
    return _mark(rollouts, say("mark.rollouts", n=len(rollouts)))


def _ahead(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    judged = (node for node in [at, *_kept_at_level(tree, None, "rank")] if node)
    for node in judged:
        decision = next((d for d in reversed(node.decisions) if "end" in d.numbers), None)
        if decision:
            end = tree[int(decision.numbers["end"])]
            rollout = [step for step in tree.path(end) if step.depth > node.depth] or [end]
            ahead, score = int(decision.numbers["steps_ahead"]), numbers.score(decision.numbers["score"])
            return _mark(rollout, say("mark.ahead", n=ahead, step=node.depth, score=score))
    return _mark([], say("mark.not_ahead"))


def _probe(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    choice = next((d for d in tree.root.decisions if d.reason == "compute_optimal"), None)
    if choice is None:
        alike = any(d.reason == "one_for_all" for d in tree.root.decisions)
        return _mark([], say("mark.probe_alike" if alike else "mark.no_probe"))
    samples = [leaf for leaf in tree.completions() if _decision_to(leaf, "finish").seq < choice.seq]
    n = choice.numbers
    agree = {"agree": f"{100 * n['agreement']:.0f}", "score": f"{n['mean_score']:.2f}"}
    return _mark(samples, say("mark.probe", n=round(n["probe"]), **agree))


def _entered(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    """The steps that one iteration of MCTS went through: the last one that entered the selected step, else the last."""
    entries = [(node, d) for node in tree.nodes for d in node.decisions if d.reason == "upper_bound"]
    if not entries:
        return _mark([], say("mark.not_entered"))
    through = [entry for entry in entries if entry[0] is at] or entries
    iteration = max(d.numbers["iteration"] for _, d in through)
    path = [entry for entry in entries if entry[1].numbers["iteration"] == iteration]
    node, last = path[-1]
    terms = {name: f"{last.numbers[name]:.2f}" for name in ("value", "exploration")}
    said = say("mark.entered", iteration=f"{iteration:.0f}", step=node.depth, **terms)
    return _mark([step for step, _ in path], said)


def _shares(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    kept = _kept_at_level(tree, at, "rank")
    kept = [node for node in kept if node.children]
    if not kept:
        return _mark([], say("mark.no_shares"))
    shares = ", ".join(f"{_draws(tree.children(node))}" for node in kept)
    return _mark(kept, say("mark.shares", step=kept[0].depth, shares=shares))


def _alone(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    steps = [node for node in tree.nodes if any(d.reason == "unranked" for d in node.decisions)]
    if not steps:
        return _mark([], say("mark.not_alone"))
    return _mark(steps, say("mark.alone", n=len(steps)))


def _particles(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    """Where the particles of one step of the filter went on: of the last one that weighed the selected step."""
    told = {"step", "share", "of"}  # an imported run may say less
    weighed = [
        (node, d) for node in tree.nodes for d in node.decisions if d.reason == "resampled" and told <= d.numbers.keys()
    ]
    if not weighed:
        return _mark([], say("mark.no_particles"))
    of_it = [d.numbers["step"] for node, d in weighed if node is at]
    step = max(of_it) if of_it else min(d.numbers["step"] for _, d in weighed)
    kept = [(node, d.numbers) for node, d in weighed if d.numbers["step"] == step and d.action == "keep"]
    before = sum(d.numbers["step"] == step for _, d in weighed)
    if not kept:
        return _mark([], say("mark.no_particle_left", step=f"{step:.0f}"))
    share = kept[0][1]["share"]
    said = say(
        "mark.particles", n=round(kept[0][1]["of"]), step=f"{step:.0f}", before=before, after=len(kept),
        share=f"{share:.2f}",
    )  # fmt: skip
    return _mark([node for node, _ in kept], said)


def _chain(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    return _mark(tree.nodes[1:], say("mark.chain", n=len(tree) - 1))


#: Name -> the function that finds the nodes. The lines of the cards use these names.
MARKINGS: Mapping[str, _Marking] = {
    "first_draws": _first_draws,
    "completions": _completions,
    "voters": _voters,
    "survivors": _survivors,
    "subtrees": _subtrees,
    "children": _children,
    "rollouts": _rollouts,
    "ahead": _ahead,
    "probe": _probe,
    "entered": _entered,
    "shares": _shares,
    "alone": _alone,
    "particles": _particles,
    "chain": _chain,
}


def _mark(nodes: Iterable[Node], says: str) -> Mark:
    return {"nodes": [node.id for node in nodes], "says": says}


def _kept_at_level(tree: Tree, at: Node | None, reason: str) -> list[Node]:
    """The steps kept for `reason`, best first, at the level of `at` or above it; the first level without `at`."""
    kept = [node for node in tree.nodes if any(d.action == "keep" and d.reason == reason for d in node.decisions)]
    levels = sorted({node.depth for node in kept})
    if not levels:
        return []
    reached = [level for level in levels if at is not None and level <= at.depth]
    level = reached[-1] if reached else levels[0]
    return sorted(
        (node for node in kept if node.depth == level), key=lambda node: _decision(node, reason).numbers["rank"]
    )


def _expanded(record: RunRecord, tree: Tree) -> list[Node]:
    """Where to look for M children if no step is selected: below the first survivors, or in MCTS below the problem."""
    kept = [node for node in tree.nodes[1:] if node.status == "kept"]
    return [tree.root, *kept] if record.strategy == "mcts" else kept


def _sampled(tree: Tree, node: Node) -> bool:
    """Whether children were drawn below `node`, and not only a greedy rollout."""
    return any(child.origin == "policy" for child in tree.children(node)) or _draws(tree.children(node)) > 1


def _decision(node: Node, reason: str) -> Decision:
    return next(d for d in reversed(node.decisions) if d.reason == reason)


def _decision_to(node: Node, action: str) -> Decision:
    return next(d for d in node.decisions if d.action == action)


def _draws(nodes: Iterable[Node]) -> int:
    return sum(node.copies for node in nodes)


def _different(nodes: Sequence[Node]) -> str:
    return say("mark.all_different") if len(nodes) == _draws(nodes) else say("mark.different", n=len(nodes))

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

_Marking = Callable[[RunRecord, Tree, Node | None], Mark]


def marks(record: RunRecord, tree: Tree, selected: Node | None = None) -> dict[str, Mark]:
    """Every set of nodes that a strategy card can name, by name. An empty set says why."""
    at = selected if selected is not None and selected.parent is not None else None
    return {name: marking(record, tree, at) for name, marking in MARKINGS.items()}


def _first_draws(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    children = tree.children(tree.root)
    return _mark(children, f"{_draws(children)} first draws, {_different(children)}")


def _completions(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    leaves = list(tree.completions())
    return _mark(leaves, f"{_count(_draws(leaves), 'completion')}, {_different(leaves)}")


def _voters(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    groups = record.answers(tree) if tree.chosen is not None else []
    if not groups:
        return _mark([], "no answer was chosen")
    winner, cast = groups[0], sum(group.votes for group in groups)
    weight = f"weight {numbers.weight(winner.weight)} by {record.params.get('select')}"
    return _mark([tree[leaf] for leaf in winner.nodes], f"{winner.votes} of {cast} votes for the answer, {weight}")


def _survivors(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    kept = _kept_at_level(tree, at, "rank")
    if not kept:
        return _mark([], "no step has been kept by its rank")
    standing = _decision(kept[0], "rank").numbers
    least = min(_decision(node, "rank").numbers["score"] for node in kept)
    said = f"{_count(len(kept), 'survivor')} of {standing['of']:.0f} at step {kept[0].depth}"
    return _mark(kept, f"{said}: K = {standing['k']:.0f}, cut-off {numbers.score(least)}")


def _subtrees(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    kept = _kept_at_level(tree, at, "subtree_rank")
    if not kept:
        return _mark([], "no subtree has chosen a step")
    heads = sum(d.action == "keep" and d.reason == "subtree_rank" for node in kept for d in node.decisions)
    return _mark(kept, f"{_count(heads, 'subtree')} at step {kept[0].depth}, each with its best child")


def _children(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    candidates = [at, tree[at.parent] if at and at.parent else None, *_expanded(record, tree)]
    parent = next((node for node in candidates if node and _sampled(tree, node)), None)
    if parent is None:
        return _mark([], "no step has children yet")
    children = tree.children(parent)
    below = "the problem" if parent.parent is None else f"step {parent.depth}"
    return _mark(children, f"{_count(_draws(children), 'draw')} below {below}, {_different(children)}")


def _rollouts(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    rollouts = [node for node in tree.nodes if node.origin == "rollout"]
    return _mark(rollouts, f"{_count(len(rollouts), 'step')} drawn greedily")


def _ahead(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    judged = (node for node in [at, *_kept_at_level(tree, None, "rank")] if node)
    for node in judged:
        decision = next((d for d in reversed(node.decisions) if "end" in d.numbers), None)
        if decision:
            end = tree[int(decision.numbers["end"])]
            rollout = [step for step in tree.path(end) if step.depth > node.depth] or [end]
            steps = _count(int(decision.numbers["steps_ahead"]), "step")
            score = numbers.score(decision.numbers["score"])
            return _mark(rollout, f"step {node.depth} is judged by the end of its rollout, {steps} ahead: {score}")
    return _mark([], "no step was judged by a rollout")


def _probe(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    choice = next((d for d in tree.root.decisions if d.reason == "compute_optimal"), None)
    if choice is None:
        return _mark([], "the difficulty has not been estimated yet")
    samples = [leaf for leaf in tree.completions() if _decision_to(leaf, "finish").seq < choice.seq]
    n = choice.numbers
    agree = f"{100 * n['agreement']:.0f} % agree, mean PRM score {n['mean_score']:.2f}"
    return _mark(samples, f"{n['probe']:.0f} samples: {agree}")


def _entered(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    """The steps that one iteration of MCTS went through: the last one that entered the selected step, else the last."""
    entries = [(node, d) for node in tree.nodes for d in node.decisions if d.reason == "upper_bound"]
    if not entries:
        return _mark([], "no step has been entered yet")
    through = [entry for entry in entries if entry[0] is at] or entries
    iteration = max(d.numbers["iteration"] for _, d in through)
    path = [entry for entry in entries if entry[1].numbers["iteration"] == iteration]
    node, last = path[-1]
    terms = f"value {last.numbers['value']:.2f} + exploration {last.numbers['exploration']:.2f}"
    return _mark([step for step, _ in path], f"entered in iteration {iteration:.0f}; step {node.depth} for its {terms}")


def _shares(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    kept = _kept_at_level(tree, at, "rank")
    kept = [node for node in kept if node.children]
    if not kept:
        return _mark([], "no draws have been shared yet")
    shares = ", ".join(f"{_draws(tree.children(node))}" for node in kept)
    return _mark(kept, f"draws below the steps kept at step {kept[0].depth}, best first: {shares}")


def _chain(record: RunRecord, tree: Tree, at: Node | None) -> Mark:
    return _mark(tree.nodes[1:], f"one chain of {_count(len(tree) - 1, 'step')}")


#: Name -> the function that finds the nodes. The texts of the cards (`cards.toml`) use these names.
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
    return "all different" if len(nodes) == _draws(nodes) else f"{len(nodes)} different"


def _count(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"

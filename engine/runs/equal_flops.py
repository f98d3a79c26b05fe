"""What a plain majority vote would have made of the FLOPs that a run spent under a judge that writes.

A critique costs as much as a sample, and more samples often serve better (arXiv 2504.01005): so beside every run that
such a judge scored stands the vote that the same FLOPs would have bought. No model is called: the vote is taken among
independent draws that are recorded, of this run or of others that ask the same policy the same problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from engine.runs.run import UNGUIDED
from engine.search.tree import Node, Tree
from engine.store import RunRecord, Store

#: Other runs of one problem that are looked at, of each strategy.
_MOST_RUNS = 50


@dataclass(frozen=True, slots=True)
class EqualVote:
    """The majority vote at equal FLOPs.

    Attributes:
        samples: that the run's FLOPs would have bought, at `tokens` each on average, besides reading the prompt once.
        recorded: independent draws that are known.
        answer, correct: what the first `samples` of them elect (all, where they are fewer), and whether it is right.
    """

    samples: int
    tokens: float
    recorded: int
    answer: str | None = None
    correct: bool | None = None

    @property
    def missing(self) -> int:
        return max(0, self.samples - self.recorded)


Whole = tuple[RunRecord, Tree]


def equal_vote(record: RunRecord, tree: Tree, others: Sequence[Whole] = ()) -> EqualVote | None:
    """None where no judge wrote, nothing finished, or FLOPs are not known.

    `others` may be any runs; those that drew independently from the same policy for the same problem, sampled alike,
    count. Where the judge that decided the run did not write, the bills of those that came later and did are added.
    """
    writers = {name for node in tree.nodes for name in node.critiques}
    flops = _flops(record, writers)
    paths = [(leaf, tree.path(leaf)) for leaf in tree.completions()]
    if not flops or not paths or not record.policy.parameters:
        return None
    drawn = sum(leaf.copies for leaf, _ in paths)
    own = sum(leaf.copies * sum(step.tokens for step in path) for leaf, path in paths) / drawn
    draws = [draw for run in _independent(record, [(record, tree), *others]) for draw in _draws(*run)]
    tokens = sum(length for *_, length in draws) / len(draws) if draws else own
    positions = flops / (2.0 * record.policy.parameters) - record.usage.prompt_tokens
    samples = int(positions / tokens) if tokens else 0
    answer, correct = _elected([(group, right) for group, right, _ in draws[:samples]])
    return EqualVote(samples, tokens, len(draws), answer, correct)


def others_like(store: Store, record: RunRecord, within: Collection[str] | None = None) -> list[Whole]:
    """Runs of the same problem that drew independently, among those that may be seen; reads the database."""
    found = [
        each
        for strategy in UNGUIDED
        for each in store.runs(
            search=record.problem, limit=_MOST_RUNS, strategy=strategy, models=record.policy.name, within=within
        )
    ]
    return [(each, store.tree(each.id)) for each in found if _alike(each, record)]


def judged_by_writing(tree: Tree) -> bool:
    return any(node.critiques for node in tree.nodes)


def _flops(record: RunRecord, writers: Collection[str]) -> float:
    """What the run and the judges that wrote cost; 0 where that is not known, or none wrote."""
    if record.judge in writers:
        return record.usage.flops_all
    later = [scoring.usage for scoring in record.scorings if scoring.scorer.name in writers]
    if not later or not all(usage.flops_all_known for usage in later):
        return 0.0
    policy = 2.0 * record.policy.parameters * (record.usage.generated_tokens + record.usage.prompt_tokens)
    return policy + sum(usage.flops_all for usage in later)


def _alike(run: RunRecord, record: RunRecord) -> bool:
    sampled = ("temperature", "top_p", "max_steps", "max_tokens")
    return (
        run.id != record.id
        and run.strategy in UNGUIDED
        and run.status == "done"
        and run.parent_run is None
        and run.problem == record.problem
        and (run.policy.name, run.policy.digest) == (record.policy.name, record.policy.digest)
        and all(run.params.get(name) == record.params.get(name) for name in sampled)
    )


def _independent(record: RunRecord, runs: Sequence[Whole]) -> Iterable[Whole]:
    """Runs whose draws are independent: of several with one seed, which drew the same, the largest. Those that stopped
    once they agreed agree too often."""
    best: dict[object, tuple[int, Whole]] = {}
    for run, tree in runs:
        if run.params.get("stop"):
            continue
        if run is not record and not _alike(run, record):
            continue
        if run is record and (run.strategy not in UNGUIDED or run.parent_run is not None):
            continue
        drawn, seed = sum(leaf.copies for leaf in tree.completions()), run.params.get("seed", run.id)
        if seed not in best or drawn > best[seed][0]:
            best[seed] = drawn, (run, tree)
    return [whole for _, whole in best.values()]


def _draws(record: RunRecord, tree: Tree) -> Iterable[tuple[str | None, bool | None, int]]:
    """For each draw the group of its answer, whether that is right, and its tokens."""
    for leaf in tree.completions():
        grade = record.grades.get(leaf.answer) if leaf.answer is not None else None
        draw = (grade.group if grade else leaf.answer, grade.correct if grade else None, _tokens(tree, leaf))
        yield from [draw] * leaf.copies


def _tokens(tree: Tree, leaf: Node) -> int:
    return sum(step.tokens for step in tree.path(leaf))


def _elected(draws: Sequence[tuple[str | None, bool | None]]) -> tuple[str | None, bool | None]:
    """The most frequent answer, of several the first, and whether it is right; draws without an answer do not vote."""
    votes = Counter(group for group, _ in draws if group is not None)
    if not votes:
        return None, None
    answer = votes.most_common(1)[0][0]
    return answer, dict(draws)[answer]

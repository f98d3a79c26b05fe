"""The same text, cut otherwise: does a judge say the same of it? (A known fault of PRMs; PURE's second issue.)

Every two steps of a finished completion are made one. A judge that reads the text says of the merged step what it said
of the second of the two: the text up to there is the same. Merged texts are scored anew, at the price of their tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from engine.runs.lab.calibration import HALF
from engine.runs.lab.evidence import Trees
from engine.runs.lab.faults import TOLERATED, Example, Fault
from engine.runs.lab.rescoring import positions_about, score_tree
from engine.runs.statistics.resampling import test_ratio
from engine.search.events import StepSampled
from engine.search.scorer import Scorer
from engine.search.tree import Node, Tree

#: Completions that are cut otherwise, one a problem and run at most.
MOST = 200


@dataclass(frozen=True, slots=True)
class Recut:
    """A completion with every two steps merged; `ends` are the recorded nodes at whose ends its steps end."""

    run: str
    problem: str
    tree: Tree
    ends: tuple[Node, ...]


def recuts(trees: Trees, judge: str, most: int = MOST) -> list[Recut]:
    """The completions to ask about: of each run the one with the most steps that the judge has scored."""
    found: list[Recut] = []
    for known in trees.known:
        paths = [
            path
            for leaf in known.tree.completions()
            if len(path := [node for node in known.tree.path(leaf) if node.text.strip()]) > 1
            and all(judge in node.scores for node in path)
        ]
        if paths and len(found) < most:
            found.append(_merged(known.record.id, known.tree, max(paths, key=len)))
    return found


def _merged(run: str, tree: Tree, path: Sequence[Node]) -> Recut:
    merged, ends = Tree(tree.root.text), []
    for place in range(0, len(path), 2):
        pair = path[place : place + 2]
        text, tokens = "".join(node.text for node in pair), sum(node.tokens for node in pair)
        node = len(merged)
        merged.apply(StepSampled(node, node, node - 1, node, text, None, tokens, None, pair[-1].finish))
        ends.append(pair[-1])
    return Recut(run, tree.root.text, merged, tuple(ends))


def cost(found: Sequence[Recut], judge: Scorer) -> int:
    """About how many positions the judge will compute."""
    return sum(positions_about(each.tree, judge) for each in found)


async def segmentation(found: Sequence[Recut], judge: Scorer) -> tuple[Fault, int]:
    """Score the merged texts, and compare with what the recorded scores say of the same text up to the same place.
    Returns the fault, and the positions that the judge computed."""
    flips: dict[str, list[float]] = {}
    examples, places, positions = [], 0, 0
    for each in found:
        read = await score_tree(each.tree, judge)
        positions += read.usage.scored_tokens
        for score in read.scores:
            end = each.ends[score.node - 1]
            before = end.scores[judge.info.name]
            flipped = (before >= HALF) != (score.value >= HALF)
            sums = flips.setdefault(each.problem, [0.0, 0.0])
            sums[0], sums[1], places = sums[0] + flipped, sums[1] + 1, places + 1
            words = f"step {end.depth}, scored {before:.2f}; in one step with the one before {score.value:.2f}"
            examples.append(Example(each.run, end.id, words, abs(before - score.value)))
    tops, bottoms = [each[0] for each in flips.values()], [each[1] for each in flips.values()]
    shown = tuple(sorted(examples, key=lambda each: -each.size))
    result = test_ratio(tops, bottoms, TOLERATED, places)
    means = "places where merging two steps turns a score from below 0.5 to above it, or the other way"
    fault = Fault("segmentation", "Segmentation", means, "places", result, TOLERATED, shown, result.p)
    return fault, positions

"""A run's tree as a drawing: SVG that any browser, word processor or slide shows, with its own legend. No scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import groupby

from engine.characters import referenced
from engine.search.events import Event
from engine.search.strategies import STRATEGIES
from engine.search.tree import Node, Tree
from engine.store.exporters import marks, strokes
from engine.store.exporters.legend import legend
from engine.store.exporters.picture import Picture, picture
from engine.store.records import RunRecord

_MARGIN, _HEAD, _FOOT = 28.0, 74.0, 46.0
_LEAST_WIDTH = 760.0
_TITLE, _SUBTITLE, _LABEL = 16.0, 12.5, 11.5
#: Before the next level, where lines part; a text ends there.
_BEND = 46.0
#: From here on there is room for a text's second line; the heading that models give a step, whose number is its level.
_ROW_OF_TWO = 25.0
_STEP = re.compile(r"#+\s*Step\s*\d+\s*[:.]?\s*", re.IGNORECASE)
#: Of a text that is shown when the pointer rests on a step.
_TIP_CHARS = 300
_FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"


def render(record: RunRecord, events: Sequence[Event]) -> bytes:
    return drawing(record, Tree.from_events(events))[0].encode()


def drawing(record: RunRecord, tree: Tree) -> tuple[str, float, float]:
    """The SVG document, its width and its height."""
    laid = picture(tree, record.judge)
    width = max(_LEAST_WIDTH, laid.width + 2 * _MARGIN)
    footer, foot = legend(record, tree, width - 2 * _MARGIN)
    height = _HEAD + laid.height + _MARGIN * 2 + foot + _FOOT / 2
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-family="{_FONT}" role="img">',
        f"<title>{strokes.xml(marks.cut(record.problem, 1, 300))}</title>",
        f'<rect width="100%" height="100%" fill="{marks.PAPER}"/>',
        *_head(record, tree, width),
        f'<g transform="translate({_MARGIN:g} {_HEAD + _MARGIN:g})">',
        *_Steps(record, laid).lines(),
        *_Steps(record, laid).nodes(),
        "</g>",
        f'<g transform="translate({_MARGIN:g} {_HEAD + laid.height + 3 * _MARGIN:g})">{footer}</g>',
        "</svg>\n",
    ]
    return referenced("\n".join(parts)), width, height


def _head(record: RunRecord, tree: Tree, width: float) -> Iterator[str]:
    """The problem, and what was asked of whom and came out."""
    room = width - 2 * _MARGIN
    yield strokes.label(_MARGIN, 34, marks.cut(record.problem, _TITLE, room), _TITLE, marks.INK, 'font-weight="600"')
    yield strokes.label(
        _MARGIN, 56, marks.cut(" · ".join(_facts(record, tree)), _SUBTITLE, room), _SUBTITLE, marks.MUTED
    )


def _facts(record: RunRecord, tree: Tree) -> Iterator[str]:
    strategy = STRATEGIES.get(record.strategy)
    size = f", N = {record.params['n']}" if "n" in record.params else ""
    yield f"{strategy.title if strategy else record.strategy.replace('_', ' ')}{size}"
    yield record.policy.name + (f", judged by {record.scorer.name}" if record.scorer else "")
    if record.answer is not None:
        groups = record.answers(tree)
        votes = f", {groups[0].votes} of {sum(group.votes for group in groups)} votes" if groups else ""
        graded = {True: " (correct)", False: " (wrong)", None: ""}[record.correct]
        yield f"answer {record.answer}{graded}{votes}"
    elif record.status != "done":
        yield record.status
    yield f"{len(tree) - 1:,} steps"


class _Steps:
    """The tree itself: lines first, nodes and what stands beside them on top."""

    def __init__(self, record: RunRecord, laid: Picture) -> None:
        self._record, self._laid, self._tree = record, laid, laid.tree
        tree = laid.tree
        self._chosen = set() if tree.chosen is None else {step.id for step in tree.path(tree[tree.chosen])}

    def lines(self) -> Iterator[str]:
        """One path for all lines of a kind; those of the chosen answer lie on top."""
        lines = sorted(self._lines(), key=lambda line: line[0])
        for (rank, dashed), each in groupby(lines, key=lambda line: line[0]):
            stroke, width = ((marks.EDGE_FADED, 1.0), (marks.EDGE, 1.4), (marks.EDGE_CHOSEN, 3.0))[rank]
            dash = ' stroke-dasharray="5 3"' if dashed else ""
            thin = width * min(1.0, self._laid.diameter / 6)
            way = "".join(path for _, path in each)
            yield f'<path fill="none" stroke="{stroke}" stroke-width="{max(0.4, thin):.2g}"{dash} d="{way}"/>'

    def _lines(self) -> Iterator[tuple[tuple[int, bool], str]]:
        """A line from every step to each next one, and how it looks: under its text it is straight."""
        laid = self._laid
        for node in self._tree.nodes:
            kinds, bend = [], laid.level - _BEND if laid.texts and node.depth else 0.0
            for child in self._tree.children(node):
                rank = 2 if child.id in self._chosen else 0 if child.status == "pruned" else 1
                kinds.append((rank, child.origin == "human"))
                x, y, to_x, to_y = laid.x[node.id] + bend, laid.y[node.id], laid.x[child.id], laid.y[child.id]
                half = (x + to_x) / 2
                yield kinds[-1], f"M{x:.1f} {y:.1f}C{half:.1f} {y:.1f} {half:.1f} {to_y:.1f} {to_x:.1f} {to_y:.1f}"
            if kinds and bend:
                yield max(kinds), f"M{laid.x[node.id]:.1f} {laid.y[node.id]:.1f}h{bend:.1f}"

    def nodes(self) -> Iterator[str]:
        for node in self._tree.nodes:
            x, y = self._laid.x[node.id], self._laid.y[node.id]
            tip = strokes.xml(marks.cut(node.text, 1, _TIP_CHARS)) if len(self._tree) <= 2_000 else ""
            yield f"<g>{f'<title>{tip}</title>' if tip else ''}{self._shape(node, x, y)}</g>"
            yield from self._beside(node, x, y)

    def _shape(self, node: Node, x: float, y: float) -> str:
        d = self._laid.diameter
        fill = marks.colour(node.scores.get(self._record.judge or ""))
        rim = f'stroke="{marks.OUTLINE}" stroke-width="{min(1.0, d / 9):.2g}"'
        if node.parent is None:
            half = max(2.5, d * 0.48)
            return f'<rect x="{x - half:.1f}" y="{y - half:.1f}" width="{2 * half:.1f}" height="{2 * half:.1f}"/>'
        if node.id == self._tree.chosen:
            return f'<path fill="{fill}" {rim} d="{strokes.star(x, y, max(6.0, d * 0.95))}"/>'
        if node.status == "finished":
            return f'<path fill="{fill}" {rim} d="{strokes.diamond(x, y, d * 0.68)}"/>'
        if node.status == "pruned":
            ring = d * 0.36
            return (
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{d * 0.54:.1f}" fill="{marks.OUTLINE}"/>'
                f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{ring:.1f}" fill="{marks.PAPER}" stroke="{fill}" '
                f'stroke-width="{d * 0.2:.2g}"/>'
            )
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{d / 2:.1f}" fill="{fill}" {rim}/>'

    def _beside(self, node: Node, x: float, y: float) -> Iterator[str]:
        """Whether the answer is right, how often it was drawn, its score and its text: as much as there is room for."""
        laid = self._laid
        if node.parent is None:
            return
        at = x + laid.diameter * (0.9 if node.id == self._tree.chosen else 0.5) + 6
        leaf = not node.children
        above = y + _LABEL * 0.36 if leaf else y - 4.5
        if (correct := self._correct(node)) is not None and laid.row >= 5:
            yield strokes.outcome(at + 5, y if leaf else above - 4, correct, min(4.5, laid.row * 0.35))
            at += 15
        if not laid.scores:
            return
        score = node.scores.get(self._record.judge or "")
        facts = [f"x{node.copies}"] if node.copies > 1 else []
        facts += [marks.short_score(score)] if score is not None else []
        size = _LABEL if laid.texts else min(_LABEL, laid.row * 0.8)
        yield strokes.label(at, above, " ".join(facts), size, marks.MUTED)
        if laid.texts:
            yield from self._words(node, at, above, marks.wide(" ".join(facts), size) + 6 if facts else 0)

    def _words(self, node: Node, at: float, above: float, taken: float) -> Iterator[str]:
        """A step's text: on one line where it ends the drawing, else above and below the line that leads on."""
        end = self._laid.x[node.id] + self._laid.level - _BEND if node.children else self._laid.width
        ink = marks.MUTED if node.status == "pruned" else marks.INK
        text = _STEP.sub("", node.text.strip(), count=1)
        if not node.children or self._laid.row < _ROW_OF_TWO:
            yield strokes.label(at + taken, above, marks.cut(text, _LABEL, end - at - taken), _LABEL, ink)
            return
        first, rest = marks.broken(text, _LABEL, end - at - taken)
        yield strokes.label(at + taken, above, first, _LABEL, ink)
        yield strokes.label(at, above + _ROW_OF_TWO * 0.7, marks.cut(rest, _LABEL, end - at), _LABEL, ink)

    def _correct(self, node: Node) -> bool | None:
        grade = self._record.grades.get(node.answer) if node.answer is not None else None
        return grade.correct if grade and node.status == "finished" else None

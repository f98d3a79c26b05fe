"""The lines a SearchTree reads: one JSON value per line, appended while a search runs.

Why text and not a list: Gradio sends only the new suffix of a growing string, so one more step costs the same at ten
nodes and at ten thousand (see search_tree.py). The functions below are the only place that knows the format;
`tree_log.js` reads it. They shorten long texts and keep each line intact, whatever characters a model wrote.

What comes once a run is an object. What comes once a step is an array, since on the wire, where each quote is escaped,
an object's keys would be as long as what they say; what is rare stands in an object at its end:

    ["n", seq, id, parent, text, tokens, logprob, key, confidence, certainty, {...}]
                                                           a step; its tokens' log-probabilities summed; of a text that
                                                           was cut, what stands for the whole; how sure the policy was
    ["c", seq, id, copies]                                 an identical draw of a known step
    ["v", seq, id, value, judge]                           a score; without a judge that of the judge the tree shows
    ["x", seq, id, right]                                  the exact truth about a step
    ["d", seq, id, action, {...}]                          a decision; the action by its place in `ACTIONS`
"""

from __future__ import annotations

import hashlib
import json
import math
from base64 import b64encode
from collections.abc import Mapping
from typing import Literal, get_args

Action = Literal["keep", "prune", "expand", "finish", "choose", "descend", "backup"]
Origin = Literal["policy", "human", "rollout", "import"]
Finish = Literal["step", "eos", "length", "budget"]

#: Actions in the order in which a line numbers them (`tree_log.js` has the same).
ACTIONS: tuple[Action, ...] = get_args(Action)

LABEL_LENGTH = 76  # characters of a step on the tree; the whole text stays in the store
ROOT_LENGTH = 200
ANSWER_LENGTH = 40

#: What the tree is told of a decision's numbers, by reason: the number's name and its key on the line.
_TOLD: Mapping[str, Mapping[str, str]] = {
    "mean": {"visits": "n", "mean": "m"},
    "subtree_rank": {"subtree": "u"},
    "width_reached": {"n": "n"},
    "fruitless": {"n": "n"},
}
#: Reasons that are told by name: these steps were not weighed and found wanting.
_NAMED = frozenset({"width_reached", "fruitless", "rollout_dropped", "budget"})


def run_line(run_id: str, problem: str, judge: str | None = None) -> str:
    """The first line of every tree: which run this is, the problem at its root (node 0), and whose scores are shown."""
    facts: dict[str, object] = {"t": "run", "id": run_id, "root": cut(problem, ROOT_LENGTH)}
    return _line(facts if judge is None else facts | {"j": judge})


def node_line(
    node_id: int,
    parent: int,
    text: str,
    *,
    seq: int = 0,
    finish: Finish | None = "step",
    copies: int = 1,
    origin: Origin = "policy",
    tokens: int | None = None,
    logprob: float | None = None,
    confidence: float | None = None,
    certainty: float | None = None,
    answer: str | None = None,
) -> str:
    """A sampled step. The same id again updates the node."""
    label = cut(text)
    rare: dict[str, object] = {}
    if finish != "step":
        rare["f"] = finish
    if copies != 1:
        rare["c"] = copies
    if origin != "policy":
        rare["o"] = origin
    if answer is not None:
        rare["a"] = cut(answer, ANSWER_LENGTH)
    key = _digest(text) if label.endswith("…") else None
    sure = _rounded(confidence, 1), _rounded(certainty, 1)
    return _array("n", seq, node_id, parent, label, tokens, _rounded(logprob, 2), key, *sure, rare)


def copies_line(node_id: int, copies: int, *, seq: int = 0) -> str:
    """An identical draw has raised the copies of a known step."""
    return _line(["c", seq, node_id, copies])


def score_line(node_id: int, value: float | None, *, seq: int = 0, judge: str | None = None) -> str:
    """A score of 0 to 1 that `judge` gave, or the judge whose scores are shown.

    The tree shows it only if its first line names the same judge, or none; others' are for comparison. A later line for
    the same node and judge replaces it; None takes it back."""
    known = round(float(value), 6) if value is not None and math.isfinite(value) else None
    return _line(["v", seq, node_id, known, *([] if judge is None else [judge])])


def truth_line(node_id: int, right: bool | None, *, seq: int = 0) -> str:
    """Whether a step is right, where that is known exactly; None takes it back."""
    return _line(["x", seq, node_id, right])


def source_line(judge: str, kind: Literal["human", "imported", "estimated"]) -> str:
    """A judge whose scores are a kind of truth: a person's labels, those that came with the run, or rollouts."""
    return _line({"t": "source", "by": judge, "kind": kind})


def decide_line(
    node_id: int, action: Action, *, seq: int = 0, reason: str = "", numbers: Mapping[str, float] | None = None
) -> str:
    """What the strategy decided about a node: its status on the tree follows from it."""
    rare: dict[str, object] = {"r": reason} if reason in _NAMED else {}
    for name, key in _TOLD.get(reason, {}).items():
        if numbers and name in numbers:
            rare[key] = round(numbers[name], 4)
    return _array("d", seq, node_id, ACTIONS.index(action), rare)


def grade_line(node_id: int, correct: bool | None) -> str:
    """Whether a finished leaf's answer equals the reference: a tick, a cross, or (None) nothing."""
    return _line({"t": "grade", "id": node_id, "ok": correct})


def say_line(first: int, last: int, level: int, says: str) -> str:
    """One sentence on the events `first` to `last`, a stop of the replay. The same `first` again replaces it; stops of
    one level (or iteration) follow each other."""
    return _line({"t": "say", "s": first, "e": last, "l": level, "x": says})


def bill_line(seq: int, says: str) -> str:
    """What the search had spent by then, in words."""
    return _line({"t": "bill", "s": seq, "x": says})


def end_line(status: str = "done") -> str:
    """The search is over: done, stopped, failed or interrupted."""
    return _line({"t": "end", "status": status})


def cut(text: str, length: int = LABEL_LENGTH) -> str:
    """`text` on one line, at most `length` characters, an ellipsis where something was left out."""
    words = " ".join(text[: 8 * length].split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def _digest(text: str) -> str:
    """Stands for a text that was cut, when two trees are compared."""
    words = " ".join(text.split()).encode("utf-8", "surrogatepass")
    return b64encode(hashlib.blake2b(words, digest_size=6).digest()).decode()


def _rounded(value: float | None, digits: int) -> float | None:
    return round(value, digits) if value is not None and math.isfinite(value) else None


def _array(*facts: object) -> str:
    """A line without the unknown and empty facts at its end."""
    known = list(facts)
    while known[-1] is None or known[-1] == {}:
        known.pop()
    return _line(known)


def _line(facts: dict[str, object] | list[object]) -> str:
    """One line of JSON. `<` is spelled as an escape, so that the text is inert wherever a page carries it."""
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(INERT) + "\n"


# Besides `<`: lone surrogates cannot be sent as UTF-8, and U+2028/2029 end a line for some readers.
INERT = {ord("<"): "\\u003c", 0x2028: "\\u2028", 0x2029: "\\u2029"} | {c: f"\\u{c:04x}" for c in range(0xD800, 0xE000)}

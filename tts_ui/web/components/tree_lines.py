"""The lines a SearchTree reads: one JSON object per line, appended while a search runs.

Why text and not a list: Gradio sends only the new suffix of a growing string, so one more step costs the same at ten
nodes and at ten thousand (see search_tree.py). The functions below are the only place that knows the format's keys.
They shorten long texts and keep each line intact, whatever characters a model wrote.
"""

from __future__ import annotations

import hashlib
import json
import math
from typing import Literal

Action = Literal["keep", "prune", "expand", "finish", "choose", "descend", "backup"]
Origin = Literal["policy", "human", "rollout", "import"]
Finish = Literal["step", "eos", "length", "budget"]

LABEL_LENGTH = 80  # characters of a step on the tree; the whole text stays in the store
ROOT_LENGTH = 200


def run_line(run_id: str, problem: str, judge: str | None = None) -> str:
    """The first line of every tree: which run this is, the problem at its root (node 0), and whose scores are shown."""
    facts: dict[str, object] = {"t": "run", "id": run_id, "root": cut(problem, ROOT_LENGTH)}
    return _line(facts if judge is None else facts | {"j": judge})


def node_line(
    node_id: int,
    parent: int,
    text: str,
    *,
    depth: int = 0,
    seq: int = 0,
    finish: Finish | None = "step",
    copies: int = 1,
    origin: Origin = "policy",
    tokens: int | None = None,
) -> str:
    """A sampled step. The same id again updates the node: an identical draw has raised its copies."""
    label = cut(text)
    facts: dict[str, object] = {"t": "node", "s": seq, "id": node_id, "p": parent, "d": depth, "x": label}
    if label.endswith("…"):
        facts["k"] = _digest(text)
    if finish is not None:
        facts["f"] = finish
    if copies != 1:
        facts["c"] = copies
    if origin != "policy":
        facts["o"] = origin
    if tokens is not None:
        facts["n"] = tokens
    return _line(facts)


def score_line(node_id: int, value: float | None, *, seq: int = 0, judge: str | None = None) -> str:
    """A score of 0 to 1 that `judge` gave: the tree shows it only if its first line names the same judge, or none.

    A later line for the same node replaces it; None takes it back."""
    known = round(float(value), 6) if value is not None and math.isfinite(value) else None
    facts: dict[str, object] = {"t": "score", "s": seq, "id": node_id, "v": known}
    return _line(facts if judge is None else facts | {"j": judge})


def decide_line(node_id: int, action: Action, *, seq: int = 0) -> str:
    """What the strategy decided about a node: its status on the tree follows from it."""
    return _line({"t": "decide", "s": seq, "id": node_id, "a": action})


def grade_line(node_id: int, correct: bool | None) -> str:
    """Whether a finished leaf's answer equals the reference: a tick, a cross, or (None) nothing."""
    return _line({"t": "grade", "id": node_id, "ok": correct})


def end_line(status: str = "done") -> str:
    """The search is over: done, stopped, failed or interrupted."""
    return _line({"t": "end", "status": status})


def cut(text: str, length: int = LABEL_LENGTH) -> str:
    """`text` on one line, at most `length` characters, an ellipsis where something was left out."""
    words = " ".join(text[: 8 * length].split())
    return words if len(words) <= length else words[: length - 1].rstrip() + "…"


def _digest(text: str) -> str:
    """Stands for a text that was cut, when two trees are compared."""
    return hashlib.blake2b(" ".join(text.split()).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _line(facts: dict[str, object]) -> str:
    """One line of JSON. `<` is spelled as an escape, so that the text is inert wherever a page carries it."""
    text = json.dumps(facts, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.translate(_INERT) + "\n"


# Besides `<`: lone surrogates cannot be sent as UTF-8, and U+2028/2029 end a line for some readers.
_INERT = {ord("<"): "\\u003c", 0x2028: "\\u2028", 0x2029: "\\u2029"} | {c: f"\\u{c:04x}" for c in range(0xD800, 0xE000)}

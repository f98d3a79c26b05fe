"""A tool's result as text, for a model or a person that reads it: short, and with what to do next."""

from __future__ import annotations

import json
from typing import Any


def spoken(tool: str, document: dict[str, Any]) -> str:
    """`document` as `Desk.do` gives it last."""
    if tool in ("solve", "show"):
        return _run(document)
    if tool == "compare":
        return "\n\n".join(_run(run) for run in document["runs"])
    if tool == "runs":
        return "\n".join(map(_line, document["runs"])) or "no run matches"
    if tool == "grade":
        verdict = {True: "right", False: "wrong", None: "undecided"}[document["correct"]]
        return f"{document['answer']} is {verdict}: the reference answer is {document['reference']}"
    if tool == "score":
        return "\n".join(f"{_score(step['score'])} {' '.join(step['text'].split())}" for step in document["steps"])
    return json.dumps(document, ensure_ascii=False)


def _run(run: dict[str, Any]) -> str:
    usage = run["usage"]
    votes = ", ".join(f"{each['answer']} ({each['votes']})" for each in run["answers"])
    verdict = {True: ", which is right", False: ", which is wrong", None: ""}[run["correct"]]
    said = [
        f"Answer: {run['answer']}{verdict}." if run["answer"] is not None else f"No answer: {run['status']}.",
        f"{run['strategy']} with {run['policy']}" + (f" and {run['scorer']}" if run["scorer"] else ""),
        f"Votes: {votes}" if votes else "",
        f"Cost: {usage['generated_tokens']} tokens generated, {usage['scored_tokens']} read by the PRM, "
        f"{usage['wall_s']:.1f} s",
        f"Failed: {run['error']}" if run["error"] else "",
        f"Run: {run['run']}" + (f" ({run['tree_url']})" if run["tree_url"] else ""),
    ]
    tree = f"\n\n{run['tree']}" if "tree" in run else ""
    return "\n".join(filter(None, said)) + tree


def _line(run: dict[str, Any]) -> str:
    problem = " ".join(run["problem"].split())[:100]
    return f"{run['run']}: {run['strategy']}, {run['status']}, answer {run['answer']}: {problem}"


def _score(score: float | None) -> str:
    return "not scored" if score is None else f"{score:.3f}"

"""What the run document, version 1, must look like."""

from __future__ import annotations

from typing import Any

#: Every field of the run document, version 1, with the types it may have.
TEXT, MAYBE_TEXT, NUMBER = (str,), (str, type(None)), (int, float)
DOCUMENT: dict[str, dict[str, tuple[type, ...]]] = {
    "run": {
        "id": TEXT, "created_at": TEXT, "problem": TEXT, "reference_answer": MAYBE_TEXT, "strategy": TEXT,
        "params": (dict,), "policy": TEXT, "scorer": MAYBE_TEXT, "domain": TEXT, "status": TEXT,
        "stop_reason": MAYBE_TEXT, "origin": TEXT, "parent_run": MAYBE_TEXT, "fork_node": (int, type(None)),
        "answer": MAYBE_TEXT, "correct": (bool, type(None)), "graded_by": MAYBE_TEXT, "error": MAYBE_TEXT,
    },
    "usage": {
        "generated_tokens": (int,), "prompt_tokens": (int,), "prompt_tokens_reused": (int,), "scored_tokens": (int,),
        "scored_tokens_reused": (int,), "policy_calls": (int,), "scorer_calls": (int,),
        "flops_paper": (float, type(None)), "flops_all": (float, type(None)), "wall_s": (float,),
    },
    "nodes": {
        "id": (int,), "parent": (int, type(None)), "depth": (int,), "text": TEXT, "tokens": (int,),
        "logprob": (float, type(None)), "finish": TEXT, "copies": (int,), "origin": TEXT, "status": TEXT,
        "answer": MAYBE_TEXT, "seq": (int,),
    },
    "scores": {"node": (int,), "scorer": TEXT, "value": (float,), "kind": TEXT, "seq": (int,)},
    "decisions": {"node": (int,), "action": TEXT, "reason": TEXT, "numbers": (dict,), "seq": (int,)},
    "answers": {
        "answer": MAYBE_TEXT, "votes": (int,), "weight": NUMBER, "correct": (bool, type(None)), "nodes": (list,),
    },
}  # fmt: skip


#: What only some entries have.
REPORTED = {"nodes": {"confidence", "certainty"}, "scores": {"critique"}}


def check(document: dict[str, Any]) -> None:
    """The document has the contract's fields, all of them, of the contract's types."""
    assert list(document) == ["format", "version", *DOCUMENT]
    assert (document["format"], document["version"]) == ("tts-ui.run", 1)
    for part, fields in DOCUMENT.items():
        for entry in document[part] if isinstance(document[part], list) else [document[part]]:
            assert set(entry) - REPORTED.get(part, set()) == set(fields)
            for name, types in fields.items():
                assert type(entry[name]) in types, (part, name, entry[name])

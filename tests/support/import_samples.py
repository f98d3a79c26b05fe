"""Small files of every kind that can be imported, written for the tests."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Record = dict[str, Any]

#: Two beams that share their first step, one of them drawn twice, and one that stands alone.
BEAMS: Record = {
    "problem": "What is 3 + 4 + 5?",
    "solution": "12", "answer": "12", "unique_id": "test/1.json",
    "completions": [
        "First 3 + 4 = 7.\n\nThen 7 + 5 = 12.\n\n\\boxed{12}",
        "First 3 + 4 = 7.\n\nThen 7 + 5 = 12.\n\n\\boxed{12}",
        "First 3 + 4 = 7.\n\nThen 7 + 5 = 13.\n\n\\boxed{13}",
        "3 + 4 + 5 = 60\n\n\\boxed{60}",
    ],
    "pred": "...", "completion_tokens": [0, 0, 0, 0],
    "scores": [[0.9, 0.8, 0.7], [0.9, 0.8, 0.71], [0.9, 0.2, 0.3], [0.1, 0.05]],
    "agg_scores": [0.7, 0.71, 0.3, 0.05], "pred_maj@4": "\\boxed{12}",
}  # fmt: skip

OPENR: Record = {
    "question": "What is 2 + 2?",
    "final_answer": "4",
    "reasoning_steps": {
        "text": "What is 2 + 2?", "mc_value": 0.75,
        "children": [
            {"text": "Add them.", "mc_value": 0.5, "children": [
                {"text": "\\boxed{4}", "mc_value": 1.0, "children": []},
                {"text": "\\boxed{5}", "mc_value": 0.0, "children": []},
            ]},
            {"text": "It is \\boxed{4}.", "mc_value": 1.0, "children": []},
        ],
    },
}  # fmt: skip

OPENR_PREFIXES: Record = {
    "question": "What is 2 + 2?", "final_answer": "4",
    "reasoning_steps": [
        {"solution_prefix": "What is 2 + 2?", "mc_value": 0.75},
        {"solution_prefix": "What is 2 + 2?\n\nAdd them.", "mc_value": 0.5},
        {"solution_prefix": "What is 2 + 2?\n\nAdd them.\n\n\\boxed{4}", "mc_value": 1.0},
        {"solution_prefix": "What is 2 + 2?\n\nIt is \\boxed{4}.", "mc_value": 1.0},
    ],
}  # fmt: skip


def treequest_node(node: int, parent: int | None, score: float, text: str, action: str | None = None) -> Record:
    return {
        "id": node, "trial_id": None if parent is None else f"t{node}", "parent_id": parent, "depth": 0,
        "score": score, "state_repr": text, "action_from_parent": action, "created_at": None, "completed_at": None,
        "status": "ROOT" if parent is None else "COMPLETE", "annotations": {}, "algo_metrics": {},
    }  # fmt: skip


TREEQUEST: Record = {
    "nodes": [
        treequest_node(-1, None, -1.0, "ROOT"),
        treequest_node(0, -1, 0.4, "x = 3", "small-model"),
        treequest_node(1, -1, 0.6, "x = 4", "large-model"),
        treequest_node(2, 1, 0.9, "so \\boxed{4}", "small-model"),
    ],
    "edges": [{"source": -1, "target": 0, "action": "small-model"}],
    "trials": [],
    "metadata": {"created_at": "2026-01-02T03:04:05+00:00", "algorithm": "AB-MCTS-A", "problem": "Solve x - 4 = 0."},
}


def mcts_node(
    state: str, visits: int, value: float, children: Iterable[Record] = (), answer: str | None = None
) -> Record:
    return {
        "state": state, "visits": visits, "value": value, "is_terminal": answer is not None, "answer": answer,
        "_continuations": None, "_continuation_index": 0, "children": list(children),
    }  # fmt: skip


_ASKED = "Question: What is 6 x 7?\n\nLet me solve this step by step."
MCTS: Record = {
    "question": "What is 6 x 7?", "simulations_run": 3, "exploration_constant": 1.414,
    "terminal_states": [{"answer": "42", "score": 0.8, "state": "..."}],
    "root": mcts_node(_ASKED, 3, 0.6, [
        mcts_node(f"{_ASKED}\n\n6 x 7 = 42", 2, 0.8, [
            mcts_node(f"{_ASKED}\n\n6 x 7 = 42\n\nANSWER: 42", 1, 0.8, answer="42"),
        ]),
        mcts_node(f"{_ASKED}\n\n6 + 7 = 13", 1, 0.2),
    ]),
}  # fmt: skip

PROCESSBENCH: list[Record] = [
    {
        "id": "gsm8k-0", "generator": "Qwen2-7B-Instruct", "problem": "What is 2 + 3 + 4?",
        "steps": ["2 + 3 = 5", "5 + 4 = 8", "The answer is \\boxed{8}."], "final_answer_correct": False, "label": 1,
    },
    {
        "id": "gsm8k-1", "generator": "Qwen2-7B-Instruct", "problem": "What is 1 + 1?",
        "steps": ["1 + 1 = 2", "So it is 2."], "final_answer_correct": True, "label": -1,
    },
]  # fmt: skip


def rated(text: str, rating: int | None) -> Record:
    return {"text": text, "rating": rating, "flagged": False}


PRM800K: Record = {
    "labeler": "a", "timestamp": "2022-07-30T23:23:32.118856", "generation": None,
    "question": {"problem": "What is 5 + 6?", "ground_truth_answer": "11"},
    "label": {
        "steps": [
            {"completions": [rated("Add.", 1), rated("Multiply.", -1)], "human_completion": None,
             "chosen_completion": 0},
            {"completions": [rated("5 + 6 = 12", -1)], "human_completion": rated("5 + 6 = 11", None),
             "chosen_completion": None},
            {"completions": [rated("# Answer\n\n11", 1), rated("Hm.", 0)], "human_completion": None,
             "chosen_completion": 0},
        ],
        "total_time": 1, "finish_reason": "solution",
    },
}  # fmt: skip

PRM800K_PHASE_2: Record = {
    "labeler": "a", "timestamp": "2022-11-22T16:51:29.980606", "generation": 6,
    "question": {
        "problem": "What is 5 + 6?", "ground_truth_answer": "11",
        "pre_generated_steps": ["Add.", "5 + 6 = 12", "# Answer\n\n12"], "pre_generated_answer": "12",
    },
    "label": {
        "steps": [
            {"completions": [rated("Add.", 1)], "human_completion": None, "chosen_completion": 0},
            {"completions": [rated("5 + 6 = 12", -1), rated("5 + 6 = 11", 1)], "human_completion": None,
             "chosen_completion": None},
        ],
        "total_time": 1, "finish_reason": "found_error",
    },
}  # fmt: skip

RATED: Record = {
    "problem": "What is 5 + 6?", "answer": "11", "is_correct": True, "ground_truth_answer": "11",
    "steps": ["Add.", "# Answer\n\n11"],
    "rating_probs": [{"-1": 0.5, "1": 0.25, "0": 0.25}, {"1": 0.75, "-1": 0.125, "0": 0.125}],
}  # fmt: skip


def candidate(text: str, uid: int | None, parent: int | None, score: float, status: str) -> Record:
    entry = {
        "id": text, "label": "Beam", "text": text, "status": status, "selected": status == "selected",
        "signals": {"confidence": 0.5, "prm": score},
    }  # fmt: skip
    return entry if uid is None else entry | {"beam_uid": uid, "parent_beam_uid": parent}


def thinkbooster_run(strategy: str, levels: list[list[Record]], scorer: bool = True) -> Record:
    events = [{"step": at + 1, "stage": "x", "candidates": level} for at, level in enumerate(levels)]
    return {
        "id": strategy, "strategy_id": strategy, "name": strategy, "scorer_id": "prm" if scorer else None,
        "run": {
            "budget": 2, "tokens_used": 99, "latency_ms": 1500, "model_id": "some/model", "events": events,
            "scorer": {"id": "prm", "name": "PRM"} if scorer else None,
            "config": {"generation": {"temperature": 0.7}, "scorer": {"model_path": "some/prm"} if scorer else None},
            "final": {"confidence": 0.5},
        },
    }  # fmt: skip


THINKBOOSTER: Record = {
    "examples": [{
        "id": "sum", "title": "A sum", "payloads": {"2": {
            "scenario": {
                "prompt": "Think.\n\nQuestion: What is 3 + 4?", "shared_prompt": "Think.", "ground_truth": "7",
            },
            "strategies": [
                thinkbooster_run("beam_search", [
                    [candidate("Add.", 1, 0, 0.9, "selected"), candidate("Multiply.", 2, 0, 0.2, "pruned")],
                    [candidate("\\boxed{7}", 3, 1, 0.95, "selected"), candidate("\\boxed{8}", 4, 1, 0.3, "kept")],
                ]),
                thinkbooster_run("online_best_of_n", [
                    [candidate("Add.", None, None, 0.9, "selected"), candidate("Guess.", None, None, 0.1, "pruned")],
                    [candidate("\\boxed{7}", None, None, 0.8, "selected")],
                ]),
            ],
        }},
    }],
    "advanced_config_templates": {},
}  # fmt: skip

THINKBOOSTER_RESULT: Record = {
    "index": 0, "question": "What is 3 + 4?", "gold_answer": "7", "generated_trajectory": "Add.\n\n\\boxed{8}",
    "extracted_answer": "8", "is_correct": False, "steps": ["Add.", "\\boxed{8}"], "validity_scores": [0.9, 0.4],
    "completed": True,
}  # fmt: skip

PLAIN: list[Record] = [
    {"problem": "What is 1 + 2?", "answer": "3", "completions": ["1 + 2\n\n\\boxed{3}", "\\boxed{4}"],
     "scores": [[0.5, 0.9], [0.1]], "model": "mine", "prm": "judge"},
    {"problem": "What is 1 + 3?", "steps": ["1 + 3 = 4", "\\boxed{4}"], "scores": [0.6, 0.7], "labels": [1, -1]},
    {"prompt": "What is 2 + 3?", "response": "\\boxed{5}", "correct": True},
    {"prompt": "What is 2 + 4?", "completions": ["2 + 4 = 6", "\\boxed{6}"], "labels": [True, False]},
]  # fmt: skip


def lines(path: Path, records: Iterable[object]) -> Path:
    """A file with a record a line."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


def whole(path: Path, value: object) -> Path:
    """A file with one value, over several lines."""
    path.write_text(json.dumps(value, indent=2), encoding="utf-8")
    return path

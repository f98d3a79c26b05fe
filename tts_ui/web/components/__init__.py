"""Parts of the page that Gradio does not have: the search tree and the lines it reads."""

from tts_ui.web.components.search_tree import (
    Mark,
    SearchTree,
    rated,
    replay_place,
    script_address,
    scripts_route,
    tree_scripts,
    whole_texts,
)  # fmt: skip
from tts_ui.web.components.tree_lines import (
    bill_line,
    copies_line,
    decide_line,
    end_line,
    grade_line,
    node_line,
    run_line,
    say_line,
    score_line,
    source_line,
    truth_line,
)  # fmt: skip

__all__ = [
    "Mark", "SearchTree", "bill_line", "copies_line", "decide_line", "end_line", "grade_line", "node_line",
    "rated", "replay_place", "run_line", "say_line", "score_line", "script_address", "scripts_route", "source_line",
    "tree_scripts", "truth_line", "whole_texts",
]  # fmt: skip

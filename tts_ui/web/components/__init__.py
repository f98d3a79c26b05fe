"""Parts of the page that Gradio does not have: the search tree and the lines it reads."""

from tts_ui.web.components.search_tree import Mark, SearchTree
from tts_ui.web.components.tree_lines import decide_line, end_line, grade_line, node_line, run_line, score_line

__all__ = ["Mark", "SearchTree", "decide_line", "end_line", "grade_line", "node_line", "run_line", "score_line"]

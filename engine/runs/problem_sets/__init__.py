"""Problem sets: what a sweep asks, by name (built in, or from the Hugging Face Hub) or from a file of one's own."""

from engine.runs.problem_sets.columns import columns_given
from engine.runs.problem_sets.door import names, problem_set
from engine.runs.problem_sets.problem_set import Problem, ProblemSet

__all__ = ["Problem", "ProblemSet", "columns_given", "names", "problem_set"]

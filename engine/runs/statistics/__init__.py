"""Intervals, tests and how much a number of problems can show; what each is for is said in docs/statistics.md."""

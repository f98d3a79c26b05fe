"""A step's text on a page: Markdown in which the run's domain decides what is shown as a formula."""

from __future__ import annotations

from engine.domains import DOMAINS, Domains

#: What the Markdown component must be told to render (`latex_delimiters`).
LATEX_DELIMITERS: list[dict[str, str | bool]] = [
    {"left": "$$", "right": "$$", "display": True},
    {"left": "\\[", "right": "\\]", "display": True},
    {"left": "\\(", "right": "\\)", "display": False},
    {"left": "$", "right": "$", "display": False},
]


def markdown(domains: Domains, domain: str, text: str) -> str:
    """`text` as Markdown source; an imported run may be of a domain that is not known here."""
    return domains[domain if domain in DOMAINS else next(iter(DOMAINS))].markdown(text)

"""Selection rules in words, and what each would have made of a finished run. Plain text."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.search.readings import BORDA_POWER, BOTTOM_SHARE, FINISHERS_SHARE, TAIL_TOKENS
from engine.search.selection import RULES, AnswerGroup, choose, recorded
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.results import no_answer

if TYPE_CHECKING:
    from engine.search.tree import Tree
    from engine.store import RunRecord


def not_recorded() -> str:
    return say("rules.not_recorded")


def rule_words(rule: str) -> str:
    """A few words for a rule."""
    way, _, step = rule.removeprefix("prm_").partition("_")
    if rule.startswith("prm_"):
        return say(f"rules.prm_{step}", of=say(f"rules.of_{way}"))
    return say(
        f"rules.{rule}", tokens=numbers.count(TAIL_TOKENS), bottom=f"{100 * BOTTOM_SHARE:.0f}",
        power=f"{BORDA_POWER:g}", finishers=f"{100 * FINISHERS_SHARE:.0f}",
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class UnderRule:
    """A run read under one rule: the answer that it elects, or why it elects none (`lacks`)."""

    rule: str
    winner: AnswerGroup | None
    lacks: str = ""


def under_rules(record: RunRecord, tree: Tree, judge: str | None) -> Iterator[UnderRule]:
    """The finished run under every rule, those that read a PRM's scores only where there is a judge."""
    eligible = bool(record.params.get("eligible_without_answer"))
    for name, rule in RULES.items():
        if rule.reducer and judge is None:
            continue
        if rule.reading and not recorded(tree, name, judge):
            yield UnderRule(name, None, not_recorded())
            continue
        winner = choose(record.answers(tree, name, judge), eligible_without_answer=eligible)
        yield UnderRule(name, winner, "" if winner else no_answer())

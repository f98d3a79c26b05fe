"""The runs of a comparison under every selection rule: what each would have answered, folded under the table."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from engine.search.selection import RULES
from engine.search.tree import Tree
from engine.store import RunRecord
from tts_ui.web.compare.table import badge
from tts_ui.web.parts.fragments import outcome_mark
from tts_ui.words.interface.markup import marked
from tts_ui.words.parameters import LETTERS
from tts_ui.words.results import no_answer
from tts_ui.words.rules import UnderRule, rule_words, under_rules
from tts_ui.words.texts import short


def rules(records: Sequence[RunRecord], trees: Sequence[Tree]) -> str:
    """A row a rule, a column a run; a run without a PRM has no answer by its scores, and one whose numbers were not
    recorded says so."""
    read = [
        {under.rule: under for under in under_rules(record, tree, record.judge)}
        for record, tree in zip(records, trees, strict=True)
    ]
    rows = "".join(
        f'<tr><th scope="row" title="{escape(rule_words(name))}">{name}</th>'
        + "".join(
            f'<td data-column="{LETTERS[place]}">{_cell(record, under.get(name))}</td>'
            for place, (record, under) in enumerate(zip(records, read, strict=True))
        )
        + "</tr>"
        for name in RULES
    )
    heads = "".join(f"<th>{badge(place)}</th>" for place in range(len(records)))
    return (
        '<details class="rules"><summary>' + marked("compare.every_rule") + "</summary>"
        f"<table><thead><tr><th>{marked('rules.rule')}</th>{heads}</tr></thead><tbody>{rows}</tbody></table></details>"
    )


def _cell(record: RunRecord, under: UnderRule | None) -> str:
    if under is None:
        return marked("strip.no_prm")
    if under.winner is None:
        return escape(under.lacks)
    own = f" <i>({marked('compare.own_rule')})</i>" if under.rule == record.params.get("select") else ""
    answer = under.winner.answer
    mark = f" {outcome_mark(record, under.winner.correct)}" if answer is not None else ""
    return f"<span><b>{escape(short(answer or no_answer()))}</b>{mark}{own}</span>"

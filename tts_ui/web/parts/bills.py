"""Where the tokens and operations of a run went, as a table. A pure function of the run."""

from __future__ import annotations

from html import escape

from engine.runs.equal_flops import EqualVote
from engine.search.cost import LARGE_MODELS, tokens_for
from engine.search.events import Usage
from engine.store import RunRecord
from tts_ui.words import numbers
from tts_ui.words.equal_flops import SOURCE, vote_said
from tts_ui.words.interface.markup import marked
from tts_ui.words.results import flops


def cost(record: RunRecord, vote: EqualVote | None = None) -> str:
    """Where the tokens and operations went, policy and PRM separately; `vote` is the majority at equal FLOPs, which
    stands beside a judge that writes."""
    usage = record.usage
    paper, whole = flops(usage)
    rows = [
        _cost("generated", numbers.count(usage.generated_tokens)),
        _cost("prompt", numbers.count(usage.prompt_tokens)),
        _cost("reused", numbers.count(usage.prompt_tokens_reused)),
        *(_scored(usage, writes=vote is not None) if record.scorer else []),
        _cost("calls", marked("cost.calls_of", policy=usage.policy_calls, scorer=usage.scorer_calls)),
        _cost("flops_paper", numbers.flops(paper)),
        _cost("flops_all", numbers.flops(whole)),
        *(_in_tokens_of(name, size, paper, whole) for name, size in LARGE_MODELS.items() if paper),
        *([(marked("cost.vote"), escape(vote_said(vote)), SOURCE)] if vote else []),
        _cost("time", numbers.seconds(usage.wall_s)),
    ]
    body = "".join(f"<tr><td>{name}</td><td>{value}</td><td>{what}</td></tr>" for name, value, what in rows)
    sizes = [
        marked("cost.model", name=escape(model.name), parameters=numbers.count(model.parameters or None))
        for model in (record.policy, record.scorer)
        if model
    ]
    models = ", ".join(sizes)
    return f'<table class="cost"><tbody>{body}</tbody></table><p class="hint">{models}</p>'


def _cost(name: str, value: str) -> tuple[str, str, str]:
    """A row of the table: what, how much, and what that means."""
    return marked(f"cost.{name}"), value, marked(f"cost.{name}_says")


def _scored(usage: Usage, *, writes: bool) -> list[tuple[str, str, str]]:
    name, scored = marked("cost.scored"), numbers.count(usage.scored_tokens)
    says = marked("cost.scored_writing" if writes else "cost.scored_says")
    return [(name, scored, says), _cost("scored_reused", numbers.count(usage.scored_tokens_reused))]


def _in_tokens_of(name: str, size: int, paper: float | None, whole: float | None) -> tuple[str, str, str]:
    """The same operations as tokens that a larger model would generate for them."""
    assert paper is not None
    tokens = numbers.fraction(tokens_for(paper, size))
    in_all = numbers.fraction(tokens_for(whole, size)) if whole else numbers.NOT_AVAILABLE
    return (
        marked("cost.same_in", model=name),
        marked("cost.same_in_value", tokens=tokens, all=in_all),
        marked("cost.same_in_says", billions=f"{size / 1e9:.0f}"),
    )

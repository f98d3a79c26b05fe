"""Decisions in plain words, with the numbers behind them; the same on the page and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from engine.search.events import Decision
from engine.search.strategies.compute_optimal import CHOICES, DIFFICULTIES, EVIDENCE
from engine.search.tree import Node
from tts_ui.words import numbers


def latest(node: Node) -> list[Decision]:
    """The decisions about a node; of those that MCTS takes in every iteration (descend, backup) only the last ones."""
    last = {decision.action: decision for decision in node.decisions}
    repeated = ("descend", "backup")
    return [d for d in node.decisions if d.action not in repeated or d is last[d.action]]


def why(decision: Decision) -> tuple[str, str]:
    """What was decided, and why: ("pruned", "rank 9 of 16, cut-off 0.44"). Plain text, no markup."""
    n = decision.numbers
    done = {"keep": "kept", "prune": "pruned"}.get(decision.action, decision.action)
    match decision.action, decision.reason:
        case "keep" | "prune", "rank":
            return done, f"{_place(n)}, {_cut_off(decision)}"
        case "keep" | "prune", "subtree_rank":
            return done, f"{_place(n)} in subtree {n['subtree'] + 1:.0f}"
        case "prune", "rollout_dropped":
            return done, "a lookahead from a step that was not kept"
        case "prune", "fruitless":
            return done, f"{n['n']:.0f} iterations led to no new completion"
        case "prune", "width_reached":
            return done, f"the search had its {n['n']:.0f} completions"
        case "prune", "max_steps":
            return done, f"{n['max_steps']:.0f} steps are the limit"
        case "prune", "budget":
            return "cut", "the token budget was spent"
        case "descend", "upper_bound":
            return "entered", _upper_bound(n)
        case "backup", "mean":
            return "backed up", _backup(n)
        case _, "compute_optimal":
            return f"{CHOICES[int(n['choice'])]} chosen", _compute_optimal(n)
        case "finish", reason:
            return "finished", "out of room" if reason == "length" else ""
        case _, "prm_window":
            return _judged(n), f"{numbers.count(int(n['tokens']))} tokens, the PRM reads {n['window']:,.0f}"
        case "choose", _:
            return "chosen", f"{n['votes']:.0f} of {n['of']:.0f} votes, weight {numbers.weight(n['weight'])}"
        case _, reason:
            return done, ", ".join([reason, *(f"{name} {value:.4g}" for name, value in n.items())])


def _place(n: Mapping[str, float]) -> str:
    return f"rank {n['rank']:.0f} of {n['of']:.0f}"


def _cut_off(decision: Decision) -> str:
    if decision.action == "keep":
        return _slots(decision.numbers)
    cut_off = decision.numbers.get("cut_off")
    return f"cut-off {numbers.score(cut_off)}" if cut_off is not None else "no slot is left"


def _slots(n: Mapping[str, float]) -> str:
    """ "14 of 16 slots for its 59 draws"; a run recorded before slots were counted says how many survived."""
    if "slots" not in n:
        return f"{n['k']:.0f} survive"
    of_draws = f" for its {n['draws']:.0f} draws" if n["draws"] > 1 else ""
    return f"{n['slots']:.0f} of {n['k']:.0f} slot{'s' if n['k'] > 1 else ''}{of_draws}"


def _upper_bound(n: Mapping[str, float]) -> str:
    return (
        f"iteration {n['iteration']:.0f}, value {n['value']:.3f} + exploration {n['exploration']:.3f}"
        f" = {n['total']:.3f}, {n['visits']:.0f} of {n['parent_visits']:.0f} visits, prior {n['prior']:.2f}"
    )


def _backup(n: Mapping[str, float]) -> str:
    return (
        f"iteration {n['iteration']:.0f}, value {n['value']:.3f} from step {n['from']:.0f},"
        f" mean {n['mean']:.3f} of {n['visits']:.0f} visits"
    )


def _judged(n: Mapping[str, float]) -> str:
    if not n["read"]:
        return "too long for the PRM, not scored"
    return f"too long for the PRM, scored on the last {n['read']:.0f} of {n['steps']:.0f} steps"


def _compute_optimal(n: Mapping[str, float]) -> str:
    """What the choice of strategy rests on; the difficulty is an estimate, and is called one."""
    return (
        f"for a policy of {numbers.count(int(n['parameters']))} parameters and a problem estimated"
        f" {DIFFICULTIES[int(n['difficulty'])]}: of {n['probe']:.0f} samples {100 * n['agreement']:.0f} % agree,"
        f" mean PRM score {n['mean_score']:.2f}; {EVIDENCE[int(n['evidence'])]}"
    )

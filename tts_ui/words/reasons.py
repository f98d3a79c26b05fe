"""Decisions in plain words, with the numbers behind them; the same on the page and in the terminal."""

from __future__ import annotations

from collections.abc import Mapping

from engine.search.events import Decision
from engine.search.strategies.compute_optimal import CHOICES, DIFFICULTIES, EVIDENCE, LEARNED
from engine.search.tree import Node
from tts_ui.words import numbers
from tts_ui.words.counting import counted
from tts_ui.words.interface import say


def latest(node: Node) -> list[Decision]:
    """The decisions about a node; of those that MCTS takes in every iteration (descend, backup) only the last ones."""
    last = {decision.action: decision for decision in node.decisions}
    repeated = ("descend", "backup")
    return [d for d in node.decisions if d.action not in repeated or d is last[d.action]]


def why(decision: Decision) -> tuple[str, str]:
    """What was decided, and why: ("pruned", "rank 9 of 16, cut-off 0.44"). Plain text, no markup."""
    n = decision.numbers
    name = {"keep": "kept", "prune": "pruned"}.get(decision.action)
    done = say(f"reasons.{name}") if name else decision.action
    match decision.action, decision.reason:
        case "finish", reason:
            return say("reasons.finished"), say("reasons.out_of_room") if reason == "length" else ""
        case "choose", _:
            votes = {"votes": f"{n['votes']:.0f}", "weight": numbers.weight(n["weight"])}
            return say("reasons.chosen"), say("reasons.votes", n=round(n["of"]), **votes)
        case "keep" | "prune", "rank":
            return done, f"{_place(n)}, {_cut_off(decision)}"
        case "keep" | "prune", "subtree_rank":
            return done, say("reasons.in_subtree", place=_place(n), subtree=f"{n['subtree'] + 1:.0f}")
        case "keep", "unranked":
            return done, say("reasons.unranked", step=f"{n['step']:.0f}", of=f"{n['of']:.0f}")
        case "keep", "planted":
            return say("reasons.taken_over"), say("reasons.planted")
        case "prune", "rollout_dropped":
            return done, say("reasons.rollout_dropped")
        case "prune", "fruitless":
            return done, say("reasons.fruitless", n=round(n["n"]))
        case "prune", "width_reached":
            return done, say("reasons.width_reached", n=round(n["n"]))
        case "prune", "max_steps":
            return done, say("reasons.max_steps", n=round(n["max_steps"]))
        case "prune", "budget":
            return say("reasons.cut"), say("reasons.budget")
        case "descend", "upper_bound":
            return say("reasons.entered"), _upper_bound(n)
        case "backup", "mean":
            return say("reasons.backed_up"), _backup(n)
        case _, "compute_optimal":
            return _choice(n), _compute_optimal(n)
        case _, "one_for_all":
            return _choice(n), say("reasons.one_for_all", source=_from_sweeps(n))
        case _, "learned":
            return f"{DIFFICULTIES[int(n['difficulty'])]}: {CHOICES[int(n['choice'])]}", _learned(n)
        case _, "beta_stop":
            return say("reasons.stopped_early"), _stopped(n)
        case "keep" | "prune", "resampled":
            return done, _resampled(n)
        case "backup", "recorded":
            return say("reasons.backed_up"), _recorded_value(n)
        case _, "recorded":
            return done, say("reasons.so_says_the_file")
        case _, "prm_window":
            read = {"tokens": numbers.count(int(n["tokens"])), "window": numbers.count(round(n["window"]))}
            return _judged(n), say("reasons.window", **read)
        case _, reason:
            return done, ", ".join([reason, *(f"{name} {value:.4g}" for name, value in n.items())])


def _choice(n: Mapping[str, float]) -> str:
    return say("reasons.strategy_chosen", strategy=CHOICES[int(n["choice"])])


def _place(n: Mapping[str, float]) -> str:
    return say("reasons.place", rank=f"{n['rank']:.0f}", of=f"{n['of']:.0f}")


def _cut_off(decision: Decision) -> str:
    if decision.action == "keep":
        return _slots(decision.numbers)
    cut_off = decision.numbers.get("cut_off")
    return say("reasons.cut_off", score=numbers.score(cut_off)) if cut_off is not None else say("reasons.no_slot")


def _slots(n: Mapping[str, float]) -> str:
    """ "14 of 16 slots for its 59 draws"; a run recorded before slots were counted says how many survived."""
    if "slots" not in n:
        return say("reasons.survive", n=round(n["k"]))
    slots = say("reasons.slots", n=round(n["k"]), slots=f"{n['slots']:.0f}")
    return say("reasons.slots_for", n=round(n["draws"]), slots=slots) if n["draws"] > 1 else slots


def _upper_bound(n: Mapping[str, float]) -> str:
    return say(
        "reasons.upper_bound", n=round(n["parent_visits"]), iteration=f"{n['iteration']:.0f}",
        value=f"{n['value']:.3f}", exploration=f"{n['exploration']:.3f}", total=f"{n['total']:.3f}",
        visits=f"{n['visits']:.0f}", prior=f"{n['prior']:.2f}",
    )  # fmt: skip


def _backup(n: Mapping[str, float]) -> str:
    return say(
        "reasons.backup", n=round(n["visits"]), iteration=f"{n['iteration']:.0f}", value=f"{n['value']:.3f}",
        node=f"{n['from']:.0f}", mean=f"{n['mean']:.3f}",
    )  # fmt: skip


def _recorded_value(n: Mapping[str, float]) -> str:
    mean = {"mean": f"{n['mean']:.3f}"} if "mean" in n else {}
    if "visits" not in n:
        return say("reasons.mean", **mean) if mean else ""
    return say("reasons.mean_of_visits" if mean else "reasons.visits", n=round(n["visits"]), **mean)


def _judged(n: Mapping[str, float]) -> str:
    if not n["read"]:
        return say("reasons.too_long")
    return say("reasons.too_long_scored", n=round(n["steps"]), read=f"{n['read']:.0f}")


def _compute_optimal(n: Mapping[str, float]) -> str:
    """What the choice of strategy rests on; the difficulty is an estimate, and is called one."""
    learned_from = n.get("learned_from")
    evidence = _from_sweeps(n) if learned_from else EVIDENCE[int(n["evidence"])]
    if learned_from == 0:
        evidence = f"{evidence} {say('reasons.too_little')}"
    return say(
        "reasons.compute_optimal", n=round(n["probe"]), parameters=numbers.count(int(n["parameters"])),
        difficulty=DIFFICULTIES[int(n["difficulty"])], share=f"{100 * n['agreement']:.0f}",
        score=f"{n['mean_score']:.2f}", evidence=evidence,
    )  # fmt: skip


def _from_sweeps(n: Mapping[str, float]) -> str:
    return say("reasons.from_sweeps", evidence=EVIDENCE[LEARNED], problems=counted("problems", int(n["learned_from"])))


def _learned(n: Mapping[str, float]) -> str:
    """What the sweeps on record say of one difficulty."""
    tied = [name for name in CHOICES if n.get(f"tied_{name}")]
    return say(
        "reasons.learned", n=int(n["of"]), right=f"{100 * n['accuracy']:.1f}",
        interval=f"[{100 * n['low']:.1f}, {100 * n['high']:.1f}]", problems=numbers.count(int(n["problems"])),
        of=numbers.count(int(n["of"])), completions=f"{n['n']:.0f}",
        tied=say("reasons.tied", strategies=", ".join(tied)) if tied else "",
    )  # fmt: skip


def probability(p: float) -> str:
    """ ".969"; never rounded up to 1."""
    return f"{p:.3f}".removeprefix("0") if p < 0.9995 else "> .999"


def _stopped(n: Mapping[str, float]) -> str:
    """ "4 of 4 agree, P = .969"."""
    silent = n["drawn"] - n["votes"]
    return say(
        "reasons.stopped", n=round(n["n"]), leading=f"{n['leading']:.0f}", votes=f"{n['votes']:.0f}",
        silent=say("reasons.silent", n=round(silent)) if silent else "", p=probability(n["probability"]),
        asked=f"{n['threshold']:g}", drawn=f"{n['drawn']:.0f}",
    )  # fmt: skip


def _resampled(n: Mapping[str, float]) -> str:
    """ "3 particles from 1 of 16, weight 2.20, chance 0.18"."""
    return say(
        "reasons.resampled", n=round(n["of"]), particles=f"{n['particles']:.0f}",
        then=f"{n['resampled']:.0f}" if n["resampled"] else say("reasons.none"), weight=f"{n['weight']:.2f}",
        chance=f"{n['probability']:.3f}",
        heat=say("reasons.heat", temperature=f"{n['temperature']:.2f}") if n["temperature"] > 1 else "",
    )  # fmt: skip

"""What was equal between the runs of a comparison, and what was not, in plain sentences.

`names` are what the runs are called: letters on a page, strategies in a terminal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from engine.search.tree import Tree
from engine.store import RunRecord
from tts_ui.words import numbers
from tts_ui.words.parameters import LETTERS
from tts_ui.words.results import too_long


def models_sentence(records: Sequence[RunRecord], names: Sequence[str] = LETTERS) -> str:
    """Which policy ran and which judge scored it, said once if it is the same in all; majority vote uses no judge."""
    judges = {record.scorer.name for record in records if record.scorer}
    said = [
        f"policy {record.policy.name}" + (f", judged by {record.scorer.name}" if record.scorer else "")
        for record in records
    ]
    if len({record.policy.name for record in records}) == 1 and len(judges) < 2:
        return f"{_upper(max(said, key=len))}."
    return "; ".join(map("{}: {}".format, names, said)) + "."


def budget_sentence(records: Sequence[RunRecord], names: Sequence[str] = LETTERS) -> str:
    """Which budget unit was equal: the token budget, else N, else none; and how far apart the rest is."""
    generated = [record.usage.generated_tokens for record in records]
    scored = [record.usage.scored_tokens for record in records if record.scorer]
    budgets = {record.params.get("max_tokens_total") for record in records}
    sizes = {record.params["n"] for record in records if "n" in record.params}
    prm = f"PRM tokens are not bounded{_range(scored)}" if scored else "no PRM was used"
    if len(budgets) == 1 and (budget := next(iter(budgets))) is not None:
        return f"At most {numbers.count(budget)} generated tokens each; spent{_span(generated)}. {_upper(prm)}."
    apart = f"generated tokens {_fold(generated)}"
    single = [name for name, record in zip(names, records, strict=False) if "n" not in record.params]
    if len(sizes) == 1 and len(budgets) == 1:
        chain = f" ({_listed(single)}: one chain)" if single else ""
        return f"N = {next(iter(sizes))} completions each{chain}; {apart}; {prm}."
    if not sizes and len(budgets) == 1:
        return f"One chain each; {apart}; {prm}."
    return f"No budget unit is equal: {_unequal(records, names)}; {apart}; {prm}."


def shared_sentence(records: Sequence[RunRecord], trees: Sequence[Tree], names: Sequence[str] = LETTERS) -> str:
    """What runs with the same seed share, counted on their trees; empty if there is nothing to say."""
    sampling = [place for place, record in enumerate(records) if _asked(record)]
    if len({record.problem for record in records}) > 1:
        return "The runs answer different problems, so nothing is paired."
    if len({_asked(records[place]) for place in sampling}) != 1 or len(sampling) < 2:
        return "Unpaired: the runs do not share their seed and sampling." if len(sampling) > 1 else ""
    seed = records[sampling[0]].params.get("seed")
    named = _listed([names[place] for place in sampling])
    said = f"Paired: seed {seed} in {named}; {_common_draws({names[at]: _first_draws(trees[at]) for at in sampling})}"
    voting = [place for place in sampling if records[place].strategy in ("majority_vote", "best_of_n")]
    if len(voting) > 1 and len({_completions(trees[place]) for place in voting}) == 1:
        said += f"; {_listed([names[place] for place in voting])} vote on the same set of samples"
    return f"{said}. Each is charged as if it had run alone."


def window_sentence(records: Sequence[RunRecord], trees: Sequence[Tree], names: Sequence[str] = LETTERS) -> str:
    """Which runs had steps that were too long for the PRM, and what became of them; empty where all fitted."""
    said = [too_long(record, tree) for record, tree in zip(records, trees, strict=True)]
    told = "; ".join(f"{name}: {each}" for name, each in zip(names, said, strict=False) if each)
    return f"{told}." if told else ""


def _asked(record: RunRecord) -> tuple[object, ...]:
    """What the draws of a run derive from; empty for one that draws nothing at random."""
    if record.strategy == "greedy" or record.params.get("temperature") == 0:
        return ()
    return (record.policy.name, *(record.params.get(name) for name in ("seed", "temperature", "top_p")))


def _first_draws(tree: Tree) -> Counter[str]:
    draws = Counter[str]()
    for node in tree.children(tree.root):
        if node.origin == "policy":
            draws[node.text] += node.copies
    return draws


def _common_draws(draws: Mapping[str, Counter[str]]) -> str:
    """How many draws below the problem are the same in all; a strategy that makes fewer can share no more."""
    totals = {name: drawn.total() for name, drawn in draws.items()}
    least = min(totals.values())
    first, *others = draws.values()
    common = sum((first & Counter({step: min(drawn[step] for drawn in others) for step in first})).values())
    if common < least:
        return f"{common} of {least} first draws are the same"
    if len(set(totals.values())) == 1:
        return f"all {least} first draws are the same"
    few = _listed([name for name, total in totals.items() if total == least])
    return f"the first {least} draws are the same ({few} makes no more)"


def _completions(tree: Tree) -> frozenset[tuple[str, int]]:
    return frozenset(("".join(step.text for step in tree.path(leaf)), leaf.copies) for leaf in tree.completions())


def _unequal(records: Sequence[RunRecord], names: Sequence[str]) -> str:
    said = []
    for name, record in zip(names, records, strict=False):
        limit = record.params.get("max_tokens_total")
        parts = [f"N {record.params['n']}" if "n" in record.params else "one chain"]
        parts += [f"at most {numbers.count(limit)} tokens"] if limit else []
        said.append(f"{name} {', '.join(parts)}")
    return "; ".join(said)


def _fold(values: Sequence[int]) -> str:
    least, most = min(values), max(values)
    if least == most:
        return f"are equal ({numbers.count(most)})"
    return f"differ {most / least:.1f}-fold{_range(values)}" if least else f"differ{_range(values)}"


def _range(values: Sequence[int]) -> str:
    return f" ({_span(values).strip()})"


def _span(values: Sequence[int]) -> str:
    least, most = min(values), max(values)
    return f" {numbers.count(least)}" if least == most else f" {numbers.count(least)} to {numbers.count(most)}"


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _upper(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]

"""What if this judge had steered: the decisions of a recorded search taken anew under other scores, at no model cost.

The strategy's own file searches again. Its policy is the record, which gives the draws that were taken and no others
(`engine.runs.lab.recorded`); its judge is a table of scores. So it decides as it would have, as long as it stays among
steps below which somebody drew. Where it would have gone on below a step that the record ends at, it has left the
record: those slots are lost, the others go on, and what comes of them is an answer *inside the record*, not the one
that a search would have given. Under the run's own scores every decision has to come out as it was recorded; a run
for which it does not is refused.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import isclose
from typing import Literal

from engine.errors import InvalidInput, TtsError
from engine.runs.lab.agreement import judges_of
from engine.runs.lab.recorded import Missing, RecordedJudge, RecordedPolicy, planted, recorded_id
from engine.search import Search
from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.events import Event, ModelInfo
from engine.search.params import PARAMETERS, RunParams
from engine.search.policy import Sampling, TokenBudget
from engine.search.selection import choose
from engine.search.tree import Node, Tree
from engine.search.truth import Truth
from engine.store import RunRecord

#: Judges that read no step with a model: each step is worth the same; the shorter the better (a step of `HALF_AT`
#: characters is worth a half); the exact check of a domain.
CONSTANT, SHORTER, EXACT = "a constant", "shorter is better", "the exact check"
HALF_AT = 40

_DECIDING = ("keep", "prune", "finish", "descend", "backup")

#: Keys of a decision's numbers that name a node.
_NODES = ("end", "from")


@dataclass(frozen=True, slots=True)
class Left:
    """Where a search would have left the record: `level` is the depth of the steps `nodes`, below which it would have
    drawn and nobody did; `slots` of its `of` slots were theirs (counted in draws, M to a slot)."""

    level: int
    nodes: tuple[int, ...]
    slots: int
    of: int


@dataclass(frozen=True, slots=True)
class Steered:
    """A recorded search under `judge`.

    Attributes:
        answer: what it would have answered or, where it left the record, what is elected among the completions inside.
        correct: whether that is right; None where it is not known.
        left: where it first left the record; None: it never did, so the answer is exact.
        strayed: every step below which it would have drawn and nobody did.
        kept: steps that it goes on from, by the ids of the record.
        otherwise: decisions on steps (kept or pruned) that are not those of the record, among steps that both weighed.
        completions: draws that ended, inside the record.
        lacking: steps that it weighed and that the judge has no score of.
    """

    judge: str
    answer: str | None
    correct: bool | None
    left: Left | None
    strayed: tuple[int, ...]
    kept: frozenset[int]
    otherwise: tuple[int, ...]
    completions: int
    lacking: int

    @property
    def known(self) -> bool:
        return self.left is None


#: What another judge would have made of a run.
Outcome = Literal["as it was", "right to wrong", "wrong to right", "another answer", "not known"]
OUTCOMES: tuple[Outcome, ...] = ("as it was", "right to wrong", "wrong to right", "another answer", "not known")


def outcome(record: RunRecord, steered: Steered) -> Outcome:
    """How a run would have ended under another judge, against how it did; not known where it left the record."""
    if not steered.known:
        return "not known"
    if steered.answer == record.answer:
        return "as it was"
    if record.correct and steered.correct is False:
        return "right to wrong"
    return "wrong to right" if record.correct is False and steered.correct else "another answer"


class Steering:
    """One recorded run, ready to be steered by others. Raises `InvalidInput` where the record does not say enough."""

    def __init__(self, record: RunRecord, events: Sequence[Event], domain: Domain) -> None:
        self.record, self._domain = record, domain
        self._events = [event for event in events if getattr(event, "scoring", None) is None]
        self.tree = Tree.from_events(events)
        self._params = _params(record)
        judge = record.judge
        assert judge is not None
        tree, _ = self._searched(judge, self.scores(judge))
        if not self._is_as_recorded(tree):
            raise InvalidInput("run", "its decisions do not follow from what was recorded (another version, or a file)")

    def scores(self, judge: str) -> dict[int, float]:
        """A judge's scores of the steps, also of one of those that need no model (but for `EXACT`, see `exact`)."""
        steps = self.tree.nodes[1:]
        if judge == CONSTANT:
            return {node.id: 0.5 for node in steps}
        if judge == SHORTER:
            return {node.id: HALF_AT / (HALF_AT + len(node.text.strip())) for node in steps}
        return {node.id: node.scores[judge] for node in steps if judge in node.scores}

    def under(self, judge: str, scores: Mapping[int, float] | None = None) -> Steered:
        """The search as `judge` would have steered it, by its recorded scores unless others are given."""
        scores = self.scores(judge) if scores is None else scores
        tree, (policy, reader) = self._searched(judge, scores)
        record = self.record
        groups = replace(record, scorer=ModelInfo(judge, 0, 0)).answers(tree)
        winner = choose(groups, eligible_without_answer=self._params.eligible_without_answer)
        answer = winner.answer if winner else None
        correct = (
            None if record.reference_answer is None else winner.correct if winner and answer is not None else False
        )
        return Steered(
            judge, answer, correct, self._left(policy.missing), tuple(each.node for each in policy.missing),
            frozenset(recorded_id(node) for node in tree.nodes[1:] if node.status == "kept"),
            tuple(self._otherwise(tree)), sum(leaf.copies for leaf in tree.completions()), len(reader.lacking),
        )  # fmt: skip

    # --- how it is done ---------------------------------------------------------------------------------------------

    def _searched(self, judge: str, scores: Mapping[int, float]) -> tuple[Tree, tuple[RecordedPolicy, RecordedJudge]]:
        """The tree of a search inside the record, with the answers of the record."""
        params, record = self._params, self.record
        policy = RecordedPolicy(self.tree, self._events, params.temperature, params.width)
        reader = RecordedJudge(scores)
        meter = Meter(record.policy, ModelInfo(judge, 0, 0))
        search = Search(
            record.problem, policy, reader, self._domain, meter, lambda events, usage: None,
            sampling=Sampling(params.temperature, params.top_p), seed=params.seed, n=params.n,
            max_steps=params.max_steps, budget=TokenBudget(params.max_tokens_total),
        )  # fmt: skip
        if steps := planted(self.tree):
            search.plant(steps)
        try:
            _run(params.method.run(search, **{name: getattr(params, name) for name in params.method.options}))
        except TtsError as error:
            raise InvalidInput("run", str(error)) from error
        for node in search.tree.nodes[1:]:
            node.answer = self.tree[recorded_id(node)].answer
        return search.tree, (policy, reader)

    def _is_as_recorded(self, replayed: Tree) -> bool:
        nodes = {recorded_id(node): node for node in replayed.nodes}
        if len(nodes) != len(self.tree):
            return False
        return all(
            _same(_decisions(node, lambda at: at), _decisions(nodes[node.id], lambda at: recorded_id(replayed[at])))
            and node.copies == nodes[node.id].copies
            for node in self.tree.nodes
        )

    def _otherwise(self, replayed: Tree) -> Iterable[int]:
        for node in replayed.nodes[1:]:
            recorded = self.tree[recorded_id(node)]
            if {node.status, recorded.status} == {"kept", "pruned"}:
                yield recorded.id

    def _left(self, missing: Sequence[Missing]) -> Left | None:
        if not missing:
            return None
        first = [each for each in missing if each.asked == missing[0].asked]
        params = self._params
        draws = params.width if params.method.takes("width") else 1
        nodes = tuple(each.node for each in first)
        slots = sum(-(-each.draws // draws) for each in first)
        return Left(self.tree[nodes[0]].depth, nodes, slots, max(params.n // draws, slots))


def what_if(record: RunRecord, events: Sequence[Event], domain: Domain, truth: Truth | None = None) -> list[Steered]:
    """A recorded run under every other judge that has scored it, under a constant, under length alone and, with
    `truth`, under the exact check. Raises `InvalidInput` where that cannot be told."""
    steering = Steering(record, events, domain)
    others = [judge for judge in judges_of([steering.tree]) if judge != record.judge]
    found = [steering.under(judge) for judge in [*others, CONSTANT, SHORTER]]
    return found if truth is None else [*found, steering.under(EXACT, exact(steering.tree, truth))]


def exact(tree: Tree, truth: Truth) -> dict[int, float]:
    """The scores of a judge that is never wrong: 1 for a right step, 0 for any other; of what is not checked (a bare
    end) that of the step before."""
    found = {0: 1.0}
    for node in tree.nodes[1:]:
        verdict = truth[node.id]
        found[node.id] = float(verdict == "right") if verdict else found[node.parent or 0]
    return found


def _params(record: RunRecord) -> RunParams:
    """What was asked of a run. Raises `InvalidInput` if no judge steered it, or it was cut short."""
    if record.judge is None:
        raise InvalidInput("run", f"{record.strategy} asks no judge, so none could have steered it")
    if record.status != "done":
        raise InvalidInput("run", f"the run is {record.status}: where it would have gone on is not recorded")
    try:
        known = {name: value for name, value in record.params.items() if name in PARAMETERS}
        return RunParams(record.strategy, **known)
    except (InvalidInput, TypeError) as error:
        raise InvalidInput("run", f"its settings are not those of a search of this version ({error})") from error


def _run(search: Awaitable[None]) -> None:
    """A search whose models answer at once never waits."""
    try:
        search.__await__().__next__()
    except StopIteration:
        return
    raise RuntimeError("a replay waits for nothing")


def _decisions(node: Node, recorded: Callable[[int], int]) -> list[tuple[str, str, dict[str, float]]]:
    """What was decided on a node, and on what; steps named in the numbers by the ids of the record."""
    return [
        (
            each.action,
            each.reason,
            {key: recorded(int(value)) if key in _NODES else value for key, value in each.numbers.items()},
        )
        for each in node.decisions
        if each.action in _DECIDING
    ]


def _same(
    some: Sequence[tuple[str, str, dict[str, float]]], others: Sequence[tuple[str, str, dict[str, float]]]
) -> bool:
    return len(some) == len(others) and all(
        one[:2] == other[:2]
        and one[2].keys() == other[2].keys()
        and all(isclose(value, other[2][key], abs_tol=1e-9) for key, value in one[2].items())
        for one, other in zip(some, others, strict=True)
    )

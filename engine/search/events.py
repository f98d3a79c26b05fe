"""The event log of a search: five kinds of small facts, and nothing else leaves the engine.

Everything downstream (the recorder, the live tree, replay, export, the command line, tests) is a reader of this one
stream. Events are immutable; `seq` counts them within a run in request order, so two runs with the same seed number
their facts alike, whichever draw happens to end first. What each key of `Decision.numbers` means is documented in
`REASONS`.

The fields below are the only declaration of what is known about a run, a step, a score or a decision: tables, rows, the
run document and its import are derived from them (see `engine.store.shapes`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import KW_ONLY, dataclass, field, replace
from typing import Any, Literal

from engine.search.interval import wilson

Finish = Literal["step", "eos", "length", "budget"]
NodeOrigin = Literal["policy", "human", "rollout", "import"]
ScoreKind = Literal["measured", "exact", "estimated", "imported", "human"]
Action = Literal["keep", "prune", "expand", "descend", "backup", "finish", "choose"]
RunStatus = Literal["running", "done", "stopped", "failed", "interrupted"]
RunOrigin = Literal["search", "fork", "import", "example"]

#: Metadata of a field that the database keeps and the run document does not; of one that is not recorded at all.
STORE_ONLY: Mapping[str, bool] = {"document": False}
UNRECORDED: Mapping[str, bool] = {"document": False, "column": False}

#: Why a decision was taken -> the meaning of each key of its `numbers`. The one place that documents them.
REASONS: Mapping[str, Mapping[str, str]] = {
    "rank": {
        "rank": "place by score in the frontier, 1 is best",
        "of": "open nodes ranked together",
        "k": "slots available (K = N / M, less those that finished beams have used up)",
        "slots": "slots this node holds; 0 where it was pruned",
        "draws": "draws that had produced this node: a draw is a beam, unless beams are distinct steps",
        "cut_off": "lowest surviving score, absent where none survives",
        "score": "the score it is ranked by: the step's own, or that of the end of its rollout",
        "end": "lookahead only: the last node of the step's rollout",
        "steps_ahead": "lookahead only: greedy steps from the step to that node",
    },
    "subtree_rank": {
        "subtree": "the DVTS subtree, from 0; a step of several subtrees is ranked in each",
        "rank": "place by score in the subtree's children, 1 is best",
        "of": "children of the subtree ranked together",
        "k": "children that a subtree keeps: 1",
        "cut_off": "the best child's score",
        "score": "the score it is ranked by",
    },
    "unranked": {
        "step": "VG-Search: steps that the beam has gone alone since it was ranked, this one included",
        "of": "such steps before its next children are ranked: g - 1",
    },
    "planted": {},
    "rollout_dropped": {},
    "upper_bound": {
        "iteration": "the MCTS iteration, from 1",
        "value": "mean of the values backed up through this node; its own score before the first visit",
        "visits": "iterations that went through this node before",
        "parent_visits": "iterations that went through its parent before",
        "prior": "the policy's likelihood per token of this step, as a share of its siblings'; weighs in PUCT only",
        "exploration": "UCT: c sqrt(ln(1 + parent_visits) / (1 + visits)); "
        "PUCT: c prior sqrt(parent_visits) / (1 + visits)",
        "total": "value + exploration, the largest among the children worth a visit",
        "of": "children of the parent, including those not worth a visit",
    },
    "mean": {
        "iteration": "the MCTS iteration, from 1",
        "value": "the value backed up: the best score among the iteration's new steps and the end of its rollout",
        "from": "the node that has this score",
        "visits": "iterations that went through this node, this one included",
        "mean": "mean of the values backed up through this node",
    },
    "fruitless": {
        "n": "completions asked for (N), and iterations without a new one after which the search gives up",
        "finished": "completions banked when the search ended",
    },
    "compute_optimal": {
        "parameters": "parameters of the policy",
        "probe": "samples drawn to estimate the difficulty",
        "agreement": "share of the samples that give the most frequent answer",
        "mean_score": "mean PRM score of the samples' last steps",
        "estimate": "agreement x mean_score: an estimate of Pass@1, not a measurement",
        "difficulty": "the estimate's bin: 0 easy (from 0.5), 1 medium (from 0.1), 2 hard",
        "choice": "0 best_of_n, 1 beam_search, 2 dvts",
        "evidence": "what the choice rests on: 0 a finding of the study, 1 our reading of it, 2 its 72B model only, "
        "3 sweeps on record",
        "learned_from": "where the choice was to be learned: problems it was learned from; 0: none fit, the study's "
        "table was used",
    },
    "one_for_all": {
        "choice": "0 best_of_n, 1 beam_search, 2 dvts: the same for every difficulty, so no probe was drawn",
        "learned_from": "problems on record that it was learned from",
    },
    "learned": {
        "difficulty": "the difficulty that this line is for: 0 easy, 1 medium, 2 hard, as estimated from a probe",
        "choice": "the strategy chosen for it: 0 best_of_n, 1 beam_search, 2 dvts",
        "n": "N of the runs on record that it rests on",
        "problems": "problems on record of this difficulty",
        "of": "problems on record at this N",
        "accuracy": "share of them that the strategy solved; of all, where there is none of this difficulty",
        "low": "lower end of its 95 % interval",
        "high": "upper end of its 95 % interval",
        "tied_best_of_n": "1 where best_of_n could not be told from the best, and is not the choice; else absent",
        "tied_beam_search": "the same for beam_search",
        "tied_dvts": "the same for dvts",
    },
    "beta_stop": {
        "leading": "draws that give the most frequent answer",
        "second": "draws that give the next answer",
        "votes": "draws that give any answer",
        "drawn": "draws taken",
        "n": "draws asked for (N)",
        "probability": "P, that the most frequent answer stays ahead of the next: the tail of Beta(leading + 1, "
        "second + 1) above a half",
        "threshold": "the probability asked for",
    },
    "resampled": {
        "weight": "log-odds of the particle's PRM score, clipped at 1e-7",
        "probability": "chance of all particles at this node together, after the temperature",
        "particles": "particles at this node before",
        "resampled": "particles at this node after; 0 where it was pruned",
        "of": "particles, here and elsewhere",
        "share": "effective share of the particles, (1 / sum p^2) / of, before the temperature",
        "temperature": "what the weights were divided by; 1 but for early steps on which few particles agree",
        "step": "the step of the filter, from 1",
    },
    "recorded": {
        "visits": "an imported search's own count of visits to this node",
        "mean": "an imported search's own mean of the values backed up through this node",
    },
    "eos": {},
    "length": {},
    "budget": {},
    "max_steps": {"max_steps": "the largest number of steps in one chain"},
    "prm_window": {
        "tokens": "positions of the problem and the path, as the PRM reads them",
        "window": "positions that the PRM can read; one of them is a server's own",
        "steps": "steps of the path",
        "read": "how many of them, the last ones, the score rests on; 0: the step has no score",
    },
    "width_reached": {"n": "completions asked for (N)", "finished": "completions banked when the search ended"},
    "rule": {
        "weight": "total weight of the chosen answer under the rule",
        "votes": "draws that gave the chosen answer",
        "of": "draws that gave any eligible answer",
        "score": "what the rule reads of the chosen completion (its response score, its confidence), absent where "
        "it reads nothing but draws or lengths",
    },
}


@dataclass(frozen=True, slots=True)
class Usage:
    """What a run has cost so far: tokens are positions of the model named, seconds are wall time.

    `prompt_tokens` are policy positions computed outside decoding, `prompt_tokens_reused` those read from a prefix
    cache instead; `scored_tokens` and `scored_tokens_reused` are the same for the PRM. FLOPs are 0 where the size of a
    model that was used is not known.
    """

    generated_tokens: int = 0
    prompt_tokens: int = 0
    prompt_tokens_reused: int = 0
    scored_tokens: int = 0
    scored_tokens_reused: int = 0
    policy_calls: int = 0
    scorer_calls: int = 0
    flops_paper: float = 0.0
    flops_all: float = 0.0
    wall_s: float = 0.0

    @property
    def flops_known(self) -> bool:
        """False if the policy's size is unknown: servers seldom say how many parameters a model has."""
        return self.flops_paper > 0 or self.generated_tokens == 0

    @property
    def flops_all_known(self) -> bool:
        """False if the size of the policy or the PRM is unknown, and it was used."""
        return self.flops_all > 0 or not (self.generated_tokens or self.prompt_tokens or self.scored_tokens)

    @classmethod
    def total(cls, usages: Iterable[Usage]) -> Usage:
        """All of them together; FLOPs are known only if those of each are, and 0 stands for unknown ones."""
        bills = list(usages)
        added = cls(**{name: sum(getattr(bill, name) for bill in bills) for name in cls.__slots__})
        paper = added.flops_paper if all(bill.flops_known for bill in bills) else 0.0
        whole = added.flops_all if all(bill.flops_all_known for bill in bills) else 0.0
        return replace(added, flops_paper=paper, flops_all=whole)


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """What is recorded about a policy or a PRM. `parameters` counts every parameter, tied ones once.

    `opens_thought` is not recorded: the policy's prompt ends inside a thought (`<think>`), so its text begins there.
    """

    name: str
    parameters: int
    context_window: int
    digest: str = ""
    dtype: str = ""
    device: str = ""
    template: str = ""
    opens_thought: bool = field(default=False, metadata=UNRECORDED)


@dataclass(frozen=True)
class RunAsked:
    """What was asked, of which models, and where the run comes from.

    Of an imported run `source` is the file's name and `source_format` what kind of file it was; `warning` says in one
    line what looked wrong with it.
    """

    run_id: str
    created_at: str
    problem: str
    reference_answer: str | None
    strategy: str
    params: Mapping[str, Any]
    policy: ModelInfo
    scorer: ModelInfo | None
    _: KW_ONLY
    domain: str = "maths"
    origin: RunOrigin = "search"
    parent_run: str | None = None
    fork_node: int | None = None
    sweep_id: str | None = field(default=None, metadata=STORE_ONLY)
    comparison_id: str | None = field(default=None, metadata=STORE_ONLY)
    warning: str | None = None
    source: str | None = None
    source_format: str | None = None


@dataclass(frozen=True)
class RunStarted(RunAsked):
    """The first event of a run. It also stands for the root, node 0."""

    seq: int = field(default=0, metadata=UNRECORDED)


@dataclass(frozen=True, slots=True)
class StepSampled:
    """A node below `parent`. Emitted again, same `node`, new `seq`, when an identical draw raises `copies`.

    `logprob` is the sum of the tokens' natural log-probabilities at temperature 1, untruncated; `answer` is what the
    path that ends here answers, null while it is open or has none. `confidence` and `certainty` are means over the
    tokens, of the same distribution (see `engine.search.readings`); null where the back end does not report them.
    """

    seq: int
    node: int
    parent: int
    depth: int
    text: str
    token_ids: tuple[int, ...] | None = field(metadata=STORE_ONLY)
    tokens: int
    logprob: float | None
    finish: Finish
    copies: int = 1
    origin: NodeOrigin = "policy"
    answer: str | None = None
    confidence: float | None = None
    certainty: float | None = None


@dataclass(frozen=True, slots=True)
class StepScored:
    """A scorer gave `node` a value in [0, 1].

    An estimated value is the share of `n` rollouts that came out right, with the ends of its 95 % interval. `scoring`
    names the scoring that added the score to a finished run; None: the run was decided on it. `critique` is what a
    judge that writes wrote before it judged.
    """

    seq: int
    node: int
    scorer: str
    value: float
    kind: ScoreKind = "measured"
    n: int | None = None
    low: float | None = None
    high: float | None = None
    scoring: str | None = None
    critique: str | None = None

    @classmethod
    def estimate(cls, seq: int, node: int, scorer: str, right: float, n: int) -> StepScored:
        """The score of a node below which `right` of `n` rollouts came out right."""
        if n < 1:
            raise ValueError("an estimate needs a rollout")
        share = wilson(right, n)
        return cls(seq, node, scorer, share.mean, "estimated", n, share.low, share.high)


@dataclass(frozen=True, slots=True)
class Decision:
    """What was done with `node` (by the strategy, or the PRM), why, and on what `numbers` (see `REASONS`)."""

    seq: int
    node: int
    action: Action
    reason: str
    numbers: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Grade:
    """How one distinct answer string was judged: the spelling that stands for its group, and whether it is right.

    `correct` is null without a reference answer; `rule` names what decided it (see `engine.domains.maths.grading`).
    """

    group: str
    correct: bool | None = None
    rule: str | None = None


@dataclass(frozen=True)
class RunOutcome:
    """How a run ended. `grades` maps every distinct answer string of the tree to its grade."""

    status: RunStatus
    stop_reason: str | None = None
    answer: str | None = None
    correct: bool | None = None
    graded_by: str | None = None
    error: str | None = None
    grades: Mapping[str, Grade] = field(default_factory=dict, metadata=STORE_ONLY)


@dataclass(frozen=True)
class RunFinished(RunOutcome):
    """The last event of a run; only scores that are added later come after it."""


Event = RunStarted | StepSampled | StepScored | Decision | RunFinished

__all__ = [
    "REASONS",
    "STORE_ONLY",
    "UNRECORDED",
    "Action",
    "Decision",
    "Event",
    "Finish",
    "Grade",
    "ModelInfo",
    "NodeOrigin",
    "RunAsked",
    "RunFinished",
    "RunOrigin",
    "RunOutcome",
    "RunStarted",
    "RunStatus",
    "ScoreKind",
    "StepSampled",
    "StepScored",
    "Usage",
]

"""Search: what a strategy may do, and the only way it can do it.

A strategy expands, scores, keeps, prunes and finishes nodes; each of these becomes events, in request order, and the
events build the tree the strategy sees. Everything a round emitted is handed to the sink together with the usage so
far, so a search that is killed has its tree and its bill up to the last round.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from engine.answers import extract_answer
from engine.cost import Meter
from engine.errors import ModelError
from engine.events import Action, Decision, Event, Finish, StepSampled, StepScored, Usage
from engine.policies.protocol import Draw, PolicySession, Sampling, Step, TokenBudget
from engine.scorers.protocol import ScorerSession
from engine.tree import Node, Tree

#: Takes the events of one round and the usage so far. Called in the event loop; must not block.
Sink = Callable[[Sequence[Event], Usage], None]


class Search:
    """One run's tree and the models that grow it.

    Args:
        seed: all randomness derives from it, the path to the parent and the draw's index below that parent.
        n: completions asked for (N); a search that banks completions ends at N.
        max_steps: the longest chain, in steps.
    """

    def __init__(
        self,
        problem: str,
        policy: PolicySession,
        scorer: ScorerSession | None,
        meter: Meter,
        sink: Sink,
        *,
        sampling: Sampling,
        seed: int,
        n: int,
        max_steps: int = 40,
        budget: TokenBudget | None = None,
    ) -> None:
        self.tree = Tree(problem)
        self.budget = budget or TokenBudget()
        self.stop_reason: str | None = None
        self._policy, self._scorer, self._meter, self._sink = policy, scorer, meter, sink
        self._sampling, self._seed, self._n, self._max_steps = sampling, seed, n, max_steps
        self._draws: Counter[int] = Counter()
        self._sampled: dict[_Identity, StepSampled] = {}
        self._seq = 0
        self._round: list[Event] = []

    @property
    def root(self) -> Node:
        return self.tree.root

    @property
    def finished(self) -> int:
        """Completions so far, counted in draws."""
        return sum(node.copies for node in self.tree.completions())

    # --- what a strategy may do -------------------------------------------------------------------------------------

    async def expand(self, nodes: Sequence[Node], k: int, *, temperature: float | None = None) -> list[Node]:
        """One step, `k` draws below each of `nodes`; returns the distinct children drawn, parents in order.

        Identical draws are one node with `copies`. Terminal nodes are not expanded; chains at `max_steps` are pruned.
        """
        open_nodes = [node for node in nodes if not node.terminal and not self.budget.spent]
        return list(dict.fromkeys(await self._sample([node for node in open_nodes for _ in range(k)], temperature)))

    async def complete(self, n: int, *, temperature: float | None = None) -> list[Node]:
        """Take `n` draws from the root to their ends; returns the distinct completions, in the order of their draws.

        Under a token budget draws are completed in draw order, as many at a time as can be expected to fit.
        """
        leaves: dict[int, Node] = {}
        while n > 0 and not self.budget.spent:
            wave = min(n, self._affordable())
            n -= wave
            chains = [self.root] * wave
            while chains:
                drawn = await self._sample(chains, temperature)
                ended = {node.id: node for node in drawn if node.terminal}
                self.finish(node for node in ended.values() if node.status == "open")
                leaves |= {node.id: node for node in ended.values() if node.status == "finished"}
                chains = [node for node in drawn if not node.terminal]
        self.flush()
        return list(leaves.values())

    async def score(self, nodes: Iterable[Node]) -> None:
        """Score `nodes` and whatever of their paths has no score yet: each node once, a level at a time."""
        if self._scorer is None or self._meter.scorer is None:
            return
        name = self._meter.scorer.name
        unscored = {step.id: step for node in nodes for step in self.tree.path(node) if name not in step.scores}
        for depth in sorted({node.depth for node in unscored.values()}):
            level = [node for node in unscored.values() if node.depth == depth]
            scores = await self._scorer.score([self.tree.path(node) for node in level], self._meter.scorer_cost)
            for node, value in zip(level, scores, strict=True):
                if not 0 <= value <= 1:
                    raise ModelError(f"{name}: a score of {value} is outside 0 to 1; its weights may be damaged")
                self._emit(StepScored(self._next_seq(), node.id, name, value))
            self.flush()

    def keep(self, frontier: Sequence[Node], top: int, *, finished: str = "bank") -> list[Node]:
        """Rank `frontier` by score and keep the best `top`; returns the open survivors, best first.

        `finished="bank"`: finished children are kept aside and take no slot; the search ends (no survivors) once N
        completions are banked. `"compete"`: they are ranked with the rest, and a slot won by one is used up for good.
        """
        candidates = [node for node in frontier if node.finish != "budget"]
        self.finish(node for node in frontier if node.finish == "budget")
        if finished == "bank":
            self.finish(node for node in candidates if node.terminal)
            candidates = [node for node in candidates if not node.terminal]
            if self.finished >= self._n:
                self.prune(candidates, "width_reached", {"n": self._n, "finished": self.finished})
                return []
        else:
            top -= sum(1 for _ in self.tree.completions())
        survivors = self._rank(candidates, max(0, top))
        self.finish(node for node in survivors if node.terminal)
        self.flush()
        return [node for node in survivors if not node.terminal]

    def prune(self, nodes: Iterable[Node], reason: str, numbers: Mapping[str, float] | None = None) -> None:
        for node in nodes:
            self.decide(node, "prune", reason, numbers)

    def finish(self, nodes: Iterable[Node]) -> None:
        """Bank completions: leaves that ended by themselves. A chain that the budget cut is no completion."""
        for node in nodes:
            if node.finish == "budget":
                self.decide(node, "prune", "budget")
            else:
                self.decide(node, "finish", node.finish)

    def decide(self, node: Node, action: Action, reason: str, numbers: Mapping[str, float] | None = None) -> None:
        """Record one decision and the numbers behind it (their keys are documented in `engine.events.REASONS`)."""
        self._emit(Decision(self._next_seq(), node.id, action, reason, dict(numbers or {})))

    def flush(self) -> None:
        """Hand over what was emitted since the last time."""
        if self._round:
            self._sink(tuple(self._round), self._meter.usage())
            self._round = []

    # --- how it is done ---------------------------------------------------------------------------------------------

    async def _sample(self, parents: Sequence[Node], temperature: float | None) -> list[Node]:
        """One draw below each of `parents` (a parent may repeat); the node of each draw, in order.

        A draw for which the budget did not buy a single token leaves no node.
        """
        too_deep = {node for node in parents if node.depth >= self._max_steps}
        self.prune(sorted(too_deep, key=lambda node: node.id), "max_steps", {"max_steps": self._max_steps})
        parents = [node for node in parents if node not in too_deep]
        sampling = self._sampling if temperature is None else replace(self._sampling, temperature=temperature)
        draws = [self._draw(parent) for parent in parents]
        steps = await self._policy.extend(draws, sampling, self.budget, self._meter.policy_cost)
        children = self._record(parents, steps)
        if self.budget.spent:
            self.stop_reason = "budget"
        self.flush()
        return children

    def _draw(self, parent: Node) -> Draw:
        path = self.tree.path(parent)
        index = self._draws[parent.id]
        self._draws[parent.id] += 1
        return Draw(tuple(path), draw_seed(self._seed, path, index))

    def _record(self, parents: Sequence[Node], steps: Sequence[Step]) -> list[Node]:
        """Turn draws into nodes, identical draws below one parent into one, and emit each node touched once."""
        touched: dict[_Identity, StepSampled] = {}
        drawn: list[_Identity] = []
        created = 0
        for parent, step in zip(parents, steps, strict=True):
            if step.tokens == 0:
                continue
            identity: _Identity = (parent.id, step.token_ids or step.text, step.finish)
            known = touched.get(identity) or self._sampled.get(identity)
            if known:
                touched[identity] = replace(known, copies=known.copies + 1)
            else:
                touched[identity] = self._new_node(len(self.tree) + created, parent, step)
                created += 1
            drawn.append(identity)
        for identity, event in touched.items():
            self._sampled[identity] = replace(event, seq=self._next_seq())
            self._emit(self._sampled[identity])
        return [self.tree[touched[identity].node] for identity in drawn]

    def _new_node(self, node_id: int, parent: Node, step: Step) -> StepSampled:
        answer = None
        if step.finish != "step":
            answer = extract_answer("".join(node.text for node in self.tree.path(parent)) + step.text)
        return StepSampled(
            0, node_id, parent.id, parent.depth + 1, step.text, step.token_ids, step.tokens, step.logprob, step.finish,
            answer=answer,
        )  # fmt: skip

    def _rank(self, nodes: Sequence[Node], k: int) -> list[Node]:
        """Keep the best `k` by score (ties: mean log-probability, then text), prune the rest; best first."""
        assert self._meter.scorer is not None
        name = self._meter.scorer.name
        ranked = sorted(nodes, key=lambda node: (-node.scores[name], -node.mean_logprob, node.text))
        cut_off = ranked[min(k, len(ranked)) - 1].scores[name] if ranked and k else 1.0
        for rank, node in enumerate(ranked, start=1):
            numbers = {"rank": rank, "of": len(ranked), "k": k, "cut_off": cut_off, "score": node.scores[name]}
            self.decide(node, "keep" if rank <= k else "prune", "rank", numbers)
        return ranked[:k]

    def _affordable(self) -> int:
        """Draws that fit the budget if each is as long as the longest so far; the first goes alone, to find out."""
        if self.budget.left is None:
            return self._n
        lengths = [sum(step.tokens for step in self.tree.path(leaf)) for leaf in self.tree.completions()]
        return max(1, self.budget.left // max(lengths)) if lengths else 1

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _emit(self, event: StepSampled | StepScored | Decision) -> None:
        self.tree.apply(event)
        self._round.append(event)


#: Node = (run, parent, token ids); a draw that the budget cut short is another node than one that ended there.
_Identity = tuple[int, tuple[int, ...] | str, Finish]


def draw_seed(run_seed: int, path: Sequence[Node], index: int) -> int:
    """64 bits from the run's seed, the path to the parent and the draw's index below it, and from nothing else."""
    digest = hashlib.blake2b(f"{run_seed}:{index}".encode(), digest_size=8)
    for node in path:
        digest.update(repr(node.token_ids or node.text).encode())
    return int.from_bytes(digest.digest(), "little")

"""Search: what a strategy may do, and the only way it can do it.

A strategy expands, scores, keeps, prunes and finishes nodes; each of these becomes events, in request order, and the
events build the tree the strategy sees. Everything a round emitted is handed to the sink together with the usage so
far, so a search that is killed has its tree and its bill up to the last round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from engine.search.cost import Meter
from engine.search.domain import Domain
from engine.search.draws import Identity, Planted, draw_seed
from engine.search.events import Action, Decision, Event, NodeOrigin, StepSampled, StepScored, Usage
from engine.search.learned import Learned
from engine.search.policy import Draw, PolicySession, Sampling, Step, TokenBudget
from engine.search.prm_window import WindowedScorer
from engine.search.scorer import ScorerSession
from engine.search.tree import Node, Tree

#: Takes the events of one round and the usage so far. Called in the event loop; must not block.
Sink = Callable[[Sequence[Event], Usage], None]


class Search:
    """One run's tree and the models that grow it.

    Args:
        seed: all randomness derives from it, the path to the parent and the draw's index below that parent.
        n: completions asked for (N); a search that banks completions ends at N.
        max_steps: the longest chain, in steps.
        prm_window: what is done with a path too long for the PRM (see `engine.search.prm_window`).
        learned: what sweeps on record say of these models at this budget, for strategies that choose by it.
    """

    def __init__(
        self,
        problem: str,
        policy: PolicySession,
        scorer: ScorerSession | None,
        domain: Domain,
        meter: Meter,
        sink: Sink,
        *,
        sampling: Sampling,
        seed: int,
        n: int,
        max_steps: int = 40,
        prm_window: str = "skip",
        budget: TokenBudget | None = None,
        learned: Learned | None = None,
    ) -> None:
        self.tree = Tree(problem)
        self.domain, self.learned = domain, learned
        self.budget = budget or TokenBudget()
        self.stop_reason: str | None = None
        self._policy, self._meter, self._sink = policy, meter, sink
        self._windowed = WindowedScorer(scorer, meter.scorer, prm_window) if scorer and meter.scorer else None
        self._sampling, self.seed, self._n, self.max_steps = sampling, seed, n, max_steps
        self._root = self.tree.root
        self._first_draw: Counter[int] = Counter()
        self._draws: Counter[int] = Counter()
        self._drawn: dict[int, list[Node | None]] = {}
        self._greedy: dict[int, Node] = {}
        self._completed: dict[int, Node] = {}
        self._sampled: dict[Identity, StepSampled] = {}
        self._chains = self._slots_used_up = self._seq = 0
        self._round: list[Event] = []

    @property
    def root(self) -> Node:
        """Where the search begins: the problem, or the last step that was planted."""
        return self._root

    def plant(self, steps: Sequence[Planted], drawn: int = 0) -> None:
        """Begin below these steps instead of below the problem; `drawn` draws were taken there before, elsewhere."""
        for planted in steps:
            node = self._new_node(len(self.tree), self._root, planted.step, planted.origin)
            self._emit(replace(node, seq=self._next_seq()))
            self._root = self.tree[node.node]
            self.decide(self._root, "keep", "planted")
        self._first_draw[self._root.id] = drawn
        self.flush()

    @property
    def finished(self) -> int:
        """Completions so far, counted in draws."""
        return sum(node.copies for node in self.tree.completions())

    # --- what a strategy may do -------------------------------------------------------------------------------------

    @property
    def policy_parameters(self) -> int:
        return self._meter.policy.parameters

    @property
    def affords_more(self) -> bool:
        """Whether the token budget has anything left."""
        return not self.budget.spent

    async def expand(self, nodes: Iterable[Node], k: int, *, temperature: float | None = None) -> list[Node]:
        """One step, `k` draws below each of `nodes`; returns the distinct children drawn, parents in order.

        Identical draws are one node with `copies`. Terminal nodes are not expanded; chains at `max_steps` are pruned.
        Draws that a node has below it already (a rollout, a probe) are the first of its `k`; a node named twice gets
        `k` draws each time.
        """
        families = await self.expand_each(nodes, k, temperature=temperature)
        return list(dict.fromkeys(child for family in families for child in family))

    async def expand_each(self, nodes: Iterable[Node], k: int, *, temperature: float | None = None) -> list[list[Node]]:
        """As `expand`, but with a list of children for each of `nodes`."""
        wanted: Counter[Node] = Counter()
        shares: list[tuple[Node, int]] = []
        for node in nodes:
            shares.append((node, wanted[node]))
            wanted[node] += k
        missing = {node: count - self._draws[node.id] for node, count in wanted.items() if not node.terminal}
        if self.affords_more:
            await self._sample([node for node, count in missing.items() for _ in range(count)], temperature)
        return [self._children_drawn(node, first, first + k) for node, first in shares]

    async def complete(self, n: int, *, temperature: float | None = None) -> list[Node]:
        """Take draws from the root to their ends until there are `n`; returns the distinct completions, in draw order.

        Draws completed before are the first of the `n`. Under a token budget draws are completed in draw order, as
        many at a time as can be expected to fit.
        """
        while self._chains < n and self.affords_more:
            wave = min(n - self._chains, self._affordable())
            self._chains += wave
            chains = [self.root] * wave
            while chains:
                drawn = await self._sample(chains, temperature)
                ended = {node.id: node for node in drawn if node.terminal}
                self.finish(node for node in ended.values() if node.status == "open")
                self._completed |= {node.id: node for node in ended.values() if node.status == "finished"}
                chains = [node for node in drawn if not node.terminal]
        self.flush()
        return list(self._completed.values())

    async def rollout(self, nodes: Iterable[Node], steps: int | None = None) -> list[Node]:
        """Go on from each of `nodes` greedily, for `steps` or to the end of the chain; returns the ends, in order.

        The nodes drawn are ordinary ones (`origin` rollout). A greedy step is drawn once and followed from then on, and
        it is one of the children when its parent is expanded.
        """
        starts = list(nodes)
        ends = {start: start for start in starts}
        for _ in range(self.max_steps if steps is None else steps):
            heads = {start: end for start, end in ends.items() if not end.terminal and end.depth < self.max_steps}
            if not heads:
                break
            fresh = [head for head in dict.fromkeys(heads.values()) if head.id not in self._greedy]
            if self.affords_more:
                drawn = await self._sample(fresh, 0, "rollout")
                self._greedy |= {child.parent: child for child in drawn if child.parent is not None}
                self.finish(child for child in drawn if child.finish == "budget")
            ends |= {start: self._greedy[head.id] for start, head in heads.items() if head.id in self._greedy}
        return [ends[start] for start in starts]

    async def score(self, nodes: Iterable[Node]) -> None:
        """Score `nodes` and the steps of their paths that have no score yet: each node once, one level at a time.

        A step that the budget cut, or that says nothing (a bare EOS), is not for a PRM to judge. One at the end of a
        path too long for the PRM is asked for once, too, and may stay without a score; raises `ModelError` if it was to
        end the run.
        """
        if self._windowed is None or self._meter.scorer is None:
            return
        name = self._meter.scorer.name
        steps = (step for node in nodes for step in self.tree.path(node))
        unscored = {step.id: step for step in steps if name not in step.scores and step.scorable}
        for depth in sorted({node.depth for node in unscored.values()}):
            level = [node for node in unscored.values() if node.depth == depth]
            scored = await self._windowed.score([self.tree.path(node) for node in level], self._meter.scorer_cost)
            for node, score in zip(level, scored, strict=True):
                if score.value is not None:
                    self._emit(StepScored(self._next_seq(), node.id, name, score.value, critique=score.critique))
                if score.too_long:
                    self.decide(node, "expand", "prm_window", score.too_long)
            self.flush()
            self._windowed.check(scored)

    def value(self, node: Node) -> float:
        """The score a node is ranked by: its own or, if it cannot be scored, the last one before it."""
        assert self._meter.scorer is not None
        name = self._meter.scorer.name
        return next((step.scores[name] for step in reversed(self.tree.path(node)) if name in step.scores), 0.0)

    def ranked(self, nodes: Iterable[Node], ahead: Mapping[Node, Node] | None = None) -> list[Node]:
        """`nodes` by value, best first; ties: mean log-probability, then text. Steps that the budget cut are left out.

        `ahead` maps a node to the one whose value counts for it: the end of its rollout.
        """
        values = {node: self.value((ahead or {}).get(node, node)) for node in nodes if node.finish != "budget"}
        return sorted(values, key=lambda node: (-values[node], -node.mean_logprob, node.text))

    def open_leaves(self) -> list[Node]:
        """Nodes without children about which nothing has been decided."""
        return [node for node in self.tree.nodes[1:] if node.status == "open" and not node.children]

    def keep(
        self,
        frontier: Sequence[Node],
        top: int,
        *,
        finished: str = "bank",
        beams: str = "draws",
        ahead: Mapping[Node, Node] | None = None,
    ) -> list[Node]:
        """Rank `frontier` (see `ranked`) and give the `top` slots to its best; returns the open survivors, best first,
        each as often as it holds a slot.

        `beams="draws"`: every draw is a beam, so a node with c copies holds up to c of the slots left (equal beams are
        separate samples in search-and-learn, too). `"distinct"`: one slot per node (compute-optimal-tts drops equal
        siblings). `finished="bank"`: finished children are set aside and take no slot; the search ends (no survivors)
        once N completions are banked. `"compete"`: they are ranked with the rest, and a slot won by one is used up for
        good (completions of a probe, see `complete`, won none).
        """
        candidates = [node for node in frontier if node.finish != "budget"]
        self.finish(node for node in frontier if node.finish == "budget")
        if finished == "bank":
            self.finish(node for node in candidates if node.terminal)
            candidates = [node for node in candidates if not node.terminal]
            if self.finished >= self._n:
                self.prune(candidates, "width_reached", {"n": self._n, "finished": self.finished})
                return []
        ranked = self.ranked(candidates, ahead)
        free = k = max(0, top - self._slots_used_up)
        slots: dict[Node, int] = {}
        for node in ranked:
            slots[node] = min(free, 1 if beams == "distinct" else node.copies)
            free -= slots[node]
        survivors = self.allot(slots, k, ahead)
        ended = [node for node in survivors if node.terminal]
        self._slots_used_up += len(ended)
        self.finish(ended)
        self.flush()
        return [node for node in survivors if not node.terminal]

    def allot(
        self, slots: Mapping[Node, int], k: int | None = None, ahead: Mapping[Node, Node] | None = None
    ) -> list[Node]:
        """Keep the nodes that are given slots, prune those given none; returns each as often as it holds a slot.

        `slots` is in rank order; `k` is the number of slots available (None: those given).
        """
        ahead = ahead or {}
        values = {node: self.value(ahead.get(node, node)) for node in slots}
        cut_off = min((values[node] for node, held in slots.items() if held), default=None)
        for rank, (node, held) in enumerate(slots.items(), start=1):
            numbers = _standing(rank, len(slots), sum(slots.values()) if k is None else k, cut_off, values[node])
            numbers |= {"slots": held, "draws": node.copies}
            if node in ahead:
                numbers |= {"end": ahead[node].id, "steps_ahead": ahead[node].depth - node.depth}
            self.decide(node, "keep" if held else "prune", "rank", numbers)
        return [node for node, held in slots.items() for _ in range(held)]

    def keep_best(self, families: Mapping[int, Sequence[Node]]) -> dict[int, Node]:
        """Rank each family on its own, keep its best and prune the others; returns the best by family.

        A node of several families stays if it is the best of one.
        """
        ranked = {number: self.ranked(family) for number, family in families.items()}
        self.finish(node for family in families.values() for node in family if node.finish == "budget")
        best = {number: family[0] for number, family in ranked.items() if family}
        for action in ("prune", "keep"):
            for number, family in ranked.items():
                for rank, node in enumerate(family, start=1):
                    if (action == "keep") == (rank == 1):
                        numbers = _standing(rank, len(family), 1, self.value(family[0]), self.value(node))
                        self.decide(node, action, "subtree_rank", {"subtree": number, **numbers})
        self.flush()
        return best

    def prune(self, nodes: Iterable[Node], reason: str, numbers: Mapping[str, float] | None = None) -> None:
        for node in nodes:
            self.decide(node, "prune", reason, numbers)

    def prune_rollouts(self, nodes: Iterable[Node]) -> None:
        """Give up the greedy rollouts below `nodes`, which were not kept."""
        for node in nodes:
            chain = [node]
            while chain[-1].id in self._greedy:
                chain.append(self._greedy[chain[-1].id])
            self.prune((step for step in chain[1:] if step.status == "open"), "rollout_dropped")
        self.flush()

    def finish(self, nodes: Iterable[Node]) -> None:
        """Bank completions: leaves that ended by themselves. A chain that the budget cut is not a completion."""
        for node in nodes:
            if node.finish == "budget":
                if node.status != "pruned":
                    self.decide(node, "prune", "budget")
            elif node.status != "finished":
                self.decide(node, "finish", node.finish)

    def decide(self, node: Node, action: Action, reason: str, numbers: Mapping[str, float] | None = None) -> None:
        """Record one decision and the numbers behind it (see `engine.search.events.REASONS`)."""
        self._emit(Decision(self._next_seq(), node.id, action, reason, dict(numbers or {})))

    def estimate(self, node: Node, judge: str, right: int, n: int) -> None:
        """Record the share of `n` draws below `node` that came out right."""
        self._emit(StepScored.estimate(self._next_seq(), node.id, judge, right, n))

    def flush(self) -> None:
        """Hand over what was emitted since the last time."""
        if self._round:
            self._sink(tuple(self._round), self._meter.usage())
            self._round = []

    # --- how it is done ---------------------------------------------------------------------------------------------

    async def _sample(
        self, parents: Sequence[Node], temperature: float | None, origin: NodeOrigin = "policy"
    ) -> list[Node]:
        """One draw below each of `parents` (a parent may repeat); the node of each draw, in order.

        A draw for which the budget did not buy a single token leaves no node.
        """
        too_deep = {node for node in parents if node.depth >= self.max_steps}
        self.prune(sorted(too_deep, key=lambda node: node.id), "max_steps", {"max_steps": self.max_steps})
        parents = [node for node in parents if node not in too_deep]
        sampling = self._sampling if temperature is None else replace(self._sampling, temperature=temperature)
        draws = [self._draw(parent) for parent in parents]
        steps = await self._policy.extend(draws, sampling, self.budget, self._meter.policy_cost) if draws else []
        children = self._record(parents, steps, origin)
        if self.budget.spent:
            self.stop_reason = "budget"
        self.flush()
        return children

    def _draw(self, parent: Node) -> Draw:
        path = self.tree.path(parent)
        index = self._first_draw[parent.id] + self._draws[parent.id]
        self._draws[parent.id] += 1
        return Draw(tuple(path), draw_seed(self.seed, path, index))

    def _children_drawn(self, parent: Node, first: int, end: int) -> list[Node]:
        """The distinct nodes that draws `first` to `end` below `parent` led to."""
        return list(dict.fromkeys(node for node in self._drawn.get(parent.id, [])[first:end] if node))

    def _record(self, parents: Sequence[Node], steps: Sequence[Step], origin: NodeOrigin) -> list[Node]:
        """Turn draws into nodes, identical draws below one parent into one, and emit each node touched once."""
        touched: dict[Identity, StepSampled] = {}
        drawn: list[Identity | None] = []
        created = 0
        for parent, step in zip(parents, steps, strict=True):
            if step.tokens == 0:
                drawn.append(None)
                continue
            identity: Identity = (parent.id, step.token_ids or step.text, step.finish)
            known = touched.get(identity) or self._sampled.get(identity)
            if known:
                touched[identity] = replace(known, copies=known.copies + 1)
            else:
                touched[identity] = self._new_node(len(self.tree) + created, parent, step, origin)
                created += 1
            drawn.append(identity)
        for identity, event in touched.items():
            self._sampled[identity] = replace(event, seq=self._next_seq())
            self._emit(self._sampled[identity])
        children = [self.tree[touched[identity].node] if identity else None for identity in drawn]
        for parent, child in zip(parents, children, strict=True):
            self._drawn.setdefault(parent.id, []).append(child)
        return [child for child in children if child]

    def _new_node(self, node_id: int, parent: Node, step: Step, origin: NodeOrigin) -> StepSampled:
        answer = None
        if step.finish != "step":
            whole = "".join(node.text for node in self.tree.path(parent)) + step.text
            answer = self.domain.answer_of(whole, opens_thought=self._meter.policy.opens_thought)
        return StepSampled(
            0, node_id, parent.id, parent.depth + 1, step.text, step.token_ids, step.tokens, step.logprob, step.finish,
            origin=origin, answer=answer, confidence=step.confidence, certainty=step.certainty,
        )  # fmt: skip

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


def _standing(rank: int, of: int, k: int, cut_off: float | None, score: float) -> dict[str, float]:
    standing = {"rank": rank, "of": of, "k": k, "score": score}
    return standing if cut_off is None else standing | {"cut_off": cut_off}

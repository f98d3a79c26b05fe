"""What the Score tab asks of the server: what a solution's scores would cost, and the scores.

Routes of our own, as on the Runs page: the steps that a person edits are no component's value. Nothing is recorded but
what the person asks to keep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from engine.errors import InvalidInput, TtsError
from engine.runs.host import Host
from engine.runs.importing import import_solution
from engine.runs.lab.benches import Benches
from engine.runs.lab.rescoring import rescore
from engine.runs.lab.solutions import RESPONSES, Reading, cuts, response
from engine.search.scorer import Scorer
from engine.search.tree import Node, Tree
from tts_ui.web.door import Visitors
from tts_ui.web.parts.notices import sentence
from tts_ui.words import numbers
from tts_ui.words.interface import say
from tts_ui.words.results import flops

#: Steps of a solution, at most.
_STEPS = 200
#: Seconds between two looks whether the page still waits.
_LOOK_S = 0.3


@dataclass(frozen=True, slots=True)
class _Work:
    """A solution that somebody works on, and who shall read it."""

    problem: str
    steps: list[str]
    judges: list[str]


class ScoreDesk:
    """Answers the Score tab over one host."""

    def __init__(self, host: Host, visitors: Visitors) -> None:
        self._host, self._visitors, self._benches = host, visitors, Benches(host)

    def routes(self) -> list[Route]:
        """Where an app must answer the page."""
        answers = {"about": self._about, "score": self._score, "cuts": self._cuts, "keep": self._keep}
        return [
            Route("/rte/lab/solution", self._told(self._begin)),
            *(Route(f"/rte/lab/{name}", self._told(answer), methods=["POST"]) for name, answer in answers.items()),
        ]

    def _told(self, answer: Callable[[Request], Awaitable[dict[str, Any]]]) -> Callable[[Request], Awaitable[Response]]:
        """`answer`, whose refusals are told: a mistake with its argument, a failure as one."""

        async def told(request: Request) -> Response:
            fresh = {"cache-control": "no-store"}
            try:
                return JSONResponse(await answer(request), headers=fresh)
            except TtsError as error:
                argument = error.argument if isinstance(error, InvalidInput) else ""
                said = {"argument": argument, "error": sentence(error, discreet=self._visitors.strict)}
                return JSONResponse(said, 422 if isinstance(error, InvalidInput) else 503, headers=fresh)

        return told

    async def _begin(self, request: Request) -> dict[str, Any]:
        """The judges to choose from, and the path of the run that the address names."""
        catalogue = self._host.catalogue
        judges = [
            {
                "name": entry.label,
                "title": entry.title or entry.label,
                "note": entry.note,
                "here": catalogue.here(entry),
            }
            for entry in catalogue.scorers.values()
        ]
        begun: dict[str, Any] = {"judges": [judge for judge in judges if judge["here"] or not self._visitors.strict]}
        run_id = request.query_params.get("run", "")
        if run_id:
            begun |= await asyncio.to_thread(self._path, run_id, request.query_params.get("node", ""))
        return begun

    def _path(self, run_id: str, node: str) -> dict[str, Any]:
        """The steps to a node of a run (else to its answer), with the scores that are recorded."""
        tree = self._host.store.tree(self._host.store.whole_run(run_id).id)
        path = tree.path(tree[_end(tree, node)])
        return {
            "problem": tree.root.text,
            "steps": [{"text": step.text.strip(), "scores": step.scores} for step in path if step.text.strip()],
            "run": run_id,
            "node": path[-1].id if path else 0,
        }

    def _work(self, body: Mapping[str, Any]) -> _Work:
        """What was asked. Raises `InvalidInput` for texts above the ceilings and for judges that are not there."""
        work = _Work(
            body["problem"].strip(), [step.strip() for step in body["steps"]], list(dict.fromkeys(body["judges"]))
        )
        if not work.problem:
            raise InvalidInput("problem", say("score.no_problem"))
        if not work.steps:
            raise InvalidInput("steps", say("score.no_steps"))
        if empty := next((at for at, step in enumerate(work.steps, 1) if not step), None):
            raise InvalidInput("steps", say("score.empty_step", step=empty))
        if len(work.steps) > _STEPS:
            raise InvalidInput("steps", say("score.too_many_steps", steps=numbers.count(len(work.steps)), most=_STEPS))
        self._host.limits.check_texts(work.problem, None)
        length, most = sum(map(len, work.steps)), self._host.limits.max_problem
        if length > most:
            said = say("score.too_long", characters=numbers.count(length), most=numbers.count(most))
            raise InvalidInput("steps", said)
        if not work.judges:
            raise InvalidInput("judges", say("score.tick"))
        for judge in work.judges:
            entry = self._host.catalogue.scorer(None, judge)
            if self._visitors.strict and entry and not self._host.catalogue.here(entry):
                raise InvalidInput("scorer", say("score.not_here"))
        return work

    async def _about(self, request: Request) -> dict[str, Any]:
        """What scoring it, and scoring it cut otherwise, would cost: positions for all judges together."""
        work, visitor = self._work(await request.json()), self._visitors.name(request)

        def count() -> dict[str, Any]:
            asked = {"score": [work.steps], "cuts": [work.steps, *cuts(work.steps).values()]}
            return {
                what: sum(self._benches.about(judge, work.problem, solutions, visitor) for judge in work.judges)
                for what, solutions in asked.items()
            }

        return await asyncio.to_thread(count)

    async def _score(self, request: Request) -> dict[str, Any]:
        """Every judge's score of every step, and its bill."""
        work = self._work(await request.json())
        read = await self._readings(request, work, [work.steps])
        return {"judges": [_judged(judge, found, lambda r: {"scores": list(r.scores[0])}) for judge, found in read]}

    async def _cuts(self, request: Request) -> dict[str, Any]:
        """The same text cut in other ways: each judge's response score for each cut, and how far they lie apart."""
        work = self._work(await request.json())
        cut = cuts(work.steps)
        read = await self._readings(request, work, list(cut.values()))

        def told(reading: Reading) -> dict[str, Any]:
            return {"cuts": [{rule: response(scores, rule) for rule in RESPONSES} for scores in reading.scores]}

        return {
            "rules": list(RESPONSES),
            "cuts": [
                {"name": say(f"score.cut_{name.replace(' ', '_')}"), "steps": len(steps)} for name, steps in cut.items()
            ],
            "judges": [_judged(judge, found, told) for judge, found in read],
        }

    async def _keep(self, request: Request) -> dict[str, Any]:
        """Record the solution as a run of the visitor's, with the judges' scores. Nothing is recorded for whoever has
        no place in the line: it would be a way to fill the disk."""
        work, visitor = self._work(await request.json()), self._visitors.name(request)
        run_ids: list[str] = []

        def record() -> None:
            run_ids.append(import_solution(self._host.store, work.problem, work.steps))
            self._visitors.started(request, *run_ids)

        async def score(judge: Scorer) -> None:
            if not run_ids:
                await asyncio.to_thread(record)
            await rescore(self._host.store, run_ids, judge)

        for judge in work.judges:
            await self._while_wanted(request, self._host.judging(judge, score, visitor=visitor))
        return {"run": run_ids[0]}

    async def _readings(
        self, request: Request, work: _Work, solutions: Sequence[Sequence[str]]
    ) -> list[tuple[str, Reading | TtsError]]:
        """What each judge says, one after another; a judge that cannot read it does not keep the others from it."""
        said: list[tuple[str, Reading | TtsError]] = []
        for judge in work.judges:
            found: Reading | TtsError
            try:
                visitor = self._visitors.name(request)
                found = await self._while_wanted(request, self._benches.read(judge, work.problem, solutions, visitor))
            except TtsError as error:
                found = error
            said.append((judge, found))
        if all(isinstance(found, TtsError) for _, found in said) and isinstance(said[0][1], TtsError):
            raise said[0][1]
        return said

    async def _while_wanted(self, request: Request, future: Future[Any]) -> Any:
        """Its result; where the page stops waiting, the work is stopped."""
        result = asyncio.wrap_future(future)
        while not (await asyncio.wait([result], timeout=_LOOK_S))[0]:
            if await request.is_disconnected():
                future.cancel()
        return await result


def _end(tree: Tree, node: str) -> int:
    if node.isdecimal() and 0 < int(node) < len(tree):
        return int(node)
    if tree.chosen is not None:
        return tree.chosen
    deepest: Node = max(tree.nodes, key=lambda each: each.depth)
    return deepest.id


def _judged(judge: str, found: Reading | TtsError, told: Callable[[Reading], dict[str, Any]]) -> dict[str, Any]:
    if not isinstance(found, Reading):
        return {
            "name": judge,
            "error": sentence(found) if isinstance(found, InvalidInput) else say("score.not_read"),
        }
    usage = found.usage
    return {
        "name": judge, "read": found.read, "tokens": usage.scored_tokens, "reused": usage.scored_tokens_reused,
        "flops": numbers.flops(flops(usage)[1]), "seconds": numbers.seconds(usage.wall_s), **told(found),
    }  # fmt: skip

"""A solution that is worked on: what is cut how, and that nothing is read twice."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest

from engine.domains.builtin.problems import generate
from engine.errors import InvalidInput
from engine.runs.host import Host
from engine.runs.lab.benches import Benches
from engine.runs.lab.given import read_file, read_text
from engine.runs.lab.solutions import Bench, cuts, in_steps, response, tree_of
from engine.search.cost import ScorerCost
from engine.search.scorer import Scorer
from engine.store import Store

T = TypeVar("T")
JUDGES = ["builtin-prm", "builtin-likelihood"]
PROBLEM = generate("bench", "mul", 4, "test")
STEPS = [step.strip() for step in PROBLEM.steps]


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    with Store.open(str(tmp_path_factory.mktemp("bench") / "runs.db")) as store:
        host = Host(store)
        yield host
        host.close()


def with_judge(host: Host, judge: str, work: Callable[[Scorer], Coroutine[Any, Any, T]]) -> T:
    return host.judging(judge, work).result(timeout=60)


def alone(host: Host, judge: str, steps: list[str]) -> tuple[list[float | None], int]:
    """The scores and the positions of a solution that is read for the first time, step after step."""

    async def read(scorer: Scorer) -> tuple[list[float | None], int]:
        tree, cost = tree_of(PROBLEM.text, steps), ScorerCost()
        session = scorer.session(PROBLEM.text)
        scores = [(await session.score([tree.path(node)], cost))[0] for node in tree.nodes[1:]]
        session.close()
        return scores, cost.scored_tokens

    return with_judge(host, judge, read)


@pytest.mark.parametrize("judge", JUDGES)
def test_what_did_not_change_is_not_read_again(host: Host, judge: str) -> None:
    benches, changed = Benches(host), [*STEPS[:-1], STEPS[-1].replace("=", "= 1", 1)]
    first = benches.read(judge, PROBLEM.text, [STEPS]).result(timeout=60)
    expected, positions = alone(host, judge, STEPS)
    assert first.scores[0] == pytest.approx(expected, abs=1e-5)
    assert (first.usage.scored_tokens, first.read) == (positions, len(STEPS))
    again = benches.read(judge, PROBLEM.text, [STEPS]).result(timeout=60)
    assert (again.scores, again.usage.scored_tokens, again.read) == (first.scores, 0, 0)
    edited = benches.read(judge, PROBLEM.text, [changed]).result(timeout=60)
    expected, whole = alone(host, judge, changed)
    _, before = alone(host, judge, STEPS[:-1])
    assert edited.scores[0] == pytest.approx(expected, abs=1e-5)
    assert edited.read == 1 and edited.usage.scored_tokens < whole - before + 4  # its own tokens, and no prefix


def test_a_visitor_pays_for_himself(host: Host) -> None:
    benches = Benches(host)
    for visitor in ("a", "b"):
        assert benches.read(JUDGES[0], PROBLEM.text, [STEPS], visitor).result(timeout=60).read == len(STEPS)


@pytest.mark.parametrize("judge", JUDGES)
def test_what_it_will_cost_is_about_right_before_and_after(host: Host, judge: str) -> None:
    benches, all_cuts = Benches(host), list(cuts(STEPS).values())
    for solutions in ([STEPS], all_cuts, all_cuts):
        about = benches.about(judge, PROBLEM.text, solutions)
        spent = benches.read(judge, PROBLEM.text, solutions).result(timeout=60).usage.scored_tokens
        assert about == pytest.approx(spent, rel=0.35, abs=4)
    assert about == spent == 0


def test_cuts_keep_the_text() -> None:
    steps = ["a\nb", "c", "d"]
    cut = cuts(steps)
    assert cut["as given"] == steps
    assert cut["at every line break"] == ["a", "b", "c", "d"]
    assert cut["one step"] == ["a\nb\n\nc\n\nd"]
    assert cut["merged in pairs"] == ["a\nb\n\nc", "d"]


def test_the_score_of_a_whole_solution() -> None:
    assert [response([0.5, 0.25, 0.75], rule) for rule in ("min", "last", "avg")] == [0.25, 0.75, 0.5]
    assert response([0.5, None], "last") is None


def test_a_step_that_is_no_text_is_refused(host: Host) -> None:
    async def read(scorer: Scorer) -> None:
        for steps in ([], ["a", " "]):
            with pytest.raises(InvalidInput, match="step"):
                await Bench(PROBLEM.text, scorer).read([steps])

    with_judge(host, JUDGES[0], read)


@pytest.mark.parametrize(
    "content",
    [
        '{"problem": "P", "steps": ["a", "b"]}',
        '{"problem": "P", "solution": "a\\n\\nb"}',
        '[{"id": "gsm8k-0", "problem": "P", "steps": ["a", "b"], "label": 1, "final_answer_correct": false}]',
        '{"prompt": "P", "completions": ["a", "b"], "labels": [true, false]}',
        "P\n\na\n\n\nb\n",
    ],
)
def test_files_of_one_solution(tmp_path: Path, content: str) -> None:
    file = tmp_path / "solution"
    file.write_text(content)
    (given,) = read_file(file)
    assert [node.text.strip() for node in given.tree.nodes] == ["P", "a", "b"]


def test_a_problem_of_its_own_goes_with_steps_alone(tmp_path: Path) -> None:
    assert [node.text for node in read_text("a\n\nb", "P").tree.nodes] == ["P", "a\n\n", "b"]
    file = tmp_path / "solution.json"
    file.write_text('{"steps": ["a"]}')
    (given,) = read_file(file, "P")
    assert given.tree.root.text == "P"
    with pytest.raises(InvalidInput, match="has steps and no problem"):
        read_file(file)
    file.write_text('{"problem": "Q", "steps": ["a"]}')
    with pytest.raises(InvalidInput, match="has a problem of its own"):
        read_file(file, "P")


def test_steps_lie_between_blank_lines() -> None:
    assert in_steps("a\r\n\r\nb\nc\n\n\n\nd\n") == ["a", "b\nc", "d"]

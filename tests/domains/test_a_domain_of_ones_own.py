"""A second, tiny domain, brought by a program that uses the engine: no file of the engine knows of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import pytest
from support.recorded import Recorded
from support.scripted import ScriptedPolicy

from engine.domains import DOMAINS, Domains
from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Models
from engine.runs.comparison import Comparison
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.domain import StepChecker, Wording
from engine.search.events import Grade
from engine.search.params import RunParams


class Letters:
    """Words to be spelled: an answer stands after "spelled:", and capitals make no difference."""

    name = "letters"
    prompts: Mapping[str, Wording] = {}
    closed = 0

    def answer_of(self, text: str, *, opens_thought: bool = False) -> str | None:
        _, found, answer = text.partition("spelled: ")
        return answer.strip() if found else None

    def normalise(self, answer: str) -> str:
        return answer.casefold()

    async def grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        return self.quick_grades(answers, reference)

    def quick_grades(self, answers: Iterable[str], reference: str | None) -> dict[str, Grade]:
        right = None if reference is None else self.normalise(reference)
        return {
            answer: Grade(self.normalise(answer), None if right is None else self.normalise(answer) == right, "letters")
            for answer in answers
        }

    def reference_of(self, problem: str) -> str | None:
        return problem.removeprefix("Spell ")

    def step_checker(self, problem: str) -> StepChecker | None:
        return None

    def family(self, problem: str) -> str | None:
        return "spelling" if problem.startswith("Spell ") else None

    def foreign(self, problem: str, world: str) -> str | None:
        return None if problem.startswith("Spell ") else f"a policy of the {world or 'whole'} world cannot spell this"

    def markdown(self, text: str) -> str:
        return f"`{text}`"

    def close(self) -> None:
        Letters.closed += 1


@pytest.fixture
def domains() -> Iterator[Domains]:
    DOMAINS["letters"] = Letters
    with Domains() as opened:
        yield opened
    del DOMAINS["letters"]


#: Draws in turn: the right spelling in two ways, a wrong one, and nothing to be graded.
SPELLED = ("c-a-t\n\nspelled: Cat", "spelled: cat", "spelled: kat", "no idea")


def spelling(path: str, draw: int) -> tuple[str, str]:
    return SPELLED[draw % 4], "eos"


async def test_its_answers_are_found_grouped_and_graded(domains: Domains) -> None:
    recorded = Recorded()
    question = Question("Spell cat", "CAT", domain="letters")
    params = RunParams("majority_vote", n=4)
    policy = ScriptedPolicy(spelling)  # type: ignore[arg-type]
    run = Run("test", question, params, policy, None, domains[question.domain], recorded.sink)
    finished = await run.execute()
    assert (finished.answer, finished.correct, finished.graded_by) == ("cat", True, "letters")
    assert {node.answer for node in recorded.tree.completions()} == {"Cat", "cat", "kat", None}
    assert {grade.group for grade in finished.grades.values()} == {"cat", "kat"}


async def test_the_policys_agreement_is_counted_in_its_words(domains: Domains) -> None:
    recorded = Recorded()
    from support.scripted import ScriptedScorer

    run = Run(
        "test", Question("Spell cat", domain="letters"), RunParams("compute_optimal", n=4, width=2, probe=4),
        ScriptedPolicy(spelling), ScriptedScorer(lambda path: 0.5), domains["letters"], recorded.sink,  # type: ignore[arg-type]
    )  # fmt: skip
    await run.execute()
    choice = next(d for d in recorded.tree.root.decisions if d.reason == "compute_optimal")
    assert choice.numbers["agreement"] == 0.5  # Cat and cat are one answer


def test_a_question_of_an_unknown_domain_is_refused_in_one_line() -> None:
    with pytest.raises(InvalidInput, match=r"domain: unknown domain 'letters'; choose one of maths"):
        Question("Spell cat", domain="letters")


def test_a_comparison_of_its_runs(domains: Domains, models: Models) -> None:
    params = [RunParams("greedy"), RunParams("majority_vote", n=2)]
    comparison = Comparison(Question("Spell cat", domain="letters"), params, models, domains["letters"], paired=True)
    assert comparison.run(0, Recorded().sink).question.domain == "letters"


def test_domains_are_made_once_and_closed(domains: Domains) -> None:
    before = Letters.closed
    assert domains["letters"] is domains["letters"]
    domains.close()
    assert Letters.closed == before + 1

"""The lessons: their words agree with the measured figures, these with the report, and handouts give nothing away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from support.places import ROOT
from support.site import Site

from tts_ui.web.learn.document import document
from tts_ui.web.learn.effects import effects
from tts_ui.web.learn.paper import handout, notes
from tts_ui.web.learn.recorded import recorded
from tts_ui.web.learn.render import rich, verdict
from tts_ui.web.learn.texts import Lesson, lessons

REPORT = (ROOT / "assets" / "report" / "README.md").read_text(encoding="utf-8")
#: Figures that the report has, too, by the row of the table of `builtin-xs` in which they stand.
IN_THE_REPORT = {
    "xs.one": "sampled, one draw | 1", "xs.greedy": "greedy | 1", "xs.vote.4": "majority | 4",
    "xs.vote.16": "majority | 16", "xs.vote.64": "majority | 64", "xs.best.16": "best-of-N, vote | 16",
    "xs.best.64": "best-of-N, vote | 64", "good.best.16": "best-of-N, max | 16", "good.best.64": "best-of-N, max | 64",
    "xs.beam.4": "Beam search | 4", "xs.beam.16": "Beam search | 16", "xs.beam.64": "Beam search | 64",
    "xs.dvts.16": "DVTS | 16", "xs.dvts.64": "DVTS | 64", "xs.mcts.16": "MCTS (extension) | 16",
}  # fmt: skip
#: Differences that the report has, too, by the beginning of their row.
DIFFERENCES = {
    "good.more": "builtin-xs, builtin-prm: best-of-N, max, N = 64 - N = 16",
    "weak.more": "builtin-xs, builtin-prm-weak: best-of-N, max, N = 64 - N = 16",
    "small.m": "builtin-xs, Beam search, N = 64 | builtin-m, greedy",
    "small.l": "builtin-xs, Beam search, N = 64 | builtin-l, greedy",
}
NAMES = [lesson.name for lesson in lessons()]


@pytest.fixture(params=lessons(), ids=NAMES)
def lesson(request: pytest.FixtureRequest) -> Lesson:
    found: Lesson = request.param
    return found


def texts(lesson: Lesson) -> list[str]:
    """All that is said in a lesson."""
    told = lesson.notes
    return [
        lesson.intro, lesson.question, lesson.look, lesson.effect, lesson.means, lesson.think, lesson.caption,
        *lesson.terms.values(), *(choice.text for choice in lesson.choices), told.aim, told.guess, told.answers,
        told.not_shown,
    ]  # fmt: skip


def test_there_are_eight_and_they_are_numbered() -> None:
    assert [lesson.number for lesson in lessons()] == list(range(1, 9))


def test_what_a_lesson_says_is_what_was_measured(lesson: Lesson) -> None:
    assert lesson.claims
    for claim in lesson.claims:
        effect = effects().by_name[claim.effect]
        assert effect.kind == "difference"
        assert verdict(effect) == claim.says, (claim.effect, effect)


def test_every_difference_that_is_shown_is_on_enough_problems(lesson: Lesson) -> None:
    assert lesson.differences
    for row in (*lesson.rows, *lesson.differences):
        assert effects().by_name[row.effect].problems >= 50, row


def test_no_figure_is_left_open(lesson: Lesson) -> None:
    for text in texts(lesson):
        assert "{" not in rich(text), text
    assert lesson.answer in [choice.id for choice in lesson.choices]
    assert len({choice.id for choice in lesson.choices}) == len(lesson.choices) >= 3


def test_the_predictions_that_name_a_number_name_the_measured_one() -> None:
    by_name = effects().by_name
    right = {
        lesson.name: choice.text for lesson in lessons() for choice in lesson.choices if choice.id == lesson.answer
    }
    assert f"About {100 * by_name['xs.vote.16'].mean:.0f}:" in right["sampling"]
    assert right["judge"].startswith("More than 90 times") and 0.9 < by_name["good.caught"].low < 1
    assert right["who-pays"].startswith("More than 4 times") and 4 < by_name["bill.times"].low < 20
    assert right["small-and-large"] == "The small one keeps up, and costs more" and by_name["small.m.cost"].low > 1


def test_the_figures_are_those_of_the_report() -> None:
    assert f"first {effects().problems} of 1000 problems" in REPORT or effects().problems == 1000
    smallest = REPORT.partition("### builtin-xs")[2].partition("### builtin-s\n")[0]
    for name, row in IN_THE_REPORT.items():
        assert f"| {row} | {effects().by_name[name].said(interval=True)} |" in smallest, name
    lines = REPORT.splitlines()
    for name, row in DIFFERENCES.items():
        (found,) = [line for line in lines if line.startswith(f"| {row}")]
        assert effects().by_name[name].said(interval=True) in found, name


def test_the_recorded_runs_are_what_the_lesson_says_they_are(lesson: Lesson) -> None:
    told = recorded(lesson.name)
    assert 1 <= len(told.sides) <= 2
    for side in told.sides:
        run = side.document["run"]
        params = side.with_seed(0)
        assert run["problem"] == told.question.problem
        assert (run["strategy"], run["params"]["seed"]) == (params.strategy, 0)
        assert run["params"].get("n", params.n) == params.n
        assert run["policy"] == side.models
    for name, node in told.points.items():
        letter, _, _ = name.partition(".")
        assert node < len(told.sides["ab".index(letter)].document["nodes"])
    pointed = set(re.findall(r"\(pick:([ab]\.[a-z-]+)\)", lesson.look))
    assert pointed and pointed <= told.points.keys()


def test_what_is_said_of_the_recorded_runs_is_so() -> None:
    """The words of `look` that name what is in a tree; whoever records anew must read them again."""
    votes = {
        (name, letter): [(group["correct"], group["votes"]) for group in side.document["answers"]]
        for name in NAMES for letter, side in zip("ab", recorded(name).sides, strict=False)
    }  # fmt: skip
    leading, second = votes["who-pays", "a"][:2]
    assert leading == (False, second[1] + 1) and second[0]
    right = {each: sum(count for ok, count in votes[each] if ok) for each in votes}
    assert right["over-optimisation", "a"] == 16 and right["over-optimisation", "b"] > 48
    assert right["who-pays", "b"] < 8 and not votes["over-optimisation", "b"][0][0]
    assert votes["looking-ahead", "a"][0][0] and not votes["looking-ahead", "b"][0][0]
    assert votes["beam-and-dvts", "a"][0][0] and votes["beam-and-dvts", "b"][0][0]
    kept = [
        sum(node["depth"] == 2 and node["status"] == "kept" for node in side.document["nodes"])
        for side in recorded("beam-and-dvts").sides
    ]
    assert kept[0] < kept[1]  # how many different second steps survive
    assert not votes["compute-optimal", "a"][0][0] and votes["compute-optimal", "b"][0][0]
    assert votes["small-and-large", "a"][0][0] and votes["small-and-large", "b"][0][0]


def test_a_handout_asks_and_does_not_tell(lesson: Lesson) -> None:
    sheet = handout([lesson])
    asked, told = notes([lesson]), rich(lesson.effect)
    assert lesson.title in sheet and all(row.label in sheet for row in lesson.rows)
    assert told not in sheet and rich(lesson.means) not in sheet and "Measured" not in sheet
    assert told in asked and "Measured" in asked and "data-pick" not in sheet + asked


@pytest.fixture
def visitor(public: Site) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=public.url, timeout=30) as client:
        yield client


def test_strangers_may_read_a_lesson_and_its_runs(visitor: httpx.Client, public: Site, lesson: Lesson) -> None:
    answer = visitor.get("rte/learn", params={"lesson": lesson.name})
    assert answer.status_code == 200 and answer.headers["cache-control"] == "no-store"
    assert answer.json() == document(lesson.name)
    for side in recorded(lesson.name).sides:
        assert public.host.store.whole_run(side.run_id).origin == "example"
    for paper in ("handout", "notes"):
        page = visitor.get(f"rte/learn/{paper}", params={"lesson": lesson.name})
        assert page.status_code == 200 and "script-src 'self'" in page.headers["content-security-policy"]


def test_a_lesson_that_there_is_not_leads_to_the_list(visitor: httpx.Client) -> None:
    told = visitor.get("rte/learn", params={"lesson": "<script>"}).json()
    assert (told["lesson"], told["unknown"], len(told["lessons"])) == (None, True, 8)
    assert "<script>" not in visitor.get("rte/learn", params={"lesson": "<script>"}).text
    assert visitor.post("rte/learn", json={}).status_code == 405
    assert visitor.get("rte/learn/secrets").status_code == 404

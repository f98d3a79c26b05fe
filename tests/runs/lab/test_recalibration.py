"""A judge is recalibrated on one half of the problems, shown on the other, and used in a search by its name."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import ValidationError
from support.recorded import PROBLEM

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import CATALOGUE, Catalogue
from engine.models.scorers.recalibrated import ScoreMap
from engine.runs.host import Host
from engine.runs.lab.calibration import Observation, calibrate
from engine.runs.lab.evidence import RunEvidence, ScoredStep
from engine.runs.lab.recalibration import entry, first_half, fit_map
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store

STEEP = ScoreMap(scores=(0.2, 0.8), values=(0.1, 0.6))
NAME = "weak, recalibrated"


@pytest.fixture
def models_file(tmp_path: Path) -> Path:
    """The product's own models file, and one entry that the lab has written."""
    file = tmp_path / "models.toml"
    written = CATALOGUE.read_text(encoding="utf-8") + "\n" + entry(NAME, "builtin-prm-weak", STEEP)
    file.write_text(written, encoding="utf-8")
    return file


@pytest.fixture
def host(tmp_path: Path, models_file: Path) -> Iterator[Host]:
    with Store.open(str(tmp_path / "runs.db")) as store, closing(Host(store, Catalogue(models_file))) as host:
        yield host


def _search(host: Host, scorer: str, strategy: str = "best_of_n") -> str:
    running = host.submit(Question(PROBLEM), RunParams(strategy, n=8), scorer=scorer)
    running.future.result(timeout=60)
    host.store.flush()
    return running.id


def test_a_search_uses_a_recalibrated_judge_by_name_at_no_cost(host: Host) -> None:
    plain, mapped = (_search(host, name) for name in ("builtin-prm-weak", NAME))
    record, other = host.store.whole_run(mapped), host.store.whole_run(plain)
    assert record.judge == NAME and record.scorer and other.scorer and record.scorer.digest != other.scorer.digest
    scores = {node.id: node.scores for node in host.store.tree(mapped).nodes[1:]}
    before = {node.id: node.scores["builtin-prm-weak"] for node in host.store.tree(plain).nodes[1:] if node.scores}
    assert before and {node: of[NAME] for node, of in scores.items() if of} == pytest.approx(
        {node: STEEP(score) for node, score in before.items()}, abs=1e-5
    )
    assert record.usage.scored_tokens == other.usage.scored_tokens
    assert record.usage.flops_all == other.usage.flops_all


def test_it_steers_a_search_that_prunes(host: Host) -> None:
    tree = host.store.tree(_search(host, NAME, "beam_search"))
    assert any(decision.reason == "rank" for node in tree.nodes for decision in node.decisions)


def test_the_lab_can_offer_it_in_a_running_process(host: Host) -> None:
    fresh = host.catalogue.scorers[NAME].model_copy(update={"name": "another"})
    host.catalogue.add(fresh)
    assert host.store.whole_run(_search(host, "another")).judge == "another"
    with pytest.raises(InvalidInput, match="is called 'another' already"):
        host.catalogue.add(fresh)
    with pytest.raises(InvalidInput, match="no judge of the models file with scores of its own"):
        host.catalogue.add(fresh.model_copy(update={"name": "twice", "of": NAME}))


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ('of = "nobody"\nmap = { temperature = 2.0 }', "of 'nobody' is no scorer of this file"),
        ('of = "builtin-prm-weak"', "needs of (a scorer's name) and map"),
        ('of = "builtin-prm-weak"\npath = "here"\nmap = { temperature = 2.0 }', "no path or urls of its own"),
        ('of = "builtin-prm-weak"\nmap = { scores = [0.5, 0.4], values = [0.1, 0.2] }', "scores must rise"),
        ('of = "builtin-prm-weak"\nmap = { scores = [0.4, 0.5], values = [0.2, 0.1] }', "values must not fall"),
        ('of = "builtin-prm-weak"\nmap = { scores = [0.4], values = [0.2, 0.1] }', "as many values as scores"),
        ('of = "builtin-prm-weak"\nmap = { }', "scores and values, or a temperature"),
    ],
)
def test_mistakes_in_a_models_file_are_named(models_file: Path, written: str, said: str) -> None:
    text = models_file.read_text(encoding="utf-8") + f'\n[[scorer]]\nname = "x"\nkind = "recalibrated"\n{written}\n'
    models_file.write_text(text, encoding="utf-8")
    with pytest.raises(InvalidInput) as refused:
        Catalogue(models_file)
    assert said in str(refused.value)


def test_what_other_families_make_of_a_map(models_file: Path) -> None:
    text = models_file.read_text(encoding="utf-8")
    models_file.write_text(text + '\n[[scorer]]\nkind = "qwen_prm"\npath = "x"\nmap = { temperature = 2.0 }\n', "utf-8")
    with pytest.raises(InvalidInput, match="a qwen_prm scorer takes no map"):
        Catalogue(models_file)


@pytest.mark.parametrize("score", [0.0, 0.2, 0.5, 0.8, 1.0])
def test_maps_by_hand(score: float) -> None:
    assert STEEP(score) == pytest.approx({0.0: 0.1, 0.2: 0.1, 0.5: 0.35, 0.8: 0.6, 1.0: 0.6}[score])
    tempered = ScoreMap(temperature=2.0)(score)
    held = min(1 - 1e-6, max(1e-6, score))
    assert tempered == pytest.approx(math.sqrt(held) / (math.sqrt(held) + math.sqrt(1 - held)))


def test_a_map_has_numbers_within_0_and_1() -> None:
    with pytest.raises(ValidationError, match="between 0 and 1"):
        ScoreMap(scores=(0.0, 1.0), values=(0.0, 1.5))


def _seen(score: float, right: float, of: float = 100.0, problem: str = "p") -> Observation:
    run = RunEvidence("r", problem, "policy", None, None, (), ())
    return Observation(run, ScoredStep(1, 1, 1, 1, score, None, "right", None, ""), right, of)


def test_isotonic_pools_adjacent_violators_only() -> None:
    """By hand: 10 %, then 40 % and 20 % pooled to 30 %, then 90 %."""
    fitted = fit_map([_seen(0.1, 10), _seen(0.3, 40), _seen(0.5, 20), _seen(0.9, 90)], "isotonic")
    assert fitted.scores == (0.1, 0.4, 0.9) and fitted.values == (0.1, 0.3, 0.9)


def test_a_temperature_is_found_again() -> None:
    """Scores that are too sure by a factor of 3 in log-odds."""
    odds = [place / 4 for place in range(-12, 13)]
    found = [_seen(1 / (1 + math.exp(-3 * x)), 1000 / (1 + math.exp(-x)), 1000) for x in odds]
    fitted = fit_map(found, "temperature")
    assert fitted.temperature == pytest.approx(3, rel=1e-3)
    assert calibrate(found, fitted).ece.mean < 1e-3 < 0.1 < calibrate(found).ece.mean


def test_halves_follow_from_the_problem_alone() -> None:
    halves = [first_half(f"problem {place}") for place in range(400)]
    assert halves == [first_half(f"problem {place}") for place in range(400)]
    assert 150 < sum(halves) < 250

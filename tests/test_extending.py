"""The examples of docs/extending.md, taken from the page and put where it says they belong."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest
from support.layouts import qwen_with_head
from support.places import ROOT
from support.recorded import Recorded
from support.scripted import ScriptedPolicy

from engine.domains import DOMAINS, Domains
from engine.models.catalogue import catalogue as catalogue_module
from engine.models.catalogue.catalogue import POLICIES, SCORERS, Catalogue, ScorerFamily
from engine.runs.host import Host
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.params import RunParams
from engine.search.strategies import STRATEGIES, Strategy
from engine.search.tree import Tree
from engine.store import Store
from tts_ui.web.strategy_cards.card import CardText, Parameter
from tts_ui.web.strategy_cards.marks import MARKINGS

PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
Install = Callable[[str], None]


def block(beginning: str, language: str = "python") -> str:
    """The code block that begins so."""
    (found,) = re.findall(rf"```{language}\n({re.escape(beginning)}.+?)```", PAGE, re.DOTALL)
    return str(found)


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put the file that a block's first line names into its package, for one test."""

    def put(path: str) -> None:
        package, name = path.rsplit("/", 1)
        package = package.replace("/", ".")
        folder = tmp_path / package
        folder.mkdir()
        (folder / name).write_text(block(f"# {path}\n"), encoding="utf-8")
        module = import_module(package)
        monkeypatch.setattr(module, "__path__", [*module.__path__, str(folder)])

    return put


def searched(folder: Path, params: RunParams, models: Path | None = None) -> Tree:
    """The tree of one run, read back from the store."""
    catalogue = Catalogue(models) if models else Catalogue()
    with Store.open(str(folder / "runs.db")) as store:
        host = Host(store, catalogue)
        try:
            running = host.submit(Question("Compute 18 * 19.", reference="342"), params)
            assert running.future.result(timeout=120).status == "done"
            store.flush(running.id)
        finally:
            host.close()
        return store.tree(running.id)


def models_file(folder: Path, policy: str, scorer: str = "") -> Path:
    file = folder / "models.toml"
    file.write_text(f'[[pair]]\nname = "mine"\n[pair.policy]\n{policy}\n{scorer}', encoding="utf-8")
    return file


def test_the_strategy_runs(tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("engine/search/strategies/best_step.py")
    strategy = eval(block("Strategy("), {"Strategy": Strategy})
    monkeypatch.setitem(STRATEGIES, strategy.name, strategy)
    tree = searched(tmp_path, RunParams(strategy="best_step", n=4))
    levels = {node.depth for node in tree.nodes[1:]}
    assert max(levels) >= 2
    for depth in levels:
        level = [node for node in tree.nodes if node.depth == depth]
        assert sum(node.copies for node in level) == 4
        assert len([node for node in level if node.status != "pruned"]) == 1


def test_the_strategy_s_card_is_one() -> None:
    ((name, card),) = tomllib.loads(block("[best_step]", "toml")).items()
    text = CardText(card["what"], card["source"], tuple(Parameter(**each) for each in card["parameters"]))
    assert name == "best_step" and {parameter.mark for parameter in text.parameters} <= set(MARKINGS)


def test_the_judge_judges(tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("engine/models/scorers/value_prm.py")
    family = eval(block("ScorerFamily("), {"ScorerFamily": ScorerFamily})
    monkeypatch.setitem(SCORERS, "value_prm", family)
    checkpoint = qwen_with_head(tmp_path / "judge", "Qwen2ForValue", {"value.weight": (1, 64), "value.bias": (1,)})
    file = models_file(
        tmp_path, 'kind = "local"\npath = "builtin-xs"', f'[pair.scorer]\nkind = "value_prm"\npath = "{checkpoint}"'
    )
    tree = searched(tmp_path, RunParams(strategy="best_of_n", n=4), file)
    values = [score for node in tree.nodes[1:] for score in node.scores.values()]
    assert len(values) == len(tree.nodes) - 1 and len(set(values)) > 1


def test_the_back_end_writes(tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("engine/models/policies/lines.py")
    names = dict(vars(catalogue_module))
    exec("from __future__ import annotations\n" + block("def _lines_policy("), names)
    monkeypatch.setitem(POLICIES, "lines", names["_lines_policy"])
    (tmp_path / "lines.txt").write_text("Let us see.\n18 * 20 = 360\nSo it is \\boxed{342}.\n", encoding="utf-8")
    tree = searched(
        tmp_path,
        RunParams(strategy="majority_vote", n=8),
        models_file(tmp_path, f'kind = "lines"\npath = "{tmp_path}"'),
    )
    assert sum(leaf.copies for leaf in tree.completions()) == 8
    assert {leaf.answer for leaf in tree.completions()} == {"342"}


async def test_the_domain_grades(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("engine/domains/spelling.py")
    exec(block("DOMAINS["), {"DOMAINS": DOMAINS, "Spelling": import_module("engine.domains.spelling").Spelling})
    policy = ScriptedPolicy(lambda path, index: (f"spelled: {('Cat', 'cat', 'kat')[index]}", "eos"))
    recorded = Recorded()
    with Domains() as domains:
        question = Question("How is cat spelled?", "CAT", domain="spelling")
        params = RunParams("majority_vote", n=3)
        finished = await Run("test", question, params, policy, None, domains["spelling"], recorded.sink).execute()
    del DOMAINS["spelling"]
    assert (finished.answer, finished.correct, finished.graded_by) == ("cat", True, "spelling")

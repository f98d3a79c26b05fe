"""Scorers in a models file: what an entry may say, what is refused in one line, and a search under another judge."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from support.judges import GenericTag, MathShepherd, QwenPRM
from support.layouts import llama_tokenizer, mistral_causal, qwen_causal

from engine.assets import assets
from engine.errors import InvalidInput, ModelError
from engine.models.catalogue.catalogue import SCORERS, Catalogue, ModelEntry
from engine.models.scorers.options import TwoTokenTemplate
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.domain import Domain
from engine.search.events import Event, Usage
from engine.search.params import RunParams
from engine.search.tree import Tree

PROBLEM = "Compute 5 + 18 * 13 + 8 + 8 + 8."
TEMPLATE = '[pair.scorer.template]\nprompt = "{problem} "\nstep = "{step} ки"\nthen = "\\n"\ngood = " +"\nbad = " -"\n'


def models_file(folder: Path, kind: str, path: object, more: str = "") -> Path:
    file = folder / "models.toml"
    file.write_text(
        '[[pair]]\nname = "mine"\n[pair.policy]\nkind = "local"\npath = "builtin-xs"\n'
        f'[pair.scorer]\nkind = "{kind}"\npath = "{path}"\n{more}',
        encoding="utf-8",
    )
    return file


@pytest.mark.parametrize(
    ("kind", "more", "says"),
    [
        ("skywork", 'system = "x"', "a skywork scorer takes no system"),
        ("rlhflow", TEMPLATE, "a rlhflow scorer takes no template"),
        ("generic", "", "needs a [pair.scorer.template]"),
        ("generic", '[pair.scorer.template]\nstep = "{step}"\ngood = "+"', "bad"),
        ("generic", '[pair.scorer.template]\nstep = "x"\ngood = "+"\nbad = "-"', "{step} once"),
        ("generic", TEMPLATE.replace("{problem}", ""), "{problem} once"),
        ("generic", TEMPLATE.replace('then = "', 'then = "{step}'), "contains neither"),
        ("likelihood", 'urls = ["http://gpu"]\ntokenizer = "x"', "a likelihood scorer takes no urls"),
        ("skywork", 'urls = ["http://gpu"]', "tokenizer is missing"),
        ("qwen_prm", 'urls = ["gpu"]\ntokenizer = "x"', "not an http or https address"),
        ("generic", TEMPLATE + 'colour = "red"', "colour"),
    ],
)
def test_an_entry_with_a_mistake_is_refused_before_anything_is_loaded(
    tmp_path: Path, kind: str, more: str, says: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Catalogue(models_file(tmp_path, kind, "nowhere", more))
    assert refusal.value.argument == "models"
    assert says in str(refusal.value) and "\n" not in str(refusal.value)


def test_a_policy_takes_no_template(tmp_path: Path) -> None:
    file = models_file(tmp_path, "likelihood", "builtin-s")
    file.write_text(file.read_text().replace("[pair.scorer]", TEMPLATE.replace("scorer", "policy") + "[pair.scorer]"))
    with pytest.raises(InvalidInput, match="a policy takes no template"):
        Catalogue(file)


@pytest.mark.parametrize("strategy", ["beam_search", "best_of_n"])
@pytest.mark.parametrize("kind", ["likelihood", "generic"])
async def test_a_search_under_another_judge(tmp_path: Path, maths: Domain, kind: str, strategy: str) -> None:
    """Each step of the search is scored once, at its own cost, whichever family judges."""
    path: object = "builtin-s"
    if kind == "generic":
        path = mistral_causal(tmp_path / "judge")
    catalogue = Catalogue(models_file(tmp_path, kind, path, TEMPLATE if kind == "generic" else ""))
    models = catalogue.load()
    assert models.scorer is not None
    events: list[Event] = []
    usages: list[Usage] = []

    def record(batch: Sequence[Event], usage: Usage) -> None:
        events.extend(batch)
        usages.append(usage)

    params = RunParams(strategy=strategy, n=8, width=4, max_steps=12)
    await Run("test", Question(PROBLEM), params, models.policy, models.scorer, maths, record).execute()
    tree = Tree.from_events(events)
    name = models.scorer.info.name
    scored = [node for node in tree.nodes[1:] if name in node.scores]
    assert len(scored) >= 8
    form = models.scorer.format  # type: ignore[attr-defined]
    due = models.scorer.prompt_tokens(PROBLEM)
    for node in scored:
        assert node.parent is not None
        due += len(form.segment(node.text, tree[node.parent].text if node.parent else None).ids)
    assert usages[-1].scored_tokens == due
    if kind == "likelihood":
        assert all(
            node.scores[name] <= tree[node.parent].scores[name] + 1e-6 for node in scored if node.parent
        )  # the smallest so far
    catalogue.close()


def refused(kind: str, folder: Path, template: TwoTokenTemplate | None = None) -> str:
    with pytest.raises(ModelError) as refusal:
        SCORERS[kind].load(ModelEntry(kind=kind, path="judge", template=template), folder)
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


def test_a_checkpoint_of_another_family_is_refused(tmp_path: Path) -> None:
    qwen = qwen_causal(tmp_path / "qwen")
    assert "not a Qwen2ForPrmModel" in refused("skywork", qwen)
    assert "not a Qwen2ForProcessRewardModel" in refused("qwen_prm", qwen)
    llama_tokenizer().save_pretrained(prm := QwenPRM(tmp_path / "prm").folder)
    assert "no <extra_0> in the tokenizer" in refused("qwen_prm", prm)
    assert "Qwen2ForProcessRewardModel" in refused("likelihood", assets() / "models" / "builtin-prm")
    assert "chat template" in refused("rlhflow", MathShepherd(tmp_path / "mistral").folder)
    wordy = TwoTokenTemplate(step="\n{step} ки", good=" very good", bad=" -")
    assert "single tokens" in refused("generic", mistral_causal(tmp_path / "judge"), wordy)


def test_a_template_that_the_tokenizer_reads_across_is_refused(tmp_path: Path) -> None:
    """ "." and a blank line are one token to a byte-level tokenizer, and the problem would end in the middle of it."""
    across = TwoTokenTemplate(prompt="{problem}", step="\n\n{step} Right? ", good="+", bad="-")
    assert "joins text" in refused("generic", qwen_causal(tmp_path), across)


def test_a_judge_without_a_tokenizer_file_is_refused(tmp_path: Path) -> None:
    folder = GenericTag(tmp_path / "judge").folder
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "tokenizer.json").unlink()
    assert str(copy) in refused("math_shepherd", copy)

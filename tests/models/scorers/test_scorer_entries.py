"""Scorers in a models file: what an entry may say, what is refused in one line, and a search under another judge."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.judges import GenericTag, MathShepherd, QwenPRM
from support.layouts import (
    llama_tokenizer,
    mistral_causal,
    qwen_causal,
    qwen_tokenizer,
    reads_both_ways,
    token_classifier,
)
from transformers import PreTrainedTokenizerBase

from engine.assets import assets
from engine.errors import InvalidInput, ModelError
from engine.models.catalogue.catalogue import SCORERS, Catalogue, ModelEntry
from engine.models.catalogue.fit import parameters
from engine.models.prompts.tokens import Tokens
from engine.models.scorers.contrast import ContrastScorer
from engine.models.scorers.formats import conversation
from engine.models.scorers.generic import read as read_generic
from engine.models.scorers.heads import first_tokens
from engine.models.scorers.options import TwoTokenTemplate
from engine.runs.question import Question
from engine.runs.run import Run
from engine.search.domain import Domain
from engine.search.events import Event, Usage
from engine.search.params import RunParams
from engine.search.tree import Tree

PROBLEM = "Compute 5 + 18 * 13 + 8 + 8 + 8."
TEMPLATE = '[pair.scorer.template]\nprompt = "{problem} "\nstep = "{step} ки"\nthen = "\\n"\ngood = " +"\nbad = " -"\n'
CRITIQUE = '[pair.scorer.critique]\nprompt = "{problem} {steps}"\nquestion = "So:"\n'


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
        ("token_classifier", 'urls = ["http://gpu"]\ntokenizer = "x"', "a token_classifier scorer takes no urls"),
        ("token_classifier", 'separator = ""', "separator"),
        ("token_classifier", 'signed = "perhaps"', "signed"),
        ("qwen_prm", 'separator = "\\n"', "a qwen_prm scorer takes no separator"),
        ("rlhflow", "signed = true", "a rlhflow scorer takes no signed"),
        ("skywork", 'contrast = "builtin-s"', "a skywork scorer takes no contrast"),
        ("likelihood", "chunk = 8", "add contrast"),
        ("likelihood", 'contrast = "builtin-s"\nchunk = 0', "chunk"),
        ("generic", TEMPLATE + CRITIQUE, "a generic scorer takes no critique"),
        ("generative", "", "needs a [scorer.critique]"),
        ("generative", 'critique = "thinkprm"', "no table [critique.thinkprm]"),
        ("generative", CRITIQUE.replace(" {steps}", ""), "{problem} once and {steps} once"),
        ("generative", CRITIQUE.replace("{problem} {steps}", "{steps} {problem}"), "in this order"),
        ("generative", CRITIQUE + 'step = "x"', "{step} once"),
        ("generative", CRITIQUE + 'stop = [""]', "an empty text"),
        ("generative", CRITIQUE + "temperature = 0.5", "a single critique is written greedily"),
        ("generative", CRITIQUE + "samples = 0", "samples"),
        ("generative", f'urls = ["http://gpu"]\ntokenizer = "x"\n{CRITIQUE}', "a generative scorer takes no urls"),
    ],
)
def test_an_entry_with_a_mistake_is_refused_before_anything_is_loaded(
    tmp_path: Path, kind: str, more: str, says: str
) -> None:
    with pytest.raises(InvalidInput) as refusal:
        Catalogue(models_file(tmp_path, kind, "nowhere", more))
    assert refusal.value.argument == "models"
    assert says in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize("setting", ['separator = "\\n"', "signed = true", 'contrast = "builtin-s"', "chunk = 8"])
def test_a_policy_takes_no_setting_of_a_scorer(tmp_path: Path, setting: str) -> None:
    file = models_file(tmp_path, "likelihood", "builtin-s")
    file.write_text(file.read_text().replace("[pair.scorer]", f"{setting}\n[pair.scorer]"))
    with pytest.raises(InvalidInput, match=f"a policy takes no {setting.split()[0]}"):
        Catalogue(file)


def test_a_policy_takes_no_template(tmp_path: Path) -> None:
    file = models_file(tmp_path, "likelihood", "builtin-s")
    file.write_text(file.read_text().replace("[pair.scorer]", TEMPLATE.replace("scorer", "policy") + "[pair.scorer]"))
    with pytest.raises(InvalidInput, match="a policy takes no template"):
        Catalogue(file)


async def test_a_search_under_the_contrast_of_two_models(tmp_path: Path, maths: Domain) -> None:
    """Both models read each step once, and each position costs what its model costs."""
    catalogue = Catalogue(models_file(tmp_path, "likelihood", "builtin-l", 'contrast = "builtin-s"\nchunk = 8\n'))
    assert len(catalogue.folders(catalogue.scorers["builtin-l"])) == 2
    models = catalogue.load()
    scorer = models.scorer
    assert isinstance(scorer, ContrastScorer) and scorer.chunk == 8
    events: list[Event] = []
    usages: list[Usage] = []

    def record(batch: Sequence[Event], usage: Usage) -> None:
        events.extend(batch)
        usages.append(usage)

    params = RunParams(strategy="beam_search", n=8, width=4, max_steps=12)
    await Run("test", Question(PROBLEM), params, models.policy, scorer, maths, record).execute()
    tree = Tree.from_events(events)
    scored = [node for node in tree.nodes[1:] if scorer.info.name in node.scores]
    assert len(scored) >= 8 and len({node.scores[scorer.info.name] for node in scored}) > 4
    due = []
    for each in (scorer.larger, scorer.smaller):
        due.append(each.prompt_tokens(PROBLEM))
        for node in scored:
            assert node.parent is not None
            due[-1] += len(each.format.segment(node.text, tree[node.parent].text if node.parent else None).ids)
    usage = usages[-1]
    assert usage.scored_tokens == sum(due)
    judged = 2 * (scorer.larger.info.parameters * due[0] + scorer.smaller.info.parameters * due[1])
    policy = 2 * models.policy.info.parameters * (usage.prompt_tokens + usage.generated_tokens)
    assert usage.flops_all == pytest.approx(policy + judged)
    catalogue.close()


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
    alike = TwoTokenTemplate(step="\n{step} ки", good=" very good", bad=" very bad")
    assert "begin with the same token" in refused("generic", mistral_causal(tmp_path / "judge"), alike)
    assert "Qwen2ForCausalLM, not a token classifier" in refused("token_classifier", qwen)
    one = token_classifier(tmp_path / "one", num_labels=1)
    assert "two labels" in refused("token_classifier", one)
    assert "BertForTokenClassification is not supported" in refused("token_classifier", reads_both_ways(tmp_path / "b"))


def test_a_template_that_the_tokenizer_reads_across_is_refused(tmp_path: Path) -> None:
    """ "." and a blank line are one token to a byte-level tokenizer, and the problem would end in the middle of it."""
    across = TwoTokenTemplate(prompt="{problem}", step="\n\n{step} Right? ", good="+", bad="-")
    assert "joins text" in refused("generic", qwen_causal(tmp_path), across)


def test_a_judge_without_a_tokenizer_file_is_refused(tmp_path: Path) -> None:
    folder = GenericTag(tmp_path / "judge").folder
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    (copy / "tokenizer.json").unlink()
    assert str(copy) in refused("math_shepherd", copy)


@pytest.mark.parametrize(
    ("name", "tokenizer"),
    [("versaprm-8b", llama_tokenizer), ("fover-llama-8b", llama_tokenizer), ("fover-qwen-7b", qwen_tokenizer)],
)
def test_published_judges_that_are_asked_by_a_template(
    name: str, tokenizer: Callable[[], PreTrainedTokenizerBase]
) -> None:
    """Step by step they read what their whole text is to the tokenizer, up to where the judge would answer."""
    asked, reader = Catalogue().scorers[name].template, tokenizer()
    assert asked is not None
    steps = ["We add 2.\n\n", "It is \\boxed{42}."]
    ids, places = conversation(read_generic(reader, asked), PROBLEM, steps)
    whole = asked.prompt.replace("{problem}", PROBLEM)
    whole += asked.then.join(asked.step.replace("{step}", step.strip()) for step in steps)
    assert ids == reader.encode(whole, add_special_tokens=not whole.startswith(str(reader.bos_token)))
    assert places[-1] == [len(ids) - 1] and len(places) == 2
    good, bad = first_tokens(Tokens(reader), asked.good, asked.bad)
    assert good != bad


def test_both_models_of_a_contrast_must_be_here(tmp_path: Path) -> None:
    catalogue = Catalogue(models_file(tmp_path, "likelihood", "builtin-l", 'contrast = "nobody/has-this"\n'))
    judge = catalogue.scorers["builtin-l"]
    assert not catalogue.here(judge) and catalogue.folders(judge)[1] is None
    catalogue.keep_what_is_here()
    assert not catalogue.scorers and not catalogue.pairs
    missing = Catalogue(models_file(tmp_path, "likelihood", "builtin-l", 'contrast = "nowhere"\n'))
    with pytest.raises(ModelError, match="nowhere: no such folder"):
        missing.load()
    both = Catalogue(models_file(tmp_path, "likelihood", "builtin-l", 'contrast = "builtin-s"\n'))
    sizes = [parameters(both, ModelEntry(kind="likelihood", path=path)) for path in ("builtin-l", "builtin-s")]
    assert None not in sizes and parameters(both, both.scorers["builtin-l"]) == sum(size or 0 for size in sizes)

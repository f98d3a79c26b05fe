"""The models file: tables that pairs name, prompts, sampling, and the catalogue that comes with the product."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from support.places import ROOT

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.models.catalogue.fit import fit
from engine.models.catalogue.models_file import ModelEntry
from engine.search.params import RunParams

BOXED = "Please reason step by step, and put your final answer within \\boxed{}."
POLICY = '[[policy]]\nname = "p"\nkind = "local"\npath = "builtin-xs"\n'


def catalogue(folder: Path, text: str) -> Catalogue:
    file = folder / "models.toml"
    file.write_text(text)
    return Catalogue(file)


def test_pairs_name_policies_and_policies_name_prompts(tmp_path: Path) -> None:
    file = (
        '[[pair]]\nname = "x"\npolicy = "p"\n[[pair]]\nname = "y"\npolicy = "p"\n'
        + POLICY
        + 'prompt = "polite"\n[prompt.polite]\nsystem = "Please."\nsuffix = "Thanks."\n'
    )
    found = catalogue(tmp_path, file)
    policy = found.entry("x").policy
    assert policy is not None and policy == found.entry("y").policy
    assert (policy.label, policy.system, policy.suffix) == ("p", "Please.", "Thanks.")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('[[pair]]\nname = "x"\npolicy = "nobody"\n', "no policy is called 'nobody'"),
        ('[[pair]]\nname = "x"\npolicy = "p"\n' + POLICY + 'prompt = "rude"\n', "no table [prompt.rude]"),
        ('[[pair]]\nname = "x"\npolicy = "p"\n' + POLICY + 'prompt = "a"\nsystem = "b"\n', "not both"),
        ('[[pair]]\nname = "x"\npolicy = "p"\n' + POLICY + "sampling = { temperature = 9 }\n", "temperature"),
        ('[[pair]]\nname = "x"\npolicy = "p"\n' + POLICY + "sampling = { warmth = 1 }\n", "warmth"),
        ('[[pair]]\nname = "x"\npolicy = "p"\n' + POLICY + "parameters = 0\n", "parameters"),
        ('[[pair]]\nname = "x"\ncache_gb = -1\npolicy = "p"\n' + POLICY, "cache_gb"),
        ('[[pair]]\nname = "x"\n[pair.policy]\nkind = "local"\n', "pair.0.policy: path is missing"),
        (
            '[[pair]]\nname = "x"\npolicy = "p"\n'
            + POLICY
            + '[[scorer]]\nkind = "qwen_prm"\npath = "q"\nsuffix = "s"\n',
            "takes no suffix",
        ),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        catalogue(tmp_path, text)
    assert refusal.value.argument == "models"
    assert says in str(refusal.value) and "\n" not in str(refusal.value)


def test_the_catalogue_asks_each_family_as_the_study_did() -> None:
    pairs = Catalogue().pairs
    for name, pair in pairs.items():
        policy = pair.policy
        if name.startswith("qwen"):
            assert (policy.system, policy.suffix) == (BOXED, "")
        elif name.startswith("r1-"):
            assert (policy.system, policy.suffix) == ("", BOXED)
            params = RunParams(**policy.sampling.given())
            assert (params.temperature, params.top_p, params.max_tokens) == (0.6, 0.95, 32768)
        elif name.startswith("llama"):
            assert "## Step 1: " in policy.system and "\\boxed{" in policy.system and policy.gated
    for scorer in Catalogue().scorers.values():
        assert scorer.system == (BOXED if scorer.path.startswith("Qwen/") else "")


def test_every_pair_of_the_catalogue_says_what_it_needs() -> None:
    found = Catalogue()
    page = (ROOT / "docs" / "models.md").read_text(encoding="utf-8")
    for pair in found.pairs.values():
        judge = found.scorer(pair.name)
        assert judge is not None
        need = fit(found, [pair.policy, judge])
        assert need.needs is not None and need.fits is not None
        if not pair.name.startswith("builtin"):
            assert pair.policy.licence and judge.licence
            sizes = (pair.policy.parameters or 0) + (judge.parameters or 0)
            assert f"{sizes * 2 * 1.05 / 1e9:.1f}" in page  # as its table says, in bfloat16


@pytest.mark.parametrize(
    ("entry", "label"),
    [
        ({"path": "acme/tiny"}, "acme/tiny"),
        ({"path": "builtin-xs"}, "builtin-xs"),
        ({"path": "/srv/models/secret/tiny"}, "tiny"),
        ({"path": "../models/tiny/"}, "tiny"),
        ({"path": "/srv/models/tiny", "name": "ours"}, "ours"),
        ({"kind": "openai", "urls": ["http://10.1.2.3:8000/v1"], "model": "m"}, "m behind a server"),
        ({"kind": "openai", "urls": ["http://10.1.2.3:8000/v1"]}, "the model behind a server"),
    ],
)
def test_what_a_model_is_called_does_not_say_where_it_is(entry: dict[str, Any], label: str) -> None:
    assert ModelEntry(**{"kind": "local"} | entry).label == label

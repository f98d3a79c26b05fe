"""A parameter is declared once: the command line, both forms, words and the reference follow from the declaration."""

from __future__ import annotations

from dataclasses import fields

import gradio as gr
import pytest
import typer.main
from support.places import ROOT

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from engine.models.catalogue.models_file import SamplingDefaults
from engine.search.parameter import Parameter
from engine.search.params import PARAMETERS, RunParams
from engine.search.strategies import STRATEGIES
from tts_ui.cli.main import app
from tts_ui.web.compare import form as compare_form
from tts_ui.web.explore import form
from tts_ui.web.parts import fields as shared_fields
from tts_ui.words import parameters

DECLARED = PARAMETERS.values()


def test_every_field_of_a_run_is_declared_and_every_option_of_a_strategy_is_a_field() -> None:
    assert ["strategy", *PARAMETERS] == [field.name for field in fields(RunParams)]
    assert {option for strategy in STRATEGIES.values() for option in strategy.options} <= set(PARAMETERS)
    assert {parameter.name for parameter in DECLARED if parameter.of_policy} == set(SamplingDefaults.model_fields)


@pytest.mark.parametrize("command", ["solve", "compare"])
def test_the_command_line_has_every_parameter_with_its_default_and_its_help(command: str) -> None:
    options = {option.name: option for option in typer.main.get_command(app).commands[command].params}  # type: ignore[attr-defined]
    for parameter in DECLARED:
        option = options[parameter.name]
        assert option.opts == [f"--{parameter.name.replace('_', '-')}"] and not option.secondary_opts
        assert option.help.startswith(f"{parameter.help}.")
        assert option.default == (None if parameter.of_policy else parameter.default)


@pytest.mark.parametrize("page", [form, compare_form])
def test_a_form_has_a_field_for_every_parameter(page: object) -> None:
    with gr.Blocks():
        components = page.build(Catalogue()).fields  # type: ignore[attr-defined]
    kinds = {int: gr.Number, float: gr.Number, bool: gr.Checkbox, str: gr.Textbox}
    for parameter in DECLARED:
        field = components[parameter.name]
        assert isinstance(field, gr.Dropdown if parameter.choices else kinds[parameter.type])
        assert field.label.startswith(parameter.label)
        assert {choice for choice, _ in getattr(field, "choices", [])} >= set(parameter.choices)
        unset = shared_fields.DEFAULT_RULE if parameter.choices else "" if parameter.type is str else 0
        assert field.value == (parameter.default or unset)
    assert len({field.elem_id for field in components.values()}) == len(components)


def test_the_reference_has_the_row_of_every_parameter_in_their_order() -> None:
    reference = (ROOT / "docs" / "reference.md").read_text(encoding="utf-8")
    assert "\n".join(parameters.table_rows()) in reference, "`make options` prints the rows"


def test_a_setting_of_one_strategy_is_written_as_it_is_called() -> None:
    written = (
        "M=2, rule=majority_vote, temperature=1, top-p=0.9, finished=compete, beams=distinct, L=2, tree policy=puct, "
        "c=1, probe=2, chosen by=learned, N=8, seed=3, stop=beta:0.9, g=3"
    )
    own = compare_form.own_settings(written, "own_a")
    assert set(own) == {parameter.name for parameter in DECLARED if not parameter.common}
    assert all(type(own[name]) is PARAMETERS[name].type for name in own)


def test_a_made_up_parameter_is_checked_as_it_is_declared() -> None:
    patience = Parameter(label="Patience", help="p", unit="rounds", least=1, most="n", name="patience", type=int)
    patience.check({"patience": 3, "n": 3})
    for value, message in (
        (0, "0 rounds are too few; give 1 or more"),
        (4, "4 rounds are too many; give at most 3 (n)"),
        ("2", "'2' is not a whole number"),
        (2.0, "2.0 is not a whole number"),
        (True, "True is not a whole number"),
        (-(10**5000), "this number has more than 20 digits; give one with fewer"),
    ):
        with pytest.raises(InvalidInput) as refused:
            patience.check({"patience": value, "n": 3})
        assert (refused.value.argument, refused.value.message) == ("patience", message)


def test_what_is_not_taken_is_not_recorded() -> None:
    for name, strategy in STRATEGIES.items():
        recorded = RunParams(name).recorded()
        taken = {parameter.name for parameter in DECLARED if strategy.takes(parameter.name)}
        assert set(recorded) == taken - {"votes", "stop", "prm_window", "max_tokens", "max_tokens_total"}

"""README and docs/ tell the truth: options and variables have their lines, links lead somewhere, the example runs."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
from support.places import ROOT

from engine.search.strategies import STRATEGIES
from tts_ui.cli.main import app

README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DOCS = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
COMMANDS = typer.main.get_command(app).commands  # type: ignore[attr-defined]


def test_every_option_has_its_line() -> None:
    options = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option != "--help"
    }
    missing = sorted(option for option in options if f"`{option}" not in DOCS and f" {option}" not in DOCS)
    assert not missing


def test_every_strategy_is_named() -> None:
    assert not [name for name in STRATEGIES if f"`{name}`" not in DOCS]


def test_every_environment_variable_has_its_line() -> None:
    sources = [
        path.read_text(encoding="utf-8") for folder in ("engine", "tts_ui") for path in ROOT.glob(f"{folder}/**/*.py")
    ]
    variables = {name for source in sources for name in re.findall(r"\bTTS_UI_[A-Z_]+\b", source)}
    assert not sorted(name for name in variables if name not in DOCS)


def test_every_command_shown_is_one() -> None:
    shown = re.findall(r"^tts-ui (.+?)(?:  #.*)?$", DOCS, re.MULTILINE)
    assert len(shown) >= 8
    for line in shown:
        name, *arguments = shlex.split(line)
        known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
        assert not {argument for argument in arguments if argument.startswith("-")} - known, line


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))
    assert set(re.findall(r"(?:`|^)make ([a-z-]+)", DOCS, re.MULTILINE)) <= targets


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_and_path_leads_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)]+)\)", text):
        path, _, heading = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        headings = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.M) if heading else []
        assert not heading or heading in {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in headings}
    paths = re.findall(r"`((?:assets|benchmarks|docs|engine|tests|tts_ui)/[^`\s*]*)`", text)
    assert not [path for path in paths if "NAME" not in path and not (ROOT / path).exists()]


def test_what_search_gains_is_what_the_report_says() -> None:
    report = (ROOT / "assets" / "report" / "README.md").read_text(encoding="utf-8")
    said = " ".join(README.split())
    number = r" \| ([\d.]+)"
    row = rf"^\| builtin-xs, Beam search, N = 64 \| (builtin-\w), greedy{3 * number} \| (\S+) \[(\S+), (\S+)\]"
    against = {larger: [float(each) for each in numbers] for larger, *numbers in re.findall(row, report, re.M)}
    size, policy_flops, all_flops, gap, low, high = against["builtin-m"]
    assert "right about as often as greedy `builtin-m`, a model six times its size" in said
    assert round(size) == 6 and low < 0 < high
    assert f"({gap:+} points, {low} to {high:+})" in said
    assert f"at {all_flops:g} times M's FLOPs ({policy_flops:g} without the PRM's)" in said
    size, *_, high = against["builtin-l"]
    assert "less often than greedy `builtin-l`, a model twelve times its size" in said
    assert round(size) == 12 and high < 0


def test_over_optimisation_is_what_the_report_says() -> None:
    report = (ROOT / "assets" / "report" / "README.md").read_text(encoding="utf-8")
    fall = r"^\| (builtin-\w+, builtin-[\w-]+): best-of-N, max, N = 64 - N = 16 \| -([\d.]+) .* \* \|$"
    falls = dict(re.findall(fall, report, re.M))
    assert set(falls) == {"builtin-xs, builtin-prm-weak"}
    assert f"`builtin-xs` loses {falls['builtin-xs, builtin-prm-weak']} points" in README


def test_how_good_the_other_judges_are_is_what_the_report_says() -> None:
    report = (ROOT / "assets" / "report" / "README.md").read_text(encoding="utf-8")
    for judge in ("builtin-prm-rollouts", "builtin-prm-weak"):
        found = [float(auc) for auc in re.findall(rf"^\| builtin-\w+ \| {judge} \| ([\d.]+) \[", report, re.M)]
        bullet = re.search(rf"^- `{judge}`: (?:.+\n)(?:  .+\n)*", README, re.M)
        assert len(found) == 4 and bullet
        assert f"step AUC {min(found):.2f} to {max(found):.2f}" in " ".join(bullet[0].split())


def test_the_table_of_built_in_models_is_the_reports() -> None:
    report = (ROOT / "assets" / "report" / "README.md").read_text(encoding="utf-8")
    about = re.search(r"The\nfirst (\d+) of 1000 problems of `builtin-1000` were", report)
    assert about and f"on the {about[1]} problems of the report below" in README
    figure, share = r" \| ([\d.]+)", r" \| ([\d.]+) \[\S+ \S+\]"
    measured = re.findall(rf"^\| (builtin-\w+) \| ([\d,]+){4 * share} \|$", report, re.M)
    rows = re.findall(rf"^\| `(builtin-\w+)` \| ([\d.]+)M{4 * figure} \|$", README, re.M)
    assert len(rows) == 4
    for (name, parameters, *accuracies), row in zip(measured, rows, strict=True):
        assert row == (name, f"{int(parameters.replace(',', '')) / 1e6:.2f}", *accuracies)


def test_the_real_models_table_is_the_measured_one() -> None:
    measured = (ROOT / "assets" / "report" / "real-model.md").read_text(encoding="utf-8")
    section = README.split("## Seen with a real model")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if line.startswith("| ")]
    assert len(rows) == 6 and all(row in measured for row in rows)


def test_the_library_example_runs(tmp_path: Path) -> None:
    match = re.search(r"```python\n(.+?)```", README, re.DOTALL)
    assert match
    done = subprocess.run(
        [sys.executable, "-c", match[1]], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.strip()
    assert (tmp_path / "runs.db").is_file()
